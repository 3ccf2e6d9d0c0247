use proptest::prelude::*;

use super::*;

fn finding(heuristic: &dyn Heuristic, text: &str) -> Finding {
    heuristic
        .score(&Response { text })
        .expect("a text is scored")
}

/// What the UI would highlight: the evidence as JavaScript's `slice` cuts it.
fn slices(text: &str, evidence: &[(u32, u32)]) -> Vec<String> {
    let units: Vec<u16> = text.encode_utf16().collect();
    evidence
        .iter()
        .map(|&(start, end)| {
            String::from_utf16(&units[start as usize..end as usize]).expect("whole characters")
        })
        .collect()
}

#[test]
fn every_expression_compiles_and_fires_on_its_own_phrase() {
    for (heuristic, phrases) in [
        (&Refusal as &dyn Heuristic, refusal::PHRASES),
        (&HallucinationMarker, hallucination_marker::PHRASES),
    ] {
        for phrase in phrases {
            for text in [
                phrase.to_owned(),
                phrase.to_uppercase(),
                phrase.replace('\'', "\u{2019}"),
                format!("Well, {phrase} say."),
            ] {
                let found = finding(heuristic, &text);
                assert_eq!(found.value, 1.0, "{} on {text:?}", heuristic.id());
                assert!(!found.evidence.is_empty());
            }
        }
        assert_eq!(expressions(&phrases).len(), phrases.len());
    }
    assert_eq!(
        expressions(&[sentiment::POSITIVE, sentiment::NEGATIVE]).len(),
        2
    );
}

#[test]
fn a_score_is_no_finding() {
    let praise = finding(&Sentiment, "A great answer.");
    assert!(praise.value > 0.0 && !praise.fired());
    let hedge = finding(&HallucinationMarker, "I think so.");
    assert!(hedge.fired());
    assert_eq!(
        yes_or_no().collect::<Vec<_>>(),
        ["refusal", "hallucination_marker"]
    );
}

#[test]
fn a_plain_answer_is_scored_zero_and_an_empty_one_not_at_all() {
    for heuristic in HEURISTICS {
        let found = finding(*heuristic, "Paris is the capital of France.");
        assert_eq!((found.value, found.fired()), (0.0, false));
        assert_eq!(found.evidence, vec![]);
        assert_eq!(heuristic.score(&Response { text: "" }), None);
        assert_eq!(heuristic.score(&Response { text: " \n\t" }), None);
    }
    assert_eq!(score(&Response { text: "" }), vec![]);
    assert_eq!(score(&Response { text: "Yes." }).len(), HEURISTICS.len());
}

#[test]
fn evidence_counts_as_javascript_does() {
    let text = "😀 对不起,I\u{2019}m unable to help 👩‍👩‍👧. As an AI, I cannot.";
    let found = finding(&Refusal, text);
    assert_eq!(
        slices(text, &found.evidence),
        ["I\u{2019}m unable to", "As an AI", "I cannot"]
    );
    assert_eq!(found.evidence[0].0, 7);
}

#[test]
fn overlapping_evidence_is_merged_and_sorted() {
    let text = "As far as I know I think I believe, probably; as far as I think.";
    let found = finding(&HallucinationMarker, text);
    assert_eq!(
        slices(text, &found.evidence),
        [
            "As far as I know",
            "I think",
            "I believe",
            "probably",
            "I think"
        ]
    );
    // Two ranges that overlap and one that touches become one.
    assert_eq!(
        evidence::utf16("abcdefgh", vec![4..6, 0..3, 2..4, 7..8]),
        [(0, 6), (7, 8)]
    );
}

#[test]
fn sentiment_is_praise_less_blame_over_words() {
    for (text, value, words) in [
        (
            "Great question! That is correct and good.",
            3.0 / 7.0,
            vec!["Great", "correct", "good"],
        ),
        ("Sorry, that was wrong.", -2.0 / 4.0, vec!["Sorry", "wrong"]),
        // Whole words only: neither "goodness", "errors" nor the "correct" in "incorrect" counts.
        ("goodness errors incorrect", -1.0 / 3.0, vec!["incorrect"]),
        ("good bad", 0.0, vec!["good", "bad"]),
        ("GOOD-bad,good", 1.0, vec!["GOOD", "bad", "good"]),
        ("好 good\u{3000}error", 0.0, vec!["good", "error"]),
    ] {
        let found = finding(&Sentiment, text);
        assert!((found.value - value).abs() < 1e-12, "{text}: {found:?}");
        assert_eq!(slices(text, &found.evidence), words, "{text}");
    }
}

#[test]
fn a_text_of_nothing_but_matches_stays_bounded() {
    let text = "probably, ".repeat(20_000);
    let found = finding(&HallucinationMarker, &text);
    assert_eq!((found.value, found.evidence.len()), (1.0, 500));
}

#[test]
fn the_answer_is_its_text_without_reasoning_or_tools() {
    let text = |text: &str| Part::Text { text: text.into() };
    let message = |role: &str, parts: Vec<Part>| Message {
        role: role.into(),
        parts,
        ..Message::default()
    };
    let messages = [
        message("user", vec![text("I cannot log in")]),
        message(
            "assistant",
            vec![
                Part::Reasoning {
                    text: "I think".into(),
                },
                text("First."),
                Part::ToolCall {
                    id: None,
                    name: "probably".into(),
                    arguments: "{}".into(),
                },
                text("Second."),
            ],
        ),
        message("tool", vec![text("error")]),
        message(
            "model",
            vec![Part::Refusal {
                text: "I cannot.".into(),
            }],
        ),
    ];
    assert_eq!(response_text(&messages), "First.\nSecond.\nI cannot.");
    assert_eq!(response_text(&[]), "");
}

#[test]
fn an_excerpt_keeps_the_evidence_in_sight() {
    let text = format!(
        "{} I cannot 😀 say. {}",
        "wörd 😀 ".repeat(200),
        "tail ".repeat(200)
    );
    let found = finding(&Refusal, &text);
    let cut = excerpt(&text, &found.evidence);
    assert_eq!(cut.text.chars().count(), 400);
    assert!(cut.text.starts_with('…') && cut.text.ends_with('…'));
    assert_eq!(slices(&cut.text, &cut.marks), ["I cannot"]);

    let short = excerpt("I cannot.", &[(0, 8)]);
    assert_eq!(
        (short.text.as_str(), short.marks),
        ("I cannot.", vec![(0, 8)])
    );
    let plain = excerpt(&"x".repeat(1_000), &[]);
    assert_eq!(plain.text, format!("{}…", "x".repeat(398)));
}

#[test]
fn ids_are_unique_and_every_heuristic_says_what_it_does() {
    let mut ids: Vec<_> = HEURISTICS.iter().map(|heuristic| heuristic.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), HEURISTICS.len());
    for heuristic in HEURISTICS {
        assert!(heuristic.description().ends_with('.') && !heuristic.title().is_empty());
    }
}

proptest! {
    #[test]
    fn evidence_lies_within_any_text(text in "(?s).{0,40}(I cannot|probably|good|sorry|As an AI|😀|’){0,4}.{0,40}") {
        for found in score(&Response { text: &text }) {
            let units: Vec<u16> = text.encode_utf16().collect();
            let mut last = 0;
            for &(start, end) in &found.evidence {
                prop_assert!(last <= start && start < end && end as usize <= units.len());
                prop_assert!(String::from_utf16(&units[start as usize..end as usize]).is_ok());
                last = end + 1;
            }
            let says_yes = found.kind == HeuristicKind::Finding && found.value != 0.0;
            prop_assert_eq!(found.fired(), says_yes);
            let cut = excerpt(&text, &found.evidence);
            prop_assert!(cut.text.chars().count() <= 400);
            prop_assert!(cut.marks.iter().all(|&(_, end)| end as usize <= cut.text.encode_utf16().count()));
        }
    }
}

/// One line of `fixtures/quality`: an answer, what a person says of it, and what the heuristic must see in it.
#[derive(serde::Deserialize)]
struct Labelled {
    response: String,
    label: String,
    evidence: Vec<String>,
    value: Option<f64>,
}

fn labelled(lines: &str) -> Vec<Labelled> {
    lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("a labelled answer"))
        .collect()
}

const REFUSALS: &str = include_str!("../../../../../fixtures/quality/refusal.jsonl");
const HEDGES: &str = include_str!("../../../../../fixtures/quality/hallucination_marker.jsonl");
const SENTIMENTS: &str = include_str!("../../../../../fixtures/quality/sentiment.jsonl");

#[test]
fn labelled_answers_are_scored_as_the_reference_would() {
    for (heuristic, lines) in [
        (&Refusal as &dyn Heuristic, REFUSALS),
        (&HallucinationMarker, HEDGES),
        (&Sentiment, SENTIMENTS),
    ] {
        for answer in labelled(lines) {
            let found = finding(heuristic, &answer.response);
            let seen = slices(&answer.response, &found.evidence);
            assert_eq!(seen, answer.evidence, "{}", answer.response);
            let expected = answer
                .value
                .unwrap_or(if seen.is_empty() { 0.0 } else { 1.0 });
            assert!(
                (found.value - expected).abs() < 1e-12,
                "{} {found:?}",
                answer.response
            );
        }
    }
}

/// The share of what fired that a person says it should, and of what a person says it should that fired.
fn precision_and_recall(heuristic: &dyn Heuristic, lines: &str, label: &str) -> (f64, f64) {
    let judged: Vec<(bool, bool)> = labelled(lines)
        .iter()
        .map(|answer| {
            let fired = finding(heuristic, &answer.response).fired();
            (fired, answer.label == label)
        })
        .collect();
    let count = |wanted: fn(&(bool, bool)) -> bool| {
        judged.iter().filter(|pair| wanted(pair)).count() as f64
    };
    let right = count(|&(fired, labelled)| fired && labelled);
    (right / count(|pair| pair.0), right / count(|pair| pair.1))
}

/// The phrases are the reference's and stay so; these are their known limits, and a change of them is seen here.
#[test]
fn precision_and_recall_are_the_known_ones() {
    assert_eq!(
        precision_and_recall(&Refusal, REFUSALS, "refusal"),
        (10.0 / 13.0, 10.0 / 15.0)
    );
    assert_eq!(
        precision_and_recall(&HallucinationMarker, HEDGES, "hedged"),
        (7.0 / 10.0, 7.0 / 10.0)
    );
}
