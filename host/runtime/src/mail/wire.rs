//! The stream below the SMTP client: sends at once, and hands on only replies that the client can bear.

use std::fmt;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use lettre::transport::smtp::response::Response;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The longest line of a reply that is handed on, in bytes; the rest is dropped. lettre breaks off above 1000.
const LONGEST_LINE: usize = 900;
/// The most that a relay may say to one command: bytes, and lines, of which lettre reads all again with each.
const MOST_BYTES: usize = 256 << 10;
const MOST_LINES: usize = 200;

trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Duplex for T {}

/// A connection, encrypted or not. One read gives one line at most, so that nobody above holds more than that.
pub(super) struct Wire {
    stream: Box<dyn Duplex>,
    peer: SocketAddr,
    /// Read, but not yet a whole line.
    raw: Vec<u8>,
    /// The line that is being handed on.
    line: Vec<u8>,
    /// How much came since the last word to the relay, in bytes and in lines.
    bytes: usize,
    lines: usize,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> std::io::Result<Self> {
        // Small messages: waiting for more to send would only delay them.
        stream.set_nodelay(true)?;
        let peer = stream.peer_addr()?;
        Ok(Self { stream: Box::new(stream), peer, raw: Vec::new(), line: Vec::new(), bytes: 0, lines: 0 })
    }

    /// Encrypts. Whatever was read before must not count as said by the relay, so it is an error.
    pub(super) async fn encrypt(mut self, tls: &TlsConnector, name: &ServerName<'static>) -> std::io::Result<Self> {
        if self.unread() {
            return Err(out_of_turn());
        }
        self.stream = Box::new(tls.connect(name.clone(), self.stream).await?);
        Ok(self)
    }

    /// Lets the reader see a greeting: the relay gave its own before the encryption.
    pub(super) fn greeted(mut self) -> Self {
        self.line = b"220 \r\n".to_vec();
        self
    }

    /// Sends a command, or nothing, and gives the reply.
    pub(super) async fn ask(&mut self, command: &str) -> std::io::Result<Response> {
        self.write_all(command.as_bytes()).await?;
        self.flush().await?;
        let mut reply = String::new();
        let mut reader = BufReader::new(self);
        let mut start = 0;
        while reader.read_line(&mut reply).await? > 0 && reply.as_bytes().get(start + 3) == Some(&b'-') {
            start = reply.len();
        }
        reply.parse().map_err(|_| Error::new(ErrorKind::InvalidData, "it gave a reply that is none"))
    }

    fn unread(&self) -> bool {
        !self.raw.is_empty() || !self.line.is_empty()
    }

    /// Reads until there is a line.
    fn poll_line(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        loop {
            if let Some(end) = self.raw.iter().position(|byte| *byte == b'\n') {
                self.line = tidy(&self.raw[..end]);
                self.raw.drain(..=end);
                self.lines += 1;
                return Poll::Ready(Ok(()));
            }
            let mut space = [0; 4096];
            let mut read = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut self.stream).poll_read(context, &mut read)) {
                // rustls says so at length.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
                other => other?,
            }
            let read = read.filled();
            self.bytes += read.len();
            if read.is_empty() {
                return Poll::Ready(Err(Error::new(ErrorKind::UnexpectedEof, "it closed the connection")));
            }
            if self.bytes > MOST_BYTES || self.lines > MOST_LINES {
                return Poll::Ready(Err(Error::new(ErrorKind::InvalidData, "its reply has no end")));
            }
            self.raw.extend_from_slice(read);
        }
    }
}

/// A line of a reply as lettre wants it: UTF-8, not too long, and with a space after a code without text.
fn tidy(line: &[u8]) -> Vec<u8> {
    let mut text: String = String::from_utf8_lossy(line)
        .trim_end()
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    text.truncate(text.floor_char_boundary(LONGEST_LINE));
    if text.len() == 3 {
        text.push(' ');
    }
    text.push_str("\r\n");
    text.into_bytes()
}

fn out_of_turn() -> Error {
    Error::new(ErrorKind::InvalidData, "it said more than it was asked")
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.line.is_empty() {
            ready!(self.poll_line(context))?;
        }
        let fits = self.line.len().min(buffer.remaining());
        buffer.put_slice(&self.line[..fits]);
        self.line.drain(..fits);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        // An answer too many would pass for the answer to the next command.
        if self.unread() {
            return Poll::Ready(Err(out_of_turn()));
        }
        self.bytes = 0;
        self.lines = 0;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

/// Nothing of what was said: it may be secret.
impl fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Wire").field("peer", &self.peer).finish_non_exhaustive()
    }
}
