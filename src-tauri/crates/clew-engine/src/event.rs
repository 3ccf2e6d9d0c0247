//! What the engine tells its hosts: that the answers on a topic are stale.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Names a part of what Clew knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    /// Spans, logs, facts, findings: whatever traces consist of.
    Spans,
    /// Opened files.
    Sources,
    /// Settings.
    Settings,
    /// Rates, sizes and connections.
    Status,
}

impl Topic {
    /// All topics.
    pub const ALL: [Self; 4] = [Self::Spans, Self::Sources, Self::Settings, Self::Status];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spans => "spans",
            Self::Sources => "sources",
            Self::Settings => "settings",
            Self::Status => "status",
        }
    }
}
