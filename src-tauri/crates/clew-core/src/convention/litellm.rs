//! LiteLLM's OpenTelemetry callback: `gen_ai.*` with costs, `metadata.*`, and a child span with the raw request.

use super::read::{self, KeyMap, Reader, Table};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{CacheCounting, Facts, Operation, as_str};

/// LiteLLM's attributes.
#[derive(Debug)]
pub(super) struct LiteLlm;

const ID: &str = "litellm";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "litellm 1.106",
    source: "https://github.com/BerriAI/litellm/blob/main/litellm/integrations/opentelemetry.py",
    scopes: &["litellm"],
    marks: &["litellm.", "hidden_params", "gen_ai.cost."],
    known: &[
        "litellm.",
        "hidden_params",
        "gen_ai.cost.",
        "metadata.",
        "llm.openai.",
        "llm.anthropic.",
        "llm.None.",
        "llm.azure.",
        "llm.bedrock.",
        "llm.vertex_ai.",
        "llm.gemini.",
        "error.code",
        "error.llm_provider",
        "error.stack_trace",
        "gen_ai.completion.",
    ],
    table: Table {
        request_id: &["litellm.call_id"],
        response_id: &["llm.openai.id", "llm.anthropic.id"],
        usage_json: &["metadata.usage_object"],
        cost_usd: &["gen_ai.cost.total_cost"],
        streaming: &["llm.is_streaming"],
        ..Table::EMPTY
    },
    cache: &[CacheRow::all(
        CacheCounting::Inclusive,
        "LiteLLM: prompt_tokens includes cached tokens, whichever provider counted them.",
    )],
};

impl Convention for LiteLlm {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "LiteLLM"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        if map.view().span.name == "raw_gen_ai_request" {
            facts.operation = Some(reader.stated(Operation::Other, "span name"));
        }
        facts.server = reader.json(&["hidden_params"]).and_then(|hidden| {
            let server = read::text(&hidden.value, &["api_base"])?;
            Some(reader.stated(server, &hidden.key))
        });
        let user = reader.first(
            &["metadata.user_api_key_end_user_id", "llm.user"],
            |value| {
                as_str(value)
                    .filter(|user| *user != "None")
                    .map(ToOwned::to_owned)
            },
        );
        facts.user = user;
        facts
    }
}
