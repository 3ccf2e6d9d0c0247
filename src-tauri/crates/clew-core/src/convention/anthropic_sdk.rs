//! Anthropic's SDKs, which trace their own requests: `gen_ai.*` with `anthropic.*` and the HTTP exchange.

use super::read::Table;
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::CacheCounting;

/// The SDK's attributes.
#[derive(Debug)]
pub(super) struct AnthropicSdk;

static VOCABULARY: Vocabulary = Vocabulary {
    version: "anthropic 2.11 (Python)",
    source: "https://platform.claude.com/docs/en/api/opentelemetry/spans",
    scopes: &["com.anthropic.sdk."],
    marks: &["anthropic."],
    known: &["anthropic."],
    table: Table {
        request_id: &["anthropic.request.id"],
        input_tokens: &["gen_ai.usage.input_tokens"],
        output_tokens: &["gen_ai.usage.output_tokens"],
        cache_read: &["gen_ai.usage.cache_read.input_tokens"],
        cache_write: &["gen_ai.usage.cache_write.input_tokens"],
        cache_write_5m: &["anthropic.usage.cache_creation.ephemeral_5m_input_tokens"],
        cache_write_1h: &["anthropic.usage.cache_creation.ephemeral_1h_input_tokens"],
        service_tier: &["anthropic.response.service_tier"],
        finish_reasons: &["anthropic.message.stop_reason"],
        parameters: &[
            ("thinking", &["anthropic.thinking.type"]),
            ("thinking_budget", &["anthropic.thinking.budget_tokens"]),
            ("max_tokens", &["gen_ai.request.max_tokens"]),
        ],
        ..Table::EMPTY
    },
    cache: &[CacheRow::all(
        CacheCounting::Inclusive,
        "Anthropic's SDK spans follow OTel GenAI: input_tokens includes cached tokens.",
    )],
};

impl Convention for AnthropicSdk {
    fn id(&self) -> &'static str {
        "anthropic_sdk"
    }

    fn title(&self) -> &'static str {
        "Anthropic SDK"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }
}
