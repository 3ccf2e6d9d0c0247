//! Counts against those of OpenAI's own tiktoken and of its API.

use super::*;
use crate::model::Stated;

fn stated<T>(value: T) -> Option<Stated<T>> {
    Some(Stated {
        value,
        convention: "test".to_owned(),
        key: "test".to_owned(),
    })
}

fn message(role: &str, text: &str) -> Message {
    Message {
        role: role.to_owned(),
        parts: vec![Part::Text {
            text: text.to_owned(),
        }],
        ..Message::default()
    }
}

fn call(model: &str, sent: Vec<Message>, answered: Vec<Message>) -> Facts {
    Facts {
        operation: stated(Operation::Llm),
        request_model: stated(model.to_owned()),
        input: stated(sent),
        output: stated(answered),
        ..Facts::default()
    }
}

/// The messages of OpenAI's Cookbook ("How to count tokens with tiktoken"), for which the API reports 129 prompt tokens
/// with `cl100k_base` and 124 with `o200k_base`.
fn cookbook() -> Vec<Message> {
    let named = |name: &str, text: &str| Message {
        name: Some(name.to_owned()),
        ..message("system", text)
    };
    vec![
        message(
            "system",
            "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
        ),
        named(
            "example_user",
            "New synergies will help drive top-line growth.",
        ),
        named(
            "example_assistant",
            "Things working well together will increase revenue.",
        ),
        named(
            "example_user",
            "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
        ),
        named(
            "example_assistant",
            "Let's talk later when we're less busy about how to do better.",
        ),
        message(
            "user",
            "This late pivot means we don't have time to boil the ocean for the client deliverable.",
        ),
    ]
}

#[test]
fn prompts_are_as_long_as_the_provider_says() {
    for (model, tokens) in [
        ("gpt-3.5-turbo", 129),
        ("gpt-4-0613", 129),
        ("gpt-4o", 124),
        ("gpt-4o-mini-2024-07-18", 124),
        ("openai/gpt-4o", 124),
    ] {
        let facts = call(
            model,
            cookbook(),
            vec![message("assistant", "tiktoken is great!")],
        );
        let counted = estimate(&facts).expect(model);
        assert_eq!(counted.input, Some(tokens), "{model}");
        assert_eq!(counted.output, Some(6), "{model}");
    }
}

#[test]
fn nothing_is_guessed_for_other_models_and_nothing_counted_twice() {
    let said = || vec![message("user", "hello")];
    assert_eq!(estimate(&call("claude-sonnet-5-5", said(), said())), None);
    assert_eq!(estimate(&call("gemini-3-pro", said(), said())), None);
    let mut told = call("gpt-4o", said(), said());
    told.usage = stated(crate::model::Usage {
        input: Some(8),
        ..crate::model::Usage::default()
    });
    assert_eq!(estimate(&told), None);
    let mut empty = call("gpt-4o", said(), said());
    (empty.input, empty.output) = (None, None);
    assert_eq!(estimate(&empty), None);
}

#[test]
fn an_embedding_is_its_text_and_generates_nothing() {
    let facts = Facts {
        operation: stated(Operation::Embedding),
        request_model: stated("text-embedding-3-small".to_owned()),
        input_value: stated("tiktoken is great!".to_owned()),
        ..Facts::default()
    };
    let counted = estimate(&facts).expect("it is counted");
    assert_eq!((counted.input, counted.output), (Some(6), None));
    assert_eq!(counted.vocabulary.name(), "cl100k_base");
}

#[test]
fn no_text_takes_long() {
    let began = std::time::Instant::now();
    for text in [
        "a".repeat(3_000_000),
        " ".repeat(3_000_000) + "x",
        "\u{1F600}".repeat(500_000),
        "<|endoftext|>".repeat(200_000),
        "ab\n".repeat(900_000),
    ] {
        let bytes = text.len() as u64;
        let facts = call("gpt-4o", Vec::new(), vec![message("assistant", &text)]);
        let counted = estimate(&facts).and_then(|counted| counted.output);
        let counted = counted.expect("it is counted");
        assert!(
            counted > bytes / 200 && counted <= bytes,
            "{counted} of {bytes}"
        );
    }
    // Some tenths of a second; an hour where it would be quadratic.
    assert!(began.elapsed().as_secs() < 60);
}

#[test]
fn a_long_text_is_as_dense_as_its_beginning() {
    let line = "The quick brown fox jumps over the lazy dog. ";
    let count = |times: usize| {
        let sent = vec![message("assistant", &line.repeat(times))];
        let facts = call("gpt-4o", Vec::new(), sent);
        estimate(&facts)
            .and_then(|counted| counted.output)
            .expect("counted")
    };
    let (short, long) = (count(1_000), count(100_000));
    assert!((short * 99..=short * 101).contains(&long), "{short} {long}");
}

#[test]
fn of_a_size_only_the_beginning_is_counted() {
    let facts = call("gpt-4o", Vec::new(), Vec::new());
    let words = "sixteen letters ".repeat(4 * 1024);
    let counted = |times: usize| {
        let messages = vec![message("user", &words.repeat(times))];
        size(&facts, None, &messages)
    };
    let (once, many) = (counted(1), counted(16));
    assert_eq!(many.characters, 16 * once.characters);
    let (once, many) = (once.tokens.expect("known"), many.tokens.expect("known"));
    assert!(many.abs_diff(16 * once) <= 16 * 40, "{many} of 16 x {once}");
    // What comes later is not read: it is taken to be like the beginning.
    let other = vec![message(
        "user",
        &format!("{}{}", words.repeat(2), "0 ".repeat(8 * words.len())),
    )];
    let same = vec![message("user", &words.repeat(18))];
    assert_eq!(
        size(&facts, None, &other).tokens,
        size(&facts, None, &same).tokens
    );
}
