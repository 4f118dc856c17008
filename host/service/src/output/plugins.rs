//! The components that a service has, and what each may do.

use super::table::table;
use crate::client::wire::{Granted, Plugin};

/// All components.
pub(crate) fn list(plugins: &[Plugin]) -> String {
    let rows = plugins.iter().map(|plugin| {
        let hash = plugin.sha256.get(..12).unwrap_or(&plugin.sha256).to_owned();
        let from = plugin.file.clone().unwrap_or_else(|| plugin.origin.clone());
        let version = plugin.version.clone().unwrap_or_default();
        [plugin.id.clone(), plugin.name.clone(), version, from, may(plugin), hash]
    });
    table(["Type", "Name", "Version", "From", "May send to", "SHA-256"], rows)
}

/// What became of a grant, in one line.
pub(crate) fn changed(plugin: &Plugin) -> String {
    super::clean(&match plugin.granted {
        Some(_) => format!("{} may send to {}", plugin.id, may(plugin)),
        None => format!("{} may send nowhere: its channels are held", plugin.id),
    })
}

fn may(plugin: &Plugin) -> String {
    match (&plugin.error, &plugin.granted) {
        (Some(error), _) => format!("does not load: {error}"),
        (None, None) => "nothing: not granted".to_owned(),
        (None, Some(Granted { hosts: Some(hosts) })) => hosts.join(", "),
        (None, Some(Granted { hosts: None })) => plugin.destinations.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn plugin(granted: &Value) -> Plugin {
        serde_json::from_value(
            json!({ "id": "pager", "name": "Pager", "version": "1.0.0", "sha256": "0123456789abcdef",
            "size": 1, "origin": "file", "destinations": ["events.pager.example"], "granted": granted }),
        )
        .unwrap()
    }

    #[test]
    fn a_grant_without_hosts_is_for_all_that_is_described() {
        assert_eq!(changed(&plugin(&json!({ "hosts": null }))), "pager may send to events.pager.example");
        assert_eq!(changed(&plugin(&json!({ "hosts": ["a.example"] }))), "pager may send to a.example");
    }

    #[test]
    fn what_is_not_granted_says_so() {
        assert!(list(&[plugin(&Value::Null)]).contains("nothing: not granted"));
        assert_eq!(changed(&plugin(&Value::Null)), "pager may send nowhere: its channels are held");
    }
}
