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
    /// What lies behind it.
    #[serde(skip)]
    pub(crate) cause: Cause,
}

/// What lies behind a failure of the database, as far as something rests on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Anything else.
    #[default]
    Other,
    /// The content of the file is damaged: trying again makes nothing better.
    Damage,
    /// The disk is full or fails, or another program holds the file: trying again may help.
    Medium,
}

impl Cause {
    /// Of a primary result code (sqlite.org/rescode.html).
    fn of(code: i32) -> Self {
        match code & 0xff {
            11 | 26 => Self::Damage,
            5 | 6 | 8 | 10 | 13 | 14 => Self::Medium,
            _ => Self::Other,
        }
    }
}

impl Error {
    /// An error of this kind.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            cause: Cause::Other,
        }
    }

    fn caused(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }

    /// A defect: something that cannot happen, did.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::Internal, format!("internal error: {cause}"))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        let code = code.and_then(|code| code.parse().ok());
        Self::new(ErrorCode::Io, format!("cannot read the database: {error}"))
            .caused(code.map_or(Cause::Other, Cause::of))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error().map(|error| error.extended_code);
        Self::new(ErrorCode::Io, format!("cannot write the database: {error}"))
            .caused(code.map_or(Cause::Other, Cause::of))
    }
}
