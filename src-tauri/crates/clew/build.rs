//! Finds the built UI that is put into the binary, or makes a page that says how to build it, so that
//! `cargo check` needs no npm.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const PLACEHOLDER: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Clew</title></head>\n\
    <body><h1>Clew runs, but its user interface was not built</h1>\n\
    <p>This binary was compiled before <code>ui/dist</code> existed. Run <code>cargo xtask app</code>, or\n\
    <code>npm ci &amp;&amp; npm run build</code> in <code>ui</code> and compile again.</p>\n\
    <p>Receiver and command line work as they are.</p></body></html>\n";

fn main() -> io::Result<()> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui/dist");
    println!("cargo::rerun-if-changed={}", built.display());
    let pages = if built.join("index.html").is_file() {
        built.canonicalize()?
    } else {
        let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("ui");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("index.html"), PLACEHOLDER)?;
        folder
    };
    println!("cargo::rustc-env=CLEW_UI_PAGES={}", pages.display());
    Ok(())
}
