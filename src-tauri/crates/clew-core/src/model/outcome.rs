//! How a span went: the class of its error, and the stage of the pipeline that it is.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why something failed. One taxonomy for lists, trends, alerts and exports; there is no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The provider takes no more requests or tokens for now, or a quota is used up.
    RateLimit,
    /// No answer came in time.
    Timeout,
    /// The server failed.
    #[serde(rename = "5xx")]
    Server,
    /// The key is missing, wrong, or may not do this.
    Auth,
    /// The prompt, with the answer that was asked for, is longer than the model's context window.
    ContextLength,
    /// A filter stopped the prompt or the answer.
    ContentFilter,
    /// A tool failed.
    Tool,
    /// The caller gave up.
    Cancelled,
    /// Anything else.
    Other,
}

impl ErrorClass {
    /// All nine, in the order in which lists and legends show them.
    pub const ALL: [Self; 9] = [
        Self::RateLimit,
        Self::Timeout,
        Self::Server,
        Self::Auth,
        Self::ContextLength,
        Self::ContentFilter,
        Self::Tool,
        Self::Cancelled,
        Self::Other,
    ];

    /// The name used in filters, files and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RateLimit => "rate_limit",
            Self::Timeout => "timeout",
            Self::Server => "5xx",
            Self::Auth => "auth",
            Self::ContextLength => "context_length",
            Self::ContentFilter => "content_filter",
            Self::Tool => "tool",
            Self::Cancelled => "cancelled",
            Self::Other => "other",
        }
    }

    /// The name that people read.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::RateLimit => "Rate limit",
            Self::Timeout => "Timeout",
            Self::Server => "Server error",
            Self::Auth => "Authentication",
            Self::ContextLength => "Context length",
            Self::ContentFilter => "Content filter",
            Self::Tool => "Tool",
            Self::Cancelled => "Cancelled",
            Self::Other => "Other error",
        }
    }

    /// Its place in [`ErrorClass::ALL`], by which databases keep it.
    #[must_use]
    pub const fn index(self) -> u8 {
        self as u8
    }

    /// Reads [`ErrorClass::index`] back.
    #[must_use]
    pub fn from_index(index: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(index).ok()?).copied()
    }

    /// Reads [`ErrorClass::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// The stage of a pipeline that a span is (seed S3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Finding documents: search, embedding of the question, reranking.
    Retrieval,
    /// Making the prompt of a template, a history and documents.
    PromptAssembly,
    /// The model's work.
    Inference,
    /// Reading the model's answer.
    Parsing,
    /// A check that may stop an input or output.
    Guardrail,
    /// What is done with the answer afterwards.
    PostProcessing,
}

impl Stage {
    /// The name used in filters, files and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retrieval => "retrieval",
            Self::PromptAssembly => "prompt_assembly",
            Self::Inference => "inference",
            Self::Parsing => "parsing",
            Self::Guardrail => "guardrail",
            Self::PostProcessing => "post_processing",
        }
    }
}
