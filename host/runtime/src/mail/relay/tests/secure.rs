//! Login, encryption, and relays that are not there.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::net::TcpListener;

use super::*;
use crate::mail::peer::certified;

#[tokio::test]
async fn a_login_is_made_and_its_secrets_are_never_shown() {
    let login = Some(("user".to_owned(), SecretString::from("pass word")));
    let plain = BASE64_STANDARD.encode("\0user\0pass word");
    let mut peer = Peer::new(|_, command| command.starts_with("AUTH").then(|| Act::Say("235 in\r\n".into()))).await;
    let config = RelayConfig { credentials: login.clone(), ..peer.config() };
    assert!(!format!("{config:?}").contains("pass"));
    send(&Relay::new(config).unwrap(), &["a@example.org"]).await.unwrap();
    assert!(peer.log().contains(&(0, format!("AUTH PLAIN {plain}"))));

    // LOGIN, at a relay that repeats what it got.
    let password = BASE64_STANDARD.encode("pass word");
    let peer = Peer::new(|_, command| match command {
        "(greeting)" | "." => None,
        hello if hello.starts_with("EHLO") => Some(say("250-peer\r\n250 AUTH LOGIN")),
        "AUTH LOGIN" => Some(say("334 VXNlcm5hbWU6")),
        "dXNlcg==" => Some(say("334 UGFzc3dvcmQ6")),
        other => Some(say(&format!("535 5.7.8 what is {other} (pass word)?"))),
    })
    .await;
    let config = RelayConfig { credentials: login.clone(), ..peer.config() };
    let trouble = send(&Relay::new(config).unwrap(), &["a@example.org"]).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unavailable);
    assert!(trouble.message.ends_with("refused the login: 535 5.7.8 what is *** (***)?"), "{}", trouble.message);
    assert!(!format!("{trouble:?}").contains(&password));

    let peer = Peer::new(|_, command| command.starts_with("EHLO").then(|| say("250 peer"))).await;
    let config = RelayConfig { credentials: login.clone(), ..peer.config() };
    let trouble = send(&Relay::new(config.clone()).unwrap(), &["a@example.org"]).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unavailable);
    assert!(trouble.message.contains("offers no login"), "{}", trouble.message);

    let error = Relay::new(RelayConfig { host: "smtp.example.com".into(), ..config }).err().unwrap();
    assert!(error.contains("unencrypted"), "{error}");
}

#[tokio::test]
async fn a_relay_that_is_not_there_is_unavailable() {
    let config = Peer::new(|_, _| None).await.config();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let trouble =
        send(&Relay::new(RelayConfig { port: free, ..config }).unwrap(), &["a@example.org"]).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unavailable);
    assert!(trouble.message.contains("could not be reached"), "{}", trouble.message);
    let trouble = outcome(&["a@example.org"], |_, command| match command {
        "(greeting)" => Some(Act::Last("554 no mail from you\r\n".into())),
        _ => None,
    });
    let trouble = trouble.await.unwrap_err();
    assert!(trouble.message.ends_with("refused the connection: 554 no mail from you"), "{}", trouble.message);
}

#[tokio::test]
async fn mail_goes_encrypted_to_a_relay_whose_certificate_is_trusted() {
    for (tls, implicit) in [(MailTls::StartTls, false), (MailTls::Implicit, true)] {
        let (root, acceptor) = certified();
        let mut peer = Peer::encrypted(|_, _| None, Some(acceptor), implicit).await;
        let login = Some(("user".to_owned(), SecretString::from("pass")));
        let good =
            RelayConfig { tls, host: "localhost".into(), roots: vec![root], credentials: login, ..peer.config() };
        let relay = Relay::new(good.clone()).unwrap();
        send(&relay, &["a@example.org"]).await.unwrap();
        send(&relay, &["a@example.org"]).await.unwrap();
        let log = peer.log();
        assert_eq!(mails(&log).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 0]);
        assert_eq!(log.iter().any(|(_, heard)| heard == "STARTTLS"), !implicit);

        for bad in [RelayConfig { roots: Vec::new(), ..good.clone() }, RelayConfig { host: "127.0.0.1".into(), ..good }]
        {
            let trouble = send(&Relay::new(bad).unwrap(), &["a@example.org"]).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::Unavailable);
            assert!(trouble.message.contains("certificate that cannot be trusted"), "{}", trouble.message);
            assert!(!peer.log().iter().any(|(_, heard)| heard.starts_with("AUTH") || heard.starts_with("MAIL")));
        }
    }
}

#[tokio::test]
async fn a_relay_without_encryption_gets_nothing_when_it_is_required() {
    let mut peer = Peer::new(|_, command| command.starts_with("EHLO").then(|| say("250 peer"))).await;
    let login = Some(("user".to_owned(), SecretString::from("pass")));
    let config = RelayConfig { tls: MailTls::StartTls, credentials: login, ..peer.config() };
    let trouble = send(&Relay::new(config).unwrap(), &["a@example.org"]).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unavailable);
    assert!(trouble.message.contains("STARTTLS"), "{}", trouble.message);
    assert_eq!(peer.log().into_iter().filter(|(_, heard)| heard != "(closed)").count(), 1);
}

#[tokio::test]
async fn what_was_said_before_the_encryption_does_not_count_after_it() {
    let (root, acceptor) = certified();
    let injected = "220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n235 in\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken";
    let script = move |_: usize, command: &str| (command == "STARTTLS").then(|| say(injected));
    let mut peer = Peer::encrypted(script, Some(acceptor), false).await;
    let config = RelayConfig { tls: MailTls::StartTls, host: "localhost".into(), roots: vec![root], ..peer.config() };
    let trouble = send(&Relay::new(config).unwrap(), &["a@example.org"]).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unavailable);
    assert!(trouble.message.contains("more than it was asked"), "{}", trouble.message);
    assert!(mails(&peer.log()).is_empty());
}
