//! Channel types, components of the folder, and what operators grant them.

use pqh::clock::Clock;
use pqh::service::Service;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::components;
use crate::world::{Answer, World, config, text};

/// A channel of the hostile component, whose check says what `attack` is.
fn hostile(alias: &str, attack: &str) -> Value {
    json!({ "alias": alias, "type": "hostile", "settings": { "attack": attack } })
}

#[tokio::test]
async fn channel_types_tell_what_a_form_needs() {
    let world = World::with_plugins(&[("hostile.wasm", components::named("hostile"))]).await;
    let types = world.get("/v1/channel-types").await.expect(200);
    let of = |id: &str| types["items"].as_array().unwrap().iter().find(|known| known["id"] == id).unwrap().clone();
    let webhook = of("slack-webhook");
    assert_eq!((&webhook["granted"], &webhook["digests"]), (&json!(true), &json!(true)));
    assert_eq!(webhook["target"], json!(["url"]));
    assert_eq!(webhook["paces"], json!([{ "scope": "target", "messages": 60, "seconds": 60, "burst": 5 }]));
    let field = &webhook["fields"][0];
    assert_eq!(
        (&field["key"], &field["kind"], &field["required"]),
        (&json!("url"), &json!("secret-url"), &json!(true))
    );
    assert!(text(&field["hints"]["placeholder"]).starts_with("https://"));
    assert_eq!(of("hostile")["granted"], json!(false));
}

#[tokio::test]
async fn a_component_of_the_folder_may_do_only_what_the_operator_granted_to_its_bytes() {
    let files: [(&str, &[u8]); 2] = [("hostile.wasm", components::named("hostile")), ("broken.wasm", b"nonsense")];
    let world = World::with_plugins(&files).await;
    let operator = |method, path: &'static str, body| world.ask(method, path, &world.operator, body);
    let plugins = operator(Method::GET, "/v1/plugins", None).await.expect(200);
    let all = plugins["items"].as_array().unwrap();
    let listed = all.iter().find(|plugin| plugin["id"] == "hostile").unwrap();
    assert_eq!((&listed["origin"], &listed["granted"]), (&json!("file"), &Value::Null));
    assert!(listed["destinations"].as_array().unwrap().contains(&json!("attack.example")), "{listed:#}");
    assert!(all.iter().any(|plugin| plugin["error"].is_string() && text(&plugin["file"]).ends_with("broken.wasm")));
    assert!(all.iter().any(|plugin| plugin["origin"] == "built-in" && plugin["granted"]["hosts"].is_null()));
    let ready = operator(Method::GET, "/readyz", None).await.expect(200);
    assert!(ready["warnings"].to_string().contains("broken.wasm"), "{ready:#}");

    let new = || hostile("h", "claim-success-unsent");
    world.post("/v1/channels", new()).await.refused(409, "not-granted");
    let grant = |body| operator(Method::POST, "/v1/plugins/hostile/grant", Some(body));
    let other = grant(json!({ "sha256": "00".repeat(32) })).await.refused(409, "other-file");
    assert_eq!(other["sha256"], listed["sha256"]);
    assert_eq!(
        grant(json!({ "hosts": ["https://a.example/x"] })).await.refused(422, "bad-host")["field"],
        json!("hosts")
    );
    let granted = grant(json!({ "sha256": listed["sha256"], "hosts": ["Attack.example"] })).await.expect(200);
    assert_eq!(granted["granted"]["hosts"], json!(["attack.example"]));
    assert_eq!(granted["granted"]["by"], json!("first operator"));
    world.post("/v1/channels", new()).await.expect(201);

    operator(Method::POST, "/v1/plugins/hostile/revoke", None).await.expect(200);
    let held = world.get("/v1/channels/h").await.expect(200);
    assert_eq!(held["held_reason"], json!("grant"));
    assert!(held["problems"].to_string().contains("pqh plugin grant hostile"), "{held:#}");
    world.act("/v1/channels/h/check").await.refused(409, "not-granted");
    operator(Method::POST, "/v1/plugins/hostile/grant", None).await.expect(200);
    assert_eq!(world.get("/v1/channels/h").await.expect(200)["held_reason"], Value::Null);
    operator(Method::POST, "/v1/plugins/slack-webhook/revoke", None).await.refused(409, "built-in");
    operator(Method::POST, "/v1/plugins/none/grant", None).await.refused(404, "not-found");
    let audit = operator(Method::GET, "/v1/audit", None).await.expect(200);
    let actions: Vec<String> = audit["items"].as_array().unwrap().iter().map(|entry| text(&entry["action"])).collect();
    assert_eq!(actions[..3], ["grant.given", "grant.revoked", "grant.given"]);
}

#[tokio::test]
async fn a_grant_outlives_a_restart_and_not_a_change_of_the_file() {
    let world = World::with_plugins(&[("hostile.wasm", components::named("hostile"))]).await;
    world.ask(Method::POST, "/v1/plugins/hostile/grant", &world.operator, None).await.expect(200);
    world.post("/v1/channels", hostile("h", "claim-success-unsent")).await.expect(201);
    let World { service, simulator, webhook, http, operator, organization, admin, folder } = world;
    service.stop().await;
    let start = async || Service::start(config(folder.path(), &simulator), Clock::system()).await.unwrap();
    let held = async |service: &Service| {
        let url = format!("http://{}/v1/channels/h", service.address());
        Answer::of(http.get(url).bearer_auth(&admin)).await.expect(200)["held_reason"].clone()
    };
    let service = start().await;
    assert_eq!(held(&service).await, Value::Null);
    service.stop().await;
    // The same component with one more, empty, custom section: other bytes.
    let mut bytes = components::named("hostile").to_vec();
    bytes.extend_from_slice(&[0, 2, 1, b'x']);
    std::fs::write(folder.path().join("plugins/hostile.wasm"), bytes).unwrap();
    let service = start().await;
    assert_eq!(held(&service).await, json!("grant"));
    service.stop().await;
    drop((operator, organization, webhook));
}
