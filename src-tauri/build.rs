//! Reads `tauri.conf.json` and the capabilities for the window.

fn main() {
    tauri_build::build();
}
