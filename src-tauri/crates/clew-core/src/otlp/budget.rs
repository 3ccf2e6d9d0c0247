//! What one request may hold, counted item by item before anything is allocated for it.

use super::{Limits, Refusal};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Resources,
    Scopes,
    Spans,
    Events,
    Links,
    /// Attributes of any kind, entries of key-value lists and references to entities.
    Attributes,
    /// Elements of arrays, buckets, bounds and quantiles.
    Values,
    Logs,
    Metrics,
    Points,
    Exemplars,
}

const KINDS: usize = 11;

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Resources => "resources",
            Self::Scopes => "scopes",
            Self::Spans => "spans",
            Self::Events => "span events",
            Self::Links => "span links",
            Self::Attributes => "attributes",
            Self::Values => "values in arrays and histograms",
            Self::Logs => "log records",
            Self::Metrics => "metrics",
            Self::Points => "metric points",
            Self::Exemplars => "exemplars",
        }
    }

    /// A span of 4 KB has some 20 attributes and a vector in it 1,536 values, so these have more room: at most 64 MB
    /// and 128 MB of memory at the default of 250,000 items.
    const fn limit(self, limits: &Limits) -> usize {
        match self {
            Self::Attributes => limits.items.saturating_mul(4),
            Self::Values => limits.items.saturating_mul(16),
            _ => limits.items,
        }
    }
}

/// Resources and scopes are copied into each group of items: with many scopes a small body could become a huge batch.
const COPIED_BYTES: usize = 128 << 20;

/// How much of its limits one request has used.
#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    used: [usize; KINDS],
    copied: usize,
}

impl Budget {
    pub(super) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            used: [0; KINDS],
            copied: 0,
        }
    }

    /// Levels of nested values that are kept.
    pub(super) const fn depth(&self) -> usize {
        self.limits.depth
    }

    /// Counts one more item of a kind.
    #[inline]
    pub(super) fn take(&mut self, kind: Kind) -> Result<(), Refusal> {
        self.take_many(kind, 1)
    }

    /// Counts `number` more items of a kind.
    #[inline]
    pub(super) fn take_many(&mut self, kind: Kind, number: usize) -> Result<(), Refusal> {
        let used = &mut self.used[kind as usize];
        *used = used.saturating_add(number);
        let limit = kind.limit(&self.limits);
        if *used > limit {
            return Err(Refusal::TooMany {
                what: kind.name(),
                limit,
            });
        }
        Ok(())
    }

    /// Counts the bytes of a resource and a scope that a group repeats.
    pub(super) fn copy(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.copied = self.copied.saturating_add(bytes);
        if self.copied > COPIED_BYTES {
            return Err(Refusal::TooMany {
                what: "bytes of resources and scopes, each scope with its resource",
                limit: COPIED_BYTES,
            });
        }
        Ok(())
    }
}
