//! Lists beside the conversation: the tools that a model was offered, and documents.

use serde_json::Value as Json;

use super::json::{compact, field, parse, text};
use crate::model::{Document, ToolDefinition};

/// Tools in a list of definitions, in OTel's, OpenAI's, Anthropic's or Gemini's shape; an element may be JSON text.
pub(in crate::convention) fn tool_definitions(json: &Json) -> Vec<ToolDefinition> {
    let items = match json {
        Json::Array(items) => items.as_slice(),
        Json::Object(_) => std::slice::from_ref(json),
        _ => return Vec::new(),
    };
    let mut tools = Vec::new();
    for item in items {
        let opened = item.as_str().and_then(parse);
        let item = opened.as_ref().unwrap_or(item);
        if let Some(list) = field(item, &["functionDeclarations", "function_declarations"]) {
            tools.extend(
                list.as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(tool_definition),
            );
        } else {
            tools.extend(tool_definition(item));
        }
    }
    tools
}

fn tool_definition(json: &Json) -> Option<ToolDefinition> {
    if let Json::String(name) = json {
        return (!name.is_empty()).then(|| ToolDefinition {
            name: name.clone(),
            ..ToolDefinition::default()
        });
    }
    // Bedrock wraps a tool in `toolSpec`, OpenAI in `function`.
    let inner = field(json, &["function", "toolSpec"]).filter(|inner| inner.is_object());
    let json = inner.unwrap_or(json);
    let schema = field(
        json,
        &[
            "parameters",
            "input_schema",
            "inputSchema",
            "parametersJsonSchema",
            "args",
        ],
    );
    Some(ToolDefinition {
        name: text(json, &["name", "type"])?,
        description: text(json, &["description"]),
        parameters: schema.map(compact),
    })
}

/// Documents in a list, in any of the shapes of semconv.md §6; empty where it is not a list of documents.
pub(in crate::convention) fn documents(json: &Json) -> Vec<Document> {
    let list = match json {
        Json::Object(_) => field(json, &["documents", "results", "matches"]),
        other => Some(other),
    };
    let items = list.and_then(Json::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(|item| match item {
            Json::String(text) => Some(Document {
                content: Some(text.clone()),
                ..Document::default()
            }),
            Json::Object(_) => Some(document(item)),
            _ => None,
        })
        .collect()
}

fn document(json: &Json) -> Document {
    let json = field(json, &["document"])
        .filter(|inner| inner.is_object())
        .unwrap_or(json);
    let kwargs = field(json, &["kwargs"]).unwrap_or(json);
    let score = field(
        kwargs,
        &["score", "relevance_score", "similarity", "distance"],
    );
    Document {
        id: text(kwargs, &["id"]),
        content: text(kwargs, &["content", "page_content", "text", "document"]),
        score: score.and_then(|score| match score {
            Json::String(text) => text.parse().ok().filter(|score: &f64| score.is_finite()),
            other => other.as_f64(),
        }),
        metadata: field(kwargs, &["metadata"]).map(compact),
    }
}
