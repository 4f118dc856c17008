//! `[egress]`: how requests leave. Read, and made into the gate's configuration.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use pqh_runtime::{GateConfig, HostPattern, PrivateNetwork};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};
use super::source::{Source, Value};
use super::value::{pieces, quoted, shown_toml};

/// `[egress]`. The default sends to public addresses only, directly.
#[derive(Clone, Debug, Default)]
pub struct Egress {
    /// Private networks that requests to some hosts may reach.
    pub allow_private: Vec<PrivateNetwork>,
    /// Hosts whose requests go to another server, with its URL: a gateway, or a simulator.
    pub upstreams: BTreeMap<String, String>,
    /// The HTTP proxy that everything else goes through: `http://proxy.example.com:3128`.
    pub proxy: Option<String>,
    /// Files of further certificate authorities (PEM).
    pub extra_ca: Vec<PathBuf>,
}

const ALLOW_PRIVATE: &str = "egress.allow_private";
const UPSTREAMS: &str = "egress.upstreams";
const PROXY: &str = "egress.proxy";
const EXTRA_CA: &str = "egress.extra_ca";

const AN_ALLOWANCE: &str = "networks with hosts, such as [{ network = \"10.0.0.0/8\", hosts = [\"*.corp.example.com\"] }], \
                            in a variable 10.0.0.0/8=*.corp.example.com other.example.com,…";
const AN_UPSTREAM: &str = "a table of hosts with origins, such as { \"api.example.com\" = \"http://127.0.0.1:4700\" } \
                           (hosts in quotes), in a variable HOST=URL,…";

impl Egress {
    pub(super) fn read(source: &mut Source<'_>) -> Result<Self, ConfigError> {
        let egress = Self {
            allow_private: allow_private(source)?,
            upstreams: upstreams(source)?,
            proxy: source.text(PROXY, "a URL", |text| Some(text.to_owned()))?,
            extra_ca: source.list(EXTRA_CA, "files", |text| Some(PathBuf::from(text)))?.unwrap_or_default(),
        };
        // The gate has the last word on addresses: asked here, while it is known where they stand.
        egress.routes(GateConfig::default()).map_err(|(key, problem)| source.wrong(key, problem))?;
        Ok(egress)
    }

    /// The gate's configuration. Reads the files of certificates.
    pub(super) fn gate(&self) -> Result<GateConfig, ConfigError> {
        let wrong =
            |(key, problem): (&str, String)| ConfigError::Key { place: Place::Unwritten, key: key.to_owned(), problem };
        let mut gate = self.routes(GateConfig::default()).map_err(wrong)?;
        for file in &self.extra_ca {
            for certificate in certificates(file).map_err(|problem| wrong((EXTRA_CA, problem)))? {
                gate = gate.with_root(certificate.to_vec());
            }
        }
        Ok(gate)
    }

    /// Everything but certificates; an error is a key and what is wrong with it.
    fn routes(&self, mut gate: GateConfig) -> Result<GateConfig, (&'static str, String)> {
        for (host, url) in &self.upstreams {
            // The gate's words may repeat the address, and it can hold a password: ours do not.
            gate = gate.with_upstream(host, url).map_err(|_| {
                (UPSTREAMS, format!("expected {AN_UPSTREAM}; found {} for {}", quoted(url), quoted(host)))
            })?;
        }
        if let Some(proxy) = &self.proxy {
            let has_password = url::Url::parse(proxy).is_ok_and(|url| url.password().is_some());
            let refused = |reason: String| (PROXY, format!("{reason}; found {}", quoted(proxy)));
            if has_password {
                return Err(refused("expected an http URL without user and password".to_owned()));
            }
            gate = gate.with_proxy(proxy).map_err(|error| refused(error.to_string()))?;
        }
        Ok(self.allow_private.iter().cloned().fold(gate, GateConfig::with_private))
    }
}

/// An address alone is a network of one.
pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn allow_private(source: &mut Source<'_>) -> Result<Vec<PrivateNetwork>, ConfigError> {
    let Some(value) = source.take(ALLOW_PRIVATE) else { return Ok(Vec::new()) };
    let refuse = |found: &str| source.expected(ALLOW_PRIVATE, AN_ALLOWANCE, found);
    match &value {
        Value::Text(text) => pieces(text)
            .map(|piece| {
                let (network, hosts) = piece.split_once('=').ok_or_else(|| refuse(&quoted(piece)))?;
                allowance(network, hosts.split_whitespace()).map_err(|found| refuse(&found))
            })
            .collect(),
        Value::Toml(DeValue::Array(items)) => items
            .iter()
            .map(|item| {
                let table = item.get_ref().as_table().ok_or_else(|| refuse(&shown_toml(item.get_ref())))?;
                allowance_of(table).map_err(|found| refuse(&found))
            })
            .collect(),
        Value::Toml(value) => Err(refuse(&shown_toml(value))),
    }
}

/// One table of the list; an error is what was found.
fn allowance_of(table: &DeTable<'_>) -> Result<PrivateNetwork, String> {
    if let Some(key) = table.keys().map(toml::Spanned::get_ref).find(|key| !matches!(key.as_ref(), "network" | "hosts"))
    {
        return Err(format!("the unknown key {key:?}"));
    }
    let network = table.get("network").and_then(|value| value.get_ref().as_str()).ok_or("one without a network")?;
    let hosts = table.get("hosts").and_then(|value| value.get_ref().as_array()).ok_or("one without a list of hosts")?;
    let hosts: Vec<&str> = hosts
        .iter()
        .map(|host| host.get_ref().as_str().ok_or_else(|| format!("{} as a host", shown_toml(host.get_ref()))))
        .collect::<Result<_, _>>()?;
    allowance(network, hosts.into_iter())
}

fn allowance<'a>(text: &str, hosts: impl Iterator<Item = &'a str>) -> Result<PrivateNetwork, String> {
    let network = network(text.trim()).ok_or_else(|| format!("{} as a network", quoted(text)))?;
    let hosts: Vec<HostPattern> =
        hosts.map(|host| HostPattern::parse(host).map_err(|error| error.to_string())).collect::<Result<_, _>>()?;
    if hosts.is_empty() {
        return Err(format!("no host for {network}"));
    }
    Ok(PrivateNetwork { network, hosts })
}

fn upstreams(source: &mut Source<'_>) -> Result<BTreeMap<String, String>, ConfigError> {
    let Some(value) = source.take(UPSTREAMS) else { return Ok(BTreeMap::new()) };
    let refuse = |found: &str| source.expected(UPSTREAMS, AN_UPSTREAM, found);
    let pair = |host: &str, url: &str| (host.to_owned(), url.to_owned());
    match &value {
        Value::Text(text) => pieces(text)
            .map(|piece| {
                let (host, url) = piece.split_once('=').ok_or_else(|| refuse(&quoted(piece)))?;
                Ok(pair(host.trim(), url.trim()))
            })
            .collect(),
        Value::Toml(DeValue::Table(table)) => table
            .iter()
            .map(|(host, url)| {
                let (host, url) = (host.get_ref(), url.get_ref());
                let text = url.as_str().ok_or_else(|| refuse(&format!("{} for {host:?}", shown_toml(url))))?;
                Ok(pair(host, text))
            })
            .collect(),
        Value::Toml(value) => Err(refuse(&shown_toml(value))),
    }
}

/// The certificates of a file; an error is what is wrong.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let problem = |found: String| format!("{}: expected certificates in PEM; {found}", file.display());
    let bytes = std::fs::read(file).map_err(|error| problem(error.to_string()))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| problem(format!("found something else: {error}")))?;
    if certificates.is_empty() {
        return Err(problem("found none".to_owned()));
    }
    Ok(certificates)
}
