//! Every path with every role: driven by what the service says of itself, so that a new path needs a row here.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::world::World;

/// Who may, in this order: nobody's token, publisher, member, admin, operator. `n` unauthenticated, `-` forbidden, `x` may.
const TABLE: &[(&str, &str, &str)] = &[
    ("get", "/healthz", "xxxxx"),
    ("get", "/readyz", "xxxxx"),
    ("get", "/metrics", "xxxxx"),
    ("post", "/v1/events", "nxxx-"),
    ("get", "/v1/events/{id}", "n-xx-"),
    ("get", "/v1/deliveries", "n-xx-"),
    ("get", "/v1/deliveries/{id}", "n-xx-"),
    ("post", "/v1/deliveries/{id}/replay", "n--x-"),
    ("post", "/v1/deliveries/{id}/cancel", "n--x-"),
    ("post", "/v1/deliveries/replay", "n--x-"),
    ("get", "/v1/channels", "n-xx-"),
    ("post", "/v1/channels", "n--x-"),
    ("get", "/v1/channels/{id}", "n-xx-"),
    ("patch", "/v1/channels/{id}", "n--x-"),
    ("delete", "/v1/channels/{id}", "n--x-"),
    ("post", "/v1/channels/{id}/test", "n--x-"),
    ("post", "/v1/channels/{id}/check", "n--x-"),
    ("post", "/v1/channels/{id}/pause", "n--x-"),
    ("post", "/v1/channels/{id}/resume", "n--x-"),
    ("post", "/v1/channels/preview", "n-xx-"),
    ("post", "/v1/connections/{type}/authorize", "n--x-"),
    ("get", "/v1/connections", "n-xx-"),
    ("get", "/v1/connections/{id}", "n-xx-"),
    ("delete", "/v1/connections/{id}", "n--x-"),
    ("get", "/v1/connections/{id}/targets", "n-xx-"),
    ("post", "/v1/inbound/{type}", "xxxxx"),
    ("get", "/v1/alerts", "n-xx-"),
    ("post", "/v1/alerts", "n-xx-"),
    ("get", "/v1/alerts/{id}", "n-xx-"),
    ("patch", "/v1/alerts/{id}", "n-xx-"),
    ("delete", "/v1/alerts/{id}", "n-xx-"),
    ("post", "/v1/alerts/{id}/mute", "n-xx-"),
    ("post", "/v1/alerts/{id}/checks", "nxxx-"),
    ("get", "/v1/alerts/{id}/checks", "n-xx-"),
    ("get", "/v1/channel-types", "n-xxx"),
    ("get", "/v1/plugins", "n---x"),
    ("post", "/v1/plugins/{id}/grant", "n---x"),
    ("post", "/v1/plugins/{id}/revoke", "n---x"),
    ("get", "/v1/organizations", "n---x"),
    ("post", "/v1/organizations", "n---x"),
    ("get", "/v1/organizations/{id}", "n---x"),
    ("patch", "/v1/organizations/{id}", "n---x"),
    ("get", "/v1/organization", "nxxx-"),
    ("patch", "/v1/organization", "n--x-"),
    ("get", "/v1/tokens", "n--xx"),
    ("post", "/v1/tokens", "n--xx"),
    ("delete", "/v1/tokens/{id}", "n--xx"),
    ("get", "/v1/members", "n-xx-"),
    ("post", "/v1/members", "n--x-"),
    ("delete", "/v1/members/{id}", "n--x-"),
    ("get", "/v1/audit", "n--xx"),
];

#[tokio::test]
async fn every_path_lets_in_exactly_the_roles_that_may() {
    let world = World::start().await;
    let organization = world.organization("Acme").await;
    let described = world.ask(Method::GET, "/openapi.json", None, None).await.body;
    let mut wrong = Vec::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let Some((_, _, expected)) = TABLE.iter().find(|(m, p, _)| m == method && p == path) else {
                wrong.push(format!("{method} {path} has no row in the table"));
                continue;
            };
            let tokens = [
                None,
                Some(organization.publisher.as_str()),
                Some(organization.member.as_str()),
                Some(organization.admin.as_str()),
                Some(world.operator.as_str()),
            ];
            let mut found = String::new();
            for token in tokens {
                let body = (method != "get").then(|| json!({}));
                let uri =
                    path.replace("{id}", "01a208ac-0000-7000-8000-000000000000").replace("{type}", "no-such-type");
                let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let answer = world.ask(verb, &uri, token, body).await;
                found.push(match answer.status {
                    StatusCode::UNAUTHORIZED if answer.code() == "unauthenticated" => 'n',
                    StatusCode::FORBIDDEN if answer.code() == "forbidden" => '-',
                    status if status.is_server_error() => '!',
                    _ => 'x',
                });
            }
            if found != *expected {
                wrong.push(format!("{method} {path}: expected {expected}, found {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_revoked_token_is_good_for_nothing_from_the_answer_on() {
    let world = World::start().await;
    let organization = world.organization("Acme").await;
    let made = world.make("/v1/tokens", &organization.admin, json!({ "name": "t", "role": "member" })).await;
    let (id, token) = (super::world::text(&made, "id"), super::world::text(&made, "token"));
    world.get("/v1/organization", &token).await;
    let path = format!("/v1/tokens/{id}");
    let answer = world.ask(Method::DELETE, &path, Some(&organization.admin), None).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let answer = world.ask(Method::GET, "/v1/organization", Some(&token), None).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "unauthenticated"));
    let again = world.ask(Method::DELETE, &path, Some(&organization.admin), None).await;
    assert_eq!(again.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_member_s_tokens_end_with_the_member() {
    let world = World::start().await;
    let admin = world.organization("Acme").await.admin;
    let member = world.make("/v1/members", &admin, json!({ "name": "Ada", "email": "ada@example.com" })).await;
    let twin = json!({ "name": "Ada", "email": "ADA@example.com" });
    let twin = world.ask(Method::POST, "/v1/members", Some(&admin), Some(twin)).await;
    assert_eq!((twin.status, twin.code()), (StatusCode::CONFLICT, "email-taken"));
    let wish = json!({ "name": "hers", "role": "member", "member": member["id"] });
    let token = super::world::text(&world.make("/v1/tokens", &admin, wish).await, "token");
    world.get("/v1/members", &token).await;
    let path = format!("/v1/members/{}", super::world::text(&member, "id"));
    assert_eq!(world.ask(Method::DELETE, &path, Some(&admin), None).await.status, StatusCode::NO_CONTENT);
    let answer = world.ask(Method::GET, "/v1/members", Some(&token), None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_last_operator_cannot_lock_everybody_out() {
    let world = World::start().await;
    let tokens = world.get("/v1/tokens", &world.operator).await;
    let id = super::world::text(&tokens["items"][0], "id");
    let path = format!("/v1/tokens/{id}");
    let answer = world.ask(Method::DELETE, &path, Some(&world.operator), None).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::CONFLICT, "last-operator-token"));
    let second = world.make("/v1/tokens", &world.operator, json!({ "name": "2", "role": "operator" })).await;
    let second = super::world::text(&second, "token");
    assert_eq!(world.ask(Method::DELETE, &path, Some(&second), None).await.status, StatusCode::NO_CONTENT);
    let answer = world.ask(Method::GET, "/v1/organizations", Some(&world.operator), None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_that_asks_too_often_is_told_when_to_come_again() {
    let world = World::start_with(|config| config.limits.requests_per_second = std::num::NonZeroU32::MIN).await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(world.ask(Method::GET, "/v1/organizations", Some(&world.operator), None).await.status);
    }
    assert!(codes.contains(&StatusCode::TOO_MANY_REQUESTS), "{codes:?}");
}

#[tokio::test]
async fn guessing_tokens_is_slowed_down_and_does_not_keep_out_who_has_one() {
    let world = World::start().await;
    world.get("/v1/organizations", &world.operator).await;
    let guess = format!("{}A", &world.operator[..world.operator.len() - 1]);
    let guess = if guess == world.operator { format!("{}B", &guess[..guess.len() - 1]) } else { guess };
    let mut slowed = false;
    for _ in 0..500 {
        let answer = world.ask(Method::GET, "/v1/organizations", Some(&guess), None).await;
        slowed = slowed || answer.code() == "rate-limited";
        assert!(["rate-limited", "unauthenticated"].contains(&answer.code()), "{answer:?}");
    }
    assert!(slowed);
    world.get("/v1/organizations", &world.operator).await;
}
