//! Taking an import back, with all its effects, while nobody has acted on its findings.

use holdpoint_domain::{ScanId, person::Action};
use holdpoint_storage::{
    NewActivity, Scan, Tx,
    imports::{ActedOn, UNDOABLE_SCANS},
};

use crate::{Actor, ServiceError, Services};

/// How much of what people did is told.
const MOST_TOLD: i64 = 5;

/// What an undone import took with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    pub scan: Scan,
    /// Findings that are as they were before it.
    pub put_back: u64,
    /// Findings that only it had.
    pub removed: u64,
}

impl Services {
    /// Takes an import back: its new findings are gone, the others are as they were before it. Refused once a later scan
    /// of the series was compared with it, or somebody acted on its findings; the refusal says who did what.
    pub async fn undo_scan(&self, actor: &Actor, id: &ScanId) -> Result<Undone, ServiceError> {
        self.retrying(|| self.undo_scan_once(actor, id)).await
    }

    async fn undo_scan_once(&self, actor: &Actor, id: &ScanId) -> Result<Undone, ServiceError> {
        let scan = self.scan(actor, id).await?;
        let mut tx = self.database().write().await?;
        tx.keep_policies_of(&scan.service).await?;
        self.allow(&mut tx, actor, &scan.service, Action::ImportScans)
            .await?;
        // Locked first, so that nothing is imported meanwhile.
        tx.lock_series(&scan.series).await?;
        if let Some(why) = self.why_not_undone(&mut tx, &scan).await? {
            return Err(ServiceError::rejected("", why));
        }
        let blocking = self.blocking(&mut tx, &scan.service).await?;
        let n_blocking = tx
            .n_open_of_series(&scan.series, blocking.severities())
            .await?;
        let now = self.now();
        let reason = format!(
            "The import of scan {} of {} was undone.",
            scan.sequence, scan.label
        );
        tx.withdraw_evidence_of_scan(id, &actor.id, now, &reason)
            .await?;
        let (put_back, removed) = tx.undo_scan(id, &scan.series, &actor.id, now).await?;
        let n_left = tx
            .n_open_of_series(&scan.series, blocking.severities())
            .await?;
        if n_left < n_blocking && actor.id != scan.imported_by {
            self.allow(&mut tx, actor, &scan.service, Action::Manage)
                .await
                .map_err(|_| not_theirs(&scan, n_blocking - n_left))?;
        }
        self.ask_for_second_person(&mut tx, actor, &scan.service, now)
            .await?;
        let label = &scan.label;
        tx.append_activity(NewActivity {
            at: now,
            actor: actor.id.as_str(),
            action: "scan.undone",
            subject_kind: "scan",
            subject: id.as_str(),
            service: Some(scan.service.as_str()),
            review: None,
            summary: format!(
                "undid the import of scan {} of {label}: {removed} findings removed, {put_back} put back",
                scan.sequence
            ),
            before: None,
            after: Some(
                serde_json::json!({ "removed": removed, "put_back": put_back }).to_string(),
            ),
        })
        .await?;
        self.database().commit_large(tx).await?;
        Ok(Undone {
            scan,
            put_back,
            removed,
        })
    }

    /// Why a scan cannot be undone now, as a sentence; `None` when it can.
    pub async fn why_scan_stays(
        &self,
        actor: &Actor,
        id: &ScanId,
    ) -> Result<Option<String>, ServiceError> {
        let scan = self.scan(actor, id).await?;
        let mut tx = self.database().read().await?;
        self.why_not_undone(&mut tx, &scan).await
    }

    async fn why_not_undone(
        &self,
        tx: &mut Tx,
        scan: &Scan,
    ) -> Result<Option<String>, ServiceError> {
        let series = tx.series(&scan.series).await?;
        let stored = tx.scan(&scan.id).await?;
        if stored.is_none_or(|scan| scan.undone_at.is_some()) {
            return Ok(Some("This import was undone already.".to_owned()));
        }
        if !tx.can_be_undone(&scan.id).await? {
            return Ok(Some(format!(
                "Only the last {UNDOABLE_SCANS} scans of a series can be undone: what was there before an older one is not \
                 kept."
            )));
        }
        if let Some(newest) = series.last_scan.filter(|newest| *newest != scan.id) {
            let newest = tx.scan(&newest).await?;
            let sequence = newest.map_or(0, |newest| newest.sequence);
            return Ok(Some(format!(
                "Scan {sequence} of {} was compared with this one since. Undo that one first.",
                scan.label
            )));
        }
        let acted = tx.acted_on_since(&scan.id, MOST_TOLD + 1).await?;
        Ok((!acted.is_empty()).then(|| told(&acted)))
    }
}

/// Why somebody cannot take another's import back: what it found and holds the release back would leave *open* by one person.
fn not_theirs(scan: &Scan, n: i64) -> ServiceError {
    let findings = match n {
        1 => "an open finding that blocks".to_owned(),
        n => format!("{n} open findings that block"),
    };
    ServiceError::Forbidden(format!(
        "Undoing this import would take {findings} away. Only {}, who imported it, or a manager of the service can do that.",
        scan.imported_by_name
    ))
}

fn told(acted: &[ActedOn]) -> String {
    let most = usize::try_from(MOST_TOLD).unwrap_or_default();
    let mut told: Vec<String> = acted
        .iter()
        .take(most)
        .map(|act| {
            let who = act.who.as_deref().unwrap_or("somebody");
            let name = format!("F-{}", act.number);
            let is_named = act.what.split_whitespace().any(|word| word == name);
            match act.n - 1 {
                0 if is_named => format!("{who} {}", act.what),
                0 => format!("{who} {} ({name})", act.what),
                others => format!("{who} {} ({name} and {others} more)", act.what),
            }
        })
        .collect();
    if acted.len() > most {
        told.push("and more".to_owned());
    }
    format!(
        "People have acted on findings of this import since: {}. Undo would lose that. Decisions about many findings \
         can be undone first; else import a corrected scan.",
        told.join("; ")
    )
}
