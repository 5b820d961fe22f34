use holdpoint_service::backup::verify_files;

use super::{Answer, config::Flags, terminal};

/// The stored files: evidence, scans, patches.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Evidence {
    /// Compare every stored file with its digest: exit code 0 if all are whole, 1 if any is damaged or missing.
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Evidence {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let Self::Verify(Verify { json, flags }) = self;
        super::as_it_is(&flags, async |_, database, files| {
            let verification = verify_files(&database, &files).await?;
            let is_whole = verification.missing.is_empty();
            if json {
                terminal::json(&verification)?;
            } else {
                let mut text = String::new();
                for missing in &verification.missing {
                    text.push_str(&format!("{}\n", missing.line()));
                }
                text.push_str(&format!(
                    "{} files, {} bytes checked. {}\n",
                    verification.n_files,
                    verification.size_bytes,
                    if is_whole {
                        "All are whole."
                    } else {
                        "Restore the damaged and missing ones from a backup."
                    }
                ));
                terminal::text(&text)?;
            }
            Ok(if is_whole { Answer::Done } else { Answer::No })
        })
    }
}
