//! vLLM's own spans: what the server of a model did for one request, and how long each part of it took.

use super::read::{KeyMap, Reader, Table, Unit};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{CacheCounting, Facts, Operation};

/// vLLM's attributes.
#[derive(Debug)]
pub(super) struct Vllm;

const ID: &str = "vllm";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "vllm 0.33",
    source: "https://github.com/vllm-project/vllm/blob/main/vllm/tracing/utils.py",
    scopes: &["vllm"],
    marks: &["gen_ai.latency."],
    known: &[
        "gen_ai.latency.",
        "gen_ai.usage.num_sequences",
        "gen_ai.request.best_of",
    ],
    table: Table {
        request_id: &["gen_ai.request.id"],
        input_tokens: &["gen_ai.usage.prompt_tokens"],
        output_tokens: &["gen_ai.usage.completion_tokens"],
        cache_read: &["gen_ai.usage.cached_tokens"],
        ttft: &[("gen_ai.latency.time_to_first_token", Unit::Seconds)],
        queue: &[("gen_ai.latency.time_in_queue", Unit::Seconds)],
        prefill: &[("gen_ai.latency.time_in_model_prefill", Unit::Seconds)],
        decode: &[("gen_ai.latency.time_in_model_decode", Unit::Seconds)],
        inference: &[
            ("gen_ai.latency.time_in_model_inference", Unit::Seconds),
            ("gen_ai.latency.time_in_model_execute", Unit::Seconds),
            ("gen_ai.latency.time_in_model_forward", Unit::Seconds),
        ],
        total_time: &[("gen_ai.latency.e2e", Unit::Seconds)],
        ..Table::EMPTY
    },
    cache: &[CacheRow::all(
        CacheCounting::Inclusive,
        "vLLM: the prompt's tokens include those of cached prefixes.",
    )],
};

impl Convention for Vllm {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "vLLM"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        if map.has("gen_ai.latency.e2e") {
            facts.operation = Some(reader.stated(Operation::Llm, "gen_ai.latency.e2e"));
            facts.provider = Some(reader.stated("vllm".to_owned(), "scope"));
        }
        facts
    }
}
