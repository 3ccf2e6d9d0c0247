//! Who has sent what, and what went wrong with requests; in memory, since the start.
//!
//! Times come from outside, in microseconds since the epoch. Every list is bounded: what senders say cannot grow it.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use clew_core::model;
use clew_core::otlp::{Batch, Group};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use tokio::sync::watch;

use crate::api::{ConnectionProblem, FacetValue, Sender};
use crate::ingest::Committed;

/// Senders that are remembered; of more, those that sent last.
const SENDERS: usize = 200;
/// Problems that are remembered; of more, those that happened last.
const PROBLEMS: usize = 100;
/// Reasons that are counted apart; items refused for further ones count as "other".
const REASONS: usize = 100;
/// Scopes that are listed for one sender.
const SCOPES: usize = 50;
/// Services that one request may name.
const SERVICES: usize = 50;
/// Longest text that is remembered of a sender, in characters.
const TEXT: usize = 200;
/// Seconds over which the rate is measured.
const WINDOW: u64 = 10;

/// Counts senders, refusals and problems.
#[derive(Debug, Default)]
pub struct Census {
    books: Mutex<Books>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Books {
    senders: Vec<Sender>,
    problems: Vec<ConnectionProblem>,
    refused: BTreeMap<String, u64>,
    /// Spans committed, by second since the epoch, oldest first.
    committed: VecDeque<(u64, u64)>,
    duplicates: u64,
}

/// How a request came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// "gRPC", "HTTP/protobuf" or "HTTP/JSON".
    pub transport: &'static str,
    /// The exporter's user agent; empty where it states none.
    pub user_agent: String,
    /// The machine that sent it.
    pub peer: IpAddr,
    /// Whether it stated the ingest key; false where none is set.
    pub authenticated: bool,
}

impl Census {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes whenever something is counted.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Counts a request that was committed, and what of it was new.
    pub fn received(&self, now: u64, by: &Delivery, manifest: Manifest, committed: Committed) {
        let Committed {
            spans,
            logs,
            points,
            ..
        } = committed;
        let new = spans.saturating_add(logs).saturating_add(points);
        let mut books = self.books();
        books.duplicates = books
            .duplicates
            .saturating_add(manifest.items.saturating_sub(new));
        for load in manifest.loads {
            books.count(now, by, load);
        }
        let second = now / 1_000_000;
        match books.committed.back_mut() {
            // A clock that was set back counts to the newest second, so that the order holds.
            Some((last, count)) if *last >= second => *count = count.saturating_add(spans),
            _ => books.committed.push_back((second, spans)),
        }
        let old = second.saturating_sub(WINDOW);
        books.committed.retain(|(second, _)| *second >= old);
        drop(books);
        self.changed.send_replace(());
    }

    /// Counts items or requests that were refused, under a reason that holds no content.
    pub fn refused_items(&self, reason: &str, count: u64) {
        let mut books = self.books();
        let known = books.refused.contains_key(reason) || books.refused.len() < REASONS;
        let reason = if known {
            cut(reason)
        } else {
            "other".to_owned()
        };
        let total = books.refused.entry(reason).or_default();
        *total = total.saturating_add(count);
        drop(books);
        self.changed.send_replace(());
    }

    /// Counts something that went wrong with a request, and what its sender can do.
    pub fn problem(&self, now: u64, what: &str, fix: &str) {
        let mut books = self.books();
        let what = cut(what);
        match books.problems.iter_mut().find(|old| old.what == what) {
            Some(old) => {
                old.count = old.count.saturating_add(1);
                old.last_micros = now;
                fix.clone_into(&mut old.fix);
            }
            None => {
                let problems = &mut books.problems;
                make_room(problems, PROBLEMS, |problem| problem.last_micros);
                problems.push(ConnectionProblem {
                    what,
                    fix: fix.to_owned(),
                    count: 1,
                    last_micros: now,
                });
            }
        }
        drop(books);
        self.changed.send_replace(());
    }

    /// Items refused since the start, by reason, most frequent first.
    #[must_use]
    pub fn refused(&self) -> Vec<FacetValue> {
        let mut refused: Vec<FacetValue> = self
            .books()
            .refused
            .iter()
            .map(|(reason, count)| FacetValue {
                value: reason.clone(),
                count: u32::try_from(*count).unwrap_or(u32::MAX),
            })
            .collect();
        refused.sort_by_key(|facet| std::cmp::Reverse(facet.count));
        refused
    }

    /// Items that were delivered again since the start, and not stored twice.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.books().duplicates
    }

    /// Spans committed in a second, over the ten before `now`.
    #[must_use]
    pub fn rate(&self, now: u64) -> f64 {
        let second = now / 1_000_000;
        let from = second.saturating_sub(WINDOW);
        let spans = self
            .books()
            .committed
            .iter()
            .filter(|(at, _)| (from..second).contains(at))
            .fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
        #[expect(
            clippy::cast_precision_loss,
            reason = "a rate is read, not calculated with"
        )]
        {
            spans as f64 / WINDOW as f64
        }
    }

    /// Programs that have sent something, newest first.
    #[must_use]
    pub fn senders(&self) -> Vec<Sender> {
        let mut senders = self.books().senders.clone();
        senders.sort_by_key(|sender| std::cmp::Reverse(sender.last_micros));
        senders
    }

    /// What went wrong, newest first.
    #[must_use]
    pub fn problems(&self) -> Vec<ConnectionProblem> {
        let mut problems = self.books().problems.clone();
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.last_micros));
        problems
    }
}

impl Books {
    fn count(&mut self, now: u64, by: &Delivery, load: Load) {
        let user_agent = cut(&by.user_agent);
        let peer =
            (!by.peer.to_canonical().is_loopback()).then(|| by.peer.to_canonical().to_string());
        let known = self.senders.iter().position(|sender| {
            sender.service == load.service
                && sender.transport == by.transport
                && sender.user_agent == user_agent
                && sender.peer == peer
                && sender.authenticated == by.authenticated
        });
        let position = known.unwrap_or_else(|| {
            make_room(&mut self.senders, SENDERS, |sender| sender.last_micros);
            self.senders.push(Sender {
                service: load.service,
                language: None,
                scopes: Vec::new(),
                transport: by.transport.to_owned(),
                user_agent,
                spans: 0,
                logs: 0,
                points: 0,
                peer,
                authenticated: by.authenticated,
                first_micros: now,
                last_micros: now,
            });
            self.senders.len() - 1
        });
        let Some(sender) = self.senders.get_mut(position) else {
            return;
        };
        sender.spans = sender.spans.saturating_add(load.spans);
        sender.logs = sender.logs.saturating_add(load.logs);
        sender.points = sender.points.saturating_add(load.points);
        sender.last_micros = sender.last_micros.max(now);
        if load.language.is_some() {
            sender.language = load.language;
        }
        for scope in load.scopes {
            if sender.scopes.len() < SCOPES && !sender.scopes.contains(&scope) {
                sender.scopes.push(scope);
            }
        }
    }
}

/// Removes the oldest entry of a list that has reached its limit.
fn make_room<T>(list: &mut Vec<T>, limit: usize, last: impl Fn(&T) -> u64) {
    if list.len() >= limit {
        let oldest = list
            .iter()
            .enumerate()
            .min_by_key(|(_, entry)| last(entry))
            .map(|(position, _)| position);
        if let Some(position) = oldest {
            list.remove(position);
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT).collect()
}

/// What a batch holds, by service: read off it before the writer takes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    loads: Vec<Load>,
    /// Spans, log records and points in all.
    items: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Load {
    service: String,
    language: Option<String>,
    scopes: Vec<String>,
    spans: u64,
    logs: u64,
    points: u64,
}

impl Manifest {
    /// Counts a batch. Of more than 50 services the rest count as the last of them.
    #[must_use]
    pub fn of(batch: &Batch) -> Self {
        let mut manifest = Self::default();
        let mut items: u64 = 0;
        for group in &batch.spans {
            let load = manifest.load(group);
            load.spans = load.spans.saturating_add(length(&group.items));
            items = items.saturating_add(length(&group.items));
        }
        for group in &batch.logs {
            let load = manifest.load(group);
            load.logs = load.logs.saturating_add(length(&group.items));
            items = items.saturating_add(length(&group.items));
        }
        for group in &batch.metrics {
            let load = manifest.load(group);
            for metric in &group.items {
                load.points = load.points.saturating_add(length(&metric.points).max(1));
                items = items.saturating_add(length(&metric.points));
            }
        }
        manifest.items = items;
        manifest
            .loads
            .retain(|load| load.spans > 0 || load.logs > 0 || load.points > 0);
        manifest
    }

    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.loads.is_empty()
    }

    fn load<T>(&mut self, group: &Group<T>) -> &mut Load {
        let service = cut(&group.service);
        let known = self.loads.iter().position(|load| load.service == service);
        let position = known.unwrap_or_else(|| {
            if self.loads.len() < SERVICES {
                self.loads.push(Load {
                    language: language(&group.resource),
                    service,
                    ..Load::default()
                });
            }
            self.loads.len() - 1
        });
        let load = &mut self.loads[position];
        if load.scopes.len() < SCOPES
            && !group.scope_name.is_empty()
            && !load
                .scopes
                .iter()
                .any(|scope| names(scope, &group.scope_name))
        {
            load.scopes.push(scope(group));
        }
        load
    }
}

fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

fn language(resource: &[u8]) -> Option<String> {
    let resource = Resource::decode(resource).ok()?;
    let language = resource
        .attributes
        .iter()
        .rev()
        .find(|attribute| attribute.key == "telemetry.sdk.language")?;
    model::as_str(language.value.as_ref()?.value.as_ref()?).map(cut)
}

/// Name and version, where the scope has one.
fn scope<T>(group: &Group<T>) -> String {
    let name = cut(&group.scope_name);
    match InstrumentationScope::decode(group.scope.as_slice()) {
        Ok(scope) if !scope.version.is_empty() => format!("{name} {}", cut(&scope.version)),
        _ => name,
    }
}

fn names(scope: &str, name: &str) -> bool {
    scope
        .strip_prefix(cut(name).as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

    use super::*;

    const SECOND: u64 = 1_000_000;

    fn by(user_agent: &str) -> Delivery {
        Delivery {
            transport: "gRPC",
            user_agent: user_agent.to_owned(),
            peer: [127, 0, 0, 1].into(),
            authenticated: false,
        }
    }

    fn new(spans: u64) -> Committed {
        Committed {
            spans,
            ..Committed::default()
        }
    }

    fn manifest(service: &str, spans: u64) -> Manifest {
        Manifest {
            items: spans,
            loads: vec![Load {
                service: service.to_owned(),
                spans,
                ..Load::default()
            }],
        }
    }

    #[test]
    fn a_batch_is_counted_by_service() {
        let resource = Resource {
            attributes: vec![KeyValue {
                key: "telemetry.sdk.language".to_owned(),
                value: Some(AnyValue {
                    value: Some(Value::StringValue("python".to_owned())),
                }),
                ..KeyValue::default()
            }],
            ..Resource::default()
        };
        let scope = InstrumentationScope {
            name: "my.tracer".to_owned(),
            version: "1.2".to_owned(),
            ..InstrumentationScope::default()
        };
        let metric = |points| clew_core::otlp::GroundMetric {
            raw: Vec::new(),
            name: "m".to_owned(),
            unit: String::new(),
            kind: "sum",
            points,
        };
        let point = clew_core::otlp::GroundPoint {
            raw: Vec::new(),
            start: 0,
            time: 0,
            series: 0,
            hash: 0,
        };
        let batch = Batch {
            metrics: vec![Group {
                resource: resource.encode_to_vec(),
                resource_schema_url: String::new(),
                service: "shop".to_owned(),
                scope: scope.encode_to_vec(),
                scope_schema_url: String::new(),
                scope_name: "my.tracer".to_owned(),
                items: vec![metric(vec![point.clone(), point]), metric(Vec::new())],
            }],
            ..Batch::default()
        };
        let census = Census::default();
        let points = Committed {
            points: 2,
            ..Committed::default()
        };
        census.received(SECOND, &by("OTel-Python/1"), Manifest::of(&batch), points);
        assert_eq!(census.duplicates(), 0);
        let again = Manifest::of(&batch);
        census.received(2 * SECOND, &by("OTel-Python/1"), again, new(0));
        assert_eq!(census.duplicates(), 2, "both points came again");
        assert_eq!(
            census.senders(),
            [Sender {
                service: "shop".to_owned(),
                language: Some("python".to_owned()),
                scopes: vec!["my.tracer 1.2".to_owned()],
                transport: "gRPC".to_owned(),
                user_agent: "OTel-Python/1".to_owned(),
                spans: 0,
                logs: 0,
                points: 6,
                peer: None,
                authenticated: false,
                first_micros: SECOND,
                last_micros: 2 * SECOND,
            }]
        );
    }

    #[test]
    fn other_machines_and_senders_without_the_key_stand_apart() {
        let census = Census::default();
        let elsewhere = |last: u8, authenticated| Delivery {
            peer: [192, 168, 1, last].into(),
            authenticated,
            ..by("")
        };
        let here = Delivery {
            peer: "::ffff:127.0.0.1".parse().expect("an address"),
            ..by("")
        };
        for by in [
            by(""),
            here,
            elsewhere(7, true),
            elsewhere(7, false),
            elsewhere(8, true),
        ] {
            census.received(SECOND, &by, manifest("shop", 1), new(1));
        }
        let mut told: Vec<_> = census
            .senders()
            .into_iter()
            .map(|sender| (sender.peer, sender.authenticated, sender.spans))
            .collect();
        told.sort();
        let peer = |last: u8| Some(format!("192.168.1.{last}"));
        assert_eq!(
            told,
            [
                (None, false, 2),
                (peer(7), false, 1),
                (peer(7), true, 1),
                (peer(8), true, 1)
            ]
        );
    }

    #[test]
    fn an_empty_batch_is_empty() {
        assert!(Manifest::of(&Batch::default()).is_empty());
        let batch = Batch {
            spans: vec![Group {
                resource: Vec::new(),
                resource_schema_url: String::new(),
                service: "shop".to_owned(),
                scope: Vec::new(),
                scope_schema_url: String::new(),
                scope_name: "my.tracer".to_owned(),
                items: Vec::new(),
            }],
            ..Batch::default()
        };
        assert!(Manifest::of(&batch).is_empty());
    }

    #[test]
    fn the_rate_is_over_ten_seconds_and_falls_to_zero() {
        let census = Census::default();
        for second in 0..20 {
            census.received(second * SECOND, &by(""), manifest("a", 1), new(30));
        }
        assert!((census.rate(20 * SECOND) - 30.0).abs() < f64::EPSILON);
        assert!((census.rate(25 * SECOND) - 15.0).abs() < f64::EPSILON);
        assert!(census.rate(30 * SECOND).abs() < f64::EPSILON);
        census.received(3 * SECOND, &by(""), manifest("a", 1), new(30));
        assert!((census.rate(20 * SECOND) - 33.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_million_senders_and_problems_stay_few() {
        let census = Census::default();
        for n in 0..1_000 {
            census.received(n, &by(""), manifest(&format!("s{n}"), 1), new(1));
            census.problem(n, &format!("p{n}"), "fix");
            census.refused_items(&format!("r{n}"), 2);
        }
        assert_eq!(census.senders().len(), SENDERS);
        assert_eq!(census.senders()[0].service, "s999");
        assert_eq!(census.problems().len(), PROBLEMS);
        assert_eq!(census.problems()[0].what, "p999");
        let refused = census.refused();
        assert_eq!(refused.len(), REASONS + 1);
        assert_eq!(refused[0].value, "other");
        assert_eq!(refused[0].count, 1_800);
    }

    #[test]
    fn the_same_problem_is_counted_and_comes_first() {
        let census = Census::default();
        let mut changed = census.changed();
        census.problem(1, "a", "fix");
        census.problem(2, "b", "fix");
        census.problem(3, "a", "fix");
        let problems = census.problems();
        assert_eq!((problems[0].what.as_str(), problems[0].count), ("a", 2));
        assert_eq!(problems[0].last_micros, 3);
        assert_eq!((problems[1].what.as_str(), problems[1].count), ("b", 1));
        assert!(changed.has_changed().expect("the census lives"));
        changed.mark_unchanged();
        assert!(!changed.has_changed().expect("the census lives"));
    }
}
