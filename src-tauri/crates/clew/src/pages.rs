//! The built UI, inside the binary.

use include_dir::{Dir, include_dir};

/// `ui/dist`, or a page that says how to build it (`build.rs`).
static PAGES: Dir<'_> = include_dir!("$CLEW_UI_PAGES");

/// Finds a file of the UI by its path.
pub(crate) fn page(path: &str) -> Option<&'static [u8]> {
    PAGES.get_file(path).map(include_dir::File::contents)
}
