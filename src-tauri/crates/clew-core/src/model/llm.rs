//! What a model call is made of: operation, messages, parts, documents.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Embedded;

/// What kind of step a span is; the same ten everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// An agent's run: a loop of model calls and tools.
    Agent,
    /// A chain, workflow or task that groups other steps.
    Chain,
    /// One call of a language model.
    Llm,
    /// One execution of a tool.
    Tool,
    /// A search for documents.
    Retriever,
    /// A call of an embedding model.
    Embedding,
    /// A call of a reranking model.
    Reranker,
    /// A check that may stop an input or output.
    Guardrail,
    /// A judgement of an output.
    Evaluator,
    /// Anything else.
    Other,
}

impl Operation {
    /// All ten, in the order in which lists and legends show them.
    pub const ALL: [Self; 10] = [
        Self::Agent,
        Self::Chain,
        Self::Llm,
        Self::Tool,
        Self::Retriever,
        Self::Embedding,
        Self::Reranker,
        Self::Guardrail,
        Self::Evaluator,
        Self::Other,
    ];

    /// The lower-case name used in filters, files and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Chain => "chain",
            Self::Llm => "llm",
            Self::Tool => "tool",
            Self::Retriever => "retriever",
            Self::Embedding => "embedding",
            Self::Reranker => "reranker",
            Self::Guardrail => "guardrail",
            Self::Evaluator => "evaluator",
            Self::Other => "other",
        }
    }

    /// Reads [`Operation::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.name() == name)
    }
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Who speaks: `system`, `user`, `assistant`, `tool`, or what the source says.
    pub role: String,
    /// The speaker's name, where one is stated.
    pub name: Option<String>,
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// Why the model stopped, on an output message that states it.
    pub finish_reason: Option<String>,
}

/// One piece of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Part {
    /// Plain or Markdown text.
    Text {
        /// The text as received.
        text: String,
    },
    /// The model's reasoning, where the provider shows it.
    Reasoning {
        /// The text as received.
        text: String,
    },
    /// The model asks for a tool.
    ToolCall {
        /// The provider's id of the call, which its result repeats.
        id: Option<String>,
        /// The tool's name.
        name: String,
        /// The arguments: JSON text where they are structured.
        arguments: String,
    },
    /// What a tool answered.
    ToolResult {
        /// The id of the call that is answered.
        id: Option<String>,
        /// The tool's name, where stated.
        name: Option<String>,
        /// The result: JSON text where it is structured.
        content: String,
    },
    /// An image, sound or file; never fetched.
    Media {
        /// `image`, `audio`, `video` or `file`.
        modality: String,
        /// The stated media type.
        mime_type: Option<String>,
        /// Where the source says that it is; shown, never loaded.
        uri: Option<String>,
        /// The content itself in base64, where the span carries it.
        data: Option<String>,
        /// What `data` is by its beginning; told only where the span is looked at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        embedded: Option<Embedded>,
    },
    /// The model declines, stated as such by the provider.
    Refusal {
        /// The text as received.
        text: String,
    },
}

/// One retrieved or reranked document.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// The source's id of the document.
    pub id: Option<String>,
    /// Its text.
    pub content: Option<String>,
    /// Relevance as stated; the scale is the source's.
    pub score: Option<f64>,
    /// Anything else that is stated, as JSON text.
    pub metadata: Option<String>,
}

/// A tool that the model was offered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ToolDefinition {
    /// The tool's name.
    pub name: String,
    /// What it says it does.
    pub description: Option<String>,
    /// JSON schema of its parameters, as JSON text.
    pub parameters: Option<String>,
}
