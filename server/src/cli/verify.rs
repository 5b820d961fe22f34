use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use holdpoint_report::{
    AllowedKeys, Verification,
    allowed_signers::absolute_time,
    inspect_report,
    log::check_consistency,
    verify_bundle, verify_report,
    verifying::{CheckOutcome, Limits},
};
use serde_json::json;

use super::{Answer, terminal};

/// Check a report or a bundle, offline: exit code 0 if it verifies, 1 if it does not or nothing proves whose it is, 2 if it
/// cannot be checked.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// The report (report.md) or the bundle (bundle.zip).
    file: PathBuf,
    /// The report's signature [default: FILE.sig]
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// The public keys that may have signed, as OpenSSH's allowed_signers: what the server gives at
    /// /.well-known/holdpoint-signing-keys. Without them a file can only be consistent in itself, which proves nothing.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// For which moment to ask whether a key was valid, as ssh-keygen's -Overify-time: YYYYMMDD[HHMM[SS]][Z] [default: when the
    /// report was signed]. Needs --key.
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// Files with heads of the log, such as another bundle: checks that this bundle's log and theirs are one. Needs --key.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    against: Vec<PathBuf>,
    #[arg(long)]
    json: bool,
}

/// No signature and no list of keys is longer.
const MAX_SMALL_BYTES: u64 = 1024 * 1024;

impl Verify {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let mut keys = self.key.as_deref().map(read_keys).transpose()?;
        if let Some(time) = &self.time {
            if keys.is_none() {
                bail!(
                    "option --time: name the keys that may have signed with --key, since only they are valid for a time"
                );
            }
            let seconds = absolute_time(time, &seconds_of_local).context(
                "option --time: write it as YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with Z behind it for UTC",
            )?;
            keys = keys.map(|keys| keys.at(seconds.saturating_mul(1_000)));
        }
        let mut verification = if is_bundle(&self.file)? {
            if self.signature.is_some() {
                bail!("option --signature: a bundle holds its signatures. Leave the option out");
            }
            let open = |path: &Path| File::open(path).with_context(|| path.display().to_string());
            let mut verification =
                verify_bundle(open(&self.file)?, keys.as_ref(), Limits::default());
            for path in &self.against {
                let keys = keys
                    .as_ref()
                    .context("option --against: name the keys that may have signed with --key")?;
                let name = path.display().to_string();
                check_consistency(
                    &mut verification,
                    open(&self.file)?,
                    open(path)?,
                    &name,
                    keys,
                );
            }
            verification
        } else {
            if !self.against.is_empty() {
                bail!(
                    "option --against: only a bundle says what its log goes on from. Ask the instance: `holdpoint log verify --against`"
                );
            }
            self.verify_report(keys.clone())?
        };
        if let (Some(keys), Some(signer), None) = (&keys, &verification.signed_by, &self.time)
            && !keys.may_sign_at(signer, jiff::Timestamp::now().as_millisecond())
        {
            let note = format!(
                "{signer} signs no more. That it still did then is what the file says: whoever got hold of the key later can write \
                 an older time. Ask for a moment that you know from elsewhere with --time, or have the instance prove by \
                 `holdpoint log verify --against` that its log had it when a head was noted."
            );
            verification.note(note);
        }
        if self.json {
            let checks: Vec<_> = verification
                .checks
                .iter()
                .map(|check| json!({ "outcome": word(check.outcome), "what": check.what }))
                .collect();
            terminal::json(&json!({
                "verified": verification.verified(),
                "consistent": verification.is_consistent(),
                "signed_by": verification.signed_by,
                "checks": checks,
            }))?;
        } else {
            terminal::text(&format!("{verification}\n"))?;
        }
        Ok(if verification.verified() {
            Answer::Done
        } else {
            Answer::No
        })
    }

    fn verify_report(&self, keys: Option<AllowedKeys>) -> anyhow::Result<Verification> {
        let report = terminal::read(&self.file, Limits::default().text_bytes)?;
        let beside = self.file.with_added_extension("sig");
        let signature = self.signature.as_deref().unwrap_or(&beside);
        let signature = read_text(signature).with_context(|| {
            format!(
                "the signature of {} is needed: it comes with the report as report.md.sig, and a draft has none. Name it with \
                 --signature",
                self.file.display()
            )
        })?;
        let name = self.file.display().to_string();
        Ok(match keys {
            Some(keys) => verify_report(&name, &report, &signature, &keys),
            None => inspect_report(&name, &report, &signature),
        })
    }
}

/// When it was so late by the clock here. As the C library does for OpenSSH, summer time is not thought of.
fn seconds_of_local(time: time::PrimitiveDateTime) -> Option<i64> {
    use jiff::{Timestamp, tz::TimeZone};
    let zone = TimeZone::system();
    let utc = time.assume_utc().unix_timestamp();
    let guess = Timestamp::from_second(utc).ok()?;
    let info = zone.to_offset_info(guess);
    let standard = if info.dst().is_dst() {
        let mut transitions = zone.preceding(guess);
        transitions
            .find(|transition| !transition.dst().is_dst())?
            .offset()
    } else {
        info.offset()
    };
    Some(utc - i64::from(standard.seconds()))
}

const fn word(outcome: CheckOutcome) -> &'static str {
    match outcome {
        CheckOutcome::Right => "right",
        CheckOutcome::Wrong => "wrong",
        CheckOutcome::Note => "note",
    }
}

/// Told by the first bytes: a ZIP file says so.
fn is_bundle(path: &Path) -> anyhow::Result<bool> {
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(4).read_to_end(&mut start))
        .with_context(|| format!("{}: the file cannot be read", path.display()))?;
    let named_so = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    Ok(named_so || start.starts_with(b"PK"))
}

pub(super) fn read_keys(path: &Path) -> anyhow::Result<AllowedKeys> {
    let text = read_text(path)?;
    AllowedKeys::parse_with(&text, seconds_of_local)
        .with_context(|| format!("option --key: {}", path.display()))
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    let bytes = terminal::read(path, MAX_SMALL_BYTES)?;
    String::from_utf8(bytes).with_context(|| format!("{} is no text", path.display()))
}
