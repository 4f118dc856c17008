//! What a component says of a workspace: taken within limits, and with texts fit for people.

use crate::call::clean;
use crate::contract::connecting::connection::ConnectedWorkspace;
use crate::contract::listing::directory::Page;
use crate::contract::receiving::inbound::{Action, Lost, Reception, Renamed};
use crate::contract::types::{Failure, Target, Workspace};
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
/// What the component wants to know again of a workspace, in bytes.
const MEMO: usize = 4 << 10;
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

/// A workspace that was connected. One whose id is none is a fault: nobody could tell it from others. So is a memo that is
/// too long: a part of it might mean something else. The answer to a renewal need not say which workspace it is for.
pub(crate) fn connected(found: ConnectedWorkspace, is_renewal: bool) -> Result<ConnectedWorkspace, Failure> {
    let ConnectedWorkspace { workspace: Workspace { id, name, memo }, default_target, attributes } = found;
    if !(is_id(&id) || is_renewal && id.is_empty()) {
        return Err(outcome::plugin_fault(&format!(
            "it connected a workspace whose id is none; expected 1 to {ID} bytes without control characters, found {}.",
            id.len()
        )));
    }
    let memo: String = memo.chars().filter(|character| !character.is_control()).collect();
    if memo.len() > MEMO {
        return Err(outcome::plugin_fault(&format!(
            "it wants to know {} bytes of a workspace again; {MEMO} are the most.",
            memo.len()
        )));
    }
    let workspace = Workspace { name: named(&name, &id), id, memo };
    Ok(ConnectedWorkspace { workspace, default_target: default_target.and_then(target), attributes })
}

fn target(target: Target) -> Option<Target> {
    if !is_id(&target.id) {
        tracing::debug!("a target whose id is none is left out");
        return None;
    }
    Some(Target { name: named(&target.name, &target.id), ..target })
}

/// A name in one line, or the id where there is none.
fn named(name: &str, id: &str) -> String {
    let name = text::line(name.trim(), NAME);
    if name.is_empty() { id.to_owned() } else { name }
}

/// Nothing that a line could be changed by is in an id.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID && text::line(id, ID) == id
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

    fn target_named(id: &str, name: &str) -> Target {
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
            target_named("C1", "#sales\n\u{1b}[2J\u{202e}now"),
            target_named("C2", &long),
            target_named("C3", " \u{7} "),
            target_named("", "nothing"),
            target_named(&long, "long"),
            target_named("C\u{1f}4", "parted"),
            target_named("C\u{202e}5", "turned"),
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
        let many = (0..10_000).map(|number| target_named(&format!("C{number}"), "#many")).collect();
        let fault = page(Page { targets: many, next: None }).unwrap_err();
        assert_eq!(fault.code, outcome::PLUGIN_FAULT);
        assert!(fault.message.contains("a page of 10000 targets"), "{}", fault.message);
        assert!(page(Page { targets: Vec::new(), next: Some("x".repeat(1 << 20)) }).is_err());
    }

    fn workspace(id: &str, name: &str, memo: &str) -> ConnectedWorkspace {
        let workspace = Workspace { id: id.to_owned(), name: name.to_owned(), memo: memo.to_owned() };
        ConnectedWorkspace { workspace, default_target: None, attributes: Vec::new() }
    }

    #[test]
    fn a_workspace_has_a_name_of_one_line_and_a_default_target_that_is_one() {
        let asked = |name: &str| connected(workspace("T1", name, "U0BOT\n{}"), false).unwrap().workspace;
        assert_eq!(asked("Acme\r\n\u{202e}moc.live\u{1b}[2J").name, "Acme moc.live [2J");
        assert_eq!(asked(&"x".repeat(1 << 20)).name.chars().count(), NAME + 1);
        let nameless = asked(" \u{2028} ");
        assert_eq!((nameless.name.as_str(), nameless.memo.as_str()), ("T1", "U0BOT{}"));
        let chosen = |target| {
            let default_target = Some(target);
            connected(ConnectedWorkspace { default_target, ..workspace("T1", "Acme", "") }, false)
                .unwrap()
                .default_target
        };
        assert_eq!(chosen(target_named("C1", "#sales\n\u{202e}now")).unwrap().name, "#sales now");
        assert!(chosen(target_named("", "#sales")).is_none());
    }

    #[test]
    fn a_workspace_without_an_id_or_with_a_memo_of_a_megabyte_is_a_fault() {
        for id in ["", "T\n1", "T\u{202e}1", &"T".repeat(1 << 20)] {
            let fault = connected(workspace(id, "Acme", ""), false).unwrap_err();
            assert_eq!(fault.code, outcome::PLUGIN_FAULT);
            assert!(fault.message.contains("whose id is none") && fault.message.len() < 500, "{}", fault.message);
        }
        assert!(connected(workspace("", "", ""), true).is_ok(), "the answer to a renewal need not say it");
        assert!(connected(workspace("T1", "Acme", &"x".repeat(MEMO)), false).is_ok());
        let fault = connected(workspace("T1", "Acme", &"x".repeat(1 << 20)), false).unwrap_err();
        assert!(fault.message.contains("1048576 bytes"), "{}", fault.message);
    }
}
