//! Alerts as checks need them, kept in memory. What is kept is a hint: a check compares the version within its transaction.

use std::sync::Arc;

use moka::sync::Cache;

use super::definition::Definition;
use super::error::AlertError;
use super::rule::Rule;
use crate::directory::{alias_key, is_id};
use crate::store::alerts::{self, AlertRow};
use crate::store::{Store, StoreError};

/// Alerts in memory, at most.
const MOST: u64 = 100_000;

/// An alert, ready to judge.
#[derive(Debug)]
pub(crate) struct Alert {
    pub(crate) id: String,
    pub(crate) organization: String,
    pub(crate) name: String,
    pub(crate) definition: Definition,
    pub(crate) rules: Vec<Rule>,
    /// The ids of the channels that it tells, in their order.
    pub(crate) channels: Vec<String>,
    pub(crate) version: i64,
}

/// All that is known of alerts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Registry {
    store: Store,
    alerts: Cache<String, Arc<Alert>>,
    /// By organization and name in lower case.
    names: Cache<(String, String), String>,
}

impl Registry {
    /// With nothing in memory yet.
    pub(crate) fn new(store: Store) -> Self {
        Self { store, alerts: Cache::new(MOST), names: Cache::new(MOST) }
    }

    /// An organization's alert by its name, in any case, or its id.
    pub(crate) async fn resolve(&self, organization: &str, name_or_id: &str) -> Result<Arc<Alert>, AlertError> {
        let missing = || AlertError::NotFound(name_or_id.to_owned());
        let id = if is_id(name_or_id) {
            name_or_id.to_lowercase()
        } else {
            let key = (organization.to_owned(), alias_key(name_or_id));
            match self.names.get(&key) {
                Some(id) => id,
                None => alerts::id_of_name(self.store.readers(), organization, &key.1).await?.ok_or_else(missing)?,
            }
        };
        let alert = match self.alerts.get(&id) {
            Some(alert) => alert,
            None => self.load(&id).await?.ok_or_else(missing)?,
        };
        let fits = alert.organization == organization
            && (is_id(name_or_id) || alias_key(&alert.name) == alias_key(name_or_id));
        if fits { Ok(alert) } else { Err(missing()) }
    }

    async fn load(&self, id: &str) -> Result<Option<Arc<Alert>>, AlertError> {
        let mut moment = self.store.readers().begin().await.map_err(StoreError::from)?;
        let Some(row) = alerts::find(&mut *moment, id).await? else { return Ok(None) };
        let channels = alerts::channels(&mut *moment, id).await?;
        let alert = Arc::new(ready(&row, channels)?);
        self.names.insert((alert.organization.clone(), alias_key(&alert.name)), alert.id.clone());
        self.alerts.insert(alert.id.clone(), Arc::clone(&alert));
        Ok(Some(alert))
    }

    /// After an alert was changed.
    pub(crate) fn forget(&self, alert: &Alert) {
        self.names.invalidate(&(alert.organization.clone(), alias_key(&alert.name)));
        self.alerts.invalidate(&alert.id);
    }

    /// The same of one of which only the id is known.
    pub(crate) fn forget_id(&self, id: &str) {
        self.alerts.invalidate(id);
    }
}

/// What is kept, read.
fn ready(row: &AlertRow, channels: Vec<String>) -> Result<Alert, AlertError> {
    let damaged = |error: &dyn std::fmt::Display| StoreError::Statement {
        reason: format!("the definition of the alert {} is damaged: {error}", row.id),
    };
    let definition: Definition = serde_json::from_str(&row.definition).map_err(|error| damaged(&error))?;
    let rules = definition.rules().map_err(|error| damaged(&error))?;
    Ok(Alert {
        id: row.id.clone(),
        organization: row.organization_id.clone(),
        name: row.name.clone(),
        definition,
        rules,
        channels,
        version: row.version,
    })
}
