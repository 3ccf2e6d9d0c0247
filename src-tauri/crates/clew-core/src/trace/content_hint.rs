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
    /// It records content whatever it is told: something dropped it on the way.
    Always,
    /// It never has any.
    Never,
    /// It has what was asked and what its tools did, but not at its model calls.
    Apart,
}

/// What OpenTelemetry's own instrumentations take, old and new, as README and Connect say it too: the first variable
/// alone is for the old ones, which without it understand only `true`; the new ones refuse `true`.
const OPENTELEMETRY: &str = "OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only";

/// What to raise where an SDK may have dropped content.
const LIMITS: &str = "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=1000 OTEL_SPAN_EVENT_COUNT_LIMIT=1000";

/// Beginnings of scope names, who that is, what it does by default, and the setting as it is pasted; the first that fits
/// counts.
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
        "opentelemetry.instrumentation.google_genai",
        "OpenTelemetry's Google GenAI instrumentation",
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
        "@arizeai/openinference",
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
        "lmnr.opentelemetry_lib.",
        "Laminar",
        ByDefault::On,
        "LMNR_TRACE_CONTENT=true",
    ),
    (
        "livekit-agents",
        "LiveKit Agents",
        ByDefault::Off,
        "set_tracer_provider(provider, allow_pii=True)",
    ),
    (
        "langfuse-sdk",
        "Langfuse",
        ByDefault::On,
        "@observe(capture_input=True, capture_output=True)",
    ),
    (
        "langsmith",
        "LangSmith",
        ByDefault::On,
        "LANGSMITH_HIDE_INPUTS=false LANGSMITH_HIDE_OUTPUTS=false",
    ),
    (
        "mlflow.",
        "MLflow",
        ByDefault::On,
        "mlflow.openai.autolog(log_traces=True)",
    ),
    (
        "litellm",
        "LiteLLM",
        ByDefault::On,
        "litellm.turn_off_message_logging = False",
    ),
    ("logfire", "Logfire", ByDefault::Always, LIMITS),
    (
        "gcp.vertex.agent",
        "The Agent Development Kit",
        ByDefault::Off,
        "ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS=true OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_and_event",
    ),
    (
        "strands.telemetry.tracer",
        "Strands",
        ByDefault::Always,
        LIMITS,
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
        "SPRING_AI_CHAT_OBSERVATIONS_LOGPROMPT=true SPRING_AI_CHAT_OBSERVATIONS_LOGCOMPLETION=true",
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
        "copilot-chat",
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
        "OTEL_LOG_USER_PROMPTS=1 OTEL_LOG_TOOL_CONTENT=1 ENABLE_BETA_TRACING_DETAILED=1 BETA_TRACING_ENDPOINT=http://127.0.0.1:4318",
    ),
    (
        "codex_cli",
        "Codex",
        ByDefault::Apart,
        "log_user_prompt = true",
    ),
    (
        "codex_exec",
        "Codex",
        ByDefault::Apart,
        "log_user_prompt = true",
    ),
    (
        "gemini-cli",
        "Gemini CLI",
        ByDefault::On,
        r#""logPrompts": true"#,
    ),
    ("vllm.llm_engine", "vLLM", ByDefault::Never, ""),
    (
        "openlit",
        "OpenLIT",
        ByDefault::On,
        "openlit.init(capture_message_content=True)",
    ),
    (
        "haystack",
        "Haystack",
        ByDefault::Off,
        "HAYSTACK_CONTENT_TRACING_ENABLED=true",
    ),
    (
        "crewai.telemetry",
        "CrewAI",
        ByDefault::Off,
        "Crew(share_crew=True)",
    ),
];

/// Where a setting belongs that is neither a variable of the environment nor a line of the program, or what else may
/// stand in its way, by who takes it: a sentence.
const PLACES: &[(&str, &str)] = &[
    ("Langfuse", "No mask may be given to Langfuse(mask=…)."),
    (
        "LiveKit Agents",
        "It is for Python, from livekit-agents 1.8 on.",
    ),
    (
        "Claude Code",
        "BETA_TRACING_ENDPOINT is the address at which Clew listens for OTLP over HTTP; 4318 is its port where you chose no other.",
    ),
    ("Codex", "It belongs below [otel] in config.toml."),
    (
        "Gemini CLI",
        "It belongs to \"telemetry\" in settings.json.",
    ),
];

/// Why a model call shows no content, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hint {
    who: &'static str,
    why: &'static str,
    /// What to paste into a shell, a program or a file of settings; empty where nothing helps.
    pub(crate) setting: &'static str,
    /// Where it belongs, or what else to see to: a sentence, or nothing.
    pub(crate) place: &'static str,
}

impl Hint {
    /// Why there is no content, in a sentence.
    pub(crate) fn reason(&self) -> String {
        format!("{} {}.", self.who, self.why)
    }

    /// As the side panel shows it.
    pub(crate) fn shown(&self) -> ContentHint {
        let mut reason = self.reason();
        if !self.place.is_empty() {
            reason.push(' ');
            reason.push_str(self.place);
        }
        ContentHint {
            reason,
            setting: self.setting.to_owned(),
        }
    }
}

/// The hint for a model call that states a model or tokens, but neither what was sent nor what came back.
pub(crate) fn content_hint(scope: &str, facts: &Facts) -> Option<Hint> {
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
        ByDefault::Always => {
            "always records what was sent and answered; here the SDK's limits may have dropped it"
        }
        ByDefault::Never => {
            "measures the server and never sends content; watch the program that calls it"
        }
        ByDefault::Apart => {
            "states what was asked, once it is told to, and what its tools did at spans of their own, and never at its model calls"
        }
        ByDefault::On => "records what was sent and answered unless it is told not to, as here",
    };
    let place = PLACES.iter().find(|(known, _)| *known == who);
    Some(Hint {
        who,
        why,
        setting,
        place: place.map_or("", |(_, place)| place),
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
            ("vllm.llm_engine", ""),
            ("logfire.openai", "COUNT_LIMIT=1000"),
            ("codex_cli_rs", "log_user_prompt"),
            (
                "lmnr.opentelemetry_lib.opentelemetry.instrumentation.openai.v1",
                "LMNR_TRACE_CONTENT=true",
            ),
            ("livekit-agents", "allow_pii=True"),
            ("codex_exec", "log_user_prompt"),
            ("com.anthropic.claude_code.tracing", "BETA_TRACING_ENDPOINT"),
            ("aiohttp", "OTEL_INSTRUMENTATION_GENAI"),
        ] {
            let hint = content_hint(scope, &bare_call()).expect("a call without content");
            assert!(hint.setting.contains(expected), "{scope}: {}", hint.setting);
        }
    }

    #[test]
    fn settings_are_pasted_and_what_else_to_see_to_is_said() {
        for (_, who, _, setting) in SETTINGS {
            for prose in [", and ", ", in ", "…", "\n"] {
                assert!(!setting.contains(prose), "{who}: {setting}");
            }
        }
        for (who, place) in PLACES {
            assert!(SETTINGS.iter().any(|(_, known, ..)| known == who), "{who}");
            assert!(place.ends_with('.'), "{place}");
        }
        let hint = content_hint("gemini-cli", &bare_call()).expect("a call without content");
        assert!(
            hint.shown()
                .reason
                .ends_with("It belongs to \"telemetry\" in settings.json.")
        );
        assert!(!hint.reason().contains("settings.json"));
    }

    #[test]
    fn no_hint_where_there_is_content_or_no_call() {
        let mut with_content = bare_call();
        with_content.output_value = Some(Stated::new("hi".to_owned(), "general", "output"));
        assert_eq!(content_hint("ai", &with_content), None);
        assert_eq!(content_hint("ai", &Facts::default()), None);
    }
}
