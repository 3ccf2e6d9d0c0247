//! What WebKitGTK needs in its environment before a window can open on Linux.
//!
//! The environment of a running process cannot be changed safely (`std::env::set_var` is unsafe), so the process starts
//! itself again with the variables set. A variable that the user has set stands, whatever its value.

/// Starts this program again where variables are missing; otherwise does nothing.
///
/// # Errors
/// When the program cannot be started again.
#[cfg(target_os = "linux")]
pub(crate) fn prepare() -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt as _;

    use anyhow::Context as _;

    // Without a GPU the DMABUF renderer halves the frame rate, and on some drivers it leaves the window blank.
    let mut wanted = vec![("WEBKIT_DISABLE_DMABUF_RENDERER", "1")];
    if std::env::var_os("WAYLAND_DISPLAY").is_some()
        && std::path::Path::new("/sys/module/nvidia").exists()
    {
        // NVIDIA's driver on Wayland: a protocol error ends the window otherwise.
        wanted.push(("__NV_DISABLE_EXPLICIT_SYNC", "1"));
    }
    wanted.retain(|(name, _)| std::env::var_os(name).is_none());
    if wanted.is_empty() {
        return Ok(());
    }
    let error = std::process::Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .envs(wanted)
        .exec();
    Err(error).context("cannot start Clew with the environment that its window needs")
}

/// Does nothing: only WebKitGTK needs it.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "linux"))]
pub(crate) fn prepare() -> anyhow::Result<()> {
    Ok(())
}
