//! Every fact of a span as a row that says who stated it.

use super::FactRow;
use super::build::counted;
use crate::model::{
    Bill, CacheCounting, CacheRule, Document, ErrorClass, ErrorFact, Facts, Message, Operation,
    PromptFact, Stage, Timing, ToolDefinition, ToolFact, Usage,
};

/// Every fact as a row; long ones by their size.
pub(super) fn fact_rows(facts: &Facts) -> Vec<FactRow> {
    let mut rows = Vec::new();
    macro_rules! row {
        ($name:literal, $fact:ident, $text:expr) => {
            if let Some(stated) = &facts.$fact {
                let text: fn(&_) -> String = $text;
                rows.push(FactRow {
                    name: $name.to_owned(),
                    value: text(&stated.value),
                    convention: stated.convention.clone(),
                    key: stated.key.clone(),
                });
            }
        };
    }
    let stated = |text: &String| text.chars().take(500).collect::<String>();
    row!("operation", operation, |operation: &Operation| operation
        .name()
        .to_owned());
    row!("display name", display_name, String::clone);
    row!("provider", provider, String::clone);
    row!("request model", request_model, String::clone);
    row!("response model", response_model, String::clone);
    row!("response id", response_id, String::clone);
    row!("usage", usage, usage_text);
    row!("cached tokens", cache_rule, |rule: &CacheRule| {
        let counting = match rule.counting {
            CacheCounting::Inclusive => "part of the stated input",
            CacheCounting::Exclusive => "beside the stated input, and added to it",
        };
        format!("{counting}. {}", rule.source)
    });
    row!("not in its usage", left_out, String::clone);
    row!("request id", request_id, String::clone);
    row!("same call", same_call, String::clone);
    row!("service tier", service_tier, String::clone);
    row!("batch", batch, |batch: &bool| batch.to_string());
    row!("server", server, String::clone);
    row!("cost", cost_usd, |cost: &f64| format!("${cost}"));
    row!("requests told of", bills, |bills: &Vec<Bill>| counted(
        bills.len(),
        "request"
    ));
    row!("stage", stage, |stage: &Stage| stage.name().to_owned());
    row!("finish reasons", finish_reasons, |reasons: &Vec<String>| {
        reasons.join(", ")
    });
    row!("time to first token", ttft_nanos, |nanos: &u64| format!(
        "{nanos} ns"
    ));
    row!("timing", timing, timing_text);
    row!("streaming", streaming, |streaming: &bool| streaming
        .to_string());
    row!("parameters", parameters, |parameters: &Vec<(
        String,
        String
    )>| {
        let texts = parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        texts.collect::<Vec<_>>().join(", ")
    });
    row!("input", input, |messages: &Vec<Message>| counted(
        messages.len(),
        "message"
    ));
    row!("output", output, |messages: &Vec<Message>| counted(
        messages.len(),
        "message"
    ));
    row!("input value", input_value, |text: &String| counted(
        text.len(),
        "byte"
    ));
    row!("output value", output_value, |text: &String| counted(
        text.len(),
        "byte"
    ));
    row!("tools", tools, |tools: &Vec<ToolDefinition>| {
        tools
            .iter()
            .map(|tool| tool.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    });
    row!("tool", tool, |tool: &ToolFact| tool
        .name
        .clone()
        .unwrap_or_default());
    row!("documents", documents, |documents: &Vec<Document>| counted(
        documents.len(),
        "document"
    ));
    row!("document count", document_count, |count: &u64| count
        .to_string());
    row!("query", query, String::clone);
    row!("prompt", prompt, |prompt: &PromptFact| {
        let parts = [prompt.name.as_deref(), prompt.version.as_deref()];
        let texts: Vec<&str> = parts.into_iter().flatten().collect();
        if texts.is_empty() {
            "template".to_owned()
        } else {
            texts.join(" ")
        }
    });
    row!("agent", agent, String::clone);
    row!("session", session, String::clone);
    row!("user", user, String::clone);
    row!("feature", feature, String::clone);
    row!("tags", tags, |tags: &Vec<String>| tags.join(", "));
    row!("error", error, |error: &ErrorFact| {
        let parts = [error.kind.as_deref(), error.message.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
    });
    row!("error class", error_class, |class: &ErrorClass| class
        .name()
        .to_owned());
    row!("cannot be", impossible, |keys: &Vec<String>| keys
        .join(", "));
    row!("cut off", truncated, |keys: &Vec<String>| keys.join(", "));
    for row in &mut rows {
        row.value = stated(&row.value);
    }
    rows
}

fn timing_text(timing: &Timing) -> String {
    let durations = [
        ("queue", &timing.queue_nanos),
        ("network", &timing.network_nanos),
        ("prompt", &timing.prefill_nanos),
        ("answer", &timing.decode_nanos),
        ("inference", &timing.inference_nanos),
        ("post-processing", &timing.post_processing_nanos),
        ("total", &timing.total_nanos),
        ("piece", &timing.chunk_nanos),
    ];
    let mut texts: Vec<String> = durations
        .iter()
        .filter_map(|(name, nanos)| Some(format!("{name} {} ns", nanos.as_ref()?.value)))
        .collect();
    let speed = timing.tokens_per_second.as_ref();
    texts.extend(speed.map(|speed| format!("{:.1} tokens/s", speed.value)));
    texts.join(", ")
}

fn usage_text(usage: &Usage) -> String {
    let figures = [
        ("input", usage.input),
        ("output", usage.output),
        ("cache read", usage.cache_read),
        ("cache write", usage.cache_write),
        ("cache write 1 h", usage.cache_write_1h),
        ("audio input", usage.audio_input),
        ("image input", usage.image_input),
        ("audio output", usage.audio_output),
        ("image output", usage.image_output),
        ("reasoning", usage.reasoning),
    ];
    let texts = figures
        .iter()
        .filter_map(|(name, tokens)| Some(format!("{name} {}", (*tokens)?)));
    texts.collect::<Vec<_>>().join(", ")
}
