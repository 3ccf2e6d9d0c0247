//! What is wrong with telemetry that arrives, and the line of set-up to change.
//!
//! To add a lint: write its function in the file of its subject and add its line to [`LINTS`]. A lint looks at one span
//! and says what it saw; what it says is grouped by service and instrumentation scope.

mod content;
mod delivery;
mod links;
mod names;
#[cfg(test)]
mod tests;
mod usage;

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
    /// Its source: 0 came over the network as the program ran, others from files.
    pub source: i64,
    /// Whether spans of its trace may still be on their way.
    pub is_running: bool,
    /// Where it tells of a call that counts elsewhere because an instrumentation of another scope tells of it too: that
    /// scope.
    pub doubled_by: Option<&'a str>,
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
    /// What to change, in a sentence or as a setting to copy.
    pub fix: String,
}

impl Seen {
    fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            fix: fix.into(),
        }
    }
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
        id: "content_off",
        title: "Model calls without content",
        severity: Severity::Error,
        look: content::off,
    },
    Lint {
        id: "cut_values",
        title: "Values cut off",
        severity: Severity::Error,
        look: content::cut,
    },
    Lint {
        id: "dropped",
        title: "Attributes, events or links dropped by the SDK",
        severity: Severity::Error,
        look: content::dropped,
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
        id: "late",
        title: "Spans sent long after they ended",
        severity: Severity::Warning,
        look: delivery::late,
    },
    Lint {
        id: "no_service",
        title: "Programs without a name",
        severity: Severity::Warning,
        look: names::no_service,
    },
    Lint {
        id: "deprecated_names",
        title: "Attributes under deprecated names",
        severity: Severity::Note,
        look: names::deprecated,
    },
];

/// What a lint saw in the spans of one service and scope, where what to do about it is the same.
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
    /// Spans of the service and scope that were looked at.
    pub of: u32,
    /// What is wrong with the newest of them, in a sentence.
    pub what: String,
    /// What to change.
    pub fix: String,
    /// The source of the newest of them.
    pub source: i64,
    /// Its trace.
    pub trace_id: String,
    /// Its span.
    pub span_id: String,
}

/// What is wrong with spans, newest first: a row for each lint, service, scope and remedy; worst first, then by how many
/// spans it concerns.
#[must_use]
pub fn lint<'a>(spans: impl Iterator<Item = Observed<'a>>) -> Vec<LintRow> {
    let mut looked_at: BTreeMap<(String, String), u32> = BTreeMap::new();
    let mut rows: BTreeMap<(usize, String, String, String), LintRow> = BTreeMap::new();
    for span in spans {
        let (service, scope) = (span.service(), span.scope().to_owned());
        *looked_at
            .entry((service.clone(), scope.clone()))
            .or_default() += 1;
        for (index, lint) in LINTS.iter().enumerate() {
            let Some(seen) = (lint.look)(&span) else {
                continue;
            };
            let key = (index, service.clone(), scope.clone(), seen.fix.clone());
            let row = rows.entry(key).or_insert_with(|| LintRow {
                lint: lint.id.to_owned(),
                title: lint.title.to_owned(),
                severity: lint.severity,
                service: service.clone(),
                scope: scope.clone(),
                spans: 0,
                of: 0,
                what: seen.what,
                fix: seen.fix,
                source: span.source,
                trace_id: span.trace_id.to_string(),
                span_id: span.span_id.to_string(),
            });
            row.spans += 1;
        }
    }
    let mut rows: Vec<(usize, LintRow)> = rows
        .into_iter()
        .map(|((index, service, scope, _), mut row)| {
            row.of = looked_at.get(&(service, scope)).copied().unwrap_or(0);
            (index, row)
        })
        .collect();
    rows.sort_by_key(|(index, row)| (row.severity, *index, std::cmp::Reverse(row.spans)));
    rows.into_iter().map(|(_, row)| row).collect()
}
