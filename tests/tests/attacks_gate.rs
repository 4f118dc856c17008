//! Attacks through the gate: addresses, URLs, headers, credentials and answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod support;

use std::io::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pqh_runtime::Limits;
use pqh_runtime::contract::types::FailureKind;
use support::{Answer, Attack, CANARY, OTHER, Sandbox, Wire, assert_failed, failure, limits, whole};

/// A server that accepts everything.
async fn accepting() -> Wire {
    Wire::start(Answer::whole("200 OK", "", b"ok")).await
}

#[tokio::test]
async fn no_forbidden_address_is_reached_in_whatever_form_it_is_written() {
    let sandbox = Sandbox::new(None).await;
    let forms = [
        ("127.0.0.1", "loopback"),
        ("127.1", "loopback"),
        ("0x7f.1", "loopback"),
        ("2130706433", "loopback"),
        ("0177.0.0.1", "loopback"),
        ("[::1]", "loopback"),
        ("localhost", "loopback"),
        ("0.0.0.0", "this network"),
        ("10.0.0.1", "a private network"),
        ("172.16.0.1", "a private network"),
        ("192.168.0.1", "a private network"),
        ("100.64.0.1", "a shared network"),
        ("169.254.169.254", "link-local"),
        ("[fd00:ec2::254]", "a private network"),
        ("[fe80::1]", "link-local"),
        ("[::ffff:127.0.0.1]", "an IPv4 address in IPv6 form"),
        ("[::ffff:8.8.8.8]", "an IPv4 address in IPv6 form"),
        ("[64:ff9b::7f00:1]", "NAT64"),
        ("[2002:7f00:1::1]", "6to4"),
        ("198.51.100.1", "documentation"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
    ];
    for (host, reason) in forms {
        let saw = sandbox.saw(Attack::request(&format!("https://{host}/")).grant(host)).await;
        assert!(saw.starts_with("error ErrorKind::Denied sent false"), "{host}: {saw}");
        assert!(saw.contains("no address that may be reached") && saw.contains(reason), "{host}: {saw}");
    }
}

#[tokio::test]
async fn a_listener_on_loopback_hears_nothing() {
    let wire = accepting().await;
    let sandbox = Sandbox::new(None).await;
    let host = wire.url().replace("http://127.0.0.1", "localhost");
    let saw = sandbox.saw(Attack::request(&format!("https://{host}/")).grant(&host)).await;
    assert!(saw.contains("is loopback"), "{saw}");
    assert!(wire.requests().is_empty());
}

#[tokio::test]
async fn urls_that_parsers_disagree_about_do_not_leave() {
    let wire = accepting().await;
    let sandbox = Sandbox::new(Some(&wire)).await;
    for (url, reason) in [
        ("http://attack.example/", "only https leaves"),
        ("ftp://attack.example/", "only https leaves"),
        ("https://user:password@attack.example/", "holds a user"),
        ("https://user@attack.example/", "holds a user"),
        ("https://attack.example/#fragment", "fragment"),
        ("https://attack.example/a/../b", "segment"),
        ("https://attack.example/a/%2e%2E/b", "segment"),
        ("https://attack.example/./b", "segment"),
        ("https://attack.example\\@other.example/", "percent-encode it"),
        ("https://attack.example/ HTTP/1.1\r\nhost: other.example\r\n\r\n", "percent-encode it"),
        ("https://", "cannot be parsed"),
        ("", "cannot be parsed"),
    ] {
        let saw = sandbox.saw(Attack::request(url)).await;
        assert!(saw.starts_with("error ErrorKind::Denied sent false") && saw.contains(reason), "{url}: {saw}");
    }
    assert!(wire.requests().is_empty());
}

#[tokio::test]
async fn what_is_not_granted_is_refused_with_the_exact_line_that_would_grant_it() {
    let wire = accepting().await;
    let sandbox = Sandbox::new(Some(&wire)).await;
    for (url, line) in [
        ("https://OTHER.example/x", "--grant other.example"),
        ("https://attack.example.other.example/", "--grant attack.example.other.example"),
        ("https://attack.example:8443/", "--grant attack.example:8443"),
        ("https://wild.example/", "--grant wild.example"),
        ("https://evilwild.example/", "--grant evilwild.example"),
    ] {
        let saw = sandbox.saw(Attack::request(url)).await;
        assert!(saw.starts_with("error ErrorKind::Denied sent false") && saw.ends_with(line), "{url}: {saw}");
    }
    assert!(wire.requests().is_empty());
    let granted = sandbox.saw(Attack::request("https://OTHER.example/x").grant(OTHER)).await;
    assert!(granted.starts_with("status 200"), "{granted}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let wire = Wire::start(Answer::whole(status, "location: https://attack.example/else\r\n", b"")).await;
        let sandbox = Sandbox::new(Some(&wire)).await;
        let saw = sandbox.saw(Attack::request("https://attack.example/")).await;
        assert!(saw.starts_with(&format!("status {}", &status[..3])), "{saw}");
        assert!(saw.contains("location: https://attack.example/else"), "{saw}");
        assert_eq!(wire.requests().len(), 1);
    }
}

#[tokio::test]
async fn headers_of_the_host_and_injected_lines_do_not_leave() {
    let wire = accepting().await;
    let sandbox = Sandbox::new(Some(&wire)).await;
    let own = [
        "host",
        "Content-Length",
        "transfer-encoding",
        "expect",
        "accept-encoding",
        "authorization",
        "cookie",
        "connection",
        "te",
        "trailer",
        "upgrade",
        "proxy-authorization",
        "x-forwarded-for",
        "forwarded",
        "via",
    ];
    let injected =
        [["x-a", "1\r\nhost: other.example"], ["x-a", "1\nx-b: 2"], ["x-a\r\nx-b", "1"], ["x-a", "1\0"], ["x a", "1"]];
    let all = own.iter().map(|name| [*name, "1"]).chain(injected);
    for pair in all {
        let headers =
            format!("[[{:?}, \"{}\"]]", pair[0], pair[1].escape_default().to_string().replace("\\u{0}", "\\u0000"));
        let headers = headers.replace("\\0", "\\u0000");
        let attack = Attack::request("https://attack.example/").with("headers", &headers);
        let saw = sandbox.saw(attack).await;
        assert!(saw.starts_with("error ErrorKind::Denied sent false"), "{headers}: {saw}");
        assert!(saw.contains("header"), "{headers}: {saw}");
    }
    assert!(wire.requests().is_empty());
}

#[tokio::test]
async fn requests_that_are_too_large_do_not_leave() {
    let wire = accepting().await;
    let sandbox = Sandbox::new(Some(&wire)).await;
    for (name, count) in [
        ("request-giant-body", "2000000"),
        ("request-giant-header", "100000"),
        ("request-many-headers", "1000"),
        ("request-giant-url", "100000"),
    ] {
        let saw = sandbox.saw(Attack::named(name).with("url", "https://attack.example/").with("count", count)).await;
        assert!(saw.starts_with("error ErrorKind::Denied sent false"), "{name}: {saw}");
    }
    // Too large for the border itself.
    let report = sandbox.survives(Attack::named("request-giant-body").with("url", "https://attack.example/")).await;
    assert_failed(&report, FailureKind::Rejected, pqh_runtime::PLUGIN_FAULT, "");
    assert!(wire.requests().is_empty());
}

#[tokio::test]
async fn a_credential_goes_nowhere_but_to_its_own_destinations() {
    let wire = accepting().await;
    let sandbox = Sandbox::new(Some(&wire)).await;
    for credential in ["token", "token-json", "token-path", "token-query"] {
        let attack = Attack::request("https://other.example/{token}")
            .with("credentials", credential)
            .with("body", r#"{"secret": ""}"#)
            .secret("token", CANARY)
            .grant(OTHER);
        let saw = sandbox.saw(attack).await;
        assert!(
            saw.starts_with("error ErrorKind::Denied sent false") && saw.contains("never goes to other.example"),
            "{saw}"
        );
    }
    assert!(wire.requests().is_empty());
}

#[tokio::test]
async fn a_credential_that_is_unknown_or_not_filled_in_is_refused() {
    let wire = accepting().await;
    let sandbox = Sandbox::new(Some(&wire)).await;
    let attack = |name: &str| Attack::request("https://attack.example/").with("credentials", name);
    let unknown = sandbox.saw(attack("another-channels").secret("token", CANARY)).await;
    assert!(
        unknown.starts_with("error ErrorKind::Denied sent false") && unknown.contains("no credential"),
        "{unknown}"
    );
    let empty = sandbox.saw(attack("token")).await;
    assert!(
        empty.starts_with("error ErrorKind::Unauthorized sent false") && empty.contains("not filled in"),
        "{empty}"
    );
    let twice = sandbox.saw(attack("token,token").secret("token", CANARY)).await;
    assert!(twice.contains("named twice"), "{twice}");
    assert!(wire.requests().is_empty());
}

#[tokio::test]
async fn each_placement_arrives_where_it_was_declared_and_nowhere_else() {
    let wire = accepting().await;
    let sandbox = Sandbox::new(Some(&wire)).await;
    let percent = utf8_percent_encode(CANARY, NON_ALPHANUMERIC).to_string();
    let json = serde_json::to_string(CANARY).unwrap();
    for (credential, url, expected) in [
        ("token", "https://attack.example/a", format!("x-token: {CANARY}\r\n")),
        ("token-json", "https://attack.example/a", format!(r#"{{"n":1.10,"secret":{json}}}"#)),
        ("token-path", "https://attack.example/bot{token}/send", "POST /botcanary%2F0123%20".to_owned()),
        ("token-query", "https://attack.example/a?b=c", "POST /a?b=c&token=canary%2F0123+".to_owned()),
    ] {
        let attack = Attack::request(url)
            .with("credentials", credential)
            .with("body", r#"{"n":1.10,"secret":"x"}"#)
            .secret("token", CANARY);
        let saw = sandbox.saw(attack).await;
        assert!(saw.starts_with("status 200"), "{credential}: {saw}");
        let request = wire.requests().pop().unwrap();
        assert!(request.contains(&expected), "{credential} ({percent}): {request}");
        assert_eq!(request.matches("canary").count(), 1, "{request}");
        assert!(request.contains("host: attack.example\r\n"), "{request}");
    }
}

#[tokio::test]
async fn a_secret_address_is_extended_and_never_left() {
    let wire = accepting().await;
    let sandbox = Sandbox::new(Some(&wire)).await;
    let attack = |name: &str| Attack::named(name).secret("hook", "https://attack.example/hooks/canarycanarycanary");
    let saw = sandbox.saw(attack("hook")).await;
    assert!(saw.starts_with("status 200"), "{saw}");
    assert!(wire.requests()[0].starts_with("POST /hooks/canarycanarycanary HTTP/1.1\r\n"));
    for name in ["hook-dot-dot", "hook-slash"] {
        let saw = sandbox.saw(attack(name)).await;
        assert!(
            saw.starts_with("error ErrorKind::Denied sent false") && saw.contains("no path segment"),
            "{name}: {saw}"
        );
    }
    assert_eq!(wire.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_that_drips_or_never_ends_is_given_up_in_time_to_say_so() {
    let answers = [
        Answer::Stall(""),
        Answer::Stall("HTTP/1.1 200 OK\r\n"),
        Answer::Stall("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nok"),
    ];
    for answer in answers {
        let wire = Wire::start(answer).await;
        let sandbox = Sandbox::new(Some(&wire)).await;
        let report = sandbox.survives(Attack::request("https://attack.example/")).await;
        let message = &failure(&report).message;
        assert!(message.starts_with("error ErrorKind::Timeout sent true"), "{message}");
        assert!(report.took < limits().deadline, "{:?}", report.took);
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_and_endless_headers_are_an_error() {
    let wire = Wire::start(Answer::Endless("HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 4_096])).await;
    let saw = Sandbox::new(Some(&wire)).await.saw(Attack::request("https://attack.example/")).await;
    assert!(saw.starts_with("status 200") && saw.contains("truncated true"), "{saw}");
    let wire = Wire::start(Answer::Endless("HTTP/1.1 200 OK\r\n", b"x-a: 1234567890\r\n")).await;
    let saw = Sandbox::new(Some(&wire)).await.saw(Attack::request("https://attack.example/")).await;
    assert!(saw.starts_with("error ErrorKind::Failed sent true"), "{saw}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_decompression_bomb_is_cut_at_the_limit() {
    let bomb = gzip(&vec![b'x'; 256 << 20]);
    assert!(bomb.len() < 1 << 20, "the bomb is small: {}", bomb.len());
    let wire = Wire::start(Answer::whole("200 OK", "content-encoding: gzip\r\n", &bomb)).await;
    let sandbox = Sandbox::with(Limits { deadline: Duration::from_secs(20), ..limits() }, Some(&wire)).await;
    let report = sandbox.survives(Attack::request("https://attack.example/")).await;
    assert!(failure(&report).message.starts_with("status 200"), "{report:?}");
    assert!(failure(&report).message.contains("truncated true"), "{report:?}");
}

/// The secret in each form, in headers, a header's name and the body; compressed where the path says so.
fn echo(request: &str) -> Vec<u8> {
    let percent = utf8_percent_encode(CANARY, NON_ALPHANUMERIC).to_string();
    let json = serde_json::to_string(CANARY).unwrap();
    let base64 = [CANARY.to_owned(), format!("a{CANARY}"), format!("ab{CANARY}c")].map(|text| STANDARD.encode(text));
    let all = [CANARY, &percent, &percent.to_lowercase(), json.trim_matches('"'), &base64[0], &base64[1], &base64[2]];
    let headers = all.map(|form| format!("x-echo: {form}\r\n")).concat();
    let body = format!("{}\n{request}", all.join("\n"));
    let reason = format!("200 {CANARY}");
    if request.contains("/gzip") {
        return whole(&reason, &format!("{headers}content-encoding: gzip\r\n"), &gzip(body.as_bytes()));
    }
    whole(&reason, &headers, body.as_bytes())
}

#[tokio::test]
async fn an_echoed_credential_comes_back_masked_in_every_encoding() {
    let wire = Wire::start(Answer::Made(echo)).await;
    let sandbox = Sandbox::with(Limits { text_characters: 100_000, ..limits() }, Some(&wire)).await;
    for url in ["https://attack.example/plain", "https://attack.example/gzip"] {
        let attack = Attack::named("echo").with("url", url).with("credentials", "token").secret("token", CANARY);
        let report = sandbox.survives(attack).await;
        let text = format!("{report:?}");
        assert!(text.contains("status 200") && text.matches("[masked]").count() >= 15, "{text}");
        let base64 = STANDARD.encode(CANARY);
        for part in ["canary", "WILD", "wild", &base64[..12]] {
            assert!(!text.contains(part), "{part} came back: {text}");
        }
    }
}

#[tokio::test]
async fn a_credential_in_a_headers_name_is_masked_though_names_are_lowered() {
    const PLAIN: &str = "canaryCANARY0123";
    let wire = Wire::start(Answer::whole("200 OK", &format!("{PLAIN}: 1\r\n"), b"")).await;
    let sandbox = Sandbox::new(Some(&wire)).await;
    let attack = Attack::request("https://attack.example/").with("credentials", "token").secret("token", PLAIN);
    let saw = sandbox.saw(attack).await;
    assert!(saw.contains("[masked]: 1") && !saw.to_lowercase().contains("canary"), "{saw}");
}

#[tokio::test]
async fn a_credential_across_the_cut_of_an_answer_is_masked() {
    let (width, limit) = (CANARY.len(), 200);
    // One echo at each place around the cut, and echoes one after the other, which masking shortens.
    let mut bodies: Vec<String> =
        (limit - width..=limit).step_by(9).map(|at| format!("{}{CANARY}{}", ".".repeat(at), ".".repeat(300))).collect();
    bodies.push(CANARY.repeat(100));
    for body in bodies {
        for compressed in [false, true] {
            let answer = if compressed {
                Answer::whole("200 OK", "content-encoding: gzip\r\n", &gzip(body.as_bytes()))
            } else {
                Answer::whole("200 OK", "", body.as_bytes())
            };
            let wire = Wire::start(answer).await;
            let sandbox = Sandbox::with(Limits { response_bytes: limit, ..limits() }, Some(&wire)).await;
            let attack =
                Attack::request("https://attack.example/").with("credentials", "token").secret("token", CANARY);
            let saw = sandbox.saw(attack).await;
            assert!(saw.starts_with("status 200") && saw.contains("truncated true"), "{saw}");
            assert!(!saw.contains("cana") && !saw.contains("0123"), "{saw}");
        }
    }
}
