//! With which service, and as whom: `--server`, `--token-file`, and their variables in the environment.

use std::{path::Path, time::Duration};

use reqwest::{
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
    redirect,
};
use secrecy::{ExposeSecret as _, SecretString};
use url::{Host, Url};

use super::Client;
use crate::{cli::ServerOptions, error::CliError};

/// Where a service listens that was told nothing else.
pub(crate) const DEFAULT_SERVER: &str = "http://127.0.0.1:7070";
/// The variable that holds the token.
const TOKEN: &str = "PQH_TOKEN";
const CONNECT: Duration = Duration::from_secs(10);
/// Longer than the service takes to check a channel with the service behind it.
const WHOLE: Duration = Duration::from_mins(1);

impl Client {
    /// With the service that the options name, by the token of their file or of the environment.
    pub(crate) fn open(options: &ServerOptions) -> Result<Self, CliError> {
        let token = match &options.token_file {
            Some(file) => read_token(file)?,
            None => SecretString::from(std::env::var(TOKEN).unwrap_or_default().trim()),
        };
        if token.expose_secret().is_empty() {
            let message = "no token: set PQH_TOKEN, or name a file that holds one by --token-file; \
                           `pqh org create` and `pqh token create` make tokens";
            return Err(CliError::input("no-token", message));
        }
        Self::with(options.server.as_deref().filter(|server| !server.is_empty()).unwrap_or(DEFAULT_SERVER), &token)
    }

    /// With the service at an address, by a token.
    pub(super) fn with(server: &str, token: &SecretString) -> Result<Self, CliError> {
        let base = address(server)?;
        let local = is_loopback(&base);
        if base.scheme() == "http" && !local {
            tracing::warn!("the token goes to {base} unencrypted: use https outside your own machine");
        }
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).map_err(|_| {
            CliError::input("bad-token", "the token has characters that no token has: is it the right file?")
        })?;
        bearer.set_sensitive(true);
        // Whoever installed another provider before meant it.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, bearer)]))
            .user_agent(concat!("pqh/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            // The token is for the server that was named, not for where that one points.
            .redirect(redirect::Policy::none());
        if local {
            builder = builder.no_proxy();
        }
        if base.scheme() == "http" {
            // A machine without the system's certificates can still speak with its own service.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| CliError::work("no-client", super::problem::chain(&error)))?;
        Ok(Self { http, base })
    }
}

/// The service's address.
fn address(server: &str) -> Result<Url, CliError> {
    // Not shown where it may hold a password.
    let refused = |found: &str| {
        let message =
            format!("--server: expected an address like {DEFAULT_SERVER} or https://pqh.example.com, found {found}");
        CliError::input("bad-server", message)
    };
    let base = Url::parse(server).map_err(|error| refused(&format!("none: {error}")))?;
    if !matches!(base.scheme(), "http" | "https") {
        return Err(refused(&format!("one of the scheme {:?}", base.scheme())));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(refused("one with a user or password: PQH_TOKEN holds what proves who you are"));
    }
    if base.query().is_some() || base.fragment().is_some() {
        return Err(refused("one with a query or fragment"));
    }
    Ok(base)
}

fn is_loopback(base: &Url) -> bool {
    match base.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

fn read_token(file: &Path) -> Result<SecretString, CliError> {
    std::fs::read_to_string(file)
        .map(|text| SecretString::from(text.trim()))
        .map_err(|error| CliError::input("unreadable-file", format!("--token-file {}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_meant_is_refused_without_its_password() {
        for wrong in
            ["127.0.0.1:7070", "ftp://a.example", "https://u:canary@a.example", "https://a.example/?token=canary"]
        {
            let error = address(wrong).err().unwrap();
            assert_eq!(error.code, "bad-server");
            assert!(!error.message.contains("canary"), "{}", error.message);
        }
        assert!(address("https://a.example/behind/a/prefix").is_ok());
    }

    #[test]
    fn only_the_own_machine_is_loopback() {
        let local = |text| is_loopback(&Url::parse(text).unwrap());
        assert!(local("http://127.0.0.1:1") && local("http://[::1]:1") && local("http://LocalHost"));
        assert!(!local("http://localhost.example.com") && !local("http://10.0.0.1"));
    }

    #[test]
    fn a_token_that_cannot_be_one_is_not_shown() {
        let error = Client::with(DEFAULT_SERVER, &SecretString::from("canary\ncanary")).err().unwrap();
        assert_eq!(error.code, "bad-token");
        assert!(!format!("{error:?}").contains("canary"));
    }
}
