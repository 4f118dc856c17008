//! `pqh connection` and what other commands make of connected workspaces: the real program, beside a real `pqh serve`.

use pqh_tests::browser::PUBLIC;
use pqh_tests::service::{ServiceProgram, Setup};
use pqh_tests::slack_api::{Channel, User};
use pqh_tests::slack_app::{ADA, SALES, SlackApp, TEAM, TYPE};
use serde_json::{Value, json};

use crate::scenario::text;
use program::Person;

#[path = "../support/program.rs"]
mod program;

/// Another workspace, which is called as the first.
const TWIN: &str = "T0TWIN";

/// A service of its own process, Slack, and an administrator at a terminal.
struct Terminal {
    service: ServiceProgram,
    slack: SlackApp,
    admin: Person,
}

impl Terminal {
    async fn new() -> Self {
        let slack = SlackApp::start().await.unwrap();
        let twin = slack.slack.add_workspace(TWIN, "Acme");
        twin.add_user(User::new(ADA, "ada", "Ada Lovelace", "ada@example.com"));
        twin.add_channel(Channel::public(SALES, "sales").with_member(ADA));
        let setup = Setup::default().with("PQH_EGRESS_UPSTREAMS", &slack.upstream());
        let setup = slack.settings().iter().fold(setup, |setup, (name, value)| setup.with(name, value));
        let service = setup.start().await.unwrap();
        let admin = Person::new(&service, &service.api().admin_token());
        Self { service, slack, admin }
    }

    /// What a command prints.
    async fn told(&self, words: &[&str]) -> String {
        self.admin.run(words).await.done()
    }

    async fn json(&self, words: &[&str]) -> Value {
        self.admin.run(&[words, &["--json"]].concat()).await.json()
    }

    /// What a command says that ends so.
    async fn refused(&self, code: i32, words: &[&str]) -> String {
        self.admin.run(words).await.ended(code)
    }

    /// Follows a link of the command line to its end, as a person does in a browser.
    async fn follow(&self, link: &str, team: &str) {
        let title = self.slack.connect(&self.service.api().base_url().unwrap(), link, team).await.unwrap();
        assert_eq!(title, "Slack workspace connected");
    }

    async fn connect(&self, team: &str) {
        let link = self.told(&["connection", "connect", TYPE]).await;
        self.follow(link.trim(), team).await;
    }
}

#[tokio::test]
async fn a_workspace_is_connected_used_and_disconnected_by_commands() {
    let terminal = Terminal::new().await;
    assert!(terminal.told(&["connection", "list"]).await.contains("`pqh connection connect TYPE`"));
    let begun = terminal.admin.run(&["connection", "connect", TYPE]).await;
    // The link alone is on standard output, so that a script can open it; until when it is good, beside it.
    let start = format!("{PUBLIC}/oauth/{TYPE}/start/");
    assert!(begun.stdout.starts_with(&start) && begun.stdout.trim().lines().count() == 1, "{begun:?}");
    assert!(begun.stderr.contains("be back before 20"), "{begun:?}");
    let begun = terminal.json(&["connection", "connect", TYPE]).await;
    assert!(begun["expires_at"].is_string(), "{begun}");
    terminal.follow(&text(&begun["url"]), TEAM).await;

    let listed = terminal.json(&["connection", "list"]).await;
    let id = text(&listed["items"][0]["id"]);
    assert!(terminal.told(&["connection", "list"]).await.contains("connected"));
    for name in [id.as_str(), TEAM, "Acme", "aCME"] {
        let shown = terminal.told(&["connection", "show", name]).await;
        assert!(shown.contains("Acme (T0ACME)") && shown.contains("#sales (C0SALES)"), "{shown}");
    }
    let targets = terminal.told(&["connection", "targets", "Acme"]).await;
    for part in ["#sales", "C0SALES", "#ops", "public channel", "@ada", "person"] {
        assert!(targets.contains(part), "no {part}: {targets}");
    }
    let found = terminal.json(&["connection", "targets", TEAM, "SAL"]).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    let first = terminal.admin.run(&["connection", "targets", "Acme", "--limit", "1"]).await;
    assert!(first.stderr.contains("There are more"), "{first:?}");

    let add = ["channel", "add", "Sales", "--type", TYPE, "--set", "channel=C0SALES"];
    let added = terminal.told(&add).await;
    assert!(added.contains("Workspace    Acme") && added.contains("#sales"), "{added}");
    let named = ["channel", "add", "Ops", "--type", TYPE, "--connection", "acme", "--set", "channel=C0OPS"];
    assert_eq!(terminal.json(&named).await["connection"]["id"], id.as_str());
    let channels = terminal.told(&["channel", "list"]).await;
    assert!(channels.contains("#ops, Acme") && channels.contains("#sales, Acme"), "{channels}");
    let told = terminal.told(&["channel", "test", "Sales"]).await;
    assert!(told.contains("Delivered to Sales"), "{told}");
    assert_eq!(terminal.slack.workspace().posted().len(), 1);

    let used = terminal.refused(1, &["connection", "disconnect", "Acme"]).await;
    assert!(used.contains("\"Sales\"") && used.contains("\"Ops\"") && used.contains("--force"), "{used}");
    terminal.told(&["connection", "disconnect", "Acme", "--force"]).await;
    let shown = terminal.told(&["connection", "show", &id]).await;
    assert!(shown.contains("disconnected") && shown.contains("pqh connection connect slack-app"), "{shown}");
    let paused = terminal.told(&["channel", "show", "Sales"]).await;
    assert!(paused.contains("paused") && paused.contains("Acme (disconnected)"), "{paused}");
    let gone = terminal.refused(1, &["connection", "targets", "Acme"]).await;
    assert!(gone.contains("was disconnected"), "{gone}");
    // Again is no error: it is what was wanted.
    terminal.told(&["connection", "disconnect", &id]).await;
}

#[tokio::test]
async fn two_workspaces_of_one_name_are_told_apart_by_their_ids() {
    let terminal = Terminal::new().await;
    terminal.connect(TEAM).await;
    terminal.connect(TWIN).await;
    let all = terminal.json(&["connection", "list"]).await;
    let ids: Vec<String> = all["items"].as_array().unwrap().iter().map(|found| text(&found["id"])).collect();
    assert_eq!(ids.len(), 2, "{all}");
    let add = ["channel", "add", "Sales", "--type", TYPE, "--set", "channel=C0SALES"];
    let with = |name: &'static str| [add.as_slice(), &["--connection", name]].concat();
    let commands: [(i32, Vec<&str>); 5] = [
        (1, vec!["connection", "show", "Acme"]),
        (1, vec!["connection", "targets", "acme"]),
        (1, vec!["connection", "disconnect", "Acme"]),
        (2, add.to_vec()),
        (2, with("Acme")),
    ];
    for (code, command) in commands {
        let said = terminal.refused(code, &command).await;
        assert!(ids.iter().all(|id| said.contains(id)), "{command:?}: {said}");
    }
    assert_eq!(terminal.json(&["connection", "show", TWIN]).await["id"], ids[1].as_str());
    assert_eq!(terminal.json(&with(TWIN)).await["connection"]["id"], ids[1].as_str());
}

#[tokio::test]
async fn bad_input_of_each_command_says_what_was_expected_and_what_came() {
    let terminal = Terminal::new().await;
    let webhook = ["channel", "add", "W", "--type", "slack-webhook", "--connection", "Acme", "--set", "url=@none.txt"];
    let unknown = ["channel", "add", "S", "--type", TYPE, "--connection", "Else", "--set", "channel=C0SALES"];
    let none = ["channel", "add", "S", "--type", TYPE, "--set", "channel=C0SALES"];
    std::fs::write(terminal.service.folder().join("none.txt"), "https://hooks.slack.com/services/T0/B0/abcdefgh")
        .unwrap();
    let before: &[(i32, &[&str], &[&str])] = &[
        (1, &["connection", "connect", "chat"], &["\"chat\"", TYPE]),
        (1, &["connection", "connect", "webhook"], &["webhook needs no connection"]),
        (2, &["connection", "connect"], &["<TYPE>"]),
        (1, &["connection", "show", "Else"], &["There is no connection \"Else\""]),
        (2, &["connection", "show", ""], &["expected an id or a name"]),
        (1, &["connection", "targets", "Else"], &["no connection \"Else\""]),
        (2, &["connection", "targets", "Else", "--limit", "0"], &["--limit"]),
        (1, &["connection", "disconnect", "Else", "--force"], &["no connection \"Else\""]),
        (2, &webhook, &["needs no connection"]),
        (2, &none, &["none yet", "pqh connection connect slack-app"]),
    ];
    terminal_refuses(&terminal, before).await;
    terminal.connect(TEAM).await;
    let id = text(&terminal.json(&["connection", "list"]).await["items"][0]["id"]);
    terminal_refuses(&terminal, &[(2, &unknown, &["\"Else\"", &id, "Acme"])]).await;
    let publisher = Person::new(&terminal.service, &terminal.service.api().publisher_token());
    for command in [["connection", "list"].as_slice(), &["connection", "connect", TYPE], &["connection", "show", &id]] {
        let said = publisher.run(command).await.ended(1);
        assert!(said.contains("PQH_TOKEN"), "{said}");
    }
}

async fn terminal_refuses(terminal: &Terminal, table: &[(i32, &[&str], &[&str])]) {
    for (code, command, parts) in table {
        let said = terminal.refused(*code, command).await;
        assert!(parts.iter().all(|part| said.contains(part)), "{command:?} does not say {parts:?}: {said}");
    }
}

#[tokio::test]
async fn a_service_without_the_section_says_what_the_operator_has_to_write() {
    let service = Setup::default().start().await.unwrap();
    let admin = Person::new(&service, &service.api().admin_token());
    let said = admin.run(&["connection", "connect", TYPE]).await.ended(1);
    assert!(said.contains("public_url") && said.contains("[connections.slack-app]"), "{said}");
    let types = admin.run(&["channel", "types"]).await.done();
    assert!(types.contains("pqh connection connect slack-app; an operator has to set that up first"), "{types}");
}

#[tokio::test]
async fn without_a_service_a_message_for_a_workspace_is_previewed_and_not_sent() {
    let terminal = Terminal::new().await;
    let event = pqh_tests::program::event("daily-sales-triggered");
    let settings = ["--type", TYPE, "--set", "channel=C0123"];
    for command in [["send", event.as_str()].as_slice(), &["check"]] {
        let words = [command, &settings].concat();
        let said = terminal.refused(2, &words).await;
        for part in ["pqh serve", "pqh connection connect slack-app", "pqh channel test", "pqh preview"] {
            assert!(said.contains(part), "{command:?} does not say {part}: {said}");
        }
        let told = terminal.admin.run(&[words.as_slice(), &["--json"]].concat()).await;
        let error: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(error["error"]["code"], "needs-connection");
    }
    let preview = [["preview", event.as_str()].as_slice(), &settings, &["--json"]].concat();
    let shown = terminal.admin.run(&preview).await.json();
    let request = &shown["requests"][0];
    assert_eq!((text(&request["url"]).as_str(), &request["body"]["channel"]), (POST, &json!("C0123")), "{shown}");
    assert_eq!((&request["credentials"], &request["verdict"]), (&json!(["token"]), &json!("allowed")));
}

const POST: &str = "https://slack.com/api/chat.postMessage";

#[tokio::test]
async fn the_service_previews_a_channel_of_a_workspace_and_one_that_is_not_connected_yet() {
    let terminal = Terminal::new().await;
    let api = terminal.service.api().clone();
    let preview = async |with: Value| {
        let event = json!({ "id": "e-1", "title": "Daily Sales Alert", "test": {} });
        let body = [with, json!({ "event": event })];
        let body: Value = body.iter().flat_map(|part| part.as_object().unwrap().clone()).collect();
        api.create("/v1/channels/preview", &body).await.unwrap()
    };
    let settings = json!({ "type": TYPE, "settings": { "channel": "C0SALES" } });
    let before = preview(settings.clone()).await;
    terminal.connect(TEAM).await;
    terminal.told(&["channel", "add", "Sales", "--type", TYPE, "--set", "channel=C0SALES"]).await;
    let posted = terminal.slack.workspace().posted().len();
    for shown in [before, preview(settings).await, preview(json!({ "channel": "Sales" })).await] {
        assert_eq!(shown["requests"][0]["url"], POST, "{shown}");
        assert_eq!(shown["requests"][0]["body"]["channel"], "C0SALES");
        assert_eq!(shown["requests"].as_array().unwrap().len(), 1, "{shown}");
    }
    assert_eq!(terminal.slack.workspace().posted().len(), posted, "a preview sends nothing");
}

#[tokio::test]
async fn targets_are_there_while_more_are_loading_and_that_is_said() {
    let terminal = Terminal::new().await;
    // More than Slack lists within a minute.
    for number in 0..6_000 {
        let channel = Channel::public(&format!("C1{number:06}"), &format!("team-{number:06}"));
        terminal.slack.workspace().add_channel(channel);
    }
    terminal.connect(TEAM).await;
    let some = terminal.admin.run(&["connection", "targets", "Acme", "team", "--limit", "3"]).await;
    assert_eq!(some.code, Some(0), "{some:?}");
    assert!(some.stdout.contains("#team-0"), "{some:?}");
    assert!(some.stderr.contains("More are still loading"), "{some:?}");
    assert_eq!(terminal.json(&["connection", "targets", "Acme"]).await["loading"], true);
}

#[tokio::test]
async fn a_lost_connection_says_why_and_what_to_do_and_goes_on_when_it_is_connected_again() {
    let terminal = Terminal::new().await;
    terminal.connect(TEAM).await;
    terminal.told(&["channel", "add", "Sales", "--type", TYPE, "--set", "channel=C0SALES"]).await;
    terminal.slack.workspace().uninstall();
    terminal.refused(1, &["channel", "test", "Sales"]).await;
    let shown = terminal.told(&["connection", "show", "Acme"]).await;
    for part in ["Status      lost", "Slack workspace not connected", "reconnect your workspace", "Sales"] {
        assert!(shown.contains(part), "no {part}: {shown}");
    }
    for command in [["connection", "list"], ["channel", "list"]] {
        assert!(terminal.told(&command).await.contains("lost"));
    }
    let said = terminal.refused(1, &["connection", "targets", "Acme"]).await;
    assert_eq!(said.matches("reconnect your workspace").count(), 1, "{said}");
    let metrics = format!("{}/metrics", terminal.service.api().base_url().unwrap());
    let lost = async || reqwest::get(&metrics).await.unwrap().text().await.unwrap();
    assert!(lost().await.contains("pqh_lost_connections 1"));

    terminal.connect(TEAM).await;
    assert!(terminal.told(&["connection", "show", "Acme"]).await.contains("Status      connected"));
    assert!(terminal.told(&["channel", "show", "Sales"]).await.contains("Status       active"));
    assert!(lost().await.contains("pqh_lost_connections 0"));
    let told = terminal.told(&["channel", "test", "Sales"]).await;
    assert!(told.contains("Delivered to Sales"), "{told}");
}
