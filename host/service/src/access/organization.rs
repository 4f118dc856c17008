//! Makes an organization: with a data key, a first admin's token, and both in the audit log.

use serde_json::json;
use uuid::Uuid;

use super::misfit::{self, Misfit};
use super::{Role, Token};
use crate::audit::{self, Actor, Entry, OPERATOR, Object};
use crate::clock::Millis;
use crate::store::organizations::{MASTER_KEY, OrganizationRow};
use crate::store::tokens::TokenRow;
use crate::store::{self, Store, StoreError};
use crate::vault::{DataKey, Vault, VaultError};

/// What people say of a new organization.
#[derive(Clone, Debug)]
pub(crate) struct NewOrganization {
    pub(crate) name: String,
    /// 'free' or 'paid'.
    pub(crate) plan: &'static str,
    pub(crate) time_zone: Option<String>,
    pub(crate) locale: Option<String>,
}

/// Why none was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateError {
    #[error(transparent)]
    Misfit(#[from] Misfit),
    #[error("no random numbers can be had: {0}")]
    Chance(getrandom::Error),
    #[error("the master key was exchanged meanwhile: try again")]
    KeyExchanged,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Who makes it, and when.
#[derive(Clone, Debug)]
pub(crate) struct Maker {
    pub(crate) actor: Actor,
    pub(crate) source: String,
    pub(crate) at: Millis,
}

/// Makes an organization and its first admin's token. `operator_key` is the key of the operators' chain.
pub(crate) async fn create(
    store: &Store,
    vault: &Vault,
    operator_key: DataKey,
    maker: Maker,
    new: NewOrganization,
) -> Result<(OrganizationRow, Token), CreateError> {
    let id = Uuid::now_v7().to_string();
    let (key, wrapped) = vault.new_data_key(&id)?;
    let row = OrganizationRow {
        name: misfit::name("name", &new.name)?,
        plan: new.plan.to_owned(),
        time_zone: misfit::time_zone("time_zone", new.time_zone.as_deref().unwrap_or("UTC"))?,
        locale: misfit::locale("locale", new.locale.as_deref().unwrap_or("en-US"))?,
        notice_channels: "[]".to_owned(),
        data_key: wrapped,
        created_at: maker.at,
        updated_at: maker.at,
        id,
    };
    let token = Token::mint().map_err(CreateError::Chance)?;
    let token_row = TokenRow {
        id: token.id().to_owned(),
        organization_id: Some(row.id.clone()),
        member_id: None,
        role: Role::Admin.name().to_owned(),
        name: "first admin".to_owned(),
        hash: token.hash(),
        created_at: maker.at,
        revoked_at: None,
    };
    let fingerprint = vault.fingerprint();
    let kept = row.clone();
    store
        .write(move |connection| {
            Box::pin(async move {
                // A rotation beside us may have retired the key that just wrapped the organization's.
                let current = store::organizations::meta(&mut *connection, MASTER_KEY).await?;
                if current.as_deref() != Some(fingerprint.as_str()) {
                    return Err(CreateError::KeyExchanged);
                }
                store::organizations::insert(connection, &row).await?;
                store::tokens::insert(connection, &token_row).await?;
                let created = created(OPERATOR, &maker, &row);
                audit::append(connection, &operator_key, created).await?;
                audit::append(connection, &key, self::created(&row.id, &maker, &row)).await?;
                audit::append(connection, &key, token_created(&row.id, &maker, &token_row)).await?;
                Ok(())
            })
        })
        .await?;
    Ok((kept, token))
}

fn created(chain: &str, maker: &Maker, row: &OrganizationRow) -> Entry {
    Entry {
        chain: chain.to_owned(),
        at: maker.at,
        actor: maker.actor.clone(),
        source: maker.source.clone(),
        action: "organization.created",
        object: Object::new("organization", &row.id, &row.name),
        before: None,
        after: Some(told(row)),
    }
}

/// The entry of a new token.
pub(crate) fn token_created(chain: &str, maker: &Maker, row: &TokenRow) -> Entry {
    Entry {
        chain: chain.to_owned(),
        at: maker.at,
        actor: maker.actor.clone(),
        source: maker.source.clone(),
        action: "token.created",
        object: Object::new("token", &row.id, &row.name),
        before: None,
        after: Some(json!({ "role": row.role, "member": row.member_id })),
    }
}

/// An organization as the audit log tells it.
pub(crate) fn told(row: &OrganizationRow) -> serde_json::Value {
    let notice_channels: serde_json::Value = serde_json::from_str(&row.notice_channels).unwrap_or_default();
    json!({
        "name": row.name,
        "plan": row.plan,
        "time_zone": row.time_zone,
        "locale": row.locale,
        "notice_channels": notice_channels,
    })
}
