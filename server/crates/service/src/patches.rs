//! Patches: submitting them, what they touch, deciding on them, marking them applied, and the series that `git am`
//! applies. That one is verified is nobody's to say: a later scan does, see [`Services::verify_patches`].

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use holdpoint_domain::{
    FindingId, ItemId, Millis, PatchId, PatchState, PersonId, Policy, ReviewId, ScanId, SeriesId,
    ServiceId,
    person::Action,
    text::{Commit, Name, Reason, shown_line},
};
use holdpoint_patch::{Applies, PatchFile, SeriesPatch, Touch, touches};
use holdpoint_storage::{Listed, NewActivity, NewPatch, Review, Service, StorageError, Tx};
pub use holdpoint_storage::{Patch, PatchFinding, PatchItem, PatchLinks};

use crate::{
    Access, Actor, ServiceError, Services,
    changes::{Changes, Done, refuse_beyond},
    import::off_the_async_threads,
    other_eyes::Eyes,
};

/// How many findings and items one submission can name.
pub const MAX_LINKS: usize = 200;

/// A patch to be submitted; see [`PatchRequest::parse`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatchRequest {
    /// From the mail's subject, or the first file, when absent.
    pub title: Option<Name>,
    /// The patch as it was given.
    pub bytes: Vec<u8>,
    pub links: Vec<PatchLink>,
}

/// The fields of the form, as texts. `findings` and `items` are ids, the others what a person types.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct PatchFields {
    pub title: String,
    /// The patch itself, pasted.
    pub patch: String,
    pub findings: Vec<String>,
    pub items: Vec<String>,
    /// "F-2, F-14"
    pub finding_numbers: String,
    /// "2.1.1, 2.5.1"
    pub item_keys: String,
}

impl PatchRequest {
    /// Reads the fields of a form; `file` is what was uploaded with it, if anything was. Refuses at the field.
    pub fn parse(fields: &PatchFields, file: Option<Vec<u8>>) -> Result<Self, ServiceError> {
        let file = file.filter(|bytes| !bytes.is_empty());
        let is_pasted = !fields.patch.trim().is_empty();
        let bytes = match file {
            Some(_) if is_pasted => {
                return Err(ServiceError::rejected(
                    "patch",
                    "There is a file and a pasted text. Give one of them.",
                ));
            }
            Some(bytes) => bytes,
            // Browsers send every line end of a text field as CRLF, whatever the patch had.
            None if is_pasted => fields.patch.replace("\r\n", "\n").into_bytes(),
            None => {
                return Err(ServiceError::rejected(
                    "patch",
                    "Choose a patch file, or paste the output of `git diff` or `git format-patch`.",
                ));
            }
        };
        let title = Some(fields.title.trim())
            .filter(|title| !title.is_empty())
            .map(Name::parse)
            .transpose()
            .map_err(ServiceError::at("title"))?;
        let mut links = Vec::new();
        for id in &fields.findings {
            let id = FindingId::parse(id.trim()).ok_or_else(no_such_finding)?;
            links.push(PatchLink::Finding(id));
        }
        for id in &fields.items {
            let id = ItemId::parse(id.trim()).ok_or_else(no_such_item)?;
            links.push(PatchLink::Item(id));
        }
        for number in listed(&fields.finding_numbers) {
            links.push(PatchLink::finding_number(number)?);
        }
        for key in listed(&fields.item_keys) {
            links.push(PatchLink::ItemKey(key.to_owned()));
        }
        Ok(Self {
            title,
            bytes,
            links,
        })
    }
}

/// What a person typed with commas or spaces between.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', ' ', '\n', '\r', '\t'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn no_such_finding() -> ServiceError {
    ServiceError::rejected(
        "findings",
        "A chosen finding is not one of this review. Choose again.",
    )
}

fn no_such_item() -> ServiceError {
    ServiceError::rejected(
        "items",
        "A chosen item is not one of this review. Choose again.",
    )
}

/// A person's decision on a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchDecision {
    Approve,
    Reject(Reason),
}

impl PatchDecision {
    /// Reads `approve` or `reject`; a rejection needs a reason.
    pub fn parse(decision: &str, reason: &str) -> Result<Self, ServiceError> {
        match decision {
            "approve" => Ok(Self::Approve),
            "reject" => Reason::parse(reason)
                .map(Self::Reject)
                .map_err(ServiceError::at("reason")),
            _ => Err(ServiceError::rejected(
                "decision",
                "Choose approve or reject.",
            )),
        }
    }
}

/// What a patch can be linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchLink {
    Finding(FindingId),
    /// By its number, as people say it: F-12.
    FindingNumber(i64),
    Item(ItemId),
    /// By its key in the review: 2.5.1.
    ItemKey(String),
}

impl PatchLink {
    /// Reads "F-12", "f12" or "12".
    pub fn finding_number(text: &str) -> Result<Self, ServiceError> {
        let digits = text.trim().trim_start_matches(['F', 'f']);
        digits
            .trim_start_matches('-')
            .parse()
            .map(Self::FindingNumber)
            .map_err(|_| {
                let text: String = text.chars().take(40).collect();
                ServiceError::rejected(
                    "finding_numbers",
                    format!("`{text}` is not a finding's number. Write it as in F-12."),
                )
            })
    }
}

/// A patch in a list, with what it is linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchLine {
    pub patch: Patch,
    pub links: PatchLinks,
}

/// A review's patches, and how many stand where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchList {
    pub review: Review,
    pub service: Service,
    /// In the order of their numbers.
    pub lines: Vec<PatchLine>,
    /// Why the person cannot submit one, if they cannot.
    pub no_submit: Option<String>,
}

impl PatchList {
    pub fn n_in(&self, state: PatchState) -> usize {
        let lines = self.lines.iter();
        lines.filter(|line| line.patch.state == state).count()
    }

    /// How many are in the series that downloads.
    pub fn n_series(&self) -> usize {
        let lines = self.lines.iter();
        lines.filter(|line| is_approved(line.patch.state)).count()
    }
}

/// A linked finding, with what the patch changes of its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TouchedFinding {
    pub finding: PatchFinding,
    /// Absent when the patch's text cannot be read.
    pub touch: Option<Touch>,
    /// "touches F-2's lines". About lines only: it never says that the finding is fixed.
    pub sentence: String,
}

/// A patch with everything its page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchView {
    pub patch: Patch,
    pub review: Review,
    pub service: Service,
    /// What the patch changes; the words for people if the stored file is missing or damaged.
    pub content: Result<PatchFile, String>,
    pub findings: Vec<TouchedFinding>,
    pub items: Vec<PatchItem>,
    /// Whether it applies to the review's target commit.
    pub applies: Applies,
    pub possible: PatchPossible,
}

impl PatchView {
    /// Why `git am` applies the patch nowhere, where that is so.
    pub fn obstacle(&self) -> Option<&str> {
        match &self.applies {
            Applies::Nowhere { reason } => Some(reason),
            _ => None,
        }
    }
}

/// What the person who looks can do with a patch now. A text says why something is not possible.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatchPossible {
    pub no_approve: Option<String>,
    pub no_reject: Option<String>,
    pub no_apply: Option<String>,
    pub no_link: Option<String>,
}

/// A review's approved patches as one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesFile {
    pub name: String,
    pub bytes: Vec<u8>,
    pub n_patches: usize,
}

const fn is_approved(state: PatchState) -> bool {
    matches!(
        state,
        PatchState::Approved | PatchState::Applied | PatchState::Verified
    )
}

/// What the patch changes of a finding's place, in words.
pub fn touch_of(patch: &PatchFile, finding: &PatchFinding) -> (Touch, String) {
    let f = format!("F-{}", finding.number);
    let Some(path) = finding.path.as_deref().filter(|path| !path.is_empty()) else {
        return (Touch::No, format!("{f} names no file to compare with"));
    };
    let line = |line: Option<i64>| line.and_then(|line| u32::try_from(line).ok());
    let touch = touches(
        patch,
        path,
        line(finding.start_line),
        line(finding.end_line),
    );
    let likely = |path_match| match path_match {
        holdpoint_patch::PathMatch::Same => "",
        holdpoint_patch::PathMatch::SuffixMatch => {
            " (the paths are equal at their ends only, so this is likely the same file)"
        }
    };
    let sentence = match touch {
        Touch::Lines { path_match, .. } => {
            format!("touches {f}'s lines{}", likely(path_match))
        }
        Touch::File { path_match, .. } if finding.start_line.is_none() => {
            format!(
                "touches {f}'s file; {f} names no lines{}",
                likely(path_match)
            )
        }
        Touch::File { path_match, .. } => {
            format!("touches {f}'s file, not its lines{}", likely(path_match))
        }
        Touch::No => format!("does not touch {f}'s file"),
    };
    (touch, sentence)
}

/// The title of a patch that was given none.
fn title_of(patch: &PatchFile) -> String {
    let subject = patch
        .commits
        .first()
        .map(|commit| shown_line(&commit.subject));
    if let Some(subject) = subject.filter(|subject| !subject.is_empty()) {
        return subject;
    }
    let path = patch.files.first().map_or("", |file| file.path());
    match patch.files.len() {
        0 | 1 => shown_line(&format!("Change {path}")),
        n => {
            let path: String = path.chars().take(160).collect();
            shown_line(&format!("Change {path} and {} more", n - 1))
        }
    }
}

/// Whether the patch applies to the review's target commit. Commits' snapshots are what this needs, and says when it has none.
fn applies_to_target(review: &Review, content: Option<&PatchFile>) -> Applies {
    if let Some(reason) = content.and_then(PatchFile::obstacle) {
        return Applies::Nowhere { reason };
    }
    if let Some(reason) = content.and_then(PatchFile::doubt) {
        return Applies::Unknown { reason };
    }
    let reason = match &review.commit {
        Some(commit) => format!("No snapshot of commit {commit} has been pushed."),
        None => "The review names no target commit.".to_owned(),
    };
    Applies::Unknown { reason }
}

/// Why this person may not approve or reject, however the patch stands.
fn four_eyes(
    actor: &Actor,
    patch: &Patch,
    content: Option<&PatchFile>,
    policy: &Policy,
    verb: &str,
) -> Option<String> {
    if !policy.four_eyes {
        return None;
    }
    if patch.submitted_by == actor.id {
        return Some(format!(
            "You submitted this patch, so someone else must {verb} it."
        ));
    }
    let is_author = content.is_some_and(|content| {
        let email = actor.email.to_lowercase();
        let commits = content.commits.iter();
        commits
            .filter(|commit| !commit.author_email.is_empty())
            .any(|commit| commit.author_email.to_lowercase() == email)
    });
    is_author.then(|| format!("You are the author of this patch, so someone else must {verb} it."))
}

fn no_decision(state: PatchState, to: PatchState) -> Option<&'static str> {
    match (state, to) {
        (PatchState::Approved, PatchState::Approved) => Some("This patch is approved already."),
        (PatchState::Rejected, PatchState::Rejected) => Some("This patch is rejected already."),
        (PatchState::Applied | PatchState::Verified, _) => {
            Some("This patch is applied already, so its approval cannot change any more.")
        }
        _ => None,
    }
}

/// Why this content cannot be approved: one patch that does not apply ends the series of all.
fn no_approval(content: &PatchFile) -> Option<String> {
    let obstacle = content.obstacle()?;
    Some(format!("`git am` does not apply this patch. {obstacle}"))
}

fn no_applied(state: PatchState) -> Option<&'static str> {
    match state {
        PatchState::Approved | PatchState::Applied => None,
        PatchState::Proposed => Some("Only an approved patch can be marked as applied."),
        PatchState::Rejected => {
            Some("This patch is rejected. Only an approved patch can be marked as applied.")
        }
        PatchState::Verified => {
            Some("A scan has verified this patch, so its commit cannot change any more.")
        }
    }
}

fn no_link(state: PatchState) -> Option<&'static str> {
    (state == PatchState::Verified).then_some(
        "A scan has verified this patch for its findings, so its links cannot change any more.",
    )
}

fn possible(
    actor: &Actor,
    access: &Access,
    patch: &Patch,
    content: Option<&PatchFile>,
    policy: &Policy,
) -> PatchPossible {
    let role = |action, words: &str| (!access.may(action)).then(|| words.to_owned());
    let decide = || {
        role(
            Action::ApprovePatch,
            "Only a reviewer or manager of this service can decide on a patch.",
        )
    };
    let work = || {
        role(
            Action::Contribute,
            "Only a contributor, reviewer or manager of this service can do this.",
        )
    };
    let state = |why: Option<&'static str>| why.map(str::to_owned);
    PatchPossible {
        no_approve: decide()
            .or_else(|| state(no_decision(patch.state, PatchState::Approved)))
            .or_else(|| content.and_then(no_approval))
            .or_else(|| four_eyes(actor, patch, content, policy, "approve")),
        no_reject: decide()
            .or_else(|| state(no_decision(patch.state, PatchState::Rejected)))
            .or_else(|| four_eyes(actor, patch, content, policy, "reject")),
        no_apply: work().or_else(|| state(no_applied(patch.state))),
        no_link: work().or_else(|| state(no_link(patch.state))),
    }
}

impl Services {
    /// Submits a patch to a review, linked to findings and items. The same bytes are one patch of a review.
    pub async fn submit_patch(
        &self,
        actor: &Actor,
        review: &ReviewId,
        request: PatchRequest,
    ) -> Result<PatchId, ServiceError> {
        let id = self.submit_over(actor, review, request, None).await?;
        Ok(id.expect("only what was to be seen first holds a patch back"))
    }

    /// As [`Services::submit_patch`], but submits nothing where the finding has a patch of the review that the caller has
    /// not seen.
    pub(crate) async fn submit_over(
        &self,
        actor: &Actor,
        review: &ReviewId,
        request: PatchRequest,
        seen: Option<(&FindingId, &BTreeSet<PatchId>)>,
    ) -> Result<Option<PatchId>, ServiceError> {
        let mut tx = self.database().read().await?;
        self.review_to(&mut tx, actor, review, Action::Contribute)
            .await?;
        drop(tx);
        let most = self.limits().patch_bytes;
        if i64::try_from(request.bytes.len()).unwrap_or(i64::MAX) > most {
            return Err(ServiceError::rejected(
                "patch",
                format!(
                    "This patch is larger than {most} bytes, the limit for patches. Split it into several."
                ),
            ));
        }
        if request.links.len() > MAX_LINKS {
            return Err(ServiceError::rejected(
                "findings",
                format!("At most {MAX_LINKS} findings and items can be chosen together."),
            ));
        }
        let bytes = Arc::new(request.bytes);
        let content = read(bytes.clone())
            .await?
            .map_err(|error| ServiceError::rejected("patch", error.to_string()))?;
        let title = request
            .title
            .map_or_else(|| title_of(&content), String::from);
        let author = content
            .commits
            .first()
            .map(|commit| shown_line(&commit.author_name))
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| actor.name.clone());
        let file = self.files().keep(&bytes).await?;
        let now = self.now();
        let id = self.new_id(PatchId::parse, now);
        let n = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);

        let mut tx = self.database().write().await?;
        let (in_review, _) = self
            .review_to(&mut tx, actor, review, Action::Contribute)
            .await?;
        // From here on nobody else submits to this review.
        let number = tx.take_patch_number(review).await?;
        refuse_beyond(
            &mut tx,
            Listed::PatchesOf(review),
            "patch",
            "patches in this review",
        )
        .await?;
        if let Some((finding, seen)) = seen {
            let patches = tx.patches_of_finding(finding).await?;
            let mut here = patches.iter().filter(|patch| patch.review == *review);
            if here.any(|patch| !seen.contains(&patch.id)) {
                return Ok(None);
            }
        }
        if let Some(earlier) = tx.patch_of_file(review, &file.sha256).await? {
            return Err(ServiceError::rejected(
                "patch",
                format!(
                    "This is P-{}, byte for byte: {} submitted it already. Link that one to more findings or items instead.",
                    earlier.number,
                    if earlier.submitted_by == actor.id {
                        "you"
                    } else {
                        &earlier.submitted_by_name
                    }
                ),
            ));
        }
        tx.keep_file(&file, now).await?;
        tx.insert_patch(&NewPatch {
            id: &id,
            review,
            number,
            title: &title,
            file_sha256: &file.sha256,
            n_files: n(content.files.len()),
            n_added: n(content.n_added()),
            n_removed: n(content.n_removed()),
            author_name: &author,
            submitted_by: &actor.id,
            submitted_at: now,
        })
        .await?;
        let mut linked = Vec::new();
        let mut names = Vec::new();
        for link in request.links {
            let (link, name) = resolve(&mut tx, &in_review, link).await?;
            // What was chosen and also typed is one link.
            if set_link(&mut tx, &id, &link, true).await? {
                linked.push(link);
                names.push(name);
            }
        }
        let after = serde_json::json!({
            "number": number, "title": title, "sha256": file.sha256, "links": names,
        });
        done(
            &in_review,
            &id,
            "patch.submitted",
            format!("submitted patch P-{number} \"{title}\""),
        )
        .with(None, Some(after.to_string()))
        .append(&mut tx, actor, now)
        .await?;
        for link in &linked {
            note_at_link(&mut tx, actor, now, &in_review, number, link, true).await?;
        }
        tx.commit().await?;
        Ok(Some(id))
    }

    /// A review's patches with what they are linked to.
    pub async fn patches_of(
        &self,
        actor: &Actor,
        review: &ReviewId,
    ) -> Result<PatchList, ServiceError> {
        let mut tx = self.database().read().await?;
        let (review, _) = self.review_to(&mut tx, actor, review, Action::Read).await?;
        let service = service_of(&mut tx, &review).await?;
        let patches = tx.patches_of_review(&review.id).await?;
        let ids: Vec<_> = patches.iter().map(|patch| &patch.id).collect();
        let mut links = tx.patch_links(&ids).await?;
        drop(tx);
        let access = self.access(actor, &review.service).await?;
        Ok(PatchList {
            lines: patches
                .into_iter()
                .map(|patch| PatchLine {
                    links: links.remove(&patch.id).unwrap_or_default(),
                    patch,
                })
                .collect(),
            no_submit: (!access.may(Action::Contribute)).then(|| {
                "Only a contributor, reviewer or manager of this service can submit patches."
                    .to_owned()
            }),
            review,
            service,
        })
    }

    /// A patch with its files, its links and what can be done with it.
    pub async fn patch(&self, actor: &Actor, id: &PatchId) -> Result<PatchView, ServiceError> {
        let mut tx = self.database().read().await?;
        let (patch, review) = self.patch_to(&mut tx, actor, id, Action::Read).await?;
        let mut views = self.views(tx, actor, vec![(patch, review)]).await?;
        views.pop().ok_or(NO_PATCH)
    }

    /// The patches linked to an item, in the order of their numbers.
    pub async fn patches_of_item(
        &self,
        actor: &Actor,
        item: &ItemId,
    ) -> Result<Vec<PatchView>, ServiceError> {
        let not_found = |error| match error {
            ServiceError::NotFound(_) => ServiceError::NotFound("This item"),
            error => error,
        };
        let mut tx = self.database().read().await?;
        let place = self.place_of_item(&mut tx, item).await?;
        self.allow(&mut tx, actor, &place.service, Action::Read)
            .await
            .map_err(not_found)?;
        let review = ReviewId::parse(&place.review)
            .ok_or_else(|| StorageError::Damaged("item.review_id".to_owned()))?;
        let review = tx
            .review(&review)
            .await?
            .ok_or(ServiceError::NotFound("This item"))?;
        let patches = tx.patches_of_item(item).await?;
        let patches = patches
            .into_iter()
            .map(|patch| (patch, review.clone()))
            .collect();
        self.views(tx, actor, patches).await
    }

    /// The patches linked to a finding, those of the newest review first.
    pub async fn patches_of_finding(
        &self,
        actor: &Actor,
        finding: &FindingId,
    ) -> Result<Vec<PatchView>, ServiceError> {
        let mut tx = self.database().read().await?;
        self.readable_finding(&mut tx, actor, finding, Action::Read)
            .await?;
        let mut reviews: HashMap<ReviewId, Review> = HashMap::new();
        let mut patches = Vec::new();
        for patch in tx.patches_of_finding(finding).await? {
            // A finding of a service is linked to patches of few reviews: this asks once for each of them.
            let review = match reviews.get(&patch.review) {
                Some(review) => review.clone(),
                None => tx
                    .review(&patch.review)
                    .await?
                    .ok_or_else(|| StorageError::Damaged("patch.review_id".to_owned()))?,
            };
            reviews.insert(review.id.clone(), review.clone());
            patches.push((patch, review));
        }
        self.views(tx, actor, patches).await
    }

    /// The patch as it was submitted, its bytes compared with their digest. One that is not read any more, as a mail from
    /// before that rule may be, is not served: git might make something else of it than the page shows.
    pub async fn patch_file(
        &self,
        actor: &Actor,
        id: &PatchId,
    ) -> Result<(Patch, Vec<u8>), ServiceError> {
        let mut tx = self.database().read().await?;
        let (patch, _) = self.patch_to(&mut tx, actor, id, Action::Read).await?;
        drop(tx);
        let bytes = self.bytes_of(&patch).await?;
        let bytes = Arc::new(bytes);
        (read(bytes.clone()).await?)
            .map_err(|error| ServiceError::rejected("", error.to_string()))?;
        Ok((patch, Arc::unwrap_or_clone(bytes)))
    }

    /// A review's approved, applied and verified patches as one series that `git am` applies, in the order of their
    /// numbers.
    pub async fn series_mbox(
        &self,
        actor: &Actor,
        review: &ReviewId,
    ) -> Result<SeriesFile, ServiceError> {
        let mut tx = self.database().read().await?;
        let (review, _) = self
            .review_to(&mut tx, actor, review, Action::Export)
            .await?;
        let service = service_of(&mut tx, &review).await?;
        let mut patches = tx.patches_of_review(&review.id).await?;
        patches.retain(|patch| is_approved(patch.state));
        let mut emails: HashMap<PersonId, String> = HashMap::new();
        for patch in &patches {
            if !emails.contains_key(&patch.submitted_by)
                && let Some(person) = tx.person(&patch.submitted_by).await?
            {
                emails.insert(person.id, person.email);
            }
        }
        drop(tx);
        if patches.is_empty() {
            return Err(ServiceError::rejected(
                "",
                "No patch of this review is approved yet, so there is no series.",
            ));
        }
        let mut texts = Vec::with_capacity(patches.len());
        let mut size = 0;
        for patch in &patches {
            let bytes = self.bytes_of(patch).await?;
            size += bytes.len();
            if size > MAX_SERIES_BYTES {
                return Err(ServiceError::rejected(
                    "",
                    format!(
                        "The approved patches together are larger than {} MiB. Download them one by one.",
                        MAX_SERIES_BYTES / 1024 / 1024
                    ),
                ));
            }
            texts.push(bytes);
        }
        let n_patches = patches.len();
        let title = review.title.clone();
        let bytes = off_the_async_threads(move || {
            let bodies: Vec<_> = patches
                .iter()
                .map(|patch| {
                    let approved = patch.decided_by_name.as_deref().unwrap_or("nobody");
                    format!(
                        "P-{} of the review {title}: submitted by {}, approved by {approved}.",
                        patch.number, patch.submitted_by_name
                    )
                })
                .collect();
            let series: Vec<_> = patches
                .iter()
                .zip(&texts)
                .zip(&bodies)
                .map(|((patch, raw), body)| SeriesPatch {
                    subject: &patch.title,
                    body,
                    author_name: &patch.author_name,
                    author_email: emails
                        .get(&patch.submitted_by)
                        .map_or("", |email| email.as_str()),
                    unix_seconds: patch.submitted_at / 1_000,
                    raw,
                })
                .collect();
            holdpoint_patch::series(&series)
                .map_err(|error| ServiceError::rejected("", error.to_string()))
        })
        .await?;
        let release: String = review
            .release
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        Ok(SeriesFile {
            name: format!("{}-{release}-patches.mbox", service.slug),
            bytes,
            n_patches,
        })
    }

    /// Links a patch to a finding or an item, or takes the link away. `version` is the one that was shown.
    pub async fn link_patch(
        &self,
        actor: &Actor,
        id: &PatchId,
        version: i64,
        link: PatchLink,
        linked: bool,
    ) -> Result<(), ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        tx.lock_patch(id).await?;
        let (patch, review) = self
            .patch_to(&mut tx, actor, id, Action::Contribute)
            .await?;
        let (link, name) = resolve(&mut tx, &review, link).await?;
        let links = tx.patch_links(&[id]).await?;
        let links = links.get(id).cloned().unwrap_or_default();
        let is_linked = match &link {
            ResolvedLink::Finding(finding) => links.findings.iter().any(|one| one.id == *finding),
            ResolvedLink::Item(item) => links.items.iter().any(|one| one.id == *item),
        };
        if is_linked == linked {
            return Ok(());
        }
        if version != patch.version {
            let wanted = if linked { "linked" } else { "not linked" };
            let changes = Changes::default().changed(
                "links",
                Some(described(&links)),
                Some(format!("{name} {wanted}")),
            );
            return Err(conflict(&mut tx, actor, &patch, changes).await?);
        }
        if let Some(why) = no_link(patch.state) {
            return Err(ServiceError::rejected("", why));
        }
        set_link(&mut tx, id, &link, linked).await?;
        tx.update_patch(&patch).await?;
        let (action, summary) = if linked {
            (
                "patch.linked",
                format!("linked P-{} to {name}", patch.number),
            )
        } else {
            (
                "patch.unlinked",
                format!("took P-{} off {name}", patch.number),
            )
        };
        let side = Some(serde_json::json!({ "link": name }).to_string());
        let (before, after) = if linked { (None, side) } else { (side, None) };
        done(&review, id, action, summary)
            .with(before, after)
            .append(&mut tx, actor, now)
            .await?;
        note_at_link(&mut tx, actor, now, &review, patch.number, &link, linked).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Approves or rejects a patch; somebody else than who submitted or wrote it must do so, unless the policy relaxes
    /// it. `version` is the one that was shown.
    pub async fn decide_patch(
        &self,
        actor: &Actor,
        id: &PatchId,
        version: i64,
        decision: PatchDecision,
    ) -> Result<(), ServiceError> {
        let mut tx = self.database().read().await?;
        let (patch, _) = self
            .patch_to(&mut tx, actor, id, Action::ApprovePatch)
            .await?;
        drop(tx);
        // The bytes of a patch never change, so that reading them before the unit of work is as good as within.
        let bytes = self.bytes_of(&patch).await?;
        let content = read(Arc::new(bytes))
            .await?
            .map_err(ServiceError::unavailable)?;

        let now = self.now();
        let mut tx = self.database().write().await?;
        tx.lock_patch(id).await?;
        let (stored, review) = self
            .patch_to(&mut tx, actor, id, Action::ApprovePatch)
            .await?;
        let mut wanted = stored.clone();
        wanted.decided_by = Some(actor.id.clone());
        wanted.decided_at = Some(now);
        let verb = match &decision {
            PatchDecision::Approve => {
                wanted.state = PatchState::Approved;
                wanted.decision_reason = String::new();
                "approve"
            }
            PatchDecision::Reject(reason) => {
                wanted.state = PatchState::Rejected;
                reason.as_str().clone_into(&mut wanted.decision_reason);
                "reject"
            }
        };
        let eyes = Eyes::of(&mut tx, actor, [stored.submitted_by.as_str()]).await?;
        let why = four_eyes(actor, &stored, Some(&content), &review.policy, verb).or_else(|| {
            let submitted =
                eyes.refusal(stored.submitted_by.as_str(), "submitted this patch", verb);
            submitted.filter(|_| review.policy.four_eyes)
        });
        if let Some(why) = why {
            return Err(ServiceError::Forbidden(why));
        }
        let changes = changes_of(&stored, &wanted);
        if version != stored.version {
            return Err(conflict(&mut tx, actor, &stored, changes).await?);
        }
        if let Some(why) = no_decision(stored.state, wanted.state) {
            return Err(ServiceError::rejected("decision", why));
        }
        if let (PatchDecision::Approve, Some(why)) = (&decision, no_approval(&content)) {
            return Err(ServiceError::rejected("decision", why));
        }
        tx.update_patch(&wanted).await?;
        let (action, summary) = match &decision {
            PatchDecision::Approve => ("patch.approved", format!("approved P-{}", stored.number)),
            PatchDecision::Reject(_) => ("patch.rejected", format!("rejected P-{}", stored.number)),
        };
        done(&review, id, action, summary)
            .with(changes.before(), changes.after())
            .append(&mut tx, actor, now)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Marks an approved patch as applied with a commit, or corrects the commit. `version` is the one that was shown.
    pub async fn mark_patch_applied(
        &self,
        actor: &Actor,
        id: &PatchId,
        version: i64,
        commit: Commit,
    ) -> Result<(), ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        tx.lock_patch(id).await?;
        let (stored, review) = self
            .patch_to(&mut tx, actor, id, Action::Contribute)
            .await?;
        let mut wanted = stored.clone();
        wanted.state = PatchState::Applied;
        wanted.applied_commit = Some(commit.as_str().to_owned());
        wanted.applied_at = Some(now);
        let changes = changes_of(&stored, &wanted);
        if version != stored.version {
            return Err(conflict(&mut tx, actor, &stored, changes).await?);
        }
        if let Some(why) = no_applied(stored.state) {
            return Err(ServiceError::rejected("commit", why));
        }
        if changes.is_empty() {
            return Ok(());
        }
        tx.update_patch(&wanted).await?;
        let summary = format!(
            "marked P-{} as applied with {}",
            stored.number,
            commit.as_str()
        );
        done(&review, id, "patch.applied", summary)
            .with(changes.before(), changes.after())
            .append(&mut tx, actor, now)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Called within a complete scan's import, after its findings are stored: applied patches whose findings of the series
    /// are gone become verified. This is the only way to that state.
    pub(crate) async fn verify_patches(
        &self,
        tx: &mut Tx,
        service: &ServiceId,
        series: &SeriesId,
        scan: &ScanId,
        now: Millis,
    ) -> Result<(), ServiceError> {
        for verified in tx.verify_patches(series, scan, now).await? {
            tx.append_activity(NewActivity {
                at: now,
                actor: "system",
                action: "patch.verified",
                subject_kind: "patch",
                subject: verified.id.as_str(),
                service: Some(service.as_str()),
                review: Some(verified.review.as_str()),
                summary: format!(
                    "verified P-{}: a later scan no longer has its findings",
                    verified.number
                ),
                before: Some(serde_json::json!({ "state": "applied" }).to_string()),
                after: Some(serde_json::json!({ "state": "verified", "scan": scan }).to_string()),
            })
            .await?;
        }
        Ok(())
    }

    async fn patch_to(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: &PatchId,
        action: Action,
    ) -> Result<(Patch, Review), ServiceError> {
        let patch = tx.patch(id).await?.ok_or(NO_PATCH)?;
        let (review, _) = self
            .review_to(tx, actor, &patch.review, action)
            .await
            .map_err(|error| match error {
                ServiceError::NotFound(_) => NO_PATCH,
                error => error,
            })?;
        Ok((patch, review))
    }

    /// The views of patches of one service.
    async fn views(
        &self,
        mut tx: Tx,
        actor: &Actor,
        patches: Vec<(Patch, Review)>,
    ) -> Result<Vec<PatchView>, ServiceError> {
        let Some((_, review)) = patches.first() else {
            return Ok(Vec::new());
        };
        let service = service_of(&mut tx, review).await?;
        let ids: Vec<_> = patches.iter().map(|(patch, _)| &patch.id).collect();
        let mut links = tx.patch_links(&ids).await?;
        drop(tx);
        let access = self.access(actor, &service.id).await?;
        let mut views = Vec::with_capacity(patches.len());
        for (patch, review) in patches {
            let PatchLinks { findings, items } = links.remove(&patch.id).unwrap_or_default();
            let content = self.content_of(&patch).await?;
            let findings = findings
                .into_iter()
                .map(|finding| {
                    let (touch, sentence) = match &content {
                        Ok(content) => {
                            let (touch, sentence) = touch_of(content, &finding);
                            (Some(touch), sentence)
                        }
                        Err(_) => (
                            None,
                            format!("cannot be compared with F-{}", finding.number),
                        ),
                    };
                    TouchedFinding {
                        finding,
                        touch,
                        sentence,
                    }
                })
                .collect();
            views.push(PatchView {
                possible: possible(
                    actor,
                    &access,
                    &patch,
                    content.as_ref().ok(),
                    &review.policy,
                ),
                applies: applies_to_target(&review, content.as_ref().ok()),
                service: service.clone(),
                patch,
                review,
                content,
                findings,
                items,
            });
        }
        Ok(views)
    }

    async fn bytes_of(&self, patch: &Patch) -> Result<Vec<u8>, ServiceError> {
        let sha256 = &patch.file_sha256;
        let bytes = self.files().read(sha256).await?;
        bytes.ok_or_else(|| {
            StorageError::Damaged(format!("the file with SHA-256 {sha256} is missing")).into()
        })
    }

    /// A damaged file is said on the page rather than taking the page away: the rest of the record is still good.
    pub(crate) async fn content_of(
        &self,
        patch: &Patch,
    ) -> Result<Result<PatchFile, String>, ServiceError> {
        let sha256 = &patch.file_sha256;
        let bytes = match self.files().read(sha256).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                return Ok(Err(format!(
                    "The file of this patch (SHA-256 {sha256}) is missing from the file store."
                )));
            }
            Err(StorageError::Damaged(_)) => {
                return Ok(Err(format!(
                    "The file of this patch is damaged: its bytes do not have the SHA-256 {sha256} any more."
                )));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(read(Arc::new(bytes))
            .await?
            .map_err(|error| error.to_string()))
    }
}

/// A series is held in memory while it is written.
const MAX_SERIES_BYTES: usize = 64 * 1024 * 1024;

const NO_PATCH: ServiceError = ServiceError::NotFound("This patch");

/// Reads a patch off the async threads: one of 8 MiB takes a while.
async fn read(
    bytes: Arc<Vec<u8>>,
) -> Result<Result<PatchFile, holdpoint_patch::PatchError>, ServiceError> {
    off_the_async_threads(move || Ok(holdpoint_patch::parse(&bytes))).await
}

async fn service_of(tx: &mut Tx, review: &Review) -> Result<Service, ServiceError> {
    tx.service(&review.service)
        .await?
        .ok_or_else(|| StorageError::Damaged("review.service_id".to_owned()).into())
}

/// What a patch is linked to, found.
enum ResolvedLink {
    Finding(FindingId),
    Item(ItemId),
}

/// Finds what a link leads to, and what people call it; refused when it is of another service or review.
async fn resolve(
    tx: &mut Tx,
    review: &Review,
    link: PatchLink,
) -> Result<(ResolvedLink, String), ServiceError> {
    let finding = match &link {
        PatchLink::Finding(id) => tx.finding(id).await?,
        PatchLink::FindingNumber(number) => tx.finding_by_number(&review.service, *number).await?,
        PatchLink::Item(_) | PatchLink::ItemKey(_) => None,
    };
    let finding = finding.filter(|finding| {
        finding.service == review.service
            && finding.review.as_ref().is_none_or(|of| *of == review.id)
    });
    match link {
        PatchLink::Finding(_) | PatchLink::FindingNumber(_) => match finding {
            Some(finding) => {
                let name = format!("F-{}", finding.number);
                Ok((ResolvedLink::Finding(finding.id), name))
            }
            None => Err(match link {
                PatchLink::FindingNumber(number) => ServiceError::rejected(
                    "finding_numbers",
                    format!("F-{number} is not a finding of this review. Look at its findings."),
                ),
                _ => no_such_finding(),
            }),
        },
        PatchLink::Item(id) => {
            let place = tx.item_place(&id).await?;
            let place = place.filter(|place| place.review_id == review.id.as_str());
            let place = place.ok_or_else(no_such_item)?;
            Ok((ResolvedLink::Item(id), place.key))
        }
        PatchLink::ItemKey(key) => {
            let item = tx.item_by_key(&review.id, &key).await?;
            let item = item.ok_or_else(|| {
                let key: String = key.chars().take(40).collect();
                ServiceError::rejected(
                    "item_keys",
                    format!("`{key}` is not an item of this review. Look at its checklist."),
                )
            })?;
            Ok((ResolvedLink::Item(item.id), item.key))
        }
    }
}

async fn set_link(
    tx: &mut Tx,
    patch: &PatchId,
    link: &ResolvedLink,
    linked: bool,
) -> Result<bool, ServiceError> {
    Ok(match (link, linked) {
        (ResolvedLink::Finding(id), true) => tx.link_patch_to_finding(patch, id).await?,
        (ResolvedLink::Finding(id), false) => tx.unlink_patch_from_finding(patch, id).await?,
        (ResolvedLink::Item(id), true) => tx.link_patch_to_item(patch, id).await?,
        (ResolvedLink::Item(id), false) => tx.unlink_patch_from_item(patch, id).await?,
    })
}

/// The entry in the history of the finding or item that a patch was linked to or taken from.
async fn note_at_link(
    tx: &mut Tx,
    actor: &Actor,
    now: Millis,
    review: &Review,
    number: i64,
    link: &ResolvedLink,
    linked: bool,
) -> Result<(), ServiceError> {
    let (subject_kind, subject, action) = match (link, linked) {
        (ResolvedLink::Finding(id), true) => ("finding", id.as_str(), "finding.patch_attached"),
        (ResolvedLink::Finding(id), false) => ("finding", id.as_str(), "finding.patch_removed"),
        (ResolvedLink::Item(id), true) => ("item", id.as_str(), "item.patch_attached"),
        (ResolvedLink::Item(id), false) => ("item", id.as_str(), "item.patch_removed"),
    };
    let side = Some(serde_json::json!({ "patch": format!("P-{number}") }).to_string());
    let (before, after, verb) = if linked {
        (None, side, "attached")
    } else {
        (side, None, "removed")
    };
    Done {
        action,
        subject_kind,
        subject,
        service: Some(review.service.as_str()),
        review: Some(review.id.as_str()),
        summary: format!("{verb} patch P-{number}"),
        before,
        after,
    }
    .append(tx, actor, now)
    .await
}

fn done<'a>(review: &'a Review, id: &'a PatchId, action: &'a str, summary: String) -> Done<'a> {
    Done {
        action,
        subject_kind: "patch",
        subject: id.as_str(),
        service: Some(review.service.as_str()),
        review: Some(review.id.as_str()),
        summary,
        before: None,
        after: None,
    }
}

fn changes_of(stored: &Patch, wanted: &Patch) -> Changes {
    Changes::default()
        .field(
            "state",
            Some(stored.state.as_str()),
            Some(wanted.state.as_str()),
        )
        .field(
            "reason",
            Some(&stored.decision_reason),
            Some(&wanted.decision_reason),
        )
        .field(
            "commit",
            stored.applied_commit.as_deref(),
            wanted.applied_commit.as_deref(),
        )
}

fn described(links: &PatchLinks) -> String {
    let findings = links.findings.iter().map(|one| format!("F-{}", one.number));
    let items = links.items.iter().map(|one| one.key.clone());
    let all: Vec<_> = findings.chain(items).collect();
    if all.is_empty() {
        "linked to nothing".to_owned()
    } else {
        format!("linked to {}", all.join(", "))
    }
}

/// The refusal of something that was decided over another version than the stored one.
async fn conflict(
    tx: &mut Tx,
    actor: &Actor,
    stored: &Patch,
    changes: Changes,
) -> Result<ServiceError, ServiceError> {
    changes
        .conflict(
            tx,
            actor,
            &format!("P-{}", stored.number),
            stored.id.as_str(),
            stored.version,
        )
        .await
}

#[cfg(test)]
mod tests {
    use holdpoint_domain::{FindingStatus, Severity};

    use super::*;

    const DIFF: &[u8] =
        b"--- a/src/f.c\n+++ b/src/f.c\n@@ -4,3 +4,3 @@\n four\n-five\n+FIVE\n six\n";

    fn finding(path: Option<&str>, line: Option<i64>) -> PatchFinding {
        PatchFinding {
            id: FindingId::parse("f").expect("an id"),
            number: 2,
            title: "Five".to_owned(),
            severity: Severity::High,
            status: FindingStatus::Open,
            path: path.map(str::to_owned),
            start_line: line,
            end_line: line,
        }
    }

    #[test]
    fn a_sentence_is_about_lines_and_never_claims_a_fix() {
        let patch = holdpoint_patch::parse(DIFF).expect("a diff");
        for (path, line, expected) in [
            (Some("src/f.c"), Some(5), "touches F-2's lines"),
            (
                Some("src/f.c"),
                Some(40),
                "touches F-2's file, not its lines",
            ),
            (
                Some("src/f.c"),
                None,
                "touches F-2's file; F-2 names no lines",
            ),
            (Some("src/g.c"), Some(5), "does not touch F-2's file"),
            (None, None, "F-2 names no file to compare with"),
            (
                Some("f.c"),
                Some(5),
                "touches F-2's lines (the paths are equal at their ends only, so this is likely the same file)",
            ),
        ] {
            let (_, sentence) = touch_of(&patch, &finding(path, line));
            assert_eq!(sentence, expected);
            assert!(!sentence.contains("fix"), "{sentence}");
        }
    }

    #[test]
    fn a_patch_without_a_subject_is_named_after_its_files() {
        let one = holdpoint_patch::parse(DIFF).expect("a diff");
        assert_eq!(title_of(&one), "Change src/f.c");
        let two = [DIFF, b"--- a/g\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n"].concat();
        let two = holdpoint_patch::parse(&two).expect("a diff");
        assert_eq!(title_of(&two), "Change src/f.c and 1 more");
    }

    #[test]
    fn what_a_browser_pastes_has_its_line_ends_back() {
        let fields = PatchFields {
            patch: String::from_utf8_lossy(DIFF).replace('\n', "\r\n"),
            ..PatchFields::default()
        };
        let request = PatchRequest::parse(&fields, None).expect("a patch");
        assert_eq!(request.bytes, DIFF);
        let both = PatchRequest::parse(&fields, Some(DIFF.to_vec()));
        assert!(matches!(
            both,
            Err(ServiceError::Rejected { field: "patch", .. })
        ));
        let neither = PatchRequest::parse(&PatchFields::default(), Some(Vec::new()));
        assert!(matches!(
            neither,
            Err(ServiceError::Rejected { field: "patch", .. })
        ));
    }
}
