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
    /// Which report: `now` for a draft of now, the id of a release decision's sign-off, or the number of an export in the log
    /// [default: that of the newest decision, or a draft while there is none]
    #[arg(long, value_name = "WHICH")]
    as_of: Option<String>,
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
        let of = |name: &str| {
            let as_of = self.as_of.as_deref().unwrap_or_default();
            holdpoint_app::paths::with_query(&format!("/reviews/{id}/{name}"), &[("as_of", as_of)])
        };
        let path = of(self.format.name());
        let Some(output) = &self.output else {
            ensure!(
                self.format != Format::Bundle || !std::io::stdout().is_terminal(),
                "a bundle is no text. Name a file with -o, or pipe it"
            );
            let response = server.get(&path)?;
            super::say(which(&response));
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
        let which = which(&response);
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
                .get_if_there(&of(&format!("{}.sig", self.format.name())))?
                .map(client::bytes)
                .transpose()?,
            _ => None,
        };
        whole.persist(output).with_context(cannot)?;
        super::say(&format!("wrote {}", output.display()));
        if let Some(bytes) = signed {
            std::fs::write(&signature, bytes)
                .with_context(|| format!("{} cannot be written", signature.display()))?;
            super::say(&format!("wrote {}", signature.display()));
        }
        super::say(which);
        Ok(Answer::Done)
    }
}

/// Which report an answer is, in words.
fn which<T>(response: &http::Response<T>) -> &'static str {
    let said = response.headers().get("holdpoint-report");
    match said.and_then(|said| said.to_str().ok()).unwrap_or_default() {
        "draft" => "this report is a draft: it is signed when the release decision is",
        "draft; beside-decided" => {
            "this report is a draft of what came after the release decision; leave out --as-of for the decided report"
        }
        "decided; computed" => {
            "this report is of a decision from before reports were kept, made of what is stored now"
        }
        _ => {
            "this is the report of the release decision, fixed when that was signed; what came later is in the draft, --as-of now"
        }
    }
}
