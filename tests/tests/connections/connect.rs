//! The guide's steps 1 and 2: a workspace is connected, and connected again.

use std::sync::Arc;

use reqwest::{Method, Url};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, Row as _, SqliteConnection};
use tokio::sync::Notify;

use pqh_tests::slack_api::{Approval, Channel, Misbehaviour, User};

use crate::scenario::{MINUTE, Scenario, event, eventually, text};
use crate::world::{ADA, TEAM, TYPE, World};

/// How many rows a table has.
pub async fn rows(scenario: &Scenario, table: &str) -> i64 {
    let file = SqliteConnectOptions::new().filename(scenario.folder().join("pqh.db")).read_only(true);
    let mut database = SqliteConnection::connect_with(&file).await.unwrap();
    let counted = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
    counted.fetch_one(&mut database).await.unwrap().get(0)
}

/// The audit log's entries of these actions, oldest first: action, who, and what.
pub async fn audited(scenario: &Scenario, prefix: &str) -> Vec<(String, String, String)> {
    let entries = scenario.list("/v1/audit").await;
    let entry = |entry: &Value| {
        let part = |pointer: &str| text(entry.pointer(pointer).unwrap_or_else(|| panic!("{pointer}: {entry:#}")));
        (part("/action"), part("/actor/name"), part("/object/name"))
    };
    entries.iter().rev().map(entry).filter(|(action, ..)| action.starts_with(prefix)).collect()
}

/// The value of a parameter of an address.
pub fn parameter(url: &str, name: &str) -> String {
    let url = Url::parse(url).unwrap();
    let found: Vec<String> =
        url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect();
    assert_eq!(found.len(), 1, "{name} in {url}");
    found.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_workspace_is_connected_and_a_message_arrives() {
    let world = World::new().await;
    let connection = world.connect().await;
    assert_eq!(connection["status"], "connected", "{connection:#}");
    assert_eq!(connection["workspace"], json!({ "id": "T0ACME", "name": "Acme" }));
    assert_eq!(connection["default_target"]["name"], "#sales");
    let channel = world.channel("Sales", "C0SALES").await;
    assert_eq!(channel["connection"]["name"], "Acme", "{channel:#}");
    let id = world.scenario.publish_event("Sales", &event("Hello Slack")).await;
    let delivery = world.scenario.until(&id, "delivered").await;
    assert!(delivery["receipt"]["permalink"].is_string(), "{delivery:#}");
    assert_eq!(world.acme().posted().len(), 1);
}

#[tokio::test]
async fn only_administrators_of_a_paying_organization_begin() {
    let world = World::new().await;
    let scenario = &world.scenario;
    let path = format!("/v1/connections/{TYPE}/authorize");
    for role in ["publisher", "member"] {
        let token = scenario.token(role).await;
        scenario.ask(Method::POST, &path, &token, None).await.problem(403, "forbidden");
    }
    scenario.ask(Method::POST, &path, &scenario.operator, None).await.problem(403, "forbidden");
    scenario.ask(Method::POST, &path, "", None).await.problem(401, "unauthenticated");
    scenario.set_plan("free").await;
    let refused = scenario.act(&path).await.problem(403, "channel-access-restricted");
    assert!(text(&refused["detail"]).starts_with("Channel Access Restricted. Expected"), "{refused:#}");
    assert_eq!(rows(scenario, "authorizations").await, 0);
}

#[tokio::test]
async fn what_cannot_be_connected_says_why_and_what_to_do() {
    let folder = crate::world::folder_with_another_service();
    let plugins = folder.path().to_owned();
    let world = World::with(|_| {}, |config| config.plugins = Some(plugins)).await;
    let scenario = &world.scenario;
    let authorize = async |channel_type: &str| scenario.act(&format!("/v1/connections/{channel_type}/authorize")).await;
    let refused = authorize("slack-webhook").await.problem(409, "nothing-to-connect");
    assert!(text(&refused["detail"]).contains("add channels of it at once"), "{refused:#}");
    let refused = authorize("discord").await.problem(404, "unknown-type");
    assert_eq!(refused["known"], json!(["other-service", TYPE]), "{refused:#}");
    let refused = authorize("other-service").await.problem(409, "not-granted");
    assert!(text(&refused["detail"]).contains("pqh plugin grant"), "{refused:#}");
    let granted = "/v1/plugins/other-service/grant";
    scenario.post_as(&scenario.operator, granted, &json!({})).await.ok();
    let refused = authorize("other-service").await.problem(409, "not-configured");
    assert!(text(&refused["detail"]).contains("[connections.other-service]"), "{refused:#}");
    let world = World::with(|_| {}, |config| config.public_url = None).await;
    let refused = world.scenario.act(&format!("/v1/connections/{TYPE}/authorize")).await;
    let refused = refused.problem(409, "not-configured");
    assert!(text(&refused["detail"]).contains("`public_url`"), "{refused:#}");
}

#[tokio::test]
async fn a_person_is_sent_to_the_service_once_with_all_that_it_needs_and_no_secret() {
    let world = World::new().await;
    let (browser, other) = (world.browser(), world.browser());
    let link = world.link(&world.scenario.admin).await;
    let page = browser.open(&link).await;
    let away = page.leads_to();
    assert!(away.starts_with("https://slack.com/oauth/v2/authorize?"), "{away}");
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    assert_eq!(page.html, "");
    let set = page.headers["set-cookie"].to_str().unwrap();
    let (pair, attributes) = set.split_once("; ").unwrap();
    // As long as somebody who comes back at the last moment has to answer.
    assert_eq!(attributes, "Path=/; Max-Age=1200; Secure; HttpOnly; SameSite=Lax");
    assert!(pair.starts_with("__Host-pqh-connect-"), "{pair}");
    assert_eq!(parameter(&away, "response_type"), "code");
    assert_eq!(parameter(&away, "client_id"), world.app.client_id);
    assert_eq!(parameter(&away, "redirect_uri"), format!("https://notify.example.com/oauth/{TYPE}/callback"));
    let mut scopes: Vec<String> = parameter(&away, "scope").split(',').map(str::to_owned).collect();
    let mut wanted = world.app.scopes.clone();
    scopes.sort();
    wanted.sort();
    assert_eq!(scopes, wanted);
    assert!(!away.contains(&world.app.client_secret) && !away.contains(pair.split_once('=').unwrap().1), "{away}");
    let second = other.open(&world.link(&world.scenario.admin).await).await.leads_to();
    let states = [&away, &second].map(|url| parameter(url, "state"));
    assert!(states[0] != states[1] && states.iter().all(|state| state.len() >= 43), "{states:?}");
    for browser in [&browser, &other] {
        assert_eq!(browser.open(&link).await.title(409), "This was used already");
    }
    assert_eq!(browser.cookies().len(), 1);
}

#[tokio::test]
async fn who_looks_at_a_link_without_opening_it_does_not_use_it_up() {
    let world = World::new().await;
    let scenario = &world.scenario;
    let (browser, link) = (world.browser(), world.link(&scenario.admin).await);
    let ahead = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-purpose", "prefetch")];
    let framed = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    for headers in [&[][..], &ahead, &framed] {
        let page = browser.fetch(Method::GET, &link, headers).await;
        assert_eq!(page.title(200), "Connect a Slack workspace to Acme");
        assert!(page.html.contains("<form method=\"post\">") && !page.html.contains("decision"), "{page:#?}");
        // Browsers look at each address that a form is sent on to, and Slack sends people to their workspace's own host.
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("form-action 'self' https:; frame-ancestors 'none'"), "{policy}");
        assert!(!page.headers.contains_key("set-cookie"), "{page:#?}");
    }
    let head = browser.fetch(Method::HEAD, &link, &[]).await;
    assert_eq!((head.status, head.html.as_str()), (200, ""));
    // Old browsers press the button.
    let away = browser.submit(&link, &[("answer", "connect")]).await.leads_to();
    assert!(away.starts_with("https://slack.com/"), "{away}");
    assert_eq!(browser.fetch(Method::GET, &link, &[]).await.title(409), "This was used already");
    assert_eq!(browser.submit(&link, &[("answer", "connect")]).await.title(409), "This was used already");
    let (link, late) = (world.link(&scenario.admin).await, world.link(&scenario.admin).await);
    assert_eq!(browser.fetch(Method::GET, &link.replace(TYPE, "email"), &[]).await.status, 400);
    scenario.pass(10 * MINUTE);
    assert_eq!(browser.fetch(Method::GET, &late, &[]).await.title(410), "This took too long");
}

#[tokio::test]
async fn the_code_is_exchanged_once_with_the_client_by_basic_and_the_same_redirect() {
    let world = World::new().await;
    world.connect().await;
    let calls = world.slack.calls("oauth.v2.access");
    assert_eq!(calls.len(), 1, "{calls:#?}");
    let names: Vec<&str> = calls[0].arguments.keys().map(String::as_str).collect();
    assert_eq!(names, ["code", "grant_type", "redirect_uri"]);
    assert_eq!(calls[0].arguments["redirect_uri"], world.app.redirect_url.as_str());
    let requests = world.slack.service().requests();
    let exchange = requests.iter().find(|request| request.path.ends_with("oauth.v2.access")).unwrap();
    assert!(exchange.header("authorization").unwrap().starts_with("Basic "), "{exchange:#?}");
}

#[tokio::test]
async fn nothing_is_kept_before_the_person_says_so() {
    let world = World::new().await;
    let browser = world.browser();
    let page = world.asked(&world.scenario.admin, &browser, &World::approval()).await;
    assert_eq!(page.title(200), "Connect Acme to Acme?");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self'; frame-ancestors 'none'"), "{policy}");
    for part in ["\u{201c}Acme\u{201d}", "of the organization", "Slack allowed PyQueryHub"] {
        assert!(page.html.contains(part), "{part} in {}", page.html);
    }
    let before = (rows(&world.scenario, "connections").await, rows(&world.scenario, "connection_secrets").await);
    assert_eq!((before, world.connections().await.len()), ((0, 0), 0));
    assert_eq!(world.slack.live_tokens().len(), 1);
    let done = browser.answer(TYPE, &page, "connect").await;
    assert_eq!(done.title(200), "Slack workspace connected");
    assert!(done.html.contains("You chose #sales as the default channel."), "{}", done.html);
    assert_eq!(rows(&world.scenario, "connections").await, 1);
    assert_eq!(browser.answer(TYPE, &page, "connect").await.title(409), "This was used already");
    assert_eq!(browser.answer(TYPE, &page, "decline").await.title(409), "This was used already");
    assert_eq!((world.connections().await.len(), world.slack.live_tokens().len()), (1, 1));
    let who = audited(&world.scenario, "connection.").await;
    assert_eq!(who, [("connection.connected".to_owned(), "first admin".to_owned(), "Acme".to_owned())]);
}

#[tokio::test]
async fn who_cancels_gives_the_permission_back() {
    let world = World::new().await;
    let browser = world.browser();
    let page = world.asked(&world.scenario.admin, &browser, &World::approval()).await;
    assert_eq!(browser.answer(TYPE, &page, "decline").await.title(200), "Not connected");
    assert_eq!(world.slack.revoked_tokens().len(), 1);
    assert_eq!((world.slack.live_tokens().len(), world.connections().await.len()), (0, 0));
    assert_eq!(rows(&world.scenario, "connections").await, 0);
    assert!(audited(&world.scenario, "connection.").await.is_empty());
}

#[tokio::test]
async fn a_question_that_nobody_answers_gives_the_permission_back_after_ten_minutes() {
    let world = World::new().await;
    let browser = world.browser();
    let away = browser.open(&world.link(&world.scenario.admin).await).await.leads_to();
    // At the last moment.
    world.scenario.pass(9 * MINUTE);
    let page = browser.open(&world.slack.approve(&away, &World::approval()).unwrap()).await;
    world.scenario.pass(9 * MINUTE);
    world.scenario.settle().await;
    assert_eq!(world.slack.live_tokens().len(), 1);
    world.scenario.pass(MINUTE);
    eventually("the token is revoked", || async {
        if world.slack.live_tokens().is_empty() { Ok(()) } else { Err(json!(world.slack.live_tokens().len())) }
    })
    .await;
    let late = browser.answer(TYPE, &page, "connect").await;
    assert!(matches!(late.status, 409 | 410) && late.html.contains("10 minutes"), "{late:#?}");
    assert_eq!(rows(&world.scenario, "connections").await, 0);
}

#[tokio::test]
async fn a_stop_gives_back_what_nobody_confirmed() {
    let mut world = World::new().await;
    let browser = world.browser();
    world.asked(&world.scenario.admin, &browser, &World::approval()).await;
    world.scenario.stop().await;
    assert_eq!((world.slack.live_tokens().len(), world.slack.revoked_tokens().len()), (0, 1));
}

#[tokio::test]
async fn two_flows_in_one_browser_do_not_get_into_each_others_way() {
    let world = World::new().await;
    let beta = world.slack.add_workspace("T0BETA", "Beta");
    beta.add_user(User::new("U0BOB", "bob", "Bob", "bob@example.com"));
    beta.add_channel(Channel::public("C0BETA", "beta"));
    let browser = world.browser();
    let first = browser.open(&world.link(&world.scenario.admin).await).await.leads_to();
    let second = browser.open(&world.link(&world.scenario.admin).await).await.leads_to();
    let approval = Approval::new("T0BETA", "U0BOB").to_channel("C0BETA");
    let first = browser.open(&world.slack.approve(&first, &World::approval()).unwrap()).await;
    let second = browser.open(&world.slack.approve(&second, &approval).unwrap()).await;
    assert_eq!(browser.answer(TYPE, &second, "connect").await.title(200), "Slack workspace connected");
    assert_eq!(browser.answer(TYPE, &first, "connect").await.title(200), "Slack workspace connected");
    let names: Vec<Value> = world.connections().await.iter().map(|held| held["workspace"]["name"].clone()).collect();
    assert_eq!(names, ["Beta", "Acme"]);
}

#[tokio::test]
async fn of_two_who_confirm_the_same_workspace_at_once_the_second_renews_it() {
    let world = World::new().await;
    let browsers = [world.browser(), world.browser()];
    let mut pages = Vec::new();
    for browser in &browsers {
        pages.push(world.asked(&world.scenario.admin, browser, &World::approval()).await);
    }
    let (first, second) =
        tokio::join!(browsers[0].answer(TYPE, &pages[0], "connect"), browsers[1].answer(TYPE, &pages[1], "connect"));
    for page in [first, second] {
        assert_eq!(page.title(200), "Slack workspace connected");
    }
    assert_eq!(world.connections().await.len(), 1);
    let actions: Vec<String> =
        audited(&world.scenario, "connection.").await.into_iter().map(|(action, ..)| action).collect();
    assert_eq!(actions, ["connection.connected", "connection.renewed"]);
    world.channel("Sales", "C0SALES").await;
    let id = world.scenario.publish("Sales", "Hello").await;
    world.scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn of_two_questions_with_the_same_token_one_can_be_cancelled() {
    // Without rotation Slack gives the same token again.
    let world = World::with(|app| app.rotates = false, |_| {}).await;
    let (one, other) = (world.browser(), world.browser());
    let cancelled = world.asked(&world.scenario.admin, &one, &World::approval()).await;
    let confirmed = world.asked(&world.scenario.admin, &other, &World::approval()).await;
    one.answer(TYPE, &cancelled, "decline").await.title(200);
    other.answer(TYPE, &confirmed, "connect").await.title(200);
    assert_eq!(world.slack.live_tokens().len(), 1);
    // And a reconnection can: what works goes on.
    let again = world.asked(&world.scenario.admin, &one, &World::approval()).await;
    assert!(again.html.contains(">Reconnect</button>"), "{}", again.html);
    one.answer(TYPE, &again, "decline").await.title(200);
    world.channel("Sales", "C0SALES").await;
    let id = world.scenario.publish("Sales", "Hello").await;
    world.scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn who_cancels_while_another_connects_with_the_same_token_does_not_kill_it() {
    let world = World::with(|app| app.rotates = false, |_| {}).await;
    let (one, other) = (world.browser(), world.browser());
    let cancelled = world.asked(&world.scenario.admin, &one, &World::approval()).await;
    let confirmed = world.asked(&world.scenario.admin, &other, &World::approval()).await;
    // Nothing can be written while somebody else writes.
    let file = SqliteConnectOptions::new().filename(world.scenario.folder().join("pqh.db"));
    let mut database = SqliteConnection::connect_with(&file).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut database).await.unwrap();
    let connecting = other.answer(TYPE, &confirmed, "connect");
    let cancelling = async {
        // Told as used once somebody decides it.
        eventually("that the other connects", || async {
            let begun = world.browser().answer(TYPE, &confirmed, "").await;
            if begun.status == 409 { Ok(()) } else { Err(json!(begun.status)) }
        })
        .await;
        one.answer(TYPE, &cancelled, "decline").await.title(200);
        assert_eq!((world.slack.revoked_tokens().len(), world.slack.requests("auth.revoke")), (0, 0));
        sqlx::query("ROLLBACK").execute(&mut database).await.unwrap();
    };
    let (connected, ()) = tokio::join!(connecting, cancelling);
    assert_eq!(connected.title(200), "Slack workspace connected");
    assert_eq!(world.slack.live_tokens().len(), 1);
    world.channel("Sales", "C0SALES").await;
    let id = world.scenario.publish("Sales", "Hello").await;
    world.scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn of_two_questions_with_the_same_token_that_are_both_cancelled_nothing_is_left() {
    let world = World::with(|app| app.rotates = false, |_| {}).await;
    let (one, other) = (world.browser(), world.browser());
    let first = world.asked(&world.scenario.admin, &one, &World::approval()).await;
    let second = world.asked(&world.scenario.admin, &other, &World::approval()).await;
    let (first, second) = tokio::join!(one.answer(TYPE, &first, "decline"), other.answer(TYPE, &second, "decline"));
    assert_eq!((first.title(200), second.title(200)), ("Not connected".to_owned(), "Not connected".to_owned()));
    assert_eq!(world.slack.live_tokens().len(), 0);
}

#[tokio::test]
async fn a_browser_that_goes_away_while_slack_is_asked_leaves_no_living_token() {
    let world = World::new().await;
    let browser = world.browser();
    let away = browser.open(&world.link(&world.scenario.admin).await).await.leads_to();
    let back = world.slack.approve(&away, &World::approval()).unwrap();
    let released = Arc::new(Notify::new());
    world.slack.next("oauth.v2.access", Misbehaviour::AnswerHeld(Arc::clone(&released)));
    let asking = tokio::spawn(async move { browser.open(&back).await });
    world.slack.wait_for_calls("oauth.v2.access", 1).await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    // Until the service has seen that it is gone.
    for _ in 0..20 {
        assert_eq!(world.connections().await.len(), 0);
    }
    released.notify_one();
    assert_eq!(world.slack.live_tokens().len(), 1);
    eventually("the token is given back", || async {
        world.scenario.pass(MINUTE);
        if world.slack.live_tokens().is_empty() { Ok(()) } else { Err(json!(world.slack.live_tokens().len())) }
    })
    .await;
    assert_eq!(rows(&world.scenario, "connections").await, 0);
}

#[tokio::test]
async fn what_an_error_of_ours_leaves_over_is_given_back() {
    let world = World::new().await;
    let (browser, admin) = (world.browser(), world.scenario.admin.clone());
    let page = world.asked(&admin, &browser, &World::approval()).await;
    let path = world.scenario.folder().join("pqh.db");
    let mut database = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await.unwrap();
    // Nobody can tell who else has the token.
    sqlx::query("ALTER TABLE connections RENAME TO hidden").execute(&mut database).await.unwrap();
    assert_eq!(browser.answer(TYPE, &page, "connect").await.title(500), "Something went wrong here");
    assert_eq!((world.slack.live_tokens().len(), world.slack.requests("auth.revoke")), (1, 0));
    sqlx::query("ALTER TABLE hidden RENAME TO connections").execute(&mut database).await.unwrap();
    world.scenario.pass(MINUTE);
    eventually("the token is given back", || async {
        if world.slack.live_tokens().is_empty() { Ok(()) } else { Err(json!(world.slack.live_tokens().len())) }
    })
    .await;
    world.connect().await;
}

#[tokio::test]
async fn reconnecting_renews_the_connection_and_resumes_what_was_paused_for_its_sake() {
    let world = World::new().await;
    let scenario = &world.scenario;
    let connection = world.connect().await;
    for (alias, target) in [("Sales", "C0SALES"), ("Ops", "C0OPS"), ("Ada", ADA), ("Idle", "C0SALES")] {
        world.channel(alias, target).await;
    }
    scenario.pause("Idle").await;
    world.acme().archive("C0OPS");
    scenario.publish("Ops", "Archived").await;
    assert_eq!(scenario.until_paused("Ops").await["paused"]["kind"], "unreachable");
    world.acme().uninstall();
    let lost = scenario.publish("Sales", "Before").await;
    scenario.until_paused("Sales").await;
    let held = scenario.publish("Ada", "Held").await;
    for id in [&lost, &held] {
        scenario.until(id, "held").await;
    }
    let id = text(&connection["id"]);
    assert_eq!(scenario.get(&format!("/v1/connections/{id}")).await["status"], "lost");
    scenario.act("/v1/channels/Sales/resume").await.problem(409, "not-connected");
    world.acme().unarchive("C0OPS");

    let browser = world.browser();
    let page = world.asked(&scenario.admin, &browser, &World::approval()).await;
    assert!(page.html.contains("The organization has this workspace already"), "{}", page.html);
    let done = browser.answer(TYPE, &page, "connect").await;
    assert!(done.html.contains("again.") && done.html.contains("2 notification channels go on."), "{}", done.html);
    let again = world.connections().await;
    assert_eq!((again.len(), &again[0]["id"], &again[0]["status"]), (1, &connection["id"], &json!("connected")));
    for id in [&lost, &held] {
        scenario.until(id, "delivered").await;
    }
    for (alias, status) in [("Sales", "active"), ("Ada", "active"), ("Ops", "paused"), ("Idle", "paused")] {
        assert_eq!(scenario.channel_state(alias).await["status"], status, "{alias}");
    }
    assert_eq!(scenario.channel_state("Ops").await["paused"]["kind"], "unreachable");
    let actions: Vec<_> =
        audited(scenario, "connection.").await.into_iter().map(|(what, who, _)| (what, who)).collect();
    let wanted = [
        ("connection.connected", "first admin"),
        ("connection.lost", "service"),
        ("connection.renewed", "first admin"),
    ];
    assert_eq!(actions, wanted.map(|(what, who)| (what.to_owned(), who.to_owned())));
}

#[tokio::test]
async fn an_organization_has_several_workspaces_and_sees_nobody_elses() {
    let world = World::new().await;
    let scenario = &world.scenario;
    for (team, name) in [("T0BETA", "Beta"), ("T0GAMMA", "Gamma")] {
        let workspace = world.slack.add_workspace(team, name);
        workspace.add_user(User::new(ADA, "ada", "Ada", "ada@example.com"));
        workspace.add_channel(Channel::public("C0SALES", "sales"));
    }
    let approval = |team: &str| Approval::new(team, ADA).to_channel("C0SALES");
    let (_, other) = scenario.make_organization("Other").await;
    let acme = world.connect_as(&scenario.admin, &approval(TEAM)).await;
    let beta = world.connect_as(&scenario.admin, &approval("T0BETA")).await;
    let gamma = world.connect_as(&other, &approval("T0GAMMA")).await;
    let names: Vec<Value> = world.connections().await.iter().map(|held| held["workspace"]["name"].clone()).collect();
    assert_eq!(names, ["Acme", "Beta"]);
    let refused = world.try_channel("Sales", "C0SALES").await.problem(422, "unknown-connection");
    assert!(text(&refused["detail"]).contains(&text(&beta["id"])), "{refused:#}");
    let body = json!({ "alias": "Beta", "type": TYPE, "connection": beta["id"], "settings": { "channel": "C0SALES" } });
    scenario.post("/v1/channels", &body).await.created();
    let id = scenario.publish("Beta", "Hello Beta").await;
    scenario.until(&id, "delivered").await;
    assert_eq!((world.slack.workspace("T0BETA").posted().len(), world.acme().posted().len()), (1, 0));

    for (connection, stranger) in [(&acme, &other), (&gamma, &scenario.admin)] {
        let path = format!("/v1/connections/{}", text(&connection["id"]));
        let targets = format!("{path}/targets");
        for (method, path) in [(Method::GET, &path), (Method::DELETE, &path), (Method::GET, &targets)] {
            scenario.ask(method, path, stranger, None).await.problem(404, "not-found");
        }
    }
    let stolen =
        json!({ "alias": "Stolen", "type": TYPE, "connection": gamma["id"], "settings": { "channel": "C0SALES" } });
    assert_eq!(scenario.post("/v1/channels", &stolen).await.status, 422);
}
