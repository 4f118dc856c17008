//! Hands a finished mail to an SMTP relay, and says who has it then.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool::managed::{Object, Pool, PoolError, QueueMode, RetainResult};
use lettre::Address;
use secrecy::SecretString;
use tokio::time::{Instant, sleep, timeout_at};

use super::dial::{Dialer, IDLE};
use super::talk::Talk;

/// Where mail goes.
#[derive(Clone)]
pub(super) struct RelayConfig {
    /// The relay's name or address, as its certificate has it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is encrypted.
    pub tls: MailTls,
    /// User and password. Without TLS only to this machine itself.
    pub credentials: Option<(String, SecretString)>,
    /// Certificates (DER) to trust beside the public ones.
    pub roots: Vec<Vec<u8>>,
    /// What this service calls itself (EHLO).
    pub hello: String,
    /// How many connections there are at most.
    pub connections: usize,
    /// How long one address of the relay may take to answer; as long for each step after that, up to the login.
    pub connect_timeout: Duration,
}

/// Without the password.
impl fmt::Debug for RelayConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RelayConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("login", &self.credentials.is_some())
            .finish_non_exhaustive()
    }
}

/// How the way to the relay is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// By STARTTLS: nothing is sent to a relay that does not offer it.
    StartTls,
    /// From the first byte.
    Implicit,
    /// Not at all.
    None,
}

/// The relay took it for at least one address.
#[derive(Debug, Default)]
pub(crate) struct Handed {
    /// It is the relay's business now.
    pub(crate) taken: Vec<Address>,
    /// Refused for good.
    pub(crate) refused: Vec<Refusal>,
    /// Refused for now.
    pub(crate) deferred: Vec<Refusal>,
}

/// An address that the relay does not take, and what it said.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) address: Address,
    /// In one line: "550 5.1.1 no such user".
    pub(crate) reply: String,
    /// The relay says that there is no such address.
    pub(crate) unknown_address: bool,
    /// It speaks of us: what this host, or its sender, may do there.
    pub(crate) of_us: bool,
}

/// What a failure means for the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TroubleKind {
    /// Refused for good.
    Rejected,
    /// No address of it exists.
    Unreachable,
    /// Nobody has it; it may be tried again.
    Unavailable,
    /// It left, and nobody knows what became of it.
    UnknownOutcome,
}

/// Why the relay took it for no address.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) kind: TroubleKind,
    /// For people.
    pub(crate) message: String,
    /// Who never will have it.
    pub(crate) refused: Vec<Refusal>,
    /// Whether it takes it later for some, and for the others never.
    pub(crate) deferred: bool,
}

impl Trouble {
    pub(super) fn new(kind: TroubleKind, message: String) -> Self {
        Self { kind, message, refused: Vec::new(), deferred: false }
    }

    /// Nobody has it.
    pub(super) fn unavailable(message: String) -> Self {
        Self::new(TroubleKind::Unavailable, message)
    }
}

/// The relay, with the connections to it.
pub(crate) struct Relay {
    pool: Pool<Dialer>,
    /// Whether somebody waits to close connections that nobody needs any more.
    sweeping: Arc<AtomicBool>,
}

impl Relay {
    /// Says what is wrong with the configuration. Connects to nothing yet.
    pub(crate) fn new(config: RelayConfig) -> Result<Self, String> {
        let connections = config.connections.max(1);
        let pool = Pool::builder(Dialer::new(config)?)
            .max_size(connections)
            // The others may rest until they are closed.
            .queue_mode(QueueMode::Lifo)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { pool, sweeping: Arc::default() })
    }

    /// Hands one mail over for all of `to`; one that is refused does not stop the others. `patience` is all the time
    /// there is.
    pub(crate) async fn send(
        &self,
        from: &Address,
        to: &[Address],
        mail: &[u8],
        patience: Duration,
    ) -> Result<Handed, Trouble> {
        self.converse(from, to, Some(&wire_lines(mail)), patience).await
    }

    /// Asks whether the relay would take a mail. Sends none.
    pub(crate) async fn verify(&self, from: &Address, to: &[Address], patience: Duration) -> Result<Handed, Trouble> {
        self.converse(from, to, None, patience).await
    }

    async fn converse(
        &self,
        from: &Address,
        to: &[Address],
        mail: Option<&[u8]>,
        patience: Duration,
    ) -> Result<Handed, Trouble> {
        let deadline = Instant::now() + patience;
        self.pool.retain(|connection, _| connection.usable());
        loop {
            let mut lease = self.connection(deadline).await?;
            let used = Object::metrics(&lease).recycle_count > 0;
            let Some(mut smtp) = lease.take() else { continue };
            let mut talk = Talk::new(&mut smtp);
            let ended = timeout_at(deadline, talk.run(from, to, mail)).await;
            let stale = used && talk.found_closed(&ended);
            let judged = talk.judge(ended, &self.pool.manager().name);
            if judged.is_ok() {
                lease.put_back(smtp);
                drop(lease);
                self.sweep();
            } else if stale {
                // The relay had enough of this connection, not of this mail.
                continue;
            }
            return judged;
        }
    }

    /// Closes idle connections when their time is over.
    fn sweep(&self) {
        if self.sweeping.swap(true, Ordering::AcqRel) {
            return;
        }
        let (pool, sweeping) = (self.pool.clone(), Arc::clone(&self.sweeping));
        tokio::spawn(async move {
            while pool.status().size > 0 {
                sleep(IDLE).await;
                let RetainResult { removed, .. } = pool.retain(|connection, _| connection.usable());
                for connection in removed {
                    connection.close().await;
                }
            }
            sweeping.store(false, Ordering::Release);
        });
    }

    async fn connection(&self, deadline: Instant) -> Result<Object<Dialer>, Trouble> {
        let name = &self.pool.manager().name;
        let got = timeout_at(deadline, self.pool.get()).await.map_err(|_| {
            let status = self.pool.status();
            Trouble::unavailable(if status.size == status.max_size {
                format!("all {} connections to {name} were busy until the time was over", status.max_size)
            } else {
                format!("{name} gave no connection before the time was over")
            })
        })?;
        got.map_err(|error| match error {
            PoolError::Backend(trouble) => trouble,
            _ => Trouble::unavailable(format!("there is no connection to {name}")),
        })
    }
}

/// With CRLF for every line break: what follows a lone CR or LF could pass for the end of the mail somewhere. Without
/// the last one, which lettre adds.
fn wire_lines(mail: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(mail.len() + 64);
    let mut rest = mail.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'\r' => {
                rest.next_if_eq(&b'\n');
                lines.extend(b"\r\n");
            }
            b'\n' => lines.extend(b"\r\n"),
            byte => lines.push(byte),
        }
    }
    if lines.ends_with(b"\r\n") {
        lines.truncate(lines.len() - 2);
    }
    lines
}

#[cfg(test)]
mod tests;
