//! Buckets: the disjoint kinds of things that a model call is billed for: tokens, and the call itself.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What is counted and billed; every token of a call is in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Bucket {
    /// Prompt tokens that were neither read from nor written to a cache, and are not sound or image.
    Input,
    /// Prompt tokens read from the provider's cache.
    CacheRead,
    /// Prompt tokens written to the cache, for five minutes where a time is stated.
    CacheWrite,
    /// Prompt tokens written to the cache for an hour.
    CacheWrite1h,
    /// Prompt tokens of sound.
    AudioInput,
    /// Prompt tokens of images.
    ImageInput,
    /// Generated tokens that are neither reasoning, sound nor image.
    Output,
    /// Generated tokens of reasoning.
    Reasoning,
    /// Generated tokens of sound.
    AudioOutput,
    /// Generated tokens of images.
    ImageOutput,
    /// The call itself, where the provider bills calls.
    Request,
}

impl Bucket {
    /// All of them, in the order in which ledgers show them.
    pub const ALL: [Self; 11] = [
        Self::Input,
        Self::CacheRead,
        Self::CacheWrite,
        Self::CacheWrite1h,
        Self::AudioInput,
        Self::ImageInput,
        Self::Output,
        Self::Reasoning,
        Self::AudioOutput,
        Self::ImageOutput,
        Self::Request,
    ];

    /// The name in files and on the wire, as serde writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::CacheRead => "cacheRead",
            Self::CacheWrite => "cacheWrite",
            Self::CacheWrite1h => "cacheWrite1h",
            Self::AudioInput => "audioInput",
            Self::ImageInput => "imageInput",
            Self::Output => "output",
            Self::Reasoning => "reasoning",
            Self::AudioOutput => "audioOutput",
            Self::ImageOutput => "imageOutput",
            Self::Request => "request",
        }
    }

    /// Whether its tokens were generated; else they were sent.
    #[must_use]
    pub const fn is_output(self) -> bool {
        matches!(
            self,
            Self::Output | Self::Reasoning | Self::AudioOutput | Self::ImageOutput
        )
    }

    /// The wider kind whose price holds where this one has none of its own: providers that list no price for cached
    /// tokens bill them as any other.
    #[must_use]
    pub const fn wider(self) -> Option<Self> {
        match self {
            Self::Input | Self::Output | Self::Request => None,
            Self::CacheRead | Self::CacheWrite | Self::AudioInput | Self::ImageInput => {
                Some(Self::Input)
            }
            Self::CacheWrite1h => Some(Self::CacheWrite),
            Self::Reasoning | Self::AudioOutput | Self::ImageOutput => Some(Self::Output),
        }
    }
}
