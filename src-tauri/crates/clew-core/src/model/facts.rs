//! Facts: what a span says of itself, each with the convention and the key that said it.

use serde::{Deserialize, Serialize};

use super::{Bill, Document, ErrorClass, Message, Operation, Stage, ToolDefinition, Usage};

/// A value together with who stated it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stated<T> {
    /// What is stated.
    pub value: T,
    /// Id of the convention that read it ([`crate::convention::Convention::id`]).
    pub convention: String,
    /// The attribute key, event or log name that it came from.
    pub key: String,
}

impl<T> Stated<T> {
    /// Records that `convention` read `value` from `key`.
    pub fn new(value: T, convention: &str, key: &str) -> Self {
        Self {
            value,
            convention: convention.to_owned(),
            key: key.to_owned(),
        }
    }
}

/// The tool that a tool span ran.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ToolFact {
    /// The tool's name.
    pub name: Option<String>,
    /// The id of the call in the model's message, by which the two are joined.
    pub call_id: Option<String>,
    /// What it was called with: JSON text where structured.
    pub arguments: Option<String>,
    /// What it answered: JSON text where structured.
    pub result: Option<String>,
}

/// The prompt template behind a call, as the program states it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PromptFact {
    /// The template's name.
    pub name: Option<String>,
    /// Its version or label.
    pub version: Option<String>,
    /// Its text, placeholders unfilled.
    pub template: Option<String>,
    /// The values of its variables, as JSON text of one object.
    pub variables: Option<String>,
}

/// What went wrong, as stated by status, `error.type` or an exception event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ErrorFact {
    /// The error's type, where stated.
    pub kind: Option<String>,
    /// Its message.
    pub message: Option<String>,
}

/// Whether a source counts the tokens that came from, or went to, the provider's cache as part of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheCounting {
    /// Cached tokens are part of the stated input.
    Inclusive,
    /// Cached tokens stand beside the stated input; [`Usage::input`](super::Usage) has them added.
    Exclusive,
}

/// How the source of a usage counts cached tokens, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheRule {
    /// How it counts.
    pub counting: CacheCounting,
    /// What says so: a specification, a library's source, or the figures themselves.
    pub source: String,
}

/// The vocabulary that explains a span best.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    /// Its name as people know it.
    pub title: String,
    /// Its version or generation, where scope or keys tell.
    pub version: Option<String>,
    /// The versions that Clew's tables of it follow.
    pub tables: String,
    /// Where those are stated.
    pub source: String,
}

/// Where a call's time went, as far as it is stated; nanoseconds. Each figure names its own key.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Timing {
    /// From the request's arrival to its first work: waiting in a queue.
    pub queue_nanos: Option<Stated<u64>>,
    /// On the way to the server and back.
    pub network_nanos: Option<Stated<u64>>,
    /// Reading the prompt.
    pub prefill_nanos: Option<Stated<u64>>,
    /// Writing the answer.
    pub decode_nanos: Option<Stated<u64>>,
    /// The model's work, prompt and answer.
    pub inference_nanos: Option<Stated<u64>>,
    /// What was done to the answer after its last token.
    pub post_processing_nanos: Option<Stated<u64>>,
    /// The whole call as its client or server measured it.
    pub total_nanos: Option<Stated<u64>>,
    /// From one streamed piece to the next, on average.
    pub chunk_nanos: Option<Stated<u64>>,
    /// Tokens of the answer a second, on average.
    pub tokens_per_second: Option<Stated<f64>>,
}

/// Everything that Clew reads from one span, its events and its logs. `None` is "not stated".
///
/// Facts are a pure function of the span: they can be dropped and derived again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// The vocabulary that explains the span best.
    pub dialect: Option<Stated<Dialect>>,
    /// What kind of step it is.
    pub operation: Option<Stated<Operation>>,
    /// A better title than the span's name, where one is stated.
    pub display_name: Option<Stated<String>>,
    /// Who serves the model, normalised (`openai`, `anthropic`, ...).
    pub provider: Option<Stated<String>>,
    /// The model that was asked for.
    pub request_model: Option<Stated<String>>,
    /// The model that answered.
    pub response_model: Option<Stated<String>>,
    /// The provider's id of the response.
    pub response_id: Option<Stated<String>>,
    /// The id of the request, by which logs of servers and gateways name it (`x-request-id` and the like).
    pub request_id: Option<Stated<String>>,
    /// Token counts.
    pub usage: Option<Stated<Usage>>,
    /// How the source of `usage` counts cached tokens; stated where it states any.
    pub cache_rule: Option<Stated<CacheRule>>,
    /// Tokens that the source of `usage` counts nowhere, in words, where it is known to leave some out.
    pub left_out: Option<Stated<String>>,
    /// What names the call where an SDK tells of one in two spans without a response id in both; equal keys beside one
    /// another are one call.
    pub same_call: Option<Stated<String>>,
    /// The tier that served the call (`flex`, `priority`, ...), in lower case.
    pub service_tier: Option<Stated<String>>,
    /// Whether the call was part of a batch.
    pub batch: Option<Stated<bool>>,
    /// The address that the call was sent to: a host name, an IP address or a URL.
    pub server: Option<Stated<String>>,
    /// Cost in US dollars, as the program states it.
    pub cost_usd: Option<Stated<f64>>,
    /// What its log records say of the cost of requests that other spans made.
    pub bills: Option<Stated<Vec<Bill>>>,
    /// Why the model stopped, normalised, one for each choice.
    pub finish_reasons: Option<Stated<Vec<String>>>,
    /// Nanoseconds from the span's start to the first token.
    pub ttft_nanos: Option<Stated<u64>>,
    /// Where else the call's time went.
    pub timing: Option<Stated<Timing>>,
    /// Whether the answer was streamed.
    pub streaming: Option<Stated<bool>>,
    /// Request parameters (temperature, max tokens, ...): name and JSON text.
    pub parameters: Option<Stated<Vec<(String, String)>>>,
    /// The conversation that was sent.
    pub input: Option<Stated<Vec<Message>>>,
    /// What came back.
    pub output: Option<Stated<Vec<Message>>>,
    /// The step's input where it is not a conversation: text or JSON text.
    pub input_value: Option<Stated<String>>,
    /// The step's output where it is not a conversation: text or JSON text.
    pub output_value: Option<Stated<String>>,
    /// Tools that the model was offered.
    pub tools: Option<Stated<Vec<ToolDefinition>>>,
    /// The tool that this span ran.
    pub tool: Option<Stated<ToolFact>>,
    /// Documents that were retrieved, or came out of a reranker.
    pub documents: Option<Stated<Vec<Document>>>,
    /// How many documents were retrieved, where the number is stated.
    pub document_count: Option<Stated<u64>>,
    /// What was searched for.
    pub query: Option<Stated<String>>,
    /// The prompt template.
    pub prompt: Option<Stated<PromptFact>>,
    /// The agent's name.
    pub agent: Option<Stated<String>>,
    /// Session, thread or conversation id.
    pub session: Option<Stated<String>>,
    /// The end user's id.
    pub user: Option<Stated<String>>,
    /// The feature or kind of task that the call serves.
    pub feature: Option<Stated<String>>,
    /// Tags.
    pub tags: Option<Stated<Vec<String>>>,
    /// What went wrong.
    pub error: Option<Stated<ErrorFact>>,
    /// Why it went wrong, in Clew's own classes: follows from the error, codes and the operation.
    pub error_class: Option<Stated<ErrorClass>>,
    /// The stage of a pipeline that the span is.
    pub stage: Option<Stated<Stage>>,
    /// Keys whose JSON breaks off; what could be read of it was.
    pub truncated: Option<Stated<Vec<String>>>,
    /// Keys and events whose times cannot be, because they are negative or no number; they are not read.
    pub impossible: Option<Stated<Vec<String>>>,
}
