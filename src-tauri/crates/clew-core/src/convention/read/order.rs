//! The order of a span's log records, the same however they arrived.
//!
//! A conversation told by log records is read from top to bottom, and clocks are coarse: on some systems all messages of
//! a call carry one time. Arrival says nothing, because exporters send again and side by side.

use std::cmp::Ordering;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;

use crate::model::as_str;

/// A log record and what decides its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The record.
    pub record: LogRecord,
    /// Names the request that it came in by that request's content.
    pub batch: u64,
    /// Its place in that request.
    pub position: u64,
    /// The hash of its content.
    pub hash: u64,
}

/// Sorts the log records of one span.
///
/// By time (by observed time where there is none), then by the sequence number that some programs state
/// (`event.sequence`), then by observed time. Of equal ones, those of one request keep its order: their program wrote them
/// so. Requests among each other go by what their records are in a conversation (system before user before assistant
/// before tool before choice), then by content. Nothing of this depends on the order in which requests arrive.
#[must_use]
pub fn in_order(mut heard: Vec<Heard>) -> Vec<LogRecord> {
    heard.sort_by(|a, b| {
        by_time(a, b)
            .then_with(|| (a.batch, a.position, a.hash).cmp(&(b.batch, b.position, b.hash)))
    });
    let mut sorted = Vec::with_capacity(heard.len());
    for tied in heard.chunk_by(|a, b| by_time(a, b) == Ordering::Equal) {
        let mut requests: Vec<&[Heard]> = tied.chunk_by(|a, b| a.batch == b.batch).collect();
        let parts = |request: &[Heard]| -> Vec<u8> {
            request.iter().map(|heard| part(&heard.record)).collect()
        };
        requests.sort_by_cached_key(|request| (parts(request), request[0].hash));
        sorted.extend(requests.concat().into_iter().map(|heard| heard.record));
    }
    sorted
}

fn by_time(a: &Heard, b: &Heard) -> Ordering {
    let key = |heard: &Heard| {
        let record = &heard.record;
        let time = match record.time_unix_nano {
            0 => record.observed_time_unix_nano,
            time => time,
        };
        (time, sequence(record), record.observed_time_unix_nano)
    };
    key(a).cmp(&key(b))
}

/// `event.sequence`, a counter over the events of a session.
fn sequence(record: &LogRecord) -> Option<i64> {
    let mut stated = record.attributes.iter().rev();
    let stated = stated.find(|attribute| attribute.key == "event.sequence")?;
    match stated.value.as_ref()?.value.as_ref()? {
        Value::IntValue(number) => Some(*number),
        Value::StringValue(text) => text.parse().ok(),
        _ => None,
    }
}

/// Where in a turn a record usually stands.
fn part(record: &LogRecord) -> u8 {
    match log_name(record) {
        "gen_ai.system.message" => 0,
        "gen_ai.user.message" | "gen_ai.content.prompt" => 1,
        "gen_ai.assistant.message" => 2,
        "gen_ai.tool.message" => 3,
        "gen_ai.choice" | "gen_ai.content.completion" => 4,
        _ => 5,
    }
}

/// The name of an event log record: its field, else the attribute that stood for it before logs had names.
pub(in crate::convention) fn log_name(log: &LogRecord) -> &str {
    if !log.event_name.is_empty() {
        return &log.event_name;
    }
    let attribute = log
        .attributes
        .iter()
        .rev()
        .find(|attribute| attribute.key == "event.name");
    attribute
        .and_then(|attribute| as_str(attribute.value.as_ref()?.value.as_ref()?))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
    use proptest::prelude::*;

    use super::*;
    use crate::model::content_hash;

    fn heard(batch: u64, position: u64, time: u64, name: &str, severity: &str) -> Heard {
        Heard {
            record: LogRecord {
                time_unix_nano: time,
                event_name: name.to_owned(),
                severity_text: severity.to_owned(),
                ..LogRecord::default()
            },
            batch,
            position,
            hash: content_hash(&[name.as_bytes(), severity.as_bytes()]),
        }
    }

    fn told(heard: Vec<Heard>) -> Vec<String> {
        let sorted = in_order(heard).into_iter();
        sorted.map(|record| record.severity_text).collect()
    }

    #[test]
    fn a_conversation_of_one_time_keeps_its_turns() {
        let turns = ["system", "user", "assistant", "user", "assistant", "user"];
        let mut conversation: Vec<Heard> = turns
            .iter()
            .enumerate()
            .map(|(at, role)| {
                let name = format!("gen_ai.{role}.message");
                heard(7, at as u64, 5, &name, &format!("{role} {at}"))
            })
            .collect();
        let expected = told(conversation.clone());
        assert_eq!(
            expected,
            [
                "system 0",
                "user 1",
                "assistant 2",
                "user 3",
                "assistant 4",
                "user 5"
            ]
        );
        conversation.reverse();
        assert_eq!(told(conversation), expected);
    }

    #[test]
    fn a_conversation_in_many_requests_goes_by_roles() {
        // The requests' own numbers say nothing.
        let apart = vec![
            heard(1, 0, 5, "gen_ai.choice", "answer"),
            heard(2, 0, 5, "gen_ai.user.message", "question"),
            heard(3, 9, 5, "gen_ai.system.message", "rules"),
        ];
        assert_eq!(told(apart), ["rules", "question", "answer"]);
        let cut = vec![
            heard(2, 0, 5, "gen_ai.system.message", "rules"),
            heard(2, 1, 5, "gen_ai.user.message", "question"),
            heard(2, 2, 5, "gen_ai.assistant.message", "answer"),
            heard(1, 0, 5, "gen_ai.user.message", "another question"),
            heard(1, 1, 5, "gen_ai.choice", "another answer"),
        ];
        let expected = [
            "rules",
            "question",
            "answer",
            "another question",
            "another answer",
        ];
        assert_eq!(told(cut), expected);
    }

    #[test]
    fn what_a_program_says_of_the_order_comes_first() {
        let numbered = |sequence: i64, position: u64| {
            let mut heard = heard(1, position, 5, "note", &sequence.to_string());
            heard.record.attributes = vec![KeyValue {
                key: "event.sequence".to_owned(),
                value: Some(AnyValue {
                    value: Some(Value::IntValue(sequence)),
                }),
                ..KeyValue::default()
            }];
            heard
        };
        assert_eq!(told(vec![numbered(10, 0), numbered(9, 1)]), ["9", "10"]);
        // Time leads, and without one the time of observation stands for it.
        let mut observed = heard(1, 0, 0, "note", "observed");
        observed.record.observed_time_unix_nano = 4;
        let later = heard(1, 0, 5, "gen_ai.system.message", "later");
        assert_eq!(told(vec![later, observed]), ["observed", "later"]);
    }

    proptest! {
        #[test]
        fn no_order_of_arrival_changes_it(
            records in prop::collection::vec((0_u64..4, 0_u64..3, 0_usize..4), 1..24),
            seed in any::<u64>(),
        ) {
            let names = ["gen_ai.user.message", "gen_ai.choice", "note", "gen_ai.tool.message"];
            let all: Vec<Heard> = records
                .iter()
                .enumerate()
                .map(|(at, &(batch, time, name))| {
                    heard(batch, at as u64, time, names[name], &at.to_string())
                })
                .collect();
            let mut shuffled = all.clone();
            let mut state = seed;
            for index in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(index, usize::try_from(state >> 33).expect("31 bits") % (index + 1));
            }
            prop_assert_eq!(told(all), told(shuffled));
        }
    }
}
