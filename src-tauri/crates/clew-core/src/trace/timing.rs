//! Where the time of a model call went: what is stated, what follows from it, and what nobody says.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::markdown::took;
use super::served::Served;
use crate::model::{Facts, Operation, ROUNDING_NANOS, Stated, Timing, first_token, nanos_between};

/// A part of a call's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TimingPart {
    /// Waiting at the server before any work.
    Queue,
    /// On the way to the server and back.
    Network,
    /// From there to the first token: reading the prompt.
    FirstToken,
    /// From the first token to the end: writing the answer.
    Generation,
    /// What was done with the answer within the call.
    PostProcessing,
    /// What no other part accounts for.
    Rest,
}

impl TimingPart {
    /// Its name in sentences.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Network => "network",
            Self::FirstToken => "first token",
            Self::Generation => "generation",
            Self::PostProcessing => "post-processing",
            Self::Rest => "rest",
        }
    }
}

/// One part of a call's time, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TimingRow {
    /// Which part.
    pub part: TimingPart,
    /// Nanoseconds; `null` where not known. All of them together are the call's duration.
    pub nanos: Option<u64>,
    /// How it is known, or why it is not: a sentence.
    pub how: String,
}

/// The parts of a call's time, and what of it does not add up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct TimeSplit {
    /// All parts in the order of [`TimingPart`]; empty for what is no model call, or has no duration.
    pub(super) rows: Vec<TimingRow>,
    /// What is stated and cannot be shown, in sentences.
    pub(super) problems: Vec<String>,
}

/// A part's time and the sentence that says how it is known.
type Known = Option<(u64, String)>;

/// Splits the time of a model call that started and ended then, in nanoseconds since the epoch.
///
/// With `whole` = end − start:
///
/// - queue, post-processing: as stated;
/// - network: as stated, else `whole` less what the server's own span took ([`Served`]);
/// - first token: the stated time to the first token less queue and network, which lie before it; else the stated time of
///   reading the prompt;
/// - generation: as stated, else `whole` less the time to the first token and post-processing, where the call streamed;
/// - rest: `whole` less all of these.
///
/// A part for which nothing is left of `whole` is not shown and told of; [`crate::model::ROUNDING_NANOS`] may be missing.
pub(super) fn split(facts: &Facts, start: u64, end: u64, served: &Served) -> TimeSplit {
    let operation = facts.operation.as_ref().map(|operation| operation.value);
    let whole = nanos_between(start, end).filter(|_| end != 0);
    let (Some(Operation::Llm), Some(whole)) = (operation, whole) else {
        return TimeSplit::default();
    };
    let nothing = Timing::default();
    let timing = facts
        .timing
        .as_ref()
        .map_or(&nothing, |timing| &timing.value);
    let mut call = Call {
        whole,
        problems: Vec::new(),
    };
    let ttft = facts.ttft_nanos.as_ref().and_then(|stated| {
        let nanos = first_token(stated.value, start, end)?;
        Some((nanos, stated.key.as_str()))
    });
    let queue = call.stated(timing.queue_nanos.as_ref());
    let post = call.stated(timing.post_processing_nanos.as_ref());
    let network = if timing.network_nanos.is_some() {
        call.stated(timing.network_nanos.as_ref())
    } else {
        call.outside(served)
    };
    let waited = nanos_of(queue.as_ref());
    let ttft = ttft.filter(|first| call.begins_after(waited, *first));
    let network = network.filter(|(network, _)| {
        ttft.is_none_or(|(first, _)| call.leaves_room(waited, *network, first))
    });
    let first = if let Some((nanos, key)) = ttft {
        let ahead = waited.saturating_add(nanos_of(network.as_ref()));
        let how = less(key, queue.is_some(), network.is_some());
        Some((nanos.saturating_sub(ahead), how))
    } else {
        call.stated(timing.prefill_nanos.as_ref())
    };
    let streaming = facts.streaming.as_ref().map(|streaming| streaming.value);
    let written = ttft.map(|(first, _)| whole.saturating_sub(first));
    let unwritten = match (streaming, written) {
        (Some(false), _) => "the call did not stream, so its first token came with its last",
        (_, None) => "the time of the first token is not known",
        // Libraries that do not see the stream state the end of the call as the first token's time.
        (None, Some(..ROUNDING_NANOS)) => "the first token is said to have come with the last",
        (_, Some(_)) => "",
    };
    let generation = if timing.decode_nanos.is_some() {
        call.stated(timing.decode_nanos.as_ref())
    } else {
        written
            .filter(|_| unwritten.is_empty())
            .and_then(|nanos| after(nanos, post.as_ref()))
    };
    call.rows([
        (
            TimingPart::Queue,
            queue,
            unstated(timing.queue_nanos.as_ref()),
        ),
        (TimingPart::Network, network, unseen(served)),
        (
            TimingPart::FirstToken,
            first,
            "no time to the first token is stated that can be told apart",
        ),
        (TimingPart::Generation, generation, unwritten),
        (
            TimingPart::PostProcessing,
            post,
            unstated(timing.post_processing_nanos.as_ref()),
        ),
    ])
}

/// Nanoseconds of a part; 0 where it is not known.
fn nanos_of(part: Option<&(u64, String)>) -> u64 {
    part.map_or(0, |(nanos, _)| *nanos)
}

/// Of the time after the first token, what its post-processing leaves.
fn after(nanos: u64, post: Option<&(u64, String)>) -> Known {
    nanos_between(nanos_of(post), nanos)?;
    let until = if post.is_some() {
        "the end of the call, less its post-processing"
    } else {
        "the end of the call"
    };
    let left = nanos.saturating_sub(nanos_of(post));
    Some((left, format!("Derived: from the first token to {until}.")))
}

/// Why a part that is as stated is not known; empty where what is stated does not add up.
const fn unstated(stated: Option<&Stated<u64>>) -> &'static str {
    match stated {
        None => "no attribute states it",
        Some(_) => "",
    }
}

/// Why the network is not known; empty where what is derived does not add up.
const fn unseen(served: &Served) -> &'static str {
    match served {
        Served::Unclear => {
            "more than one span stands below the call, so which request it was is not told"
        }
        Served::Unseen => {
            "no span of the server below the call tells how much of it was spent there"
        }
        Served::Once { .. } => "",
    }
}

/// How the time to the first token is known that queue and network, where known, leave.
fn less(key: &str, queue: bool, network: bool) -> String {
    let ahead = match (queue, network) {
        (false, false) => {
            return format!(
                "Stated by {key}; time in a queue or on the network, where there was any, is part of it."
            );
        }
        (true, false) => "the queue, which is",
        (false, true) => "the network, which is",
        (true, true) => "queue and network, which are",
    };
    format!("Derived: {key} less {ahead} part of it.")
}

/// A call while it is split.
struct Call {
    whole: u64,
    problems: Vec<String>,
}

impl Call {
    /// A stated part; `None` and told of where it is longer than the call.
    fn stated(&mut self, stated: Option<&Stated<u64>>) -> Known {
        let Stated { value, key, .. } = stated?;
        if nanos_between(*value, self.whole).is_none() {
            self.problems.push(format!(
                "{key} states {}, and the call took {}: it is not shown.",
                took(*value),
                took(self.whole)
            ));
            return None;
        }
        Some(((*value).min(self.whole), format!("Stated by {key}.")))
    }

    /// Whether the first token came after the queue; told of where not, as then one was not counted as part of the other.
    fn begins_after(&mut self, queue: u64, (first, key): (u64, &str)) -> bool {
        let holds = nanos_between(queue, first).is_some();
        if !holds {
            self.problems.push(format!(
                "{key} states {} to the first token, which is less than the {} in the queue: its first token is not told \
                 apart.",
                took(first),
                took(queue)
            ));
        }
        holds
    }

    /// Whether queue and network both lie before the first token; told of where not.
    fn leaves_room(&mut self, queue: u64, network: u64, first: u64) -> bool {
        let ahead = queue.saturating_add(network);
        let holds = nanos_between(ahead, first).is_some();
        if !holds {
            self.problems.push(format!(
                "{} in queue and network are more than the {} to the first token: the network is not shown.",
                took(ahead),
                took(first)
            ));
        }
        holds
    }

    /// The time that the call spent outside its server; `None` and told of where the server took longer than the call.
    fn outside(&mut self, served: &Served) -> Known {
        let Served::Once {
            service,
            took: inside,
        } = served
        else {
            return None;
        };
        let Some(outside) = nanos_between(*inside, self.whole) else {
            self.problems.push(format!(
                "The span of {service} below it took {}, and the call {}: the network is not shown.",
                took(*inside),
                took(self.whole)
            ));
            return None;
        };
        Some((
            outside,
            format!(
                "Derived: the call took {}, and the span of {service} below it {}.",
                took(self.whole),
                took(*inside)
            ),
        ))
    }

    /// All parts in order, as far as the call's duration reaches, and its rest.
    fn rows(mut self, parts: [(TimingPart, Known, &str); 5]) -> TimeSplit {
        let mut left = self.whole;
        let mut rows = Vec::with_capacity(parts.len() + 1);
        for (part, known, unknown) in parts {
            let told = known.is_some();
            let fits = known.filter(|(nanos, _)| nanos_between(*nanos, left).is_some());
            let row = if let Some((nanos, how)) = fits {
                let nanos = nanos.min(left);
                left -= nanos;
                TimingRow {
                    part,
                    nanos: Some(nanos),
                    how,
                }
            } else {
                if told {
                    self.problems.push(format!(
                        "With its {} the parts of the call's time would be longer than the call: it is not shown.",
                        part.name()
                    ));
                }
                let why = if told || unknown.is_empty() {
                    "it does not add up"
                } else {
                    unknown
                };
                TimingRow {
                    part,
                    nanos: None,
                    how: format!("Not known: {why}."),
                }
            };
            rows.push(row);
        }
        rows.push(TimingRow {
            part: TimingPart::Rest,
            nanos: Some(left),
            how: "What no other part accounts for.".to_owned(),
        });
        TimeSplit {
            rows,
            problems: self.problems,
        }
    }
}

#[cfg(test)]
mod tests;
