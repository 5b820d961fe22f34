use std::io::Read as _;

use anyhow::{Context as _, bail, ensure};
use holdpoint_domain::InstanceRole;
use holdpoint_service::{MAX_PASSWORD_CHARS, NewAccount, Services};

use super::{Answer, config::Flags, terminal, work};

/// Accounts, without the web.
#[derive(Debug, clap::Subcommand)]
pub(super) enum User {
    /// Add a local account; its password is read from standard input.
    Add(Add),
    /// Make a one-time link with which somebody chooses a new password.
    ResetPassword(ResetPassword),
}

#[derive(Debug, clap::Args)]
pub(super) struct ResetPassword {
    /// The address that the person signs in with.
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// The address to sign in with.
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// The full name, as it will stand under what the person signs.
    #[arg(long)]
    name: String,
    /// Make an administrator of this instance.
    #[arg(long)]
    admin: bool,
    /// Read the password from standard input, up to the first line break.
    #[arg(long, required = true)]
    password_stdin: bool,
    #[command(flatten)]
    flags: Flags,
}

impl User {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let mut add = match self {
            Self::Add(add) => add,
            Self::ResetPassword(reset) => return reset.run(),
        };
        // An argument of the shell would show in the list of processes.
        debug_assert!(add.password_stdin, "clap requires it");
        let password = read_password(std::io::stdin().lock())?;
        let flags = std::mem::take(&mut add.flags);
        work(&flags, async |services| add.run(&services, &password).await)
    }
}

impl ResetPassword {
    fn run(self) -> anyhow::Result<Answer> {
        let Self { email, flags } = self;
        work(&flags, async |services| {
            let made = services.make_reset_link_for(&email).await;
            let link = made.map_err(super::refused)?;
            terminal::text(&format!(
                "{}\n",
                holdpoint_app::paths::password_reset(&link.secret)
            ))?;
            super::say(&format!(
                "open this path on your server's address within a day: it works once, and sets a new password for {} ({})",
                link.person.name, link.person.email
            ));
            Ok(Answer::Done)
        })
    }
}

impl Add {
    async fn run(self, services: &Services, password: &str) -> anyhow::Result<Answer> {
        let instance_role = if self.admin {
            InstanceRole::Admin
        } else {
            InstanceRole::Member
        };
        let new = NewAccount {
            email: &self.email,
            name: &self.name,
            password,
            instance_role,
        };
        let person = services.add_person(new).await.map_err(super::refused)?;
        super::say(&format!(
            "added {} ({}), {}",
            person.name, person.email, person.instance_role
        ));
        if !services.is_set_up().await? {
            super::say(
                "nobody administers this instance yet: add somebody with --admin, or use the set-up link",
            );
        }
        Ok(Answer::Done)
    }
}

/// The first line, without its line break; the rest must be empty.
fn read_password(input: impl std::io::Read) -> anyhow::Result<String> {
    let most = MAX_PASSWORD_CHARS * 4 + 2;
    let mut bytes = Vec::new();
    input
        .take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .context("standard input: the password cannot be read")?;
    ensure!(
        bytes.len() <= most,
        "standard input: this is too long for a password. Use at most {MAX_PASSWORD_CHARS} characters."
    );
    let Ok(text) = String::from_utf8(bytes) else {
        bail!("standard input: the password is not UTF-8 text.")
    };
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    ensure!(
        !line.contains(['\n', '\r']),
        "standard input: there is more than one line. Write the password alone."
    );
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_one_line_of_the_input() {
        for input in [
            "four words work well",
            "four words work well\n",
            "four words work well\r\n",
        ] {
            assert_eq!(
                read_password(input.as_bytes()).unwrap(),
                "four words work well"
            );
        }
        for wrong in [
            &b"two\nlines\n"[..],
            b"\xff",
            &[b'x'; MAX_PASSWORD_CHARS * 4 + 3],
        ] {
            assert!(
                read_password(wrong)
                    .unwrap_err()
                    .to_string()
                    .starts_with("standard input: ")
            );
        }
    }
}
