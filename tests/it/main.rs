//! Behaviour of the whole, through the door and through the binary. One module a subject, sorted.

mod kill;
mod tidy;
mod cli;
mod serve;
