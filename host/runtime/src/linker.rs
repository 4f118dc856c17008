//! What the host offers to components: the contract's imports, and a WASI that gives nothing away.

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, Result};

use crate::contract::{cache, log, outbound_http, outbound_mail, pyqueryhub, standing, types};
use crate::log::LogLevel;
use crate::state::CallState;

/// Links all that any component may import. WASI is linked whole, since components of many languages import all of it;
/// every use of files, sockets and environment is refused by an empty context.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<CallState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    log::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
    cache::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
    outbound_http::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
    outbound_mail::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
    standing::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
    types::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
    pyqueryhub::notify::events::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
    pyqueryhub::notify::signatures::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
    Ok(linker)
}

impl types::Host for CallState {}
impl pyqueryhub::notify::events::Host for CallState {}
impl pyqueryhub::notify::signatures::Host for CallState {}

impl log::Host for CallState {
    fn write(&mut self, level: log::Level, message: String) -> Result<()> {
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        self.log.write(level, &message);
        Ok(())
    }
}

impl cache::Host for CallState {
    fn get(&mut self, key: String) -> Result<Option<String>> {
        Ok(self.cache.as_ref().and_then(|cache| cache.get(key)))
    }

    fn put(&mut self, key: String, value: String, seconds: u32) -> Result<()> {
        if let Some(cache) = &self.cache {
            cache.put(key, value, seconds);
        }
        Ok(())
    }
}

impl outbound_http::Host for CallState {
    async fn send(
        &mut self,
        request: outbound_http::Request,
    ) -> Result<std::result::Result<outbound_http::Response, outbound_http::Error>> {
        Ok(self.egress.send(request).await)
    }
}

impl outbound_mail::Host for CallState {
    async fn send(
        &mut self,
        message: outbound_mail::Message,
    ) -> Result<std::result::Result<outbound_mail::Sent, outbound_mail::Error>> {
        Ok(self.egress.send_mail(message).await)
    }

    async fn verify(
        &mut self,
        to: Vec<String>,
    ) -> Result<std::result::Result<Vec<outbound_mail::Refusal>, outbound_mail::Error>> {
        Ok(self.egress.verify_mail(to).await)
    }
}

impl standing::Host for CallState {
    async fn about(&mut self, target: String) -> Result<standing::Facts> {
        match &self.standing {
            Some(standing) => Ok(standing.about(&target).await),
            None => Ok(crate::standing::nothing()),
        }
    }
}
