//! The connection below gRPC, with a switch: what a network or a load balancer does to streams.
//!
//! Outgoing HTTP/2 frames are followed, so that a frame of our own can take the place of one of the
//! server's, between two others.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use futures::Stream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tonic::transport::server::Connected;

const HEADER: usize = 9;
const DATA: u8 = 0;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;

/// What happens to a connection next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Trouble {
    #[default]
    None,
    /// RST_STREAM in the place of the next DATA frame.
    Reset(u32),
    /// GOAWAY in the place of the next DATA frame, then the end.
    GoAway,
    /// Nothing goes in or out.
    HalfOpen,
    /// The connection ends.
    Cut,
}

/// The switch of one connection; every call on it carries a copy.
#[derive(Debug, Clone, Default)]
pub struct Switch(Arc<Mutex<Trouble>>);

impl Switch {
    pub(super) fn reset(&self, error_code: u32) {
        self.set(Trouble::Reset(error_code));
    }

    pub(super) fn go_away(&self) {
        self.set(Trouble::GoAway);
    }

    pub(super) fn half_open(&self) {
        self.set(Trouble::HalfOpen);
    }

    pub(super) fn cut(&self) {
        self.set(Trouble::Cut);
    }

    fn set(&self, trouble: Trouble) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn get(&self) -> Trouble {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connections of a listener, each under a switch of its own.
#[derive(Debug)]
pub struct Lines {
    listener: TcpListener,
    plain: bool,
}

impl Lines {
    /// `plain` says that no TLS lies above, so that frames can be told apart.
    pub fn new(listener: TcpListener, plain: bool) -> Self {
        Self { listener, plain }
    }
}

impl Stream for Lines {
    type Item = io::Result<Line>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let accepted = std::task::ready!(self.listener.poll_accept(context));
        let line = accepted.and_then(|(inner, _)| {
            inner.set_nodelay(true)?;
            Ok(Line { inner, switch: Switch::default(), frames: Frames::default(), plain: self.plain })
        });
        Poll::Ready(Some(line))
    }
}

/// One connection.
#[derive(Debug)]
pub struct Line {
    inner: TcpStream,
    switch: Switch,
    frames: Frames,
    plain: bool,
}

impl Connected for Line {
    type ConnectInfo = Switch;

    fn connect_info(&self) -> Switch {
        self.switch.clone()
    }
}

/// How far the outgoing frames have come.
#[derive(Debug, Default)]
struct Frames {
    header: [u8; HEADER],
    have: usize,
    /// Bytes of the frame under way that are still to come.
    left: usize,
    /// What is left of it is thrown away.
    dropping: bool,
    /// A stream that was reset: its frames are thrown away.
    gone: Option<[u8; 4]>,
    /// Our own bytes, to go out before anything else.
    ours: Vec<u8>,
}

impl Frames {
    fn between(&self) -> bool {
        self.have == 0 && self.left == 0
    }

    /// Takes note of bytes that went out.
    fn passed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let skip = self.left.min(bytes.len());
                self.left -= skip;
                bytes = &bytes[skip..];
                continue;
            }
            self.header[self.have] = bytes[0];
            self.have += 1;
            bytes = &bytes[1..];
            if self.have == HEADER {
                self.left = length(&self.header);
                self.have = 0;
            }
        }
    }

    /// Our own frame in the place of the one that `next` starts with, when that is due.
    fn replace(&mut self, next: &[u8], trouble: Trouble) {
        let Some(header) = next.get(..HEADER) else { return };
        let stream = [header[5], header[6], header[7], header[8]];
        let due = header[3] == DATA && matches!(trouble, Trouble::Reset(_) | Trouble::GoAway);
        self.dropping = due || self.gone == Some(stream);
        if !due {
            return;
        }
        self.gone = Some(stream);
        self.ours = match trouble {
            Trouble::Reset(code) => frame(RST_STREAM, stream, &code.to_be_bytes()),
            // The last stream that was worked on: none. Error code 0.
            _ => frame(GOAWAY, [0; 4], &[0; 8]),
        };
    }
}

fn length(header: &[u8; HEADER]) -> usize {
    usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2])
}

fn frame(kind: u8, stream: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, 0];
    bytes.extend(stream);
    bytes.extend(payload);
    bytes
}

impl Line {
    /// Sends what is ours; ready when nothing of it is left.
    fn flush_ours(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.frames.ours.is_empty() {
            let sent = std::task::ready!(Pin::new(&mut self.inner).poll_write(context, &self.frames.ours))?;
            self.frames.ours.drain(..sent);
        }
        if self.switch.get() == Trouble::GoAway && self.frames.gone.is_some() {
            self.switch.cut();
        } else if matches!(self.switch.get(), Trouble::Reset(_)) && self.frames.gone.is_some() {
            self.switch.set(Trouble::None);
        }
        Poll::Ready(Ok(()))
    }

    fn pass(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = std::task::ready!(Pin::new(&mut self.inner).poll_write(context, bytes))?;
        self.frames.passed(&bytes[..sent]);
        Poll::Ready(Ok(sent))
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.switch.get() {
            Trouble::HalfOpen => Poll::Pending,
            Trouble::Cut => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            _ => Pin::new(&mut self.inner).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let trouble = self.switch.get();
        match trouble {
            Trouble::HalfOpen => return Poll::Ready(Ok(bytes.len())),
            Trouble::Cut => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Trouble::Reset(_) | Trouble::GoAway if !self.plain => {
                self.switch.cut();
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            Trouble::None if self.frames.gone.is_none() => return self.pass(context, bytes),
            _ => {}
        }
        if self.frames.between() {
            self.frames.replace(bytes, trouble);
            std::task::ready!(self.flush_ours(context))?;
        }
        // One frame at a time, so that each is looked at.
        let frame = match self.frames.between() {
            true => bytes.get(..HEADER).and_then(|header| header.try_into().ok()).map(length),
            false => Some(self.frames.left),
        };
        let whole = match self.frames.between() {
            true => frame.map_or(bytes.len(), |length| HEADER + length),
            false => frame.unwrap_or(bytes.len()).max(1),
        };
        let mine = &bytes[..whole.min(bytes.len())];
        if self.frames.dropping {
            self.frames.passed(mine);
            return Poll::Ready(Ok(mine.len()));
        }
        self.pass(context, mine)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.switch.get() == Trouble::HalfOpen {
            return Poll::Ready(Ok(()));
        }
        std::task::ready!(self.flush_ours(context))?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_followed_over_any_cut() {
        let bytes = [frame(4, [0; 4], &[]), frame(DATA, [0, 0, 0, 1], &[7; 20])].concat();
        for cut in 0..bytes.len() {
            let mut frames = Frames::default();
            frames.passed(&bytes[..cut]);
            frames.passed(&bytes[cut..]);
            assert!(frames.between(), "cut at {cut}");
        }
        let mut frames = Frames::default();
        frames.passed(&bytes[..12]);
        assert!(!frames.between());
    }

    #[test]
    fn the_next_data_frame_is_replaced_and_no_other() {
        let mut frames = Frames::default();
        frames.replace(&frame(4, [0; 4], &[]), Trouble::Reset(0));
        assert!(frames.ours.is_empty() && !frames.dropping);
        frames.replace(&frame(DATA, [0, 0, 0, 5], &[1]), Trouble::Reset(8));
        assert_eq!(frames.ours, [0, 0, 4, RST_STREAM, 0, 0, 0, 0, 5, 0, 0, 0, 8]);
        assert!(frames.dropping, "what was to be delivered is not");
        frames.replace(&frame(DATA, [0, 0, 0, 7], &[1]), Trouble::None);
        assert!(!frames.dropping, "another stream of the connection goes on");
    }
}
