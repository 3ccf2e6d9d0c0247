//! The commands, one module a view.

mod connect;
mod doctor;
mod ledger;
mod live;
mod overrides;
mod prices;
mod prompts;
mod quality;
mod references;
mod settings;
mod sources;
mod trace;
mod trends;
mod what_if;
