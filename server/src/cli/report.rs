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
        let of = |name: &str, as_of: &str| {
            holdpoint_app::paths::with_query(&format!("/reviews/{id}/{name}"), &[("as_of", as_of)])
        };
        let as_of = self.as_of.as_deref().unwrap_or_default();
        let path = of(self.format.name(), as_of);
        let Some(output) = &self.output else {
            ensure!(
                self.format != Format::Bundle || !std::io::stdout().is_terminal(),
                "a bundle is no text. Name a file with -o, or pipe it"
            );
            let response = server.get(&path)?;
            super::say(Which::of(&response).words());
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
        let which = Which::of(&response);
        // Under another name until it is whole: half a report must not pass for one.
        let folder = output
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.map_or_else(|| PathBuf::from("."), PathBuf::from);
        let cannot = || format!("{} cannot be written", output.display());
        let mut whole = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
        std::io::copy(&mut client::reader(response), &mut whole).context("the export broke off")?;
        let signature = output.with_added_extension("sig");
        let signed = match which.signature_of(as_of) {
            Some(as_of) if self.format == Format::Md => server
                .get_if_there(&of(&format!("{}.sig", self.format.name()), as_of))?
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
        super::say(which.words());
        Ok(Answer::Done)
    }
}

/// Which report an answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Which {
    /// Kept with this sign-off.
    Decided {
        sign_off: String,
    },
    /// Of a decision from before reports were kept.
    Computed,
    Draft,
    DraftBeside,
    /// The server, or something between, does not say.
    Unknown,
}

impl Which {
    fn of<T>(response: &http::Response<T>) -> Self {
        let said = response.headers().get("holdpoint-report");
        match said.and_then(|said| said.to_str().ok()) {
            Some("draft") => Self::Draft,
            Some("draft; beside-decided") => Self::DraftBeside,
            Some("decided; computed") => Self::Computed,
            Some(said) => match said.strip_prefix("decided; sign-off=") {
                Some(sign_off) => Self::Decided {
                    sign_off: sign_off.to_owned(),
                },
                None => Self::Unknown,
            },
            None => Self::Unknown,
        }
    }

    /// By what its signature is asked for, where it has one: the same report, also if another was decided in between.
    fn signature_of<'a>(&'a self, as_of: &'a str) -> Option<&'a str> {
        match self {
            Self::Decided { sign_off } => Some(sign_off),
            Self::Computed | Self::Unknown => Some(as_of),
            Self::Draft | Self::DraftBeside => None,
        }
    }

    const fn words(&self) -> &'static str {
        match self {
            Self::Decided { .. } => {
                "this is the report of the release decision, fixed when that was signed; what came later is in the draft, --as-of now"
            }
            Self::Computed => {
                "this report is of a decision from before reports were kept, made of what is stored now"
            }
            Self::Draft => "this report is a draft: it is signed when the release decision is",
            Self::DraftBeside => {
                "this report is a draft of what came after the release decision; leave out --as-of for the decided report"
            }
            Self::Unknown => {
                "the server does not say which report this is: its first lines do. Use the `holdpoint` of the server's version"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_does_not_say_which_report_it_is_passes_for_none() {
        let which = |said: Option<&str>| {
            let mut response = http::Response::builder();
            if let Some(said) = said {
                response = response.header("holdpoint-report", said);
            }
            Which::of(&response.body(()).unwrap())
        };
        let decided = which(Some(
            "decided; sign-off=0198a1b2-0000-7000-8000-000000000000",
        ));
        assert_eq!(
            decided.signature_of(""),
            Some("0198a1b2-0000-7000-8000-000000000000")
        );
        assert!(decided.words().contains("fixed when that was signed"));
        for said in [None, Some(""), Some("decided"), Some("something new")] {
            assert_eq!(which(said), Which::Unknown, "{said:?}");
        }
        assert!(Which::Unknown.words().contains("does not say which"));
        assert_eq!(
            which(Some("decided; computed")).signature_of("7"),
            Some("7")
        );
        // A draft has no signature, also if there is a decision by the time at which it is asked for.
        for draft in ["draft", "draft; beside-decided"] {
            assert_eq!(which(Some(draft)).signature_of(""), None);
        }
    }
}
