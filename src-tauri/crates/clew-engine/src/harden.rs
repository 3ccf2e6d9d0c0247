//! What a process that holds traces does for itself before anything else. Unix; elsewhere nothing is needed.

/// The permissions that new files had before [`process`] took them away.
#[derive(Debug, Clone, Copy)]
pub struct Umask {
    #[cfg(unix)]
    mode: nix::sys::stat::Mode,
}

impl Umask {
    /// Runs `act` with the permissions as they were: what it starts is not Clew and keeps its own manners.
    pub fn around<T>(self, act: impl FnOnce() -> T) -> T {
        #[cfg(unix)]
        {
            let own = nix::sys::stat::umask(self.mode);
            let done = act();
            nix::sys::stat::umask(own);
            done
        }
        #[cfg(not(unix))]
        act()
    }
}

/// Makes new files the user's alone (umask 077), and a full quota an error instead of a death (`SIGXFSZ` blocked;
/// reliability M13, S20).
///
/// Must run before other threads exist: they inherit the signal mask. Programs started later do not.
pub fn process() -> Umask {
    #[cfg(unix)]
    {
        use nix::sys::signal::{SigSet, Signal};
        use nix::sys::stat::{Mode, umask};

        let mut blocked = SigSet::empty();
        blocked.add(Signal::SIGXFSZ);
        if let Err(error) = blocked.thread_block() {
            tracing::warn!("cannot block SIGXFSZ: {error}");
        }
        Umask {
            mode: umask(Mode::from_bits_truncate(0o077)),
        }
    }
    #[cfg(not(unix))]
    Umask {}
}

/// Keeps other processes of this user from reading this one's memory, and core dumps from being written
/// (`PR_SET_DUMPABLE` 0, Linux; S21). Programs started later are not affected.
///
/// Not for the window: the desktop's portals identify a program through files of `/proc` that this closes.
pub fn memory() {
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_dumpable(false) {
        tracing::warn!("cannot protect the memory of this process: {error}");
    }
}

/// Switches core dumps off for this process and all that it starts: traces would be in them (S21).
pub fn core_dumps() {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, setrlimit};

        if let Err(error) = setrlimit(Resource::RLIMIT_CORE, 0, 0) {
            tracing::warn!("cannot switch core dumps off: {error}");
        }
    }
}
