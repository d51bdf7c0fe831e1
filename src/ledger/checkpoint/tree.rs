//! The head of the Merkle tree of RFC 6962, from leaf hashes that come one by one.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

/// A hash.
type Node = [u8; 32];

/// The tree as far as it must be kept: the heads of its full subtrees, largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    nodes: Vec<Node>,
}

impl Tree {
    /// A tree that was kept before: its size and [`Tree::nodes`]. `None` when the two do not fit.
    pub fn from_nodes(size: u64, nodes: &[String]) -> Option<Self> {
        let nodes = nodes.iter().map(|text| STANDARD.decode(text).ok()?.try_into().ok());
        let nodes = nodes.collect::<Option<Vec<Node>>>()?;
        (nodes.len() == size.count_ones() as usize).then_some(Self { size, nodes })
    }

    /// What has to be kept to go on later, in base64.
    pub fn nodes(&self) -> Vec<String> {
        self.nodes.iter().map(|node| STANDARD.encode(node)).collect()
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Node) {
        let mut node = leaf;
        let mut below = self.size;
        while below & 1 == 1 {
            let left = self.nodes.pop().expect("there is a node for each bit of the size");
            node = join(&left, &node);
            below >>= 1;
        }
        self.nodes.push(node);
        self.size += 1;
    }

    /// Adds a leaf by its hash in hex, in small letters; anything else counts as a leaf of zeros, which no text has.
    pub fn push_hex(&mut self, text: &str) {
        let mut leaf = [0_u8; 32];
        let is_ours = !text.bytes().any(|digit| digit.is_ascii_uppercase());
        let is_read = is_ours && hex::decode_to_slice(text, &mut leaf).is_ok();
        self.push(if is_read { leaf } else { [0; 32] });
    }

    /// The head, in base64. Of no leaves it is the hash of nothing.
    pub fn root(&self) -> String {
        let mut nodes = self.nodes.iter().rev();
        let last = nodes.next().copied().unwrap_or_else(|| Sha256::digest([]).into());
        STANDARD.encode(nodes.fold(last, |right, left| join(left, &right)))
    }
}

fn join(left: &Node, right: &Node) -> Node {
    let mut hasher = Sha256::new();
    hasher.update([1_u8]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest::hex;

    /// Leaves and heads that Certificate Transparency's own tests use.
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    const HEADS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn the_heads_are_those_of_rfc_6962() {
        let mut tree = Tree::default();
        assert_eq!(tree.root(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        for (leaf, head) in LEAVES.iter().zip(HEADS) {
            let mut hasher = Sha256::new();
            hasher.update([0_u8]);
            hasher.update(leaf);
            let leaf = hex(&hasher.finalize());
            // Kept and taken up again between any two leaves.
            tree = Tree::from_nodes(tree.size(), &tree.nodes()).unwrap();
            tree.push_hex(&leaf);
            assert_eq!(hex(&STANDARD.decode(tree.root()).unwrap()), head);
        }
        assert_eq!((tree.size(), tree.nodes().len()), (8, 1), "full subtrees are all that is kept");
        assert_eq!(Tree::from_nodes(7, &tree.nodes()), None);
    }

    #[test]
    fn what_is_no_hash_counts_as_a_leaf_of_zeros() {
        let root = |text: &str| {
            let mut tree = Tree::default();
            tree.push_hex(text);
            tree.root()
        };
        let (zeros, hash) = (root(&"00".repeat(32)), HEADS[0]);
        assert_ne!(root(hash), zeros);
        for other in [hash.to_uppercase(), hash.replace('a', "g"), hash[2..].to_owned(), format!("{hash}00")]
        {
            assert_eq!(root(&other), zeros, "{other}");
        }
    }
}
