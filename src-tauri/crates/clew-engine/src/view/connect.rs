//! Connect: who sends, and what went wrong.

use crate::api::Connections;
use crate::census::Census;

/// Senders and problems since the start, newest first.
pub(super) fn connections(census: &Census) -> Connections {
    Connections {
        senders: census.senders(),
        problems: census.problems(),
    }
}
