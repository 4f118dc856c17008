//! Commands that open the database themselves: `org create`, `audit verify`, `vault rotate`.

use serde_json::{Value, json};

use super::Ending;
use super::serve::configuration;
use crate::access::organization::{CreateError, Maker, NewOrganization, create};
use crate::access::{Token, misfit::Misfit};
use crate::api::organizations::Added;
use crate::audit::{self, Actor, OPERATOR, Verdict, VerifyError};
use crate::boot;
use crate::cli::{ConfigOptions, Plan, VaultCommand};
use crate::clock::Clock;
use crate::error::CliError;
use crate::keys::Keys;
use crate::output::{self, Format};
use crate::rotation;
use crate::store::organizations::{self, OrganizationRow};
use crate::store::{Store, StoreError};
use crate::vault::Vault;

/// An organization that is wanted.
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) plan: Plan,
    pub(super) timezone: String,
    pub(super) locale: String,
}

/// Makes an organization, also beside a running service.
pub(super) async fn create_organization(
    wanted: Wanted,
    config: &ConfigOptions,
    format: Format,
) -> Result<Ending, CliError> {
    let (store, vault) = open(config).await?;
    let made = make(&store, &vault, wanted).await;
    store.close().await;
    let (row, token) = made?;
    let (id, name) = (row.id.clone(), row.name.clone());
    let added = serde_json::to_value(Added::new(row, &token)).unwrap_or_default();
    output::answer(&added, format, || {
        Ok(format!("Organization {name:?}: {id}\nIts first admin's token, shown this once: {}", token.expose()))
    })?;
    Ok(Ending::Done)
}

async fn make(store: &Store, vault: &Vault, wanted: Wanted) -> Result<(OrganizationRow, Token), CliError> {
    let keys = Keys::new(store.clone(), vault.clone());
    let operator_key = keys.operator().await.map_err(|error| failed(&error))?;
    let maker = Maker { actor: Actor::local("pqh org create"), source: "local".to_owned(), at: Clock::system().now() };
    let new = NewOrganization {
        name: wanted.name,
        plan: match wanted.plan {
            Plan::Free => "free",
            Plan::Paid => "paid",
        },
        time_zone: Some(wanted.timezone),
        locale: Some(wanted.locale),
    };
    create(store, vault, operator_key, maker, new).await.map_err(|error| match error {
        CreateError::Misfit(misfit) => bad_value(&misfit),
        other => failed(&other),
    })
}

/// Goes through the audit log: one chain, or all.
pub(super) async fn verify(
    organization: Option<String>,
    head: Option<&str>,
    config: &ConfigOptions,
    format: Format,
) -> Result<Ending, CliError> {
    let (store, vault) = open(config).await?;
    let verdicts = verdicts(&store, &vault, organization, head).await;
    store.close().await;
    let verdicts = verdicts?;
    let broken = verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Broken(_)));
    let chains: Vec<Value> = verdicts.iter().map(|(chain, verdict)| told(chain, verdict)).collect();
    output::answer(&json!({ "outcome": if broken { "broken" } else { "intact" }, "chains": chains }), format, || {
        let lines = verdicts.iter().map(|(chain, verdict)| match verdict {
            Verdict::Intact { rows, head } => format!("{chain}: intact, {rows} rows, head {head}"),
            Verdict::Broken(fault) => format!("{chain}: BROKEN: {fault}"),
        });
        Ok(lines.collect::<Vec<_>>().join("\n"))
    })?;
    Ok(if broken { Ending::Failed } else { Ending::Done })
}

async fn verdicts(
    store: &Store,
    vault: &Vault,
    organization: Option<String>,
    head: Option<&str>,
) -> Result<Vec<(String, Verdict)>, CliError> {
    let chains = match (organization, head) {
        (Some(organization), _) => vec![organization],
        (None, Some(_)) => vec![OPERATOR.to_owned()],
        (None, None) => {
            let organizations = organizations::data_keys(store.readers()).await.map_err(|error| failed(&error))?;
            std::iter::once(OPERATOR.to_owned()).chain(organizations.into_iter().map(|(id, _)| id)).collect()
        }
    };
    let mut verdicts = Vec::with_capacity(chains.len());
    for chain in chains {
        let verdict = audit::verify(store, vault, &chain, head).await.map_err(|error| match error {
            VerifyError::UnknownChain(_) => CliError::input("unknown-organization", error.to_string()),
            other => failed(&other),
        })?;
        verdicts.push((chain, verdict));
    }
    Ok(verdicts)
}

fn told(chain: &str, verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Intact { rows, head } => json!({ "chain": chain, "outcome": "intact", "rows": rows, "head": head }),
        Verdict::Broken(fault) => json!({ "chain": chain, "outcome": "broken", "fault": fault.to_string() }),
    }
}

/// Exchanges the master key.
pub(super) async fn vault(command: VaultCommand, format: Format) -> Result<Ending, CliError> {
    let VaultCommand::Rotate { config } = command;
    let config = configuration(&config)?;
    let key = config.master_key_file;
    let count =
        rotation::rotate(&config.database, &key, Clock::system().now()).await.map_err(|error| failed(&error))?;
    let file = key.display().to_string();
    output::answer(&json!({ "data_keys": count, "master_key_file": file }), format, || {
        Ok(format!(
            "{file} holds the new master key; {count} data keys are wrapped by it. Back it up. Backups of the database \
             made before need the old key's backup."
        ))
    })?;
    Ok(Ending::Done)
}

/// The database of the configuration, beside a service that may be running.
async fn open(options: &ConfigOptions) -> Result<(Store, Vault), CliError> {
    let config = configuration(options)?;
    boot::open_beside(&config.database, &config.master_key_file).await.map_err(|error| match error {
        boot::BootError::Store(StoreError::BadUrl { .. }) => CliError::input("bad-configuration", error.to_string()),
        other => failed(&other),
    })
}

fn failed(error: &dyn std::fmt::Display) -> CliError {
    CliError::work("failed", error.to_string())
}

fn bad_value(misfit: &Misfit) -> CliError {
    CliError::input("bad-value", misfit.to_string())
}
