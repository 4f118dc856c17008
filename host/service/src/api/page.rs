//! Lists, page by page: where one ends, a cursor tells where the next begins.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::input::Params;
use super::problem::Problem;

const MOST: i64 = 200;
const USUAL: i64 = 50;
/// Parts two texts of one key: no name holds it.
const BETWEEN: char = '\u{1f}';

/// How a list is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Items of a page, at most: 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    limit: i64,
    /// The last key of the page before.
    pub(crate) after: Option<String>,
}

impl Span {
    /// Rows to read: one more than asked for tells whether there is a next page.
    pub(crate) fn rows(&self) -> i64 {
        self.limit.saturating_add(1)
    }

    /// The last key of the page before, as a number.
    pub(crate) fn after_number(&self) -> Result<Option<i64>, Problem> {
        self.after.as_deref().map(|key| key.parse().map_err(|_| bad_cursor())).transpose()
    }

    /// The last key of the page before, where it is a number and what stands among those of the same.
    pub(crate) fn after_place<T: FromStr>(&self) -> Result<Option<(i64, T)>, Problem> {
        let place = |key: &str| {
            let (number, rest) = key.split_once('.')?;
            Some((number.parse().ok()?, rest.parse().ok()?))
        };
        self.after.as_deref().map(|key| place(key).ok_or_else(bad_cursor)).transpose()
    }

    /// The last key of the page before, where it is a pair of texts.
    pub(crate) fn after_pair(&self) -> Result<Option<(String, String)>, Problem> {
        let pair = |key: &str| key.split_once(BETWEEN).map(|(one, other)| (one.to_owned(), other.to_owned()));
        self.after.as_deref().map(|key| pair(key).ok_or_else(bad_cursor)).transpose()
    }

    /// As [`Self::page`], where a pair of texts tells where each row stands.
    pub(crate) fn page_of_pairs<T>(&self, rows: Vec<T>, key: impl Fn(&T) -> (String, String)) -> Page<T> {
        let joined = |row: &T| {
            let (one, other) = key(row);
            format!("{one}{BETWEEN}{other}")
        };
        self.page(rows, joined, |row| row)
    }

    /// A page of `rows`, which were read after the cursor; `key` tells where each stands in the list's order.
    pub(crate) fn page<R, T>(&self, mut rows: Vec<R>, key: impl Fn(&R) -> String, item: impl Fn(R) -> T) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|row| URL_SAFE_NO_PAD.encode(key(row)));
        Page { items: rows.into_iter().map(item).collect(), next_cursor }
    }
}

impl TryFrom<PageQuery> for Span {
    type Error = Problem;

    fn try_from(query: PageQuery) -> Result<Self, Problem> {
        let limit = query.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            let detail = format!("`limit`: expected a number from 1 to {MOST}; found {limit}.");
            return Err(Problem::new(StatusCode::BAD_REQUEST, "bad-query", detail).with("field", "limit"));
        }
        let after = query.cursor.map(|cursor| {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad_cursor())?;
            String::from_utf8(bytes).map_err(|_| bad_cursor())
        });
        Ok(Self { limit, after: after.transpose()? })
    }
}

impl FromRequestParts<crate::app::App> for Span {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &crate::app::App) -> Result<Self, Problem> {
        let Params(query) = Params::<PageQuery>::from_request_parts(parts, app).await?;
        query.try_into()
    }
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Where the next page begins; null on the last.
    pub(crate) next_cursor: Option<String>,
}

fn bad_cursor() -> Problem {
    let detail = "`cursor`: expected what `next_cursor` of the page before held; found another text.";
    Problem::new(StatusCode::BAD_REQUEST, "bad-query", detail).with("field", "cursor")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(limit: Option<i64>, cursor: Option<String>) -> Result<Span, Problem> {
        Span::try_from(PageQuery { limit, cursor })
    }

    #[test]
    fn a_cursor_leads_from_page_to_page_and_ends_with_the_last() {
        let all: Vec<i64> = (1..=5).collect();
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let span = span(Some(2), cursor).unwrap();
            let after = span.after_number().unwrap().unwrap_or(0);
            let rows: Vec<i64> = all.iter().copied().filter(|n| *n > after).take(3).collect();
            let page = span.page(rows, i64::to_string, |n| n);
            assert!(page.items.len() <= 2);
            seen.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn limits_and_cursors_that_make_no_sense_are_refused() {
        for limit in [-1, 0, 201] {
            assert!(span(Some(limit), None).is_err(), "{limit}");
        }
        assert!(span(None, Some("!".to_owned())).is_err());
        assert!(span(None, Some(URL_SAFE_NO_PAD.encode("x"))).unwrap().after_number().is_err());
    }
}
