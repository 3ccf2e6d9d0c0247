//! OpenTelemetry's semantic conventions for generative AI: the current attributes, the older flat ones, and content in
//! span attributes, span events and log records.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use serde_json::{Map, Value as Json};

use super::read::{
    self, Flat, KeyMap, Layer, Reader, Slots, event_message, field, log_name, messages, parse,
    tool_definitions, with_system,
};
use super::{Convention, Vocabulary};
use crate::model::{
    Facts, Message, Operation, Part, PromptFact, SpanView, Stated, ToolDefinition, ToolFact,
    to_json,
};

mod keys;

use keys::{CHUNKS, VOCABULARY};

/// `gen_ai.*`, from semantic conventions 1.26 to today's repository of their own.
#[derive(Debug)]
pub(super) struct OtelGenAi;

const ID: &str = "otel_genai";

/// The record that carries a call's whole content since 1.37, as a log record or as a span event.
const DETAILS: &str = "gen_ai.client.inference.operation.details";

/// Names of the message events until 1.36, and the roles that they imply.
const MESSAGE_EVENTS: &[(&str, &str)] = &[
    ("gen_ai.system.message", "system"),
    ("gen_ai.user.message", "user"),
    ("gen_ai.assistant.message", "assistant"),
    ("gen_ai.tool.message", "tool"),
];

impl Convention for OtelGenAi {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "OpenTelemetry GenAI"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn speaks(&self, map: &KeyMap) -> bool {
        let view = map.view();
        let ours = |name: &str| name.starts_with("gen_ai.") || CHUNKS.contains(&name);
        view.span.events.iter().any(|event| ours(&event.name))
            || view.logs.iter().any(|log| ours(log_name(log)))
    }

    fn version(&self, map: &KeyMap) -> Option<String> {
        let generation = if map.has("gen_ai.usage.cache_write.input_tokens") {
            "of 2026"
        } else if map.has("gen_ai.provider.name") {
            "1.37 or newer"
        } else if map.has("gen_ai.system") {
            "1.36 or older"
        } else {
            return None;
        };
        Some(generation.to_owned())
    }

    fn common(&self) -> bool {
        true
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let view = map.view();
        let mut reader = Reader::new(ID, map);
        for event in view
            .span
            .events
            .iter()
            .filter(|event| event.name == DETAILS)
        {
            reader.push(Layer::new(&event.name, &event.attributes));
        }
        for log in view.logs.iter().filter(|log| log_name(log) == DETAILS) {
            reader.push(Layer::new(DETAILS, &log.attributes));
        }
        let mut facts = reader.read(&VOCABULARY.table);
        if view.scope.name == super::gemini_cli::SCOPE {
            // It names the turn there, by its id.
            facts.prompt = None;
        }
        facts.prompt = variables(view, facts.prompt);
        let operation = facts.operation.as_ref().map(|operation| operation.value);
        if !map.content() {
            return facts;
        }
        let mut slots = Slots::new();
        if facts.tools.is_none() {
            facts.tools = flat_tools(view, &mut slots);
        }
        let carried = Carried::read(view);
        if operation == Some(Operation::Tool) {
            facts.tool = carried.tool(facts.tool);
            (facts.input, facts.output) = (None, None);
            return facts;
        }
        if operation == Some(Operation::Retriever) {
            facts.query = facts.query.or_else(|| reader.text(&["db.query.text"]));
        }
        let system_only = facts
            .input
            .as_ref()
            .is_none_or(|input| input.value.iter().all(|message| message.role == "system"));
        if system_only {
            let system = facts.input.take();
            let input = flat_messages(view, "gen_ai.prompt", "user", &mut slots)
                .or_else(|| carried.conversation("user"))
                .or_else(|| reader.messages(raw(map, &["gen_ai.prompt"]), "user"));
            facts.input = with_system(input, system);
        }
        // Some state only why the model stopped here, and what it said in the older keys.
        let (said, reasons_only) = match facts.output.take() {
            Some(output) if output.value.iter().any(|message| !message.parts.is_empty()) => {
                (Some(output), None)
            }
            silent => (None, silent),
        };
        facts.output = said
            .or_else(|| flat_messages(view, "gen_ai.completion", "assistant", &mut slots))
            .or_else(|| carried.choices())
            .or_else(|| reader.messages(raw(map, &["gen_ai.completion"]), "assistant"))
            .or(reasons_only);
        facts
    }
}

/// Keys of raw requests and answers, where they hold no runs of LangSmith's.
fn raw(map: &KeyMap, keys: read::Keys) -> read::Keys {
    if map.has("langsmith.span.kind") {
        &[]
    } else {
        keys
    }
}

/// `gen_ai.prompt.variable.<name>`, as one object.
fn variables(view: &SpanView, prompt: Option<Stated<PromptFact>>) -> Option<Stated<PromptFact>> {
    let prefix = "gen_ai.prompt.variable.";
    let stated: Map<String, Json> = view
        .span
        .attributes
        .iter()
        .filter_map(|attribute| {
            let name = attribute.key.strip_prefix(prefix)?;
            Some((name.to_owned(), to_json(attribute.value.as_ref()?)))
        })
        .take(1_000)
        .collect();
    if stated.is_empty() {
        return prompt;
    }
    let mut prompt =
        prompt.unwrap_or_else(|| Stated::new(PromptFact::default(), ID, "gen_ai.prompt.variable"));
    prompt.value.variables = Some(Json::Object(stated).to_string());
    Some(prompt)
}

/// `gen_ai.prompt.N.*` and `gen_ai.completion.N.*`.
fn flat_messages(
    view: &SpanView,
    prefix: &str,
    role: &str,
    slots: &mut Slots,
) -> Option<Stated<Vec<Message>>> {
    let flat = Flat::read(&view.span.attributes, prefix, slots)?;
    let read: Vec<Message> = flat
        .items()
        .into_iter()
        .map(|item| event_message(&item.json(), role))
        .filter(|message| !message.parts.is_empty() || message.finish_reason.is_some())
        .collect();
    (!read.is_empty()).then(|| Stated::new(read, ID, &format!("{prefix}.*")))
}

/// `llm.request.functions.N.*` and `gen_ai.request.tools.N.*`.
fn flat_tools(view: &SpanView, slots: &mut Slots) -> Option<Stated<Vec<ToolDefinition>>> {
    ["llm.request.functions", "gen_ai.request.tools"]
        .iter()
        .find_map(|prefix| {
            let flat = Flat::read(&view.span.attributes, prefix, slots)?;
            let tools = tool_definitions(&flat.json());
            (!tools.is_empty()).then(|| Stated::new(tools, ID, &format!("{prefix}.*")))
        })
}

/// Messages in events or log records of their own, one each.
struct Carried {
    /// In order of time: the role that the name implies, the name, the body.
    sent: Vec<(&'static str, Json)>,
    /// Choices by their index.
    answered: Vec<Json>,
    /// Whole prompts and completions in one event (1.26 and 1.27, Spring AI).
    prompt: Option<Vec<Message>>,
    completion: Option<Vec<Message>>,
}

impl Carried {
    fn read(view: &SpanView) -> Self {
        let mut carried = Self {
            sent: Vec::new(),
            answered: Vec::new(),
            prompt: None,
            completion: None,
        };
        for event in &view.span.events {
            carried.take(&event.name, &event.attributes, || object(&event.attributes));
        }
        for log in view.logs {
            carried.take(log_name(log), &log.attributes, || {
                match log.body.as_ref().map(to_json) {
                    Some(Json::Null) | None => object(&log.attributes),
                    Some(body) => body,
                }
            });
        }
        carried.answered.sort_by_key(|choice| {
            let index = field(choice, &["index"]).and_then(Json::as_u64);
            index.unwrap_or(0)
        });
        carried
    }

    fn take(&mut self, name: &str, attributes: &[KeyValue], body: impl Fn() -> Json) {
        let whole = |key: &str, role: &str| {
            let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
            messages(attribute.value.as_ref()?.value.as_ref()?, role)
        };
        if let Some((_, role)) = MESSAGE_EVENTS.iter().find(|(event, _)| *event == name) {
            self.sent.push((role, body()));
        } else if name == "gen_ai.choice" {
            self.answered.push(body());
        } else if name == "gen_ai.content.prompt" && self.prompt.is_none() {
            self.prompt = whole("gen_ai.prompt", "user");
        } else if name == "gen_ai.content.completion" && self.completion.is_none() {
            self.completion = whole("gen_ai.completion", "assistant");
        }
    }

    fn conversation(&self, role: &str) -> Option<Stated<Vec<Message>>> {
        if self.sent.is_empty() {
            let prompt = self.prompt.clone()?;
            return Some(Stated::new(prompt, ID, "gen_ai.content.prompt"));
        }
        let read: Vec<Message> = self
            .sent
            .iter()
            .map(|(implied, body)| event_message(body, implied))
            .filter(|message| !message.parts.is_empty())
            .collect();
        (!read.is_empty()).then(|| Stated::new(read, ID, &format!("gen_ai.{role}.message")))
    }

    fn choices(&self) -> Option<Stated<Vec<Message>>> {
        if self.answered.is_empty() {
            let completion = self.completion.clone()?;
            return Some(Stated::new(completion, ID, "gen_ai.content.completion"));
        }
        let read: Vec<Message> = self
            .answered
            .iter()
            .map(|body| event_message(body, "assistant"))
            .collect();
        Some(Stated::new(read, ID, "gen_ai.choice"))
    }

    /// On a tool's span the tool message is what it was called with, and the choice is its answer (Strands).
    fn tool(&self, tool: Option<Stated<ToolFact>>) -> Option<Stated<ToolFact>> {
        let called = self.sent.iter().find(|(role, _)| *role == "tool");
        let called = called.and_then(|(_, body)| read::text(body, &["content"]));
        let answer = self
            .answered
            .first()
            .map(|body| event_message(body, "assistant"));
        let answer = answer
            .map(|message| said(&message))
            .filter(|text| !text.is_empty());
        let mut tool = match tool {
            Some(tool) => tool,
            None if called.is_none() && answer.is_none() => return None,
            None => Stated::new(ToolFact::default(), ID, "gen_ai.tool.message"),
        };
        tool.value.arguments = tool.value.arguments.or(called);
        tool.value.result = tool.value.result.or(answer);
        Some(tool)
    }
}

fn said(message: &Message) -> String {
    let texts: Vec<&str> = message
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Text { text } => Some(text.as_str()),
            Part::ToolResult { content, .. } => Some(content.as_str()),
            _ => None,
        })
        .collect();
    texts.join("\n")
}

/// The attributes as one object; `gen_ai.event.content` (Azure) is the object itself.
fn object(attributes: &[KeyValue]) -> Json {
    let content = attributes
        .iter()
        .find(|attribute| attribute.key == "gen_ai.event.content");
    if let Some(Value::StringValue(text)) =
        content.and_then(|attribute| attribute.value.as_ref()?.value.as_ref())
    {
        return parse(text).unwrap_or_else(|| Json::String(text.clone()));
    }
    Json::Object(
        attributes
            .iter()
            .filter_map(|attribute| {
                Some((attribute.key.clone(), to_json(attribute.value.as_ref()?)))
            })
            .collect(),
    )
}
