//! The rules of the house that a compiler does not know. Each failure says what to do.

mod bans;
mod edges;
mod files;
mod layers;
mod registries;
mod rights;
mod shape;

const RUST: &[&str] = &[".rs"];
const UI: &[&str] = &[".ts", ".svelte"];

/// Fails with every complaint on a line of its own.
#[track_caller]
fn tidy(rule: &str, complaints: &[String]) {
    assert!(
        complaints.is_empty(),
        "{rule}:\n  {}\n",
        complaints.join("\n  ")
    );
}
