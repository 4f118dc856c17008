//! Somebody has the database's file at hand, and changes what was written down.

use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

use super::world::{World, database, text};

/// A stopped service's folder with an organization whose log has some rows.
async fn written() -> (World, String) {
    let mut world = World::start().await;
    let organization = world.organization("Acme").await;
    for n in 0..3 {
        let member = json!({ "name": n.to_string(), "email": format!("{n}@example.com") });
        world.make("/v1/members", &organization.admin, member).await;
    }
    world.stop().await;
    (world, organization.id)
}

async fn run(world: &World, statements: &[&'static str]) {
    let options = SqliteConnectOptions::new().filename(database(world.folder.path()));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    for statement in statements {
        sqlx::query(*statement).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// What `pqh audit verify` says of the organization's log.
fn verify(world: &World, organization: &str, head: Option<&str>) -> Value {
    let mut arguments = vec!["audit", "verify", "--json", "--organization", organization];
    if let Some(head) = head {
        arguments.extend(["--head", head]);
    }
    let output = world.pqh(&arguments);
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let code = i32::from(told["outcome"] != "intact");
    assert_eq!(output.status.code(), Some(code), "{told}");
    told["chains"][0].clone()
}

#[tokio::test]
async fn a_log_that_nobody_touched_is_intact_and_tells_its_head() {
    let (world, id) = written().await;
    let told = verify(&world, &id, None);
    assert_eq!((&told["outcome"], &told["rows"]), (&json!("intact"), &json!(7)));
    assert_eq!(verify(&world, &id, Some(&text(&told, "head")))["outcome"], "intact");
    let strange = "0".repeat(64);
    assert!(text(&verify(&world, &id, Some(&strange)), "fault").contains(&strange));
}

#[tokio::test]
async fn each_way_to_tamper_with_rows_is_found_and_the_row_is_named() {
    for (statements, fault) in [
        (
            &["UPDATE audit SET source = '203.0.113.9' WHERE chain <> 'operator' AND number = 3"][..],
            "row 3 was changed",
        ),
        (&["UPDATE audit SET actor = '{}' WHERE chain <> 'operator' AND number = 1"], "row 1 was changed"),
        (&["UPDATE audit SET after = NULL WHERE chain <> 'operator' AND number = 5"], "row 5 was changed"),
        (&["UPDATE audit SET at = at + 1 WHERE chain <> 'operator' AND number = 7"], "row 7 was changed"),
        (&["DELETE FROM audit WHERE chain <> 'operator' AND number = 4"], "row 4 is missing"),
        (&["DELETE FROM audit WHERE chain <> 'operator' AND number = 1"], "row 1 is missing"),
        (
            &[
                "UPDATE audit SET number = 100 WHERE chain <> 'operator' AND number = 5",
                "UPDATE audit SET number = 5 WHERE chain <> 'operator' AND number = 6",
                "UPDATE audit SET number = 6 WHERE chain <> 'operator' AND number = 100",
            ],
            "row 5 stood at 6",
        ),
        (
            &[
                "UPDATE audit SET number = 100 WHERE chain <> 'operator' AND number = 2",
                "UPDATE audit SET number = 2 WHERE chain <> 'operator' AND number = 6",
                "UPDATE audit SET number = 6 WHERE chain <> 'operator' AND number = 100",
            ],
            "row 2 stood at 6",
        ),
    ] {
        let (world, id) = written().await;
        run(&world, statements).await;
        let told = verify(&world, &id, None);
        assert!(text(&told, "fault").starts_with(fault), "{statements:?}: {told}");
    }
}

#[tokio::test]
async fn a_tail_that_was_cut_off_is_found_by_the_seal() {
    for (statements, fault) in [
        (&["DELETE FROM audit WHERE chain <> 'operator' AND number > 5"][..], "the rows end at 5, but 7 were written"),
        (
            &[
                "DELETE FROM audit WHERE chain <> 'operator' AND number > 5",
                "UPDATE audit_heads SET number = 5, hash = (SELECT hash FROM audit WHERE audit.chain = audit_heads.chain \
                 AND number = 5) WHERE chain <> 'operator'",
            ],
            "the record of the chain's end was changed",
        ),
        (
            &["DELETE FROM audit WHERE chain <> 'operator'", "DELETE FROM audit_heads WHERE chain <> 'operator'"],
            "the record of the chain's end is missing",
        ),
    ] {
        let (world, id) = written().await;
        run(&world, statements).await;
        let told = verify(&world, &id, None);
        assert!(text(&told, "fault").starts_with(fault), "{statements:?}: {told}");
    }
}

#[tokio::test]
async fn a_log_put_back_to_an_older_state_is_found_by_the_head_that_was_kept_elsewhere() {
    let mut world = World::start().await;
    let organization = world.organization("Acme").await;
    world.stop().await;
    let path = database(world.folder.path());
    let older = std::fs::read(&path).unwrap();
    world.restart().await;
    world.make("/v1/members", &organization.admin, json!({ "name": "Ada", "email": "ada@example.com" })).await;
    let head = text(&world.get("/v1/audit", &organization.admin).await, "head");
    world.stop().await;
    assert_eq!(verify(&world, &organization.id, Some(&head))["outcome"], "intact");
    std::fs::write(&path, older).unwrap();
    assert_eq!(verify(&world, &organization.id, None)["outcome"], "intact");
    assert!(text(&verify(&world, &organization.id, Some(&head)), "fault").contains("older state"));
}
