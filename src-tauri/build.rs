//! Reads `tauri.conf.json`, and makes a permission of each command, so that only the capability grants them.

use tauri_build::{AppManifest, Attributes};

fn main() {
    let commands = AppManifest::new().commands(&[
        "call",
        "pick_files",
        "recent_files",
        "pick_recent",
        "open_link",
        "take_place",
        "set_zoom",
    ]);
    if let Err(error) = tauri_build::try_build(Attributes::new().app_manifest(commands)) {
        panic!("cannot prepare the window: {error:#}");
    }
}
