//! Who serves a model: one name for each provider, whatever the instrumentation calls it (semconv.md §2).

/// One name and the names that mean it.
const ALIASES: &[(&str, &[&str])] = &[
    (
        "openai",
        &[
            "openai.chat",
            "openai.responses",
            "openai.completion",
            "openai.embedding",
            "open_ai",
        ],
    ),
    ("anthropic", &["anthropic.messages", "claude"]),
    (
        "azure.ai.openai",
        &[
            "azure",
            "az.ai.openai",
            "azure_openai",
            "azure-openai",
            "azureopenai",
        ],
    ),
    (
        "azure.ai.inference",
        &["az.ai.inference", "azure_ai", "azure_ai_inference"],
    ),
    (
        "gcp.gemini",
        &[
            "gemini",
            "google",
            "google.generative-ai",
            "google_genai",
            "google-genai",
            "google_generativeai",
        ],
    ),
    (
        "gcp.vertex_ai",
        &[
            "vertex_ai",
            "vertexai",
            "vertex",
            "google.vertex",
            "google_vertexai",
        ],
    ),
    ("gcp.gen_ai", &[]),
    (
        "aws.bedrock",
        &[
            "aws_bedrock",
            "aws",
            "amazon-bedrock",
            "amazon_bedrock",
            "bedrock",
            "bedrock_converse",
        ],
    ),
    ("mistral_ai", &["mistralai", "mistral"]),
    ("x_ai", &["xai", "x-ai"]),
    ("ibm.watsonx.ai", &["watsonx", "ibm_watsonx", "ibm"]),
    ("together_ai", &["together"]),
    ("moonshot_ai", &["moonshot"]),
    ("hugging_face", &["huggingface"]),
    ("fireworks", &["fireworks_ai"]),
    ("meta", &["meta_llama", "meta-llama"]),
];

/// Prefixes that mean a provider, for names that carry the kind of call behind a dot.
const PREFIXES: &[(&str, &str)] = &[
    ("openai.", "openai"),
    ("anthropic.", "anthropic"),
    ("azure-openai.", "azure.ai.openai"),
    ("google.vertex", "gcp.vertex_ai"),
    ("google.generative-ai", "gcp.gemini"),
    ("mistral.", "mistral_ai"),
    ("xai.", "x_ai"),
    ("cohere.", "cohere"),
    ("groq.", "groq"),
    ("amazon-bedrock.", "aws.bedrock"),
];

/// Frameworks that stand where a provider should.
const FRAMEWORKS: &[&str] = &[
    "langchain",
    "langgraph",
    "llama_index",
    "llamaindex",
    "crewai",
    "strands-agents",
    "autogen",
    "spring_ai",
    "pydantic-ai",
    "pydantic_ai",
    "openai_agents",
    "haystack",
    "dspy",
    "smolagents",
    "unknown",
    "none",
    "null",
];

/// Beginnings of model names and who makes them.
const MODELS: &[(&str, &str)] = &[
    ("gpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("chatgpt", "openai"),
    ("text-embedding-", "openai"),
    ("davinci", "openai"),
    ("claude", "anthropic"),
    ("gemini", "gcp.gemini"),
    ("palm", "gcp.gemini"),
    ("command", "cohere"),
    ("embed-english", "cohere"),
    ("embed-multilingual", "cohere"),
    ("rerank-", "cohere"),
    ("mistral", "mistral_ai"),
    ("mixtral", "mistral_ai"),
    ("codestral", "mistral_ai"),
    ("llama", "meta"),
    ("deepseek", "deepseek"),
    ("grok", "x_ai"),
    ("sonar", "perplexity"),
    ("qwen", "qwen"),
];

/// The provider's one name; `None` for the empty text and for frameworks, which are not providers.
#[must_use]
pub fn provider(stated: &str) -> Option<String> {
    let name = stated.trim().to_lowercase();
    if name.is_empty() || FRAMEWORKS.contains(&name.as_str()) {
        return None;
    }
    let folded = ALIASES
        .iter()
        .find(|(canonical, aliases)| *canonical == name || aliases.contains(&name.as_str()))
        .map(|(canonical, _)| *canonical)
        .or_else(|| {
            let prefix = PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix));
            prefix.map(|(_, canonical)| *canonical)
        });
    Some(folded.map_or(name, ToOwned::to_owned))
}

/// The provider that a model's name gives away: a `provider/model` prefix first, then who makes such models.
pub(super) fn of_model(model: &str) -> Option<String> {
    if let Some((prefix, _)) = model.split_once('/') {
        let known = provider(prefix)?;
        let listed = ALIASES.iter().any(|(canonical, _)| *canonical == known)
            || MODELS.iter().any(|(_, canonical)| *canonical == known)
            || matches!(
                known.as_str(),
                "openrouter" | "ollama" | "groq" | "cerebras" | "replicate"
            );
        return listed.then_some(known);
    }
    let name = model.to_lowercase();
    let maker = MODELS.iter().find(|(prefix, _)| name.starts_with(prefix));
    maker.map(|(_, canonical)| (*canonical).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_for_each_provider() {
        for (stated, expected) in [
            ("OpenAI", Some("openai")),
            ("openai.responses", Some("openai")),
            ("az.ai.openai", Some("azure.ai.openai")),
            ("google.vertex.chat", Some("gcp.vertex_ai")),
            ("Cohere", Some("cohere")),
            ("strands-agents", None),
            ("", None),
        ] {
            assert_eq!(provider(stated).as_deref(), expected, "{stated}");
        }
    }

    #[test]
    fn a_model_gives_its_provider_away() {
        for (model, expected) in [
            ("gpt-4o-2024-08-06", Some("openai")),
            ("claude-sonnet-4-5", Some("anthropic")),
            ("azure/gpt-4o", Some("azure.ai.openai")),
            ("mystery-1", None),
            ("someone/mystery-1", None),
        ] {
            assert_eq!(of_model(model).as_deref(), expected, "{model}");
        }
    }
}
