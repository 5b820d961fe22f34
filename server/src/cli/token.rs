use anyhow::{Context as _, ensure};
use holdpoint_domain::Millis;
use holdpoint_service::{NewToken, Services};

use super::{Answer, config::Flags, work};

/// API tokens, without the web.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Token {
    /// Make a token that acts for a person; it is printed once, alone on standard output.
    Create(Create),
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// The address of the person that the token acts for.
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// Only this service, by its short name; otherwise all that the person may see.
    #[arg(long, value_name = "SLUG")]
    service: Option<String>,
    /// What the token may do: read, export, import_scans, contribute, approve_patch, decide, decide_release, manage,
    /// administer. May be given several times, or several with commas between them.
    #[arg(long, required = true, num_args = 1.., value_delimiter = ',')]
    scope: Vec<String>,
    /// How long it works: a number and d, w or h, at most a year.
    #[arg(long, value_name = "TIME", default_value = "90d")]
    expires: String,
    /// What the token is called in lists.
    #[arg(long, default_value = "Command line")]
    name: String,
    #[command(flatten)]
    flags: Flags,
}

impl Token {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let Self::Create(mut create) = self;
        let flags = std::mem::take(&mut create.flags);
        let lasts = parse_time(&create.expires).with_context(|| {
            format!(
                "option --expires: {:?} is no time. Write a number and d, w or h, such as 90d.",
                create.expires
            )
        })?;
        work(&flags, async |services| create.run(&services, lasts).await)
    }
}

impl Create {
    async fn run(self, services: &Services, lasts: Millis) -> anyhow::Result<Answer> {
        ensure!(
            lasts > 0,
            "option --expires: a token works for an hour at least."
        );
        let new = NewToken {
            name: &self.name,
            service: self.service.as_deref(),
            scopes: self.scope.iter().map(|word| word.trim()).collect(),
            expires_at: services.now().saturating_add(lasts),
        };
        let made = services
            .create_token_for(&self.email, new)
            .await
            .map_err(super::refused)?;
        super::print(&made.secret);
        let scopes: Vec<_> = made
            .token
            .scopes
            .iter()
            .map(|scope| scope.as_str())
            .collect();
        super::say(&format!(
            "made the token {:?} for {}: {}, for {}. It is not shown again.",
            made.token.name,
            self.email,
            scopes.join(", "),
            self.expires
        ));
        Ok(Answer::Done)
    }
}

fn parse_time(text: &str) -> Option<Millis> {
    let text = text.trim();
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let hours = match unit {
        "h" => 1,
        "d" => 24,
        "w" => 7 * 24,
        _ => return None,
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number
        .parse::<Millis>()
        .ok()?
        .checked_mul(hours * 3_600_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(parse_time("90d"), Some(90 * 86_400_000));
        assert_eq!(parse_time("2w"), parse_time("14d"));
        assert_eq!(parse_time("24h"), parse_time("1d"));
        for wrong in [
            "",
            "d",
            "90",
            "-1d",
            "1.5d",
            "9999999999999999999d",
            "ninety d",
            "1ä",
        ] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
    }
}
