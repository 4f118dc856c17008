//! The JSON's shape, for serde: what each member is called and which there are.

use serde::Deserialize;

use super::{
    object::Object,
    text::{Labels, Text},
};

/// An event, as `docs/events.md` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventShape {
    #[serde(default)]
    pub(super) id: Option<Text>,
    pub(super) title: Text,
    #[serde(default)]
    pub(super) severity: Option<SeverityShape>,
    #[serde(default)]
    pub(super) occurred_at: Option<Text>,
    #[serde(default)]
    pub(super) report: Option<Object<ReportShape>>,
    #[serde(default)]
    pub(super) mentions: Vec<Text>,
    #[serde(default)]
    pub(super) labels: Labels,
    #[serde(default)]
    pub(super) triggered: Option<Object<TriggeredShape>>,
    #[serde(default)]
    pub(super) resolved: Option<Object<ResolvedShape>>,
    #[serde(default)]
    pub(super) notebook: Option<Object<NotebookShape>>,
    #[serde(default)]
    pub(super) notice: Option<Object<NoticeShape>>,
    #[serde(default)]
    pub(super) test: Option<Object<TestShape>>,
}

/// How urgently people need to know.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SeverityShape {
    Info,
    Warning,
    Critical,
}

/// The report that an event is about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportShape {
    pub(super) name: Text,
    #[serde(default)]
    pub(super) url: Option<Text>,
}

/// An alert was triggered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TriggeredShape {
    pub(super) broken_rules: Vec<Object<RuleShape>>,
}

/// A rule whose condition held.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with metric, comparison, threshold and current")]
pub(super) struct RuleShape {
    pub(super) metric: Text,
    pub(super) comparison: Text,
    pub(super) threshold: Text,
    pub(super) current: Text,
}

/// An alert is over.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResolvedShape {
    #[serde(default)]
    pub(super) triggered_at: Option<Text>,
}

/// A notebook's own message.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotebookShape {
    pub(super) status: StatusShape,
    pub(super) message: Text,
}

/// How a notebook's run ended.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StatusShape {
    Success,
    Warning,
    Failure,
}

/// A message to administrators.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with message, and remedy where there is one")]
pub(super) struct NoticeShape {
    pub(super) message: Text,
    #[serde(default)]
    pub(super) remedy: Option<Text>,
}

/// Somebody tries a channel out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestShape {}
