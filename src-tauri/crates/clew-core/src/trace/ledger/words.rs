//! The ledger in words, for every host alike.

use super::{LedgerCost, LedgerRow, LedgerStanding};
use crate::estimate::Vocabulary;
use crate::model::{NanoUsd, UsageFault};
use crate::price::PriceSource;

/// Why an entry counts in no total; `None` where it counts. The span that it names is [`LedgerStanding`]'s.
pub(super) const fn reason(standing: &LedgerStanding) -> Option<&'static str> {
    match standing {
        LedgerStanding::Counted => None,
        LedgerStanding::CostOnly => {
            Some("Its cost counts; its tokens are counted at the calls below it")
        }
        LedgerStanding::Below { .. } => Some("Repeats what a span below it states"),
        LedgerStanding::Above { .. } => Some("States nothing; a span above states the sum"),
        LedgerStanding::SameResponse { .. } => {
            Some("The same response is told by another span, which says more")
        }
        LedgerStanding::SameCall { .. } => Some("The same call is told by another span of its SDK"),
        LedgerStanding::Elsewhere { .. } => {
            Some("The same response counts in another trace, which says more")
        }
    }
}

/// A list of prices, and since when its price holds.
pub(super) fn list(source: &PriceSource) -> String {
    let dated = |name: String, since: &Option<String>| match since {
        Some(since) => format!("{name} since {since}"),
        None => name,
    };
    match source {
        PriceSource::Custom { model, since } => dated(format!("your price of {model}"), since),
        PriceSource::Book {
            provider,
            model,
            since,
            special,
            book,
        } => {
            let tier = if *special { ", this tier" } else { "" };
            let name = dated(format!("{provider}/{model}{tier}"), since);
            format!("{name} in {book}")
        }
        PriceSource::Profile { profile } => {
            format!("table {}", format!("{profile:?}").to_uppercase())
        }
        PriceSource::Local => "a model of this machine: free".to_owned(),
        PriceSource::Unknown => "no list names this model".to_owned(),
    }
}

/// Where a cost comes from.
pub(super) fn source(cost: &LedgerCost, own: &str, price: &PriceSource) -> String {
    match cost {
        LedgerCost::Stated { span_id } if span_id == own => "stated by the span".to_owned(),
        LedgerCost::Stated { span_id } => format!("stated by span {span_id}"),
        LedgerCost::Above { span_id } | LedgerCost::Below { span_id } => {
            format!("in what span {span_id} states")
        }
        LedgerCost::Listed | LedgerCost::Unknown => list(price),
    }
}

const fn fault(fault: UsageFault) -> &'static str {
    match fault {
        UsageFault::PartsAboveInput => {
            "Cached, audio and image tokens are more than the whole prompt."
        }
        UsageFault::PartsAboveOutput => {
            "Reasoning, audio and image tokens are more than the whole output."
        }
        UsageFault::HourAboveWritten => {
            "More was written to the cache for an hour than was written at all."
        }
    }
}

/// What is odd about an entry, in sentences.
pub(super) fn notes(row: &LedgerRow) -> Vec<String> {
    let mut notes = Vec::new();
    if let (true, Some(stated), Some(listed)) = (row.disagrees, row.stated_nanos, row.listed_nanos)
    {
        notes.push(format!(
            "The span states {}, the list makes it {}: more than 1 % apart.",
            NanoUsd(stated),
            NanoUsd(listed)
        ));
    }
    notes.extend(row.faults.iter().map(|each| fault(*each).to_owned()));
    notes
}

/// Where the tokens of a call come from of which no span states any.
pub(super) fn estimated(vocabulary: Vocabulary) -> String {
    format!(
        "No span states its tokens. Those with ~ are counted with {} in the text that is recorded; they are in no total.",
        vocabulary.name()
    )
}
