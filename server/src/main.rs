//! Holdpoint: one binary for the server and everything that is done from a command line.
//!
//! `cli` turns arguments into an exit code, one file per command; `web` is the server's outside: router, layers, pages'
//! surroundings, API. Rules live in `holdpoint-service`, pages in `holdpoint-app`. Start reading at [`web::router`].

mod cli;
mod web;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(std::env::args_os())
}
