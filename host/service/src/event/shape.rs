//! The JSON's shape, for serde: what each member is called and which there are.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    object::Object,
    text::{Labels, Text},
};

/// An event, as `docs/events.md` describes it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventShape {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) id: Option<Text>,
    #[schema(value_type = String)]
    pub(super) title: Text,
    #[serde(default)]
    pub(super) severity: Option<SeverityShape>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) occurred_at: Option<Text>,
    #[serde(default)]
    #[schema(value_type = Option<ReportShape>)]
    pub(super) report: Option<Object<ReportShape>>,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub(super) mentions: Vec<Text>,
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub(super) labels: Labels,
    #[serde(default)]
    #[schema(value_type = Option<TriggeredShape>)]
    pub(super) triggered: Option<Object<TriggeredShape>>,
    #[serde(default)]
    #[schema(value_type = Option<ResolvedShape>)]
    pub(super) resolved: Option<Object<ResolvedShape>>,
    #[serde(default)]
    #[schema(value_type = Option<NotebookShape>)]
    pub(super) notebook: Option<Object<NotebookShape>>,
    #[serde(default)]
    #[schema(value_type = Option<NoticeShape>)]
    pub(super) notice: Option<Object<NoticeShape>>,
    #[serde(default)]
    #[schema(value_type = Option<TestShape>)]
    pub(super) test: Option<Object<TestShape>>,
}

/// How urgently people need to know.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SeverityShape {
    Info,
    Warning,
    Critical,
}

/// The report that an event is about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportShape {
    #[schema(value_type = String)]
    pub(super) name: Text,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) url: Option<Text>,
}

/// An alert was triggered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TriggeredShape {
    #[schema(value_type = Vec<RuleShape>)]
    pub(super) broken_rules: Vec<Object<RuleShape>>,
}

/// A rule whose condition held.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with metric, comparison, threshold and current")]
pub(crate) struct RuleShape {
    #[schema(value_type = String)]
    pub(super) metric: Text,
    #[schema(value_type = String)]
    pub(super) comparison: Text,
    #[schema(value_type = String)]
    pub(super) threshold: Text,
    #[schema(value_type = String)]
    pub(super) current: Text,
}

/// An alert is over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolvedShape {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) triggered_at: Option<Text>,
}

/// A notebook's own message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotebookShape {
    pub(super) status: StatusShape,
    #[schema(value_type = String)]
    pub(super) message: Text,
}

/// How a notebook's run ended.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StatusShape {
    Success,
    Warning,
    Failure,
}

/// A message to administrators.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with message, and remedy where there is one")]
pub(crate) struct NoticeShape {
    #[schema(value_type = String)]
    pub(super) message: Text,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) remedy: Option<Text>,
}

/// Somebody tries a channel out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestShape {}
