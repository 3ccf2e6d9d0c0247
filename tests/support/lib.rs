//! What behaviour tests share: an engine on a folder of its own, clients that speak OTLP to it, and telemetry.
//!
//! [`Rig`] is the engine; [`otlp`] makes requests; [`recorded`] reads the recorded ones.

pub mod otlp;
pub mod recorded;
mod rig;

use std::time::{Duration, Instant};

pub use rig::{Answer, Rig};

/// Longest wait for anything; long enough for two busy cores and an unoptimised build.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// What a limit that a user notices becomes here: itself for an optimised build, ten times as much for an unoptimised
/// one, which runs beside other tests on two busy cores. The benches hold the limit itself.
#[must_use]
pub const fn at_most(limit: Duration) -> Duration {
    if cfg!(debug_assertions) {
        limit.saturating_mul(10)
    } else {
        limit
    }
}

/// Asks again and again until `look` gives a value, and returns it.
///
/// # Panics
/// When [`PATIENCE`] has passed; `what` says what was waited for.
pub async fn wait_until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
