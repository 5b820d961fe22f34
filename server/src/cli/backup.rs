use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use holdpoint_service::{
    Clock as _, SystemClock,
    backup::{BackupError, BackupManifest, back_up, restore, verify_backup},
};
use holdpoint_storage::private;
use serde_json::json;

use super::{
    Answer,
    config::{Config, Flags},
    terminal,
};

/// Write a backup of database, evidence and keys into one file, beside a running server or without one: exit code 0 if it is
/// whole, 1 if stored files are damaged or missing.
#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// The file to write; none of that name may be there.
    out: PathBuf,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

/// Put a backup into an empty data folder and an empty database, and check it there.
#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// What `holdpoint backup` wrote.
    file: PathBuf,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Backup {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let Self { out, json, flags } = self;
        let shown = out.display().to_string();
        if out.exists() {
            bail!("{shown} is there already. Name another file: no backup is overwritten.");
        }
        let folder = out
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let cannot = || format!("{shown} cannot be written");
        super::as_it_is(&flags, async |config, database, files| {
            // Only its owner's, and under its name only once it is whole.
            let partial = tempfile::Builder::new()
                .prefix(".holdpoint-backup-")
                .tempfile_in(folder)
                .with_context(cannot)?;
            let file = partial.as_file().try_clone().with_context(cannot)?;
            let keys = keys_folder(config);
            let made = back_up(&database, &files, &keys, file, SystemClock.now())
                .await
                .map_err(|error| told(error, config))?;
            let checked = verify_backup(partial.path())?;
            if checked != made {
                bail!("the backup does not say what was put into it, and was not kept");
            }
            partial
                .persist_noclobber(&out)
                .map_err(|error| error.error)
                .with_context(cannot)?;
            private::sync_folder(folder).with_context(cannot)?;
            report(&made, json)?;
            super::say(&if made.keys.is_empty() {
                format!(
                    "{shown} holds password digests and everything that people uploaded, and NO private key: yours are in a file or \
                     an agent elsewhere. Keep them too, or nothing can be signed after a restore."
                )
            } else {
                format!(
                    "{shown} holds signing keys, password digests and everything that people uploaded. Who has it can sign as this \
                     server: keep it like a password."
                )
            });
            Ok(if made.missing.is_empty() {
                Answer::Done
            } else {
                super::say(&format!(
                    "{} of the stored files are damaged or missing here, so they are not in the backup",
                    made.missing.len()
                ));
                Answer::No
            })
        })
    }
}

impl Restore {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let Self { file, json, flags } = self;
        let config = Config::of_process(&flags)?;
        let restored = super::runtime()?.block_on(restore(
            &file,
            &config.database,
            &config.data,
            &keys_folder(&config),
        ));
        let manifest = restored.map_err(|error| told(error, &config)).with_context(|| {
            format!(
                "{} was not restored. If something of it is in {} by now, empty that before you try again",
                file.display(),
                config.data.display()
            )
        })?;
        super::work(&flags, async |services| {
            let log = services.verify_log().await?;
            report(&manifest, json)?;
            for problem in &log.problems {
                super::say(&format!("the restored log does not verify: {problem}"));
            }
            super::say(
                "people have to sign in again. Links and tokens work as they did when the backup was made.",
            );
            Ok(if log.problems.is_empty() && manifest.missing.is_empty() {
                Answer::Done
            } else {
                Answer::No
            })
        })
    }
}

/// A single key that the configuration names is a file elsewhere, which is not Holdpoint's to copy or to write.
fn keys_folder(config: &Config) -> PathBuf {
    if config.keys.is_file() {
        config.data.join("keys")
    } else {
        config.keys.clone()
    }
}

fn told(error: BackupError, config: &Config) -> anyhow::Error {
    match error {
        BackupError::Storage(error) => {
            anyhow::Error::new(error).context(config.database.to_string())
        }
        error => error.into(),
    }
}

/// What is in a backup.
fn report(manifest: &BackupManifest, json: bool) -> anyhow::Result<()> {
    let n_rows: u64 = manifest.tables.iter().map(|table| table.n_rows).sum();
    if json {
        return terminal::json(&json!({
            "format": manifest.format,
            "version": manifest.version,
            "made_at": manifest.made_at,
            "database": manifest.database,
            "steps": manifest.steps,
            "log": manifest.log,
            "n_tables": manifest.tables.len(),
            "n_rows": n_rows,
            "n_files": manifest.files.len(),
            "n_keys": manifest.keys.len(),
            "missing": manifest.missing,
        }));
    }
    let mut text = format!(
        "{} rows of {} tables, {} files, {} keys\nlog: {} entries, head {}\n",
        n_rows,
        manifest.tables.len(),
        manifest.files.len(),
        manifest.keys.len(),
        manifest.log.length,
        manifest.log.head,
    );
    for missing in &manifest.missing {
        text.push_str(&format!("{}\n", missing.line()));
    }
    terminal::text(&text)
}
