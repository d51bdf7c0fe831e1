//! Reading a datum: one pass, borrowed, bounded.

use super::{
    error::{Damage, DecodeError},
    schema::{Node, NodeId, Schema},
    value::Value,
};

/// No event names more records or fields than this.
const MAX_ITEMS: usize = 200_000;

/// Salesforce nests two levels; more than this is not an event.
const MAX_DEPTH: u32 = 32;

/// A position in a datum.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

type Read<T> = Result<T, DecodeError>;

impl Schema {
    /// Decodes a whole datum; every byte must be used.
    pub fn decode<'a>(&'a self, bytes: &'a [u8]) -> Read<Value<'a>> {
        let mut reader = Reader::new(bytes);
        let value = reader.value(self, self.root())?;
        reader.finish()?;
        Ok(value)
    }
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Offset of the next byte.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Refuses what is left over.
    pub fn finish(&self) -> Read<()> {
        match self.bytes.len() - self.at {
            0 => Ok(()),
            left => Err(self.damaged(Damage::TrailingBytes(left))),
        }
    }

    /// A value of any type.
    pub fn value(&mut self, schema: &'a Schema, id: NodeId) -> Read<Value<'a>> {
        self.nested(schema, id, 0)
    }

    fn nested(&mut self, schema: &'a Schema, id: NodeId, depth: u32) -> Read<Value<'a>> {
        if depth > MAX_DEPTH {
            return Err(self.damaged(Damage::TooDeep));
        }
        match schema.node(id) {
            Node::Null => Ok(Value::Null),
            Node::Boolean => self.boolean().map(Value::Boolean),
            Node::Int => self.int().map(Value::Int),
            Node::Long => self.long().map(Value::Long),
            Node::Float => Ok(Value::FloatBits(u32::from_le_bytes(self.array()?))),
            Node::Double => Ok(Value::DoubleBits(u64::from_le_bytes(self.array()?))),
            Node::Bytes => self.bytes().map(Value::Bytes),
            Node::String => self.text().map(Value::Text),
            Node::Array(items) => {
                let mut values = Vec::new();
                self.blocks(|reader| {
                    values.push(reader.nested(schema, *items, depth + 1)?);
                    Ok(())
                })?;
                Ok(Value::Array(values))
            }
            Node::Union(branches) => {
                let branch = self.branch(branches)?;
                self.nested(schema, branch, depth + 1)
            }
            Node::Enum(node) => Ok(Value::Enum(node, self.symbol(node.symbols.len())?)),
            Node::Record(node) => {
                let mut values = Vec::with_capacity(node.fields.len());
                for field in &node.fields {
                    values.push(self.nested(schema, field.node, depth + 1)?);
                }
                Ok(Value::Record(node, values))
            }
        }
    }

    /// Steps over a value, checking it as strictly as reading would.
    pub fn skip(&mut self, schema: &'a Schema, id: NodeId) -> Read<()> {
        self.skip_nested(schema, id, 0)
    }

    fn skip_nested(&mut self, schema: &'a Schema, id: NodeId, depth: u32) -> Read<()> {
        if depth > MAX_DEPTH {
            return Err(self.damaged(Damage::TooDeep));
        }
        match schema.node(id) {
            Node::Null => Ok(()),
            Node::Boolean => self.boolean().map(drop),
            Node::Int => self.int().map(drop),
            Node::Long => self.long().map(drop),
            Node::Float => self.array::<4>().map(drop),
            Node::Double => self.array::<8>().map(drop),
            Node::Bytes => self.bytes().map(drop),
            Node::String => self.text().map(drop),
            Node::Array(items) => self.blocks(|reader| reader.skip_nested(schema, *items, depth + 1)),
            Node::Union(branches) => {
                let branch = self.branch(branches)?;
                self.skip_nested(schema, branch, depth + 1)
            }
            Node::Enum(node) => self.symbol(node.symbols.len()).map(drop),
            Node::Record(node) => {
                node.fields.iter().try_for_each(|field| self.skip_nested(schema, field.node, depth + 1))
            }
        }
    }

    /// A zigzag number of up to 64 bits.
    pub fn long(&mut self) -> Read<i64> {
        let start = self.at;
        let mut raw = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            raw |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok((raw >> 1).cast_signed() ^ -((raw & 1).cast_signed()));
            }
        }
        Err(DecodeError { at: start, damage: Damage::Varint })
    }

    /// A zigzag number of up to 32 bits.
    pub fn int(&mut self) -> Read<i32> {
        let start = self.at;
        let long = self.long()?;
        i32::try_from(long).map_err(|_| DecodeError { at: start, damage: Damage::IntRange(long) })
    }

    /// A text.
    pub fn text(&mut self) -> Read<&'a str> {
        let start = self.at;
        let bytes = self.bytes()?;
        std::str::from_utf8(bytes).map_err(|_| DecodeError { at: start, damage: Damage::Text })
    }

    /// A length and that many bytes.
    pub fn bytes(&mut self) -> Read<&'a [u8]> {
        let start = self.at;
        let length = self.long()?;
        let length =
            usize::try_from(length).map_err(|_| DecodeError { at: start, damage: Damage::Length(length) })?;
        self.take(length)
    }

    /// The number of a symbol.
    pub fn symbol(&mut self, symbols: usize) -> Read<usize> {
        let start = self.at;
        let index = self.long()?;
        usize::try_from(index)
            .ok()
            .filter(|index| *index < symbols)
            .ok_or(DecodeError { at: start, damage: Damage::EnumIndex { index, symbols } })
    }

    /// The items of an array, one call each.
    pub fn blocks(&mut self, mut item: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        let mut total = 0_usize;
        loop {
            let start = self.at;
            let count = self.long()?;
            // A negative count is followed by the block's size in bytes.
            let end = if count < 0 {
                let size = self.long()?;
                let size = usize::try_from(size).map_err(|_| self.damaged(Damage::Length(size)))?;
                Some(self.at.saturating_add(size))
            } else {
                None
            };
            let count = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
            if count == 0 {
                return Ok(());
            }
            total = total.saturating_add(count);
            if total > MAX_ITEMS {
                return Err(DecodeError { at: start, damage: Damage::ArrayTooLong });
            }
            for _ in 0..count {
                item(self)?;
            }
            if end.is_some_and(|end| end != self.at) {
                return Err(self.damaged(Damage::BlockSize));
            }
        }
    }

    /// The chosen branch of a union.
    pub fn branch(&mut self, branches: &[NodeId]) -> Read<NodeId> {
        let start = self.at;
        let index = self.long()?;
        let branch = usize::try_from(index).ok().and_then(|index| branches.get(index));
        let damage = Damage::UnionIndex { index, branches: branches.len() };
        branch.copied().ok_or(DecodeError { at: start, damage })
    }

    fn boolean(&mut self) -> Read<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(DecodeError { at: self.at - 1, damage: Damage::Boolean(other) }),
        }
    }

    fn byte(&mut self) -> Read<u8> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| self.damaged(Damage::Truncated))?;
        self.at += 1;
        Ok(byte)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| self.damaged(Damage::Truncated))
    }

    fn take(&mut self, length: usize) -> Read<&'a [u8]> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| self.damaged(Damage::Truncated))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn damaged(&self, damage: Damage) -> DecodeError {
        DecodeError { at: self.at, damage }
    }
}
