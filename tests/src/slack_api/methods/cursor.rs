//! Pages of a list: limits and opaque cursors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::slack_api::call::{Arguments, Caller, Refusal};
use crate::slack_api::state::{Page, State};

/// Where a page begins, and how many it may have.
pub(crate) struct Asked {
    pub(crate) from: usize,
    pub(crate) limit: usize,
    cursor: String,
    /// What a cursor must have been made for.
    of: String,
}

/// Reads `limit` (`default` where it is missing) and `cursor`, which must have been given for the same list (`of`).
pub(crate) fn asked(
    state: &State,
    caller: &Caller,
    arguments: &Arguments,
    default: Option<usize>,
    of: &str,
) -> Result<Asked, Refusal> {
    let limit = match arguments.text("limit")? {
        None => default.ok_or("limit_required")?,
        Some(text) => text.parse().ok().filter(|limit| (1..1_000).contains(limit)).ok_or("invalid_limit")?,
    };
    let of = format!("{of}:{}:{}", caller.token.place, state.cursor_age);
    let cursor = arguments.text("cursor")?.unwrap_or_default().to_owned();
    let from = if cursor.is_empty() { Some(0) } else { position(&cursor, &of) };
    Ok(Asked { from: from.ok_or("invalid_cursor")?, limit, cursor, of })
}

fn position(cursor: &str, of: &str) -> Option<usize> {
    let decoded = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    let (made_for, position) = decoded.rsplit_once('@')?;
    (made_for == of).then(|| position.parse().ok())?
}

/// The answer with a page, whose next begins at `next`.
pub(crate) fn page(
    state: &mut State,
    caller: &Caller,
    asked: Asked,
    list: &'static str,
    items: Vec<Value>,
    next: Option<usize>,
) -> Value {
    let page = Page {
        at: caller.now,
        place: caller.token.place.clone(),
        cursor: asked.cursor,
        items: items.len(),
        is_last: next.is_none(),
    };
    state.pages.push((list, page));
    let next = next.map(|next| STANDARD.encode(format!("{}@{next}", asked.of))).unwrap_or_default();
    let mut answer = json!({ "response_metadata": { "next_cursor": next } });
    answer[list] = items.into();
    answer
}
