//! A connection that can be cut: how a reply gets lost after the work is done.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{Extension, middleware::AddExtension};
use axum_server::accept::Accept;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tower::Layer as _;

/// The switch of one connection; every request on it carries a copy.
#[derive(Debug, Clone, Default)]
pub(in crate::simulator) struct Wire(Arc<AtomicBool>);

impl Wire {
    /// From now on nothing is read or written: the connection ends without a reply.
    pub(in crate::simulator) fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

/// A stream under such a switch.
#[derive(Debug)]
pub(super) struct Cuttable {
    inner: TcpStream,
    wire: Wire,
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.wire.check()?;
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.wire.check()?;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.check()?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// Puts every accepted connection under a switch of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct WireAcceptor;

impl<S> Accept<TcpStream, S> for WireAcceptor {
    type Stream = Cuttable;
    type Service = AddExtension<S, Wire>;
    type Future = std::future::Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let wire = Wire::default();
        let service = Extension(wire.clone()).layer(service);
        let accepted = stream.set_nodelay(true).map(|()| (Cuttable { inner: stream, wire }, service));
        std::future::ready(accepted)
    }
}

/// Whether a peer is on this machine.
pub(super) fn is_local(peer: SocketAddr) -> bool {
    peer.ip().to_canonical().is_loopback()
}
