use std::{io::IsTerminal as _, path::PathBuf};

use anyhow::{Context as _, ensure};

use super::{
    Answer,
    client::{self, ServerFlags},
    terminal,
};

/// Export a review from a server.
#[derive(Debug, clap::Args)]
pub(super) struct Report {
    /// The review: its id, or the address of its page.
    review: String,
    #[arg(long, value_enum, default_value_t = Format::Md)]
    format: Format,
    /// Write to this file; of md, the signature goes beside it as FILE.sig. By default all goes to standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Md,
    Json,
    Sarif,
    Csv,
    Bundle,
}

impl Format {
    const fn name(self) -> &'static str {
        match self {
            Self::Md => "report.md",
            Self::Json => "report.json",
            Self::Sarif => "findings.sarif",
            Self::Csv => "findings.csv",
            Self::Bundle => "bundle.zip",
        }
    }
}

impl Report {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let id = client::review(&self.review)?;
        let server = self.server.server()?;
        let path = format!("/reviews/{id}/{}", self.format.name());
        let Some(output) = &self.output else {
            ensure!(
                self.format != Format::Bundle || !std::io::stdout().is_terminal(),
                "a bundle is no text. Name a file with -o, or pipe it"
            );
            let response = server.get(&path)?;
            if self.format == Format::Bundle {
                let mut out = std::io::stdout().lock();
                std::io::copy(&mut client::reader(response), &mut out)
                    .context("the bundle broke off")?;
            } else {
                terminal::data(&client::bytes(response)?)?;
            }
            return Ok(Answer::Done);
        };
        let response = server.get(&path)?;
        // Under another name until it is whole: half a report must not pass for one.
        let folder = output
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.map_or_else(|| PathBuf::from("."), PathBuf::from);
        let cannot = || format!("{} cannot be written", output.display());
        let mut whole = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
        std::io::copy(&mut client::reader(response), &mut whole).context("the export broke off")?;
        let signature = output.with_added_extension("sig");
        let signed = match self.format {
            Format::Md => server
                .get_if_there(&format!("{path}.sig"))?
                .map(client::bytes)
                .transpose()?,
            _ => None,
        };
        whole.persist(output).with_context(cannot)?;
        super::say(&format!("wrote {}", output.display()));
        match signed {
            Some(bytes) => {
                std::fs::write(&signature, bytes)
                    .with_context(|| format!("{} cannot be written", signature.display()))?;
                super::say(&format!("wrote {}", signature.display()));
            }
            None if self.format == Format::Md => {
                super::say("this report is a draft: it is signed when the release decision is");
            }
            None => {}
        }
        Ok(Answer::Done)
    }
}
