//! Errors that reach a user: a code that the UI may match on, and a sentence.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What kind of failure it is; a code exists only where someone acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The parameters do not fit.
    BadRequest,
    /// No command of that name.
    UnknownCommand,
    /// What was asked for is not there (any more).
    NotFound,
    /// The database, a file or a socket failed.
    Io,
    /// The store cannot take more now; try again.
    Busy,
    /// A defect of Clew.
    Internal,
}

/// A failure, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Its kind.
    pub code: ErrorCode,
    /// What was wrong, where, and what to do.
    pub message: String,
}

impl Error {
    /// An error of this kind.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// A defect: something that cannot happen, did.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::Internal, format!("internal error: {cause}"))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::new(ErrorCode::Io, format!("cannot read the database: {error}"))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::new(ErrorCode::Io, format!("cannot write the database: {error}"))
    }
}
