//! Everything that the side panel shows of one span.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::TimingRow;
use crate::estimate::ContentSize;
use crate::model::{Document, ErrorClass, Message, Operation, Stage, ToolDefinition, Usage};
use crate::quality::Finding;

mod build;
mod rows;

pub use build::{Surroundings, detail, span_facts};

/// One fact and who stated it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FactRow {
    /// The fact's name ("request model").
    pub name: String,
    /// Its value as text.
    pub value: String,
    /// Id of the convention that read it.
    pub convention: String,
    /// The key that it came from.
    pub key: String,
}

/// The facts of one span, each with who stated it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SpanFacts {
    /// 16 hex digits.
    pub span_id: String,
    /// The vocabulary that explains the span best; `null` where none does.
    pub dialect: Option<DialectRow>,
    /// Every fact with its source.
    pub facts: Vec<FactRow>,
    /// Keys of its attributes that no vocabulary explains, in order of arrival.
    pub unexplained: Vec<String>,
}

/// One attribute as received; duplicates of a key are all listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AttributeRow {
    /// The key, as received.
    pub key: String,
    /// `string`, `bool`, `int`, `double`, `bytes`, `array`, `kvlist` or `empty`.
    pub r#type: String,
    /// The value as text (JSON for arrays and lists), cut after 64 KiB.
    pub value: String,
    /// Bytes of the whole value.
    pub size: u32,
    /// Whether `value` holds only its beginning.
    pub cut: bool,
}

/// One span event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EventRow {
    /// The event's name.
    pub name: String,
    /// Nanoseconds from the span's start; negative where it lies before.
    pub offset_nanos: f64,
    /// Its attributes.
    pub attributes: Vec<AttributeRow>,
}

/// One link to another span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LinkRow {
    /// The other trace's id as hex, as received.
    pub trace_id: String,
    /// The other span's id as hex, as received.
    pub span_id: String,
    /// The link's attributes.
    pub attributes: Vec<AttributeRow>,
}

/// One log record that belongs to the span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LogRow {
    /// Nanoseconds from the span's start; negative where it lies before.
    pub offset_nanos: f64,
    /// Severity as text ("INFO", "unknown (99)").
    pub severity: String,
    /// The event's name, where it is one.
    pub event_name: String,
    /// The body as text or JSON text, cut after 64 KiB.
    pub body: String,
    /// Its attributes.
    pub attributes: Vec<AttributeRow>,
}

/// A log record of another span, or of none, that names the call by the id of its request or its response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RelatedLog {
    /// The id that joins them.
    pub id: String,
    /// `service.name` of the record's resource.
    pub service: String,
    /// The trace that the record names, 32 hex digits; `null` where it names none.
    pub trace_id: Option<String>,
    /// The span that the record names, 16 hex digits; `null` where it names none.
    pub span_id: Option<String>,
    /// The record; its offset is from the start of the call.
    pub log: LogRow,
}

/// Why a model call shows no content, and what to set so that the next one does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ContentHint {
    /// Why, and where the setting belongs where that is no matter of course: a sentence or two.
    pub reason: String,
    /// The setting to copy ("TRACELOOP_TRACE_CONTENT=true"); empty where nothing helps.
    pub setting: String,
}

/// The vocabulary that explains a span best.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DialectRow {
    /// Its name as people know it ("OpenInference").
    pub title: String,
    /// Its version or generation, where the span tells.
    pub version: Option<String>,
    /// What told: `scope` or `attributes`.
    pub told_by: String,
    /// The versions that Clew reads it by.
    pub tables: String,
    /// Where those are stated: an address, shown and never followed unasked.
    pub source: String,
}

/// Another content received under the same span id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VariantRow {
    /// Its content hash, 16 hex digits: `getSpan` takes it.
    pub hash: String,
    /// Whether it is the one shown.
    pub shown: bool,
    /// Microseconds since the epoch at which it was received.
    pub received_micros: u64,
    /// Number of attributes.
    pub attributes: u32,
    /// Whether it had ended.
    pub ended: bool,
}

/// One span, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SpanDetail {
    /// 32 hex digits.
    pub trace_id: String,
    /// 16 hex digits.
    pub span_id: String,
    /// 16 hex digits; `null` at the root.
    pub parent_span_id: Option<String>,
    /// The span's name as received.
    pub name: String,
    /// What kind of step it is.
    pub operation: Operation,
    /// OTel span kind as text ("client", "unknown (99)").
    pub kind: String,
    /// 0 unset, 1 ok, 2 error.
    pub status: u8,
    /// The status message.
    pub status_message: String,
    /// Nanoseconds since the epoch, in decimal digits.
    pub start_nanos: String,
    /// Nanoseconds since the epoch, in decimal digits; "0" while pending.
    pub end_nanos: String,
    /// Nanoseconds from start to end; `null` while pending.
    pub duration_nanos: Option<u64>,
    /// `service.name` of the resource.
    pub service: String,
    /// Who serves the model.
    pub provider: Option<String>,
    /// The model that answered, else the one that was asked for; of a call that names none the one that
    /// [`Self::model_from`] names.
    pub model: Option<String>,
    /// The span above that names the model, where this one names none: 16 hex digits.
    pub model_from: Option<String>,
    /// Token counts as stated.
    pub usage: Usage,
    /// Stated cost in US dollars; what it costs the ledger says ([`super::LedgerRow`]).
    pub cost_usd: Option<f64>,
    /// Nanoseconds to the first token; `null` where that is stated to be after the end.
    pub ttft_nanos: Option<u64>,
    /// Output tokens a second as stated; else from the first token to the end, over the whole call where no first token
    /// is stated.
    pub tokens_per_second: Option<f64>,
    /// Where the time of a model call went, part by part, with how each is known; empty for other spans, and while the call
    /// runs.
    pub timing: Vec<TimingRow>,
    /// Why the model stopped.
    pub finish_reasons: Vec<String>,
    /// The error's type, where stated.
    pub error_type: Option<String>,
    /// Why it went wrong, in Clew's own classes.
    pub error_class: Option<ErrorClass>,
    /// The stage of a pipeline that the span is.
    pub stage: Option<Stage>,
    /// The error's message, where stated.
    pub error_message: Option<String>,
    /// The conversation that was sent.
    pub input: Vec<Message>,
    /// How many messages at the start of `input` an earlier call of this trace had already sent or answered.
    pub reused: u32,
    /// How many of `input` are new.
    pub fresh: u32,
    /// How much the reused ones are; `null` where none is.
    pub reused_size: Option<ContentSize>,
    /// What came back.
    pub output: Vec<Message>,
    /// Input that is not a conversation.
    pub input_value: Option<String>,
    /// Output that is not a conversation.
    pub output_value: Option<String>,
    /// The tool's name, on a tool span.
    pub tool_name: Option<String>,
    /// The id that joins a tool span to the model's tool call.
    pub tool_call_id: Option<String>,
    /// What the tool was called with.
    pub tool_arguments: Option<String>,
    /// What the tool answered.
    pub tool_result: Option<String>,
    /// What was searched for.
    pub query: Option<String>,
    /// Documents retrieved.
    pub documents: Vec<Document>,
    /// Whether something else may tell of it ([`super::References`]): it answered, found documents, or states an id of its
    /// request or response.
    pub referable: bool,
    /// Tools that the model was offered.
    pub tools: Vec<ToolDefinition>,
    /// Request parameters: name and JSON text.
    pub parameters: Vec<(String, String)>,
    /// The prompt template's name, where stated.
    pub prompt_name: Option<String>,
    /// The prompt template's version, where stated.
    pub prompt_version: Option<String>,
    /// Every fact with its source.
    pub facts: Vec<FactRow>,
    /// The vocabulary that explains the span best; `null` where none does.
    pub dialect: Option<DialectRow>,
    /// Keys of its attributes that no vocabulary explains, in order of arrival.
    pub unexplained: Vec<String>,
    /// Why there is no content, on a model call without any.
    pub content_hint: Option<ContentHint>,
    /// What heuristics saw in the response.
    pub findings: Vec<Finding>,
    /// Span attributes in order of arrival, at most the first 1,000.
    pub attributes: Vec<AttributeRow>,
    /// How many attributes the span has.
    pub attribute_count: u32,
    /// Attributes, events and links that the SDK dropped.
    pub dropped: (u32, u32, u32),
    /// The instrumentation scope's name and version, where stated, then the resource's attributes.
    pub resource: Vec<AttributeRow>,
    /// Span events in order of time.
    pub events: Vec<EventRow>,
    /// Span links.
    pub links: Vec<LinkRow>,
    /// Log records of this span, in order of time.
    pub logs: Vec<LogRow>,
    /// What is odd about the span, in sentences ("ends before it starts").
    pub problems: Vec<String>,
    /// All contents received under this id, the shown one among them.
    pub variants: Vec<VariantRow>,
}
