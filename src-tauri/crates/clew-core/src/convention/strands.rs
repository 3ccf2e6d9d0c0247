//! Strands Agents: `gen_ai.*` of two generations at once, Bedrock's blocks in events, cycles of its event loop.

use super::read::{Table, Unit};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::CacheCounting;

/// Strands' attributes.
#[derive(Debug)]
pub(super) struct Strands;

static VOCABULARY: Vocabulary = Vocabulary {
    version: "strands-agents 1.62",
    source: "https://github.com/strands-agents/sdk-python/blob/main/src/strands/telemetry/tracer.py",
    scopes: &["strands.telemetry.tracer"],
    marks: &["event_loop.", "gen_ai.event.start_time"],
    known: &[
        "event_loop.",
        "gen_ai.event.start_time",
        "gen_ai.event.end_time",
        "gen_ai.tool.status",
        "gen_ai.tool.json_schema",
        "gen_ai.agent.tools",
    ],
    table: Table {
        input_tokens: &["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"],
        output_tokens: &[
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
        ],
        total_tokens: &["gen_ai.usage.total_tokens"],
        cache_read: &[
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
        ],
        cache_write: &[
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_write_input_tokens",
        ],
        ttft: &[("gen_ai.server.time_to_first_token", Unit::SecondsOrMillis)],
        total_time: &[("gen_ai.server.request.duration", Unit::SecondsOrMillis)],
        tags: &["tags"],
        ..Table::EMPTY
    },
    cache: &[
        CacheRow {
            providers: &["anthropic", "aws.bedrock"],
            with: "",
            without: "",
            counting: CacheCounting::Exclusive,
            source: "Strands with Anthropic or Bedrock: the provider's own counts, which leave cached tokens out.",
        },
        CacheRow::all(
            CacheCounting::Inclusive,
            "Strands: the provider's own counts; this provider's include cached tokens.",
        ),
    ],
};

impl Convention for Strands {
    fn id(&self) -> &'static str {
        "strands"
    }

    fn title(&self) -> &'static str {
        "Strands Agents"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }
}
