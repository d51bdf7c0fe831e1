//! What serde says, as canonical JSON: every number is refused, wherever it stands.

use std::fmt::{self, Display, Write as _};

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{
    CanonicalError,
    canonical::{Canonical, Open, escape, has_escapes, quote},
};

/// How serde_json hands out numbers and raw text that keep their digits.
const NUMBER: &str = "$serde_json::private::Number";
const RAW: &str = "$serde_json::private::RawValue";

/// Why there is no canonical form. Boxed, because nearly nothing is refused.
#[derive(Debug)]
pub(super) struct Refused(Box<CanonicalError>);

impl Refused {
    pub(super) fn reason(self) -> CanonicalError {
        *self.0
    }

    fn json(why: &str) -> Self {
        CanonicalError::Json(why.to_owned()).into()
    }
}

impl From<CanonicalError> for Refused {
    fn from(why: CanonicalError) -> Self {
        Self(Box::new(why))
    }
}

impl Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl std::error::Error for Refused {}

impl Error for Refused {
    fn custom<T: Display>(message: T) -> Self {
        Self::json(&message.to_string())
    }
}

type Written = Result<(), Refused>;

/// A list that is being written.
pub(super) struct List<'a> {
    to: &'a mut Canonical,
    is_empty: bool,
    /// What closes it.
    end: &'static str,
}

/// An object that is being written.
pub(super) struct Object<'a> {
    to: &'a mut Canonical,
    open: Open,
    kind: Kind,
}

/// What stands for the object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Own,
    /// It is the value of a variant, whose brace is still open.
    Variant,
    /// A number that keeps its digits.
    Number,
}

impl Canonical {
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(&mut *self)?;
        self.value_ends();
        Ok(())
    }

    /// `{"name":`, which a variant with content starts with. One entry needs no order.
    fn variant(&mut self, name: &str) {
        self.out.push('{');
        quote(name, &mut self.out);
        self.out.push(':');
    }

    fn list(&mut self, end: &'static str) -> List<'_> {
        self.out.push('[');
        List { to: self, is_empty: true, end }
    }
}

/// Numbers have no exact form that every reader shares.
macro_rules! refused {
    ($($name:ident: $kind:ty),*) => {
        $(fn $name(self, number: $kind) -> Written {
            Err(CanonicalError::Number(number.to_string()).into())
        })*
    };
}

impl<'a> Serializer for &'a mut Canonical {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = List<'a>;
    type SerializeMap = Object<'a>;
    type SerializeStruct = Object<'a>;
    type SerializeStructVariant = Object<'a>;

    refused!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    refused!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);
    refused!(serialize_i128: i128, serialize_u128: u128, serialize_f32: f32, serialize_f64: f64);

    fn serialize_bool(self, value: bool) -> Written {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_char(self, letter: char) -> Written {
        self.serialize_str(letter.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Written {
        quote(text, &mut self.out);
        Ok(())
    }

    /// What prints itself, without a text in between where nothing needs an escape.
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Written {
        self.out.push('"');
        let start = self.out.len();
        write!(self.out, "{value}").map_err(Refused::custom)?;
        if has_escapes(&self.out[start..]) {
            let text = self.out.split_off(start);
            escape(&text, &mut self.out);
        }
        self.out.push('"');
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Written {
        Err(Refused::json("bytes at the canonical boundary"))
    }

    fn serialize_none(self) -> Written {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.out.push_str("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Written {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Written {
        self.variant(name);
        value.serialize(&mut *self)?;
        self.out.push('}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>, Refused> {
        Ok(self.list("]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<List<'a>, Refused> {
        Ok(self.list("]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List<'a>, Refused> {
        Ok(self.list("]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<List<'a>, Refused> {
        self.variant(name);
        Ok(self.list("]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Object<'a>, Refused> {
        let open = self.open();
        Ok(Object { to: self, open, kind: Kind::Own })
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Object<'a>, Refused> {
        if name == RAW {
            return Err(Refused::json("raw text at the canonical boundary"));
        }
        let open = self.open();
        let kind = if name == NUMBER { Kind::Number } else { Kind::Own };
        Ok(Object { to: self, open, kind })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Object<'a>, Refused> {
        self.variant(name);
        let open = self.open();
        Ok(Object { to: self, open, kind: Kind::Variant })
    }
}

impl List<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        if !std::mem::take(&mut self.is_empty) {
            self.to.out.push(',');
        }
        value.serialize(&mut *self.to)
    }

    fn done(self) -> Written {
        self.to.out.push_str(self.end);
        Ok(())
    }
}

impl Object<'_> {
    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
        if self.kind == Kind::Number {
            let start = self.to.out.len();
            value.serialize(&mut *self.to)?;
            let digits = self.to.out[start..].trim_matches('"').to_owned();
            return Err(CanonicalError::Number(digits).into());
        }
        self.to.key(self.open, key);
        self.to.value(value)
    }

    fn done(self) -> Written {
        self.to.close(self.open)?;
        if self.kind == Kind::Variant {
            self.to.out.push('}');
        }
        Ok(())
    }
}

macro_rules! lists {
    ($($kind:ident: $item:ident),*) => {
        $(impl $kind for List<'_> {
            type Ok = ();
            type Error = Refused;

            fn $item<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                self.item(value)
            }

            fn end(self) -> Written {
                self.done()
            }
        })*
    };
}
lists!(SerializeSeq: serialize_element, SerializeTuple: serialize_element);
lists!(SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field);

macro_rules! structs {
    ($($kind:ident),*) => {
        $(impl $kind for Object<'_> {
            type Ok = ();
            type Error = Refused;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
                self.field(key, value)
            }

            fn end(self) -> Written {
                self.done()
            }
        })*
    };
}
structs!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Object<'_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        let start = self.to.key_starts(self.open);
        key.serialize(&mut *self.to)?;
        Ok(self.to.key_ends(start)?)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.to.value(value)
    }

    fn end(self) -> Written {
        self.done()
    }
}
