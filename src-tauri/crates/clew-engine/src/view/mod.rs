//! The commands, one module a view.

mod connect;
mod live;
mod prompts;
mod quality;
mod settings;
mod sources;
mod trace;
mod trends;
