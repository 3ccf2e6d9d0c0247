//! Puts a step's raw input and output where they belong, once all conventions have said what kind of step it is.

use super::json::{field, parse, text};
use super::listing::documents;
use super::message::{event_message, from_json, text_message};
use crate::model::{Document, Facts, Message, Operation, Part, SpanView, Stated, ToolFact};

/// Names under which retrievers and tools get a question.
const QUESTIONS: &[&str] = &["query", "question", "q", "input", "text"];

/// A model call's raw request and answer become its conversation, a tool's its arguments and result, a retriever's its
/// query and documents; everybody else keeps them as they are.
pub(super) fn place(view: &SpanView, facts: &mut Facts) {
    match facts.operation.as_ref().map(|operation| operation.value) {
        Some(Operation::Llm) => {
            // The raw request and response repeat the messages: read where there are none, values where unreadable.
            facts.input = facts
                .input
                .take()
                .or_else(|| spoken(facts.input_value.as_ref(), "user"));
            facts.output = facts
                .output
                .take()
                .or_else(|| spoken(facts.output_value.as_ref(), "assistant"));
            if facts.input.is_some() {
                facts.input_value = None;
            }
            if facts.output.is_some() {
                facts.output_value = None;
            }
        }
        Some(Operation::Tool) => tool(view, facts),
        Some(Operation::Retriever) => {
            if facts.query.is_none() {
                facts.query = facts.input_value.as_ref().map(question);
            }
            if facts.documents.is_none() {
                facts.documents = listed(facts.output_value.as_ref());
            }
        }
        _ => {}
    }
}

fn tool(view: &SpanView, facts: &mut Facts) {
    let (called, answered) = (facts.input_value.take(), facts.output_value.take());
    let source = facts.tool.as_ref().map_or_else(
        || {
            facts
                .operation
                .as_ref()
                .map(|stated| (&stated.convention, &stated.key))
        },
        |stated| Some((&stated.convention, &stated.key)),
    );
    let Some((convention, key)) = source else {
        return;
    };
    let (convention, key) = (convention.clone(), key.clone());
    let mut tool = facts
        .tool
        .take()
        .unwrap_or_else(|| Stated::new(ToolFact::default(), &convention, &key));
    let named = Some(view.span.name.clone()).filter(|name| !name.is_empty());
    tool.value.name = tool.value.name.or(named);
    tool.value.arguments = tool
        .value
        .arguments
        .or_else(|| called.map(|stated| stated.value));
    tool.value.result = tool
        .value
        .result
        .or_else(|| answered.map(|stated| stated.value))
        .map(|answer| tool_answer(&answer));
    facts.tool = Some(tool);
}

/// The messages in a raw request or response; text that is no JSON is what was said.
fn spoken(value: Option<&Stated<String>>, role: &str) -> Option<Stated<Vec<Message>>> {
    let stated = value?;
    let read = match parse(&stated.value) {
        Some(json) => from_json(&json, role)?,
        None if stated.value.trim_start().starts_with(['{', '[']) => return None,
        None => vec![text_message(role, stated.value.clone())],
    };
    let empty = |part: &Part| matches!(part, Part::Text { text } if text.is_empty());
    let said = read
        .iter()
        .any(|message| !message.parts.iter().all(empty) || message.finish_reason.is_some());
    said.then(|| Stated::new(read, &stated.convention, &stated.key))
}

/// What a retriever was asked: the one question in a JSON object, else the whole value.
fn question(stated: &Stated<String>) -> Stated<String> {
    let json = parse(&stated.value);
    let asked = json.as_ref().and_then(|json| {
        let inner = field(json, &["kwargs", "inputs"]).filter(|inner| inner.is_object());
        text(json, QUESTIONS)
            .or_else(|| text(inner?, QUESTIONS))
            .or_else(|| {
                let single = field(json, &["args", "inputs"])?.as_array()?;
                let [only] = single.as_slice() else {
                    return None;
                };
                only.as_str().map(ToOwned::to_owned)
            })
            .or_else(|| text(json, &["inputs"]))
    });
    Stated::new(
        asked.unwrap_or_else(|| stated.value.clone()),
        &stated.convention,
        &stated.key,
    )
}

/// The documents in a raw answer of a retriever.
fn listed(value: Option<&Stated<String>>) -> Option<Stated<Vec<Document>>> {
    let stated = value?;
    let json = parse(&stated.value)?;
    let read = documents(field(&json, &["outputs", "output"]).unwrap_or(&json));
    (!read.is_empty()).then(|| Stated::new(read, &stated.convention, &stated.key))
}

/// A tool's answer as it was meant: LangChain wraps it in a serialised tool message.
fn tool_answer(output: &str) -> String {
    let message = parse(output).and_then(|json| {
        let inner = field(&json, &["output"]).unwrap_or(&json);
        let wrapped =
            inner.get("kwargs").is_some() || text(inner, &["type"]).as_deref() == Some("tool");
        wrapped.then(|| event_message(inner, "tool"))
    });
    match message.as_ref().map(|message| message.parts.as_slice()) {
        Some([Part::ToolResult { content, .. }]) => content.clone(),
        _ => output.to_owned(),
    }
}
