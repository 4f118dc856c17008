//! One mail as it goes over the wire: RFC 5322, with what lets mail clients show a conversation and keeps robots quiet.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use sha2::{Digest as _, Sha256};

use crate::contract::outbound_mail;

/// Who may answer by itself (RFC 3834, 5: nobody).
const AUTO_SUBMITTED: &str = "Auto-Submitted";
/// The same for Exchange ([MS-OXCMAIL] 2.1.3.2.20): no out-of-office notes; reports of failed delivery still come.
const AUTO_RESPONSE_SUPPRESS: &str = "X-Auto-Response-Suppress";

/// The identity of a delivery's mail, the same at every attempt.
pub(super) fn message_id(delivery: &str, number: usize, domain: &str) -> String {
    identity("mail", &format!("{delivery}\n{number}"), domain)
}

/// The root of a conversation, which is never sent itself: whoever has any of its mail has all of it together.
fn root(conversation: &str, domain: &str) -> String {
    identity("conversation", conversation, domain)
}

fn identity(what: &str, of: &str, domain: &str) -> String {
    let hash = Sha256::digest(format!("pyqueryhub-notify\n{what}\n{of}"));
    format!("<{}.{what}@{domain}>", hex::encode(&hash[..16]))
}

/// The mail's bytes: 7-bit, whatever its texts hold.
pub(super) fn compose(
    message: &outbound_mail::Message,
    from: &Mailbox,
    to: &[Address],
    message_id: &str,
    date: u64,
) -> Result<Vec<u8>, String> {
    let mut builder = Message::builder()
        .from(from.clone())
        .subject(message.subject.clone())
        .message_id(Some(message_id.to_owned()))
        .date(UNIX_EPOCH + Duration::from_secs(date))
        .raw_header(header(AUTO_SUBMITTED, "auto-generated"))
        .raw_header(header(AUTO_RESPONSE_SUPPRESS, "OOF, AutoReply"));
    for address in to {
        builder = builder.to(Mailbox::new(None, address.clone()));
    }
    if let Some(conversation) = &message.conversation {
        let root = root(conversation, from.email.domain());
        builder = builder.in_reply_to(root.clone()).references(root);
    }
    let composed = match &message.html {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(message.text.clone(), html.clone())),
        None => builder.singlepart(SinglePart::plain(message.text.clone())),
    };
    Ok(composed.map_err(|error| format!("the mail cannot be composed: {error}"))?.formatted())
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(change: impl FnOnce(&mut outbound_mail::Message)) -> String {
        let mut message = outbound_mail::Message {
            to: Vec::new(),
            subject: "🚨 Daily Sales Alert".to_owned(),
            text: "Revenue < 10000\n".to_owned(),
            html: Some("<p>Revenue &lt; 10000</p>".to_owned()),
            conversation: Some("incident-1".to_owned()),
        };
        change(&mut message);
        let from = "PyQueryHub <alerts@example.com>".parse().unwrap();
        let to = ["ada@example.com".parse().unwrap(), "bo@example.com".parse().unwrap()];
        String::from_utf8(compose(&message, &from, &to, "<1.mail@example.com>", 1_734_272_040).unwrap()).unwrap()
    }

    #[test]
    fn a_mail_has_the_headers_of_a_notification() {
        let mail = composed(|_| {});
        for header in [
            "From: PyQueryHub <alerts@example.com>\r\n",
            "To: ada@example.com, bo@example.com\r\n",
            "Subject: =?utf-8?b?8J+aqA==?= Daily Sales Alert\r\n",
            "Message-ID: <1.mail@example.com>\r\n",
            "Date: Sun, 15 Dec 2024 14:14:00 +0000\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "X-Auto-Response-Suppress: OOF, AutoReply\r\n",
            "MIME-Version: 1.0\r\n",
            "Content-Type: multipart/alternative;",
        ] {
            assert!(mail.contains(header), "{header:?} is missing:\n{mail}");
        }
        assert!(mail.is_ascii());
    }

    #[test]
    fn mail_of_one_conversation_has_one_root_and_an_identity_of_its_own() {
        let references = |key: &str| {
            let mail = composed(|message| message.conversation = Some(key.to_owned()));
            let line = mail.lines().find(|line| line.starts_with("References: ")).unwrap().to_owned();
            assert!(mail.contains(&line.replace("References", "In-Reply-To")));
            line
        };
        assert_eq!(references("incident-1"), references("incident-1"));
        assert_ne!(references("incident-1"), references("incident-2"));
        assert_ne!(message_id("delivery-1", 0, "x.example"), message_id("delivery-1", 1, "x.example"));
        assert_eq!(message_id("delivery-1", 0, "x.example"), message_id("delivery-1", 0, "x.example"));
        assert!(!composed(|message| message.conversation = None).contains("References"));
    }

    #[test]
    fn no_line_is_over_998_bytes_whatever_the_texts_hold() {
        let mail = composed(|message| {
            message.text = "ü".repeat(5000) + "\n.\n" + &"x".repeat(5000);
            message.html = Some("<p>".to_owned() + &"é".repeat(5000) + "</p>");
            message.subject = "an endless subject ".repeat(200);
        });
        assert!(mail.lines().all(|line| line.len() <= 998));
    }
}
