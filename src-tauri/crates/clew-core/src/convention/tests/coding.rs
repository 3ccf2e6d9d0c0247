//! What coding agents state, as they really state it: much of it in events that stand at other spans than the call's.

use super::recorded::{Recorded, recorded};
use super::{of, text, value};
use crate::convention::facts;
use crate::model::{ErrorClass, Facts, Operation, ToolFact};

/// The spans of a recording that do this, with their names.
fn doing(folder: &str, operation: Operation) -> Vec<(String, Facts)> {
    let all = recorded(folder);
    let read = |it: &Recorded| (it.span.name.clone(), facts(&it.view()));
    let mut found: Vec<_> = all.iter().map(read).collect();
    found.retain(|(_, facts)| value(&facts.operation) == Some(operation));
    found
}

fn tools(folder: &str) -> Vec<ToolFact> {
    let tools = doing(folder, Operation::Tool);
    tools
        .iter()
        .map(|(name, facts)| value(&facts.tool).unwrap_or_else(|| panic!("{name} is of a tool")))
        .collect()
}

fn holds(text: Option<&String>, part: &str) -> bool {
    text.is_some_and(|text| text.contains(part))
}

#[test]
fn an_interaction_has_its_prompt_its_last_answer_and_the_bills_of_its_own_requests() {
    let interactions = doing("claude_code", Operation::Agent);
    let [(_, facts)] = interactions.as_slice() else {
        panic!("one prompt is one interaction: {interactions:?}");
    };
    assert!(holds(
        value(&facts.input_value).as_ref(),
        "The parser test fails."
    ));
    assert!(holds(
        value(&facts.output_value).as_ref(),
        "Fixed: `fields`"
    ));
    assert_eq!(facts.usage, None, "its requests have the tokens");
    assert_eq!(facts.cost_usd, None, "and each its own cost");
    let bills = value(&facts.bills).expect("the requests' events");
    let told: Vec<_> = bills.iter().map(|bill| (bill.usd, bill.written)).collect();
    assert_eq!(
        told,
        [
            (Some(0.075_017_500_000_000_01), Some((162, 2_048))),
            (Some(0.058_84), None),
            (Some(0.059_287_5), None),
            (Some(0.057_45), None),
            (Some(0.057_895), None),
        ]
    );

    let calls = doing("claude_code", Operation::Llm);
    assert_eq!(calls.len(), 7);
    for (_, call) in &calls {
        assert!(call.usage.is_some() && call.request_id.is_some());
    }
    let models: Vec<_> = calls
        .iter()
        .filter_map(|(_, call)| value(&call.request_model))
        .collect();
    let of_agent = models.iter().filter(|model| model.contains("haiku"));
    assert_eq!(of_agent.count(), 2, "the agent below asks a smaller model");
}

#[test]
fn the_tools_of_claude_code_show_what_they_were_given_and_what_came_out() {
    let tools = tools("claude_code");
    let named = |name: &str| -> Vec<&ToolFact> {
        let of = |tool: &&ToolFact| tool.name.as_deref() == Some(name);
        tools.iter().filter(of).collect()
    };
    assert!(holds(named("Read")[0].arguments.as_ref(), "parser.py"));
    assert!(holds(named("Read")[0].result.as_ref(), "def fields"));
    assert!(
        named("Bash")
            .iter()
            .any(|tool| holds(tool.arguments.as_ref(), "grep -n")
                && holds(tool.result.as_ref(), "test_parser.py:8"))
    );
    assert_eq!(named("Agent").len(), 1);
    let failed = doing("claude_code", Operation::Other);
    let failed: Vec<_> = failed
        .iter()
        .filter_map(|(name, facts)| Some((name.as_str(), value(&facts.error_class)?)))
        .collect();
    assert_eq!(failed, [("claude_code.tool.execution", ErrorClass::Tool)]);
}

#[test]
fn the_marks_of_detailed_tracing_are_no_part_of_what_a_tool_was_given() {
    let facts = of(vec![
        text("span.type", "tool"),
        text("tool_name", "Bash"),
        text("tool_input", "[TOOL INPUT: Bash]\n{\"command\":\"ls\"}"),
        text("new_context", "[TOOL RESULT: Bash]\n{\"stdout\":\"a\"}"),
    ]);
    let tool = value(&facts.tool).expect("a tool");
    assert_eq!(tool.arguments.as_deref(), Some("{\"command\":\"ls\"}"));
    assert_eq!(tool.result.as_deref(), Some("{\"stdout\":\"a\"}"));
    assert_eq!(facts.input_value, None);
}

#[test]
fn codex_tells_of_each_response_once() {
    let calls = doing("codex", Operation::Llm);
    let usage: Vec<_> = calls
        .iter()
        .map(|(_, call)| value(&call.usage).expect("usage"))
        .collect();
    assert_eq!(usage.len(), 3, "{calls:?}");
    let cached: Vec<_> = usage.iter().map(|usage| usage.cache_read).collect();
    assert_eq!(cached, [Some(4096), Some(5120), Some(5632)]);
    assert_eq!(usage[0].cache_write, Some(1024));
    assert_eq!(usage[0].reasoning, Some(64));
}

#[test]
fn the_tools_of_codex_show_what_they_were_given_and_what_came_out() {
    let tools = tools("codex");
    let names: Vec<_> = tools
        .iter()
        .filter_map(|tool| tool.name.as_deref())
        .collect();
    assert_eq!(
        names.iter().filter(|name| **name == "exec").count(),
        2,
        "{names:?}"
    );
    assert_eq!(names.len(), 5, "{names:?}");
    let patch = tools
        .iter()
        .find(|tool| tool.name.as_deref() == Some("apply_patch"))
        .expect("a patch");
    assert!(holds(patch.arguments.as_ref(), "field.strip()"));
    assert!(holds(patch.result.as_ref(), "Success"));
}

#[test]
fn the_time_until_codex_first_answers_is_no_time_of_a_call() {
    let all = recorded("codex");
    let first = all
        .iter()
        .map(|it| (it.span.name.as_str(), facts(&it.view())))
        .find(|(_, facts)| facts.ttft_nanos.is_some())
        .expect("a first token");
    assert_eq!(first.0, "try_run_sampling_request");
    assert_eq!(first.1.timing, None);
}

#[test]
fn the_tools_of_gemini_cli_show_what_they_were_given_and_what_came_out() {
    let tools = tools("gemini_cli");
    let names: Vec<_> = tools
        .iter()
        .filter_map(|tool| tool.name.as_deref())
        .collect();
    assert_eq!(names, ["read_file", "run_shell_command", "replace"]);
    assert_eq!(
        tools[0].arguments.as_deref(),
        Some("{\"file_path\":\"/srv/desk/parser.py\"}")
    );
    assert!(
        tools[0]
            .result
            .as_ref()
            .is_some_and(|result| result.starts_with("def fields"))
    );
    for (name, call) in doing("gemini_cli", Operation::Llm) {
        assert!(call.input.is_some() && call.output.is_some(), "{name}");
        assert_eq!(call.prompt, None, "an id of the turn names no prompt");
    }
}
