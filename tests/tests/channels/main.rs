//! Channels over HTTP, against a service in this process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod components;
#[path = "../support/mod.rs"]
mod support;
mod world;

use reqwest::Method;
use serde_json::{Value, json};
use world::{Answer, CANARY, PATH, World, text, url, webhook};

#[tokio::test]
async fn a_channel_with_a_live_webhook_is_kept_and_shows_no_secret() {
    let world = World::new().await;
    let answer = world.post("/v1/channels", webhook("DevOps Alerts")).await;
    let (etag, location) = (answer.etag.clone(), answer.location.clone());
    let made = answer.expect(201);
    assert_eq!(made["settings"], json!({ "url": { "set": true, "origin": "https://hooks.slack.com" } }));
    assert_eq!(
        (&made["status"], &made["paused"], &made["held_reason"]),
        (&json!("active"), &Value::Null, &Value::Null)
    );
    assert_eq!((&made["version"], etag.as_deref()), (&json!(1), Some("\"1\"")));
    assert_eq!(location.unwrap(), format!("/v1/channels/{}", text(&made["id"])));
    for name in [text(&made["id"]), "devops%20alerts".to_owned(), "DevOps%20Alerts".to_owned()] {
        assert_eq!(world.get(&format!("/v1/channels/{name}")).await.expect(200), made);
    }
    assert_eq!(world.get("/v1/channels").await.expect(200), json!({ "items": [made], "next_cursor": null }));
    assert!(world.simulator.messages().is_empty(), "a check posts nothing that people see");
}

#[tokio::test]
async fn a_dead_webhook_is_refused_with_its_failure_and_nothing_is_kept() {
    let world = World::new().await;
    world.webhook.set_dead(Some("no_service"));
    let problem = world.post("/v1/channels", webhook("ops")).await.refused(422, "check-failed");
    assert_eq!(problem["failure"]["kind"], json!("unauthorized"), "{problem:#}");
    assert_eq!(problem["failure"]["code"], json!("no_service"));
    assert!(!text(&problem["failure"]["remedy"]).is_empty());
    assert_eq!(world.get("/v1/channels").await.expect(200)["items"], json!([]));
    assert!(world.audit().await.iter().all(|entry| entry["object"]["kind"] != "channel"));
}

#[tokio::test]
async fn an_alias_belongs_to_one_channel_of_an_organization_in_whatever_case() {
    let world = World::new().await;
    let first = world.channel("Ops").await;
    let requests = world.simulator.requests();
    let problem = world.post("/v1/channels", webhook("OPS")).await.refused(409, "alias-taken");
    assert_eq!(problem["field"], json!("alias"));
    assert_eq!(world.simulator.requests(), requests, "the webhook was checked for a channel that cannot be");
    let second = world.channel("Other").await;
    let path = format!("/v1/channels/{}", text(&second["id"]));
    world.patch(&path, json!({ "alias": "oPs" })).await.refused(409, "alias-taken");
    // One's own, in other letters, is free.
    let renamed = world.patch("/v1/channels/ops", json!({ "alias": "oPS" })).await.expect(200);
    assert_eq!((&renamed["id"], &renamed["alias"]), (&first["id"], &json!("oPS")));
    let (_, elsewhere) = world.organization("paid").await;
    world.ask(Method::POST, "/v1/channels", &elsewhere, Some(webhook("Ops"))).await.expect(201);
}

#[tokio::test]
async fn what_is_wrong_with_a_new_channel_is_said_of_its_field_and_no_secret_comes_back() {
    let world = World::new().await;
    let new = |settings: Value| json!({ "alias": "a", "type": "slack-webhook", "settings": settings });
    let field = |problem: &Value| text(&problem["problems"][0]["field"]);
    for url in [
        json!(null),
        json!(12_345),
        json!([url()]),
        json!({ "set": true }),
        json!(format!("https://evil.example{PATH}")),
        json!(format!("http://hooks.slack.com{PATH}")),
    ] {
        let problem = world.post("/v1/channels", new(json!({ "url": url }))).await.refused(422, "bad-settings");
        assert_eq!(field(&problem), "url", "{problem:#}");
        assert_eq!(problem["problems"].as_array().unwrap().len(), 1, "{problem:#}");
    }
    let stray = new(json!({ "url": url(), "urll": url() }));
    assert_eq!(field(&world.post("/v1/channels", stray).await.refused(422, "bad-settings")), "urll");
    let whole = new(json!(url()));
    assert_eq!(world.post("/v1/channels", whole).await.refused(422, "bad-body")["path"], json!("settings"));
    for alias in ["", "two\nlines", "019ab000-0000-7000-8000-000000000001"] {
        let problem = world.post("/v1/channels", webhook(alias)).await.refused(422, "bad-value");
        assert_eq!(problem["field"], json!("alias"), "{alias:?}");
    }
    let unknown = json!({ "alias": "a", "type": "pigeon", "settings": {} });
    let problem = world.post("/v1/channels", unknown).await.refused(422, "unknown-type");
    let types = ["email", "pagerduty", "slack-app", "slack-webhook", "teams", "webhook"];
    assert_eq!((&problem["field"], &problem["known"]), (&json!("type"), &json!(types)));
    assert_eq!(world.simulator.requests(), 0);
}

#[tokio::test]
async fn a_change_leaves_alone_what_it_does_not_name() {
    let world = World::new().await;
    world.channel("ops").await;
    let requests = world.simulator.requests();
    let renamed = world.patch("/v1/channels/ops", json!({ "alias": "night" })).await;
    assert_eq!(renamed.etag.as_deref(), Some("\"2\""));
    let renamed = renamed.expect(200);
    assert_eq!((&renamed["alias"], &renamed["version"]), (&json!("night"), &json!(2)));
    assert_eq!(world.simulator.requests(), requests, "an alias needs no check");
    world.get("/v1/channels/ops").await.refused(404, "not-found");
    // Sent back as it was shown, a secret stays.
    let same = world.patch("/v1/channels/night", json!({ "settings": renamed["settings"] })).await.expect(200);
    assert_eq!(same, renamed);
    assert_eq!(world.act("/v1/channels/night/check").await.expect(200), json!({ "outcome": "passed" }));
}

#[tokio::test]
async fn a_new_secret_is_tried_out_before_it_takes_the_place_of_the_old_one() {
    let world = World::new().await;
    let before = world.channel("ops").await;
    let path = "/services/T00000000/B00000001/YYYYYYYYYYYYYYYYYYYYYYYY";
    let new = json!({ "settings": { "url": format!("https://hooks.slack.com{path}") } });
    world.patch("/v1/channels/ops", new.clone()).await.refused(422, "check-failed");
    assert_eq!(world.get("/v1/channels/ops").await.expect(200), before);
    drop(world.simulator.add_webhook(path));
    assert_eq!(world.patch("/v1/channels/ops", new).await.expect(200)["version"], json!(2));
    // The old webhook may die now.
    world.webhook.set_dead(Some("no_service"));
    assert_eq!(world.act("/v1/channels/ops/check").await.expect(200), json!({ "outcome": "passed" }));
    world.patch("/v1/channels/ops", json!({ "settings": { "url": null } })).await.refused(422, "bad-settings");
}

#[tokio::test]
async fn a_change_meant_for_another_version_is_refused() {
    let world = World::new().await;
    world.channel("ops").await;
    let with = |method: Method, tag: &str, alias: &str| {
        let request = world.request(method, "/v1/channels/ops", &world.admin).header("if-match", tag);
        Answer::of(request.json(&json!({ "alias": alias })))
    };
    assert_eq!(with(Method::PATCH, "\"1\"", "OPS").await.expect(200)["version"], json!(2));
    let problem = with(Method::PATCH, "\"1\"", "night").await.refused(412, "version-mismatch");
    assert_eq!(problem["version"], json!(2));
    with(Method::DELETE, "\"1\"", "").await.refused(412, "version-mismatch");
    with(Method::DELETE, "\"2\"", "").await.expect(204);
    world.get("/v1/channels/ops").await.refused(404, "not-found");
}

#[tokio::test]
async fn a_deleted_channel_is_gone_and_its_alias_is_free() {
    let world = World::new().await;
    let first = world.channel("ops").await;
    let notices = json!({ "notice_channels": ["ops"] });
    let named = world.patch("/v1/organization", notices).await.expect(200);
    assert_eq!(named["notice_channels"], json!([first["id"]]));
    world.ask(Method::DELETE, "/v1/channels/OPS", &world.admin, None).await.expect(204);
    world.ask(Method::DELETE, "/v1/channels/OPS", &world.admin, None).await.refused(404, "not-found");
    assert_eq!(world.get("/v1/organization").await.expect(200)["notice_channels"], json!([]));
    assert_ne!(world.channel("ops").await["id"], first["id"]);
}

#[tokio::test]
async fn a_pause_by_hand_is_ended_by_hand_alone() {
    let world = World::new().await;
    world.channel("ops").await;
    let paused = world.post("/v1/channels/ops/pause", json!({ "reason": "Moving offices" })).await.expect(200);
    assert_eq!((&paused["status"], &paused["held_reason"]), (&json!("paused"), &json!("channel-paused")));
    assert_eq!((&paused["paused"]["by"], &paused["paused"]["message"]), (&json!("person"), &json!("Moving offices")));
    assert!(paused["paused"]["at"].is_string());
    assert_eq!(world.act("/v1/channels/ops/check").await.expect(200)["outcome"], json!("passed"));
    assert_eq!(world.get("/v1/channels/ops").await.expect(200)["status"], json!("paused"));
    let resumed = world.act("/v1/channels/ops/resume").await.expect(200);
    assert_eq!((&resumed["status"], &resumed["held_reason"]), (&json!("active"), &Value::Null));
    assert_eq!(world.act("/v1/channels/ops/pause").await.expect(200)["status"], json!("paused"));
    world.act("/v1/channels/none/pause").await.refused(404, "not-found");
}

#[tokio::test]
async fn a_check_tells_what_the_other_side_says() {
    let world = World::new().await;
    world.channel("ops").await;
    world.webhook.set_dead(Some("channel_is_archived"));
    let failed = world.act("/v1/channels/ops/check").await.expect(200);
    assert_eq!(failed["outcome"], json!("failed"));
    assert_eq!(failed["failure"]["code"], json!("channel_is_archived"), "{failed:#}");
}

#[tokio::test]
async fn a_preview_sends_nothing_and_reads_no_secret() {
    let world = World::new().await;
    world.channel("ops").await;
    let requests = world.simulator.requests();
    let event = json!({ "title": "Daily Sales Alert", "triggered": { "broken_rules": [
        { "metric": "Revenue", "comparison": "<", "threshold": "10000", "current": "8750" }] } });
    for with in [json!({ "channel": "ops" }), json!({ "type": "slack-webhook" }), webhook("x")] {
        let mut body = with;
        body.as_object_mut().unwrap().remove("alias");
        body["event"] = event.clone();
        let preview = world.post("/v1/channels/preview", body).await.expect(200);
        let request = &preview["requests"][0];
        assert_eq!((&request["method"], &request["url"]), (&json!("POST"), &Value::Null), "{preview:#}");
        assert_eq!(request["credentials"], json!(["url"]));
        assert!(request["body"].to_string().contains("Daily Sales Alert"), "{preview:#}");
    }
    assert_eq!(world.simulator.requests(), requests);
    let bad = json!({ "channel": "ops", "event": { "title": "x", "triggered": {} } });
    let problem = world.post("/v1/channels/preview", bad).await.refused(422, "bad-event");
    assert!(text(&problem["path"]).starts_with("triggered"), "{problem:#}");
    world.post("/v1/channels/preview", json!({ "event": event })).await.refused(422, "bad-body");
}

#[tokio::test]
async fn without_a_paid_plan_no_channel_is_made_and_those_there_are_held() {
    let world = World::new().await;
    let (_, free) = world.organization("free").await;
    let problem = world.ask(Method::POST, "/v1/channels", &free, Some(webhook("ops"))).await;
    let words = text(&problem.refused(403, "channel-access-restricted")["detail"]);
    assert!(words.contains("paid plan") && words.contains("invite the bot"), "{words}");
    assert_eq!(world.simulator.requests(), 0);
    world.channel("ops").await;
    let path = format!("/v1/organizations/{}", world.organization);
    let set = async |plan: &str| {
        world.ask(Method::PATCH, &path, &world.operator, Some(json!({ "plan": plan }))).await.expect(200);
        world.get("/v1/channels/ops").await.expect(200)["held_reason"].clone()
    };
    assert_eq!(set("free").await, json!("plan"));
    assert_eq!(set("paid").await, Value::Null);
}

#[tokio::test]
async fn another_organizations_channels_are_not_there() {
    let world = World::new().await;
    let made = world.channel("ops").await;
    let (_, other) = world.organization("paid").await;
    let path = format!("/v1/channels/{}", text(&made["id"]));
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/check")),
        (Method::POST, format!("{path}/pause")),
        (Method::POST, format!("{path}/resume")),
        (Method::GET, "/v1/channels/ops".to_owned()),
    ] {
        world.ask(method, &path, &other, None).await.refused(404, "not-found");
    }
    let answer = world.ask(Method::PATCH, &path, &other, Some(json!({ "alias": "mine" }))).await;
    answer.refused(404, "not-found");
    assert_eq!(world.ask(Method::GET, "/v1/channels", &other, None).await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_with_secrets_as_changed() {
    let world = World::new().await;
    world.channel("ops").await;
    world.patch("/v1/channels/ops", json!({ "alias": "night" })).await.expect(200);
    let url = json!({ "settings": { "url": url() } });
    world.patch("/v1/channels/night", url).await.expect(200);
    world.act("/v1/channels/night/pause").await.expect(200);
    world.act("/v1/channels/night/resume").await.expect(200);
    // Nothing changes, and nothing is told.
    world.act("/v1/channels/night/resume").await.expect(200);
    world.ask(Method::DELETE, "/v1/channels/night", &world.admin, None).await.expect(204);
    let mut log = world.audit().await;
    log.retain(|entry| entry["object"]["kind"] == "channel");
    log.reverse();
    let actions: Vec<String> = log.iter().map(|entry| text(&entry["action"])).collect();
    assert_eq!(
        actions,
        [
            "channel.created",
            "channel.changed",
            "channel.changed",
            "channel.paused",
            "channel.resumed",
            "channel.deleted"
        ]
    );
    assert_eq!(log[0]["after"]["settings"], json!({ "url": "changed" }));
    assert_eq!((&log[1]["before"]["alias"], &log[1]["after"]["alias"]), (&json!("ops"), &json!("night")));
    assert_eq!(log[1]["after"]["settings"], json!({}));
    assert_eq!(log[2]["after"]["settings"], json!({ "url": "changed" }));
    assert_eq!(log[3]["after"]["paused"]["by"], json!("person"));
    assert_eq!(log[5]["before"]["alias"], json!("night"));
}

#[tokio::test]
async fn a_secret_stands_in_no_file_of_the_service() {
    let world = World::new().await;
    world.channel("ops").await;
    world.patch("/v1/channels/ops", json!({ "settings": { "url": url() } })).await.expect(200);
    let mut read = 0;
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
            assert!(!found, "{}", path.display());
            read += usize::from(path.to_string_lossy().contains("pqh.db"));
        }
    }
    assert!(read >= 2, "the database and its log were looked at");
    let files = std::fs::read(world.folder.path().join("pqh.db-wal")).unwrap();
    assert!(!files.is_empty(), "what was just written stands in the log");
}
