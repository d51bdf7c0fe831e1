//! Decoded values, borrowed from the datum and the schema.

use rust_decimal::Decimal;

use super::schema::{EnumNode, RecordNode};

/// One value. A union's value stands for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// Null.
    Null,
    /// True or false.
    Boolean(bool),
    /// 32 bits.
    Int(i32),
    /// 64 bits.
    Long(i64),
    /// The bits of a float, untouched.
    FloatBits(u32),
    /// The bits of a double, untouched.
    DoubleBits(u64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Text.
    Text(&'a str),
    /// Items.
    Array(Vec<Value<'a>>),
    /// A symbol: its enum and its number.
    Enum(&'a EnumNode, usize),
    /// Field values in the record's order.
    Record(&'a RecordNode, Vec<Value<'a>>),
}

impl Value<'_> {
    /// True for null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// The decimal with the shortest text that reads back as this double. Salesforce keeps
/// numbers as decimals and sends them as doubles, so this is the number that was stored,
/// up to 15 digits. None for NaN, infinities and what a decimal cannot hold.
pub fn decimal_of_bits(bits: u64) -> Option<Decimal> {
    let text = f64::from_bits(bits).to_string();
    Decimal::from_str_exact(&text).ok().map(|number| number.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_become_the_decimal_that_people_typed() {
        for text in ["0.1", "1250000.55", "-3", "37.793113", "0", "123456789012.34"] {
            let bits = text.parse::<f64>().unwrap().to_bits();
            assert_eq!(decimal_of_bits(bits).unwrap().to_string(), text);
        }
        assert_eq!(decimal_of_bits(f64::NAN.to_bits()), None);
        assert_eq!(decimal_of_bits(f64::INFINITY.to_bits()), None);
        assert_eq!(decimal_of_bits(1e300_f64.to_bits()), None);
    }
}
