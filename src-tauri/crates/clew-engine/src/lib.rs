//! Clew's effects: sockets, SQLite, files and the clock, behind one table of commands.
//!
//! Code map: [`api`] is the door and reaches [`view`] (one module of commands a view); `view` reads [`store`];
//! [`receive`] takes OTLP from sockets and hands batches to [`ingest`], as [`open`] does with files; `ingest` waits for
//! the one writer in `store`. Hosts (window, browser, command line) hold an [`Engine`] and call [`api::dispatch`].

pub mod api;
mod bindings;
pub mod census;
mod changes;
pub mod error;
pub mod event;
pub mod harden;
pub mod host;
pub mod ingest;
pub mod instance;
pub mod open;
pub mod port;
pub mod receive;
pub mod settings;
pub mod store;
mod view;

mod engine;

pub use engine::{Engine, Options};
pub use error::{Error, ErrorCode};
pub use event::Topic;
