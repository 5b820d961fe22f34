//! The decided report: kept with the release decision that it is of, and the same whenever it is asked for.

use std::{collections::HashMap, io::Cursor};

use holdpoint_domain::{Millis, ReviewId, person::Action};
use holdpoint_report::{Facts, FixedReport, SigningKey, signing::REPORT_NAMESPACE};
use holdpoint_storage::{Evidence, KeptReport, NewFixedReport, PackedBytes, StorageError, Tx};

use crate::{
    Actor, ServiceError, Services, import::off_the_async_threads, standing::ReleaseDecision,
};

/// A packed report up to this size stands in the database, a larger one in the file store.
const MOST_IN_DATABASE: usize = 64 * 1024;

/// So many bytes of evidence are compared with their digests when it is asked what became of them; of further files only
/// whether they are there, with their size.
const MOST_COMPARED_BYTES: u64 = 32 * 1024 * 1024;

/// Which report of a review is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AsOf {
    /// That of the newest decision; a draft of now while there is none.
    #[default]
    Newest,
    /// A draft of now, also where there is a decision.
    Now,
    /// That of a release decision, by the sign-off's id.
    SignOff(String),
    /// That which was exported, by the export's number in the log.
    Export(i64),
}

impl AsOf {
    /// Reads `as_of` of an address or a command: `now`, a sign-off's id, or an export's number in the log.
    pub fn parse(text: Option<&str>) -> Result<Self, ServiceError> {
        let Some(text) = text.map(str::trim) else {
            return Ok(Self::Newest);
        };
        let is_id = text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        if text == "now" {
            Ok(Self::Now)
        } else if is_id {
            Ok(Self::SignOff(text.to_ascii_lowercase()))
        } else if let Ok(sequence) = text.parse()
            && sequence > 0
        {
            Ok(Self::Export(sequence))
        } else {
            Err(ServiceError::rejected(
                "as_of",
                "Give `now` for a draft, the id of a release decision's sign-off, or the number of an export in the log.",
            ))
        }
    }
}

/// Whether a report is that of a decision, for those who show it or hand it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportStanding {
    /// Kept with this sign-off.
    Decided { sign_off: String, at: Millis },
    /// Of a decision that was signed before reports were kept: made of what is stored now.
    Computed,
    /// Nobody has decided yet.
    Draft,
    /// What came after the decision of this moment.
    DraftBeside { decided: Millis },
}

impl ReportStanding {
    pub const fn is_draft(&self) -> bool {
        matches!(self, Self::Draft | Self::DraftBeside { .. })
    }
}

/// A decided report in the list of a review's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedReport {
    pub sign_off: String,
    pub decision: ReleaseDecision,
    pub by: String,
    pub at: Millis,
    /// Of its decision in the log.
    pub log_sequence: i64,
    pub report_sha256: String,
}

/// The decided reports of a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedReports {
    /// Oldest first.
    pub reports: Vec<DecidedReport>,
    /// Whether the newest one's decision holds now.
    pub stands: bool,
    /// What has become since of the evidence behind the newest one, a sentence each.
    pub evidence_since: Vec<String>,
}

impl Services {
    /// The decided reports of a review, and whether the newest still says what is so.
    pub async fn decided_reports(
        &self,
        actor: &Actor,
        review: &ReviewId,
    ) -> Result<DecidedReports, ServiceError> {
        let _place = self.place_to_report().await?;
        let mut tx = self.database().read().await?;
        self.service_of_review(&mut tx, actor, review, Action::Export)
            .await?;
        let kept = tx.kept_reports(review).await?;
        let Some(newest) = kept.last() else {
            return Ok(DecidedReports {
                reports: Vec::new(),
                stands: false,
                evidence_since: Vec::new(),
            });
        };
        let report = self.unpack(&mut tx, newest).await?;
        let evidence = tx.evidence_of_review(review).await?;
        // Reading files takes a while, and asks nothing of the database.
        drop(tx);
        let evidence_since = self.evidence_since(&evidence, &report.facts).await;
        let standing = self.review_glance(actor, review).await?;
        let stands = standing.release.decided.is_some()
            && standing
                .release
                .decisions
                .iter()
                .any(|of| of.sign_off.id == newest.sign_off && of.is_valid());
        let reports = kept.iter().map(|kept| {
            Ok(DecidedReport {
                sign_off: kept.sign_off.clone(),
                decision: ReleaseDecision::parse(&kept.decision)
                    .ok_or_else(|| StorageError::Damaged("sign_off.decision".to_owned()))?,
                by: kept.person_name.clone(),
                at: kept.signed_at,
                log_sequence: kept.log_sequence,
                report_sha256: kept.report_sha256.as_str().to_owned(),
            })
        });
        Ok(DecidedReports {
            reports: reports.collect::<Result<_, ServiceError>>()?,
            stands,
            evidence_since,
        })
    }

    /// The kept report that is meant; none where a draft, or a report of a decision that has none, is to be made.
    pub(crate) async fn kept_report(
        &self,
        tx: &mut Tx,
        review: &ReviewId,
        as_of: &AsOf,
    ) -> Result<Option<KeptReport>, ServiceError> {
        let mut kept = tx.kept_reports(review).await?;
        let unknown = |message: String| ServiceError::rejected("as_of", message);
        let choices = |kept: &[KeptReport]| {
            let of: Vec<_> = kept.iter().map(|one| one.sign_off.as_str()).collect();
            if of.is_empty() {
                "This review has no decided report yet; `now` gives a draft.".to_owned()
            } else {
                format!("Choose `now` for a draft, or {}.", of.join(", "))
            }
        };
        match as_of {
            AsOf::Now => Ok(None),
            // One that is gone must not have another made in its place.
            AsOf::Newest => match tx.lost_report(review).await? {
                Some(lost) => {
                    Err(StorageError::Damaged(format!("the report of sign-off {lost}")).into())
                }
                None => Ok(kept.pop()),
            },
            AsOf::SignOff(id) => match kept.iter().position(|one| one.sign_off == *id) {
                Some(at) => Ok(Some(kept.swap_remove(at))),
                None if tx.is_signed_off_by(review, id).await? => Err(unknown(format!(
                    "No report was kept with the sign-off {id}: reports are kept with release decisions. {}",
                    choices(&kept)
                ))),
                None => Err(unknown(format!(
                    "This review has no sign-off {id}. {}",
                    choices(&kept)
                ))),
            },
            AsOf::Export(sequence) => {
                let entry = tx.activity_after(sequence - 1, 1).await?.pop();
                let entry = entry.map(|stored| stored.entry).filter(|entry| {
                    entry.sequence == *sequence
                        && entry.review.as_deref() == Some(review.as_str())
                        && entry.action == "report.exported"
                });
                let Some(entry) = entry else {
                    return Err(unknown(format!(
                        "Entry {sequence} of the log is no export of this review. {}",
                        choices(&kept)
                    )));
                };
                let after: serde_json::Value =
                    serde_json::from_str(entry.after.as_deref().unwrap_or_default())
                        .unwrap_or_default();
                let of = after["report_of"].as_str();
                match kept
                    .iter()
                    .position(|one| Some(one.sign_off.as_str()) == of)
                {
                    Some(at) => Ok(Some(kept.swap_remove(at))),
                    None => Err(unknown(format!(
                        "The report of export {sequence} was not kept. {}",
                        choices(&kept)
                    ))),
                }
            }
        }
    }

    /// Reads a kept report.
    pub(crate) async fn unpack(
        &self,
        tx: &mut Tx,
        kept: &KeptReport,
    ) -> Result<FixedReport, ServiceError> {
        let lost = || StorageError::Damaged(format!("the report of sign-off {}", kept.sign_off));
        if !kept.is_logged {
            tracing::error!(
                sign_off = kept.sign_off,
                "a kept report is not the one that the activity log names"
            );
            return Err(lost().into());
        }
        let packed = match &kept.file {
            Some(file) => self.files().read(file).await?,
            None => tx.packed_report(&kept.sign_off).await?,
        }
        .ok_or_else(lost)?;
        let sha256 = kept.sha256.clone();
        let read =
            off_the_async_threads(move || Ok(FixedReport::unpack(Cursor::new(packed), &sha256)));
        read.await?.map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                sign_off = kept.sign_off,
                "a kept report cannot be read"
            );
            lost().into()
        })
    }

    /// Writes, signs and packs the report of a decision that is about to be signed. What is large is in the file store before
    /// the unit of work begins that names it.
    pub(crate) async fn fix_report(
        &self,
        facts: Facts,
        key: &SigningKey,
    ) -> Result<NewFixedReport, ServiceError> {
        let allowed_signers = self
            .key_ring()
            .await?
            .allowed_signers_as_of(facts.review.as_of);
        let (report, packed) = off_the_async_threads(move || {
            let report = FixedReport::of(facts);
            let packed = report.pack();
            Ok((report.report, packed))
        })
        .await?;
        Ok(NewFixedReport {
            signature: key.sign(REPORT_NAMESPACE, report.as_bytes())?,
            allowed_signers,
            sha256: packed.sha256,
            report_sha256: packed.report_sha256,
            packed: if packed.bytes.len() <= MOST_IN_DATABASE {
                PackedBytes::Here(packed.bytes)
            } else {
                PackedBytes::File(self.files().keep(&packed.bytes).await?)
            },
        })
    }

    /// What is not as it was with the evidence that facts name: withdrawn since, gone or damaged.
    async fn evidence_since(&self, now: &[Evidence], facts: &Facts) -> Vec<String> {
        let now: HashMap<_, _> = now.iter().map(|now| (now.id.as_str(), now)).collect();
        let mut sentences = Vec::new();
        let mut n_compared_bytes = 0_u64;
        for item in &facts.items {
            for then in item.evidence.iter().filter(|then| then.withdrawn.is_none()) {
                let name = format!("Evidence \"{}\" of item {}", then.title, item.key);
                let Some(now) = now.get(then.id.as_str()) else {
                    sentences.push(format!("{name} is not stored any more."));
                    continue;
                };
                if now.withdrawn_at.is_some() {
                    let by = now.withdrawn_by_name.as_deref().unwrap_or("somebody");
                    let reason = now.withdrawn_reason.as_deref().unwrap_or_default();
                    sentences.push(format!("{name} was withdrawn since by {by}: {reason}"));
                }
                let Some(file) = &now.file_sha256 else {
                    continue;
                };
                let size = tokio::fs::metadata(self.files().path(file)).await;
                let size = size.map(|found| found.len());
                if size.as_ref().is_ok_and(|size| *size == then.size_bytes) {
                    n_compared_bytes = n_compared_bytes.saturating_add(then.size_bytes);
                    if n_compared_bytes > MOST_COMPARED_BYTES
                        || matches!(self.files().verify(file).await, Ok(true))
                    {
                        continue;
                    }
                }
                let what = if size.is_err() {
                    "is gone"
                } else {
                    "is damaged"
                };
                sentences.push(format!(
                    "{name}: its file {what}. Restore it from a backup."
                ));
            }
        }
        sentences
    }
}
