mod secure;

use std::sync::Arc;

use super::*;
use crate::mail::peer::{Act, Peer, raw_peer, say};

const PATIENCE: Duration = Duration::from_secs(20);
/// Enough for all steps but the one that does not come.
const SHORT: Duration = Duration::from_millis(1500);
const MAIL: &[u8] = b"Subject: hi\r\n\r\n.a dot\r\nend\r\n";

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn addresses(texts: &[&str]) -> Vec<Address> {
    texts.iter().copied().map(address).collect()
}

async fn send(relay: &Relay, to: &[&str]) -> Result<Handed, Trouble> {
    relay.send(&address("us@example.com"), &addresses(to), MAIL, PATIENCE).await
}

/// What becomes of a mail to `to` at a relay with this script.
async fn outcome(
    to: &[&str],
    script: impl Fn(usize, &str) -> Option<Act> + Send + Sync + 'static,
) -> Result<Handed, Trouble> {
    send(&Peer::new(script).await.relay(), to).await
}

fn rcpt(command: &str, user: &str) -> bool {
    command.starts_with(&format!("RCPT TO:<{user}@"))
}

fn refuse(command: &str, reply: &str) -> Option<Act> {
    command.starts_with("RCPT").then(|| say(reply))
}

fn mails(log: &[(usize, String)]) -> Vec<(usize, &str)> {
    log.iter().filter_map(|(number, heard)| Some((*number, heard.strip_prefix("(mail) ")?))).collect()
}

#[tokio::test]
async fn a_mail_is_taken_for_all_its_addresses() {
    let mut peer = Peer::new(|_, _| None).await;
    let handed = send(&peer.relay(), &["a@example.org", "b@example.org"]).await.unwrap();
    assert_eq!(handed.taken, addresses(&["a@example.org", "b@example.org"]));
    assert!(handed.refused.is_empty() && handed.deferred.is_empty());
    let log: Vec<String> = peer.log().into_iter().map(|(_, heard)| heard).collect();
    assert_eq!(
        log,
        [
            "EHLO notify.example.com",
            "MAIL FROM:<us@example.com>",
            "RCPT TO:<a@example.org>",
            "RCPT TO:<b@example.org>",
            "DATA",
            "(mail) Subject: hi\r\n\r\n..a dot\r\nend\r\n",
        ]
    );
}

#[tokio::test]
async fn a_refused_address_does_not_stop_the_others() {
    let mut peer =
        Peer::new(|_, command| rcpt(command, "b").then(|| Act::Say("550 5.1.1 no such user\r\n".into()))).await;
    let handed = send(&peer.relay(), &["a@example.org", "b@example.org", "c@example.org"]).await.unwrap();
    assert_eq!(handed.taken, addresses(&["a@example.org", "c@example.org"]));
    assert_eq!(handed.refused[0].address, address("b@example.org"));
    assert_eq!(handed.refused[0].reply, "550 5.1.1 no such user");
    assert!(handed.refused[0].unknown_address && handed.deferred.is_empty());
    assert_eq!(mails(&peer.log()).len(), 1);
}

#[tokio::test]
async fn a_deferred_address_does_not_stop_the_others() {
    let script = |_: usize, command: &str| rcpt(command, "b").then(|| Act::Say("451 4.7.1 later\r\n".into()));
    let handed = outcome(&["a@example.org", "b@example.org"], script).await.unwrap();
    assert_eq!(handed.taken, addresses(&["a@example.org"]));
    assert_eq!(handed.deferred[0].reply, "451 4.7.1 later");
    assert!(handed.refused.is_empty() && !handed.deferred[0].unknown_address);
}

#[tokio::test]
async fn nobody_is_reached_when_no_address_exists() {
    let mut peer = Peer::new(|_, command| refuse(command, "550 who?")).await;
    let trouble = send(&peer.relay(), &["a@example.org", "b@example.org"]).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unreachable);
    assert_eq!(trouble.refused.len(), 2);
    assert!(trouble.message.contains("550 who?"), "{}", trouble.message);
    assert!(!peer.log().iter().any(|(_, heard)| heard == "DATA"));
}

#[tokio::test]
async fn a_mail_is_rejected_when_every_address_is_refused_for_another_reason() {
    let trouble = outcome(&["a@example.org"], |_, command| refuse(command, "554 5.6.0 never")).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Rejected);
    assert!(!trouble.refused[0].unknown_address);
}

#[tokio::test]
async fn a_mail_may_be_tried_again_where_the_relay_speaks_of_us_and_not_of_the_address() {
    for reply in [
        "554 5.7.1 <a@example.org>: Relay access denied",
        "553 5.7.1 <alerts@example.org>: Sender address rejected: not logged in",
        "550 relay not permitted",
        "550 authentication required",
        "530 5.7.0 Authentication required",
    ] {
        let trouble = outcome(&["a@example.org"], move |_, command| refuse(command, reply)).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Unavailable, "{reply}");
        assert!(!trouble.refused[0].unknown_address && trouble.message.contains(reply), "{}", trouble.message);
    }
}

#[tokio::test]
async fn a_mail_may_be_tried_again_when_every_address_is_deferred() {
    let trouble = outcome(&["a@example.org"], |_, command| refuse(command, "451 4.7.1 grey")).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unavailable);
}

#[tokio::test]
async fn one_deferred_address_among_refused_ones_may_be_tried_again() {
    let script = |_: usize, command: &str| {
        if rcpt(command, "a") { Some(say("450 busy")) } else { refuse(command, "550 5.1.1 who?") }
    };
    let trouble = outcome(&["a@example.org", "b@example.org"], script).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unavailable);
    assert_eq!(trouble.refused.len(), 1);
}

#[tokio::test]
async fn a_refused_sender_is_no_fault_of_the_mail() {
    let script = |_: usize, command: &str| command.starts_with("MAIL").then(|| say("550 not you"));
    let trouble = outcome(&["a@example.org"], script).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unavailable);
    assert!(trouble.message.ends_with("refused the sender: 550 not you"), "{}", trouble.message);
}

#[tokio::test]
async fn a_relay_that_hangs_up_at_an_address_has_nothing() {
    let mut peer = Peer::new(|_, command| rcpt(command, "b").then(|| Act::Last("421 4.3.2 closing\r\n".into()))).await;
    let trouble = send(&peer.relay(), &["a@example.org", "b@example.org", "c@example.org"]).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unavailable);
    assert!(!peer.log().iter().any(|(_, heard)| heard == "DATA" || rcpt(heard, "c")));
}

#[tokio::test]
async fn an_answer_to_the_mail_decides_its_fate() {
    use TroubleKind::{Rejected, Unavailable, UnknownOutcome};
    for (step, reply, kind) in [
        (".", Some("552 5.3.4 too big"), Rejected),
        (".", Some("451 4.3.0 disk full"), Unavailable),
        (".", Some("421 4.3.2 closing"), Unavailable),
        (".", None, UnknownOutcome),
        (".", Some("354 what?"), UnknownOutcome),
        (".", Some("hello?"), UnknownOutcome),
        ("DATA", Some("554 no valid recipients"), Rejected),
        ("DATA", Some("451 busy"), Unavailable),
        ("DATA", Some("250 what?"), Unavailable),
        ("DATA", None, Unavailable),
    ] {
        let script = move |_: usize, command: &str| (command == step).then(|| reply.map_or(Act::Cut, say));
        let trouble = outcome(&["a@example.org"], script).await.unwrap_err();
        assert_eq!(trouble.kind, kind, "{step} {reply:?}: {}", trouble.message);
    }
}

#[tokio::test]
async fn silence_after_the_mail_leaves_its_outcome_unknown() {
    for (step, kind) in [
        ("(greeting)", TroubleKind::Unavailable),
        ("RCPT TO:<a@example.org>", TroubleKind::Unavailable),
        ("DATA", TroubleKind::Unavailable),
        (".", TroubleKind::UnknownOutcome),
    ] {
        let peer = Peer::new(move |_, command| (command == step).then_some(Act::Nothing)).await;
        let (from, to) = (address("us@example.com"), addresses(&["a@example.org"]));
        let trouble = peer.relay().send(&from, &to, MAIL, SHORT).await.unwrap_err();
        assert_eq!(trouble.kind, kind, "{step}: {}", trouble.message);
    }
}

#[tokio::test]
async fn what_the_relay_said_before_it_hung_up_counts() {
    let config = raw_peer(|line| match line {
        "" => Some(b"220 peer\r\n"),
        "DATA\r\n" => Some(b"354 go on\r\n"),
        "begin\r\n" => Some(b"552 5.3.4 too big\r\n"),
        "next\r\n" => None,
        _ => Some(b"250 ok\r\n"),
    })
    .await;
    let mail = ["begin\r\nnext\r\n", &"x".repeat(16 << 20)].concat();
    let (from, to) = (address("us@example.com"), addresses(&["a@example.org"]));
    let trouble = Relay::new(config).unwrap().send(&from, &to, mail.as_bytes(), PATIENCE).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Rejected, "{}", trouble.message);
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let mut peer = Peer::new(|_, _| None).await;
    let relay = peer.relay();
    for _ in 0..3 {
        send(&relay, &["a@example.org"]).await.unwrap();
    }
    let log = peer.log();
    assert!(log.iter().all(|(number, _)| *number == 0));
    assert_eq!(log.iter().filter(|(_, heard)| heard == "RSET").count(), 2);
    assert_eq!(mails(&log).len(), 3);
}

#[tokio::test]
async fn a_connection_that_the_relay_closed_is_replaced() {
    let mut peer = Peer::new(|number, command| match (number, command) {
        (0, ".") => Some(Act::Last("250 ok\r\n".into())),
        (1, "RSET") => Some(Act::Last("421 too slow\r\n".into())),
        _ => None,
    })
    .await;
    let relay = peer.relay();
    for _ in 0..3 {
        send(&relay, &["a@example.org"]).await.unwrap();
    }
    assert_eq!(mails(&peer.log()).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1, 2]);
}

#[tokio::test]
async fn a_kept_connection_that_is_silent_is_replaced() {
    let mut peer = Peer::new(|number, command| (number == 0 && command == "RSET").then_some(Act::Nothing)).await;
    let relay = peer.relay();
    send(&relay, &["a@example.org"]).await.unwrap();
    send(&relay, &["a@example.org"]).await.unwrap();
    assert_eq!(mails(&peer.log()).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn no_address_can_hold_a_command() {
    for text in [
        "a\r\nb@example.org",
        "\"a\r\nb\"@example.org",
        "a@example.org\r\n",
        "\"a\nb\"@example.org",
        "a@[x]\r\n]",
        "a>b@example.org",
        "\"a\\\r\nb\"@example.org",
    ] {
        assert!(text.parse::<Address>().is_err(), "{text:?}");
    }
}

#[tokio::test]
async fn a_relay_that_takes_one_mail_a_connection_gets_a_connection_for_each() {
    for last in [None, Some("421 4.7.0 too many mails\r\n")] {
        let mails_heard = std::sync::atomic::AtomicUsize::new(0);
        let mut peer = Peer::new(move |number, command| {
            if !command.starts_with("MAIL") {
                return None;
            }
            let count = mails_heard.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            (number == 0 && count == 1).then(|| last.map_or(Act::Cut, |last| Act::Last(last.into())))
        })
        .await;
        let relay = peer.relay();
        send(&relay, &["a@example.org"]).await.unwrap();
        send(&relay, &["a@example.org"]).await.unwrap();
        assert_eq!(mails(&peer.log()).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1]);
    }
}

#[tokio::test]
async fn a_fresh_connection_that_is_closed_is_not_tried_forever() {
    let mut peer = Peer::new(|_, command| command.starts_with("MAIL").then_some(Act::Cut)).await;
    let trouble = send(&peer.relay(), &["a@example.org"]).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unavailable);
    assert!(peer.log().iter().all(|(number, _)| *number == 0));
}

#[tokio::test]
async fn a_dropped_send_closes_its_connection() {
    let sent = "(mail) Subject: hi\r\n\r\n..a dot\r\nend\r\n";
    for (step, heard) in [
        ("MAIL FROM:<us@example.com>", "MAIL FROM:<us@example.com>"),
        ("RCPT TO:<a@example.org>", "RCPT TO:<a@example.org>"),
        ("DATA", "DATA"),
        (".", sent),
    ] {
        let mut peer = Peer::new(move |number, command| (number == 0 && command == step).then_some(Act::Nothing)).await;
        let relay = Arc::new(Relay::new(RelayConfig { connections: 1, ..peer.config() }).unwrap());
        let dropped = tokio::spawn({
            let relay = relay.clone();
            async move { send(&relay, &["a@example.org"]).await }
        });
        peer.hears(0, heard).await;
        dropped.abort();
        peer.hears(0, "(closed)").await;
        send(&relay, &["b@example.org"]).await.unwrap();
        assert_eq!(mails(&peer.log())[0].0, 1);
    }
}

#[tokio::test]
async fn waiting_for_a_connection_counts() {
    let mut peer = Peer::new(|_, command| (command == "DATA").then_some(Act::Nothing)).await;
    let relay = Arc::new(Relay::new(RelayConfig { connections: 1, ..peer.config() }).unwrap());
    let first = tokio::spawn({
        let relay = relay.clone();
        async move { send(&relay, &["a@example.org"]).await }
    });
    peer.hears(0, "DATA").await;
    let (from, to) = (address("us@example.com"), addresses(&["b@example.org"]));
    let trouble = relay.send(&from, &to, MAIL, SHORT).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unavailable);
    assert!(trouble.message.contains("all 1 connections"), "{}", trouble.message);
    first.abort();
}

#[tokio::test]
async fn verifying_sends_nothing() {
    let mut peer = Peer::new(|_, command| rcpt(command, "b").then(|| say("550 5.1.1 who?"))).await;
    let relay = peer.relay();
    let (from, to) = (address("us@example.com"), addresses(&["a@example.org", "b@example.org"]));
    let handed = relay.verify(&from, &to, PATIENCE).await.unwrap();
    assert_eq!(handed.taken, addresses(&["a@example.org"]));
    assert_eq!(handed.refused.len(), 1);
    let trouble = relay.verify(&from, &to[1..], PATIENCE).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unreachable);
    let log = peer.log();
    assert!(!log.iter().any(|(_, heard)| heard == "DATA"));
    assert!(log.iter().any(|(_, heard)| heard == "RSET"));
}

#[tokio::test]
async fn a_reply_of_many_lines_becomes_one() {
    let script = |_: usize, command: &str| match command {
        "(greeting)" => Some(say("220-peer\r\n220 at your service")),
        _ => refuse(command, "550-5.1.1 no such\r\n550-5.1.1 user\r\n550 5.1.1 here"),
    };
    let trouble = outcome(&["a@example.org"], script).await.unwrap_err();
    assert_eq!(trouble.refused[0].reply, "550 5.1.1 no such user here");
    assert!(trouble.refused[0].unknown_address);
}

#[tokio::test]
async fn replies_without_text_or_carriage_return_or_in_another_encoding_are_understood() {
    let script = |_: usize, command: &str| {
        Some(Act::Say(match command {
            "(greeting)" => "220\r\n".into(),
            "DATA" => "354\n".into(),
            "." => "250 gr\u{fc}\u{df}e\r\n".into(),
            hello if hello.starts_with("EHLO") => "250-peer\n250-\n250\n".into(),
            _ => "250\n".into(),
        }))
    };
    assert_eq!(outcome(&["a@example.org"], script).await.unwrap().taken.len(), 1);

    // Latin-1, which no string can hold.
    let config = raw_peer(|line| match line {
        "" => Some(b"220 gr\xfc\xdfe\r\n"),
        "RCPT TO:<a@example.org>\r\n" => Some(b"550 unbekannter Empf\xe4nger\r\n"),
        _ => Some(b"250 ok\r\n"),
    })
    .await;
    let trouble = send(&Relay::new(config).unwrap(), &["a@example.org"]).await.unwrap_err();
    assert_eq!(trouble.refused[0].reply, "550 unbekannter Empf\u{fffd}nger");
}

#[tokio::test]
async fn a_hostile_reply_is_shown_short_and_clean() {
    let reply = format!("550 5.7.1 \u{1b}[31mred\0\u{7}\u{202e}{}", "x".repeat(100_000));
    let script = move |_: usize, command: &str| rcpt(command, "a").then(|| say(&reply));
    let handed = outcome(&["a@example.org", "c@example.org"], script).await.unwrap();
    let reply = &handed.refused[0].reply;
    assert!(reply.starts_with("550 5.7.1 "), "{reply}");
    assert!(reply.chars().count() <= 200 && !reply.chars().any(char::is_control), "{reply}");
    assert_eq!(handed.taken, addresses(&["c@example.org"]));
}

#[tokio::test]
async fn a_reply_without_end_is_broken_off() {
    for endless in ["x".repeat(1 << 20), "250-more\r\n".repeat(100_000)] {
        let script = move |_: usize, command: &str| command.starts_with("RCPT").then(|| Act::Say(endless.clone()));
        let trouble = outcome(&["a@example.org"], script).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Unavailable);
    }
}

#[tokio::test]
async fn an_answer_too_many_does_not_pass_for_the_next() {
    let mut peer = Peer::new(|_, command| (command == ".").then(|| say("250 ok\r\n250 ok"))).await;
    let relay = peer.relay();
    send(&relay, &["a@example.org"]).await.unwrap();
    send(&relay, &["a@example.org"]).await.unwrap();
    assert_eq!(mails(&peer.log()).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn no_line_of_a_mail_can_end_it() {
    let mut peer = Peer::new(|_, _| None).await;
    let mail = b"Subject: x\n\n.\n.\r\r\n.\nMAIL FROM:<x@y.z>\r.\r";
    let (from, to) = (address("us@example.com"), addresses(&["a@example.org"]));
    peer.relay().send(&from, &to, mail, PATIENCE).await.unwrap();
    assert_eq!(mails(&peer.log()), [(0, "Subject: x\r\n\r\n..\r\n..\r\n\r\n..\r\nMAIL FROM:<x@y.z>\r\n..\r\n")]);
}

#[tokio::test]
async fn an_address_with_other_letters_needs_a_relay_that_takes_them() {
    let (from, to) = (address("us@example.com"), addresses(&["jörg@example.org", "a@example.org"]));
    let mut peer = Peer::new(|_, _| None).await;
    let handed = peer.relay().send(&from, &to, MAIL, PATIENCE).await.unwrap();
    assert_eq!(handed.taken, to[1..]);
    assert!(handed.refused[0].reply.contains("no SMTPUTF8") && !handed.refused[0].unknown_address);
    assert!(peer.log().iter().any(|(_, heard)| heard == "MAIL FROM:<us@example.com>"));

    let mut peer =
        Peer::new(|_, command| command.starts_with("EHLO").then(|| Act::Say("250-peer\r\n250 SMTPUTF8\r\n".into())))
            .await;
    let handed = peer.relay().send(&from, &to, MAIL, PATIENCE).await.unwrap();
    assert_eq!(handed.taken, to);
    assert!(peer.log().iter().any(|(_, heard)| heard == "MAIL FROM:<us@example.com> SMTPUTF8"));

    let eight_bit = "Subject: x\r\n\r\nä\r\n".as_bytes();
    let trouble = peer.relay().send(&from, &to, eight_bit, PATIENCE).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Rejected);
    let mut peer = Peer::new(|_, _| None).await;
    peer.relay().send(&from, &to, eight_bit, PATIENCE).await.unwrap();
    assert!(peer.log().iter().any(|(_, heard)| heard == "MAIL FROM:<us@example.com> BODY=8BITMIME"));
    let trouble = peer.relay().send(&to[0], &to, MAIL, PATIENCE).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unavailable);
}

#[test]
fn only_a_reply_that_speaks_of_the_address_calls_it_unknown() {
    use crate::mail::reply::Reply;
    for (code, text, unknown) in [
        (550, "no such user", true),
        (551, "not here", true),
        (553, "bad name", true),
        (554, "no", false),
        (550, "5.1.1 who?", true),
        (554, "5.1.10 null MX", true),
        (550, "5.2.1 disabled", true),
        (550, "5.2.2 full", false),
        (550, "5.7.1 policy", false),
        (550, "5.1.8 sender's domain unknown", false),
        (550, "5.1 odd", true),
    ] {
        assert_eq!(Reply::new(code, text.to_owned()).unknown_address(), unknown, "{code} {text}");
    }
}
