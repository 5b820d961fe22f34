//! Sign-offs of before the second normalisation: what they signed leaves out whether four eyes were asked for, and of the
//! requirement it has only what the first version made of it. What their rows said at the upgrade is written into the activity log
//! once, so that nobody changes it unseen from then on.

use holdpoint_domain::digest::canonical_json;
use holdpoint_domain::{Digest, Millis};
use holdpoint_storage::{BoundSignOffs, NewActivity, SIGN_OFFS_BOUND, SignOff};

use crate::{ServiceError, Services, sign_off::record};

/// So many sign-offs an entry binds: with a row of any of them its whole entry is read.
const PER_ENTRY: i64 = 50;

impl Services {
    /// Writes into the log what the sign-offs of before the second normalisation are, also that there are none. Done where the
    /// database is opened, and only if it was never done: whatever comes later under the old rule was not there at the upgrade.
    pub async fn bind_old_sign_offs(&self) -> Result<(), ServiceError> {
        let mut tx = self.database().read().await?;
        if tx.first_binding().await?.is_some() {
            return Ok(());
        }
        drop(tx);
        let mut tx = self.database().write().await?;
        // Whoever signs waits meanwhile, and another node that starts finds it done.
        tx.lock_log_tree().await?;
        if tx.first_binding().await?.is_some() {
            return Ok(());
        }
        let now = self.now();
        let n = tx.n_unbound_sign_offs().await?;
        let entries = (n / PER_ENTRY + i64::from(n % PER_ENTRY > 0)).max(1);
        for _ in 0..entries {
            let sign_offs = tx.unbound_sign_offs(PER_ENTRY).await?;
            let entry = tx
                .append_activity(entry_of(&sign_offs, entries, now))
                .await?;
            let ids: Vec<&str> = sign_offs.iter().map(|sign_off| &*sign_off.id).collect();
            tx.bind_sign_offs(&ids, entry.entry.sequence).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

fn entry_of(sign_offs: &[SignOff], entries: i64, now: Millis) -> NewActivity<'static> {
    let digests = sign_offs.iter();
    let after = BoundSignOffs {
        sign_offs: digests
            .map(|sign_off| (sign_off.id.clone(), bound_digest(sign_off).into()))
            .collect(),
        entries,
    };
    NewActivity {
        at: now,
        actor: "holdpoint",
        action: SIGN_OFFS_BOUND,
        subject_kind: "instance",
        subject: "holdpoint",
        service: None,
        review: None,
        summary: match sign_offs.len() {
            0 => "wrote down that no sign-off was made under an older rule for texts".to_owned(),
            n => format!("wrote down {n} sign-offs that were made under an older rule for texts"),
        },
        before: None,
        after: Some(canonical_json(&after)),
    }
}

/// The digest of all that is stored of such a sign-off.
pub(crate) fn bound_digest(sign_off: &SignOff) -> Digest {
    let mut all = record(sign_off);
    for (name, value) in [
        ("review", Some(&*sign_off.review_id)),
        ("item", sign_off.item_id.as_deref()),
        ("content", Some(&*sign_off.content)),
        ("requirement", sign_off.signed_requirement.as_deref()),
    ] {
        all.insert(name.to_owned(), value.into());
    }
    all.insert("signed_at".to_owned(), sign_off.signed_at.into());
    all.insert("log_sequence".to_owned(), sign_off.log_sequence.into());
    Digest::of(canonical_json(&all).as_bytes())
}
