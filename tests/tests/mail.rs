//! Mail, from an event to a real SMTP server (aiosmtpd) with TLS and login: what arrives, and what becomes of what does not.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

#[path = "support/python.rs"]
mod python;
#[path = "support/relay.rs"]
mod relay;
#[path = "support/scenario/mod.rs"]
mod scenario;

use std::path::Path;

use pqh::config::Mail;
use pqh_runtime::MailTls;
use relay::{PASSWORD, Relay, decoded, header};
use scenario::{MINUTE, Scenario, attempts, text};
use serde_json::{Value, json};

async fn channel(scenario: &Scenario, alias: &str, to: &[&str]) -> Value {
    let new = json!({ "alias": alias, "type": "email", "settings": { "to": to } });
    scenario.post("/v1/channels", &new).await.created()
}

fn alert(detail: &Value) -> Value {
    let mut event = json!({ "title": "Daily Sales Alert", "severity": "critical" });
    event.as_object_mut().unwrap().extend(detail.as_object().unwrap().clone());
    event
}

fn triggered() -> Value {
    let rule = json!({ "metric": "Revenue", "comparison": "<", "threshold": "10000", "current": "8750" });
    alert(&json!({ "triggered": { "broken_rules": [rule] } }))
}

#[tokio::test]
async fn mail_arrives_over_required_starttls_and_over_implicit_tls_with_a_login() {
    for tls in [MailTls::StartTls, MailTls::Implicit] {
        let Some(relay) = Relay::start(tls) else { return };
        let scenario = relay.scenario().await;
        channel(&scenario, "team", &["ada@example.com", "bo@example.com"]).await;
        let id = scenario.publish_event("team", &triggered()).await;
        let delivery = scenario.until(&id, "delivered").await;
        let mail = &relay.mails(1).await[0];
        assert_eq!((&mail["peer_tls"], &mail["auth"]), (&json!(true), &json!(true)));
        assert_eq!(mail["from"], "alerts@sender.example");
        assert_eq!(mail["to"], json!(["ada@example.com", "bo@example.com"]));
        assert_eq!(header(mail, "From"), "PyQueryHub <alerts@sender.example>");
        assert_eq!(decoded(&header(mail, "Subject")), "🚨 Daily Sales Alert");
        assert_eq!(header(mail, "Auto-Submitted"), "auto-generated");
        assert_eq!(delivery["receipt"]["reference"], header(mail, "Message-ID").as_str());
    }
}

#[tokio::test]
async fn trigger_and_resolution_of_an_alert_are_one_conversation() {
    let Some(relay) = Relay::start(MailTls::StartTls) else { return };
    let scenario = relay.scenario().await;
    channel(&scenario, "team", &["ada@example.com"]).await;
    let alert = json!({ "name": "Daily Sales Alert", "channels": ["team"], "rules": ["Revenue < 10000"] });
    scenario.post("/v1/alerts", &alert).await.created();
    for (revenue, count) in [("8750", 1), ("12000", 2)] {
        let check = json!({ "values": { "Revenue": revenue } });
        scenario.post_as(&scenario.publisher, "/v1/alerts/Daily%20Sales%20Alert/checks", &check).await.created();
        relay.mails(count).await;
        scenario.pass(MINUTE);
    }
    let mails = relay.mails(2).await;
    assert_eq!(header(&mails[0], "References"), header(&mails[1], "References"));
    assert_eq!(header(&mails[0], "In-Reply-To"), header(&mails[1], "In-Reply-To"));
    assert_ne!(header(&mails[0], "Message-ID"), header(&mails[1], "Message-ID"));
    assert_eq!(decoded(&header(&mails[0], "Subject")), "🚨 Daily Sales Alert");
    assert_eq!(decoded(&header(&mails[1], "Subject")), "Re: 🚨 Daily Sales Alert");
}

#[tokio::test]
async fn one_refused_address_of_three_loses_nothing_for_the_others_and_is_a_warning() {
    let Some(relay) = Relay::start(MailTls::StartTls) else { return };
    let scenario = relay.scenario().await;
    channel(&scenario, "team", &["ada@example.com", "gone@example.com", "bo@example.com"]).await;
    let id = scenario.publish_event("team", &triggered()).await;
    let delivery = scenario.until(&id, "delivered").await;
    let warning = "1 of 3 addresses were refused by the mail relay: gone@example.com (550 5.1.1 no such user)";
    assert_eq!(delivery["receipt"]["warnings"], json!([warning]));
    assert_eq!(attempts(&delivery).len(), 1);
    assert_eq!(relay.mails(1).await[0]["to"], json!(["ada@example.com", "bo@example.com"]));
}

#[tokio::test]
async fn a_greylisted_address_gets_its_mail_later_and_nobody_gets_it_twice_even_over_a_kill() {
    let Some(relay) = Relay::start(MailTls::StartTls) else { return };
    let mut scenario = relay.scenario().await;
    channel(&scenario, "team", &["ada@example.com", "grey@example.com", "gone@example.com"]).await;
    let id = scenario.publish_event("team", &triggered()).await;
    let waiting = scenario.until(&id, "waiting").await;
    let said = text(&waiting["cause"]["message"]);
    assert_eq!(waiting["cause"]["kind"], "unavailable");
    assert!(said.contains("1 of 3 addresses have the mail"), "{said}");
    assert!(said.contains("grey@example.com (451 4.7.1 greylisted, try again)"), "{said}");
    assert_eq!(relay.mails(1).await[0]["to"], json!(["ada@example.com"]));
    scenario.kill().await;
    scenario.launch().await;
    scenario.pass_until_due(&id).await;
    let delivered = scenario.until(&id, "delivered").await;
    let warning = "1 of 3 addresses were refused by the mail relay: gone@example.com (550 5.1.1 no such user)";
    assert_eq!(delivered["receipt"]["warnings"], json!([warning]));
    let mails = relay.mails(2).await;
    assert_eq!(mails[1]["to"], json!(["grey@example.com"]));
    for name in ["Message-ID", "Date", "To"] {
        assert_eq!(header(&mails[0], name), header(&mails[1], name));
    }
}

#[tokio::test]
async fn a_full_mailbox_is_tried_again_and_what_the_others_have_is_not_repeated() {
    let Some(relay) = Relay::start(MailTls::StartTls) else { return };
    let scenario = relay.scenario().await;
    channel(&scenario, "team", &["full@example.com", "ada@example.com"]).await;
    let id = scenario.publish_event("team", &triggered()).await;
    for attempt in 1..=3 {
        let delivery = scenario.until_attempts(&id, attempt).await;
        assert_eq!(delivery["status"], "waiting");
        scenario.pass_until_due(&id).await;
    }
    scenario.until_attempts(&id, 4).await;
    relay.mails(1).await;
}

#[tokio::test]
async fn when_no_address_exists_any_more_the_channel_is_paused_and_the_event_held() {
    let Some(relay) = Relay::start(MailTls::StartTls) else { return };
    let scenario = relay.scenario().await;
    channel(&scenario, "team", &["gone@example.com"]).await;
    let id = scenario.publish_event("team", &triggered()).await;
    let held = scenario.until(&id, "held").await;
    assert_eq!((&held["cause"]["kind"], &held["cause"]["code"]), (&json!("unreachable"), &json!("no_recipient")));
    scenario.until_paused("team").await;
    let new = json!({ "settings": { "to": ["ada@example.com"] } });
    scenario.patch("/v1/channels/team", &new).await.ok();
    scenario.resume("team").await;
    scenario.until(&id, "delivered").await;
    assert_eq!(relay.mails(1).await[0]["to"], json!(["ada@example.com"]));
}

#[tokio::test]
async fn an_address_that_was_refused_once_is_asked_for_again_when_the_channel_goes_on() {
    let Some(relay) = Relay::start(MailTls::StartTls) else { return };
    let scenario = relay.scenario().await;
    channel(&scenario, "team", &["away@example.com"]).await;
    let id = scenario.publish_event("team", &triggered()).await;
    scenario.until(&id, "held").await;
    // Somebody mended the mailbox.
    assert!(scenario.check("team").await);
    scenario.resume("team").await;
    scenario.until(&id, "delivered").await;
    relay.mails(1).await;
}

#[tokio::test]
async fn an_address_that_is_refused_for_good_after_others_have_the_mail_is_a_warning() {
    let Some(relay) = Relay::start(MailTls::StartTls) else { return };
    let scenario = relay.scenario().await;
    channel(&scenario, "team", &["ada@example.com", "turned@example.com"]).await;
    let id = scenario.publish_event("team", &triggered()).await;
    scenario.until(&id, "waiting").await;
    scenario.pass_until_due(&id).await;
    let delivered = scenario.until(&id, "delivered").await;
    let warning = text(&delivered["receipt"]["warnings"][0]);
    assert!(warning.starts_with("1 of 2 addresses were refused by the mail relay: turned@example.com"), "{warning}");
    relay.mails(1).await;
}

#[tokio::test]
async fn a_relay_that_does_not_want_us_is_the_operators_matter_and_nothing_is_lost() {
    let Some(relay) = Relay::start(MailTls::StartTls) else { return };
    let scenario = relay.scenario().await;
    let refused = refused_channel(&scenario, &["policy@example.com"]).await;
    assert!(refused.contains("mail_unavailable") && refused.contains("554 5.7.1 policy"), "{refused}");
}

#[tokio::test]
async fn an_address_that_the_relay_refuses_is_told_when_the_channel_is_made() {
    let Some(relay) = Relay::start(MailTls::StartTls) else { return };
    let scenario = relay.scenario().await;
    let all = refused_channel(&scenario, &["refused@example.com"]).await;
    assert!(all.contains("no_recipient") && all.contains("550 5.1.1 no such user"), "{all}");
    let one = refused_channel(&scenario, &["ada@example.com", "refused@example.com"]).await;
    assert!(one.contains("address_refused") && one.contains("takes no mail for refused@example.com"), "{one}");
}

#[tokio::test]
async fn what_the_relay_says_to_the_message_lands_in_its_kind() {
    let Some(relay) = Relay::start(MailTls::StartTls) else { return };
    let scenario = relay.scenario().await;
    channel(&scenario, "team", &["ada@example.com"]).await;
    let event = |word: &str| json!({ "title": word, "notebook": { "status": "failure", "message": word } });
    let id = scenario.publish_event("team", &event("REJECT-CONTENT")).await;
    let failed = scenario.until(&id, "failed").await;
    assert_eq!((&failed["cause"]["kind"], &failed["cause"]["code"]), (&json!("rejected"), &json!("mail_rejected")));
    assert!(text(&failed["cause"]["message"]).contains("554 5.6.0 content refused"), "{failed:#}");
    let id = scenario.publish_event("team", &event("DEFER-CONTENT")).await;
    let waiting = scenario.until(&id, "waiting").await;
    assert_eq!(waiting["cause"]["kind"], "unavailable");
    assert!(text(&waiting["cause"]["message"]).contains("451 4.3.0 try later"), "{waiting:#}");
    relay.mails(0).await;
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_message_is_an_unknown_outcome_and_its_repeat_the_same_mail() {
    let Some(relay) = Relay::start(MailTls::StartTls) else { return };
    let scenario = relay.scenario().await;
    channel(&scenario, "team", &["ada@example.com"]).await;
    let event = json!({ "title": "ETL", "notebook": { "status": "failure", "message": "BREAK-AFTER-DATA" } });
    let id = scenario.publish_event("team", &event).await;
    let waiting = scenario.until(&id, "waiting").await;
    assert_eq!(waiting["cause"]["kind"], "unknown-outcome");
    assert_eq!(waiting["possible_repeat"], true);
    relay.mails(1).await;
    scenario.pass(MINUTE);
    scenario.until_attempts(&id, 2).await;
    let mails = relay.mails(2).await;
    for name in ["Message-ID", "Date"] {
        assert_eq!(header(&mails[0], name), header(&mails[1], name));
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_trusted_gets_neither_mail_nor_password() {
    let unknown = |mail: &mut Mail| mail.extra_ca = Vec::new();
    for (name, change) in [("localhost", Some(unknown as fn(&mut Mail))), ("other.example", None)] {
        let Some(relay) = Relay::named(name, MailTls::StartTls) else { return };
        let scenario = relay.scenario_with(|mail| change.into_iter().for_each(|change| change(mail))).await;
        let refused = refused_channel(&scenario, &["ada@example.com"]).await;
        assert!(refused.contains("shows a certificate that cannot be trusted"), "{refused}");
        assert!(!refused.contains(PASSWORD) && !relay.heard_a_login(), "{refused}");
    }
}

/// What is said where a channel is not made.
async fn refused_channel(scenario: &Scenario, to: &[&str]) -> String {
    let new = json!({ "alias": "team", "type": "email", "settings": { "to": to } });
    scenario.post("/v1/channels", &new).await.problem(422, "check-failed").to_string()
}

#[tokio::test]
async fn a_wrong_password_is_said_and_never_shown() {
    let Some(relay) = Relay::start(MailTls::StartTls) else { return };
    let wrong = relay.file("wrong");
    std::fs::write(&wrong, "canary-that-is-wrong\n").unwrap();
    let scenario = relay.scenario_with(|mail| mail.password_file = Some(wrong)).await;
    let refused = refused_channel(&scenario, &["ada@example.com"]).await;
    assert!(refused.contains("refused the login") && refused.contains("535"), "{refused}");
    relay.until_login().await;
    assert!(!refused.contains("canary"), "{refused}");
}

#[tokio::test]
async fn a_relay_without_starttls_gets_nothing() {
    let Some(relay) = Relay::start(MailTls::None) else { return };
    let scenario = relay.scenario_with(|mail| mail.tls = MailTls::StartTls).await;
    let refused = refused_channel(&scenario, &["ada@example.com"]).await;
    assert!(refused.contains("offers no encryption (STARTTLS)") && !relay.heard_a_login(), "{refused}");
}

#[tokio::test]
async fn mail_goes_only_to_the_domains_that_the_operator_allows() {
    let Some(relay) = Relay::start(MailTls::StartTls) else { return };
    let scenario = relay.scenario_with(|mail| mail.domains = vec!["example.com".into(), "*.example.com".into()]).await;
    channel(&scenario, "allowed", &["ada@example.com", "bo@mail.example.com"]).await;
    let refused = refused_channel(&scenario, &["eve@elsewhere.example"]).await;
    assert!(refused.contains("only to @example.com, @*.example.com"), "{refused}");
    assert!(refused.contains("mail_denied"), "{refused}");
}

#[tokio::test]
async fn without_a_relay_no_mail_channel_can_be_made_and_it_is_said_why() {
    let scenario = Scenario::start().await;
    let refused = refused_channel(&scenario, &["ada@example.com"]).await;
    assert!(refused.contains("no mail relay") && refused.contains("[mail]"), "{refused}");
    assert!(!refused.contains("\"field\":\"to\""), "{refused}");
}

#[tokio::test]
async fn the_password_stands_in_no_file_that_the_service_writes() {
    let Some(relay) = Relay::start(MailTls::StartTls) else { return };
    let mut scenario = relay.scenario().await;
    channel(&scenario, "team", &["ada@example.com"]).await;
    let id = scenario.publish_event("team", &triggered()).await;
    scenario.until(&id, "delivered").await;
    scenario.stop().await;
    for path in files(scenario.folder()) {
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes());
        assert!(!found, "{}", path.display());
    }
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
