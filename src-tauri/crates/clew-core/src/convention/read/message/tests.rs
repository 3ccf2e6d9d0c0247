use super::*;

/// What a conversation says, one line a part: `role: what`.
fn told(messages: &[Message]) -> Vec<String> {
    let line = |message: &Message, part: &Part| {
        let what = match part {
            Part::Text { text } => text.clone(),
            Part::Reasoning { text } => format!("thinks {text}"),
            Part::ToolCall {
                id,
                name,
                arguments,
            } => {
                format!("calls {name}({arguments}) {}", id.as_deref().unwrap_or("-"))
            }
            Part::ToolResult { id, content, .. } => {
                format!("got {content} {}", id.as_deref().unwrap_or("-"))
            }
            Part::Media {
                modality,
                mime_type,
                uri,
                data,
                ..
            } => format!(
                "{modality} {} {} {}",
                mime_type.as_deref().unwrap_or("-"),
                uri.as_deref().unwrap_or("-"),
                data.as_deref().unwrap_or("-")
            ),
            Part::Refusal { text } => format!("refuses {text}"),
        };
        format!("{}: {what}", message.role)
    };
    let lines = messages
        .iter()
        .flat_map(|message| message.parts.iter().map(move |part| line(message, part)));
    lines.collect()
}

fn read(text: &str) -> Vec<String> {
    told(&messages(&Value::StringValue(text.to_owned()), "user").unwrap_or_default())
}

#[test]
fn every_shape_says_the_same() {
    let call = "assistant: calls sum({\"a\":1}) c1";
    let result = "tool: got 2 c1";
    for (shape, json) in [
        (
            "OpenTelemetry",
            r#"[{"role":"user","parts":[{"type":"text","content":"add"}],"name":null},
                {"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"sum","arguments":{"a":1}}]},
                {"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":"2"}]}]"#,
        ),
        (
            "OpenAI chat",
            r#"[{"role":"user","content":"add"},
                {"role":"assistant","content":null,"refusal":null,
                 "tool_calls":[{"id":"c1","type":"function","function":{"name":"sum","arguments":"{\"a\":1}"}}]},
                {"role":"tool","tool_call_id":"c1","content":"2"}]"#,
        ),
        (
            "OpenAI responses",
            r#"{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"add"}]},
                {"type":"function_call","id":"fc_9","call_id":"c1","name":"sum","arguments":"{\"a\":1}"},
                {"type":"function_call_output","call_id":"c1","output":"2"}]}"#,
        ),
        (
            "Anthropic",
            r#"{"messages":[{"role":"user","content":"add"},
                {"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"sum","input":{"a":1}}]},
                {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":[{"type":"text","text":"2"}]}]}]}"#,
        ),
        (
            "Bedrock",
            r#"[{"role":"user","content":[{"text":"add"}]},
                {"role":"assistant","content":[{"toolUse":{"toolUseId":"c1","name":"sum","input":{"a":1}}}]},
                {"role":"user","content":[{"toolResult":{"toolUseId":"c1","content":[{"text":"2"}],"status":"success"}}]}]"#,
        ),
        (
            "AI SDK",
            r#"[{"role":"user","content":"add"},
                {"role":"assistant","content":[{"type":"tool-call","toolCallId":"c1","toolName":"sum","input":{"a":1}}]},
                {"role":"tool","content":[{"type":"tool-result","toolCallId":"c1","toolName":"sum","output":"2"}]}]"#,
        ),
        (
            "LangChain",
            r#"{"messages":[[
                {"lc":1,"type":"constructor","id":["langchain","HumanMessage"],"kwargs":{"content":"add","type":"human"}},
                {"lc":1,"type":"constructor","id":["langchain","AIMessage"],"kwargs":{"content":"",
                 "tool_calls":[{"name":"sum","args":{"a":1},"id":"c1","type":"tool_call"}]}},
                {"type":"tool","data":{"content":"2","tool_call_id":"c1","type":"tool"}}]]}"#,
        ),
    ] {
        let lines = read(json);
        assert_eq!(lines[..2], ["user: add", call], "{shape}");
        // Anthropic and Bedrock let the user's side hand the result in.
        let handed = lines[2].replace("user: got", "tool: got");
        assert_eq!(handed, result, "{shape}");
    }
}

#[test]
fn gemini_has_roles_and_parts_of_its_own() {
    let lines = read(
        r#"{"contents":[{"role":"user","parts":[{"text":"add"},{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},
            {"role":"model","parts":[{"thought":true,"text":"hm"},{"functionCall":{"name":"sum","args":{"a":1}}}]},
            {"role":"user","parts":[{"functionResponse":{"name":"sum","response":{"result":2}}}]}],
            "systemInstruction":{"parts":[{"text":"be brief"}]}}"#,
    );
    assert_eq!(
        lines,
        [
            "system: be brief",
            "user: add",
            "user: image image/png - aGk=",
            "assistant: thinks hm",
            "assistant: calls sum({\"a\":1}) -",
            "user: got {\"result\":2} -",
        ]
    );
}

#[test]
fn responses_give_one_message_a_choice_with_its_reason() {
    for json in [
        r#"{"id":"x","choices":[{"index":0,"finish_reason":"length","message":{"role":"assistant","content":"hi"}}]}"#,
        r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"MAX_TOKENS"}]}"#,
        r#"{"role":"assistant","content":[{"type":"text","text":"hi"}],"stop_reason":"max_tokens"}"#,
    ] {
        let read = messages(&Value::StringValue(json.to_owned()), "assistant").expect("messages");
        assert_eq!(told(&read), ["assistant: hi"], "{json}");
        assert_eq!(read[0].finish_reason.as_deref(), Some("length"), "{json}");
    }
}

#[test]
fn media_keeps_what_the_span_carries_and_loads_nothing() {
    let lines = read(
        r#"[{"role":"user","content":[
            {"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}},
            {"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"aGk="}},
            {"type":"input_audio","input_audio":{"data":"aGk=","format":"wav"}},
            {"type":"uri","modality":"video","mime_type":"video/mp4","uri":"s3://b/v"},
            {"image":{"format":"png","source":{"bytes":"aGk="}}},
            {"type":"file","mediaType":"image/png","url":"data:image/png;base64,aGk="},
            {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,aGk="}},
            {"type":"image","image":"R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw==","mimeType":"image/gif"},
            {"type":"input_image","image":"file-8aXBEg"},
            {"type":"image","image":"/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQ … cut"},
            {"type":"image_url","image_url":"/srv/uploads/2026/11/21/customers/1182/photo-of-the-parcel.png"},
            {"type":"image_url","image_url":"/srv/uploads/2026/11/21/customers/1182/parcels"},
            {"type":"input_image","image":"file-0123456789abcdef0123456789abcdef01234567"},
            {"type":"file","mediaType":"application/pdf","data":"https://x/a.pdf"},
            {"type":"file","file":{"filename":"a.pdf","file_data":"s3://b/a.pdf"}},
            {"type":"file","mediaType":"text/plain","data":"[REDACTED: see policy]"}]}]"#,
    );
    assert_eq!(
        lines,
        [
            "user: image image/png - aGk=",
            "user: image image/jpeg - aGk=",
            "user: audio audio/wav - aGk=",
            "user: video video/mp4 s3://b/v -",
            "user: image image/png - aGk=",
            "user: image image/png - aGk=",
            "user: file application/pdf a.pdf aGk=",
            "user: image image/gif - R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw==",
            "user: image - file-8aXBEg -",
            "user: image - - /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQ … cut",
            "user: image - /srv/uploads/2026/11/21/customers/1182/photo-of-the-parcel.png -",
            "user: image - /srv/uploads/2026/11/21/customers/1182/parcels -",
            "user: image - file-0123456789abcdef0123456789abcdef01234567 -",
            "user: file application/pdf https://x/a.pdf -",
            "user: file - s3://b/a.pdf -",
            "user: file text/plain - [REDACTED: see policy]",
        ]
    );
}

#[test]
fn a_call_that_is_told_twice_counts_once() {
    let lines = read(
        r#"[{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"sum","input":{"a":1}}],
            "tool_calls":[{"id":"c1","function":{"name":"sum","arguments":"{\"a\": 1}"}}]}]"#,
    );
    assert_eq!(lines, ["assistant: calls sum({\"a\":1}) c1"]);
}

#[test]
fn what_is_no_message_stays_the_text_that_it_is() {
    for text in [
        "just words",
        r#"[{"role":"user","parts":[{"type":"te"#,
        r#"{"temperature":1}"#,
        "[1,2,3]",
        "{{not json}}",
    ] {
        assert_eq!(read(text), [format!("user: {text}")]);
    }
    assert_eq!(read(r#""a \"quoted\" text""#), ["user: a \"quoted\" text"]);
    assert!(read("").is_empty());
    assert!(read("[]").is_empty() && read("{}").is_empty());
}

#[test]
fn json_that_was_written_as_json_text_is_opened() {
    let once = r#"[{"role":"user","content":"hi"}]"#;
    let twice = serde_json::to_string(once).expect("text");
    assert_eq!(read(&twice), ["user: hi"]);
}

#[test]
fn unknown_parts_are_shown_as_they_are() {
    let lines = read(r#"[{"role":"user","parts":[{"type":"hologram","shape":"cube"}]}]"#);
    assert_eq!(lines, [r#"user: {"shape":"cube","type":"hologram"}"#]);
}

#[test]
fn legacy_events_imply_their_role_and_open_blocks_in_text() {
    let told = |body: serde_json::Value, role: &str| told(&[event_message(&body, role)]);
    assert_eq!(
        told(serde_json::json!({"content": "hi"}), "user"),
        ["user: hi"]
    );
    assert_eq!(
        told(
            serde_json::json!({"content": "[{\"text\": \"hi\"}]"}),
            "system"
        ),
        ["system: hi"]
    );
    assert_eq!(
        told(serde_json::json!({"id": "c1", "content": "2"}), "tool"),
        ["tool: got 2 c1"]
    );
    assert_eq!(
        told(
            serde_json::json!("{\"role\": \"user\", \"content\": \"hi\"}"),
            "user"
        ),
        ["user: hi"]
    );
    let choice =
        serde_json::json!({"index": 0, "finish_reason": "stop", "message": {"role": "assistant"}});
    let choice = event_message(&choice, "assistant");
    assert!(choice.parts.is_empty());
    assert_eq!(choice.finish_reason.as_deref(), Some("stop"));
}
