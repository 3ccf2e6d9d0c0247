//! Logfire's own attributes: filled-in names, levels, raw requests, and the log that ends a streamed call.

use super::read::{self, KeyMap, Reader, Table, Unit};
use super::{Convention, Vocabulary};
use crate::model::{ErrorFact, Facts, Stated, as_u64, content_hash, display};

/// Logfire's attributes.
#[derive(Debug)]
pub(super) struct Logfire;

const ID: &str = "logfire";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "logfire 5.2 (Python)",
    source: "https://logfire.pydantic.dev/docs/integrations/llms/openai/",
    scopes: &["logfire"],
    marks: &["logfire.", "request_data", "response_data"],
    known: &[
        "logfire.",
        "request_data",
        "response_data",
        "code.filepath",
        "code.function",
        "code.lineno",
        "async",
        "gen_ai.usage.raw",
    ],
    table: Table {
        usage_json: &["gen_ai.usage.raw"],
        cost_usd: &["operation.cost"],
        total_time: &[("duration", Unit::Seconds)],
        tags: &["logfire.tags"],
        ..Table::EMPTY
    },
    ..Vocabulary::EMPTY
};

impl Convention for Logfire {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "Logfire"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        let view = map.view();
        if view.span.name.contains('{') {
            // The span's name is a template; this is what it says filled in.
            facts.display_name = reader.text(&["logfire.msg"]);
        }
        facts.same_call = same_call(&reader);
        if map.content() {
            facts.input_value = None;
            if !map.has("gen_ai.input.messages") {
                facts.input = reader.messages(&["request_data"], "user");
            }
            if !map.has("gen_ai.output.messages") {
                facts.output = reader.json(&["response_data"]).and_then(|response| {
                    let said =
                        read::field(&response.value, &["message", "combined_chunk_content"])?;
                    let read = match read::from_json(said, "assistant") {
                        Some(read) => read,
                        None => vec![read::text_message("assistant", said.as_str()?.to_owned())],
                    };
                    Some(reader.stated(read, &response.key))
                });
            }
        }
        let severe = map
            .get("logfire.level_num")
            .and_then(as_u64)
            .is_some_and(|level| level >= 17);
        if severe {
            let stated = read::error(map, ID, &["error.type"]);
            let bare = || reader.stated(ErrorFact::default(), "logfire.level_num");
            facts.error = stated.or_else(|| Some(bare()));
        }
        facts
    }
}

/// A streamed call is told of twice: its span closes when the stream begins, and a span of no length beside it carries
/// usage and answer. Both hold the same request.
fn same_call(reader: &Reader) -> Option<Stated<String>> {
    let map = reader.map;
    let view = map.view();
    if !view.scope.name.starts_with("logfire.") {
        return None;
    }
    let request = display(map.get("request_data")?);
    let sent = map.get("gen_ai.input.messages").map(display);
    let log = map.get("logfire.span_type").map(display).as_deref() == Some("log");
    let answered = map.has("gen_ai.usage.input_tokens") || map.has("gen_ai.output.messages");
    let failed = view
        .span
        .events
        .iter()
        .any(|event| event.name == "exception");
    (log || !(answered || failed)).then(|| {
        let sent = sent.unwrap_or_default();
        let call = content_hash(&[request.as_bytes(), sent.as_bytes()]);
        reader.stated(format!("{call:016x}"), "request_data")
    })
}
