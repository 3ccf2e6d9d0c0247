//! Why a model call shows no content, and the setting that makes the next one show it, by instrumentation scope.

use super::ContentHint;
use crate::model::{Facts, Operation};

/// What an instrumentation does about content when nobody says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByDefault {
    /// It leaves content out.
    Off,
    /// It records content: somebody turned that off.
    On,
}

/// What OpenTelemetry's own instrumentations take, old and new, as README and Connect say it too: the first variable
/// alone is for the old ones, which without it understand only `true`; the new ones refuse `true`.
const OPENTELEMETRY: &str = "OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only";

/// Beginnings of scope names, who that is, what it does by default, and the setting; the first that fits counts.
const SETTINGS: &[(&str, &str, ByDefault, &str)] = &[
    (
        "opentelemetry.instrumentation.genai.",
        "OpenTelemetry's GenAI instrumentation",
        ByDefault::Off,
        OPENTELEMETRY,
    ),
    (
        "opentelemetry.util.genai",
        "OpenTelemetry's GenAI instrumentation",
        ByDefault::Off,
        OPENTELEMETRY,
    ),
    (
        "opentelemetry.instrumentation.openai_v2",
        "OpenTelemetry's OpenAI instrumentation",
        ByDefault::Off,
        OPENTELEMETRY,
    ),
    (
        "openinference.",
        "OpenInference",
        ByDefault::On,
        "OPENINFERENCE_HIDE_INPUTS=false OPENINFERENCE_HIDE_OUTPUTS=false",
    ),
    (
        "traceloop.",
        "OpenLLMetry",
        ByDefault::On,
        "TRACELOOP_TRACE_CONTENT=true",
    ),
    (
        "opentelemetry.instrumentation.",
        "OpenLLMetry",
        ByDefault::On,
        "TRACELOOP_TRACE_CONTENT=true",
    ),
    (
        "@traceloop/",
        "OpenLLMetry",
        ByDefault::On,
        "TRACELOOP_TRACE_CONTENT=true",
    ),
    (
        "gcp.vertex.agent",
        "The Agent Development Kit",
        ByDefault::Off,
        "OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_and_event",
    ),
    (
        "pydantic-ai",
        "Pydantic AI",
        ByDefault::On,
        "Agent.instrument_all(InstrumentationSettings(include_content=True))",
    ),
    (
        "ai",
        "The AI SDK",
        ByDefault::On,
        "experimental_telemetry: { isEnabled: true, recordInputs: true, recordOutputs: true }",
    ),
    (
        "gen_ai",
        "The AI SDK",
        ByDefault::On,
        "telemetry: { recordInputs: true, recordOutputs: true }",
    ),
    (
        "org.springframework",
        "Spring AI",
        ByDefault::Off,
        "spring.ai.chat.observations.log-prompt=true spring.ai.chat.observations.log-completion=true",
    ),
    (
        "Microsoft.SemanticKernel",
        "Semantic Kernel",
        ByDefault::Off,
        "SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE=true",
    ),
    (
        "semantic_kernel",
        "Semantic Kernel",
        ByDefault::Off,
        "SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE=true",
    ),
    (
        "Experimental.Microsoft.",
        "Microsoft.Extensions.AI",
        ByDefault::Off,
        ".UseOpenTelemetry(sourceName: \"app\", configure: c => c.EnableSensitiveData = true)",
    ),
    (
        "agent_framework",
        "The Agent Framework",
        ByDefault::Off,
        "ENABLE_SENSITIVE_DATA=true",
    ),
    (
        "github.copilot",
        "Copilot",
        ByDefault::Off,
        "COPILOT_OTEL_CAPTURE_CONTENT=true",
    ),
    (
        "com.anthropic.sdk.",
        "Anthropic's SDK",
        ByDefault::Off,
        "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE=content",
    ),
    (
        "com.anthropic.claude_code",
        "Claude Code",
        ByDefault::Off,
        "OTEL_LOG_USER_PROMPTS=1",
    ),
];

/// The hint for a model call that states a model or tokens, but neither what was sent nor what came back.
pub(super) fn content_hint(scope: &str, facts: &Facts) -> Option<ContentHint> {
    let operation = facts.operation.as_ref().map(|operation| operation.value);
    let content = facts.input.is_some()
        || facts.output.is_some()
        || facts.input_value.is_some()
        || facts.output_value.is_some();
    let call =
        facts.usage.is_some() || facts.request_model.is_some() || facts.response_model.is_some();
    if operation != Some(Operation::Llm) || content || !call {
        return None;
    }
    // Short names must fit whole: many scopes begin with "ai".
    let fits = |prefix: &str| {
        if prefix.len() > 6 {
            scope.starts_with(prefix)
        } else {
            scope == prefix
        }
    };
    let known = SETTINGS.iter().find(|(prefix, ..)| fits(prefix));
    let (who, default, setting) = known.map_or(
        ("Most instrumentation", ByDefault::Off, OPENTELEMETRY),
        |(_, who, default, setting)| (*who, *default, *setting),
    );
    let why = match default {
        ByDefault::Off => "leaves out what was sent and answered unless it is told to record it",
        ByDefault::On => "records what was sent and answered unless it is told not to, as here",
    };
    Some(ContentHint {
        reason: format!("{who} {why}."),
        setting: setting.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stated;

    fn bare_call() -> Facts {
        Facts {
            operation: Some(Stated::new(
                Operation::Llm,
                "otel_genai",
                "gen_ai.operation.name",
            )),
            request_model: Some(Stated::new(
                "gpt-4o".to_owned(),
                "otel_genai",
                "gen_ai.request.model",
            )),
            ..Facts::default()
        }
    }

    #[test]
    fn each_scope_gets_its_own_setting() {
        for (scope, expected) in [
            ("opentelemetry.instrumentation.genai.openai", "=span_only"),
            (
                "opentelemetry.instrumentation.openai_v2",
                "gen_ai_latest_experimental",
            ),
            (
                "opentelemetry.instrumentation.langchain",
                "TRACELOOP_TRACE_CONTENT=true",
            ),
            (
                "openinference.instrumentation.openai",
                "OPENINFERENCE_HIDE_INPUTS=false",
            ),
            ("com.anthropic.sdk.python", "TRACES_CONTENT_MODE=content"),
            ("ai", "recordInputs"),
            ("aiohttp", "OTEL_INSTRUMENTATION_GENAI"),
        ] {
            let hint = content_hint(scope, &bare_call()).expect("a call without content");
            assert!(hint.setting.contains(expected), "{scope}: {}", hint.setting);
        }
    }

    #[test]
    fn no_hint_where_there_is_content_or_no_call() {
        let mut with_content = bare_call();
        with_content.output_value = Some(Stated::new("hi".to_owned(), "general", "output"));
        assert_eq!(content_hint("ai", &with_content), None);
        assert_eq!(content_hint("ai", &Facts::default()), None);
    }
}
