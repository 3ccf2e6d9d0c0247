//! search
pub(crate) fn path(database: &std::path::Path) -> std::path::PathBuf { super::beside(database, ".search") }
pub(crate) fn create(_p: &std::path::Path) -> Result<(), crate::Error> { Ok(()) }
