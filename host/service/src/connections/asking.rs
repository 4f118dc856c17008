//! Asks a service of a connected workspace, where no delivery does.

use std::sync::Arc;

use pqh_runtime::contract::types::{Failure, FailureKind};

use super::LiveConnection;
use super::tokens::SOON;
use crate::app::App;
use crate::store::rows::Origin;

/// Asks with tokens that work: renewed before they expire, and once more where the service takes them no longer. Where it
/// says so twice the connection is lost. With which tokens it was, and what came.
pub(crate) async fn ask<T, F>(app: &App, live: &Arc<LiveConnection>, ask: impl Fn() -> F) -> Result<(i64, T), Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut generation = live.tokens.generation();
    let asked = async {
        generation = match live.tokens.fresh(SOON).await {
            Ok(fresh) => fresh,
            Err(stale) => {
                generation = stale.generation;
                return Err(stale.why);
            }
        };
        match ask().await {
            Err(dead) if dead.kind == FailureKind::Unauthorized => {
                if live.tokens.renews() {
                    match live.tokens.renew(generation).await {
                        Ok(renewed) => generation = renewed,
                        // What the service said first says more.
                        Err(failure) if failure.kind == FailureKind::Unauthorized => return Err(dead),
                        Err(failure) => return Err(failure),
                    }
                }
                ask().await
            }
            asked => asked,
        }
    }
    .await;
    if let Err(failure) = &asked
        && failure.kind == FailureKind::Unauthorized
    {
        app.delivery.lose_connection(live, generation, failure, Origin::Published).await;
    }
    asked.map(|found| (generation, found))
}
