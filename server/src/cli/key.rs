use std::path::PathBuf;

use anyhow::Context as _;
use holdpoint_domain::KeyPurpose;
use holdpoint_report::timestamp;
use holdpoint_service::{KeyView, Services};
use serde_json::{Value, json};

use super::{Answer, config::Flags, refused, terminal, work};

/// The keys that sign reports and the activity log, and the one kept for attestations, which signs nothing yet. Works beside a running server, which goes by a change
/// from its next signature on.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Key {
    /// Show every key: what it is for, from when until when it is valid, whether its private half is on this machine.
    List(List),
    /// Put new keys in the place of those in use. Each new key is signed by the one that it follows; what the old ones signed
    /// still verifies.
    Rotate(Rotate),
    /// Delete the private half of a key that another has followed. What it signed still verifies.
    Retire(Retire),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, clap::Args)]
pub(super) struct Rotate {
    /// Only the key for this: report, log or attestation [default: every key]
    #[arg(long, value_name = "PURPOSE", value_parser = purpose)]
    purpose: Option<KeyPurpose>,
    /// The public half of the new key, whose private half is in the folder of keys or in the ssh-agent already [default: a
    /// new key is made in the folder of keys]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, clap::Args)]
pub(super) struct Retire {
    /// The key's fingerprint, as `holdpoint key list` shows it: SHA256:…
    #[arg(value_name = "FINGERPRINT")]
    fingerprint: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

/// No public key is longer.
const MAX_PUBLIC_KEY_BYTES: u64 = 16 * 1024;

fn purpose(text: &str) -> Result<KeyPurpose, String> {
    KeyPurpose::parse(text).ok_or_else(|| "choose report, log or attestation".to_owned())
}

impl Key {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        match self {
            Self::List(List { json, flags }) => work(&flags, async |services| {
                show(&services, json).await?;
                Ok(Answer::Done)
            }),
            Self::Rotate(Rotate {
                purpose,
                to,
                json,
                flags,
            }) => {
                let to = to
                    .map(|path| {
                        let bytes = terminal::read(&path, MAX_PUBLIC_KEY_BYTES)?;
                        String::from_utf8(bytes)
                            .with_context(|| format!("{} is no text", path.display()))
                    })
                    .transpose()?;
                work(&flags, async |services| {
                    let made = services
                        .rotate_keys(purpose, to.as_deref())
                        .await
                        .map_err(refused)?;
                    for fingerprint in &made {
                        super::say(&format!("{fingerprint} signs from now on"));
                    }
                    super::say(
                        "back up the new private keys, and give them to every node. Whoever saved the list of public keys \
                         saves it again",
                    );
                    show(&services, json).await?;
                    Ok(Answer::Done)
                })
            }
            Self::Retire(Retire {
                fingerprint,
                json,
                flags,
            }) => work(&flags, async |services| {
                services.retire_key(&fingerprint).await.map_err(refused)?;
                super::say(&format!(
                    "{fingerprint} is retired. Delete its file on other nodes and in backups too"
                ));
                show(&services, json).await?;
                Ok(Answer::Done)
            }),
        }
    }
}

async fn show(services: &Services, json: bool) -> anyhow::Result<()> {
    let keys = services.signing_keys().await?;
    if json {
        let keys: Vec<_> = keys.iter().map(as_json).collect();
        return terminal::json(&json!({ "keys": keys }));
    }
    let mut text = String::new();
    for view in &keys {
        let purposes: Vec<_> = view.key.purposes.iter().map(|p| p.as_str()).collect();
        let until = view
            .key
            .valid_before
            .map(|at| format!(" until {}", timestamp(at)))
            .unwrap_or_default();
        text.push_str(&format!(
            "{:8}  {}  {}  since {}{until}{}\n",
            state(view),
            view.key.fingerprint,
            purposes.join(", "),
            timestamp(view.key.valid_after),
            if view.is_here || view.key.retired.is_some() {
                ""
            } else {
                "  (its private half is not on this machine)"
            },
        ));
    }
    terminal::text(&text)
}

fn as_json(view: &KeyView) -> Value {
    json!({
        "fingerprint": view.key.fingerprint,
        "public_key": view.key.public_key,
        "purposes": view.key.purposes,
        "state": state(view),
        "valid_after": timestamp(view.key.valid_after),
        "valid_before": view.key.valid_before.map(timestamp),
        "retired_at": view.key.retired.map(timestamp),
        "private_key_here": view.is_here,
    })
}

fn state(view: &KeyView) -> &'static str {
    if view.is_current {
        "current"
    } else if view.key.retired.is_some() {
        "retired"
    } else {
        "followed"
    }
}
