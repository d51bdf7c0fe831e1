//! A codec that keeps the bytes of each FetchResponse beside its decoded form.

use prost::{
    Message as _,
    bytes::{Buf as _, BufMut as _, Bytes},
};
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use super::proto::{FetchRequest, FetchResponse};

/// A response and the bytes that it was decoded from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RawFetch {
    pub bytes: Bytes,
    pub response: FetchResponse,
}

/// Encodes FetchRequest, decodes [`RawFetch`]. Payloads share the received buffer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RawCodec;

impl Codec for RawCodec {
    type Encode = FetchRequest;
    type Decode = RawFetch;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self::Encoder {
        *self
    }

    fn decoder(&mut self) -> Self::Decoder {
        *self
    }
}

impl Encoder for RawCodec {
    type Item = FetchRequest;
    type Error = Status;

    fn encode(&mut self, item: FetchRequest, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item.encode_to_vec().as_slice());
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = RawFetch;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<RawFetch>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        let response = FetchResponse::decode(bytes.clone())
            .map_err(|error| Status::internal(format!("a FetchResponse cannot be read: {error}")))?;
        Ok(Some(RawFetch { bytes, response }))
    }
}
