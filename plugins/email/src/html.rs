//! The mail as HTML: `templates/message.html`, where everything is escaped by itself.

use alloc::format;
use alloc::string::String;

use askama::Template;
use pqh_channel_sdk::Failure;
use pqh_channel_sdk::text::line;
use pqh_channel_sdk::words::{TOO_LONG, Tone, Words};

use crate::message::{Content, Limits, Section};
use crate::plain::{self, FOOTER};

/// Gmail cuts off what is a little longer (FACTS.md, 6).
const LONGEST: usize = 90_000;

#[derive(Template)]
#[template(path = "message.html")]
struct Page<'a> {
    preheader: String,
    content: &'a Content,
}

/// The bar's colour.
pub(crate) fn color(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "#1a7f4b",
        Tone::Info => "#1868a8",
        Tone::Warning => "#b7791f",
        Tone::Critical => "#c0183f",
    }
}

pub(crate) fn render(words: &Words<'_>) -> Result<String, Failure> {
    let mut page = String::new();
    for limits in Limits::STEPS {
        let content = Content::of(words, limits);
        page = Page { preheader: preheader(&content), content: &content }.render().map_err(|error| {
            Failure::rejected("unrendered", format!("The mail cannot be made: {error}"))
                .remedy("Report it to PyQueryHub support with this error.")
        })?;
        if page.len() <= LONGEST {
            break;
        }
    }
    Ok(page)
}

/// What a list of mail shows after the subject, which is the same for all mail of a conversation.
fn preheader(content: &Content) -> String {
    let told = content.sections.iter().filter(|section| !matches!(section, Section::Lines(_))).map(plain::section);
    line(&told.fold(content.headline.clone(), |all, section| format!("{all} · {section}")), 250)
}
