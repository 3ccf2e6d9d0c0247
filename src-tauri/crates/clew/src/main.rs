//! Clew without a window.

use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("bindings") => {
            std::io::stdout().write_all(clew_engine::api::typescript().as_bytes())?
        }
        _ => anyhow::bail!("not built"),
    }
    Ok(())
}
