//! Reads `tauri.conf.json`, and makes a permission of each command, so that only the capability grants them.

use tauri_build::{AppManifest, Attributes};

fn main() {
    let commands = AppManifest::new().commands(&["call", "pick_files", "open_link", "take_place"]);
    if let Err(error) = tauri_build::try_build(Attributes::new().app_manifest(commands)) {
        panic!("cannot prepare the window: {error:#}");
    }
}
