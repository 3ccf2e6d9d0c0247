//! What of a span counts in totals: the bits of `facts.counted`.

/// Its tokens.
pub(crate) const TOKENS: i64 = 1;
/// Its cost.
pub(crate) const COST: i64 = 2;
/// Itself, as a model call.
pub(crate) const CALL: i64 = 4;
/// Nothing here: the call counts in another trace.
pub(crate) const ELSEWHERE: i64 = 8;
/// Its tokens have no known price.
pub(crate) const UNPRICED: i64 = 16;
/// No span states its tokens: they are estimated, and so is its cost unless [`COST`] is set too.
pub(crate) const ESTIMATED: i64 = 32;
