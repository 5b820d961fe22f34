use std::{
    collections::BTreeSet,
    fs::File,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use holdpoint_report::log::found_heads;
use holdpoint_service::{LogCheck, LogVerification, OutsideHead};

use super::{Answer, config::Flags, terminal, verify::read_keys, work};

/// The activity log.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Log {
    /// Check the log against itself, the sign-offs and every signed head, and against heads that were kept outside: exit
    /// code 0 if all is right, 1 if not. Without a head from outside the log is at most consistent in itself.
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// Files with heads of the log that were kept outside: bundles, reports (report.md, report.json), answers of the gate,
    /// badges as JSON, logs of pipelines, what this command printed earlier, checkpoints.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    against: Vec<PathBuf>,
    /// The public keys that may have signed [default: the instance's own]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Log {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let Self::Verify(Verify {
            against,
            key,
            json,
            flags,
        }) = self;
        let mut check = LogCheck {
            keys: key.as_deref().map(read_keys).transpose()?,
            ..LogCheck::default()
        };
        for path in &against {
            check.against.extend(heads_of(path)?);
        }
        work(&flags, async |services| {
            let verification = services.verify_log_against(check).await?;
            if json {
                terminal::json(&verification)?;
            } else {
                terminal::text(&for_people(&verification))?;
            }
            Ok(if verification.problems.is_empty() {
                Answer::Done
            } else {
                Answer::No
            })
        })
    }
}

/// The heads of the log that a file has.
pub(super) fn heads_of(path: &Path) -> anyhow::Result<Vec<OutsideHead>> {
    let source = path.display().to_string();
    let file = File::open(path).with_context(|| format!("option --against: {source}"))?;
    let heads = found_heads(file).with_context(|| format!("option --against: {source}"))?;
    let head = |head| OutsideHead {
        source: source.clone(),
        head,
    };
    // A bundle has its newest head in several files.
    let mut known = Vec::new();
    for head in heads {
        if !known.contains(&head) {
            known.push(head);
        }
    }
    Ok(known.into_iter().map(head).collect())
}

fn for_people(verification: &LogVerification) -> String {
    let mut text = String::new();
    for problem in &verification.problems {
        text.push_str(&format!("WRONG  {}\n", terminal::line(problem)));
    }
    // A file may have one head in two forms.
    let extended: BTreeSet<_> = verification
        .against
        .iter()
        .flatten()
        .filter(|head| head.extended)
        .map(|head| (&head.source, head.length))
        .collect();
    for (source, length) in extended {
        let source = terminal::line(source);
        text.push_str(&format!(
            "ok     {source}: the log goes on from the head over {length} entries.\n"
        ));
    }
    text.push_str(&format!(
        "{} entries, {} signed heads, {} sign-offs and {} decisions about findings checked. {}\n",
        verification.length,
        verification.n_signed_heads,
        verification.n_sign_offs,
        verification.n_decisions - verification.n_unknown_decisions,
        verification.says
    ));
    if verification.n_unknown_decisions > 0 {
        text.push_str(&format!(
            "Of {} more decisions about findings the log does not say enough to check them.\n",
            verification.n_unknown_decisions
        ));
    }
    if let Some(checkpoint) = &verification.checkpoint {
        text.push_str(&format!(
            "\nThe newest signed head; keep it outside:\n\n{checkpoint}"
        ));
    }
    text
}
