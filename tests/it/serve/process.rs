//! The real binary as a process of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use clew_tests::PATIENCE;
use tempfile::TempDir;

/// The binary: `CLEW_BIN`, else what cargo builds now. Cargo tells a test only of the binaries of its own package, so
/// it is found beside the test: `target/<profile>/deps/it-…` and `target/<profile>/clew`.
pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("CLEW_BIN") {
            return path.into();
        }
        let test = std::env::current_exe().expect("a test has a path");
        let folder = test
            .ancestors()
            .nth(2)
            .expect("lies in target/<profile>/deps");
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        build.args(["build", "--quiet", "--package", "clew"]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo starts").success());
        folder.join(format!("clew{}", std::env::consts::EXE_SUFFIX))
    })
}

/// The binary without anything of this machine's environment.
pub(crate) fn clew() -> Command {
    let mut command = Command::new(binary());
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null());
    command
}

/// A `clew serve` in a folder of its own, on free ports; killed when dropped.
pub(crate) struct Served {
    folder: TempDir,
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// The line that it printed.
    pub(crate) ready: serde_json::Value,
    pub(crate) grpc: String,
    pub(crate) http: String,
    pub(crate) ui: String,
    pub(crate) token: String,
}

impl Served {
    /// Starts it, with more arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), arguments)
    }

    /// Kills it (`kill -9`) and starts another on the same database, on other ports.
    pub(crate) fn kill_and_restart(mut self) -> Self {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        // The struct's drop finds a process that has ended.
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"));
        Self::start_in(folder, &[])
    }

    fn start_in(folder: TempDir, arguments: &[&str]) -> Self {
        // The folder that Clew makes itself, to see its permissions.
        let database = folder.path().join("data").join("clew.db");
        let mut child = clew()
            .args(["serve", "--json", "--grpc", "0", "--http", "0", "--ui", "0"])
            .arg("--db")
            .arg(&database)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("clew starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let ready: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        let text = |name: &str| ready[name].as_str().expect("a text").to_owned();
        Self {
            grpc: text("grpc"),
            http: text("http"),
            ui: text("ui"),
            token: text("token"),
            ready,
            folder,
            child,
            stdout,
        }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder().join("clew.db")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn ui_port(&self) -> u16 {
        let port = self.ui.rsplit(':').next().expect("a port");
        port.parse().expect("a number")
    }

    /// Files below a folder of the data folder.
    pub(crate) fn files_below(&self, name: &str) -> Vec<PathBuf> {
        files(&self.folder().join(name))
    }

    /// Sends a signal and waits; the exit code and what else it printed.
    pub(crate) fn end(&mut self, signal: &str) -> (Option<i32>, String) {
        let kill = Command::new("kill")
            .args([&format!("-{signal}"), &self.pid().to_string()])
            .status();
        assert!(kill.expect("kill runs").success());
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a status") {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("is text");
        (status.code(), rest)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.expect("an entry").path())
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// Nobody but the user may read a folder and what is in it (reliability S20).
#[cfg(unix)]
pub(crate) fn assert_private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = |path: &Path| {
        let kind = std::fs::metadata(path).expect("is there");
        kind.permissions().mode() & 0o777
    };
    assert_eq!(mode(folder), 0o700, "{}", folder.display());
    let all = files(folder);
    assert!(!all.is_empty());
    for file in all {
        // SQLite may remove its own files meanwhile.
        if file.exists() {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }
}
