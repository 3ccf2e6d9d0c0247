//! What any span may say, and guesses of last resort: sessions, users, errors, and what the names give away.

use super::read::{self, KeyMap, Keys, Layer, Reader, Table, log_name};
use super::{Convention, Vocabulary};
use crate::model::{Facts, Operation, SpanView, Stated, as_str};

/// OpenTelemetry's general attributes, and heuristics where no vocabulary spoke.
#[derive(Debug)]
pub(super) struct General;

const ID: &str = "general";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "semantic conventions 1.41",
    source: "https://opentelemetry.io/docs/specs/semconv/",
    known: &[
        "app.",
        "aws.",
        "az.",
        "browser.",
        "client.",
        "cloud.",
        "code.",
        "container.",
        "db.",
        "deployment.",
        "destination.",
        "device.",
        "dns.",
        "enduser.",
        "error.",
        "event.",
        "exception.",
        "faas.",
        "feature_flag.",
        "file.",
        "graphql.",
        "heroku.",
        "host.",
        "http.",
        "k8s.",
        "log.",
        "mcp.",
        "messaging.",
        "net.",
        "network.",
        "os.",
        "otel.",
        "peer.",
        "process.",
        "rpc.",
        "server.",
        "service.",
        "session.",
        "source.",
        "telemetry.",
        "thread.",
        "tls.",
        "url.",
        "user.",
        "user_agent.",
        "webengine.",
        "jsonrpc.",
    ],
    table: Table {
        request_model: &["model_name", "model"],
        session: &["session.id"],
        user: &["user.id", "enduser.id"],
        tags: &["tag.tags", "tags"],
        server: &["server.address", "url.full"],
        request_id: &[
            "http.response.header.x-request-id",
            "http.response.header.x_request_id",
            "http.response.header.request-id",
            "http.request.header.x-request-id",
            "http.request.header.x_request_id",
            "x-request-id",
            "request_id",
            "request.id",
            "llm.request_id",
            "gen_ai.request_id",
            "aws.request_id",
        ],
        feature: &["feature", "app.feature", "feature.name"],
        ..Table::EMPTY
    },
    ..Vocabulary::EMPTY
};

/// Vector databases, whose searches retrieve.
const VECTOR_DATABASES: &[&str] = &[
    "chroma",
    "chromadb",
    "pinecone",
    "qdrant",
    "milvus",
    "weaviate",
    "marqo",
    "lancedb",
    "pg_vector",
    "pgvector",
];

/// Keys that give an operation away, in order: exact names, then beginnings of names.
const SIGNS: &[(Operation, Keys, Keys)] = &[
    (
        Operation::Tool,
        &[
            "gen_ai.tool.name",
            "gen_ai.tool.call.id",
            "tool.name",
            "ai.toolCall.name",
        ],
        &[],
    ),
    (
        Operation::Guardrail,
        &["gen_ai.guardrail.name"],
        &["guard."],
    ),
    (
        Operation::Retriever,
        &["retriever.name", "retrieval.doc_count"],
        &[
            "retrieval.documents.",
            "gen_ai.retrieval.",
            "db.vector.query.",
        ],
    ),
    (
        Operation::Embedding,
        &[],
        &["embedding.", "gen_ai.embeddings.", "ai.embedding"],
    ),
    (Operation::Reranker, &[], &["reranker."]),
    (
        Operation::Chain,
        &["gen_ai.workflow.name", "chain.name"],
        &[],
    ),
];

/// Keys that only a model call has.
const MODEL_SIGNS: Keys = &[
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.request.model",
    "llm.model",
    "llm.model_name",
    "llm.token_count.prompt",
    "llm.token_count.completion",
    "llm.prompt_tokens",
    "llm.prompt.tokens",
    "ai.model.id",
    "model",
];

/// What OpenLLMetry's decorators and frameworks call a step; its model calls say `gen_ai.*` besides.
const STEPS: &[(&str, Operation)] = &[
    ("workflow", Operation::Chain),
    ("task", Operation::Chain),
    ("agent", Operation::Agent),
    ("tool", Operation::Tool),
];

/// First words of span names: "chat gpt-4o".
const NAMES: &[(&str, Operation)] = &[
    ("chat", Operation::Llm),
    ("generate_content", Operation::Llm),
    ("text_completion", Operation::Llm),
    ("embeddings", Operation::Embedding),
    ("execute_tool", Operation::Tool),
    ("invoke_agent", Operation::Agent),
    ("create_agent", Operation::Agent),
    ("retrieval", Operation::Retriever),
    ("invoke_workflow", Operation::Chain),
];

impl Convention for General {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "OpenTelemetry"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn speaks(&self, _: &KeyMap) -> bool {
        true
    }

    fn common(&self) -> bool {
        true
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let view = map.view();
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        facts.operation = operation(view, &reader);
        if facts.operation.is_none() {
            // A bare `model` means a language model only on a span that looks like a call of one.
            facts.request_model = None;
        }
        facts.error = read::error(map, ID, &["error.type"]);
        if facts.request_id.is_none() {
            facts.request_id = logged_request(map);
        }
        facts
    }
}

/// The id of the request as the span's log records state it.
fn logged_request(map: &KeyMap) -> Option<Stated<String>> {
    let mut reader = Reader::apart(ID, map);
    for log in map.view().logs {
        let name = match log_name(log) {
            "" => "log",
            name => name,
        };
        reader.push(Layer::new(name, &log.attributes));
    }
    reader.first(VOCABULARY.table.request_id, read::id)
}

/// The operation that keys, events or the span's name give away (semconv.md §1, heuristics).
fn operation(view: &SpanView, reader: &Reader) -> Option<Stated<Operation>> {
    let attributes = &view.span.attributes;
    let sign = |exact: Keys, prefixes: Keys| {
        let named = exact
            .iter()
            .find(|key| reader.has(key))
            .map(|key| (*key).to_owned());
        named.or_else(|| {
            let starts = |key: &str| prefixes.iter().any(|prefix| key.starts_with(prefix));
            let attribute = attributes.iter().find(|attribute| starts(&attribute.key));
            attribute.map(|attribute| attribute.key.clone())
        })
    };
    for (operation, exact, prefixes) in SIGNS {
        if let Some(key) = sign(exact, prefixes) {
            return Some(Stated::new(*operation, ID, &key));
        }
    }
    if view
        .span
        .events
        .iter()
        .any(|event| event.name == "db.query.result")
    {
        return Some(Stated::new(Operation::Retriever, ID, "db.query.result"));
    }
    if let Some(found) = vector_search(view) {
        return Some(Stated::new(found, ID, "db.system"));
    }
    let model = MODEL_SIGNS.iter().find(|key| reader.has(key));
    if reader.has("gen_ai.agent.name") && model.is_none() {
        return Some(Stated::new(Operation::Agent, ID, "gen_ai.agent.name"));
    }
    if let Some(key) = model {
        return Some(Stated::new(Operation::Llm, ID, key));
    }
    if let Some(kind) = view.attr("traceloop.span.kind").and_then(as_str) {
        let (_, operation) = STEPS.iter().find(|(name, _)| *name == kind)?;
        return Some(Stated::new(*operation, ID, "traceloop.span.kind"));
    }
    let (word, _) = view.span.name.split_once(' ')?;
    let (_, operation) = NAMES.iter().find(|(name, _)| *name == word)?;
    Some(Stated::new(*operation, ID, "span name"))
}

fn vector_search(view: &SpanView) -> Option<Operation> {
    let system = ["db.system", "db.system.name"]
        .iter()
        .find_map(|key| as_str(view.attr(key)?))?
        .to_lowercase();
    if !VECTOR_DATABASES.contains(&system.as_str()) {
        return None;
    }
    let stated = ["db.operation", "db.operation.name"]
        .iter()
        .find_map(|key| as_str(view.attr(key)?))
        .unwrap_or(&view.span.name)
        .to_lowercase();
    let writes = [
        "add", "upsert", "delete", "insert", "update", "create", "drop",
    ];
    Some(if writes.iter().any(|word| stated.contains(word)) {
        Operation::Other
    } else {
        Operation::Retriever
    })
}
