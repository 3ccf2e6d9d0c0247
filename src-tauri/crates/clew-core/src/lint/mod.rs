//! What is wrong with telemetry that arrives, and the line of set-up to change.
//!
//! To add a lint: write its function in the file of its subject, add its line to [`LINTS`], and its case to `tests.rs`. A
//! lint looks at one span and says what it saw; what it says is grouped by source, service and instrumentation scope.

mod content;
mod delivery;
mod links;
mod names;
#[cfg(test)]
mod tests;
mod told;
mod usage;

pub use told::{Told, says_content, told};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::model::{Facts, Operation, SpanId, SpanView, TraceId};

/// A span as lints see it.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// The trace's id.
    pub trace_id: TraceId,
    /// The span's id.
    pub span_id: SpanId,
    /// The span with what surrounds it.
    pub view: SpanView<'a>,
    /// What it says of itself.
    pub facts: &'a Facts,
    /// [`crate::trace::flag::ORPHAN`], `CYCLE` and `SKEW`, as the waterfall has them.
    pub flags: u16,
    /// Microseconds since the epoch at which it was received.
    pub received_micros: u64,
    /// Microseconds since the epoch of now.
    pub now_micros: u64,
    /// Its source: 0 came over the network as the program ran, others from files.
    pub source: i64,
    /// Whether spans of its trace may still be on their way.
    pub is_running: bool,
    /// [`Told::counts`]: false where another span counts in its place, whoever sent that.
    pub counts: bool,
    /// The span that counts in its place, where it tells of the same model call and is at hand.
    pub twin: Option<Twin<'a>>,
    /// [`Told::known`], with what spans of other traces tell.
    pub known: Known,
}

/// What other spans tell of a span's call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// Whether a span above names its model, where it names none.
    pub model: bool,
    /// Whether another span of the same call says what was sent or answered.
    pub content: bool,
}

/// Who sent a span that tells of the same call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Twin<'a> {
    /// The instrumentation scope's name.
    pub scope: &'a str,
    /// `service.name`, empty where none is stated.
    pub service: &'a str,
}

impl Observed<'_> {
    fn scope(&self) -> &str {
        &self.view.scope.name
    }

    fn service(&self) -> String {
        let name = self.view.resource_attr("service.name");
        name.map(crate::model::display).unwrap_or_default()
    }

    fn is(&self, operation: Operation) -> bool {
        let stated = self.facts.operation.as_ref();
        stated.is_some_and(|stated| stated.value == operation)
    }

    fn is_live(&self) -> bool {
        self.source == 0
    }

    fn has_ended(&self) -> bool {
        self.view.span.end_time_unix_nano != 0
    }
}

/// What a lint saw in a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What is wrong, in a sentence.
    pub what: String,
    /// What to do about it, in prose. Names that the telemetry states are cut to 100 bytes.
    pub advice: String,
    /// What to paste into a shell or a program: assignments of environment variables, or a line of code. Nothing of it
    /// comes from telemetry.
    pub setting: Option<&'static str>,
}

impl Seen {
    fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            advice: advice.into(),
            setting: None,
        }
    }

    fn set(mut self, setting: &'static str) -> Self {
        self.setting = Some(setting);
        self
    }
}

/// Longest name from telemetry within a sentence, in bytes.
const MAX_NAME: usize = 100;
/// Longest service and scope of a row, in bytes.
const MAX_GROUP: usize = 200;

/// A name that telemetry states, as long as a sentence bears it.
fn name(stated: &str) -> &str {
    cut(stated, MAX_NAME)
}

fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Figures or content are missing or wrong because of it.
    Error,
    /// Something is lost, late or in the wrong place.
    Warning,
    /// It works, and will not for ever.
    Note,
}

/// A rule about one span.
pub struct Lint {
    /// Its name ("missing_usage").
    pub id: &'static str,
    /// Its name as people read it.
    pub title: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it sees in a span; `None` where nothing is wrong, or where it does not apply.
    pub look: fn(&Observed) -> Option<Seen>,
}

/// All lints, worst first.
pub const LINTS: &[Lint] = &[
    Lint {
        id: "missing_usage",
        title: "Model calls without token counts",
        severity: Severity::Error,
        look: usage::missing,
    },
    Lint {
        id: "missing_model",
        title: "Token counts without a model",
        severity: Severity::Error,
        look: usage::without_model,
    },
    Lint {
        id: "cut_values",
        title: "Values cut off",
        severity: Severity::Error,
        look: content::cut,
    },
    Lint {
        id: "dropped",
        title: "Attributes or links dropped by the SDK",
        severity: Severity::Error,
        look: content::dropped,
    },
    Lint {
        id: "partial_usage",
        title: "Token counts that leave some out",
        severity: Severity::Warning,
        look: usage::partial,
    },
    Lint {
        id: "doubled_usage",
        title: "Calls told by two instrumentations",
        severity: Severity::Warning,
        look: usage::doubled,
    },
    Lint {
        id: "broken_parent",
        title: "Parents that never came",
        severity: Severity::Warning,
        look: links::broken_parent,
    },
    Lint {
        id: "cycle",
        title: "Spans that are their own ancestors",
        severity: Severity::Warning,
        look: links::cycle,
    },
    Lint {
        id: "clock",
        title: "Clocks that disagree",
        severity: Severity::Warning,
        look: delivery::clock,
    },
    Lint {
        id: "no_service",
        title: "Programs without a name",
        severity: Severity::Warning,
        look: names::no_service,
    },
    Lint {
        id: "content_off",
        title: "Model calls without content",
        severity: Severity::Note,
        look: content::off,
    },
    Lint {
        id: "equal_lengths",
        title: "Values of one length",
        severity: Severity::Note,
        look: content::equal_lengths,
    },
    Lint {
        id: "dropped_events",
        title: "Events dropped by the SDK",
        severity: Severity::Note,
        look: content::dropped_events,
    },
    Lint {
        id: "remote_parent",
        title: "Parents in programs that do not export here",
        severity: Severity::Note,
        look: links::remote_parent,
    },
    Lint {
        id: "late",
        title: "Spans sent long after they ended",
        severity: Severity::Note,
        look: delivery::late,
    },
    Lint {
        id: "deprecated_names",
        title: "Attributes under deprecated names",
        severity: Severity::Note,
        look: names::deprecated,
    },
];

/// What a lint saw in the spans of one source, service and scope, where what to do about it is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LintRow {
    /// The lint's name.
    pub lint: String,
    /// Its title.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// `service.name`, empty where none is stated.
    pub service: String,
    /// The instrumentation scope's name.
    pub scope: String,
    /// Spans in which it was seen.
    pub spans: u32,
    /// Spans of the source, service and scope that were looked at.
    pub of: u32,
    /// What is wrong with the newest of them, in a sentence.
    pub what: String,
    /// What to do about it, in prose.
    pub advice: String,
    /// What to paste into a shell or a program; `null` where nothing is to be set.
    pub setting: Option<String>,
    /// Their source: 0 is live telemetry.
    pub source: i64,
    /// The name of the opened file; `null` for live telemetry.
    pub source_name: Option<String>,
    /// The trace of the newest of them.
    pub trace_id: String,
    /// Its span.
    pub span_id: String,
}

/// Source, service and scope of spans.
type Group = (i64, String, String);

/// Looks at spans one by one, newest first, and keeps only what was seen in them.
#[derive(Debug, Default)]
pub struct Linting {
    looked_at: BTreeMap<Group, u32>,
    rows: BTreeMap<(usize, Group, String, Option<&'static str>), LintRow>,
}

impl Linting {
    /// Looks at one span.
    pub fn look(&mut self, span: &Observed) {
        let group: Group = (
            span.source,
            cut(&span.service(), MAX_GROUP).to_owned(),
            cut(span.scope(), MAX_GROUP).to_owned(),
        );
        for (index, lint) in LINTS.iter().enumerate() {
            let Some(seen) = (lint.look)(span) else {
                continue;
            };
            let key = (index, group.clone(), seen.advice, seen.setting);
            let row = self.rows.entry(key).or_insert_with_key(|key| {
                let (_, (source, service, scope), advice, setting) = key;
                LintRow {
                    lint: lint.id.to_owned(),
                    title: lint.title.to_owned(),
                    severity: lint.severity,
                    service: service.clone(),
                    scope: scope.clone(),
                    spans: 0,
                    of: 0,
                    what: seen.what,
                    advice: advice.clone(),
                    setting: setting.map(ToOwned::to_owned),
                    source: *source,
                    source_name: None,
                    trace_id: span.trace_id.to_string(),
                    span_id: span.span_id.to_string(),
                }
            });
            row.spans += 1;
        }
        *self.looked_at.entry(group).or_default() += 1;
    }

    /// What is wrong with them: a row for each lint, source, service, scope and remedy; worst first, then by how many spans
    /// it concerns. Names of sources are left to those who know them.
    #[must_use]
    pub fn rows(self) -> Vec<LintRow> {
        let looked_at = self.looked_at;
        let mut rows: Vec<(usize, LintRow)> = self
            .rows
            .into_iter()
            .map(|((index, group, ..), mut row)| {
                row.of = looked_at.get(&group).copied().unwrap_or(0);
                (index, row)
            })
            .collect();
        rows.sort_by_key(|(index, row)| (row.severity, *index, std::cmp::Reverse(row.spans)));
        rows.into_iter().map(|(_, row)| row).collect()
    }
}
