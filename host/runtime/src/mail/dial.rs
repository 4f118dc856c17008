//! Opens connections to the relay, up to the login, and judges which may be used again.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Ehlo, Rset, Starttls};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::{Response, Severity};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, RootCertStore};
use secrecy::ExposeSecret as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::relay::{MailTls, RelayConfig, Trouble};
use super::reply::{Failed, Reply, agreed};
use super::wire::Wire;

/// A connection without work is not kept longer.
pub(super) const IDLE: Duration = Duration::from_secs(30);
/// A relay that does not answer a kept connection's RSET in this time gets a new connection.
const SIGN_OF_LIFE: Duration = Duration::from_secs(3);
const NO_TLS: &str = "did not finish the TLS handshake";
const NO_GREETING: &str = "did not greet, or has another kind of TLS at this port";
const LOGINS: &[Mechanism] = &[Mechanism::Plain, Mechanism::Login];

/// A connection, logged in.
pub(super) struct Connection {
    /// Taken out for a conversation and put back after its end: one that is left half-way closes the connection.
    smtp: Option<AsyncSmtpConnection>,
    /// When the last conversation ended.
    since: Instant,
}

impl Connection {
    fn new(smtp: AsyncSmtpConnection) -> Self {
        Self { smtp: Some(smtp), since: Instant::now() }
    }

    pub(super) fn take(&mut self) -> Option<AsyncSmtpConnection> {
        self.smtp.take()
    }

    /// Says goodbye, for as long as a living relay would take.
    pub(super) async fn close(mut self) {
        if let Some(mut smtp) = self.take() {
            let _ = timeout(SIGN_OF_LIFE, smtp.quit()).await;
        }
    }

    pub(super) fn put_back(&mut self, smtp: AsyncSmtpConnection) {
        *self = Self::new(smtp);
    }

    /// Whether it is open, and was not without work for too long.
    pub(super) fn usable(&self) -> bool {
        self.smtp.is_some() && self.since.elapsed() < IDLE
    }
}

/// Makes connections for the pool.
pub(super) struct Dialer {
    config: RelayConfig,
    /// What the relay is called in messages.
    pub(super) name: String,
    host: String,
    hello: ClientId,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Dialer {
    pub(super) fn new(config: RelayConfig) -> Result<Self, String> {
        let host = config.host.trim_matches(['[', ']']).to_owned();
        let shown = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let name = format!("the relay {shown}:{}", config.port);
        if config.hello.is_empty() || !config.hello.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("{:?} is no name that this service can give {name}", config.hello));
        }
        let tls = match config.tls {
            MailTls::StartTls | MailTls::Implicit => Some(encryption(&host, &config.roots)?),
            MailTls::None if config.credentials.is_some() && !is_loopback(&host) => {
                return Err(format!(
                    "{name} would get the password unencrypted; without TLS a login is allowed only to this machine itself"
                ));
            }
            MailTls::None => None,
        };
        Ok(Self { hello: ClientId::Domain(config.hello.clone()), config, name, host, tls })
    }

    fn failed(&self, what: &str, why: &str) -> Trouble {
        Trouble::unavailable(format!("{} {what}: {why}", self.name))
    }

    async fn dial(&self) -> Result<Connection, Trouble> {
        let wire = Wire::new(self.reach().await?).map_err(|error| self.unreachable(&error.to_string()))?;
        let wire = match (&self.tls, self.config.tls) {
            (Some(tls), MailTls::Implicit) => self.encrypt(wire, tls).await?,
            (Some(tls), _) => self.start_tls(wire, tls).await?,
            (None, _) => wire,
        };
        let welcome = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &self.hello);
        let mut smtp = self.within(NO_GREETING, welcome).await?.map_err(|error| self.unwelcome(&error.into()))?;
        self.log_in(&mut smtp).await?;
        Ok(Connection::new(smtp))
    }

    fn unreachable(&self, why: &str) -> Trouble {
        self.failed("could not be reached", why)
    }

    fn unwelcome(&self, failed: &Failed) -> Trouble {
        let what = match failed {
            Failed::Refused(_) => "refused the connection",
            Failed::Broken(_) => "broke off while it was greeted",
        };
        self.failed(what, &failed.line())
    }

    /// Each address has its own time, so that one that swallows everything does not use up the others'.
    async fn reach(&self) -> Result<TcpStream, Trouble> {
        let addresses = tokio::net::lookup_host((self.host.as_str(), self.config.port))
            .await
            .map_err(|error| self.unreachable(&format!("its address is not known: {error}")))?;
        let mut why = "it has no address".to_owned();
        for address in addresses {
            match timeout(self.config.connect_timeout, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => why = error.to_string(),
                Err(_) => why = format!("no connection to {address} after {:?}", self.config.connect_timeout),
            }
        }
        Err(self.unreachable(&why))
    }

    /// What a relay does not do in time, it does not do.
    async fn within<T>(&self, what: &str, step: impl Future<Output = T>) -> Result<T, Trouble> {
        let time = self.config.connect_timeout;
        timeout(time, step).await.map_err(|_| self.failed(what, &format!("waited {time:?}")))
    }

    async fn encrypt(&self, wire: Wire, (tls, name): &(TlsConnector, ServerName<'static>)) -> Result<Wire, Trouble> {
        let encrypted = self.within(NO_TLS, wire.encrypt(tls, name)).await?;
        encrypted.map_err(|error| match error.get_ref().and_then(|error| error.downcast_ref()) {
            Some(rustls::Error::InvalidCertificate(why)) => {
                let why = match why {
                    CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                        "nobody whom this service trusts has signed it".to_owned()
                    }
                    why => why.to_string(),
                };
                self.failed("shows a certificate that cannot be trusted", &why)
            }
            Some(rustls::Error::InvalidMessage(_)) => self.failed(NO_TLS, "it has another kind of TLS at this port"),
            _ => self.failed(NO_TLS, &error.to_string()),
        })
    }

    /// Greeting, EHLO and STARTTLS in the clear. Not lettre's: it keeps what it read too far, so that whoever stands
    /// in between could answer for the relay.
    async fn start_tls(&self, mut wire: Wire, tls: &(TlsConnector, ServerName<'static>)) -> Result<Wire, Trouble> {
        self.ask(&mut wire, "").await?;
        let offers = self.ask(&mut wire, &Ehlo::new(self.hello.clone()).to_string()).await?;
        if !offers.message().any(|offer| offer.trim().eq_ignore_ascii_case("STARTTLS")) {
            return Err(self.failed("offers no encryption (STARTTLS)", "nothing was sent to it"));
        }
        self.ask(&mut wire, &Starttls.to_string()).await?;
        Ok(self.encrypt(wire, tls).await?.greeted())
    }

    async fn ask(&self, wire: &mut Wire, command: &str) -> Result<Response, Trouble> {
        let reply = self.within(NO_GREETING, wire.ask(command)).await?;
        let reply = reply.map_err(|error| self.unwelcome(&Failed::Broken(error.to_string())))?;
        if reply.code().severity == Severity::PositiveCompletion {
            return Ok(reply);
        }
        let text = reply.message().collect::<Vec<_>>().join(" ");
        Err(self.unwelcome(&Failed::Refused(Reply::new(reply.code().into(), text))))
    }

    async fn log_in(&self, smtp: &mut AsyncSmtpConnection) -> Result<(), Trouble> {
        let Some((user, password)) = &self.config.credentials else { return Ok(()) };
        let password = password.expose_secret();
        if smtp.server_info().get_auth_mechanism(LOGINS).is_none() {
            return Err(self.failed("offers no login that this service can use", "it knows PLAIN and LOGIN"));
        }
        let credentials = Credentials::new(user.clone(), password.to_owned());
        let answer = self.within("did not answer the login", smtp.auth(LOGINS, &credentials)).await?;
        agreed(answer, Severity::PositiveCompletion).map_err(|failed| {
            let plain = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
            let failed = failed.without(&[plain, BASE64_STANDARD.encode(password), password.to_owned()]);
            let what = match failed {
                Failed::Refused(_) => "refused the login",
                Failed::Broken(_) => "broke off at the login",
            };
            self.failed(what, &failed.line())
        })
    }
}

impl Manager for Dialer {
    type Type = Connection;
    type Error = Trouble;

    async fn create(&self) -> Result<Connection, Trouble> {
        self.dial().await
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<Trouble> {
        let unusable = || RecycleError::message("it is of no use any more");
        if !connection.usable() {
            return Err(unusable());
        }
        let mut smtp = connection.take().ok_or_else(unusable)?;
        let answer = timeout(SIGN_OF_LIFE, smtp.command(Rset)).await.map_err(|_| unusable())?;
        agreed(answer, Severity::PositiveCompletion).map_err(|_| unusable())?;
        connection.put_back(smtp);
        Ok(())
    }
}

/// As the gate's: the public roots, and the operator's beside them.
fn encryption(host: &str, more: &[Vec<u8>]) -> Result<(TlsConnector, ServerName<'static>), String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for der in more {
        roots.add(CertificateDer::from(der.clone())).map_err(|error| error.to_string())?;
    }
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| format!("{host:?} is no name that a relay's certificate could have"))?;
    Ok((TlsConnector::from(Arc::new(tls)), name))
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}
