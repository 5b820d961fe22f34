//! Repository chores that `make` calls: the browser half of the build (`wasm`), its size (`budget`), what may know
//! what (`layers`), whose code we use (`licences`), the whole test run (`test`) and rebuilding on change (`dev`).
//!
//! Deliberately not a build system: cargo decides what is fresh, and each chore is one module that can be read alone.
//! Start with [`site`], the longest of them.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program"
)]

mod budget;
mod css;
mod dev;
mod layers;
mod licences;
mod process;
mod site;
mod test_run;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
Usage: cargo xtask CHORE

  wasm [--release | --profile NAME] [--site DIR]   build the browser half into DIR (target/site)
  budget                                           sizes after brotli; fails over the budget
  layers                                           prove what may know what
  licences                                         check licences and sources of every dependency
  test [FILTER…]                                   run every test, end with `N passed, N failed`
  test --rust | --e2e                              only the Rust suites, only the browser journeys
  dev                                              build, serve, and again whenever a file changes
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let Some((chore, rest)) = arguments.split_first() else {
        bail!("which chore?\n\n{USAGE}");
    };
    match chore.as_str() {
        "wasm" => site::build(&site::Options::parse(rest)?).map(|_| ()),
        "budget" => budget::check(),
        "layers" => layers::check(),
        "licences" => licences::check(),
        "test" => test_run::run(rest),
        "dev" => dev::watch(),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("no chore is called \"{other}\".\n\n{USAGE}"),
    }
}
