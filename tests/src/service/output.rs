//! What the program prints: all of it is kept, and the address that it names is found.

use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// All that was printed, by one run after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Output(Arc<Mutex<String>>);

impl Output {
    pub(super) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what `child` prints, and tells the address where it listens. The teller goes when both streams have ended.
    pub(super) fn follow(&self, child: &mut Child) -> watch::Receiver<Option<SocketAddr>> {
        let (teller, told) = watch::channel(None);
        let teller = Arc::new(teller);
        if let Some(stream) = child.stdout.take() {
            self.keep(stream, Arc::clone(&teller));
        }
        if let Some(stream) = child.stderr.take() {
            self.keep(stream, teller);
        }
        told
    }

    fn keep(&self, stream: impl Read + Send + 'static, teller: Arc<watch::Sender<Option<SocketAddr>>>) {
        let kept = self.clone();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).into_owned();
                if teller.borrow().is_none()
                    && let Some(address) = address_in(&text)
                {
                    teller.send_replace(Some(address));
                }
                kept.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
                line.clear();
            }
        });
    }
}

/// The first loopback address with a port in what was printed.
fn address_in(text: &str) -> Option<SocketAddr> {
    text.match_indices("127.0.0.1:").find_map(|(at, start)| {
        let rest = text.get(at + start.len()..)?;
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let port: u16 = rest.get(..digits)?.parse().ok()?;
        (port != 0).then(|| SocketAddr::from(([127, 0, 0, 1], port)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_wherever_it_stands_in_a_line() {
        let found = |text| address_in(text).map(|address| address.port());
        assert_eq!(found("listening on http://127.0.0.1:4711, database pqh.db"), Some(4711));
        assert_eq!(found("asked for 127.0.0.1:0, listening on 127.0.0.1:81"), Some(81));
        assert_eq!(found("127.0.0.1:99999 and ::1"), None);
    }
}
