//! One piece of a message in every shape that is seen, told apart by its fields.

use serde_json::Value as Json;

use super::json::{compact, field, text};
use crate::model::Part;

/// Most pieces that are read of one message.
const MAX_PARTS: usize = 10_000;

/// The fewest characters of base64 that hold a picture; what is shorter, and no address, is an id.
const SHORTEST_IMAGE: usize = 40;
/// Characters from which on a text of base64's digits alone is no path and no id.
const SURELY_CONTENT: usize = 256;

/// Whether a call with the same id is among the parts.
pub(in crate::convention) fn repeats(parts: &[Part], call: &Part) -> bool {
    let Part::ToolCall { id: Some(id), .. } = call else {
        return false;
    };
    parts
        .iter()
        .any(|part| matches!(part, Part::ToolCall { id: Some(other), .. } if other == id))
}

/// Whether the JSON is a piece of a message: it has its fields, and is not only a text.
pub(super) fn is_part(json: &Json) -> bool {
    if json.is_string() || !json.is_object() {
        return false;
    }
    !matches!(part(json), None | Some(Part::Text { .. }))
        || json.get("text").is_some_and(Json::is_string)
        || text(json, &["type"]).is_some_and(|kind| kind == "text")
}

/// The pieces in a message's content: a text, a list of pieces, or one piece; at most 10,000.
pub(super) fn parts_of(content: &Json) -> Vec<Part> {
    match content {
        Json::Null => Vec::new(),
        Json::String(text) if text.is_empty() => Vec::new(),
        Json::Array(items) => items.iter().take(MAX_PARTS).filter_map(part).collect(),
        Json::Object(_) => part(content).into_iter().collect(),
        other => vec![Part::Text {
            text: compact(other),
        }],
    }
}

/// One part by its fields; `None` for `null` and empty text. A shape that nobody knows becomes its JSON as text.
pub(super) fn part(json: &Json) -> Option<Part> {
    match json {
        Json::Null => return None,
        Json::Object(_) => {}
        other => {
            let text = compact(other);
            return (!text.is_empty()).then_some(Part::Text { text });
        }
    }
    let kind = text(json, &["type"]).unwrap_or_default();
    tool_part(json, &kind)
        .or_else(|| spoken_part(json, &kind))
        .or_else(|| media_part(json, &kind))
        .or_else(|| {
            let blank = text(json, &["text", "content"]).is_none()
                && json.as_object().is_some_and(|fields| {
                    fields.iter().all(|(name, value)| {
                        name == "type" || value.is_null() || value.as_str() == Some("")
                    })
                });
            (!blank).then(|| Part::Text {
                text: json.to_string(),
            })
        })
}

fn tool_part(json: &Json, kind: &str) -> Option<Part> {
    match kind {
        "tool_call" | "tool-call" | "tool_use" | "server_tool_call" | "server_tool_use"
        | "function_call" => {
            return named_call(
                json,
                text(json, &["call_id", "id", "toolCallId", "tool_call_id"]),
            );
        }
        "function" => return named_call(field(json, &["function"])?, text(json, &["id"])),
        "tool_call_response"
        | "tool-result"
        | "tool_result"
        | "server_tool_call_response"
        | "function_call_output" => {
            let content = field(json, &["response", "result", "output", "content"]);
            return Some(Part::ToolResult {
                id: text(
                    json,
                    &["call_id", "tool_use_id", "toolCallId", "tool_call_id", "id"],
                ),
                name: text(json, &["name", "toolName"]),
                content: content.map(result_text).unwrap_or_default(),
            });
        }
        _ => {}
    }
    if let Some(call) = field(json, &["toolUse"]) {
        return named_call(call, text(call, &["toolUseId"]));
    }
    if let Some(call) = field(json, &["functionCall", "function_call"]) {
        return named_call(call, text(call, &["id"]));
    }
    // OpenAI's list of calls, and LangChain's, which names the arguments `args`.
    if let Some(call) = field(json, &["function"]) {
        return named_call(call, text(json, &["id"]));
    }
    if kind.is_empty()
        && json.get("name").is_some()
        && field(json, &["args", "arguments"]).is_some()
    {
        return named_call(json, text(json, &["id", "tool_call_id"]));
    }
    let result = field(
        json,
        &["toolResult", "functionResponse", "function_response"],
    )?;
    let content = field(result, &["content", "response"]);
    Some(Part::ToolResult {
        id: text(result, &["toolUseId", "id"]),
        name: text(result, &["name"]),
        content: content.map(result_text).unwrap_or_default(),
    })
}

/// A call of a tool with its name and arguments, however they are spelled.
pub(super) fn named_call(call: &Json, id: Option<String>) -> Option<Part> {
    let arguments = field(call, &["arguments", "args", "input"]);
    Some(Part::ToolCall {
        id,
        name: text(call, &["name", "toolName"])?,
        arguments: arguments.map(compact).unwrap_or_default(),
    })
}

/// A tool's result as text: blocks of plain text are joined, anything else stays JSON.
pub(super) fn result_text(content: &Json) -> String {
    let block = |item: &Json| {
        let fields = item.as_object()?;
        let plain = fields.keys().all(|name| name == "text" || name == "type");
        plain
            .then(|| item.get("text")?.as_str().map(ToOwned::to_owned))
            .flatten()
    };
    let texts = |items: &Vec<Json>| items.iter().map(block).collect::<Option<Vec<_>>>();
    match content {
        Json::Array(items) if !items.is_empty() => {
            texts(items).map_or_else(|| compact(content), |texts| texts.join("\n"))
        }
        other => compact(other),
    }
}

fn spoken_part(json: &Json, kind: &str) -> Option<Part> {
    if matches!(kind, "reasoning" | "thinking" | "summary_text")
        || json.get("thought").and_then(Json::as_bool) == Some(true)
    {
        let text = text(json, &["content", "text", "thinking"])
            .or_else(|| field(json, &["summary"]).map(result_text))?;
        return Some(Part::Reasoning { text });
    }
    if let Some(content) = field(json, &["reasoningContent"]) {
        let inner = field(content, &["reasoningText"]).unwrap_or(content);
        return Some(Part::Reasoning {
            text: text(inner, &["text"])?,
        });
    }
    if kind == "refusal" {
        return Some(Part::Refusal {
            text: text(json, &["refusal", "content", "text"])?,
        });
    }
    if matches!(kind, "" | "text" | "input_text" | "output_text") {
        let nested = field(json, &["text"]).and_then(|inner| text(inner, &["value"]));
        return nested
            .or_else(|| text(json, &["content", "text"]))
            .map(|text| Part::Text { text });
    }
    None
}

/// Whether a text is a picture in base64, and no address, path or id: it begins as pictures do, or could be nothing else.
fn is_content(text: &str) -> bool {
    // PNG, JPEG, GIF, RIFF, SVG and XML: these may be cut, and are told of as such.
    const BEGINNINGS: [&str; 6] = ["iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR", "PHN2Zy", "PD94bW"];
    if text.len() < SHORTEST_IMAGE {
        return false;
    }
    let digits = text.trim_end_matches('=');
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    BEGINNINGS
        .iter()
        .any(|beginning| text.starts_with(beginning))
        || (text.len() >= SURELY_CONTENT
            && !text.starts_with('/')
            && digits.len() % 4 != 1
            && digits.bytes().all(is_digit)
            && !digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether a text is an address with its scheme, and not one that holds the content itself.
fn is_address(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let mut letters = scheme.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '.' | '-'))
        && scheme != "data"
        && !rest.is_empty()
        && !text.contains(char::is_whitespace)
}

fn media_part(json: &Json, kind: &str) -> Option<Part> {
    let modality = |mime: Option<&str>, fallback: &str| {
        let top = mime
            .and_then(|mime| mime.split('/').next())
            .unwrap_or_default();
        let known = matches!(top, "image" | "audio" | "video");
        if known { top } else { fallback }.to_owned()
    };
    let mime = text(json, &["mime_type", "mimeType", "media_type", "mediaType"]);
    match kind {
        "blob" | "uri" | "file" | "media" | "input_file" => {
            let stated = text(json, &["modality"]);
            // OpenAI's chat keeps the file's fields together.
            let json = field(json, &["file"])
                .filter(|file| file.is_object())
                .unwrap_or(json);
            let data = text(json, &["content", "data", "file_data"]).filter(|_| kind != "uri");
            let modality = stated.unwrap_or_else(|| modality(mime.as_deref(), "file"));
            let uri = text(json, &["uri", "url", "file_id", "file_uri", "filename"]);
            return Some(media(&modality, mime, uri, data));
        }
        "image_url" | "input_image" | "image" => {
            let source = field(json, &["image_url", "image", "source"]).unwrap_or(json);
            // The AI SDK writes the content itself where others write an address.
            let (uri, data) = match source.as_str() {
                Some(content) if is_content(content) => (None, Some(content.to_owned())),
                Some(stated) => (Some(stated.to_owned()), None),
                None => (
                    text(source, &["url", "uri", "file_id"]),
                    text(source, &["data"]),
                ),
            };
            let mime = mime.or_else(|| text(source, &["media_type", "mime_type"]));
            return Some(media("image", mime, uri, data));
        }
        "input_audio" | "audio" => {
            let source = field(json, &["input_audio", "audio"]).unwrap_or(json);
            let mime =
                mime.or_else(|| text(source, &["format"]).map(|format| format!("audio/{format}")));
            return Some(media(
                "audio",
                mime,
                text(source, &["url", "id"]),
                text(source, &["data"]),
            ));
        }
        _ => {}
    }
    if let Some(inline) = field(json, &["inlineData", "inline_data"]) {
        let mime = text(inline, &["mimeType", "mime_type"]);
        let modality = modality(mime.as_deref(), "file");
        return Some(media(&modality, mime, None, text(inline, &["data"])));
    }
    if let Some(file) = field(json, &["fileData", "file_data"]) {
        let mime = text(file, &["mimeType", "mime_type"]);
        let modality = modality(mime.as_deref(), "file");
        return Some(media(
            &modality,
            mime,
            text(file, &["fileUri", "file_uri"]),
            None,
        ));
    }
    for (name, modality) in [("image", "image"), ("video", "video"), ("document", "file")] {
        // Bedrock: {"image": {"format": "png", "source": {"bytes": …}}}
        if let Some(block) = field(json, &[name]).filter(|block| block.get("source").is_some()) {
            let mime = text(block, &["format"]).map(|format| format!("{name}/{format}"));
            let data = field(block, &["source"]).and_then(|source| text(source, &["bytes"]));
            return Some(media(modality, mime, None, data));
        }
    }
    None
}

/// A media part; a `data:` URI is taken apart into type and content, wherever it stands.
pub(in crate::convention) fn media(
    modality: &str,
    mime_type: Option<String>,
    uri: Option<String>,
    data: Option<String>,
) -> Part {
    let inline = |text: Option<&String>| {
        let (head, content) = text?.strip_prefix("data:")?.split_once(',')?;
        let mime = head.strip_suffix(";base64")?;
        Some((mime.to_owned(), content.to_owned()))
    };
    // The AI SDK and others write an address where content may stand.
    let (uri, data) = match data {
        Some(address) if is_address(&address) => {
            (uri.filter(|uri| is_address(uri)).or(Some(address)), None)
        }
        data => (uri, data),
    };
    let (in_uri, in_data) = (inline(uri.as_ref()), inline(data.as_ref()));
    let uri = uri.filter(|_| in_uri.is_none());
    let bare = data.filter(|_| in_data.is_none());
    let (mime, data) = match (in_data, bare, in_uri) {
        (Some((mime, content)), _, _) | (None, None, Some((mime, content))) => {
            (Some(mime), Some(content))
        }
        (None, Some(content), inline) => (inline.map(|(mime, _)| mime), Some(content)),
        (None, None, None) => (None, None),
    };
    Part::Media {
        modality: modality.to_owned(),
        mime_type: mime_type.or(mime.filter(|mime| !mime.is_empty())),
        uri,
        data,
        embedded: None,
    }
}
