//! Breaking a stream below gRPC: a reply body that fails instead of ending with trailers,
//! which the HTTP/2 layer turns into RST_STREAM.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body as HttpBody, Frame, SizeHint};
use prost::bytes::Bytes;
use tonic::{Status, body::Body, codegen::http, server::NamedService};
use tower::Service;

/// Set in trailers by a stream that wants to be reset; never leaves this process.
const MARK: &str = "x-simulator-reset";

/// A status that becomes RST_STREAM.
pub(super) fn reset() -> Status {
    let mut status = Status::internal("reset");
    if let Ok(mark) = "1".parse() {
        status.metadata_mut().insert(MARK, mark);
    }
    status
}

/// Set in trailers by a stream that wants to end without them.
const CUT: &str = "x-simulator-cut";

/// A status that becomes an end without trailers.
pub(super) fn cut() -> Status {
    let mut status = Status::internal("cut");
    if let Ok(mark) = "1".parse() {
        status.metadata_mut().insert(CUT, mark);
    }
    status
}

/// A gRPC service whose streams can be reset.
#[derive(Debug, Clone)]
pub struct Resettable<S> {
    inner: S,
}

impl<S> Resettable<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S: NamedService> NamedService for Resettable<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for Resettable<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let reply = self.inner.call(request);
        Box::pin(async move { Ok(reply.await?.map(|body| Body::new(Breakable { body }))) })
    }
}

struct Breakable {
    body: Body,
}

impl HttpBody for Breakable {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && frame.trailers_ref().is_some_and(|trailers| trailers.contains_key(MARK))
        {
            return Poll::Ready(Some(Err(Status::internal("reset by an armed fault"))));
        }
        if let Some(Ok(frame)) = &frame
            && frame.trailers_ref().is_some_and(|trailers| trailers.contains_key(CUT))
        {
            return Poll::Ready(None);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
