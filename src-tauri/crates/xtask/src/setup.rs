//! What the machine must have: found, listed, and on Debian and its kin installed.

use anyhow::{Result, bail};

use crate::npm::require_node;
use crate::step::{command, find, on_path, run, say};

/// What a run needs beyond Rust and Node.js.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A C compiler, for SQLite and zstd.
    Build,
    /// The window's libraries.
    Window,
    /// A browser, a display that nobody sees, WebKit's driver, Python.
    Tests,
}

/// Debian's and Ubuntu's packages for a need.
fn apt_packages(need: Need) -> &'static [&'static str] {
    match need {
        Need::Build => &["build-essential", "pkg-config"],
        Need::Window => &["libwebkit2gtk-4.1-dev", "libgtk-3-dev", "librsvg2-dev"],
        Need::Tests => &[
            "xvfb",
            "xauth",
            "dbus",
            "webkit2gtk-driver",
            "python3-venv",
            "ca-certificates",
        ],
    }
}

/// The programs that show that a need is met on systems whose packages we do not install.
fn programs(need: Need) -> &'static [&'static str] {
    match need {
        Need::Build if cfg!(windows) => &[],
        Need::Build => &["cc"],
        Need::Window if cfg!(target_os = "linux") => &["pkg-config"],
        Need::Window => &[],
        Need::Tests if cfg!(target_os = "linux") => {
            &["Xvfb", "dbus-run-session", "WebKitWebDriver", "python3"]
        }
        Need::Tests => &["python3"],
    }
}

/// A system, as far as its packages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Debian,
    Ubuntu,
    Fedora,
    Arch,
    OtherLinux,
    Mac,
    Windows,
}

impl System {
    fn here() -> Self {
        if cfg!(target_os = "macos") {
            return Self::Mac;
        }
        if cfg!(windows) {
            return Self::Windows;
        }
        Self::from_release(&std::fs::read_to_string("/etc/os-release").unwrap_or_default())
    }

    /// Reads `ID` and `ID_LIKE` of an os-release file.
    fn from_release(release: &str) -> Self {
        let names = release
            .lines()
            .filter_map(|line| line.strip_prefix("ID=").or(line.strip_prefix("ID_LIKE=")))
            .flat_map(|value| value.trim_matches('"').split_whitespace())
            .collect::<Vec<_>>();
        let is = |name| names.contains(&name);
        if is("ubuntu") {
            Self::Ubuntu
        } else if is("debian") {
            Self::Debian
        } else if is("fedora") || is("rhel") {
            Self::Fedora
        } else if is("arch") {
            Self::Arch
        } else {
            Self::OtherLinux
        }
    }

    /// The command that installs everything there, as a person would type it.
    fn advice(self) -> &'static str {
        match self {
            Self::Debian => {
                "sudo apt-get install build-essential pkg-config libwebkit2gtk-4.1-dev libgtk-3-dev librsvg2-dev \
                 chromium xvfb xauth dbus webkit2gtk-driver python3-venv"
            }
            Self::Ubuntu => {
                "sudo apt-get install build-essential pkg-config libwebkit2gtk-4.1-dev libgtk-3-dev librsvg2-dev \
                 xvfb xauth dbus webkit2gtk-driver python3-venv (and a Chromium: see `CLEW_CHROMIUM`)"
            }
            Self::Fedora => {
                "sudo dnf install gcc gcc-c++ make pkgconf-pkg-config webkit2gtk4.1-devel gtk3-devel librsvg2-devel \
                 chromium xorg-x11-server-Xvfb xorg-x11-xauth dbus-daemon python3 (WebKitWebDriver comes with \
                 webkit2gtk4.1-devel or webkitgtk-webdriver)"
            }
            Self::Arch => {
                "sudo pacman -S --needed base-devel pkgconf webkit2gtk-4.1 gtk3 librsvg chromium xorg-server-xvfb \
                 xorg-xauth dbus python (WebKitWebDriver comes with webkit2gtk-4.1)"
            }
            Self::OtherLinux => {
                "your system's packages of: a C compiler, pkg-config, WebKitGTK 4.1 with headers, GTK 3 with headers, \
                 librsvg with headers; for the tests also Chromium, Xvfb, xauth, dbus-run-session, WebKitWebDriver and \
                 Python 3 with venv"
            }
            Self::Mac => {
                "xcode-select --install; brew install --cask chromium (tests); brew install python (tests)"
            }
            Self::Windows => {
                "winget install Microsoft.VisualStudio.2022.BuildTools (workload: Desktop development with C++); \
                 WebView2 is part of Windows; for the tests also Google.Chrome and Python.Python.3.12 by winget"
            }
        }
    }
}

/// Sees to it that the machine has what the needs ask for; installs by apt where that exists.
pub(crate) fn ready(needs: &[Need]) -> Result<()> {
    require_node()?;
    let system = System::here();
    if matches!(system, System::Debian | System::Ubuntu) && on_path("apt-get") {
        apt(system, needs)?;
    }
    let missing = needs
        .iter()
        .flat_map(|need| programs(*need))
        .copied()
        .filter(|program| !on_path(program))
        .collect::<Vec<_>>();
    if !missing.is_empty() {
        bail!(
            "not found: {}. Install what is missing, then run this again: {}",
            missing.join(", "),
            system.advice()
        );
    }
    if needs.contains(&Need::Window) && cfg!(target_os = "linux") && !has_webkit() {
        bail!(
            "WebKitGTK 4.1 and its headers were not found. Install what is missing, then run this again: {}",
            system.advice()
        );
    }
    Ok(())
}

fn has_webkit() -> bool {
    command("pkg-config")
        .args(["--exists", "webkit2gtk-4.1", "gtk+-3.0"])
        .status()
        .is_ok_and(|status| status.success())
}

fn apt(system: System, needs: &[Need]) -> Result<()> {
    let mut wanted = needs
        .iter()
        .flat_map(|need| apt_packages(*need))
        .copied()
        .collect::<Vec<_>>();
    // Ubuntu's chromium is a snap, which cannot reach a profile in /tmp: `chromium()` has another way there.
    if needs.contains(&Need::Tests) && system == System::Debian && chromium().is_none() {
        wanted.push("chromium");
    }
    let missing = wanted
        .into_iter()
        .filter(|package| !is_installed(package))
        .collect::<Vec<_>>();
    if missing.is_empty() {
        return Ok(());
    }
    say("These system packages are missing and will be installed by apt-get:");
    for package in &missing {
        say(&format!("  {package}"));
    }
    let mut words = vec!["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    if !is_root() {
        if !on_path("sudo") {
            bail!(
                "this needs root, and sudo was not found. As root: apt-get install {}",
                missing.join(" ")
            );
        }
        words.insert(0, "sudo");
    }
    let apt_get = |arguments: &[&str]| run(command(words[0]).args(&words[1..]).args(arguments));
    apt_get(&["update"])?;
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(&missing);
    apt_get(&install)
}

fn is_installed(package: &str) -> bool {
    command("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .output()
        .is_ok_and(|output| output.status.success() && output.stdout == b"installed")
}

fn is_root() -> bool {
    command("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// A Chromium for the browser tests: `CLEW_CHROMIUM`, else the first of the usual names in `PATH`. Snaps are passed
/// over, because their confinement hides the profile that a test gives them.
pub(crate) fn chromium() -> Option<std::path::PathBuf> {
    if let Some(chosen) = std::env::var_os("CLEW_CHROMIUM") {
        return Some(chosen.into());
    }
    let usual = [
        "chromium",
        "google-chrome",
        "google-chrome-stable",
        "chromium-browser",
    ];
    let installed = usual
        .iter()
        .filter_map(|name| find(name))
        .find(|file| !file.starts_with("/snap") && !is_snap_launcher(file));
    let mac =
        std::path::PathBuf::from("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
    installed.or_else(|| mac.is_file().then_some(mac))
}

/// Ubuntu's `chromium-browser` is a script of a few lines that starts the snap.
fn is_snap_launcher(file: &std::path::Path) -> bool {
    std::fs::metadata(file).is_ok_and(|data| data.len() < 16 * 1024)
        && std::fs::read_to_string(file).is_ok_and(|text| text.contains("/snap/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_told_apart_by_their_release_file() {
        let of = System::from_release;
        assert_eq!(of("NAME=x\nID=debian\nVERSION_ID=\"12\""), System::Debian);
        assert_eq!(of("ID=ubuntu\nID_LIKE=debian"), System::Ubuntu);
        assert_eq!(
            of("ID=linuxmint\nID_LIKE=\"ubuntu debian\""),
            System::Ubuntu
        );
        assert_eq!(
            of("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\""),
            System::Fedora
        );
        assert_eq!(of("ID=endeavouros\nID_LIKE=arch"), System::Arch);
        assert_eq!(of(""), System::OtherLinux);
    }
}
