//! Who has sent what, and what went wrong with requests; in memory, since the start.

/// Counts senders, refusals and problems.
#[derive(Debug, Default)]
pub struct Census {}
