//! The ledger in words, for every host alike.

use super::{LedgerCost, LedgerRow, LedgerStanding};
use crate::estimate::Vocabulary;
use crate::model::{Bucket, NanoUsd, UsageFault};
use crate::price::PriceSource;

/// Why an entry counts in no total; `None` where it counts. The span that it names is [`LedgerStanding`]'s.
pub(super) fn reason(row: &LedgerRow) -> Option<&'static str> {
    match &row.standing {
        LedgerStanding::Counted => None,
        LedgerStanding::CostOnly if matches!(&row.cost, LedgerCost::Logged { span_id } if *span_id == row.span_id) => {
            Some("Its cost counts: its log records state it, of requests that no span names")
        }
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

/// Where a cost comes from; of an entry that does not count a sentence that says so, with what a span states and what
/// the list makes of it.
pub(super) fn source(row: &LedgerRow) -> String {
    if row.reason.is_some() && row.standing != LedgerStanding::CostOnly {
        return not_counted(row);
    }
    match &row.cost {
        LedgerCost::Stated { span_id } if *span_id == row.span_id => {
            "stated by the span".to_owned()
        }
        LedgerCost::Stated { span_id } => format!("stated by span {span_id}"),
        LedgerCost::Logged { span_id } if *span_id == row.span_id => {
            "stated by the span's log records".to_owned()
        }
        LedgerCost::Logged { span_id } => format!("stated by a log record of span {span_id}"),
        LedgerCost::Above { span_id } | LedgerCost::Below { span_id } => {
            format!("in what span {span_id} states")
        }
        LedgerCost::Listed | LedgerCost::Unknown => {
            let whose = row.model_from.as_ref().map_or_else(String::new, |above| {
                format!("; the span names no model, this is that of span {above} above it")
            });
            match unpriced(row) {
                Some(bucket) => format!(
                    "the list has no price for {} ({}){whose}",
                    tokens(bucket),
                    list(&row.price)
                ),
                None => format!("{}{whose}", list(&row.price)),
            }
        }
    }
}

fn not_counted(row: &LedgerRow) -> String {
    let stated = row.stated_nanos.map(|nanos| {
        let who = match &row.cost {
            LedgerCost::Logged { span_id } if *span_id == row.span_id => {
                return format!("the span's log records state {}", NanoUsd(nanos));
            }
            LedgerCost::Stated { span_id } if *span_id != row.span_id => format!("span {span_id}"),
            LedgerCost::Logged { span_id } => format!("a log record of span {span_id}"),
            _ => "the span".to_owned(),
        };
        format!("{who} states {}", NanoUsd(nanos))
    });
    let listed = match (row.listed_nanos, unpriced(row)) {
        (Some(nanos), _) => Some(format!("by list {} ({})", NanoUsd(nanos), list(&row.price))),
        (None, Some(bucket)) => Some(format!("the list has no price for {}", tokens(bucket))),
        (None, None) if row.price == PriceSource::Unknown => Some(list(&row.price)),
        (None, None) => None,
    };
    let all: Vec<String> = stated.into_iter().chain(listed).collect();
    let sentence = all.join("; ");
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) => format!("Not counted. {}{}", first.to_uppercase(), letters.as_str()),
        None => "Not counted".to_owned(),
    }
}

/// The first of its buckets for which the list that names the model has no price.
fn unpriced(row: &LedgerRow) -> Option<Bucket> {
    if row.price == PriceSource::Unknown {
        return None;
    }
    let mut lines = row.lines.iter();
    lines.find_map(|line| {
        line.bucket
            .filter(|_| line.count > 0 && line.price.is_none())
    })
}

/// What a bucket counts.
const fn tokens(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Input => "input",
        Bucket::CacheRead => "input read from cache",
        Bucket::CacheWrite => "input written to cache",
        Bucket::CacheWrite1h => "input written to cache for an hour",
        Bucket::AudioInput => "audio input",
        Bucket::ImageInput => "image input",
        Bucket::Output => "output",
        Bucket::Reasoning => "reasoning",
        Bucket::AudioOutput => "audio output",
        Bucket::ImageOutput => "image output",
        Bucket::Request => "requests",
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
        let who = match row.cost {
            LedgerCost::Logged { .. } => "A log record",
            _ => "The span",
        };
        notes.push(format!(
            "{who} states {}, the list makes it {}: more than 1 % apart.",
            NanoUsd(stated),
            NanoUsd(listed)
        ));
    }
    notes.extend(row.faults.iter().map(|each| fault(*each).to_owned()));
    notes
}

/// What a call's figures lack whose program leaves out details of its usage.
pub(super) const PARTIAL: &str = "Its program counts neither what was read from the cache nor thoughts: the one is \
     priced as fresh input, the other is in no figure.";

/// Where the tokens of a call come from of which no span states any.
pub(super) fn estimated(vocabulary: Vocabulary) -> String {
    format!(
        "No span states its tokens. Those with ~ are counted with {} in the text that is recorded; they are in no total.",
        vocabulary.name()
    )
}
