//! The body: an event as JSON by `schema/v1.json`, within its limits, and saying so where something was cut.

use alloc::{borrow::Cow, string::String, vec, vec::Vec};

use pqh_channel_sdk::Failure;
use pqh_channel_sdk::events::{BrokenRule, Detail, Event, Report};
use pqh_channel_sdk::text::{clean, truncate, web_url};
use pqh_channel_sdk::time::rfc3339;

use crate::json::Json::{self, Bool, Count, List, Null, Object, Text};

/// The schema's version. It stays while members are only added: see FACTS.md, 6.
const SCHEMA: &str = "1";
/// Characters of a name or a value, and of a message.
const SHORT: usize = 2_000;
const LONG: usize = 10_000;
/// Bytes of the report's address, and of each list. What is longer than the first goes out as null: a part leads nowhere.
/// With the texts, of up to four bytes a character, all stay below 256 KiB; a common event has one of the 20 kB that the
/// specification advises (FACTS.md, 2).
const ADDRESS: usize = 4_000;
const LIST: usize = 32 << 10;

type Members = Vec<(&'static str, Json)>;

/// What shows that the receiver takes what we sign. It tells nothing, and happened at no time.
pub(crate) fn ping() -> Json {
    Object(vec![("type", "ping".into()), ("schema", SCHEMA.into()), ("data", Object(Vec::new()))])
}

/// Tells an event: all of it where it fits.
pub(crate) fn of(event: &Event, id: &str, attempt: u32) -> Result<Json, Failure> {
    let cut = &mut Cut::default();
    let (kind, own) = own(&event.detail, cut)?;
    let mut data = vec![
        ("id", cut.short(&event.id)),
        ("alert_id", event.alert_id.as_deref().map_or(Null, |id| cut.short(id))),
        ("incident_id", event.incident_id.as_deref().map_or(Null, |id| cut.short(id))),
        ("title", cut.short(&event.title)),
        ("severity", event.severity.name().into()),
        ("occurred_at", Text(rfc3339(event.occurred_at))),
        ("occurred_at_local", cut.short(&event.occurred_at_local)),
        ("locale", cut.short(&event.locale)),
        ("report", event.report.as_ref().map_or(Null, |report| cut.report(report))),
        ("mentions", cut.list("mentions", &event.mentions, |cut, mention| cut.short(mention))),
        ("labels", cut.list("labels", &event.labels, Cut::named)),
        ("attributes", cut.list("attributes", &event.attributes, Cut::named)),
    ];
    data.extend(own);
    let mut body = vec![
        ("type", kind.into()),
        ("timestamp", Text(rfc3339(event.occurred_at))),
        ("schema", SCHEMA.into()),
        ("delivery", Object(vec![("id", id.into()), ("attempt", Count(attempt.into()))])),
        ("data", Object(data)),
        ("truncated", Bool(cut.something)),
    ];
    if !cut.left_out.is_empty() {
        body.push(("left_out", Object(core::mem::take(&mut cut.left_out))));
    }
    Ok(Object(body))
}

/// The type, and what it has of its own.
fn own(detail: &Detail, cut: &mut Cut) -> Result<(&'static str, Members), Failure> {
    Ok(match detail {
        Detail::Triggered(trigger) => {
            let rules = cut.list("broken_rules", &trigger.broken_rules, Cut::rule);
            ("alert.triggered", vec![("broken_rules", rules)])
        }
        Detail::Resolved(resolution) => {
            let at = resolution.triggered_at.map_or(Null, |at| Text(rfc3339(at)));
            let local = resolution.triggered_at_local.as_deref().map_or(Null, |local| cut.short(local));
            ("alert.resolved", vec![("triggered_at", at), ("triggered_at_local", local)])
        }
        Detail::Notebook(run) => {
            ("notebook.message", vec![("status", run.status.name().into()), ("message", cut.text(&run.message, LONG))])
        }
        Detail::Notice(notice) => {
            let remedy = notice.remedy.as_deref().map_or(Null, |remedy| cut.text(remedy, LONG));
            let (kind, message) = (cut.short(&notice.kind), cut.text(&notice.message, LONG));
            ("service.notice", vec![("kind", kind), ("message", message), ("remedy", remedy)])
        }
        Detail::Test => ("test", Vec::new()),
        Detail::Digest(_) => {
            let message = "A webhook is told each event by itself, not several in one message.";
            return Err(Failure::rejected("digest", message).remedy("Contact PyQueryHub support with this error."));
        }
    })
}

/// Cuts what is too long, and remembers what it did.
#[derive(Default)]
struct Cut {
    something: bool,
    /// How many entries of which list.
    left_out: Members,
}

impl Cut {
    /// Cleaned, and at most so many characters.
    fn text(&mut self, text: &str, limit: usize) -> Json {
        let cleaned = clean(text);
        let kept = truncate(&cleaned, limit, "…");
        self.something |= matches!(kept, Cow::Owned(_));
        Text(kept.into_owned())
    }

    fn short(&mut self, text: &str) -> Json {
        self.text(text, SHORT)
    }

    fn report(&mut self, report: &Report) -> Json {
        let url = report.url.as_deref().and_then(web_url).filter(|url| url.len() <= ADDRESS);
        self.something |= url.is_none() && report.url.is_some();
        Object(vec![("name", self.short(&report.name)), ("url", url.map_or(Null, Text))])
    }

    fn named(&mut self, (name, value): &(String, String)) -> Json {
        Object(vec![("name", self.short(name)), ("value", self.short(value))])
    }

    fn rule(&mut self, BrokenRule { metric, comparison, threshold, current }: &BrokenRule) -> Json {
        let members = [("metric", metric), ("comparison", comparison), ("threshold", threshold), ("current", current)];
        Object(members.map(|(name, text)| (name, self.short(text))).into())
    }

    /// As many entries, each whole, as fit into so many bytes; what is left out is counted.
    fn list<T>(&mut self, name: &'static str, of: &[T], tell: fn(&mut Self, &T) -> Json) -> Json {
        let (mut told, mut used) = (Vec::new(), 0);
        for entry in of {
            let entry = tell(self, entry);
            used += serde_json::to_vec(&entry).map_or(LIST, |json| json.len() + 1);
            if used > LIST {
                break;
            }
            told.push(entry);
        }
        let left = of.len() - told.len();
        if left > 0 {
            self.something = true;
            self.left_out.push((name, Count(left as u64)));
        }
        List(told)
    }
}
