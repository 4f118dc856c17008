//! The authorize page and the exchange of codes.

use super::*;

#[tokio::test]
async fn a_code_becomes_a_bot_token_once() {
    let bench = Bench::plain().await;
    let code = bench.code(&Approval::new("T1", "U1"));
    let told = bench.access(&[("code", &code), ("redirect_uri", REDIRECT)]);
    assert_eq!(told["team"], json!({ "id": "T1", "name": "Acme Inc" }));
    assert_eq!((&told["enterprise"], &told["is_enterprise_install"]), (&Value::Null, &json!(false)));
    assert_eq!((&told["token_type"], &told["app_id"]), (&json!("bot"), &json!(bench.app.id)));
    assert_eq!((&told["scope"], &told["authed_user"]), (&json!(SCOPES.join(",")), &json!({ "id": "U1" })));
    assert!(told["access_token"].as_str().unwrap().starts_with("xoxb-"));
    assert!(told.get("refresh_token").is_none() && told.get("expires_in").is_none());
    assert!(told.get("incoming_webhook").is_none());
    let again = bench.access(&[("code", &code), ("redirect_uri", REDIRECT)]);
    assert_eq!(again, json!({ "ok": false, "error": "invalid_code" }));
}

#[tokio::test]
async fn a_code_lives_ten_minutes() {
    let bench = Bench::plain().await;
    let codes = [0; 2].map(|_| bench.code(&Approval::new("T1", "U1")));
    bench.pass(599_999);
    assert_eq!(bench.access(&[("code", &codes[0]), ("redirect_uri", REDIRECT)])["ok"], true);
    bench.pass(1);
    assert_eq!(bench.access(&[("code", &codes[1]), ("redirect_uri", REDIRECT)])["error"], "invalid_code");
}

#[tokio::test]
async fn an_exchange_with_anything_wrong_is_told_its_word() {
    let bench = Bench::plain().await;
    let code = bench.code(&Approval::new("T1", "U1"));
    let of = |authorization: &str, pairs: &[(&str, &str)]| {
        bench.told(&post_form("oauth.v2.access", authorization, pairs))["error"].clone()
    };
    let basic = |id: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let right = basic(&bench.app.client_id, &bench.app.client_secret);
    let whole = [("code", code.as_str()), ("redirect_uri", REDIRECT)];
    assert_eq!(of(&basic(&bench.app.client_id, "x"), &whole), "bad_client_secret");
    assert_eq!(of(&basic("x", &bench.app.client_secret), &whole), "invalid_client_id");
    assert_eq!(of("", &whole), "invalid_client_id");
    let (id, secret) =
        (("client_id", bench.app.client_id.as_str()), ("client_secret", bench.app.client_secret.as_str()));
    assert_eq!(of("", &[whole[0], whole[1], id, secret]), "bad_client_secret");
    assert_eq!(of(&right, &[whole[0]]), "bad_redirect_uri");
    assert_eq!(of(&right, &[whole[0], ("redirect_uri", "https://notify.example.com/")]), "bad_redirect_uri");
    assert_eq!(of(&right, &[("code", "x"), whole[1]]), "invalid_code");
    assert_eq!(of(&right, &[whole[0], whole[1], ("grant_type", "password")]), "invalid_grant_type");
    assert_eq!(of(&right, &[whole[0], whole[1], ("code_verifier", "x")]), "pkce_not_allowed");
    assert_eq!(of(&right, &[("grant_type", "refresh_token"), ("refresh_token", "x")]), "invalid_refresh_token");
    let json = post_json("oauth.v2.access", "x", &json!({ "code": code }));
    assert_eq!(bench.told(&json)["error"], "invalid_post_type");
    // Nothing of it used the code up.
    assert_eq!(bench.access(&whole)["ok"], true);
}

#[tokio::test]
async fn the_authorize_page_refuses_what_is_not_exactly_configured() {
    let bench = Bench::plain().await;
    let url = bench.authorize_url();
    let approval = Approval::new("T1", "U1");
    let of = |from: &str, to: &str| {
        let changed = url.replace(from, to);
        assert_ne!(changed, url);
        bench.api.approve(&changed, &approval).unwrap_err()
    };
    assert_eq!(of("client_id=", "client_id=x"), "invalid_client_id");
    assert_eq!(of("callback", "callback%2Fbelow"), "bad_redirect_uri");
    assert_eq!(of("&redirect_uri=", "&team="), "bad_redirect_uri");
    assert_eq!(of("chat:write", "chat:write,admin"), "invalid_scope");
    assert_eq!(of("chat:write,", "chat:write+"), "invalid_scope");
    assert_eq!(of("&state", "&user_scope=chat:write&state"), "invalid_scope");
    assert_eq!(of("&state", "&team=T9&state"), "invalid_team_for_non_distributed_app");
    assert_eq!(of("&state", "&state=a&state"), "invalid_arguments");
    assert_eq!(of("https://slack.com", "https://slack.example"), "not the authorize page");
    assert_eq!(bench.api.approve(&url, &Approval::new("T1", "U2")), Err("no such person"));
    let mut page = get("", "", url.split_once('?').unwrap().1);
    page.path = "/oauth/v2/authorize".to_owned();
    assert!(bench.answer(&page).body.contains("is requesting permission"));
    page.query.push_str("&x=y");
    assert!(bench.answer(&page).body.contains("invalid_arguments"));
}

#[tokio::test]
async fn only_its_own_workspace_installs_an_app_that_is_not_distributed() {
    let app = App { only_team: Some("T1".to_owned()), ..App::new(REDIRECT, SCOPES) };
    let bench = Bench::new(app).await;
    bench.api.add_workspace("T2", "Other").add_user(User::new("U1", "ada", "Ada", ""));
    let denied = bench.api.approve(&bench.authorize_url(), &Approval::new("T2", "U1"));
    assert_eq!(denied, Err("invalid_team_for_non_distributed_app"));
    bench.install();
}

#[tokio::test]
async fn who_denies_is_sent_back_with_access_denied_and_the_state() {
    let bench = Bench::plain().await;
    let back = bench.api.deny(&bench.authorize_url()).unwrap();
    assert_eq!(back, format!("{REDIRECT}?error=access_denied&state=s%26"));
}

#[tokio::test]
async fn a_withheld_scope_is_missing_and_a_later_install_adds_it() {
    let bench = Bench::plain().await;
    bench.api.without_scope("chat:write");
    let first = bench.install();
    let token = first["access_token"].as_str().unwrap();
    let told = bench.post(token, "C1", "x");
    assert_eq!((&told["error"], &told["needed"]), (&json!("missing_scope"), &json!("chat:write")));
    assert_eq!(told["provided"], first["scope"]);
    bench.api.with_all_scopes();
    let second = bench.install();
    assert_eq!(second["access_token"], first["access_token"]);
    assert_eq!(second["bot_user_id"], first["bot_user_id"]);
    assert_eq!(bench.post(token, "C1", "x")["error"], "not_in_channel");
    bench.api.set_reinstall_renews(true);
    assert_ne!(bench.install()["access_token"], first["access_token"]);
}

#[tokio::test]
async fn the_channel_that_was_chosen_comes_with_the_token() {
    let app = App::new(REDIRECT, &["chat:write", "incoming-webhook"]);
    let bench = Bench::new(app).await;
    let chosen = bench.api.approve(&bench.authorize_url(), &Approval::new("T1", "U1"));
    assert_eq!(chosen, Err("no channel was chosen, or no such channel"));
    let code = bench.code(&Approval::new("T1", "U1").to_channel("C1"));
    let told = bench.access(&[("code", &code), ("redirect_uri", REDIRECT)]);
    let webhook = &told["incoming_webhook"];
    assert_eq!((&webhook["channel"], &webhook["channel_id"]), (&json!("#alerts"), &json!("C1")));
    assert!(webhook["url"].as_str().unwrap().starts_with("https://hooks.slack.com/services/T1/B0BOT"));
}

#[tokio::test]
async fn an_org_wide_install_names_no_workspace_and_its_token_can_be_revoked() {
    let bench = Bench::plain().await;
    assert!(bench.api.approve(&bench.authorize_url(), &Approval::new("T1", "U1").org_wide()).is_err());
    bench.team().join_enterprise("E1", "Acme Grid");
    assert_eq!(bench.install()["enterprise"], json!({ "id": "E1", "name": "Acme Grid" }));
    let code = bench.code(&Approval::new("T1", "U1").org_wide());
    let told = bench.access(&[("code", &code), ("redirect_uri", REDIRECT)]);
    assert_eq!((&told["team"], &told["is_enterprise_install"]), (&Value::Null, &json!(true)));
    assert_eq!(told["enterprise"]["id"], "E1");
    let code = bench.code(&Approval::new("T1", "U1"));
    let refused = bench.access(&[("code", &code), ("redirect_uri", REDIRECT)]);
    assert_eq!(refused["error"], "cannot_install_an_org_installed_app");
    let token = told["access_token"].as_str().unwrap();
    assert_eq!(bench.post(token, "C1", "x")["error"], "team_not_found");
    assert_eq!(bench.read(token, "auth.revoke", "")["revoked"], true);
    assert_eq!(bench.read(token, "auth.revoke", "")["error"], "token_revoked");
    assert_eq!(bench.api.live_tokens().len(), 1);
}
