//! Rates: what a token of each bucket costs.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::model::{Bucket, NanoUsd};

/// Femto-dollars (10⁻¹⁵) a token in one dollar a million tokens.
const PER_MILLION: u64 = 1_000_000_000;
/// Digits behind the point that a price in dollars a million tokens keeps: those of a femto-dollar a token.
const DIGITS: usize = 9;

/// The price of one token, in femto-dollars (10⁻¹⁵ US dollars): "0.0375 dollars a million" is 37 500 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PerToken(pub u64);

impl PerToken {
    /// Reads a price as price lists write it: US dollars a million tokens, at most nine digits behind the point (further
    /// ones are cut off); `None` for anything else, negative prices among it.
    #[must_use]
    pub fn from_per_million(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return None;
        }
        let kept = &fraction[..fraction.len().min(DIGITS)];
        let fraction: u64 = format!("{kept:0<DIGITS$}").parse().ok()?;
        let whole: u64 = whole.parse().ok()?;
        whole
            .checked_mul(PER_MILLION)?
            .checked_add(fraction)
            .map(Self)
    }

    /// The price as price lists write it: US dollars a million tokens, without needless zeros.
    #[must_use]
    pub fn per_million(self) -> String {
        let (whole, fraction) = (self.0 / PER_MILLION, self.0 % PER_MILLION);
        let text = format!("{whole}.{fraction:0DIGITS$}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// What this many tokens cost, rounded to the nearest nano-dollar, halves up.
    #[must_use]
    pub fn times(self, tokens: u64) -> NanoUsd {
        let femto = u128::from(self.0) * u128::from(tokens);
        NanoUsd(u64::try_from((femto + 500_000) / 1_000_000).unwrap_or(u64::MAX))
    }
}

impl<'de> Deserialize<'de> for PerToken {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = String::deserialize(source)?;
        Self::from_per_million(&text)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is not a price in dollars")))
    }
}

/// The price of one bucket, which may rise with the length of the prompt.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Rate {
    /// The price of short prompts.
    pub price: PerToken,
    /// Prices of longer ones, shortest first. A tier holds for all tokens of a call, not only for those above it.
    #[serde(default)]
    pub tiers: Vec<Tier>,
}

/// A price that holds for longer prompts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tier {
    /// It holds for prompts of more tokens than this.
    pub above: u64,
    /// The price.
    pub price: PerToken,
}

impl Rate {
    /// A rate without tiers.
    #[must_use]
    pub const fn flat(price: PerToken) -> Self {
        Self {
            price,
            tiers: Vec::new(),
        }
    }

    /// The price of a token in a call whose whole prompt has this many tokens.
    #[must_use]
    pub fn at(&self, prompt: u64) -> PerToken {
        let tier = self.tiers.iter().rev().find(|tier| prompt > tier.above);
        tier.map_or(self.price, |tier| tier.price)
    }
}

/// The rates of a model: for each bucket that has a price of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rates {
    input: Option<Rate>,
    cache_read: Option<Rate>,
    cache_write: Option<Rate>,
    #[serde(rename = "cacheWrite1h")]
    cache_write_1h: Option<Rate>,
    audio_input: Option<Rate>,
    image_input: Option<Rate>,
    output: Option<Rate>,
    reasoning: Option<Rate>,
    audio_output: Option<Rate>,
    image_output: Option<Rate>,
    request: Option<Rate>,
}

impl Rates {
    /// Rates of prompt and answer alone.
    #[must_use]
    pub fn of_two(input: PerToken, output: PerToken) -> Self {
        Self {
            input: Some(Rate::flat(input)),
            output: Some(Rate::flat(output)),
            ..Self::default()
        }
    }

    /// Rates at which nothing costs anything.
    #[must_use]
    pub fn free() -> Self {
        Self::of_two(PerToken(0), PerToken(0))
    }

    /// The bucket's own rate.
    #[must_use]
    pub const fn own(&self, bucket: Bucket) -> Option<&Rate> {
        match bucket {
            Bucket::Input => self.input.as_ref(),
            Bucket::CacheRead => self.cache_read.as_ref(),
            Bucket::CacheWrite => self.cache_write.as_ref(),
            Bucket::CacheWrite1h => self.cache_write_1h.as_ref(),
            Bucket::AudioInput => self.audio_input.as_ref(),
            Bucket::ImageInput => self.image_input.as_ref(),
            Bucket::Output => self.output.as_ref(),
            Bucket::Reasoning => self.reasoning.as_ref(),
            Bucket::AudioOutput => self.audio_output.as_ref(),
            Bucket::ImageOutput => self.image_output.as_ref(),
            Bucket::Request => self.request.as_ref(),
        }
    }

    /// Sets a bucket's own rate.
    pub fn set(&mut self, bucket: Bucket, rate: Rate) {
        *match bucket {
            Bucket::Input => &mut self.input,
            Bucket::CacheRead => &mut self.cache_read,
            Bucket::CacheWrite => &mut self.cache_write,
            Bucket::CacheWrite1h => &mut self.cache_write_1h,
            Bucket::AudioInput => &mut self.audio_input,
            Bucket::ImageInput => &mut self.image_input,
            Bucket::Output => &mut self.output,
            Bucket::Reasoning => &mut self.reasoning,
            Bucket::AudioOutput => &mut self.audio_output,
            Bucket::ImageOutput => &mut self.image_output,
            Bucket::Request => &mut self.request,
        } = Some(rate);
    }

    /// The rate that holds for a bucket, and the bucket whose rate it is: its own, else that of the wider kind.
    #[must_use]
    pub fn rate(&self, bucket: Bucket) -> Option<(Bucket, &Rate)> {
        let mut asked = Some(bucket);
        while let Some(bucket) = asked {
            if let Some(rate) = self.own(bucket) {
                return Some((bucket, rate));
            }
            asked = bucket.wider();
        }
        None
    }

    /// What a call of so many tokens in each bucket costs, each bucket rounded once; `None` where one of them has no
    /// price. All that was sent is the prompt, by which tiers are chosen.
    #[must_use]
    pub fn bill(&self, counts: &[(Bucket, u64)]) -> Option<NanoUsd> {
        let sent = counts
            .iter()
            .filter(|(bucket, _)| !bucket.is_output() && *bucket != Bucket::Request);
        let prompt = sent.fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
        let billed = counts.iter().filter(|(_, count)| *count > 0);
        billed
            .map(|(bucket, count)| Some(self.rate(*bucket)?.1.at(prompt).times(*count)))
            .sum()
    }
}
