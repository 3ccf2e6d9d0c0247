//! The commands, one module a view.

mod connect;
mod ledger;
mod live;
mod prices;
mod prompts;
mod quality;
mod settings;
mod sources;
mod trace;
mod trends;
