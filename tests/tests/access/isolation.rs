//! What belongs to one organization is not there for another.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::world::{World, text};

#[tokio::test]
async fn an_organization_sees_nothing_of_another() {
    let world = World::start().await;
    let (one, other) = (world.organization("One").await, world.organization("Other").await);
    let member = world.make("/v1/members", &one.admin, json!({ "name": "Ada", "email": "ada@one.example" })).await;
    let token = world.make("/v1/tokens", &one.admin, json!({ "name": "secret plan", "role": "member" })).await;
    for path in ["/v1/members", "/v1/tokens", "/v1/audit", "/v1/organization"] {
        let seen = world.get(path, &other.admin).await.to_string();
        for word in [one.id.as_str(), "ada@one.example", "secret plan", "\"One\""] {
            assert!(!seen.contains(word), "{path} tells {word}: {seen}");
        }
    }
    for (method, path) in [
        (Method::DELETE, format!("/v1/tokens/{}", text(&token, "id"))),
        (Method::DELETE, format!("/v1/members/{}", text(&member, "id"))),
        (Method::GET, format!("/v1/tokens?organization={}", one.id)),
        (Method::GET, format!("/v1/audit?organization={}", one.id)),
    ] {
        let answer = world.ask(method, &path, Some(&other.admin), None).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, "not-found"), "{path}");
    }
    let borrowed = json!({ "name": "t", "role": "member", "member": member["id"] });
    let answer = world.ask(Method::POST, "/v1/tokens", Some(&other.admin), Some(borrowed)).await;
    assert_eq!(answer.code(), "unknown-member");
    let placed = json!({ "name": "t", "role": "admin", "organization": one.id });
    let answer = world.ask(Method::POST, "/v1/tokens", Some(&other.admin), Some(placed)).await;
    assert_eq!(answer.code(), "not-found");
    world.get("/v1/organization", &text(&token, "token")).await;
}

#[tokio::test]
async fn an_admin_makes_no_operator() {
    let world = World::start().await;
    let admin = world.organization("One").await.admin;
    let wish = json!({ "name": "t", "role": "operator" });
    let answer = world.ask(Method::POST, "/v1/tokens", Some(&admin), Some(wish)).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "forbidden"));
}

#[tokio::test]
async fn an_admin_changes_the_organization_but_not_its_plan() {
    let world = World::start().await;
    let organization = world.organization("One").await;
    let answer =
        world.ask(Method::PATCH, "/v1/organization", Some(&organization.admin), Some(json!({ "plan": "paid" }))).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::UNPROCESSABLE_ENTITY, "bad-body"));
    let change = json!({ "time_zone": "Europe/Berlin", "name": "Eins" });
    let answer = world.ask(Method::PATCH, "/v1/organization", Some(&organization.admin), Some(change)).await;
    assert_eq!(answer.body["time_zone"], "Europe/Berlin");
    let wrong = json!({ "notice_channels": ["nowhere"] });
    let answer = world.ask(Method::PATCH, "/v1/organization", Some(&organization.admin), Some(wrong)).await;
    assert_eq!(answer.code(), "unknown-channel");
    let path = format!("/v1/organizations/{}", organization.id);
    let answer = world.ask(Method::PATCH, &path, Some(&world.operator), Some(json!({ "plan": "free" }))).await;
    assert_eq!((&answer.body["plan"], &answer.body["name"]), (&json!("free"), &json!("Eins")));
    let log = world.get("/v1/audit", &organization.admin).await;
    let newest = &log["items"][0];
    assert_eq!((&newest["before"]["plan"], &newest["after"]["plan"]), (&json!("paid"), &json!("free")));
    assert_eq!(newest["actor"]["role"], "operator");
    assert_eq!(newest["source"], "127.0.0.1");
}

#[tokio::test]
async fn lists_are_whole_page_by_page() {
    let world = World::start().await;
    let admin = world.organization("One").await.admin;
    for n in 0..5 {
        world.make("/v1/members", &admin, json!({ "name": n.to_string(), "email": format!("{n}@example.com") })).await;
    }
    let (mut names, mut path) = (Vec::new(), "/v1/members?limit=2".to_owned());
    loop {
        let page = world.get(&path, &admin).await;
        names.extend(page["items"].as_array().unwrap().iter().map(|item| text(item, "name")));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/members?limit=2&cursor={cursor}");
    }
    assert_eq!(names, ["0", "1", "2", "3", "4"]);
}
