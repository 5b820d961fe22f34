//! The report and its other forms: gathering a review's facts, writing them, signing what was decided.
//!
//! A draft speaks of now and is not signed. The report of a release decision is kept with the signature that completed it
//! (`fixed_report.rs`), so that it is the same whenever it is asked for; what came later is a draft beside it.

use std::{
    collections::{BTreeSet, HashMap},
    io::{Read, Seek, Write},
};

use holdpoint_domain::{
    Decision, Digest, ItemState, KeyPurpose, Millis, PatchId, ReviewId, ServiceId, person::Action,
    signoff::Change, text::Date,
};
use holdpoint_patch::{Touch, touches};
use holdpoint_report::{
    BundleError, Contents, Facts, bundle, csv,
    facts::{self, Lines},
    json, markdown, sarif,
    signing::REPORT_NAMESPACE,
};
use holdpoint_storage::{
    Evidence, Finding, KeptReport, NewActivity, Review, SameIssue, Scan, SignOff, StorageError, Tx,
};
use serde_json::Map;
use tokio::sync::SemaphorePermit;

use crate::{
    Actor, AsOf, ReportStanding, ServiceError, Services,
    evidence::EvidenceView,
    findings::category_label,
    import::off_the_async_threads,
    log::Occasion,
    standing::{
        ReleaseDecision, ReviewStanding, SignOffStanding, Validity, read_standings, stand_aside,
    },
};

/// Scans named in a report: the newest of a service; older ones are in the activity log.
const MOST_SCANS: i64 = 1_000;

/// The report as a file to hand out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    pub file_name: String,
    pub bytes: Vec<u8>,
    /// `report.md.sig`; absent for a draft.
    pub signature: Option<String>,
    pub standing: ReportStanding,
}

/// The report as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPreview {
    pub text: String,
    pub standing: ReportStanding,
    /// What the downloads are called.
    pub file_name: String,
    pub bundle_name: String,
    /// For which moment OpenSSH is asked about its signature.
    pub verify_time: Option<String>,
}

/// A report before it is written: kept, or the facts to make it of.
struct Source {
    service: ServiceId,
    review: ReviewId,
    facts: Facts,
    standing: ReportStanding,
    /// As it was signed, with its signature and the keys of then.
    kept: Option<(String, KeptReport)>,
}

/// What a form of the report is called while nothing is decided.
fn marked_draft(name: &str, standing: &ReportStanding) -> String {
    match name.split_once('.') {
        Some((stem, kind)) if standing.is_draft() => format!("{stem}-DRAFT.{kind}"),
        _ => name.to_owned(),
    }
}

/// What a report is called on disk: `opensqt-market-maker-v1.0.0-report.md`.
fn file_name(facts: &Facts, rest: &str) -> String {
    let safe = |text: &str| -> String {
        text.chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') {
                    c
                } else {
                    '-'
                }
            })
            .collect()
    };
    let release = safe(&facts.review.release);
    format!(
        "{}-{}-{rest}",
        safe(&facts.service.slug),
        release.trim_start_matches('.')
    )
}

impl Source {
    /// `report.md`, with the facts it is made of.
    async fn text(mut self) -> Result<(Self, String), ServiceError> {
        if let Some((text, _)) = &mut self.kept {
            let text = std::mem::take(text);
            return Ok((self, text));
        }
        off_the_async_threads(move || {
            let text = markdown(self.facts.clone());
            Ok((self, text))
        })
        .await
    }

    fn markdown_name(&self) -> String {
        file_name(&self.facts, &marked_draft("report.md", &self.standing))
    }
}

impl Services {
    /// `report.md` to be read on a page: the same bytes, without its signature and without being noted as an export.
    pub async fn report_preview(
        &self,
        actor: &Actor,
        review: &ReviewId,
        as_of: &AsOf,
    ) -> Result<ReportPreview, ServiceError> {
        let _place = self.place_to_report().await?;
        let (source, text) = self.source(actor, review, as_of).await?.text().await?;
        Ok(ReportPreview {
            verify_time: holdpoint_report::verifying::verify_time(&text).map(str::to_owned),
            text,
            file_name: source.markdown_name(),
            bundle_name: file_name(&source.facts, "bundle.zip"),
            standing: source.standing,
        })
    }

    /// `report.md`, signed if it is that of a release decision. The export is noted in the activity log.
    pub async fn report_markdown(
        &self,
        actor: &Actor,
        review: &ReviewId,
        as_of: &AsOf,
    ) -> Result<ReportFile, ServiceError> {
        self.signed_markdown(actor, review, as_of, "report.md")
            .await
    }

    /// The signature of `report.md` as a file beside it; `None` for a draft. The export is noted as one of the signature.
    pub async fn report_signature(
        &self,
        actor: &Actor,
        review: &ReviewId,
        as_of: &AsOf,
    ) -> Result<Option<ReportFile>, ServiceError> {
        let mut report = self
            .signed_markdown(actor, review, as_of, "report.md.sig")
            .await?;
        let signature = report.signature.take();
        Ok(signature.map(|signature| ReportFile {
            file_name: format!("{}.sig", report.file_name),
            bytes: signature.into_bytes(),
            ..report
        }))
    }

    /// `report.md`; `what` of it is asked for is noted as the export.
    async fn signed_markdown(
        &self,
        actor: &Actor,
        review: &ReviewId,
        as_of: &AsOf,
        what: &str,
    ) -> Result<ReportFile, ServiceError> {
        let _place = self.place_to_report().await?;
        let (source, text) = self.source(actor, review, as_of).await?.text().await?;
        let bytes = text.into_bytes();
        let signature = if source.standing.is_draft() {
            None
        } else {
            let signature = match &source.kept {
                Some((_, kept)) => kept.signature.clone(),
                None => {
                    let key = self
                        .signing_key_at(KeyPurpose::Report, source.facts.review.as_of)
                        .await?;
                    key.sign(REPORT_NAMESPACE, &bytes)?
                }
            };
            self.note_export(actor, &source, what, &Digest::of(&bytes))
                .await?;
            Some(signature)
        };
        Ok(ReportFile {
            file_name: source.markdown_name(),
            bytes,
            signature,
            standing: source.standing,
        })
    }

    /// The report as JSON.
    pub async fn report_json(
        &self,
        actor: &Actor,
        review: &ReviewId,
        as_of: &AsOf,
    ) -> Result<ReportFile, ServiceError> {
        self.unsigned(actor, review, as_of, "report.json", json)
            .await
    }

    /// The review's findings as SARIF 2.1.0.
    pub async fn report_sarif(
        &self,
        actor: &Actor,
        review: &ReviewId,
        as_of: &AsOf,
    ) -> Result<ReportFile, ServiceError> {
        self.unsigned(actor, review, as_of, "findings.sarif", sarif)
            .await
    }

    /// The review's findings as CSV.
    pub async fn report_csv(
        &self,
        actor: &Actor,
        review: &ReviewId,
        as_of: &AsOf,
    ) -> Result<ReportFile, ServiceError> {
        self.unsigned(actor, review, as_of, "findings.csv", csv)
            .await
    }

    /// One of the report's other forms.
    async fn unsigned(
        &self,
        actor: &Actor,
        review: &ReviewId,
        as_of: &AsOf,
        name: &str,
        write: fn(Facts) -> String,
    ) -> Result<ReportFile, ServiceError> {
        let _place = self.place_to_report().await?;
        let source = self.source(actor, review, as_of).await?;
        let (facts, standing) = (source.facts, source.standing);
        let name = marked_draft(name, &standing);
        Ok(ReportFile {
            file_name: file_name(&facts, &name),
            bytes: off_the_async_threads(move || Ok(write(facts).into_bytes())).await?,
            signature: None,
            standing,
        })
    }

    /// The signed bundle, written to `out`, with its file name. A draft has none.
    pub async fn report_bundle<W: Write + Seek + Send + 'static>(
        &self,
        actor: &Actor,
        review: &ReviewId,
        as_of: &AsOf,
        out: W,
    ) -> Result<(W, String, ReportStanding), ServiceError> {
        let _place = self.place_to_report().await?;
        let source = self.source(actor, review, as_of).await?;
        if source.standing.is_draft() {
            let message =
                "A draft is not signed, so it has no bundle. Sign the release decision first.";
            return Err(ServiceError::rejected("", message));
        }
        let mut tx = self.database().read().await?;
        let canonical: HashMap<String, Vec<u8>> = tx
            .evidence_of_review(review)
            .await?
            .iter()
            .filter(|evidence| evidence.file_sha256.is_none() && !evidence.is_damaged())
            .map(|evidence| (evidence.sha256.as_str().to_owned(), evidence.text().bytes()))
            .collect();
        let over = source.facts.activity.sequence;
        let entries = printed(&source.facts, tx.sign_off_entries(review).await?);
        let proofs = self.log_proofs(&mut tx, over, &entries).await?;
        let proofs = proofs.map(|proofs| proofs.files()).unwrap_or_default();
        drop(tx);
        let as_of = source.facts.review.as_of;
        let key = self.signing_key_at(KeyPurpose::Report, as_of).await?;
        let key_began = self
            .key_ring()
            .await?
            .key(&key.fingerprint())
            .map_or(as_of, |listed| listed.valid_after);
        let (source, report) = source.text().await?;
        let digest = Digest::of(report.as_bytes());
        self.note_export(actor, &source, "bundle.zip", &digest)
            .await?;
        let (signature, mut allowed_signers) = match &source.kept {
            Some((_, kept)) => (kept.signature.clone(), kept.allowed_signers.clone()),
            None => (
                key.sign(REPORT_NAMESPACE, report.as_bytes())?,
                self.key_ring().await?.allowed_signers_as_of(as_of),
            ),
        };
        // Where the private key of then is gone, a later one signs the list of files.
        if !allowed_signers.contains(&key.public_key()) {
            allowed_signers = self.allowed_signers().await?;
        }
        let name = file_name(&source.facts, "bundle.zip");
        let contents = Contents {
            // A key of later signs at no moment before its own time.
            signed_at: as_of.max(key_began),
            facts: source.facts,
            report,
            signature,
            allowed_signers,
            proofs,
        };
        let files = self.files().clone();
        let written = off_the_async_threads(move || {
            let written = bundle(
                contents,
                &key,
                |member| -> std::io::Result<Option<Box<dyn Read>>> {
                    if let Some(bytes) = canonical.get(&member.sha256) {
                        return Ok(Some(Box::new(std::io::Cursor::new(bytes.clone()))));
                    }
                    let Some(sha256) = Digest::parse(&member.sha256) else {
                        return Ok(None);
                    };
                    match std::fs::File::open(files.path(&sha256)) {
                        Ok(file) => Ok(Some(Box::new(file))),
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                        Err(error) => Err(error),
                    }
                },
                out,
            );
            written.map_err(|error| match error {
                BundleError::Damaged { .. } => StorageError::Damaged(error.to_string()).into(),
                error => ServiceError::unavailable(error),
            })
        })
        .await?;
        Ok((written, name, source.standing))
    }

    /// Waits for a place among the reports that are being made.
    pub(crate) async fn place_to_report(&self) -> Result<SemaphorePermit<'_>, ServiceError> {
        self.inner
            .reporting
            .acquire()
            .await
            .map_err(ServiceError::unavailable)
    }

    /// Notes an export of a signed report, and signs the log's end with it.
    async fn note_export(
        &self,
        actor: &Actor,
        source: &Source,
        what: &str,
        digest: &Digest,
    ) -> Result<(), ServiceError> {
        let now = self.now();
        let key = self.signing_key(KeyPurpose::Log).await?;
        let mut tx = self.database().write().await?;
        let new = NewActivity {
            at: now,
            actor: actor.id.as_str(),
            action: "report.exported",
            subject_kind: "review",
            subject: source.review.as_str(),
            service: Some(source.service.as_str()),
            review: Some(source.review.as_str()),
            summary: format!("exported {what}"),
            before: None,
            after: None,
        };
        let mut after = Map::from_iter([("report_sha256".to_owned(), digest.as_str().into())]);
        if let Some((_, kept)) = &source.kept {
            after.insert("report_of".to_owned(), kept.sign_off.clone().into());
        }
        self.append_signed(&mut tx, &key, Occasion::Export, new, after)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// The report that is meant: as it was kept, or everything that it says of the review now.
    async fn source(
        &self,
        actor: &Actor,
        review: &ReviewId,
        as_of: &AsOf,
    ) -> Result<Source, ServiceError> {
        let mut tx = self.database().read().await?;
        let service = self
            .service_of_review(&mut tx, actor, review, Action::Export)
            .await?;
        if let Some(kept) = self.kept_report(&mut tx, review, as_of).await? {
            let report = self.unpack(&mut tx, &kept).await?;
            let standing = ReportStanding::Decided {
                sign_off: kept.sign_off.clone(),
                at: kept.signed_at,
            };
            return Ok(Source {
                service,
                review: review.clone(),
                facts: report.facts,
                standing,
                kept: Some((report.report, kept)),
            });
        }
        let head = tx
            .review(review)
            .await?
            .ok_or(ServiceError::NotFound("This review"))?;
        let stored = read_standings(&mut tx, &[review], Some(self.now()))
            .await?
            .pop()
            .ok_or(ServiceError::NotFound("This review"))?;
        let now = stand_aside(stored.clone(), self.now()).await?;
        let newest = tx.kept_reports(review).await?.pop();
        let decided = match (&newest, as_of, decided_at(&now)) {
            (Some(newest), ..) => Some(newest.signed_at),
            (None, AsOf::Now, Some((at, _))) => Some(at),
            _ => None,
        };
        let standing = match decided_at(&now) {
            Some((at, _)) if decided.is_none() => stand_aside(stored, at).await?,
            _ => now,
        };
        let mut facts = self.gather(&mut tx, &service, &head, &standing).await?;
        facts.decided_report = decided;
        Ok(Source {
            service,
            review: review.clone(),
            standing: match decided {
                Some(decided) => ReportStanding::DraftBeside { decided },
                None if facts.is_draft() => ReportStanding::Draft,
                None => ReportStanding::Computed,
            },
            facts,
            kept: None,
        })
    }

    /// Everything that the report will say once this decision is signed; none where the release is not decided by it: more people have to
    /// sign, or somebody else's NO-GO stands.
    pub(crate) async fn facts_once_signed(
        &self,
        tx: &mut Tx,
        service: &ServiceId,
        review: &ReviewId,
        sign_off: &SignOff,
    ) -> Result<Option<Facts>, ServiceError> {
        let head = tx
            .review(review)
            .await?
            .ok_or(ServiceError::NotFound("This review"))?;
        let mut stored = read_standings(tx, &[review], Some(sign_off.signed_at))
            .await?
            .pop()
            .ok_or(ServiceError::NotFound("This review"))?;
        stored.sign_offs.push(sign_off.clone());
        let standing = stand_aside(stored, sign_off.signed_at).await?;
        // Only a signature that the decision rests on has its report.
        let decided = standing.release.decided.map(ReleaseDecision::as_str);
        if decided != Some(sign_off.decision.as_str()) {
            return Ok(None);
        }
        Ok(Some(self.gather(tx, service, &head, &standing).await?))
    }

    async fn gather(
        &self,
        tx: &mut Tx,
        service_id: &ServiceId,
        review: &Review,
        standing: &ReviewStanding,
    ) -> Result<Facts, ServiceError> {
        let service = tx
            .service(service_id)
            .await?
            .ok_or_else(|| StorageError::Damaged("review.service_id".to_owned()))?;
        let version = tx.template_version(&review.template_version).await?;
        let source = tx.template_source(&review.template_version).await?;
        let template = match &version {
            Some(version) => tx.template(&version.template).await?,
            None => None,
        };
        let metadata = source
            .as_deref()
            .and_then(|bytes| holdpoint_checklist::parse_bytes(bytes).ok())
            .map(|document| document.metadata)
            .unwrap_or_default();
        let sections = tx.sections(&review.id).await?;
        let positions: HashMap<&str, u32> = sections
            .iter()
            .map(|section| (section.id.as_str(), number(section.position)))
            .collect();
        let evidence = tx.evidence_of_review(&review.id).await?;
        let members = tx.members(service_id).await?;
        let deliverables = tx.deliverables(&review.id).await?;
        let names: HashMap<&str, &str> = members
            .iter()
            .map(|(person, _)| (person.id.as_str(), person.name.as_str()))
            .collect();
        let findings = tx
            .findings_for_report(service_id, &review.id, i64::MAX)
            .await?;
        let finding_ids: Vec<_> = findings.iter().map(|finding| finding.id.as_str()).collect();
        let linked_items = tx.items_of_findings(&review.id, &finding_ids).await?;
        let same_issues = tx.same_issues(&finding_ids).await?;
        let (patches, patches_of) = self.gather_patches(tx, &review.id).await?;
        let scans = tx.scans_of(service_id, None, MOST_SCANS).await?;
        let owners: HashMap<&str, &str> = standing
            .items
            .iter()
            .filter_map(|item| Some((item.item.id.as_str(), item.item.owner_name.as_deref()?)))
            .collect();
        // Only a report as of the decision has the head of then.
        let of_decision = decided_at(standing).filter(|(at, _)| *at == standing.as_of);
        let activity = match of_decision {
            Some((_, sequence)) => tx
                .activity_after(sequence - 1, 1)
                .await?
                .pop()
                .map(|stored| facts::ActivityHead {
                    sequence,
                    digest: stored.digest,
                    checkpoint: None,
                }),
            None => None,
        };
        let activity = match activity {
            Some(activity) => activity,
            None => {
                let (sequence, digest) = tx.activity_head().await?;
                facts::ActivityHead {
                    sequence,
                    digest,
                    checkpoint: None,
                }
            }
        };
        // The report of a decision that was signed has the head of then, and no later one. Before it is signed, as while
        // nobody has decided, the newest head is as good as any.
        let head = match of_decision {
            Some((_, sequence)) if sequence <= activity.sequence => tx
                .checkpoint_over(sequence)
                .await?
                .filter(|head| head.sequence == sequence),
            _ => tx.newest_checkpoint().await?,
        };
        let activity = facts::ActivityHead {
            checkpoint: head.and_then(|head| head.checkpoint),
            ..activity
        };
        let since = self.since(tx, service_id, review, standing).await?;
        let mut by_item: HashMap<&str, Vec<facts::Evidence>> = HashMap::new();
        for piece in &evidence {
            let fact = evidence_fact(piece, review.commit.as_deref());
            by_item.entry(piece.item.as_str()).or_default().push(fact);
        }
        let items = standing
            .items
            .iter()
            .enumerate()
            .map(|(position, item)| facts::Item {
                id: item.item.id.clone(),
                section: item
                    .item
                    .section_id
                    .as_deref()
                    .and_then(|id| positions.get(id).copied()),
                position: u32::try_from(position).unwrap_or(u32::MAX),
                key: item.item.key.clone(),
                title: item.item.title.clone(),
                requirement: item.item.body.clone(),
                gating: item.item.gating,
                state: item.item.state,
                owner: item.item.owner_name.clone(),
                reviewers: item
                    .item
                    .reviewers
                    .iter()
                    .map(|(_, name)| name.clone())
                    .collect(),
                due: item
                    .item
                    .due_on
                    .as_deref()
                    .and_then(|due| Date::parse(due).ok())
                    .map(|due| due.end()),
                quorum: item.facts.quorum,
                sign_offs: item.sign_offs.iter().filter_map(item_sign_off).collect(),
                evidence: by_item.remove(item.item.id.as_str()).unwrap_or_default(),
                waiver: waiver(item.item.state, &item.sign_offs),
            })
            .collect();
        Ok(Facts {
            instance: facts::Instance {
                name: "Holdpoint".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                url: None,
            },
            service: facts::Service {
                name: service.name,
                slug: service.slug,
                repository: service.repository_url,
                description: service.description,
            },
            review: facts::Review {
                id: review.id.as_str().to_owned(),
                title: review.title.clone(),
                release: review.release.clone(),
                target_commit: review.commit.clone(),
                due: review
                    .due_on
                    .as_deref()
                    .and_then(|due| Date::parse(due).ok())
                    .map(|due| due.end()),
                created: review.created_at,
                template: template
                    .zip(version)
                    .map(|(template, version)| facts::Template {
                        name: template.name,
                        version: version.number,
                        sha256: version.sha256.into(),
                    }),
                policy: standing.policy.clone(),
                as_of: standing.as_of,
            },
            metadata: metadata
                .into_iter()
                .enumerate()
                .map(|(position, (name, value))| facts::Metadata {
                    position: u32::try_from(position).unwrap_or(u32::MAX),
                    name,
                    value,
                })
                .collect(),
            people: people_of(&members),
            sections: sections
                .iter()
                .map(|section| facts::Section {
                    position: number(section.position),
                    depth: depth(section, &sections),
                    title: match &section.number {
                        Some(written) => format!("{written} {}", section.title),
                        None => section.title.clone(),
                    },
                    text: section.prose.clone(),
                })
                .collect(),
            items,
            findings: findings
                .iter()
                .map(|finding| {
                    let items = linked_items
                        .get(finding.id.as_str())
                        .map_or(&[][..], Vec::as_slice);
                    let patches = patches_of
                        .get(finding.id.as_str())
                        .cloned()
                        .unwrap_or_default();
                    let same = same_issues.of(finding.id.as_str());
                    finding_fact(finding, items, patches, &same, &owners, standing)
                })
                .collect(),
            patches,
            verdict: standing.verdict.clone(),
            release_decisions: standing
                .release
                .decisions
                .iter()
                .filter_map(release_fact)
                .collect(),
            deliverables: deliverables
                .iter()
                .map(|deliverable| facts::Deliverable {
                    position: number(deliverable.position),
                    title: deliverable.title.clone(),
                    text: deliverable.body.clone(),
                    done: deliverable.done,
                    owner: deliverable
                        .owner
                        .as_ref()
                        .and_then(|id| names.get(id.as_str()))
                        .map(|name| (*name).to_owned()),
                    note: Some(deliverable.note.clone()).filter(|note| !note.is_empty()),
                    link: None,
                })
                .collect(),
            scans: scans
                .iter()
                .filter(|scan| scan.undone_at.is_none())
                .map(scan_fact)
                .collect(),
            activity,
            since,
            decided_report: None,
        })
    }

    async fn gather_patches(
        &self,
        tx: &mut Tx,
        review: &ReviewId,
    ) -> Result<(Vec<facts::Patch>, HashMap<String, Vec<i64>>), ServiceError> {
        let patches = tx.patches_of_review(review).await?;
        let ids: Vec<&PatchId> = patches.iter().map(|patch| &patch.id).collect();
        let mut links = tx.patch_links(&ids).await?;
        let mut of_finding: HashMap<String, Vec<i64>> = HashMap::new();
        let mut facts = Vec::with_capacity(patches.len());
        for patch in patches {
            let links = links.remove(&patch.id).unwrap_or_default();
            for finding in &links.findings {
                of_finding
                    .entry(finding.id.as_str().to_owned())
                    .or_default()
                    .push(patch.number);
            }
            let raw = self
                .files()
                .read(&patch.file_sha256)
                .await?
                .unwrap_or_default();
            let parsed = holdpoint_patch::parse(&raw).ok();
            let files =
                parsed
                    .iter()
                    .flat_map(|parsed| &parsed.files)
                    .map(|file| facts::PatchFile {
                        path: file.path().to_owned(),
                        added: file.n_added() as u64,
                        removed: file.n_removed() as u64,
                    });
            let line = |line: Option<i64>| line.and_then(|line| u32::try_from(line).ok());
            let touched = parsed.iter().flat_map(|parsed| {
                links.findings.iter().map(|finding| {
                    let number = finding.number;
                    let Some(path) = &finding.path else {
                        return format!("F-{number} names no file.");
                    };
                    match touches(
                        parsed,
                        path,
                        line(finding.start_line),
                        line(finding.end_line),
                    ) {
                        Touch::Lines { .. } => format!("Touches the lines of F-{number}."),
                        Touch::File { .. } => {
                            format!("Touches the file of F-{number}, not its lines.")
                        }
                        Touch::No => format!("Does not touch the file of F-{number}."),
                    }
                })
            });
            facts.push(facts::Patch {
                number: patch.number,
                title: patch.title.clone(),
                state: patch.state,
                sha256: patch.file_sha256.as_str().to_owned(),
                size_bytes: u64::try_from(patch.file_bytes).unwrap_or_default(),
                author: patch.submitted_by_name.clone(),
                approved_by: patch
                    .decided_by_name
                    .clone()
                    .filter(|_| patch.state != holdpoint_domain::PatchState::Rejected),
                approved_at: patch
                    .decided_at
                    .filter(|_| patch.state != holdpoint_domain::PatchState::Rejected),
                applied_commit: patch.applied_commit.clone(),
                files: files.collect(),
                findings: links
                    .findings
                    .iter()
                    .map(|finding| finding.number)
                    .collect(),
                item_keys: links.items.iter().map(|item| item.key.clone()).collect(),
                touches: touched.collect(),
                applies: None,
            });
        }
        Ok((facts, of_finding))
    }

    /// What is not as it was in the service's review before this one: items are matched by key and title.
    async fn since(
        &self,
        tx: &mut Tx,
        service: &ServiceId,
        review: &Review,
        standing: &ReviewStanding,
    ) -> Result<Option<facts::Since>, ServiceError> {
        let Some(last) = tx.review_before(service, &review.id).await? else {
            return Ok(None);
        };
        let Some(stored) = read_standings(tx, &[&last], None).await?.pop() else {
            return Ok(None);
        };
        let before = stand_aside(stored, standing.as_of).await?;
        let was: HashMap<(&str, &str), ItemState> = before
            .items
            .iter()
            .map(|item| {
                (
                    (item.item.key.as_str(), item.item.title.as_str()),
                    item.state,
                )
            })
            .collect();
        let changes = standing
            .items
            .iter()
            .filter_map(|item| {
                let was = was
                    .get(&(item.item.key.as_str(), item.item.title.as_str()))
                    .copied();
                (was != Some(item.state)).then(|| Change {
                    what: format!("item {} {}", item.item.key, item.item.title),
                    was: was.map(|state| state.label().to_owned()),
                    is: Some(item.state.label().to_owned()),
                })
            })
            .collect();
        Ok(Some(facts::Since {
            title: before.review.title,
            release: before.review.release,
            commit: before.review.commit_id,
            changes,
        }))
    }
}

/// When the release decision that stands was complete, and the log's length then; `None` while there is none. Which signature
/// came last is the log's to say: clocks differ.
fn decided_at(standing: &ReviewStanding) -> Option<(Millis, i64)> {
    let decided = standing.release.decided?;
    let counted = standing
        .release
        .decisions
        .iter()
        .filter(|decision| decision.is_valid() && decision.sign_off.decision == decided.as_str())
        .map(|decision| (decision.sign_off.log_sequence, decision.sign_off.signed_at));
    let (sequence, at) = match decided {
        ReleaseDecision::Go => counted.max(),
        ReleaseDecision::NoGo => counted.min(),
    }?;
    Some((at, sequence))
}

/// The entries of the sign-offs that the report prints, of those that the review has by now.
fn printed(facts: &Facts, sign_offs: Vec<(i64, String)>) -> BTreeSet<i64> {
    let of_items = facts.items.iter().flat_map(|item| &item.sign_offs);
    let printed: BTreeSet<&str> = of_items
        .map(|sign_off| sign_off.digest.as_str())
        .chain(facts.release_decisions.iter().map(|d| d.digest.as_str()))
        .collect();
    sign_offs
        .into_iter()
        .filter(|(_, digest)| printed.contains(digest.as_str()))
        .map(|(sequence, _)| sequence)
        .collect()
}

fn number(position: i64) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// The people of a service, as the report's table has them.
pub(crate) fn people_of(
    members: &[(holdpoint_storage::Person, holdpoint_domain::ServiceRole)],
) -> Vec<facts::Person> {
    let members = members.iter();
    members
        .map(|(person, role)| facts::Person {
            name: person.name.clone(),
            email: Some(person.email.clone()),
            role: role.label().to_owned(),
            account: Some(facts::Account {
                made_at: person.created_at,
                invited_by: person.made_by.as_ref().map(|(_, name)| name.clone()),
                password_reset: (person.password_reset.as_ref())
                    .map(|(_, name, at)| (name.clone(), *at)),
                disabled_at: person.disabled_at,
            }),
        })
        .collect()
}

fn depth(section: &holdpoint_storage::Section, all: &[holdpoint_storage::Section]) -> u32 {
    let mut depth = 1;
    let mut parent = section.parent.as_ref();
    while let Some(id) = parent {
        depth += 1;
        // A document has at most six levels of headings; more would be a circle.
        if depth > 6 {
            break;
        }
        parent = all
            .iter()
            .find(|section| section.id == *id)
            .and_then(|section| section.parent.as_ref());
    }
    depth
}

fn lines(start: Option<i64>, end: Option<i64>) -> Option<Lines> {
    let first = start.and_then(|line| u32::try_from(line).ok())?;
    let last = end
        .and_then(|line| u32::try_from(line).ok())
        .unwrap_or(first)
        .max(first);
    Some(Lines { first, last })
}

fn fact_standing(validity: &Validity) -> (facts::Standing, Vec<Change>) {
    match validity {
        Validity::Valid => (facts::Standing::Valid, Vec::new()),
        Validity::Void(changes) => (facts::Standing::Void, changes.clone()),
        Validity::Damaged(why) => {
            let changes = why.iter().map(|why| Change {
                what: why.clone(),
                was: None,
                is: None,
            });
            (facts::Standing::Damaged, changes.collect())
        }
        Validity::Past => (facts::Standing::Replaced, Vec::new()),
    }
}

fn role_label(role: &str) -> String {
    holdpoint_domain::ServiceRole::parse(role)
        .map_or_else(|| role.to_owned(), |role| role.label().to_owned())
}

fn item_sign_off(standing: &SignOffStanding) -> Option<facts::SignOff> {
    let sign_off = &standing.sign_off;
    let (validity, changes) = fact_standing(&standing.validity);
    Some(facts::SignOff {
        by: sign_off.person_name.clone(),
        email: Some(sign_off.person_email.clone()),
        disabled_at: sign_off.person_disabled_at,
        reset_at: sign_off.reset_at,
        four_eyes: sign_off.four_eyes,
        old_rules: standing.is_of_old_rules(),
        role: role_label(&sign_off.role),
        decision: sign_off.item_decision()?,
        statement: sign_off.statement.clone(),
        at: sign_off.signed_at,
        digest: sign_off.digest.clone(),
        standing: validity,
        changes,
    })
}

fn release_fact(standing: &SignOffStanding) -> Option<facts::ReleaseDecision> {
    let sign_off = &standing.sign_off;
    let (validity, changes) = fact_standing(&standing.validity);
    Some(facts::ReleaseDecision {
        by: sign_off.person_name.clone(),
        email: Some(sign_off.person_email.clone()),
        disabled_at: sign_off.person_disabled_at,
        reset_at: sign_off.reset_at,
        old_rules: standing.is_of_old_rules(),
        role: role_label(&sign_off.role),
        decision: ReleaseDecision::parse(&sign_off.decision)?,
        statement: sign_off.statement.clone(),
        at: sign_off.signed_at,
        digest: sign_off.digest.clone(),
        standing: validity,
        changes,
    })
}

fn waiver(state: ItemState, sign_offs: &[SignOffStanding]) -> Option<facts::Waiver> {
    let signed = sign_offs.iter().rev().find(|standing| {
        matches!(standing.validity, Validity::Valid | Validity::Void(_))
            && standing.sign_off.item_decision() == Some(Decision::Waive)
    })?;
    (state == ItemState::Waived).then(|| facts::Waiver {
        until: signed.sign_off.waived_until.unwrap_or_default(),
        risk: signed.sign_off.risk.clone().unwrap_or_default(),
        reason: signed.sign_off.statement.clone(),
        by: format!(
            "{}, {}",
            signed.sign_off.person_name, signed.sign_off.person_email
        ),
        at: signed.sign_off.signed_at,
    })
}

fn evidence_fact(evidence: &Evidence, target: Option<&str>) -> facts::Evidence {
    let EvidenceView {
        evidence,
        stale,
        damaged,
        is_cut: _,
    } = EvidenceView::of(evidence.clone().into(), target);
    let is_file = evidence.file_sha256.is_some();
    facts::Evidence {
        id: evidence.id.as_str().to_owned(),
        kind: if evidence.kind == "output" {
            "command".to_owned()
        } else {
            evidence.kind.clone()
        },
        title: evidence.title.clone(),
        sha256: evidence.sha256.as_str().to_owned(),
        size_bytes: u64::try_from(evidence.size_bytes).unwrap_or_default(),
        file_name: evidence.file_name.clone(),
        text: (!is_file && !damaged && !evidence.body.is_empty()).then(|| evidence.body.clone()),
        command: evidence.command.clone(),
        exit_code: evidence.exit_code,
        commit: evidence.commit.clone(),
        path: evidence.path.clone(),
        lines: lines(evidence.start_line, evidence.end_line),
        stale,
        damaged,
        contradicted: evidence.is_current() && evidence.is_contradicted,
        observed_at: Some(evidence.observed_at),
        uploaded_at: evidence.created_at,
        by: evidence.created_by_name.clone(),
        withdrawn: evidence.withdrawn_at.map(|at| facts::Withdrawn {
            by: evidence.withdrawn_by_name.clone().unwrap_or_default(),
            at,
            reason: evidence.withdrawn_reason.clone().unwrap_or_default(),
        }),
        superseded_by: evidence
            .superseded_by
            .as_ref()
            .map(|id| id.as_str().to_owned()),
    }
}

pub(crate) fn finding_fact(
    finding: &Finding,
    items: &[(String, String)],
    patches: Vec<i64>,
    same: &[&SameIssue],
    owners: &HashMap<&str, &str>,
    standing: &ReviewStanding,
) -> facts::Finding {
    let mut problem = finding.description.clone();
    if !finding.message.is_empty() && finding.message != finding.description {
        let gap = if problem.is_empty() { "" } else { "\n\n" };
        problem = format!("{}{gap}{problem}", finding.message);
    }
    let accepted = finding.status == holdpoint_domain::FindingStatus::RiskAccepted;
    // A duplicate that stands alone is an open finding; that it was called one stays beside it.
    let status = match finding.status {
        holdpoint_domain::FindingStatus::Duplicate => finding.status_at(standing.as_of),
        status => status,
    };
    facts::Finding {
        id: finding.id.as_str().to_owned(),
        number: finding.number,
        title: finding.title.clone(),
        severity: finding.severity,
        category: Some(category_label(&finding.category).to_owned()),
        rule: finding.rule.clone(),
        tool: finding.tool.clone(),
        written_by: finding.created_by_name.clone(),
        status,
        scanner: finding.claim.clone(),
        triage: finding
            .status_by_name
            .clone()
            .zip(finding.status_at)
            .filter(|_| finding.asked.is_none())
            .map(|(by, at)| facts::Triage {
                by,
                at,
                reason: finding.status_reason.clone(),
                asked_by: finding.acceptance_requested_by_name.clone(),
            }),
        asked: finding.asked.map(|request| facts::Asked {
            request,
            by: finding
                .acceptance_requested_by_name
                .clone()
                .unwrap_or_default(),
            at: finding.status_at.unwrap_or_default(),
            reason: finding.status_reason.clone(),
        }),
        severity_change: finding
            .severity_change
            .as_ref()
            .map(|change| facts::SeverityChange {
                was: change.was,
                by: change.by_name.clone().unwrap_or_default(),
                at: change.at.unwrap_or_default(),
                reason: change.reason.clone(),
            }),
        acceptance: accepted.then(|| facts::Acceptance {
            // An acceptance that the finding has outgrown ended when the finding changed, which is not before it was
            // approved.
            until: if finding.has_outgrown_acceptance() {
                finding.status_at.unwrap_or_default()
            } else {
                finding.accepted_until.unwrap_or_default()
            },
            asked_by: finding
                .acceptance_requested_by_name
                .clone()
                .unwrap_or_default(),
            approved_by: finding.status_by_name.clone().unwrap_or_default(),
            at: finding.status_at.unwrap_or_default(),
            reason: finding.status_reason.clone(),
        }),
        duplicate_of: finding.duplicate_of,
        also_reported_by: same
            .iter()
            .filter(|same| Some(&same.tool) != finding.tool.as_ref())
            .take(20)
            .map(|same| format!("{} (F-{})", same.tool, same.number))
            .collect(),
        path: finding.path.clone(),
        lines: lines(finding.start_line, finding.end_line),
        problem,
        remediation: finding.remediation.clone(),
        snippet: finding.snippet.clone().map(|text| facts::Snippet {
            language: finding.path.as_deref().and_then(language),
            text,
        }),
        cve: finding.cve.clone(),
        cwe: finding
            .cwe
            .iter()
            .map(|number| format!("CWE-{number}"))
            .collect(),
        help_url: finding.help_url.clone(),
        component: finding.component.clone(),
        component_version: finding.component_version.clone(),
        fixed_version: finding.fixed_version.clone(),
        fingerprint: None,
        item_keys: items.iter().map(|(_, key)| key.clone()).collect(),
        patches,
        owners: items
            .iter()
            .filter_map(|(id, _)| owners.get(id.as_str()))
            .map(|name| (*name).to_owned())
            .collect(),
        first_seen: finding.first_seen_at,
        last_seen: Some(finding.last_seen_at),
        due: standing.policy.due(finding.severity, finding.first_seen_at),
    }
}

/// The language a file's name suggests, for highlighting.
fn language(path: &str) -> Option<String> {
    let extension = path.rsplit_once('.')?.1;
    let known = match extension {
        "go" | "js" | "ts" | "java" | "rb" | "php" | "c" | "sql" | "sh" | "toml" | "json"
        | "xml" | "html" | "css" => extension,
        "py" => "python",
        "rs" => "rust",
        "yml" | "yaml" => "yaml",
        "md" => "markdown",
        _ => return None,
    };
    Some(known.to_owned())
}

fn scan_fact(scan: &Scan) -> facts::Scan {
    let n = |count: i64| u64::try_from(count).unwrap_or_default();
    facts::Scan {
        id: scan.id.as_str().to_owned(),
        tool: scan.tool.clone(),
        version: scan.tool_version.clone(),
        series: scan.label.clone(),
        format: scan.format.clone(),
        commit: scan.commit.clone(),
        file_name: Some(scan.file_name.clone()),
        file_sha256: scan.file_sha256.as_str().to_owned(),
        size_bytes: n(scan.file_bytes),
        imported_at: scan.imported_at,
        by: scan.imported_by_name.clone(),
        counts: facts::SeverityCounts {
            critical: n(scan.counts.critical),
            high: n(scan.counts.high),
            unrated: n(scan.counts.unrated),
            medium: n(scan.counts.medium),
            low: n(scan.counts.low),
            info: n(scan.counts.info),
        },
        comparison: facts::Comparison {
            new: n(scan.changes.new),
            unchanged: n(scan.changes.unchanged + scan.changes.moved),
            reopened: n(scan.changes.reopened),
            fixed: n(scan.changes.fixed),
        },
        complete: scan.incomplete_because.is_none(),
        incomplete_because: scan.incomplete_because.clone(),
    }
}
