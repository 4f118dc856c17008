//! The audit log.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::table::{plain, table, when};
use crate::client::wire::AuditEntry;

/// Some of the log.
pub(crate) fn list(entries: &[AuditEntry], zone: &TimeZone) -> String {
    if entries.is_empty() {
        return "Nothing was changed yet.".to_owned();
    }
    let rows = entries.iter().map(|entry| {
        let actor = [entry.actor.name.as_deref(), entry.actor.role.as_deref()];
        let object = [Some(entry.object.kind.as_str()), entry.object.name.as_deref().or(entry.object.id.as_deref())];
        [
            entry.number.to_string(),
            when(&entry.at, zone),
            actor.into_iter().flatten().collect::<Vec<_>>().join(", "),
            entry.source.clone().unwrap_or_default(),
            entry.action.clone(),
            object.into_iter().flatten().collect::<Vec<_>>().join(" "),
            change(&entry.before, &entry.after),
        ]
    });
    table(["No.", "At", "Who", "From", "Did", "To", "Change"], rows)
}

/// What differs between before and after; nothing where something was made or removed as a whole.
fn change(before: &Value, after: &Value) -> String {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return String::new() };
    let mut keys: Vec<&String> = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key))).collect();
    keys.retain(|key| before.get(*key) != after.get(*key));
    let side = |side: Option<&Value>| side.map(plain).filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
    let told: Vec<String> =
        keys.iter().map(|key| format!("{key}: {} → {}", side(before.get(*key)), side(after.get(*key)))).collect();
    told.join("; ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_tells_what_differs() {
        let (before, after) =
            (json!({ "plan": "free", "name": "Acme" }), json!({ "plan": "paid", "name": "Acme", "locale": "de" }));
        assert_eq!(change(&before, &after), "plan: free → paid; locale: - → de");
        assert_eq!(change(&Value::Null, &after), "");
    }

    #[test]
    fn an_entry_tells_who_did_what_to_what() {
        let entry = json!({ "number": 7, "at": "2026-11-23T12:00:00.000Z", "actor": { "token": "t", "name": "ada", "role": "admin" },
            "source": "127.0.0.1", "action": "channel.paused", "object": { "kind": "channel", "id": "c-1", "name": "sales" },
            "before": null, "after": null, "hash": "00" });
        let text = list(&[serde_json::from_value(entry).unwrap()], &TimeZone::UTC);
        for part in ["7", "ada, admin", "127.0.0.1", "channel.paused", "channel sales"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
