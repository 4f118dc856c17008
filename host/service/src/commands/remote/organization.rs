//! `pqh org`, as far as a service does it.

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::{Ending, list, word};
use crate::{
    cli::{OrgChanges, OrgCommand},
    client::Client,
    error::CliError,
    output::{self, Format},
};

/// Runs one of them.
pub(crate) async fn run(command: OrgCommand, format: Format) -> Result<Ending, CliError> {
    match command {
        OrgCommand::List { server } => {
            let client = Client::open(&server)?;
            let all = list(&client, &["organizations"], &[], None, format).await?;
            let text = || Ok(output::access::organizations(&client.items(&all)?, &TimeZone::system()));
            output::answer(&all, format, text)?;
        }
        OrgCommand::Show { id, server } => {
            let client = Client::open(&server)?;
            let answer = client.get(&path(id.as_deref()), &[]).await?;
            tell(&client, &answer, format)?;
        }
        OrgCommand::Set { id, changes, server } => {
            let client = Client::open(&server)?;
            let answer = client.patch(&path(id.as_deref()), None, &body(changes)).await?;
            tell(&client, &answer, format)?;
        }
        // It opens the database itself.
        OrgCommand::Create { .. } => {}
    }
    Ok(Ending::Done)
}

/// Operators name an organization, the others have one.
fn path(id: Option<&str>) -> Vec<&str> {
    id.map_or_else(|| vec!["organization"], |id| vec!["organizations", id])
}

fn body(changes: OrgChanges) -> Value {
    let mut body = Map::new();
    let zone = changes.timezone.and_then(|zone| zone.iana_name().map(str::to_owned));
    let texts = [
        ("name", changes.name),
        ("plan", changes.plan.as_ref().map(word)),
        ("time_zone", zone),
        ("locale", changes.locale),
    ];
    for (key, value) in texts {
        if let Some(value) = value {
            body.insert(key.to_owned(), value.into());
        }
    }
    if changes.no_notice_channels || !changes.notice_channels.is_empty() {
        body.insert("notice_channels".to_owned(), json!(changes.notice_channels));
    }
    body.into()
}

fn tell(client: &Client, answer: &Value, format: Format) -> Result<(), CliError> {
    output::answer(answer, format, || {
        Ok(output::access::organization(&client.understand(answer)?, &TimeZone::system()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> OrgChanges {
        OrgChanges {
            name: None,
            plan: None,
            timezone: None,
            locale: None,
            notice_channels: Vec::new(),
            no_notice_channels: false,
        }
    }

    #[test]
    fn only_what_was_said_is_changed() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let changes = OrgChanges { timezone: Some(zone), name: Some("Acme".to_owned()), ..nothing() };
        assert_eq!(body(changes), json!({ "time_zone": "Europe/Berlin", "name": "Acme" }));
        assert_eq!(body(OrgChanges { no_notice_channels: true, ..nothing() }), json!({ "notice_channels": [] }));
    }

    #[test]
    fn without_an_id_the_tokens_own_organization_is_meant() {
        assert_eq!(path(None), ["organization"]);
        assert_eq!(path(Some("o-1")), ["organizations", "o-1"]);
    }
}
