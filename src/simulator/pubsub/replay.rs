//! Replay ids: the bus position as 8 bytes, big-endian, and two more bytes. Where the org's setting says
//! so, in a form that shows no number at all: clients must not read them.

use prost::bytes::Bytes;

/// The id of an event or keepalive at a position.
pub(super) fn id(position: u64, opaque: bool) -> Bytes {
    match opaque {
        false => tagged(position, 0),
        true => hidden(position),
    }
}

const HIDE: u64 = 0xa5c3_96e1_5a3c_691e;

/// 12 bytes with a check, bits turned and bytes that are no text.
fn hidden(position: u64) -> Bytes {
    let turned = (position ^ HIDE).rotate_left(17);
    let mut bytes = vec![0xff, 0x00];
    bytes.extend_from_slice(&turned.to_le_bytes());
    bytes.extend_from_slice(&[turned.to_le_bytes()[0] ^ 0x5a, 0x80]);
    Bytes::from(bytes)
}

fn shown(id: &[u8]) -> Option<u64> {
    let number: [u8; 8] = id.get(2..10)?.try_into().ok()?;
    let position = u64::from_le_bytes(number).rotate_right(17) ^ HIDE;
    (hidden(position) == id).then_some(position)
}

/// Another id that resumes at the same place, for a second delivery of an event.
pub(super) fn second_id(position: u64) -> Bytes {
    tagged(position, 1)
}

fn tagged(position: u64, tag: u16) -> Bytes {
    let mut bytes = Vec::with_capacity(10);
    bytes.extend_from_slice(&position.to_be_bytes());
    bytes.extend_from_slice(&tag.to_be_bytes());
    Bytes::from(bytes)
}

/// The position in an id of 10 bytes, or of 8 as several clients send it.
pub(super) fn position(id: &[u8]) -> Option<u64> {
    if id.len() == 12 {
        return shown(id);
    }
    let (number, tag) = id.split_at_checked(8)?;
    let known = matches!(tag, [] | [0, 0 | 1]);
    known.then(|| number.try_into().ok().map(u64::from_be_bytes)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_recorded_form() {
        let recorded = [0, 0, 0, 0, 0, 0x07, 0x6f, 0x5b, 0, 0];
        assert_eq!(id(487_259, false)[..], recorded);
        assert_eq!(position(&id(487_259, true)), Some(487_259));
        assert_eq!(position(&[0; 12]), None);
        assert_eq!(position(&recorded), Some(487_259));
        assert_eq!(position(&recorded[..8]), Some(487_259));
        assert_eq!(position(&second_id(7)), Some(7));
        assert_eq!(position(b"12907414"), Some(u64::from_be_bytes(*b"12907414")), "far beyond any tip");
        assert_eq!(position(b"-1"), None);
        assert_eq!(position(b"garbage-id"), None);
    }
}
