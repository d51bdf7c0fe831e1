//! Field positions to bitmap elements, as recordings show them.

use std::fmt::Write as _;

/// Bits of one list: of top-level fields and of compounds' components.
#[derive(Debug, Default)]
pub(super) struct Bitmap {
    top: Bits,
    nested: Vec<(usize, Bits)>,
}

#[derive(Debug, Default)]
struct Bits(Vec<u8>);

impl Bitmap {
    /// Marks a field of its own.
    pub(super) fn field(&mut self, position: usize) {
        self.top.set(position);
    }

    /// Marks a component. The compound's own bit stays clear, as in every recording.
    pub(super) fn component(&mut self, position: usize, component: usize) {
        match self.nested.iter_mut().find(|(parent, _)| *parent == position) {
            Some((_, bits)) => bits.set(component),
            None => {
                let mut bits = Bits::default();
                bits.set(component);
                self.nested.push((position, bits));
            }
        }
    }

    /// `0x..` first, if any, then `<position>-0x..` in order of positions.
    pub(super) fn elements(&self) -> Vec<String> {
        let mut nested: Vec<_> = self.nested.iter().collect();
        nested.sort_by_key(|(position, _)| *position);
        let top = (!self.top.0.is_empty()).then(|| self.top.hex());
        top.into_iter()
            .chain(nested.into_iter().map(|(position, bits)| format!("{position}-{}", bits.hex())))
            .collect()
    }
}

impl Bits {
    fn set(&mut self, bit: usize) {
        if self.0.len() <= bit / 8 {
            self.0.resize(bit / 8 + 1, 0);
        }
        self.0[bit / 8] |= 1 << (bit % 8);
    }

    fn hex(&self) -> String {
        let mut text = String::with_capacity(2 + self.0.len() * 2);
        text.push_str("0x");
        for byte in self.0.iter().rev() {
            // Writing to a String does not fail.
            let _ = write!(text, "{byte:02X}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_those_of_the_recordings() {
        let mut bits = Bitmap::default();
        assert!(bits.elements().is_empty());
        bits.field(23);
        bits.field(68);
        assert_eq!(bits.elements(), ["0x100000000000800000"]);
        bits.component(6, 0);
        assert_eq!(bits.elements(), ["0x100000000000800000", "6-0x01"]);
        let mut nested = Bitmap::default();
        nested.component(6, 7);
        nested.component(6, 8);
        assert_eq!(nested.elements(), ["6-0x0180"]);
    }
}
