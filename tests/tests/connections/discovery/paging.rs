//! How what was found is asked for.

use pqh_tests::slack_api::{Channel, User};
use serde_json::Value;

use super::{names, twice};
use crate::scenario::text;
use crate::world::{ADA, World};

#[tokio::test]
async fn names_are_found_in_any_case_with_their_marks_and_whatever_they_hold() {
    let world = World::new().await;
    let acme = world.acme();
    for (id, name) in [("C1", "100%-done"), ("C2", "a_b"), ("C3", "axb"), ("C4", "größe-übersicht"), ("C5", "売上")]
    {
        acme.add_channel(Channel::public(id, name));
    }
    acme.add_user(User::new("U0ZOE", "Zoë \"Z\" O'Neil", "Zoë", "zoe@example.com"));
    world.connect().await;
    world.all_targets().await;
    for (query, found) in [
        ("SALES", &["#sales"][..]),
        ("#Sales", &["#sales"]),
        (" sales ", &["#sales"]),
        ("ale", &["#sales"]),
        ("@ADA", &["@ada"]),
        ("C0SALES", &["#sales"]),
        (ADA, &["@ada"]),
        ("%", &["#100%-done"]),
        ("_", &["#a_b"]),
        ("a_b", &["#a_b"]),
        ("GRÖßE", &["#größe-übersicht"]),
        ("Übersicht", &["#größe-übersicht"]),
        ("売", &["#売上"]),
        ("O'Neil", &["@Zoë \"Z\" O'Neil"]),
        ("\"z\"", &["@Zoë \"Z\" O'Neil"]),
        ("' OR '1'='1", &[]),
        ("nothing", &[]),
    ] {
        assert_eq!(world.find(query).await, found, "{query:?}");
    }
    for query in ["", "#", " "] {
        assert_eq!(world.find(query).await.len(), 9, "{query:?}");
    }
    assert_eq!(world.find(&"x".repeat(5_000)).await, [""; 0]);
}

#[tokio::test]
async fn a_cursor_leads_from_page_to_page_in_the_order_of_names() {
    let world = World::new().await;
    world.acme().add_channels(30);
    // The same name twice, as people may have it.
    world.acme().add_user(User::new("U0ADA2", "ada", "Ada Byron", "byron@example.com"));
    world.connect().await;
    world.all_targets().await;
    for query in ["", "channel", "ada"] {
        let whole = world.find(query).await;
        let (mut seen, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let mut asked = vec![("query", query), ("limit", "1")];
            asked.extend(cursor.as_str().map(|cursor| ("cursor", cursor)));
            let told = world.targets(&asked).await;
            assert!(names(&told).len() <= 1);
            seen.extend(names(&told));
            cursor = told["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(seen, whole, "{query:?}");
        assert!(!whole.is_empty());
    }
}

#[tokio::test]
async fn limits_and_cursors_that_make_no_sense_are_refused_with_a_reason() {
    let world = World::new().await;
    world.connect().await;
    for (name, value) in [
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "-1"),
        ("limit", "many"),
        ("cursor", "!"),
        ("cursor", "eA"),
        ("cursor", "_w"),
    ] {
        let problem = world.ask_targets(&world.scenario.admin, &[(name, value)]).await.problem(400, "bad-query");
        assert!(text(&problem["detail"]).contains(name), "{name}={value}: {problem:#}");
    }
}

#[tokio::test]
async fn however_many_ask_at_once_there_is_one_pass() {
    let world = World::new().await;
    world.acme().add_channels(500);
    world.acme().add_users(450);
    world.connect().await;
    let asked = (0..10).map(|_| world.targets(&[]));
    for told in futures_util::future::join_all(asked).await {
        assert!(told["count"].as_i64().unwrap() >= 200, "{told:#}");
    }
    let told = world.all_targets().await;
    assert_eq!(told["count"], 500 + 450 + 3);
    for pages in [world.slack.channel_pages(), world.slack.user_pages()] {
        assert_eq!(twice(&pages), []);
        assert_eq!(pages.len(), 3);
    }
}
