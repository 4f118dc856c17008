//! Lets a component do what it describes, or part of it, and takes that back. A grant is for the exact file that is loaded.

use std::sync::Arc;

use pqh_runtime::GrantPattern;
use serde_json::{Value, json};

use crate::access::Caller;
use crate::app::App;
use crate::audit::{self, OPERATOR, Object};
use crate::catalog::Entry;
use crate::keys::KeyError;
use crate::store::StoreError;
use crate::store::grants::{self, GrantRow};

/// Why a grant was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GrantingError {
    #[error("There is no component {0:?}.")]
    NotFound(String),
    #[error("The component {0} is built in: it has what it describes, and nothing can be granted to it or revoked.")]
    BuiltIn(String),
    #[error(
        "`sha256`: expected that of the file that is loaded, {found}; found {expected}. Look at what is loaded (pqh plugin \
         list), and grant that if you trust it."
    )]
    OtherFile { expected: String, found: String },
    #[error("`hosts`: {0}")]
    BadHost(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Grants a component these hosts, or all that it describes.
pub(crate) async fn grant(
    app: &App,
    caller: &Caller,
    id: &str,
    sha256: Option<&str>,
    hosts: Option<Vec<String>>,
) -> Result<Arc<Entry>, GrantingError> {
    let entry = changeable(app, id)?;
    let found = entry.plugin.sha256().to_string();
    if let Some(expected) = sha256
        && !expected.eq_ignore_ascii_case(&found)
    {
        return Err(GrantingError::OtherFile { expected: expected.to_owned(), found });
    }
    let hosts = hosts.map(readable_hosts).transpose()?;
    let grant = GrantRow {
        plugin_id: id.to_owned(),
        sha256: found,
        hosts,
        granted_by: caller.name.clone(),
        granted_at: app.clock.now(),
    };
    change(app, caller, &entry, Some(grant)).await?;
    Ok(entry)
}

/// Takes back what was granted to a component. Its channels are held.
pub(crate) async fn revoke(app: &App, caller: &Caller, id: &str) -> Result<Arc<Entry>, GrantingError> {
    let entry = changeable(app, id)?;
    change(app, caller, &entry, None).await?;
    Ok(entry)
}

fn changeable(app: &App, id: &str) -> Result<Arc<Entry>, GrantingError> {
    let entry = app.plugins.find(id).ok_or_else(|| GrantingError::NotFound(id.to_owned()))?;
    if entry.is_built_in() { Err(GrantingError::BuiltIn(id.to_owned())) } else { Ok(entry) }
}

/// Each host, and each domain of mail, as the runtime reads it, once.
fn readable_hosts(hosts: Vec<String>) -> Result<Vec<String>, GrantingError> {
    if hosts.is_empty() {
        let message = "expected at least one host, or no `hosts` at all for everything that the component describes; \
                       found an empty list";
        return Err(GrantingError::BadHost(message.to_owned()));
    }
    let mut read: Vec<String> = Vec::with_capacity(hosts.len());
    for host in hosts {
        let host = GrantPattern::parse(&host).map_err(|error| GrantingError::BadHost(error.to_string()))?.to_string();
        if !read.contains(&host) {
            read.push(host);
        }
    }
    Ok(read)
}

/// Writes what is granted, and makes it known.
async fn change(app: &App, caller: &Caller, entry: &Entry, grant: Option<GrantRow>) -> Result<(), GrantingError> {
    let (id, sha256) = (entry.id().to_owned(), entry.plugin.sha256().to_string());
    let key = app.keys.operator().await?;
    let turn = app.plugins.change().await;
    let before = app.plugins.granted(&id);
    if grant.is_none() && before.is_none() {
        return Ok(());
    }
    let change = audit::Entry {
        chain: OPERATOR.to_owned(),
        at: app.clock.now(),
        actor: caller.actor(),
        source: caller.source.clone(),
        action: if grant.is_some() { "grant.given" } else { "grant.revoked" },
        object: Object::new("plugin", &id, &entry.plugin.descriptor().name),
        before: before.as_ref().map(state),
        after: grant.as_ref().map(state),
    };
    let (kept, plugin) = (grant.clone(), id.clone());
    let written: Result<(), StoreError> = app
        .store
        .write(move |connection| {
            Box::pin(async move {
                match kept {
                    Some(grant) => grants::put(connection, &grant).await?,
                    None => grants::remove(connection, &plugin, &sha256).await?,
                }
                audit::append(connection, &key, change).await
            })
        })
        .await;
    written?;
    app.plugins.set_granted(&id, grant);
    app.directory.forget_type(&id);
    drop(turn);
    app.delivery.reconcile_type(&id).await;
    Ok(())
}

fn state(grant: &GrantRow) -> Value {
    json!({ "sha256": grant.sha256, "hosts": grant.hosts })
}
