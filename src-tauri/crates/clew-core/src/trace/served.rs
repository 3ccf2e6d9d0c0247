//! Which span tells of a model call from the other side: that of the server that answered it.

use std::collections::{HashMap, HashSet};

use super::SpanRow;
use crate::model::{Operation, SpanId, nanos_between};

/// What stands below a model call that other services tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Served {
    /// Nothing, or nothing that tells of the same request.
    #[default]
    Unseen,
    /// One span of another service, and nothing else of the call's own but what leads there.
    Once {
        /// The other service.
        service: String,
        /// Nanoseconds that its span took, by its own clock.
        took: u64,
    },
    /// More than one span, of which any or none may be the request that was answered.
    Unclear,
}

/// Looks below a call for the one span of another service that tells of the same request.
///
/// From the call down, spans of its own service are walked through (an HTTP client's, say); a span of another service ends
/// its path. The answer is one span only where a single path leads to it and no other span hangs on that path: a second
/// child may be a second attempt, whose time is not the network's. Spans that are steps of their own (tools, retrievals
/// and the like) are never the server's side of a call.
#[must_use]
pub fn served(rows: &[SpanRow], call: SpanId) -> Served {
    let mut children: HashMap<SpanId, Vec<&SpanRow>> = HashMap::new();
    for row in rows {
        if let Some(parent) = row.parent {
            children.entry(parent).or_default().push(row);
        }
    }
    let Some(mut at) = rows.iter().find(|row| row.span_id == call) else {
        return Served::Unseen;
    };
    let service = &at.service;
    let mut seen = HashSet::new();
    while seen.insert(at.span_id) {
        let Some(below) = children.get(&at.span_id) else {
            return Served::Unseen;
        };
        let [only] = below.as_slice() else {
            let other = below.iter().any(|row| is_other(row, service));
            return if other {
                Served::Unclear
            } else {
                Served::Unseen
            };
        };
        if is_other(only, service) {
            return ended(only);
        }
        at = only;
    }
    Served::Unseen
}

/// Whether a span is of another service than the call's; spans that state none tell nothing.
fn is_other(row: &SpanRow, service: &str) -> bool {
    !service.is_empty() && !row.service.is_empty() && row.service != service
}

fn ended(row: &SpanRow) -> Served {
    let is_step = !matches!(
        row.operation(),
        Operation::Llm | Operation::Chain | Operation::Other
    );
    let took = if row.end.0 == 0 {
        None
    } else {
        nanos_between(row.start.0, row.end.0)
    };
    match took {
        Some(took) if !is_step => Served::Once {
            service: row.service.clone(),
            took,
        },
        _ => Served::Unseen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::testing::{call, row};

    fn of(service: &str, mut row: SpanRow) -> SpanRow {
        service.clone_into(&mut row.service);
        row
    }

    fn below(rows: &[SpanRow]) -> Served {
        served(rows, rows[0].span_id)
    }

    fn model() -> SpanRow {
        call(1, None, (10, 2), None)
    }

    #[test]
    fn the_one_span_of_another_service_is_the_servers_side() {
        let once = Served::Once {
            service: "vllm".to_owned(),
            took: 700,
        };
        let direct = [model(), of("vllm", row(2, Some(1), 100, 800))];
        assert_eq!(below(&direct), once);
        // Through the client's own HTTP span; what the server has below is its own matter.
        let through = [
            model(),
            row(2, Some(1), 50, 900),
            of("vllm", row(3, Some(2), 100, 800)),
            of("vllm", row(4, Some(3), 200, 300)),
            of("disk", row(5, Some(3), 300, 400)),
        ];
        assert_eq!(below(&through), once);
    }

    #[test]
    fn a_second_span_beside_the_way_makes_it_unclear() {
        let twice = [
            model(),
            of("vllm", row(2, Some(1), 100, 800)),
            of("vllm", row(3, Some(1), 900, 950)),
        ];
        assert_eq!(below(&twice), Served::Unclear);
        let retried = [
            model(),
            row(2, Some(1), 10, 20),
            of("vllm", row(3, Some(1), 100, 800)),
        ];
        assert_eq!(below(&retried), Served::Unclear);
    }

    #[test]
    fn what_is_no_servers_side_is_not_seen() {
        assert_eq!(below(&[model()]), Served::Unseen);
        assert_eq!(below(&[model(), row(2, Some(1), 1, 2)]), Served::Unseen);
        let pending = [model(), of("vllm", row(2, Some(1), 100, 0))];
        assert_eq!(below(&pending), Served::Unseen);
        let backward = [model(), of("vllm", row(2, Some(1), 9_000_000, 100))];
        assert_eq!(below(&backward), Served::Unseen);
        let nameless = [model(), of("", row(2, Some(1), 100, 800))];
        assert_eq!(below(&nameless), Served::Unseen);
        let mut tool = of("mcp", row(2, Some(1), 100, 800));
        tool.facts.as_mut().expect("row gives facts").operation = Operation::Tool;
        assert_eq!(below(&[model(), tool]), Served::Unseen);
        assert_eq!(
            served(&[model()], row(9, None, 0, 1).span_id),
            Served::Unseen
        );
    }

    #[test]
    fn a_cycle_ends() {
        let mut first = model();
        first.parent = Some(row(2, None, 0, 1).span_id);
        let rows = [first, row(2, Some(1), 10, 20)];
        assert_eq!(below(&rows), Served::Unseen);
    }
}
