//! `pqh channel`.

use jiff::tz::TimeZone;
use pqh_runtime::contract::channel::{ChoiceOption, Field};
use serde_json::{Map, Value, json};

use super::{
    Ending, done, forced, list,
    watch::{Patience, watch},
};
use crate::{
    cli::{ChannelChanges, ChannelCommand, Named, ServerOptions},
    client::{
        Client,
        wire::{self, Channel, ChannelType, Checked, Posted},
    },
    error::CliError,
    output::{self, Format},
    settings::{self, Environment, Form},
};

/// Runs one of them.
pub(crate) async fn run(command: ChannelCommand, server: &ServerOptions, format: Format) -> Result<Ending, CliError> {
    let client = Client::open(server)?;
    match command {
        ChannelCommand::List => {
            let all = list(&client, &["channels"], &[], None, format).await?;
            output::answer(&all, format, || Ok(output::channels::list(&client.items(&all)?)))?;
        }
        ChannelCommand::Types => {
            let all = list(&client, &["channel-types"], &[], None, format).await?;
            output::answer(&all, format, || Ok(output::channels::types(&client.items(&all)?)))?;
        }
        ChannelCommand::Show(Named { channel }) => {
            let answer = client.get(&["channels", &channel], &[]).await?;
            tell(&client, &answer, format)?;
        }
        ChannelCommand::Add { alias, channel_type, connection, settings, quiet_hours } => {
            let fields = fields(&client, &channel_type, format).await?;
            let form = Form { id: &channel_type, fields: &fields };
            let settings = settings::fill_for_service(form, &settings, Environment::Read)?;
            let mut body = json!({ "alias": alias, "type": channel_type, "settings": settings });
            if let Some(connection) = connection {
                body["connection"] = connection.into();
            }
            if !quiet_hours.is_empty() {
                body["quiet_hours"] = json!(quiet_hours);
            }
            output::progress("Checking that it works", format);
            let answer = client.post(&["channels"], &body).await?;
            tell(&client, &answer, format)?;
        }
        ChannelCommand::Update { channel: Named { channel }, changes, if_version } => {
            let body = changed(&client, &channel, changes, format).await?;
            let answer = client.patch(&["channels", &channel], if_version, &body).await?;
            tell(&client, &answer, format)?;
        }
        ChannelCommand::Test(Named { channel }) => {
            let answer = client.post(&["channels", &channel, "test"], &json!({})).await?;
            let posted: Posted = client.understand(&answer)?;
            return watch(&client, &posted.id, Patience::default(), format).await;
        }
        ChannelCommand::Check(Named { channel }) => return check(&client, &channel, format).await,
        ChannelCommand::Pause { channel: Named { channel }, reason } => {
            let body = reason.map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
            let answer = client.post(&["channels", &channel, "pause"], &body).await?;
            tell(&client, &answer, format)?;
        }
        ChannelCommand::Resume(Named { channel }) => {
            let answer = client.post(&["channels", &channel, "resume"], &json!({})).await?;
            tell(&client, &answer, format)?;
        }
        ChannelCommand::Delete { channel: Named { channel }, force } => {
            client.delete(&["channels", &channel], forced(force)).await?;
            return done(&format!("Deleted the channel {channel}, and cancelled what waited for it"), format);
        }
    }
    Ok(Ending::Done)
}

async fn check(client: &Client, channel: &str, format: Format) -> Result<Ending, CliError> {
    output::progress("Checking", format);
    let answer = client.post(&["channels", channel, "check"], &json!({})).await?;
    let checked: Checked = client.understand(&answer)?;
    match format {
        Format::Json => output::answer(&answer, format, || Ok(String::new()))?,
        Format::Human => output::outcome::checked(channel, &checked),
    }
    Ok(if checked.outcome == "passed" { Ending::Done } else { Ending::Failed })
}

fn tell(client: &Client, answer: &Value, format: Format) -> Result<(), CliError> {
    let text = || Ok(output::channels::show(&client.understand(answer)?, &TimeZone::system()));
    output::answer(answer, format, text)
}

/// The body that changes a channel. Its type is asked for only where settings change.
async fn changed(client: &Client, channel: &str, changes: ChannelChanges, format: Format) -> Result<Value, CliError> {
    let mut body = json!({});
    if let Some(alias) = changes.alias {
        body["alias"] = alias.into();
    }
    if changes.no_quiet_hours || !changes.quiet_hours.is_empty() {
        body["quiet_hours"] = json!(changes.quiet_hours);
    }
    if !changes.settings.is_empty() || !changes.unset.is_empty() {
        let now: Channel = client.understand(&client.get(&["channels", channel], &[]).await?)?;
        let fields = fields(client, &now.kind, format).await?;
        let form = Form { id: &now.kind, fields: &fields };
        body["settings"] = partial(form, &changes.settings, &changes.unset)?.into();
        output::progress("Checking that it works", format);
    }
    Ok(body)
}

/// Settings to change, those to remove as null.
fn partial(form: Form, set: &[(String, String)], unset: &[String]) -> Result<Map<String, Value>, CliError> {
    let mut settings = settings::fill_for_service(form, set, Environment::Ignored)?;
    for key in unset {
        if settings::field(form, key).is_none() {
            return Err(settings::unknown(form, key));
        }
        if settings.insert(key.clone(), Value::Null).is_some() {
            let message = format!("{key} is both set and unset: which is meant?");
            return Err(CliError::input("setting-twice", message).with(json!({ "field": key })));
        }
    }
    Ok(settings)
}

/// The fields of a channel type of the service.
async fn fields(client: &Client, channel_type: &str, format: Format) -> Result<Vec<Field>, CliError> {
    let types: Vec<ChannelType> = client.items(&list(client, &["channel-types"], &[], None, format).await?)?;
    let known: Vec<String> = types.iter().map(|known| known.id.clone()).collect();
    let Some(found) = types.into_iter().find(|known| known.id == channel_type) else {
        let message = format!("the service has no channel type {channel_type:?}; it has: {}", known.join(", "));
        return Err(CliError::input("unknown-type", message).with(json!({ "known": known })));
    };
    Ok(found.fields.into_iter().map(field).collect())
}

/// A field as components describe it. What only the service checks is left to it.
fn field(field: wire::Field) -> Field {
    let options = field.options.unwrap_or_default().into_iter();
    let options = options.map(|option| ChoiceOption { value: option.value, label: option.label }).collect();
    Field {
        kind: settings::kind_named(&field.kind, options),
        key: field.key,
        label: field.label,
        help: field.help,
        required: field.required,
        default: None,
        rules: Vec::new(),
        hints: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Vec<Field> {
        let wire = json!([
            { "key": "url", "label": "URL", "kind": "secret-url", "required": true, "help": "" },
            { "key": "style", "label": "Style", "kind": "choice", "options": [{ "value": "short", "label": "Short" }] },
        ]);
        serde_json::from_value::<Vec<wire::Field>>(wire).unwrap().into_iter().map(field).collect()
    }

    fn change(set: &[(&str, &str)], unset: &[&str]) -> Result<Value, String> {
        let set: Vec<(String, String)> =
            set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let unset: Vec<String> = unset.iter().map(|key| (*key).to_owned()).collect();
        let fields = fields();
        partial(Form { id: "webhook", fields: &fields }, &set, &unset)
            .map(Value::Object)
            .map_err(|error| error.code.into_owned())
    }

    #[test]
    fn what_is_unset_goes_as_null_and_the_rest_stays_unsaid() {
        assert_eq!(change(&[("style", "short")], &[]), Ok(json!({ "style": "short" })));
        assert_eq!(change(&[], &["style"]), Ok(json!({ "style": null })));
    }

    #[test]
    fn a_key_cannot_be_both_set_and_unset_nor_be_unknown() {
        assert_eq!(change(&[("style", "short")], &["style"]), Err("setting-twice".to_owned()));
        assert_eq!(change(&[], &["styl"]), Err("unknown-setting".to_owned()));
        assert_eq!(change(&[("style", "long")], &[]), Err("bad-setting".to_owned()));
    }
}
