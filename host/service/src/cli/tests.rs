//! The command line as a whole, and what it refuses before anything is asked of a service.

use clap::CommandFactory as _;

use super::*;

fn parse(line: &str) -> Result<Command, clap::error::ErrorKind> {
    Cli::try_parse_from(line.split_whitespace()).map(|cli| cli.command).map_err(|error| error.kind())
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn the_server_may_be_named_before_and_after_the_command() {
    for line in ["pqh channel --server http://a list", "pqh channel list --server http://a"] {
        let Ok(Command::Channel { server, .. }) = parse(line) else { panic!("{line}") };
        assert_eq!(server.server.as_deref(), Some("http://a"));
    }
}

#[test]
fn plugins_are_those_at_hand_unless_a_server_is_asked() {
    let list = |line| match parse(line) {
        Ok(Command::Plugin { command: PluginCommand::List { server, .. } }) => server,
        other => panic!("{other:?}"),
    };
    assert_eq!(list("pqh plugin list"), None);
    assert_eq!(list("pqh plugin list --server"), Some(String::new()));
    assert_eq!(list("pqh plugin list --server http://a"), Some("http://a".to_owned()));
}

#[test]
fn the_operator_says_plans_and_the_admin_the_rest() {
    assert!(parse("pqh org set o-1 --plan free").is_ok());
    assert!(parse("pqh org set --timezone Europe/Berlin --notice-channel ops").is_ok());
    for wrong in [
        "pqh org set",
        "pqh org set --plan free",
        "pqh org set o-1 --locale de-DE",
        "pqh org set --notice-channel ops --no-notice-channels",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_replay_is_of_one_delivery_or_of_some_and_never_of_all_by_omission() {
    assert!(parse("pqh deliveries replay d-1").is_ok());
    assert!(parse("pqh deliveries replay --channel sales --since 2h").is_ok());
    assert!(parse("pqh deliveries replay").is_err());
    assert!(parse("pqh deliveries replay d-1 --code x").is_err());
}

#[test]
fn a_list_is_cut_or_whole() {
    let limit = |line| match parse(line) {
        Ok(Command::Deliveries { command: DeliveriesCommand::List { list, .. }, .. }) => list.limit(),
        other => panic!("{other:?}"),
    };
    assert_eq!(limit("pqh deliveries list"), Some(50));
    assert_eq!(limit("pqh deliveries list --limit 7"), Some(7));
    assert_eq!(limit("pqh deliveries list --all"), None);
    assert!(parse("pqh deliveries list --all --limit 7").is_err());
    assert!(parse("pqh deliveries list --limit 0").is_err());
}

#[test]
fn waiting_does_not_take_the_event_for_its_seconds() {
    let wait = |line| match parse(line) {
        Ok(Command::Event { command: EventCommand::Post { wait, .. }, .. }) => wait.map(|wait| wait.as_secs()),
        other => panic!("{other:?}"),
    };
    assert_eq!(wait("pqh event post --channel a e.json"), None);
    assert_eq!(wait("pqh event post --channel a --wait e.json"), Some(30));
    assert_eq!(wait("pqh event post --channel a --wait=5 e.json"), Some(5));
    assert!(parse("pqh event post e.json").is_err());
}

#[test]
fn a_change_of_a_channel_says_what_changes() {
    assert!(parse("pqh channel update sales --alias revenue").is_ok());
    assert!(parse("pqh channel update sales --unset note --if-version 3").is_ok());
    assert!(parse("pqh channel update sales --if-version 3").is_err());
}

#[test]
fn an_alert_is_added_by_its_parts_or_by_a_file() {
    assert!(parse("pqh alert add Revenue --rule Revenue<50000 --channel sales --cooldown 30m").is_ok());
    assert!(parse("pqh alert add --file alert.json").is_ok());
    for wrong in [
        "pqh alert add",
        "pqh alert add Revenue",
        "pqh alert add Revenue --rule Revenue<50000",
        "pqh alert add Revenue --rule Revenue<50000 --channel sales --report-url https://a.example",
        "pqh alert add Revenue --rule Revenue<50000 --channel sales --file alert.json",
        "pqh alert add --file alert.json --cooldown 30m",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_change_of_an_alert_says_what_changes() {
    assert!(parse("pqh alert update Revenue --rule Revenue<40000 --if-version 3").is_ok());
    assert!(parse("pqh alert update Revenue --no-labels").is_ok());
    assert!(parse("pqh alert update Revenue --severity critical").is_ok());
    for wrong in [
        "pqh alert update Revenue",
        "pqh alert update Revenue --if-version 3",
        "pqh alert update R --label a=b --no-labels",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_alert_is_muted_for_some_time_or_until_then_and_checked_with_values() {
    assert!(parse("pqh alert mute Revenue").is_ok());
    assert!(parse("pqh alert mute Revenue --for 2h").is_ok());
    assert!(parse("pqh alert mute Revenue --for 2h --until 2026-11-23T12:00:00Z").is_err());
    assert!(parse("pqh alert check Revenue --value Revenue=8750 --at 5m").is_ok());
    assert!(parse("pqh alert check Revenue").is_err());
}

#[test]
fn quiet_hours_are_said_or_ended_and_what_is_no_such_hours_is_refused() {
    let update = |hours: &[&str]| {
        let line = ["pqh", "channel", "update", "sales"].iter().chain(hours);
        Cli::try_parse_from(line).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(
        update(&["--quiet-hours", "mon-fri 22:00-07:00 Europe/Berlin", "--quiet-hours", "sat,sun 00:00-24:00"]),
        Ok(())
    );
    assert_eq!(update(&["--no-quiet-hours"]), Ok(()));
    assert!(update(&["--no-quiet-hours", "--quiet-hours", "22:00-07:00"]).is_err());
    let refused = update(&["--quiet-hours", "22:00-07:00 Berlin"]).unwrap_err();
    assert!(refused.contains("expected a time zone of the IANA database"), "{refused}");
}

#[test]
fn only_one_delivery_is_replayed_by_force() {
    assert!(parse("pqh deliveries replay d-1 --force").is_ok());
    assert!(parse("pqh deliveries replay --channel sales --force").is_err());
    assert!(parse("pqh deliveries replay --force").is_err());
}

#[test]
fn a_connection_is_named_and_its_targets_may_be_searched_and_cut() {
    assert!(parse("pqh connection connect chat --json").is_ok());
    assert!(parse("pqh connection targets Acme sales --limit 5").is_ok());
    assert!(parse("pqh channel add sales --type chat --connection Acme --set channel=C1").is_ok());
    for wrong in [
        "pqh connection connect",
        "pqh connection show",
        "pqh connection targets",
        "pqh connection targets Acme --limit 0",
        "pqh connection disconnect",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
