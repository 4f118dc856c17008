//! Alerts are made, changed, muted and deleted.

use reqwest::Method;
use serde_json::json;

use super::scenario::{HOUR, MINUTE, Scenario};
use super::world::{revenue, silence, told, with};

#[tokio::test]
async fn an_alert_is_told_as_it_was_made_and_listed_with_its_state() {
    let scenario = Scenario::start().await;
    scenario.channel("ops").await;
    let more = json!({ "severity": "critical", "cooldown_seconds": 1800, "frequency": "Daily at 6 PM",
        "report": { "name": "R", "url": "https://app.example.com/r" }, "mentions": ["ada@example.com"],
        "labels": { "runbook": "https://wiki.example.com/run", "team": "sales" } });
    let made = scenario.alert(&with(revenue("Daily", &["ops"]), more.clone())).await;
    assert_eq!((&made["state"], &made["version"]), (&json!("pending"), &json!(1)));
    for key in ["severity", "cooldown_seconds", "frequency", "report", "mentions", "labels"] {
        assert_eq!(made[key], more[key], "{key}");
    }
    assert_eq!(made["rules"], json!([{ "metric": "Revenue", "comparison": "<", "threshold": "10000" }]));
    scenario.check_now("daily", "1").await;
    let listed = scenario.list("/v1/alerts").await;
    assert_eq!((&listed[0]["name"], &listed[0]["state"]), (&json!("Daily"), &json!("triggered")));
    assert_eq!(listed[0]["last_run"], listed[0]["last_trigger"]);
    let audit = scenario.list("/v1/audit").await;
    assert!(audit.iter().any(|entry| entry["action"] == "alert.created"), "{audit:#?}");
}

#[tokio::test]
async fn what_cannot_be_told_or_judged_is_refused_with_its_place() {
    let scenario = Scenario::start().await;
    scenario.channel("ops").await;
    for (more, code, path) in [
        (json!({ "rules": [] }), "bad-alert", "rules"),
        (json!({ "rules": ["Revenue"] }), "bad-alert", "rules[0]"),
        (
            json!({ "rules": ["A > 1", { "metric": "B", "comparison": "~", "threshold": "1" }] }),
            "bad-alert",
            "rules[1]",
        ),
        (json!({ "rules": ["Status < ok"] }), "bad-alert", "rules[0]"),
        (json!({ "rules": [{ "metric": "B", "comparison": ">", "threshold": 100 }] }), "bad-alert", "rules[0]"),
        (json!({ "channels": [] }), "bad-alert", "channels"),
        (json!({ "channels": ["nobody"] }), "unknown-channel", "channels[0]"),
        (json!({ "report": { "name": "R", "url": "ftp://x" } }), "bad-alert", "report.url"),
        (json!({ "mentions": [""] }), "bad-alert", "mentions[0]"),
    ] {
        let answer = scenario.post("/v1/alerts", &with(revenue("A", &["ops"]), more.clone())).await;
        assert_eq!(answer.problem(422, code)["path"], path, "{more}");
    }
    for (more, field) in [
        (json!({ "severity": "high" }), "severity"),
        (json!({ "cooldown_seconds": -1 }), "cooldown_seconds"),
        (json!({ "name": " " }), "name"),
    ] {
        let answer = scenario.post("/v1/alerts", &with(revenue("A", &["ops"]), more)).await;
        assert_eq!(answer.problem(422, "bad-value")["field"], field);
    }
    assert!(scenario.list("/v1/alerts").await.is_empty());
}

#[tokio::test]
async fn a_name_belongs_to_one_alert_and_an_alert_to_one_organization() {
    let scenario = Scenario::start().await;
    scenario.channel("ops").await;
    scenario.alert(&revenue("Daily", &["ops"])).await;
    scenario.post("/v1/alerts", &revenue("DAILY", &["ops"])).await.problem(409, "name-taken");
    let (_, other) = scenario.make_organization("Other").await;
    let found = scenario.ask(Method::GET, "/v1/alerts/Daily", &other, None).await;
    found.problem(404, "not-found");
    let check = json!({ "values": { "Revenue": "1" } });
    scenario.post_as(&other, "/v1/alerts/Daily/checks", &check).await.problem(404, "not-found");
}

#[tokio::test]
async fn the_next_check_judges_by_the_new_rules() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    scenario.check_now("A", "9000").await;
    scenario.change_alert("A", &json!({ "rules": ["Revenue < 8000"] })).await;
    assert_eq!(scenario.alert_state("A").await["state"], "triggered", "an edit judges nothing");
    scenario.pass(MINUTE);
    let check = scenario.check_now("A", "9000").await;
    assert_eq!(check["state"], "pending");
    scenario.until_messages(&webhook, 2).await;
    assert_eq!(told(&webhook), ["triggered 9000", "resolved"]);
}

#[tokio::test]
async fn a_change_for_another_version_is_refused() {
    let scenario = Scenario::start().await;
    scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    let change = json!({ "name": "B" });
    let ask = async |tag: &str| {
        let headers = [("If-Match", tag)];
        scenario.try_ask(Method::PATCH, "/v1/alerts/A", &scenario.admin, Some(&change), &headers).await.unwrap()
    };
    ask("\"7\"").await.problem(412, "version-mismatch");
    assert_eq!(ask("\"1\"").await.ok()["version"], 2);
    assert_eq!(scenario.alert_state("B").await["name"], "B");
    scenario.ask(Method::GET, "/v1/alerts/A", &scenario.admin, None).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_muted_alert_is_judged_and_tells_nobody_until_its_time() {
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    let until = json!({ "until": "2027-01-15T09:00:00Z" });
    assert_eq!(scenario.post("/v1/alerts/A/mute", &until).await.ok()["muted"], "2027-01-15T09:00:00.000Z");
    assert_eq!(silence(&scenario.check_now("A", "1").await), "muted");
    scenario.pass(HOUR);
    scenario.check_now("A", "2").await;
    scenario.until_messages(&webhook, 1).await;
    assert_eq!(scenario.act("/v1/alerts/A/mute").await.ok()["muted"], true);
    scenario.pass(MINUTE);
    assert_eq!(silence(&scenario.check_now("A", "3").await), "muted");
    assert_eq!(scenario.post("/v1/alerts/A/mute", &json!({ "muted": false })).await.ok()["muted"], json!(null));
    scenario.post("/v1/alerts/A/mute", &json!({ "until": "2027-01-15T09:00:00Z" })).await.problem(422, "bad-value");
    scenario.pass(MINUTE);
    scenario.check_now("A", "4").await;
    scenario.until_messages(&webhook, 2).await;
    assert_eq!(told(&webhook), ["triggered 2", "triggered 4"]);
}

#[tokio::test]
async fn a_channel_that_alerts_use_is_deleted_by_force_alone() {
    let scenario = Scenario::start().await;
    scenario.channel("ops").await;
    scenario.alert(&revenue("Daily", &["ops"])).await;
    let ask = async |path: &str| scenario.ask(Method::DELETE, path, &scenario.admin, None).await;
    let problem = ask("/v1/channels/ops").await.problem(409, "channel-in-use");
    assert_eq!(problem["alerts"], json!(["Daily"]));
    assert_eq!(ask("/v1/channels/ops?force=true").await.status, 204);
    assert_eq!(scenario.alert_state("Daily").await["channels"], json!([]));
    assert_eq!(silence(&scenario.check_now("Daily", "1").await), "no-channels");
}

#[tokio::test]
async fn publishers_post_checks_and_see_no_alerts() {
    let scenario = Scenario::start().await;
    scenario.channel("ops").await;
    scenario.alert(&revenue("A", &["ops"])).await;
    scenario.check_now("A", "1").await;
    scenario.ask(Method::GET, "/v1/alerts/A", &scenario.publisher, None).await.problem(403, "forbidden");
    let member = scenario.token("member").await;
    scenario.post_as(&member, "/v1/alerts", &revenue("B", &["ops"])).await.created();
}
