//! What traces come to together: the ledger's sums, so that a call counts once however many traces tell of it.

use clew_core::model::NanoUsd;
use clew_core::trace::{Estimated, TraceSummary};
use clew_engine::api::{LedgerFilter, LedgerPage, LedgerSums, TraceFilter};

use crate::door::Door;
use crate::print::{count, dollars};

/// The sums over all traces that match, however many of them are listed.
pub(super) async fn sums(door: &Door, traces: TraceFilter) -> anyhow::Result<LedgerSums> {
    let filter = LedgerFilter {
        traces,
        counted: true,
        limit: 1,
        ..LedgerFilter::default()
    };
    let page: LedgerPage = door.call("list_ledger", &filter).await?;
    Ok(page.sums)
}

/// The sums of one trace by itself.
pub(super) fn of_trace(trace: &TraceSummary) -> LedgerSums {
    LedgerSums {
        estimated: trace.estimated,
        input_tokens: trace.input_tokens,
        output_tokens: trace.output_tokens,
        cached_tokens: trace.cached_tokens,
        cost_nanos: trace.cost_nanos,
        unpriced_tokens: trace.unpriced_tokens,
        calls: trace.call_count.into(),
    }
}

/// An amount with as many digits as a summary needs.
pub(super) fn rounded(amount: NanoUsd) -> String {
    dollars(Some(amount.usd()))
}

/// Sums on one line, amounts as `money` writes them: "3,488 tokens in, 987 out · cost $0.0058".
pub(super) fn figures(sums: &LedgerSums, money: fn(NanoUsd) -> String) -> String {
    let tokens = match (sums.input_tokens, sums.output_tokens) {
        (None, None) => "no tokens stated".to_owned(),
        (input, output) => format!("{} tokens in, {} out", count(input), count(output)),
    };
    let cost = match (sums.cost_nanos, sums.unpriced_tokens) {
        (None, _) => "cost not known".to_owned(),
        (Some(nanos), unpriced) => {
            let known = format!("cost {}", money(NanoUsd(nanos)));
            match unpriced {
                0 => known,
                tokens => format!("{known} and {} tokens without a price", count(Some(tokens))),
            }
        }
    };
    match sums.estimated {
        None => format!("{tokens} · {cost}"),
        Some(estimated) => format!("{tokens} · {cost} · {}", guessed(&estimated, money)),
    }
}

/// What calls may have used that state nothing: "~87 tokens in, ~12 out, ~$0.00002 estimated".
fn guessed(estimated: &Estimated, money: fn(NanoUsd) -> String) -> String {
    let cost = estimated
        .cost_nanos
        .map(|nanos| format!(", ~{}", money(NanoUsd(nanos))))
        .unwrap_or_default();
    format!(
        "~{} tokens in, ~{} out{cost} estimated",
        count(Some(estimated.input_tokens.unwrap_or(0))),
        count(Some(estimated.output_tokens.unwrap_or(0)))
    )
}
