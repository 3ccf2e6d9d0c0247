//! A second start on Linux: it hands its arguments over to the Clew that runs and ends, before anything of a window exists.
//!
//! The single-instance plugin does the same once the window toolkit has started, and then ends the process beside the
//! toolkit's threads, which now and then ends it by a signal instead. It stays in charge of being found, and of two
//! starts at the same moment.

use zbus::blocking::Connection;

/// The name, path and interface under which the plugin answers for the identifier of `tauri.conf.json`.
const NAME: &str = "dev.clew.desktop.SingleInstance";
const PATH: &str = "/dev/clew/desktop/SingleInstance";
const INTERFACE: &str = "org.SingleInstance.DBus";

/// Hands the arguments over; says whether another Clew took them. Without a session bus, or where none runs, none did.
pub(crate) fn hand_over() -> bool {
    let arguments: Vec<String> = std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let folder = std::env::current_dir().unwrap_or_default();
    let Ok(bus) = Connection::session() else {
        return false;
    };
    let arguments = (arguments, folder.to_string_lossy().into_owned());
    let call = bus.call_method(
        Some(NAME),
        PATH,
        Some(INTERFACE),
        "ExecuteCallback",
        &arguments,
    );
    call.is_ok()
}
