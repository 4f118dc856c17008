//! Lists, their pages, and how often they may be asked for.

use super::*;

/// Reads all pages, as fast as the clock allows: items, and how many seconds it took.
fn read_all(bench: &Bench, token: &str, method: &str, list: &str, query: &str) -> (Vec<Value>, i64) {
    let (mut items, mut cursor, mut waited) = (Vec::new(), String::new(), 0);
    loop {
        let answer = bench.answer(&get(method, token, &format!("{query}&cursor={}", form::encoded(&cursor))));
        let told: Value = serde_json::from_str(&answer.body).unwrap();
        if answer.status == 429 {
            assert_eq!(told["error"], "ratelimited");
            let (_, seconds) = answer.headers.iter().find(|(name, _)| name == "Retry-After").unwrap();
            waited += seconds.parse::<i64>().unwrap();
            bench.pass(seconds.parse::<i64>().unwrap() * 1_000);
            continue;
        }
        items.extend(told[list].as_array().unwrap_or_else(|| panic!("{told}")).clone());
        told["response_metadata"]["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
        if cursor.is_empty() {
            return (items, waited);
        }
    }
}

#[tokio::test]
async fn twenty_thousand_channels_come_in_pages_at_twenty_a_minute() {
    let bench = Bench::plain().await;
    let token = bench.token();
    bench.team().add_channels(20_000);
    let (items, waited) =
        read_all(&bench, &token, "conversations.list", "channels", "limit=200&types=public_channel,private_channel");
    assert_eq!((items.len(), waited), (20_003, 300));
    let pages = bench.api.channel_pages();
    let mut cursors: Vec<&str> = pages.iter().map(|page| page.cursor.as_str()).collect();
    cursors.sort_unstable();
    cursors.dedup();
    assert_eq!((pages.len(), cursors.len(), bench.api.requests("conversations.list")), (101, 101, 106));
    assert!(pages.iter().rev().skip(1).all(|page| !page.is_last) && pages[100].is_last);
}

#[tokio::test]
async fn a_page_is_cut_before_archived_channels_are_left_out() {
    let bench = Bench::plain().await;
    let token = bench.token();
    let told = bench.read(&token, "conversations.list", "limit=1&exclude_archived=true");
    assert_eq!(told["channels"][0]["name"], "alerts");
    let next = form::encoded(told["response_metadata"]["next_cursor"].as_str().unwrap());
    let told = bench.read(&token, "conversations.list", &format!("limit=1&exclude_archived=true&cursor={next}"));
    assert_eq!(told["channels"], json!([]));
    assert_ne!(told["response_metadata"]["next_cursor"], "");
    // Another list's cursor, and an old one, are none.
    let told = bench.read(&token, "conversations.list", &format!("limit=1&cursor={next}"));
    assert_eq!(told["error"], "invalid_cursor");
    bench.api.expire_cursors();
    let told = bench.read(&token, "conversations.list", &format!("limit=1&exclude_archived=true&cursor={next}"));
    assert_eq!(told["error"], "invalid_cursor");
}

#[tokio::test]
async fn only_private_channels_that_the_bot_is_in_are_listed() {
    let bench = Bench::plain().await;
    let token = bench.token();
    let ids = || {
        let (items, _) =
            read_all(&bench, &token, "conversations.list", "channels", "types=public_channel,private_channel");
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(), ["C1", "C3", "C4"]);
    bench.team().invite_bot("C2");
    bench.team().delete("C3");
    assert_eq!(ids(), ["C1", "C2", "C4"]);
    assert_eq!(bench.read(&token, "conversations.list", "types=im")["needed"], "im:read");
    assert_eq!(bench.read(&token, "conversations.list", "types=channel")["error"], "invalid_types");
    for limit in ["0", "1000", "x"] {
        assert_eq!(bench.read(&token, "conversations.list", &format!("limit={limit}"))["error"], "invalid_limit");
    }
}

#[tokio::test]
async fn a_private_channel_needs_its_own_scope() {
    let bench = Bench::plain().await;
    bench.api.without_scope("groups:read");
    let token = bench.token();
    assert_eq!(bench.read(&token, "conversations.list", "")["ok"], true);
    let told = bench.read(&token, "conversations.list", "types=public_channel,private_channel");
    assert_eq!((&told["error"], &told["needed"]), (&json!("missing_scope"), &json!("groups:read")));
    bench.team().invite_bot("C2");
    assert_eq!(bench.read(&token, "conversations.info", "channel=C2")["error"], "missing_scope");
}

#[tokio::test]
async fn people_are_listed_with_a_limit_and_addresses_need_their_scope() {
    let bench = Bench::plain().await;
    bench.api.without_scope("users:read.email");
    let token = bench.token();
    assert_eq!(bench.read(&token, "users.list", "")["error"], "limit_required");
    bench.team().add_users(250);
    let (items, _) = read_all(&bench, &token, "users.list", "members", "limit=100");
    assert_eq!((items.len(), bench.api.user_pages().len()), (254, 3));
    assert_eq!((&items[0]["id"], &items[0]["is_bot"]), (&json!("USLACKBOT"), &json!(false)));
    assert!(items.iter().any(|item| item["is_bot"] == true) && items.iter().any(|item| item["deleted"] == true));
    assert!(items.iter().all(|item| item["profile"].get("email").is_none()));
    assert_eq!(bench.read(&token, "users.lookupByEmail", "email=ada@example.com")["error"], "missing_scope");
    bench.api.with_all_scopes();
    bench.install();
    let of = |email: &str| bench.read(&token, "users.lookupByEmail", &format!("email={email}"));
    assert_eq!(of("ADA%40example.com")["user"]["profile"]["email"], "ada@example.com");
    assert_eq!(
        (&of("bob@example.com")["error"], &of("x@y")["error"]),
        (&json!("users_not_found"), &json!("users_not_found"))
    );
    assert_eq!(bench.read(&token, "users.info", "user=U1")["user"]["real_name"], "Ada Lovelace");
    assert_eq!(bench.read(&token, "users.info", "user=U9")["error"], "user_not_found");
}

#[tokio::test]
async fn groups_are_listed_and_disabled_ones_when_asked_for() {
    let bench = Bench::plain().await;
    let token = bench.token();
    bench.team().add_group(UserGroup { users: vec!["U1".to_owned()], ..UserGroup::new("S1", "On call", "oncall") });
    bench.team().add_group(UserGroup { is_disabled: true, ..UserGroup::new("S2", "Old", "old") });
    let told = bench.read(&token, "usergroups.list", "include_users=true");
    assert_eq!((&told["usergroups"][0]["handle"], &told["usergroups"][1]), (&json!("oncall"), &Value::Null));
    assert_eq!(told["usergroups"][0]["users"], json!(["U1"]));
    assert_eq!(bench.read(&token, "usergroups.list", "include_disabled=1")["usergroups"][1]["id"], "S2");
}
