//! `clew doctor --telemetry`: what is wrong with the telemetry that came last.

use std::path::Path;

use clew_core::lint::Severity;
use clew_engine::api::{LintTelemetry, Linted};

use super::super::Exit;
use super::super::list::counted;
use crate::door::Door;
use crate::print::{Ink, Out, note, plain};

pub(super) async fn run(database: &Path, out: &mut Out) -> anyhow::Result<Exit> {
    let linted = match Door::reading(database).await? {
        Some(door) => {
            door.call("lint_telemetry", &LintTelemetry::default())
                .await?
        }
        None => Linted {
            traces: 0,
            spans: 0,
            rows: Vec::new(),
        },
    };
    if out.is_json() {
        out.json(&linted)?;
    } else if linted.spans == 0 {
        note("no telemetry has come yet");
    } else {
        for row in &linted.rows {
            let (ink, mark) = match row.severity {
                Severity::Error => (Ink::Red, "FAIL"),
                Severity::Warning => (Ink::Yellow, "warn"),
                Severity::Note => (Ink::Dim, "note"),
            };
            let mark = out.ink(ink, mark);
            let share = format!("{} of {}", row.spans, counted(u64::from(row.of), "span"));
            out.line(&format!("{mark}  {} ({share})", row.title))?;
            let service = match row.service.as_str() {
                "" => "(no service name)",
                service => service,
            };
            let file = match &row.source_name {
                Some(name) => format!(", opened from {}", plain(name)),
                None => String::new(),
            };
            out.line(&format!(
                "      {} {}{file}",
                plain(service),
                plain(&row.scope)
            ))?;
            out.line(&format!("      {}", plain(&row.what)))?;
            out.line(&format!("      {}", plain(&row.advice)))?;
            if let Some(setting) = &row.setting {
                out.line(&format!("      {}", out.ink(Ink::Bold, &plain(setting))))?;
            }
            let seen = format!("      for example: clew trace {}", row.trace_id);
            out.line(&out.ink(Ink::Dim, &seen))?;
        }
        out.line(&format!(
            "{} of {} looked at, {} to mend",
            counted(u64::from(linted.spans), "span"),
            counted(u64::from(linted.traces), "trace"),
            counted(linted.rows.len() as u64, "thing")
        ))?;
    }
    let failed = linted
        .rows
        .iter()
        .any(|row| row.severity == Severity::Error);
    Ok(if failed { Exit::Failure } else { Exit::Ok })
}
