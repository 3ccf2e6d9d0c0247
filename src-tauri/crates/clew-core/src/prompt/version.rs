//! Calls grouped by the template and version that they state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{PromptTemplate, PromptVersion};
use crate::model::PromptFact;

/// Characters of a name that is taken from a template's first line.
const NAME_CHARS: usize = 60;

/// One model call that states a prompt template, with its figures; `None` is "not stated".
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PromptCall {
    /// The template's name.
    pub name: Option<Arc<str>>,
    /// Its version or label.
    pub version: Option<Arc<str>>,
    /// Its text, placeholders unfilled; calls that state the same may share it.
    pub template: Option<Arc<str>>,
    /// Duration in nanoseconds, of a call that ended.
    pub duration_nanos: Option<u64>,
    /// Prompt tokens, cached ones included.
    pub input_tokens: Option<u64>,
    /// Output tokens.
    pub output_tokens: Option<u64>,
    /// Cost in US dollars, as the ledger has it.
    pub cost_usd: Option<f64>,
    /// Whether the call failed.
    pub failed: bool,
    /// Whether the refusal heuristic fired on the answer; `None` where there was nothing to score.
    pub refused: Option<bool>,
    /// The model that answered.
    pub model: Option<String>,
    /// Microseconds since the epoch of the call's start.
    pub start_micros: u64,
}

/// Groups calls into templates and versions with their figures; calls that state neither name nor text are left out.
///
/// - A template without a name goes by its text's first line, so texts that begin alike are versions of one.
/// - A call without a version goes by its text, as `#` and six hex digits of its hash; without a text by `""`.
/// - A version stated with several texts shows the newest and counts them in [`PromptVersion::texts`].
/// - Medians are exact midpoints: the mean of the two middle values where their number is even.
///
/// Templates are ordered by latest use, newest first; versions by first use, oldest first.
#[must_use]
pub fn group(calls: &[PromptCall]) -> Vec<PromptTemplate> {
    let mut grouped: BTreeMap<String, BTreeMap<String, Vec<&PromptCall>>> = BTreeMap::new();
    for call in calls {
        let Some(name) = template_name(call.name.as_deref(), call.template.as_deref()) else {
            continue;
        };
        let version = version_label(call.version.as_deref(), call.template.as_deref());
        let versions = grouped.entry(name).or_default();
        versions.entry(version).or_default().push(call);
    }
    let mut templates: Vec<PromptTemplate> = grouped
        .into_iter()
        .map(|(name, versions)| {
            let mut versions: Vec<PromptVersion> = versions
                .into_iter()
                .map(|(version, calls)| figures(version, calls))
                .collect();
            versions.sort_by_key(|version| (version.first_micros, version.last_micros));
            PromptTemplate {
                name,
                calls: versions
                    .iter()
                    .fold(0, |sum, version| sum.saturating_add(version.calls)),
                versions,
            }
        })
        .collect();
    let latest = |template: &PromptTemplate| {
        let last = template.versions.iter().map(|version| version.last_micros);
        std::cmp::Reverse(last.max())
    };
    templates.sort_by_key(latest);
    templates
}

/// The name under which [`group`] lists a template: the stated one, else the first line of its text, cut to 60
/// characters; `None` where neither is stated.
#[must_use]
fn template_name(name: Option<&str>, template: Option<&str>) -> Option<String> {
    if let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) {
        return Some(name.to_owned());
    }
    let line = template?
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())?;
    let mut cut: String = line.chars().take(NAME_CHARS).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    Some(cut)
}

/// The template and the version under which [`group`] lists a call; `None` where nothing names its template.
#[must_use]
pub fn listed(prompt: &PromptFact) -> Option<(String, String)> {
    let text = prompt.template.as_deref();
    Some((
        template_name(prompt.name.as_deref(), text)?,
        version_label(prompt.version.as_deref(), text),
    ))
}

/// The version under which [`group`] lists a call: the stated one, else `#` and six hex digits of the text's BLAKE3
/// hash, else `""`.
#[must_use]
fn version_label(version: Option<&str>, template: Option<&str>) -> String {
    if let Some(version) = version.map(str::trim).filter(|version| !version.is_empty()) {
        return version.to_owned();
    }
    template.map_or_else(String::new, |template| {
        let hash = blake3::hash(template.as_bytes()).to_hex();
        format!("#{}", hash.get(..6).unwrap_or_default())
    })
}

fn figures(version: String, mut calls: Vec<&PromptCall>) -> PromptVersion {
    // The text breaks ties, so that the order of arrival does not.
    calls.sort_by_key(|call| (call.start_micros, call.template.as_deref()));
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let texts: BTreeSet<&str> = calls
        .iter()
        .filter_map(|call| call.template.as_deref())
        .collect();
    let models: BTreeSet<&str> = calls
        .iter()
        .filter_map(|call| call.model.as_deref())
        .collect();
    let scored: Vec<bool> = calls.iter().filter_map(|call| call.refused).collect();
    let refused = scored.iter().filter(|refused| **refused).count();
    let whole = |read: fn(&PromptCall) -> Option<u64>| {
        median(calls.iter().filter_map(|call| read(call)).map(as_f64))
    };
    PromptVersion {
        version,
        template: calls
            .iter()
            .rev()
            .find_map(|call| call.template.as_deref().map(str::to_owned)),
        texts: count(texts.len()),
        calls: count(calls.len()),
        errors: count(calls.iter().filter(|call| call.failed).count()),
        first_micros: calls.first().map_or(0, |call| call.start_micros),
        last_micros: calls.last().map_or(0, |call| call.start_micros),
        duration_nanos: whole(|call| call.duration_nanos),
        input_tokens: whole(|call| call.input_tokens),
        output_tokens: whole(|call| call.output_tokens),
        cost_usd: median(calls.iter().filter_map(|call| call.cost_usd)),
        refusal_rate: (!scored.is_empty())
            .then(|| f64::from(count(refused)) / f64::from(count(scored.len()))),
        models: models.into_iter().map(str::to_owned).collect(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "figures are shown to a few digits; 2^53 is far beyond any of them"
)]
fn as_f64(value: u64) -> f64 {
    value as f64
}

/// The midpoint median of the finite values; `None` of none.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let high = *values.get(values.len() / 2)?;
    let low = *values.get(values.len().saturating_sub(1) / 2)?;
    Some(low / 2.0 + high / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, version: &str, template: &str, at: u64) -> PromptCall {
        let stated = |text: &str| (!text.is_empty()).then(|| text.into());
        PromptCall {
            name: stated(name),
            version: stated(version),
            template: stated(template),
            start_micros: at,
            ..PromptCall::default()
        }
    }

    #[test]
    fn calls_become_versions_with_medians_and_rates() {
        let mut calls = vec![
            call("support", "v6", "Hi {x}", 10),
            call("support", "v6", "Hi {x}", 20),
            call("support", "v7", "Hello {x}", 30),
            call("greeting", "", "Welcome", 40),
            call("", "", "", 50),
        ];
        calls[0].duration_nanos = Some(1_000);
        calls[1].duration_nanos = Some(4_000);
        calls[0].input_tokens = Some(10);
        calls[0].cost_usd = Some(0.25);
        calls[1].cost_usd = Some(f64::NAN);
        calls[0].refused = Some(true);
        calls[1].refused = Some(false);
        calls[1].failed = true;
        calls[0].model = Some("b".into());
        calls[1].model = Some("a".into());

        let templates = group(&calls);
        let names: Vec<_> = templates.iter().map(|template| &template.name).collect();
        assert_eq!(names, ["greeting", "support"]);
        let versions = &templates[1].versions;
        assert_eq!(versions.len(), 2);
        let v6 = &versions[0];
        assert_eq!((v6.version.as_str(), v6.calls, v6.errors), ("v6", 2, 1));
        assert_eq!((v6.first_micros, v6.last_micros), (10, 20));
        assert_eq!(v6.duration_nanos, Some(2_500.0));
        assert_eq!(v6.input_tokens, Some(10.0));
        assert_eq!(v6.output_tokens, None);
        assert_eq!(v6.cost_usd, Some(0.25));
        assert_eq!(v6.refusal_rate, Some(0.5));
        assert_eq!(v6.models, ["a", "b"]);
        assert_eq!(versions[1].refusal_rate, None);
    }

    #[test]
    fn versions_that_are_not_stated_are_told_apart_by_their_text() {
        let templates = group(&[
            call("qa", "", "Answer {q}", 1),
            call("qa", "", "Answer {q} briefly", 2),
            call("qa", "", "Answer {q}", 3),
            call("qa", "", "", 4),
        ]);
        let labels: Vec<_> = templates[0]
            .versions
            .iter()
            .map(|version| (version.version.clone(), version.calls))
            .collect();
        assert_eq!(labels.len(), 3);
        assert_eq!(labels[0].1, 2);
        assert_eq!(labels[2], (String::new(), 1));
        for (label, _) in &labels[..2] {
            assert!(label.len() == 7 && label.starts_with('#'), "{label}");
        }
        assert_ne!(labels[0].0, labels[1].0);
    }

    #[test]
    fn a_text_that_changed_under_one_version_is_seen() {
        let templates = group(&[
            call("qa", "v1", "old text", 1),
            call("qa", "v1", "new text", 2),
        ]);
        let version = &templates[0].versions[0];
        assert_eq!(version.texts, 2);
        assert_eq!(version.template.as_deref(), Some("new text"));
    }

    #[test]
    fn templates_without_a_name_go_by_their_first_line() {
        let long = "x".repeat(80);
        let templates = group(&[
            call("", "", "\n  You are kind.\nBe brief.", 1),
            call("", "", "You are kind.\nBe long.", 2),
            call("", "", &long, 3),
        ]);
        assert_eq!(templates.len(), 2);
        assert_eq!(templates[0].name, format!("{}…", "x".repeat(60)));
        assert_eq!(templates[1].name, "You are kind.");
        assert_eq!(templates[1].versions.len(), 2);
    }

    #[test]
    fn the_order_of_calls_does_not_matter() {
        let mut calls: Vec<_> = (0..20)
            .map(|at| call("n", ["a", "b", "c"][at % 3], "t", at as u64))
            .collect();
        let forward = group(&calls);
        calls.reverse();
        assert_eq!(group(&calls), forward);
    }
}
