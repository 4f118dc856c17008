//! Tokens that expire, and tokens that end.

use super::*;

const LIFETIME: i64 = 43_200_000;

fn text(told: &Value, name: &str) -> String {
    told[name].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
}

fn renew(bench: &Bench, refresh: &str) -> Value {
    bench.access(&[("grant_type", "refresh_token"), ("refresh_token", refresh)])
}

#[tokio::test]
async fn a_token_expires_and_its_refresh_token_gives_a_new_pair() {
    let bench = Bench::rotating().await;
    let told = bench.install();
    let (token, refresh) = (text(&told, "access_token"), text(&told, "refresh_token"));
    assert!(token.starts_with("xoxe.xoxb-1-") && refresh.starts_with("xoxe-1-"));
    assert_eq!(told["expires_in"], 43_200);
    bench.pass(LIFETIME - 1);
    assert_eq!(bench.told(&post_form("auth.test", &format!("Bearer {token}"), &[]))["ok"], true);
    bench.pass(1);
    assert_eq!(bench.post(&token, "C1", "x")["error"], "token_expired");
    let renewed = renew(&bench, &refresh);
    assert_ne!(renewed["access_token"], told["access_token"]);
    assert_ne!(renewed["refresh_token"], told["refresh_token"]);
    assert_eq!((&renewed["team"]["id"], &renewed["expires_in"]), (&json!("T1"), &json!(43_200)));
    assert_eq!(bench.post(&text(&renewed, "access_token"), "C1", "x")["error"], "not_in_channel");
    assert_eq!((bench.api.renewals(), bench.api.live_tokens().len()), (1, 1));
}

#[tokio::test]
async fn a_bare_renewal_holds_a_new_pair_and_nothing_else() {
    let bench = Bench::rotating().await;
    bench.api.set_bare_renewals(true);
    let told = bench.install();
    assert_eq!(told["team"]["id"], "T1", "an installation tells all");
    let renewed = renew(&bench, &text(&told, "refresh_token"));
    let mut names: Vec<&String> = renewed.as_object().unwrap().keys().collect();
    names.sort_unstable();
    assert_eq!(names, ["access_token", "expires_in", "ok", "refresh_token"]);
}

#[tokio::test]
async fn a_used_refresh_token_is_honoured_for_a_short_grace() {
    let bench = Bench::rotating().await;
    let refresh = text(&bench.install(), "refresh_token");
    assert_eq!(renew(&bench, &refresh)["ok"], true);
    bench.pass(59_999);
    assert_eq!(renew(&bench, &refresh)["ok"], true);
    assert_eq!(bench.api.live_refresh_tokens().len(), 3);
    bench.pass(1);
    assert_eq!(renew(&bench, &refresh)["error"], "invalid_refresh_token");
    assert_eq!((bench.api.renewals(), bench.api.refresh_tokens().len()), (2, 3));
    assert_eq!(bench.api.live_refresh_tokens().len(), 2);
}

#[tokio::test]
async fn at_most_two_access_tokens_live() {
    let bench = Bench::rotating().await;
    let mut told = bench.install();
    let mut tokens = vec![text(&told, "access_token")];
    for _ in 0..2 {
        told = renew(&bench, &text(&told, "refresh_token"));
        tokens.push(text(&told, "access_token"));
    }
    let live: Vec<String> = bench.api.live_tokens().into_iter().map(|token| token.value).collect();
    assert_eq!(live, tokens[1..]);
    assert_eq!(bench.post(&tokens[0], "C1", "x")["error"], "token_revoked");
}

#[tokio::test]
async fn revoking_a_rotating_token_ends_it_alone() {
    let bench = Bench::rotating().await;
    let told = bench.install();
    let renewed = renew(&bench, &text(&told, "refresh_token"));
    let token = text(&told, "access_token");
    assert_eq!(bench.read(&token, "auth.revoke", "test=1"), json!({ "ok": true, "revoked": false }));
    assert_eq!(bench.read(&token, "auth.revoke", ""), json!({ "ok": true, "revoked": true }));
    assert_eq!(bench.read(&token, "auth.revoke", "")["error"], "token_revoked");
    assert_eq!(bench.post(&text(&renewed, "access_token"), "C1", "x")["error"], "not_in_channel");
    assert_eq!(bench.api.revoked_tokens().len(), 1);
}

#[tokio::test]
async fn revoking_a_token_that_does_not_rotate_takes_the_bot_out() {
    let bench = Bench::plain().await;
    bench.api.set_reinstall_renews(true);
    let (first, second) = (bench.token(), bench.token());
    bench.team().invite_bot("C1");
    bench.read(&second, "auth.revoke", "");
    assert_eq!(bench.post(&first, "C1", "x")["error"], "account_inactive");
    assert_eq!(bench.post(&second, "C1", "x")["error"], "token_revoked");
    assert!(bench.team().channel("C1").unwrap().members.is_empty());
    let third = bench.token();
    assert_eq!(bench.post(&third, "C1", "x")["error"], "not_in_channel");
}

#[tokio::test]
async fn a_removed_app_has_no_tokens_and_a_dead_refresh_token_says_so() {
    let bench = Bench::rotating().await;
    let told = bench.install();
    bench.team().uninstall();
    assert_eq!(bench.post(&text(&told, "access_token"), "C1", "x")["error"], "account_inactive");
    assert_eq!(renew(&bench, &text(&told, "refresh_token"))["error"], "invalid_refresh_token");
    let told = bench.install();
    bench.api.end_refresh_tokens("T1");
    assert_eq!(bench.post(&text(&told, "access_token"), "C1", "x")["error"], "not_in_channel");
    assert_eq!(renew(&bench, &text(&told, "refresh_token"))["error"], "invalid_refresh_token");
}
