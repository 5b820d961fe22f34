//! What scanners propose to change, offered as patches: as diffs where the report shows the lines that change, else with
//! the reason why there is none.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_domain::{
    FindingId, FindingStatus, PatchId, PatchState, ReviewId, ScanId,
    person::Action,
    text::{Name, shown_line},
};
use holdpoint_importers::Fix;
use holdpoint_patch::{Edit, FileEdits, MadeDiff, NoDiff, PatchFile, SeriesPatch};

use crate::{
    Actor, Finding, ServiceError, Services,
    findings::ScannerDetails,
    patches::{Patch, PatchLink, PatchRequest, PatchView},
};

/// A fix of a finding, as its page and the API show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedFix {
    /// From 1, in the order of the report.
    pub number: usize,
    pub fix: Fix,
    /// The change as a diff, or why there is none.
    pub diff: Result<MadeDiff, String>,
    /// The patch of the review that makes this very change.
    pub patch: Option<(PatchId, i64, PatchState)>,
}

/// The fixes that a finding's scanner proposes. `patches` are those that the finding is linked to.
pub fn fixes_of(finding: &Finding, review: &str, patches: &[PatchView]) -> Vec<OfferedFix> {
    let of_review = || {
        let here = patches.iter();
        here.filter(|view| view.patch.review.as_str() == review)
    };
    ScannerDetails::of(finding)
        .fixes
        .into_iter()
        .zip(1..)
        .map(|(fix, number)| {
            let diff = diff_of(&fix);
            let patch = diff.as_ref().ok().and_then(|diff| {
                let content = |view: &&PatchView| {
                    let content = view.content.as_ref();
                    content.is_ok_and(|content| is_same_change(content, &diff.patch))
                };
                let patch = &of_review().find(content)?.patch;
                Some((patch.id.clone(), patch.number, patch.state))
            });
            OfferedFix {
                number,
                fix,
                diff,
                patch,
            }
        })
        .collect()
}

/// The diff of a fix, or why there is none, as the rest of a sentence.
fn diff_of(fix: &Fix) -> Result<MadeDiff, String> {
    let mut files: Vec<FileEdits<'_>> = Vec::new();
    for change in fix
        .changes
        .iter()
        .filter(|change| !change.replacements.is_empty())
    {
        let path = change.path.as_deref().unwrap_or_default();
        let known: BTreeMap<u32, &str> = change
            .lines
            .iter()
            .map(|line| (line.line, line.text.as_str()))
            .collect();
        let edits = change.replacements.iter().map(|replacement| Edit {
            start_line: replacement.start_line,
            start_column: replacement.start_column,
            end_line: replacement.end_line,
            end_column: replacement.end_column,
            inserted: replacement.inserted.as_deref().unwrap_or_default(),
        });
        let edits = edits.collect::<Vec<_>>();
        // A file may be named twice; a patch names it once.
        match files.iter_mut().find(|file| file.path == path) {
            Some(file) => {
                file.known.extend(known);
                file.edits.extend(edits);
            }
            None => files.push(FileEdits { path, known, edits }),
        }
    }
    if files.is_empty() {
        return Err("it names no change of a file".to_owned());
    }
    holdpoint_patch::diff(&files).map_err(|why: NoDiff| why.to_string())
}

/// Whether two patches change the same lines alike, whoever made them and whatever they say.
fn is_same_change(one: &PatchFile, other: &PatchFile) -> bool {
    let changes = |patch: &PatchFile| {
        let mut files = patch.files.clone();
        for file in &mut files {
            file.commit = None;
        }
        files
    };
    one.files.len() == other.files.len() && changes(one) == changes(other)
}

/// The first line of what the scanner says of the change, else of the finding, as a title.
fn title_of(finding: &Finding, fix: &Fix) -> Option<Name> {
    let said = fix
        .description
        .as_deref()
        .and_then(|text| text.trim().lines().next());
    let mut texts = said.into_iter().chain([finding.title.as_str()]);
    texts.find_map(|text| Name::parse(&shown_line(text)).ok())
}

impl Services {
    /// Makes a patch of what a finding's scanner proposes, linked to the finding and proposed by who asks. `number` is the
    /// fix's, from 1.
    pub async fn propose_fix(
        &self,
        actor: &Actor,
        review: &ReviewId,
        finding: &FindingId,
        number: usize,
    ) -> Result<PatchId, ServiceError> {
        let mut tx = self.database().read().await?;
        let finding = self
            .readable_finding(&mut tx, actor, finding, Action::Contribute)
            .await?;
        let (in_review, _) = self
            .review_to(&mut tx, actor, review, Action::Contribute)
            .await?;
        if in_review.service != finding.service {
            return Err(ServiceError::rejected(
                "review",
                "This review is of another service than the finding.",
            ));
        }
        let fix = number
            .checked_sub(1)
            .and_then(|at| ScannerDetails::of(&finding).fixes.into_iter().nth(at))
            .ok_or_else(|| {
                ServiceError::rejected(
                    "fix",
                    format!(
                        "F-{} has no fix {number}. Look at the finding again.",
                        finding.number
                    ),
                )
            })?;
        if finding.status == FindingStatus::Fixed {
            return Err(ServiceError::rejected(
                "fix",
                "The newest scan no longer has this finding, so there is nothing left to change.",
            ));
        }
        let diff = diff_of(&fix).map_err(|why| {
            ServiceError::rejected("fix", format!("No patch can be made of this fix: {why}."))
        })?;
        let scan = match finding.last_scan.as_deref().and_then(ScanId::parse) {
            Some(scan) => tx.scan(&scan).await?,
            None => None,
        };
        drop(tx);
        let title = title_of(&finding, &fix);
        let tool = finding.tool.as_deref().unwrap_or("a scanner");
        let scan = scan.map_or_else(
            || "a scan".to_owned(),
            |scan| {
                let (place, label, file) = (scan.sequence, scan.label, scan.file_name);
                format!("scan {place} of the series {label} ({file})")
            },
        );
        let mut body = format!("Suggested by {tool} in {scan} for F-{}.\n", finding.number);
        if diff.lacks_context {
            body.push('\n');
            body.push_str(LACKS_CONTEXT);
        }
        let mail = holdpoint_patch::series(&[SeriesPatch {
            subject: title.as_ref().map_or("", Name::as_str),
            body: &body,
            author_name: &actor.name,
            author_email: &actor.email,
            unix_seconds: self.now() / 1_000,
            raw: diff.text.as_bytes(),
        }]);
        let bytes = mail.map_err(|error| ServiceError::rejected("fix", error.to_string()))?;
        let request = PatchRequest {
            title,
            bytes,
            links: vec![PatchLink::Finding(finding.id.clone())],
        };
        // Patches are read from files, which is not done while others wait to write: what came in between is read first,
        // and then it is tried again.
        let mut seen = BTreeSet::new();
        loop {
            let mut tx = self.database().read().await?;
            let patches = tx.patches_of_finding(&finding.id).await?;
            drop(tx);
            for patch in patches.iter().filter(|patch| patch.review == *review) {
                if !seen.insert(patch.id.clone()) {
                    continue;
                }
                let content = self.content_of(patch).await?;
                if content.is_ok_and(|content| is_same_change(&content, &diff.patch)) {
                    return Err(ServiceError::rejected("fix", is_there(actor, patch)));
                }
            }
            let over = Some((&finding.id, &seen));
            let submitted = self.submit_over(actor, review, request.clone(), over);
            if let Some(patch) = submitted.await? {
                return Ok(patch);
            }
        }
    }
}

/// What whoever applies such a patch has to know.
const LACKS_CONTEXT: &str = "The report shows no line after the change. Apply it with `git apply --unidiff-zero`;\n\
    `git am` takes it only where the change is at the end of the file.\n";

fn is_there(actor: &Actor, patch: &Patch) -> String {
    let by = if patch.submitted_by == actor.id {
        "you"
    } else {
        &patch.submitted_by_name
    };
    format!(
        "P-{} makes this very change: {by} submitted it already.",
        patch.number
    )
}
