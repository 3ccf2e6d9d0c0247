//! OpenLLMetry (Traceloop): `traceloop.*` around `gen_ai.*`, with the inputs and outputs of chains and tasks as JSON.

use serde_json::Value as Json;

use super::read::{self, KeyMap, Reader, Table, compact, parse};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{CacheCounting, Facts, Operation, Stated, display};

/// OpenLLMetry's attributes.
#[derive(Debug)]
pub(super) struct OpenLlmetry;

const ID: &str = "openllmetry";

/// Values of `gen_ai.operation.name` that are finer than any kind of span.
const CALLS: read::Keys = &[
    "chat",
    "text_completion",
    "generate_content",
    "embeddings",
    "execute_tool",
    "vector_db_retrieve",
    "rerank",
];

static VOCABULARY: Vocabulary = Vocabulary {
    version: "opentelemetry-instrumentation-* 0.62, 0.40 and older",
    source: "https://github.com/traceloop/openllmetry/blob/main/packages/opentelemetry-semantic-conventions-ai/opentelemetry/semconv_ai/__init__.py",
    scopes: &[
        "traceloop",
        "@traceloop",
        "traceloop.tracer",
        "opentelemetry.instrumentation.agno",
        "opentelemetry.instrumentation.alephalpha",
        "opentelemetry.instrumentation.anthropic",
        "opentelemetry.instrumentation.bedrock",
        "opentelemetry.instrumentation.chromadb",
        "opentelemetry.instrumentation.cohere",
        "opentelemetry.instrumentation.crewai",
        "opentelemetry.instrumentation.google_generativeai",
        "opentelemetry.instrumentation.groq",
        "opentelemetry.instrumentation.haystack",
        "opentelemetry.instrumentation.lancedb",
        "opentelemetry.instrumentation.langchain",
        "opentelemetry.instrumentation.llamaindex",
        "opentelemetry.instrumentation.marqo",
        "opentelemetry.instrumentation.mcp",
        "opentelemetry.instrumentation.milvus",
        "opentelemetry.instrumentation.mistralai",
        "opentelemetry.instrumentation.ollama",
        "opentelemetry.instrumentation.openai",
        "opentelemetry.instrumentation.openai.v0",
        "opentelemetry.instrumentation.openai.v1",
        "opentelemetry.instrumentation.openai_agents",
        "opentelemetry.instrumentation.pinecone",
        "opentelemetry.instrumentation.qdrant",
        "opentelemetry.instrumentation.replicate",
        "opentelemetry.instrumentation.sagemaker",
        "opentelemetry.instrumentation.together",
        "opentelemetry.instrumentation.transformers",
        "opentelemetry.instrumentation.vertexai",
        "opentelemetry.instrumentation.voyageai",
        "opentelemetry.instrumentation.watsonx",
        "opentelemetry.instrumentation.weaviate",
        "opentelemetry.instrumentation.writer",
    ],
    marks: &[
        "traceloop.",
        "gen_ai.task.",
        "gen_ai.is_streaming",
        "gen_ai.openai.api_base",
    ],
    known: &[
        "traceloop.",
        "gen_ai.task.",
        "gen_ai.workflow.",
        "gen_ai.openai.api_version",
        "gen_ai.openai.api_type",
        "gen_ai.openai.response.system_fingerprint",
        "gen_ai.openai.system_fingerprint",
        "gen_ai.request.structured_output_schema",
        "llm.headers",
        "llm.request.functions.",
        "llm.prompts.",
        "llm.completions.",
        "llm.watsonx.",
        "gen_ai.bedrock.",
    ],
    table: Table {
        // A task may be anything: what `gen_ai.operation.name` says of it is finer.
        operation: &["traceloop.span.kind"],
        operations: &[
            ("workflow", Operation::Chain),
            ("agent", Operation::Agent),
            ("handoff", Operation::Agent),
            ("tool", Operation::Tool),
            ("guardrail", Operation::Guardrail),
        ],
        display_name: &["traceloop.entity.name", "traceloop.workflow.name"],
        provider: &["traceloop.association.properties.ls_provider"],
        streaming: &["gen_ai.is_streaming", "llm.is_streaming"],
        input_value: &["traceloop.entity.input", "gen_ai.task.input"],
        output_value: &["traceloop.entity.output", "gen_ai.task.output"],
        prompt_name: &["traceloop.prompt.key"],
        prompt_version: &[
            "traceloop.prompt.version",
            "traceloop.prompt.version_name",
            "traceloop.prompt.version_hash",
        ],
        prompt_template: &["traceloop.prompt.template"],
        prompt_variables: &["traceloop.prompt.template_variables"],
        agent: &["traceloop.association.properties.lc_agent_name"],
        session: &[
            "traceloop.association.properties.session_id",
            "traceloop.association.properties.thread_id",
            "traceloop.association.properties.chat_id",
            "traceloop.association.properties.conversation_id",
        ],
        user: &["traceloop.association.properties.user_id"],
        feature: &["traceloop.association.properties.feature"],
        server: &["gen_ai.openai.api_base"],
        ..Table::EMPTY
    },
    cache: &[CacheRow::all(
        CacheCounting::Inclusive,
        "OpenLLMetry 0.40 and newer: gen_ai.usage.input_tokens includes cached tokens, also with Anthropic.",
    )],
};

impl Convention for OpenLlmetry {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "OpenLLMetry"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        // A model's call may be a workflow of its own.
        let call = map.get("gen_ai.operation.name").map(display);
        if call.is_some_and(|name| CALLS.contains(&name.as_str())) {
            facts.operation = None;
        }
        let called = map.has("gen_ai.request.model") || map.has("gen_ai.tool.name");
        if called {
            facts.display_name = None;
        }
        facts.input_value = facts
            .input_value
            .map(|value| inner(value, &["inputs", "input_str"]));
        facts.output_value = facts
            .output_value
            .map(|value| inner(value, &["outputs", "output"]));
        if map.content() && map.has("gen_ai.tool.name") {
            // LangChain's callback wraps a tool's arguments and answer the same way.
            let unwrapped = |key: &str, names: &[&str]| {
                let stated = reader.text(&[key])?;
                let value = stated.value.clone();
                let read = inner(stated, names).value;
                (read != value).then_some(read)
            };
            let tool = crate::model::ToolFact {
                arguments: unwrapped("gen_ai.tool.call.arguments", &["inputs", "input_str"]),
                result: unwrapped("gen_ai.tool.call.result", &["output", "outputs"]),
                ..crate::model::ToolFact::default()
            };
            if tool.arguments.is_some() || tool.result.is_some() {
                facts.tool = Some(reader.stated(tool, "gen_ai.tool.name"));
            }
        }
        facts
    }
}

/// What LangChain's callback wraps in `{"inputs": …, "tags": …, "metadata": …}`.
fn inner(stated: Stated<String>, names: &[&str]) -> Stated<String> {
    let wrapped = parse(&stated.value).and_then(|json| {
        let callback = ["tags", "metadata", "kwargs"]
            .iter()
            .any(|name| json.get(name).is_some());
        let inner = read::field(&json, names)?;
        let whole = json.as_object().is_some_and(|fields| fields.len() == 1);
        (callback || (whole && !inner.is_string())).then(|| match inner {
            Json::String(text) => text.clone(),
            other => compact(other),
        })
    });
    match wrapped {
        Some(value) => Stated { value, ..stated },
        None => stated,
    }
}
