//! A connection that is lost while its tokens are renewed.

use super::*;
use crate::store::organizations::{self, OrganizationRow};
use crate::store::{Opening, Store};

#[tokio::test]
async fn tokens_that_come_for_a_connection_that_was_lost_meanwhile_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("t.db").display());
    let store = Store::open(&url, Opening::MayCreate).await.unwrap();
    let organization = OrganizationRow {
        id: "o".to_owned(),
        name: "Acme".to_owned(),
        plan: "paid".to_owned(),
        time_zone: "UTC".to_owned(),
        locale: "en".to_owned(),
        notice_channels: "[]".to_owned(),
        data_key: "sealed".to_owned(),
        created_at: 0,
        updated_at: 0,
    };
    let row = ConnectionRow {
        id: "c".to_owned(),
        organization_id: "o".to_owned(),
        channel_type: "type".to_owned(),
        workspace_id: "w".to_owned(),
        name: "Workspace".to_owned(),
        memo: String::new(),
        default_target: None,
        lost: None,
        lost_at: None,
        ended_at: None,
        connected_by: "admin".to_owned(),
        connected_at: 0,
        updated_at: 0,
    };
    let why = crate::connections::failure(
        pqh_runtime::contract::types::FailureKind::Unauthorized,
        "revoked",
        "It was revoked.".to_owned(),
        "Connect it again.",
    );
    let why = FailureBody::from(&why);
    let written = store.write(move |connection| {
        Box::pin(async move {
            let term = Term { expires_at: None, renew_at: None };
            let tokens = [SealedToken { name: "token".to_owned(), sealed: "sealed".to_owned() }];
            organizations::insert(connection, &organization).await?;
            put(connection, &row).await?;
            assert!(put_tokens(connection, "c", None, term, &tokens).await?);
            assert!(put_tokens(connection, "c", Some(1), term, &tokens).await?, "a renewal");
            assert!(lose(connection, "c", 2, &why, 5).await?);
            assert!(!put_tokens(connection, "c", Some(2), term, &tokens).await?);
            // Whoever connects it again has the last word.
            put(connection, &row).await?;
            assert!(put_tokens(connection, "c", None, term, &tokens).await?);
            Ok::<_, StoreError>(())
        })
    });
    written.await.unwrap();
    let kept = tokens(&store, "c").await.unwrap().unwrap();
    assert_eq!((kept.generation, kept.lost), (3, None));
}
