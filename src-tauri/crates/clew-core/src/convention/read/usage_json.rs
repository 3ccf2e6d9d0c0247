//! Usage as JSON, in the form of a provider's answer or of a library: which form it is decides what its names mean.

use serde_json::Value as Json;

use crate::model::{CacheCounting, Usage};

/// Usage that was read, and what its form says of cached tokens.
pub(super) struct Form {
    /// The counts as stated: `input` not yet corrected.
    pub(super) usage: Usage,
    /// The stated total.
    pub(super) total: Option<u64>,
    /// How the form counts cached tokens, and what says so.
    pub(super) rule: Option<(CacheCounting, &'static str)>,
}

/// Paths into a usage object, `.` between its levels.
type Paths = &'static [&'static str];

/// One form: the field by which it is told, what its cached tokens are, and where its counts stand.
struct Shape {
    /// Any of these is there.
    told_by: Paths,
    counting: CacheCounting,
    source: &'static str,
    input: Paths,
    output: Paths,
    total: Paths,
    cache_read: Paths,
    cache_write: Paths,
    cache_write_5m: Paths,
    cache_write_1h: Paths,
    reasoning: Paths,
    /// Whether reasoning stands beside the output and must be added to it.
    reasoning_apart: bool,
    audio_input: Paths,
    image_input: Paths,
    audio_output: Paths,
    image_output: Paths,
}

const NOTHING: Shape = Shape {
    told_by: &[],
    counting: CacheCounting::Inclusive,
    source: "",
    input: &[],
    output: &[],
    total: &[],
    cache_read: &[],
    cache_write: &[],
    cache_write_5m: &[],
    cache_write_1h: &[],
    reasoning: &[],
    reasoning_apart: false,
    audio_input: &[],
    image_input: &[],
    audio_output: &[],
    image_output: &[],
};

/// All forms, the more telling first.
const SHAPES: &[Shape] = &[
    // Chat completions; LiteLLM puts Anthropic's counts beside them, folded into `prompt_tokens`.
    Shape {
        told_by: &["prompt_tokens"],
        source: "OpenAI's chat completions: cached_tokens is a part of prompt_tokens.",
        input: &["prompt_tokens"],
        output: &["completion_tokens"],
        total: &["total_tokens"],
        cache_read: &[
            "prompt_tokens_details.cached_tokens",
            "cache_read_input_tokens",
            "prompt_cache_hit_tokens",
        ],
        cache_write: &[
            "cache_creation_input_tokens",
            "prompt_tokens_details.cache_write_tokens",
            "prompt_tokens_details.cache_creation_tokens",
        ],
        reasoning: &["completion_tokens_details.reasoning_tokens"],
        audio_input: &["prompt_tokens_details.audio_tokens"],
        image_input: &["prompt_tokens_details.image_tokens"],
        audio_output: &["completion_tokens_details.audio_tokens"],
        image_output: &["completion_tokens_details.image_tokens"],
        ..NOTHING
    },
    Shape {
        told_by: &["input_tokens_details", "output_tokens_details"],
        source: "OpenAI's Responses: cached_tokens is a part of input_tokens.",
        input: &["input_tokens"],
        output: &["output_tokens"],
        total: &["total_tokens"],
        cache_read: &["input_tokens_details.cached_tokens"],
        cache_write: &["input_tokens_details.cache_write_tokens"],
        reasoning: &["output_tokens_details.reasoning_tokens"],
        audio_input: &["input_tokens_details.audio_tokens"],
        image_input: &["input_tokens_details.image_tokens"],
        audio_output: &["output_tokens_details.audio_tokens"],
        image_output: &["output_tokens_details.image_tokens"],
        ..NOTHING
    },
    Shape {
        told_by: &["input_token_details", "output_token_details"],
        source: "LangChain's usage_metadata: input_token_details are parts of input_tokens.",
        input: &["input_tokens"],
        output: &["output_tokens"],
        total: &["total_tokens"],
        cache_read: &["input_token_details.cache_read"],
        cache_write: &["input_token_details.cache_creation"],
        cache_write_5m: &["input_token_details.ephemeral_5m_input_tokens"],
        cache_write_1h: &["input_token_details.ephemeral_1h_input_tokens"],
        reasoning: &["output_token_details.reasoning"],
        audio_input: &["input_token_details.audio"],
        image_input: &["input_token_details.image"],
        audio_output: &["output_token_details.audio"],
        image_output: &["output_token_details.image"],
        ..NOTHING
    },
    Shape {
        told_by: &["inputTokenDetails", "outputTokenDetails"],
        source: "AI SDK 6 and newer: cacheReadTokens and cacheWriteTokens are parts of inputTokens.",
        input: &["inputTokens"],
        output: &["outputTokens"],
        total: &["totalTokens"],
        cache_read: &["inputTokenDetails.cacheReadTokens"],
        cache_write: &["inputTokenDetails.cacheWriteTokens"],
        reasoning: &["outputTokenDetails.reasoningTokens"],
        ..NOTHING
    },
    Shape {
        told_by: &["cacheReadInputTokens", "cacheWriteInputTokens"],
        counting: CacheCounting::Exclusive,
        source: "Bedrock's Converse: inputTokens leaves cached tokens out.",
        input: &["inputTokens"],
        output: &["outputTokens"],
        cache_read: &["cacheReadInputTokens"],
        cache_write: &["cacheWriteInputTokens"],
        ..NOTHING
    },
    Shape {
        told_by: &["promptTokenCount", "prompt_token_count"],
        source: "Gemini: cachedContentTokenCount is a part of promptTokenCount; thoughts stand beside the candidates.",
        input: &["promptTokenCount", "prompt_token_count"],
        output: &["candidatesTokenCount", "candidates_token_count"],
        total: &["totalTokenCount", "total_token_count"],
        cache_read: &["cachedContentTokenCount", "cached_content_token_count"],
        reasoning: &["thoughtsTokenCount", "thoughts_token_count"],
        reasoning_apart: true,
        ..NOTHING
    },
    // Langfuse's own names: each is a bucket of its own.
    Shape {
        told_by: &["input", "output"],
        counting: CacheCounting::Exclusive,
        source: "Langfuse's usage_details: each name is a bucket of its own.",
        input: &["input"],
        output: &["output"],
        total: &["total"],
        cache_read: &[
            "input_cached_tokens",
            "cache_read_input_tokens",
            "input_cache_read",
        ],
        cache_write: &["cache_creation_input_tokens", "input_cache_creation"],
        cache_write_5m: &["input_cache_creation_5m"],
        cache_write_1h: &["input_cache_creation_1h"],
        reasoning: &["output_reasoning_tokens", "output_reasoning"],
        reasoning_apart: true,
        audio_input: &["input_audio_tokens"],
        image_input: &["input_image_tokens"],
        audio_output: &["output_audio_tokens"],
        image_output: &["output_image_tokens"],
    },
    Shape {
        told_by: &["cache_creation_input_tokens", "cache_read_input_tokens"],
        counting: CacheCounting::Exclusive,
        source: "Anthropic's messages: input_tokens leaves cached tokens out.",
        input: &["input_tokens"],
        output: &["output_tokens"],
        total: &["total_tokens"],
        cache_read: &["cache_read_input_tokens"],
        cache_write: &["cache_creation_input_tokens"],
        cache_write_5m: &["cache_creation.ephemeral_5m_input_tokens"],
        cache_write_1h: &["cache_creation.ephemeral_1h_input_tokens"],
        ..NOTHING
    },
    Shape {
        told_by: &["input_tokens", "output_tokens"],
        input: &["input_tokens"],
        output: &["output_tokens"],
        total: &["total_tokens"],
        ..NOTHING
    },
    // AI SDK 4 and 5, and whoever writes camel case: nothing is known of their cached tokens.
    Shape {
        told_by: &[
            "inputTokens",
            "promptTokens",
            "outputTokens",
            "completionTokens",
        ],
        input: &["inputTokens", "promptTokens"],
        output: &["outputTokens", "completionTokens"],
        total: &["totalTokens"],
        cache_read: &["cachedInputTokens"],
        reasoning: &["reasoningTokens"],
        ..NOTHING
    },
];

/// The usage in a JSON object; `None` where it has none of the known forms. Langfuse flattens OpenAI's details to
/// `prompt_tokens_details.cached_tokens`, so paths are looked up whole too.
pub(super) fn form(json: &Json) -> Option<Form> {
    let count = |paths: Paths| {
        paths.iter().find_map(|path| {
            let value = json.get(path).or_else(|| {
                path.split('.')
                    .try_fold(json, |value, name| value.get(name))
            })?;
            number(value)
        })
    };
    let there = |path: &&str| json.get(path).is_some_and(|value| !value.is_null());
    let shape = SHAPES
        .iter()
        .find(|shape| shape.told_by.iter().any(there))?;
    let (short, long) = (count(shape.cache_write_5m), count(shape.cache_write_1h));
    let split = [short, long]
        .into_iter()
        .flatten()
        .reduce(u64::saturating_add);
    let mut usage = Usage {
        input: count(shape.input),
        output: count(shape.output),
        cache_read: count(shape.cache_read),
        cache_write: count(shape.cache_write).or(split),
        cache_write_1h: long,
        audio_input: count(shape.audio_input),
        image_input: count(shape.image_input),
        reasoning: count(shape.reasoning),
        audio_output: count(shape.audio_output),
        image_output: count(shape.image_output),
    };
    let total = count(shape.total);
    let stated = usage.input.or(usage.output).or(usage.cache_read);
    stated?;
    if shape.reasoning_apart {
        apart(&mut usage, shape, total);
    }
    let rule = (!shape.source.is_empty()).then_some((shape.counting, shape.source));
    Some(Form { usage, total, rule })
}

/// Makes wholes of buckets that stand beside one another.
fn apart(usage: &mut Usage, shape: &Shape, total: Option<u64>) {
    let sum = |parts: &[Option<u64>]| {
        parts
            .iter()
            .flatten()
            .fold(0_u64, |sum, part| sum.saturating_add(*part))
    };
    let beside = sum(&[usage.reasoning, usage.audio_output, usage.image_output]);
    if let Some(output) = usage.output {
        usage.output = Some(output.saturating_add(beside));
    }
    if shape.counting == CacheCounting::Exclusive {
        let others = sum(&[usage.audio_input, usage.image_input]);
        usage.input = usage.input.map(|input| input.saturating_add(others));
    } else if let (Some(input), Some(output), Some(total)) = (usage.input, usage.output, total)
        && usage.reasoning.is_some()
        && input.saturating_add(output).saturating_sub(beside) == total
    {
        // The total tells that they were counted among the candidates.
        usage.output = Some(output - beside);
    }
}

fn number(value: &Json) -> Option<u64> {
    match value {
        Json::String(text) => text.trim().parse().ok(),
        Json::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64()?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range is checked"
            )]
            ((0.0..=9_007_199_254_740_992.0).contains(&float) && float.fract() == 0.0)
                .then_some(float as u64)
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_form_is_told_and_read() {
        use CacheCounting::{Exclusive, Inclusive};
        let read = |json: Json| {
            let form = form(&json).expect("a known form");
            let usage = form.usage;
            (
                usage.input,
                usage.output,
                usage.cache_read,
                usage.cache_write,
                usage.reasoning,
                form.rule.map(|(counting, _)| counting),
            )
        };
        assert_eq!(
            read(
                json!({"prompt_tokens": 145, "completion_tokens": 20, "total_tokens": 165,
                "prompt_tokens_details": {"cached_tokens": 72}, "completion_tokens_details": {"reasoning_tokens": 8}})
            ),
            (
                Some(145),
                Some(20),
                Some(72),
                None,
                Some(8),
                Some(Inclusive)
            )
        );
        assert_eq!(
            read(json!({"input_tokens": 145, "output_tokens": 20,
                "input_tokens_details": {"cached_tokens": 72}, "output_tokens_details": {"reasoning_tokens": 8}})),
            (
                Some(145),
                Some(20),
                Some(72),
                None,
                Some(8),
                Some(Inclusive)
            )
        );
        assert_eq!(
            read(
                json!({"input_tokens": 6, "output_tokens": 8, "cache_read_input_tokens": 50, "cache_creation_input_tokens": 5})
            ),
            (Some(6), Some(8), Some(50), Some(5), None, Some(Exclusive))
        );
        assert_eq!(
            read(json!({"inputTokens": 6, "outputTokens": 8, "cacheReadInputTokens": 50})),
            (Some(6), Some(8), Some(50), None, None, Some(Exclusive))
        );
        assert_eq!(
            read(
                json!({"promptTokenCount": 60, "candidatesTokenCount": 8, "thoughtsTokenCount": 4, "totalTokenCount": 72, "cachedContentTokenCount": 10})
            ),
            (Some(60), Some(12), Some(10), None, Some(4), Some(Inclusive))
        );
        assert_eq!(
            read(
                json!({"input": 6, "output": 8, "total": 68, "input_cached_tokens": 50, "output_reasoning_tokens": 4})
            ),
            (Some(6), Some(12), Some(50), None, Some(4), Some(Exclusive))
        );
        assert_eq!(
            read(
                json!({"input_tokens": 60, "output_tokens": 8, "input_token_details": {"cache_read": 10, "cache_creation": 2}, "output_token_details": {"reasoning": 3}})
            ),
            (
                Some(60),
                Some(8),
                Some(10),
                Some(2),
                Some(3),
                Some(Inclusive)
            )
        );
        assert_eq!(
            read(json!({"inputTokens": "60", "outputTokens": 8.0, "cachedInputTokens": 10})),
            (Some(60), Some(8), Some(10), None, None, None)
        );
        assert!(form(&json!({"tokens": 3})).is_none());
        assert!(form(&json!({"input": "the question", "output": "the answer"})).is_none());
    }

    #[test]
    fn anthropic_says_how_long_its_cache_keeps() {
        let json = json!({"input_tokens": 6, "output_tokens": 8, "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}});
        let usage = form(&json).expect("a known form").usage;
        assert_eq!(
            (usage.cache_write, usage.cache_write_1h),
            (Some(7), Some(4))
        );
    }
}
