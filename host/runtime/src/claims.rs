//! What a component says of a workspace: taken within limits, and with texts fit for people.

use crate::call::clean;
use crate::contract::listing::directory::Page;
use crate::contract::receiving::inbound::{Action, Lost, Reception, Renamed};
use crate::contract::types::{Failure, Target};
use crate::gate::mask::Masks;
use crate::outcome;
use crate::plugin::Plugin;
use crate::text;

/// Targets of one page, at most.
const TARGETS: usize = 2_000;
/// The longest id, in bytes.
const ID: usize = 255;
/// The longest name, in characters.
const NAME: usize = 200;
/// The longest cursor, in bytes.
const CURSOR: usize = 4 << 10;
/// Things that one message changes, at most.
const ACTIONS: usize = 100;
/// What one message is known by, at most.
const IDS: usize = 10;

/// A page of targets. Those whose id is none are left out; a page of another size than a page has is a fault.
pub(crate) fn page(page: Page) -> Result<Page, Failure> {
    let (count, cursor) = (page.targets.len(), page.next.as_ref().map_or(0, String::len));
    if count > TARGETS || cursor > CURSOR {
        return Err(outcome::plugin_fault(&format!(
            "it listed a page of {count} targets with a cursor of {cursor} bytes; {TARGETS} and {CURSOR} are the most"
        )));
    }
    Ok(Page { targets: page.targets.into_iter().filter_map(target).collect(), next: page.next })
}

fn target(target: Target) -> Option<Target> {
    if !is_id(&target.id) {
        tracing::debug!("a target whose id is none is left out");
        return None;
    }
    let name = text::line(target.name.trim(), NAME);
    let name = if name.is_empty() { target.id.clone() } else { name };
    Some(Target { name, ..target })
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= ID && !text.chars().any(char::is_control)
}

/// What has to be changed. Of what has no id or name nothing is.
pub(crate) fn actions(plugin: &Plugin, actions: Vec<Action>, masks: &Masks) -> Vec<Action> {
    let action = |action| match action {
        Action::Disconnect(failure) => Some(Action::Disconnect(clean(plugin, failure, masks))),
        Action::Rename(Renamed { target, name }) => {
            let name = text::line(name.trim(), NAME);
            (is_id(&target) && !name.is_empty()).then_some(Action::Rename(Renamed { target, name }))
        }
        Action::Lose(Lost { target, failure }) => {
            is_id(&target).then(|| Action::Lose(Lost { target, failure: clean(plugin, failure, masks) }))
        }
        Action::Find(target) => is_id(&target).then_some(Action::Find(target)),
        Action::Other(other) => Some(Action::Other(other)),
    };
    actions.into_iter().take(ACTIONS).filter_map(action).collect()
}

/// What a message turned out to be.
pub(crate) fn reception(mut reception: Reception) -> Reception {
    reception.message_ids.truncate(IDS);
    reception
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::types::TargetKind;

    fn named(id: &str, name: &str) -> Target {
        Target {
            id: id.to_owned(),
            name: name.to_owned(),
            kind: TargetKind::Other,
            reachable: true,
            attributes: Vec::new(),
        }
    }

    #[test]
    fn names_are_cut_to_a_line_and_targets_without_an_id_are_left_out() {
        let long = "x".repeat(1 << 20);
        let targets = vec![
            named("C1", "#sales\n\u{1b}[2J\u{202e}now"),
            named("C2", &long),
            named("C3", " \u{7} "),
            named("", "nothing"),
            named(&long, "long"),
            named("C\u{1f}4", "parted"),
        ];
        let kept = page(Page { targets, next: Some("next".to_owned()) }).unwrap();
        let said: Vec<(&str, &str)> =
            kept.targets.iter().map(|target| (target.id.as_str(), target.name.as_str())).collect();
        assert_eq!(said[0], ("C1", "#sales [2J now"));
        assert_eq!((said[1].0, said[1].1.chars().count()), ("C2", NAME + 1));
        assert_eq!(said[2..], [("C3", "C3")]);
        assert_eq!(kept.next.as_deref(), Some("next"));
    }

    #[test]
    fn a_page_of_ten_thousand_targets_or_with_a_cursor_of_a_megabyte_is_a_fault() {
        let many = (0..10_000).map(|number| named(&format!("C{number}"), "#many")).collect();
        let fault = page(Page { targets: many, next: None }).unwrap_err();
        assert_eq!(fault.code, outcome::PLUGIN_FAULT);
        assert!(fault.message.contains("a page of 10000 targets"), "{}", fault.message);
        assert!(page(Page { targets: Vec::new(), next: Some("x".repeat(1 << 20)) }).is_err());
    }
}
