use super::{Answer, config::Flags, terminal, work};

/// The activity log.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Log {
    /// Check the hash chain and every signed head: exit code 0 if all is right, 1 if not.
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Log {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let Self::Verify(Verify { json, flags }) = self;
        work(&flags, async |services| {
            let verification = services.verify_log().await?;
            let is_right = verification.problems.is_empty();
            if json {
                terminal::json(&verification)?;
            } else {
                let mut text = String::new();
                for problem in &verification.problems {
                    text.push_str(&format!("WRONG  {problem}\n"));
                }
                text.push_str(&format!(
                    "{} entries, {} signed heads checked. {}\n",
                    verification.length,
                    verification.n_signed_heads,
                    if is_right {
                        "The log verifies."
                    } else {
                        "The log does not verify."
                    }
                ));
                terminal::text(&text)?;
            }
            Ok(if is_right { Answer::Done } else { Answer::No })
        })
    }
}
