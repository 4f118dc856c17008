//! What stands in the way of somebody who connects: each has its own page, and leaves nothing behind.

use pqh_tests::http_service::Answer;
use pqh_tests::slack_api::{Approval, Misbehaviour};
use reqwest::Method;
use serde_json::{Value, json};

use crate::connect::{audited, parameter, rows};
use crate::scenario::{MINUTE, event, text};
use crate::world::{ADA, TEAM, TYPE, World};
use pqh_tests::browser::{Browser, PUBLIC, Page};

/// A person's way up to the authorize page.
async fn away(world: &World, browser: &Browser) -> String {
    browser.open(&world.link(&world.scenario.admin).await).await.leads_to()
}

/// The same, and back again: the address of the callback.
async fn back(world: &World, browser: &Browser) -> String {
    world.slack.approve(&away(world, browser).await, &World::approval()).unwrap()
}

/// Nothing of it is kept, and Slack honours nothing that nobody has.
#[track_caller]
fn nothing_left(world: &World) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let kept = (rows(&world.scenario, "connections").await, rows(&world.scenario, "connection_secrets").await);
        assert_eq!((kept, world.slack.live_tokens().len()), ((0, 0), 0), "{place}");
        assert!(audited(&world.scenario, "connection.").await.is_empty(), "{place}");
    }
}

/// What a page says below its title, with the service's own word.
fn said(page: &Page) -> String {
    page.html.split("</h1>").nth(1).unwrap().replace("<p>", "").replace("</p>", "")
}

#[tokio::test]
async fn who_denies_is_told_that_nothing_was_connected() {
    let world = World::new().await;
    let browser = world.browser();
    let denied = world.slack.deny(&away(&world, &browser).await).unwrap();
    let page = browser.open(&denied).await;
    assert_eq!(page.title(200), "Not connected");
    assert!(said(&page).contains("You did not allow it at Slack, so nothing was connected."), "{page:#?}");
    assert_eq!(browser.open(&denied).await.title(409), "This was used already");
    nothing_left(&world).await;
    assert_eq!(world.slack.requests("oauth.v2.access"), 0);
}

#[tokio::test]
async fn links_and_answers_expire_after_ten_minutes() {
    let world = World::new().await;
    let browser = world.browser();
    let (late, link) = (world.link(&world.scenario.admin).await, world.link(&world.scenario.admin).await);
    let back = back(&world, &browser).await;
    world.scenario.pass(10 * MINUTE);
    assert_eq!(browser.open(&late).await.title(410), "This took too long");
    assert_eq!(browser.open(&back).await.title(410), "This took too long");
    nothing_left(&world).await;
    assert_eq!(world.slack.requests("oauth.v2.access"), 0);
    // A day later nobody knows them.
    world.scenario.pass(25 * 60 * MINUTE);
    world.link(&world.scenario.admin).await;
    assert_eq!(browser.open(&link).await.title(400), "This did not begin here");
    assert_eq!(rows(&world.scenario, "authorizations").await, 1);
}

#[tokio::test]
async fn what_comes_back_counts_once() {
    let world = World::new().await;
    let browser = world.browser();
    let back = back(&world, &browser).await;
    let page = browser.open(&back).await;
    assert_eq!(browser.open(&back).await.title(409), "This was used already");
    assert_eq!(world.slack.requests("oauth.v2.access"), 1);
    // The first is as good as before.
    assert_eq!(browser.answer(TYPE, &page, "connect").await.title(200), "Slack workspace connected");
    assert_eq!(browser.open(&back).await.title(409), "This was used already");
    assert_eq!((world.connections().await.len(), world.slack.live_tokens().len()), (1, 1));
}

#[tokio::test]
async fn of_two_who_come_back_with_the_same_at_once_one_is_asked() {
    let world = World::new().await;
    let browser = world.browser();
    let back = back(&world, &browser).await;
    let (one, other) = tokio::join!(browser.open(&back), browser.open(&back));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!((statuses, world.slack.requests("oauth.v2.access")), ([200, 409], 1));
}

#[tokio::test]
async fn what_did_not_begin_here_is_refused() {
    let world = World::new().await;
    let browser = world.browser();
    let back = back(&world, &browser).await;
    let (state, code) = (parameter(&back, "state"), parameter(&back, "code"));
    let callback = format!("{PUBLIC}/oauth/{TYPE}/callback");
    for query in [
        format!("?code={code}&state={}", state.to_lowercase()),
        format!("?code={code}&state="),
        format!("?code={code}"),
        format!("?state=x&state={state}&code={code}"),
        format!("?code[]={code}&state[]={state}"),
        "?error=access_denied".to_owned(),
        "?code=%FF&state=%FF".to_owned(),
        String::new(),
    ] {
        let page = browser.open(&format!("{callback}{query}")).await;
        assert_eq!(page.title(400), "This did not begin here", "{query}");
    }
    let other = format!("{PUBLIC}/oauth/other-service/callback?code={code}&state={state}");
    assert_eq!(browser.open(&other).await.title(400), "This did not begin here");
    let unknown = format!("{PUBLIC}/oauth/%3Cscript%3E/callback?code={code}&state={state}");
    assert_eq!(browser.open(&unknown).await.title(400), "This did not begin here");
    for link in ["", "x", "../callback", &state] {
        let page = browser.open(&format!("{PUBLIC}/oauth/{TYPE}/start/{link}")).await;
        assert!(matches!(page.status, 400 | 404), "{page:#?}");
    }
    nothing_left(&world).await;
    // None of that used it up.
    assert_eq!(browser.open(&back).await.title(200), "Connect Acme to Acme?");
}

#[tokio::test]
async fn what_comes_back_with_neither_a_permission_nor_an_error_is_refused() {
    let world = World::new().await;
    let browser = world.browser();
    let state = parameter(&away(&world, &browser).await, "state");
    let page = browser.open(&format!("{PUBLIC}/oauth/{TYPE}/callback?state={state}")).await;
    assert_eq!(page.title(400), "This did not begin here");
    nothing_left(&world).await;
}

#[tokio::test]
async fn it_ends_in_the_browser_in_which_it_began() {
    let world = World::new().await;
    let (browser, stranger, blank) = (world.browser(), world.browser(), world.browser());
    // A stranger who is on the way, too, and holds a cookie of their own.
    let strangers = away(&world, &stranger).await;
    let back = back(&world, &browser).await;
    for other in [&blank, &stranger] {
        assert_eq!(other.open(&back).await.title(403), "This did not begin in this browser");
    }
    // The stranger's permission under the person's state, and the other way round.
    let theirs = world.slack.approve(&strangers, &World::approval()).unwrap();
    assert_eq!(browser.open(&theirs).await.title(403), "This did not begin in this browser");
    nothing_left(&world).await;
    let page = browser.open(&back).await;
    for other in [&blank, &stranger] {
        for answer in ["connect", "decline"] {
            let refused = other.answer(TYPE, &page, answer).await;
            assert_eq!(refused.title(403), "This did not begin in this browser");
        }
    }
    assert_eq!((rows(&world.scenario, "connections").await, world.slack.live_tokens().len()), (0, 1));
    let elsewhere = browser.answer("other-service", &page, "connect").await;
    assert_eq!(elsewhere.title(400), "This did not begin here");
    assert_eq!(browser.answer(TYPE, &page, "connect").await.title(200), "Slack workspace connected");
}

#[tokio::test]
async fn an_answer_that_is_no_form_does_nothing() {
    let world = World::new().await;
    let browser = world.browser();
    let page = world.asked(&world.scenario.admin, &browser, &World::approval()).await;
    let path = format!("/oauth/{TYPE}/confirm");
    for fields in [&[][..], &[("answer", "connect")], &[("decision", "x")]] {
        assert_eq!(browser.submit(&path, fields).await.title(400), "This did not begin here");
    }
    // Whoever presses Enter in the address bar after the last page.
    assert_eq!(browser.fetch(Method::GET, &path, &[]).await.title(409), "This was used already");
    let made_up = [("decision", "x"), ("answer", "connect")];
    assert_eq!(browser.submit(&path, &made_up).await.title(409), "This was used already");
    assert_eq!((rows(&world.scenario, "connections").await, world.slack.live_tokens().len()), (0, 1));
    assert_eq!(browser.answer(TYPE, &page, "").await.title(200), "Not connected");
    nothing_left(&world).await;
}

#[tokio::test]
async fn a_workspace_of_another_organization_is_refused_and_the_new_token_revoked() {
    let world = World::new().await;
    let connection = world.connect().await;
    world.channel("Sales", "C0SALES").await;
    let (_, other) = world.scenario.make_organization("Other").await;
    let held = world.slack.live_tokens();
    let page = world.asked(&other, &world.browser(), &World::approval()).await;
    assert_eq!(page.title(409), "Connected elsewhere");
    assert!(said(&page).contains("connected to another organization of this PyQueryHub"), "{page:#?}");
    assert_eq!((world.slack.live_tokens(), world.slack.revoked_tokens().len()), (held, 1));
    let theirs = world.scenario.ask(Method::GET, "/v1/connections", &other, None).await.ok();
    assert_eq!(theirs["items"], json!([]));
    let id = world.scenario.publish_event("Sales", &event("Goes on")).await;
    world.scenario.until(&id, "delivered").await;
    assert_eq!(world.connections().await, [connection_with(&connection, "Sales")]);
}

#[tokio::test]
async fn readiness_tells_of_a_section_that_nothing_is_connected_by() {
    let world = World::with(
        |_| {},
        |config| {
            let section = config.connections[TYPE].clone();
            config.connections.insert("misspelt".to_owned(), section.clone());
            config.connections.insert("email".to_owned(), section);
        },
    )
    .await;
    let ready = world.scenario.open("/readyz").await.ok();
    let notes = ready["warnings"].as_array().unwrap();
    let notes: Vec<_> = notes.iter().map(|note| (text(&note["code"]), text(&note["message"]))).collect();
    let wanted = ["email", "misspelt"].map(|name| {
        let message = format!("[connections.{name}] is for no channel type that is connected; installed are: {TYPE}.");
        ("connection-unused".to_owned(), message)
    });
    assert_eq!(notes, wanted);
    world.connect().await;
}

/// A connection with a channel.
fn connection_with(connection: &Value, alias: &str) -> Value {
    let mut connection = connection.clone();
    connection["channels"] = json!([alias]);
    connection
}

#[tokio::test]
async fn the_token_that_the_other_organization_works_with_is_left_alone() {
    // Without rotation Slack gives the same token again.
    let world = World::with(|app| app.rotates = false, |_| {}).await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    let (_, other) = world.scenario.make_organization("Other").await;
    let page = world.asked(&other, &world.browser(), &World::approval()).await;
    assert_eq!(page.title(409), "Connected elsewhere");
    // Also where the component could not say whose it is.
    let blank = Answer::json(200, &json!({ "ok": true, "access_token": world.slack.tokens()[0].value }));
    world.slack.next("oauth.v2.access", Misbehaviour::Answer(blank));
    let page = world.asked(&other, &world.browser(), &World::approval()).await;
    assert_eq!(page.title(400), "Not connected");
    assert_eq!((world.slack.revoked_tokens().len(), world.slack.requests("auth.revoke")), (0, 0));
    let id = world.scenario.publish_event("Sales", &event("Goes on")).await;
    world.scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn of_two_organizations_that_are_asked_at_once_the_first_has_the_workspace() {
    let world = World::new().await;
    let (_, other) = world.scenario.make_organization("Other").await;
    let (mine, theirs) = (world.browser(), world.browser());
    let first = world.asked(&world.scenario.admin, &mine, &World::approval()).await;
    let second = world.asked(&other, &theirs, &World::approval()).await;
    assert_eq!(second.title(200), "Connect Acme to Other?");
    assert_eq!(mine.answer(TYPE, &first, "connect").await.title(200), "Slack workspace connected");
    assert_eq!(theirs.answer(TYPE, &second, "connect").await.title(409), "Connected elsewhere");
    assert_eq!((world.slack.live_tokens().len(), world.slack.revoked_tokens().len()), (1, 1));
    assert_eq!(rows(&world.scenario, "connections").await, 1);
    world.channel("Sales", "C0SALES").await;
    let id = world.scenario.publish_event("Sales", &event("Goes on")).await;
    world.scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn an_install_for_a_whole_enterprise_organization_is_refused_and_its_token_revoked() {
    // `incoming-webhook` cannot be asked for there.
    let world = World::new().await;
    world.acme().join_enterprise("E0ACME", "Acme Group");
    world.slack.without_scope("incoming-webhook");
    let page = world.asked(&world.scenario.admin, &world.browser(), &Approval::new(TEAM, ADA).org_wide()).await;
    assert_eq!(page.title(400), "Not connected");
    for part in ["installed for a whole Enterprise organization", "choose a single workspace", "org_wide_install"] {
        assert!(page.html.contains(part), "{part}: {page:#?}");
    }
    assert!(world.slack.tokens()[0].is_enterprise_install);
    nothing_left(&world).await;
}

#[tokio::test]
async fn the_authorize_pages_own_words_are_told_and_none_is_believed_to_be_html() {
    let world = World::new().await;
    for word in [
        "invalid_scope",
        "bad_redirect_uri",
        "invalid_team_for_non_distributed_app",
        "scope_not_allowed_on_enterprise",
        "unapproved_scope",
        "server_error",
    ] {
        let browser = world.browser();
        let state = parameter(&away(&world, &browser).await, "state");
        // An error counts, whatever comes with it.
        let callback = format!("{PUBLIC}/oauth/{TYPE}/callback?code=x&error={word}&state={state}");
        let page = browser.open(&callback).await;
        assert_eq!(page.title(502), "Not connected");
        assert!(said(&page).contains("Slack ended it with an error."), "{page:#?}");
        assert!(page.html.contains(&format!("<code>{word}</code>")), "{page:#?}");
    }
    let browser = world.browser();
    let state = parameter(&away(&world, &browser).await, "state");
    let script = "%3Cscript%3Ealert(1)%3C/script%3E%0D%0ASet-Cookie:%20x=y";
    let page = browser.open(&format!("{PUBLIC}/oauth/{TYPE}/callback?error={script}&state={state}")).await;
    assert!(page.html.contains("<code>scriptalert1scriptSet-Cookiexy</code>"), "{page:#?}");
    assert!(!page.headers.contains_key("set-cookie"));
    nothing_left(&world).await;
}

#[tokio::test]
async fn each_word_of_the_token_address_has_its_reason_and_what_to_do() {
    let world = World::new().await;
    for (word, reason, remedy) in [
        ("invalid_code", "permission expired, or was used already", "Connect the Slack workspace again."),
        ("code_already_used", "permission expired, or was used already", "Connect the Slack workspace again."),
        ("bad_redirect_uri", "none of the Slack app&#39;s redirect URLs", "Ask the operator"),
        ("bad_client_secret", "does not know the app, or not its secret", "Ask the operator"),
        ("invalid_client_id", "does not know the app, or not its secret", "Ask the operator"),
        ("invalid_grant_type", "does not take what PyQueryHub asks for", "Ask the operator"),
        ("no_scopes", "does not take what PyQueryHub asks for", "Ask the operator"),
        ("pkce_not_allowed", "does not take what PyQueryHub asks for", "Ask the operator"),
        ("preview_feature_not_available", "does not take what PyQueryHub asks for", "Ask the operator"),
        ("oauth_authorization_url_mismatch", "was not asked for in this way", "Connect the Slack workspace again."),
        ("invalid_code_verifier", "was not asked for in this way", "Connect the Slack workspace again."),
        (
            "cannot_install_an_org_installed_app",
            "whole Enterprise organization already",
            "Have it removed there first.",
        ),
        ("user_email_unverified", "not verified in Slack", "Verify it in Slack first."),
        ("something_new", "something_new", ""),
    ] {
        world.slack.next("oauth.v2.access", Misbehaviour::word(word));
        let page = world.asked(&world.scenario.admin, &world.browser(), &World::approval()).await;
        assert_eq!(page.title(400), "Not connected", "{word}");
        for part in [reason, remedy, "Nothing was connected.", &format!("<code>{word}</code>")] {
            assert!(page.html.contains(part), "{word}, {part}: {}", page.html);
        }
    }
    nothing_left(&world).await;
}

#[tokio::test]
async fn a_token_address_that_is_down_or_answers_something_else_connects_nothing() {
    let world = World::new().await;
    let strange = Answer::json(200, &json!({ "hello": "world" }));
    let list = Answer::json(200, &json!(["ok"]));
    for (misbehaviour, status) in [
        (Misbehaviour::Page(503), 502),
        (Misbehaviour::Close, 502),
        (Misbehaviour::RateLimited(30), 502),
        (Misbehaviour::word("internal_error"), 502),
        (Misbehaviour::Answer(list), 502),
        (Misbehaviour::Answer(strange), 400),
    ] {
        world.slack.next("oauth.v2.access", misbehaviour.clone());
        let page = world.asked(&world.scenario.admin, &world.browser(), &World::approval()).await;
        assert_eq!(page.title(status), "Not connected", "{misbehaviour:?}");
        assert!(page.html.contains("Nothing was connected."), "{}", page.html);
    }
    nothing_left(&world).await;
    world.connect().await;
}

#[tokio::test]
async fn whoever_lost_their_token_meanwhile_connects_nothing() {
    let world = World::new().await;
    let scenario = &world.scenario;
    let second = scenario.post("/v1/tokens", &json!({ "name": "second", "role": "admin" })).await.created();
    let token = text(&second["token"]);
    let (early, late) = (world.browser(), world.browser());
    let gone = early.open(&world.link(&token).await).await.leads_to();
    let gone = world.slack.approve(&gone, &World::approval()).unwrap();
    let asked = world.asked(&token, &late, &World::approval()).await;
    let revoked = format!("/v1/tokens/{}", text(&second["id"]));
    assert_eq!(scenario.ask(Method::DELETE, &revoked, &scenario.admin, None).await.status, 204);
    let calls = world.slack.requests("oauth.v2.access");
    for page in [early.open(&gone).await, late.answer(TYPE, &asked, "connect").await] {
        assert_eq!(page.title(403), "Not connected");
        assert!(page.html.contains("may not connect workspaces any more"), "{}", page.html);
    }
    // Whoever may not is not even exchanged a permission for.
    assert_eq!(world.slack.requests("oauth.v2.access"), calls);
    nothing_left(&world).await;
}

#[tokio::test]
async fn pages_say_names_as_text_and_hold_nothing_that_is_secret() {
    let world = World::new().await;
    let scenario = &world.scenario;
    let (_, token) = scenario.make_organization("<script>alert(1)</script> & \"Sons\"").await;
    let evil = world.slack.add_workspace("T0EVIL", "</title><img src=x onerror=alert(2)>");
    evil.add_user(pqh_tests::slack_api::User::new(ADA, "ada", "Ada", "ada@example.com"));
    evil.add_channel(pqh_tests::slack_api::Channel::public("C0SALES", "sales"));
    let approval = Approval::new("T0EVIL", ADA).to_channel("C0SALES");
    let (browser, link) = (world.browser(), world.link(&token).await);
    let invitation = browser.fetch(Method::GET, &link, &[]).await;
    let away = browser.open(&link).await.leads_to();
    let back = world.slack.approve(&away, &approval).unwrap();
    let question = browser.open(&back).await;
    let replayed = browser.open(&back).await;
    let stranger = world.asked(&scenario.admin, &world.browser(), &approval).await;
    let connected = browser.answer(TYPE, &question, "connect").await;
    let elsewhere = world.asked(&scenario.admin, &world.browser(), &approval).await;
    let titles = [
        invitation.title(200),
        question.title(200),
        replayed.title(409),
        stranger.title(200),
        connected.title(200),
        elsewhere.title(409),
    ];
    assert!(titles[1].starts_with("Connect &#60;/title&#62;&#60;img"), "{}", titles[1]);
    let tokens: Vec<String> = world.slack.tokens().into_iter().map(|token| token.value).collect();
    let refresh: Vec<String> = world.slack.refresh_tokens().into_iter().map(|token| token.value).collect();
    let cookies: Vec<String> = browser.cookies().into_iter().map(|(_, value)| value).collect();
    let way = [link.rsplit('/').next().unwrap().to_owned(), parameter(&back, "code"), parameter(&back, "state")];
    let client = [world.app.client_secret.clone(), world.app.signing_secret.clone()];
    let secrets: Vec<&String> = tokens.iter().chain(&refresh).chain(&cookies).chain(&way).chain(&client).collect();
    for page in [&invitation, &question, &replayed, &stranger, &connected, &elsewhere] {
        assert!(!page.html.contains("<script") && !page.html.contains("<img"), "{}", page.html);
        for secret in &secrets {
            assert!(!page.html.contains(secret.as_str()), "{}", page.html);
        }
        let (_, title) = page.html.split_once("<title>").unwrap();
        assert!(title.split("</title>").next().unwrap().ends_with(" · PyQueryHub"), "{}", page.html);
        let header = |name: &str| page.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        assert_eq!((header("cache-control"), header("referrer-policy")), ("no-store".into(), "no-referrer".into()));
        assert_eq!(header("x-content-type-options"), "nosniff");
        let policy = header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{policy}");
        }
    }
    // Of the way there nothing is kept in clear either.
    scenario_database_holds_none_of(&world, &secrets);
}

fn scenario_database_holds_none_of(world: &World, secrets: &[&String]) {
    for file in ["pqh.db", "pqh.db-wal"] {
        let Ok(bytes) = std::fs::read(world.scenario.folder().join(file)) else { continue };
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{file} holds what begins with {}", &secret[..6]);
        }
    }
}
