//! The command line: data on stdout, talk on stderr, exit codes 0 done, 1 the answer is no, 2 an error.

mod backup;
mod checklist;
mod client;
pub(crate) mod config;
mod doctor;
mod evidence;
mod gate;
mod healthcheck;
mod key;
mod log;
mod permissions;
mod report;
mod sample;
mod scan;
mod serve;
mod terminal;
mod token;
mod user;
mod verify;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use holdpoint_service::{ServiceError, Services};
use holdpoint_storage::{Database, FileStore};

/// Production readiness reviews that people work through, sign, and can prove later.
#[derive(Debug, Parser)]
#[command(name = "holdpoint", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(config::Flags),
    /// Ask a running server whether it is well; for containers.
    Healthcheck(healthcheck::Healthcheck),
    /// Accounts, without the web.
    #[command(subcommand)]
    User(user::User),
    /// API tokens, without the web.
    #[command(subcommand)]
    Token(token::Token),
    Sample(sample::Sample),
    #[command(subcommand)]
    Checklist(checklist::Checklist),
    #[command(subcommand)]
    Scan(scan::Scan),
    Gate(gate::Gate),
    Report(report::Report),
    Verify(verify::Verify),
    #[command(subcommand)]
    Log(log::Log),
    Backup(backup::Backup),
    Restore(backup::Restore),
    #[command(subcommand)]
    Evidence(evidence::Evidence),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Key(key::Key),
}

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    /// The answer is no: NO-GO, does not verify, not well.
    No,
}

/// Runs the command that the arguments ask for.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are what was asked for; anything else is a mistake in the arguments.
            let code = if error.use_stderr() { 2 } else { 0 };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    let answer = match cli.command {
        Command::Serve(flags) => serve::run(flags),
        Command::Healthcheck(command) => command.run(),
        Command::User(command) => command.run(),
        Command::Token(command) => command.run(),
        Command::Sample(command) => command.run(),
        Command::Checklist(command) => command.run(),
        Command::Scan(command) => command.run(),
        Command::Gate(command) => command.run(),
        Command::Report(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Log(command) => command.run(),
        Command::Backup(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::Evidence(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Key(command) => command.run(),
    };
    match answer {
        Ok(Answer::Done) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Does something with the database that the configuration names, beside a server or without one.
fn work(
    flags: &config::Flags,
    work: impl AsyncFnOnce(Services) -> anyhow::Result<Answer>,
) -> anyhow::Result<Answer> {
    let config = config::Config::of_process(flags)?;
    runtime()?.block_on(async {
        let services = serve::open_services(&config).await?;
        let answer = work(services.clone()).await;
        services.database().close().await;
        answer
    })
}

/// Looks at the database that the configuration names as it is: nothing is made, and its tables are not brought up to date.
/// So a new version can back up what an old one left.
fn as_it_is(
    flags: &config::Flags,
    work: impl AsyncFnOnce(&config::Config, Database, FileStore) -> anyhow::Result<Answer>,
) -> anyhow::Result<Answer> {
    let config = config::Config::of_process(flags)?;
    runtime()?.block_on(async {
        let database = Database::open_as_it_is(&config.database)
            .await
            .with_context(|| format!("{} cannot be opened", config.database))?;
        let evidence = config.data.join("evidence");
        let files = FileStore::open(&evidence)
            .await
            .with_context(|| format!("{} cannot be used", evidence.display()))?;
        let answer = work(&config, database.clone(), files).await;
        database.close().await;
        answer
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot start")
}

/// What the service refused, at the option that it is about.
fn refused(error: ServiceError) -> anyhow::Error {
    match error {
        ServiceError::Rejected { field: "", message } => anyhow::Error::msg(message),
        ServiceError::Rejected {
            field: "password",
            message,
        } => anyhow::anyhow!("the password: {message}"),
        ServiceError::Rejected {
            field: "scopes",
            message,
        } => anyhow::anyhow!("option --scope: {message}"),
        ServiceError::Rejected { field, message } => anyhow::anyhow!("option --{field}: {message}"),
        other => other.into(),
    }
}

/// Data, for whoever reads standard output.
#[expect(clippy::print_stdout, reason = "this is the command line's own voice")]
fn print(line: &str) {
    println!("{line}");
}

/// Talk, for people.
fn say(message: &str) {
    complain(message);
}

#[expect(clippy::print_stderr, reason = "this is the command line's own voice")]
fn complain(message: &str) {
    // Messages name files and quote what is in them.
    eprintln!("holdpoint: {}", terminal::plain(message));
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_mistake_in_the_arguments_is_an_error_and_help_is_not() {
        let code = |arguments: &[&str]| format!("{:?}", run(arguments.iter().map(OsString::from)));
        assert_eq!(
            code(&["holdpoint", "no-such-command"]),
            format!("{:?}", ExitCode::from(2))
        );
        assert_eq!(
            code(&["holdpoint", "--version"]),
            format!("{:?}", ExitCode::SUCCESS)
        );
    }
}
