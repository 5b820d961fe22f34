use std::path::Path;

use holdpoint_domain::Millis;
use holdpoint_service::{
    Clock as _, Failure, KeyStoreError, ServiceError, Services, SystemClock, backup::verify_files,
};
use holdpoint_storage::{ActivityFilter, Database, FileStore, StorageError, private};
use serde::Serialize;

use super::{
    Answer,
    config::{Config, Flags},
    terminal,
};

/// Check the health of an instance, beside a running server or without one: configuration, permissions, database, schema,
/// stored files, signing keys, log, clock. Exit code 0 if all is well, 1 if something is wrong, 2 if it cannot be checked.
#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// Mend what can be mended safely: close the data folder, the database and the signing keys to other users.
    #[arg(long)]
    fix: bool,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Well,
    Fixed,
    /// It works, and somebody should know.
    Note,
    Wrong,
    /// It could not be found out.
    Unknown,
}

#[derive(Debug, Serialize)]
struct HealthCheck {
    check: &'static str,
    outcome: Outcome,
    text: String,
}

/// Clocks that differ by more than this order things wrongly.
const CLOCKS_APART: Millis = 2_000;
const LITTLE_ROOM_BYTES: u64 = 1024 * 1024 * 1024;
const MOST_NAMED: usize = 10;

impl Doctor {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let config = Config::of_process(&self.flags)?;
        let checks = super::runtime()?.block_on(self.checks(&config));
        if self.json {
            terminal::json(&checks)?;
        } else {
            let lines = checks.iter().map(|check| {
                let word = match check.outcome {
                    Outcome::Well => "ok",
                    Outcome::Fixed => "FIXED",
                    Outcome::Note => "note",
                    Outcome::Wrong => "WRONG",
                    Outcome::Unknown => "UNKNOWN",
                };
                format!("{word:7}  {}: {}\n", check.check, check.text)
            });
            terminal::text(&lines.collect::<String>())?;
        }
        let worst = checks.iter().map(|check| check.outcome).max();
        if worst == Some(Outcome::Unknown) {
            anyhow::bail!("not everything could be checked");
        }
        Ok(if worst == Some(Outcome::Wrong) {
            Answer::No
        } else {
            Answer::Done
        })
    }

    async fn checks(&self, config: &Config) -> Vec<HealthCheck> {
        let mut checks = HealthChecks::default();
        checks.add(
            "configuration",
            Outcome::Well,
            format!(
                "database {}, data folder {}",
                config.database,
                config.data.display()
            ),
        );
        if !config.data.is_dir() {
            checks.add(
                "data folder",
                Outcome::Wrong,
                format!("{} is not there", config.data.display()),
            );
            return checks.0;
        }
        checks.permissions(config, self.fix);
        checks.room(&config.data);
        let database = match Database::open_as_it_is(&config.database).await {
            Ok(database) => database,
            Err(error) => {
                checks.failed("database", &error);
                return checks.0;
            }
        };
        let files = match FileStore::open(&config.data.join("evidence")).await {
            Ok(files) => files,
            Err(error) => {
                checks.failed("evidence folder", &error);
                return checks.0;
            }
        };
        checks.database(&database).await;
        let is_current = checks.schema(&database).await;
        checks.files(&database, &files).await;
        if is_current {
            checks.keys_and_log(config).await;
            checks.clock(&database).await;
        }
        database.close().await;
        checks.0
    }
}

#[derive(Default)]
struct HealthChecks(Vec<HealthCheck>);

impl HealthChecks {
    fn add(&mut self, check: &'static str, outcome: Outcome, text: impl Into<String>) {
        self.0.push(HealthCheck {
            check,
            outcome,
            text: text.into(),
        });
    }

    fn failed(&mut self, check: &'static str, error: &(dyn std::error::Error + 'static)) {
        let causes: Vec<_> = std::iter::successors(Some(error), |error| error.source())
            .map(ToString::to_string)
            .collect();
        let outcome = match Failure::of(error) {
            Failure::Damaged => Outcome::Wrong,
            _ => Outcome::Unknown,
        };
        self.add(check, outcome, causes.join(": "));
    }

    fn permissions(&mut self, config: &Config, fix: bool) {
        let open = match config.open_to_others() {
            Ok(open) => open,
            Err(error) => return self.failed("permissions", &error),
        };
        if open.is_empty() {
            let text =
                "only their owner can look into the data folder, the database and the signing keys";
            return self.add("permissions", Outcome::Well, text);
        }
        let named = open
            .iter()
            .take(MOST_NAMED)
            .map(|(path, mode)| format!("{} ({mode:o})", path.display()))
            .collect::<Vec<_>>()
            .join(", ");
        let text = format!(
            "other users can look into {} files and folders of the data, the database and the signing keys: {named}",
            open.len()
        );
        if !fix {
            let text = format!("{text}. `holdpoint doctor --fix` closes them");
            return self.add("permissions", Outcome::Wrong, text);
        }
        match open
            .iter()
            .try_for_each(|(path, _)| private::make_private(path))
        {
            Ok(()) => self.add("permissions", Outcome::Fixed, text),
            Err(error) => self.failed("permissions", &error),
        }
    }

    fn room(&mut self, data: &Path) {
        match rustix::fs::statvfs(data) {
            Ok(about) => {
                let free = about.f_bavail.saturating_mul(about.f_frsize);
                let outcome = if free < LITTLE_ROOM_BYTES {
                    Outcome::Note
                } else {
                    Outcome::Well
                };
                let text = format!("{} MiB are free for the data folder", free / (1024 * 1024));
                self.add("disk", outcome, text);
            }
            Err(error) => self.failed("disk", &std::io::Error::from(error)),
        }
    }

    async fn database(&mut self, database: &Database) {
        match database.wrong_with_file().await {
            Ok(wrong) if wrong.is_empty() => {
                self.add(
                    "database",
                    Outcome::Well,
                    "it answers, and nothing is wrong with it",
                );
            }
            Ok(wrong) => self.add("database", Outcome::Wrong, wrong.join("; ")),
            Err(error) => self.failed("database", &error),
        }
        match database.forgetful_settings().await {
            Ok(settings) if settings.is_empty() => {}
            Ok(settings) => self.add(
                "database",
                Outcome::Wrong,
                format!(
                    "what was answered may be lost with the power: {}",
                    settings.join(", ")
                ),
            ),
            Err(error) => self.failed("database", &error),
        }
    }

    /// Whether the tables are those of this version.
    async fn schema(&mut self, database: &Database) -> bool {
        let steps = match steps(database).await {
            Ok(steps) => steps,
            Err(error) => {
                self.failed("schema", &error);
                return false;
            }
        };
        let known = database.known_steps();
        if let Some(newer) = steps.iter().find(|step| !known.contains(step)) {
            self.failed("schema", &StorageError::NewerSchema { step: *newer });
            return false;
        }
        let missing = known.len() - steps.len();
        if missing > 0 {
            self.add(
                "schema",
                Outcome::Note,
                format!("{missing} steps are to come: the next start of the server takes them, and then the log can be checked"),
            );
            return false;
        }
        self.add(
            "schema",
            Outcome::Well,
            "the tables are those of this version",
        );
        true
    }

    async fn files(&mut self, database: &Database, files: &FileStore) {
        match verify_files(database, files).await {
            Ok(verification) if verification.missing.is_empty() => self.add(
                "stored files",
                Outcome::Well,
                format!("all {} are what was stored", verification.n_files),
            ),
            Ok(verification) => {
                let named = verification.missing.iter().take(MOST_NAMED);
                let lines: Vec<_> = named
                    .map(holdpoint_service::backup::MissingFile::line)
                    .collect();
                self.add(
                    "stored files",
                    Outcome::Wrong,
                    format!(
                        "{} of {} are damaged or missing: {}",
                        verification.missing.len(),
                        verification.n_files,
                        lines.join("; ")
                    ),
                );
            }
            Err(error) => self.failed("stored files", &error),
        }
        if let Err(error) = files.probe().await {
            self.failed("evidence folder", &error);
        }
    }

    async fn keys_and_log(&mut self, config: &Config) {
        match super::serve::open_services(config).await {
            Ok(services) => {
                self.keys(&services).await;
                self.log(&services).await;
                services.database().close().await;
            }
            Err(error) => self.add("log", Outcome::Unknown, format!("{error:#}")),
        }
    }

    /// What the server asks before it starts.
    async fn keys(&mut self, services: &Services) {
        match services.has_private_keys().await {
            Ok(true) => self.add(
                "signing keys",
                Outcome::Well,
                "this machine can sign for every purpose",
            ),
            Ok(false) => self.add(
                "signing keys",
                Outcome::Note,
                "there are none yet: the first start of the server makes them",
            ),
            Err(ServiceError::Unavailable(cause)) if cause.is::<KeyStoreError>() => {
                self.add("signing keys", Outcome::Wrong, cause.to_string());
            }
            Err(error) => self.failed("signing keys", &error),
        }
    }

    /// As `holdpoint log verify` does it.
    async fn log(&mut self, services: &Services) {
        match services.verify_log().await {
            Ok(log) if log.problems.is_empty() => self.add(
                "log",
                Outcome::Well,
                format!(
                    "{} entries are consistent in themselves; `holdpoint log verify` compares them with heads kept outside",
                    log.length
                ),
            ),
            Ok(log) => self.add("log", Outcome::Wrong, log.problems.join("; ")),
            Err(error) => self.failed("log", &error),
        }
    }

    async fn clock(&mut self, database: &Database) {
        let now = SystemClock.now();
        match (database.time().await, newest_entry(database).await) {
            (Ok(Some(time)), _) if (time - now).abs() > CLOCKS_APART => self.add(
                "clock",
                Outcome::Wrong,
                format!(
                    "this machine's and the database's differ by {} ms",
                    (time - now).abs()
                ),
            ),
            (Ok(_), Ok(Some(newest))) if newest - now > CLOCKS_APART => self.add(
                "clock",
                Outcome::Wrong,
                format!(
                    "it stands {} ms before the newest entry of the log",
                    newest - now
                ),
            ),
            (Ok(_), Ok(_)) => {
                self.add(
                    "clock",
                    Outcome::Well,
                    "it goes on from the newest entry of the log",
                );
            }
            (Err(error), _) | (_, Err(error)) => self.failed("clock", &error),
        }
    }
}

async fn steps(database: &Database) -> Result<Vec<i64>, StorageError> {
    database.read().await?.steps().await
}

async fn newest_entry(database: &Database) -> Result<Option<Millis>, StorageError> {
    let mut tx = database.read().await?;
    let newest = tx.activity(ActivityFilter::default(), 1).await?;
    Ok(newest.first().map(|stored| stored.entry.at))
}
