//! Behaviour of the whole, through the door and through the binary. One module a subject, sorted.

mod citations;
mod cli;
mod commands;
mod doctor;
mod fuzz;
mod ingest;
mod kill;
mod ledger;
mod open;
mod overrides;
mod queries;
mod receive;
mod related;
mod serve;
mod soak;
mod store;
mod tidy;
mod trends;
