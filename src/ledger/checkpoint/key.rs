//! Ed25519 keys in the one-line form of signed notes: `NAME+ID+KEY` for everybody, and
//! `PRIVATE+KEY+NAME+ID+KEY` for the one who signs.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use super::CheckpointError;
use crate::{clock, domain::digest::hex};

/// The byte that stands for Ed25519.
const ED25519_NOTE: u8 = 1;

/// Name of keys that this program makes.
const NAME: &str = "countersign";

const PRIVATE: &str = "PRIVATE+KEY+";

/// A key that signs.
pub struct Signer {
    pair: Ed25519KeyPair,
    verifier: Verifier,
}

/// A key that checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    public: Vec<u8>,
}

impl Signer {
    /// A new key and its private line.
    pub fn generate() -> Result<(Self, String), String> {
        let seed = clock::salt();
        let signer = Self::of_seed(NAME, &seed)?;
        let text = [&[ED25519_NOTE], &seed[..]].concat();
        let line = format!("{PRIVATE}{NAME}+{}+{}", hex(&signer.verifier.id()), STANDARD.encode(text));
        Ok((signer, line))
    }

    fn of_seed(name: &str, seed: &[u8]) -> Result<Self, String> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|error| error.to_string())?;
        let public = pair.public_key().as_ref().to_vec();
        Ok(Self { pair, verifier: Verifier { name: name.to_owned(), public } })
    }

    fn parse(line: &str) -> Result<Self, String> {
        let rest = line.trim().strip_prefix(PRIVATE).ok_or("it does not start with PRIVATE+KEY+")?;
        let (name, id, seed) = parts(rest)?;
        let signer = Self::of_seed(name, &seed)?;
        if hex(&signer.verifier.id()) == id { Ok(signer) } else { Err("its parts do not fit".to_owned()) }
    }

    /// Reads a key file. Refused when others can read it.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let key = |reason: String| CheckpointError::Key { path: path.to_owned(), kind: "private", reason };
        let rights = fs::metadata(path).map_err(|error| key(error.to_string()))?.permissions();
        if rights.mode() & 0o077 != 0 {
            return Err(CheckpointError::KeyOpen(path.to_owned()));
        }
        let text = fs::read_to_string(path).map_err(|error| key(error.to_string()))?;
        Self::parse(&text).map_err(key)
    }

    /// The key for everybody.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The signature line over a text.
    pub(super) fn sign(&self, text: &str) -> String {
        let signature = self.pair.sign(text.as_bytes());
        let bytes = [&self.verifier.id()[..], signature.as_ref()].concat();
        format!("\u{2014} {} {}\n", self.verifier.name, STANDARD.encode(bytes))
    }
}

impl Verifier {
    /// Reads the line of a public key.
    pub fn parse(line: &str) -> Result<Self, String> {
        let (name, id, public) = parts(line.trim())?;
        let key = Self { name: name.to_owned(), public };
        if hex(&key.id()) == id { Ok(key) } else { Err("its parts do not fit".to_owned()) }
    }

    /// Reads a file with the line of a public key.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let key = |reason: String| CheckpointError::Key { path: path.to_owned(), kind: "public", reason };
        let text = fs::read_to_string(path).map_err(|error| key(error.to_string()))?;
        Self::parse(&text).map_err(key)
    }

    /// Reads a file with the lines of several public keys. Empty lines are passed over.
    pub fn read_all(path: &Path) -> Result<Vec<Self>, CheckpointError> {
        let key = |reason: String| CheckpointError::Key { path: path.to_owned(), kind: "public", reason };
        let text = fs::read_to_string(path).map_err(|error| key(error.to_string()))?;
        text.lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| Self::parse(line).map_err(key))
            .collect()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its line.
    pub fn line(&self) -> String {
        let key = [&[ED25519_NOTE], &self.public[..]].concat();
        format!("{}+{}+{}", self.name, hex(&self.id()), STANDARD.encode(key))
    }

    /// The first bytes of a hash over name and key.
    fn id(&self) -> [u8; 4] {
        let mut hasher = Sha256::new();
        hasher.update(self.name.as_bytes());
        hasher.update([b'\n', ED25519_NOTE]);
        hasher.update(&self.public);
        let hash = hasher.finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Whether one of these signature lines is this key's, over this text.
    pub(super) fn signed(&self, text: &str, signatures: &[String]) -> bool {
        signatures.iter().any(|line| {
            let rest = line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' '));
            let Some((name, encoded)) = rest else { return false };
            let Ok(bytes) = STANDARD.decode(encoded.trim_end()) else { return false };
            let Some((id, signature)) = bytes.split_at_checked(4) else { return false };
            let key = UnparsedPublicKey::new(&ED25519, &self.public);
            name == self.name && id == self.id() && key.verify(text.as_bytes(), signature).is_ok()
        })
    }
}

/// Name, id and key of a line.
fn parts(line: &str) -> Result<(&str, &str, Vec<u8>), String> {
    let mut parts = line.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("it is not of the form NAME+ID+KEY".to_owned());
    };
    match STANDARD.decode(key).ok().as_deref().and_then(<[u8]>::split_first) {
        Some((&ED25519_NOTE, key)) if key.len() == 32 => Ok((name, id, key.to_vec())),
        _ => Err("it holds no Ed25519 key".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_signatures_are_those_of_other_programs() {
        // From the documentation of Go's golang.org/x/mod/sumdb/note.
        let public = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let private = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
        let text = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
        let line = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let signer = Signer::parse(private).unwrap();
        assert_eq!(signer.verifier(), &Verifier::parse(public).unwrap());
        assert_eq!((signer.verifier().line().as_str(), signer.sign(text).as_str()), (public, line));
        let signed = |text: &str, line: &str| signer.verifier().signed(text, &[line.to_owned()]);
        assert!(signed(text, line));
        assert!(!signed(&text.replace("problem", "question"), line));
        assert!(!signed(text, &line.replace("x08go", "x08gp")) && !signed(text, ""));
    }

    #[test]
    fn a_new_key_is_read_back_and_a_changed_one_is_not() {
        let (signer, line) = Signer::generate().unwrap();
        assert_eq!(Signer::parse(&line).unwrap().verifier(), signer.verifier());
        for bad in [
            "",
            "PRIVATE+KEY+countersign",
            &line.replace("+countersign+", "+other+"),
            &line[..line.len() - 8],
        ] {
            assert!(Signer::parse(bad).is_err(), "{bad}");
        }
        assert!(Verifier::parse("a+00000000+AQ==").is_err());
    }
}
