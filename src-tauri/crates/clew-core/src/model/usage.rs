//! Usage: the tokens that a span states of a model call, and the disjoint buckets that they fall into.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Bucket;

/// Token counts that a span states, in tokens; `None` is "not stated", zero is zero.
///
/// `input` is the whole prompt: cache reads and writes, sound and images are parts of it. `reasoning` and what was
/// generated as sound or image are parts of `output`. Sources that exclude cached tokens from input are corrected when
/// they are read (semconv.md §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Prompt tokens, cached ones included.
    pub input: Option<u64>,
    /// Generated tokens, reasoning included.
    pub output: Option<u64>,
    /// Prompt tokens read from the provider's cache.
    pub cache_read: Option<u64>,
    /// Prompt tokens written to the provider's cache, for however long.
    pub cache_write: Option<u64>,
    /// Those of them that were written for an hour.
    #[serde(rename = "cacheWrite1h", skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cache_write_1h: Option<u64>,
    /// Prompt tokens of sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub audio_input: Option<u64>,
    /// Prompt tokens of images.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub image_input: Option<u64>,
    /// Output tokens spent on reasoning.
    pub reasoning: Option<u64>,
    /// Output tokens of sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub audio_output: Option<u64>,
    /// Output tokens of images.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub image_output: Option<u64>,
}

/// What cannot be in the figures that a span states: a part is larger than its whole. The parts are shown and billed as
/// stated, and what they leave of the whole is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum UsageFault {
    /// Cached tokens, sound and images together are more than the prompt.
    PartsAboveInput,
    /// Reasoning, sound and images together are more than the output.
    PartsAboveOutput,
    /// More was written to the cache for an hour than was written at all.
    HourAboveWritten,
}

/// Usage in disjoint buckets: every token in exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// Tokens of each bucket of which any figure is stated, in the order of [`Bucket::ALL`].
    pub counts: Vec<(Bucket, u64)>,
    /// What cannot be.
    pub faults: Vec<UsageFault>,
}

impl Usage {
    /// Whether any figure is stated that counts on its own.
    #[must_use]
    pub const fn is_stated(&self) -> bool {
        self.input.is_some() || self.output.is_some()
    }

    /// How many figures are stated: of two spans that tell of one call the one with more knows more.
    #[must_use]
    pub fn richness(&self) -> u32 {
        let stated = [
            self.input,
            self.output,
            self.cache_read,
            self.cache_write,
            self.cache_write_1h,
            self.audio_input,
            self.image_input,
            self.reasoning,
            self.audio_output,
            self.image_output,
        ];
        stated.iter().flatten().fold(0, |sum, _| sum + 1)
    }

    /// The figures as disjoint buckets.
    #[must_use]
    pub fn split(&self) -> Split {
        let mut split = Split::default();
        let written = match (self.cache_write, self.cache_write_1h) {
            (Some(written), Some(hour)) if hour > written => {
                split.faults.push(UsageFault::HourAboveWritten);
                Some(0)
            }
            (Some(written), hour) => Some(written - hour.unwrap_or(0)),
            (None, _) => None,
        };
        let sent = [
            (Bucket::CacheRead, self.cache_read),
            (Bucket::CacheWrite, written),
            (Bucket::CacheWrite1h, self.cache_write_1h),
            (Bucket::AudioInput, self.audio_input),
            (Bucket::ImageInput, self.image_input),
        ];
        let generated = [
            (Bucket::Reasoning, self.reasoning),
            (Bucket::AudioOutput, self.audio_output),
            (Bucket::ImageOutput, self.image_output),
        ];
        if split.place(Bucket::Input, self.input, &sent) {
            split.faults.push(UsageFault::PartsAboveInput);
        }
        if split.place(Bucket::Output, self.output, &generated) {
            split.faults.push(UsageFault::PartsAboveOutput);
        }
        split
    }
}

impl Split {
    /// Puts a whole and its parts into buckets; says whether the parts are larger than the whole.
    fn place(
        &mut self,
        whole: Bucket,
        stated: Option<u64>,
        parts: &[(Bucket, Option<u64>)],
    ) -> bool {
        let parts = parts
            .iter()
            .filter_map(|(bucket, tokens)| Some((*bucket, (*tokens)?)));
        let together = parts
            .clone()
            .fold(0_u64, |sum, (_, tokens)| sum.saturating_add(tokens));
        let rest = stated.map(|stated| (whole, stated.saturating_sub(together)));
        self.counts.extend(rest);
        self.counts.extend(parts);
        stated.is_some_and(|stated| together > stated)
    }

    /// Prompt tokens of all buckets; `None` where there is none.
    #[must_use]
    pub fn input(&self) -> Option<u64> {
        self.sum(false)
    }

    /// Generated tokens of all buckets; `None` where there is none.
    #[must_use]
    pub fn output(&self) -> Option<u64> {
        self.sum(true)
    }

    fn sum(&self, is_output: bool) -> Option<u64> {
        let side = self
            .counts
            .iter()
            .filter(|(bucket, _)| bucket.is_output() == is_output);
        side.map(|(_, tokens)| *tokens).reduce(u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(usage: Usage) -> Vec<(Bucket, u64)> {
        usage.split().counts
    }

    #[test]
    fn every_token_is_in_one_bucket() {
        let usage = Usage {
            input: Some(1_000),
            output: Some(300),
            cache_read: Some(600),
            cache_write: Some(200),
            cache_write_1h: Some(50),
            audio_input: Some(20),
            reasoning: Some(120),
            ..Usage::default()
        };
        assert_eq!(
            counts(usage),
            [
                (Bucket::Input, 180),
                (Bucket::CacheRead, 600),
                (Bucket::CacheWrite, 150),
                (Bucket::CacheWrite1h, 50),
                (Bucket::AudioInput, 20),
                (Bucket::Output, 180),
                (Bucket::Reasoning, 120),
            ]
        );
        let split = usage.split();
        assert_eq!((split.input(), split.output()), (Some(1_000), Some(300)));
        assert_eq!(split.faults, []);
    }

    #[test]
    fn zero_is_stated_and_nothing_is_not() {
        let zero = Usage {
            input: Some(0),
            ..Usage::default()
        };
        assert_eq!(counts(zero), [(Bucket::Input, 0)]);
        assert_eq!(counts(Usage::default()), []);
        assert_eq!(Usage::default().split().input(), None);
        let all_cached = Usage {
            input: Some(10),
            cache_read: Some(10),
            ..Usage::default()
        };
        assert_eq!(
            counts(all_cached),
            [(Bucket::Input, 0), (Bucket::CacheRead, 10)]
        );
    }

    #[test]
    fn parts_larger_than_their_whole_are_told_and_never_negative() {
        let usage = Usage {
            input: Some(100),
            output: Some(10),
            cache_read: Some(150),
            cache_write: Some(5),
            cache_write_1h: Some(7),
            reasoning: Some(30),
            ..Usage::default()
        };
        let split = usage.split();
        assert_eq!(
            split.faults,
            [
                UsageFault::HourAboveWritten,
                UsageFault::PartsAboveInput,
                UsageFault::PartsAboveOutput
            ]
        );
        assert_eq!(
            split.counts,
            [
                (Bucket::Input, 0),
                (Bucket::CacheRead, 150),
                (Bucket::CacheWrite, 0),
                (Bucket::CacheWrite1h, 7),
                (Bucket::Output, 0),
                (Bucket::Reasoning, 30)
            ]
        );
    }
}
