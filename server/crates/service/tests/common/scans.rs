//! Scans for tests: files to import, and what there is afterwards.

use std::path::PathBuf;

use holdpoint_domain::{
    FindingId, FindingStatus,
    text::{Commit, Name},
};
use holdpoint_service::{
    Actor, ChangeNumbers, FindingCursor, FindingFacets, FindingFilter, FindingLine, FindingLines,
    FindingSort, ImportWatch, ServiceError,
    findings::{Triage, TriageFields},
    scans::{ImportOutcome, ScanRequest},
};
use serde_json::{Value, json};

use super::{MINUTE, team::Team};

/// The folder with real data beside the checkout; `None` (and a note) where it is not.
#[expect(clippy::print_stdout, reason = "a test says what it could not run")]
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../../shared")
        .join(folder);
    if root.is_dir() {
        return Some(root);
    }
    let is_required = std::env::var_os("CI").is_some()
        && std::env::var("HOLDPOINT_CORPUS").is_ok_and(|value| value == "required");
    assert!(!is_required, "../shared/{folder} is required and not here");
    println!("not run: ../shared is not here");
    None
}

/// One result of a scanner: rule, level, line.
pub(crate) fn result(rule: &str, level: &str, line: u32) -> Value {
    json!({
        "ruleId": rule,
        "level": level,
        "message": { "text": format!("{rule} is violated") },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": "src/exec.go" },
            "region": { "startLine": line }
        }}]
    })
}

pub(crate) fn sarif(results: &[Value]) -> Value {
    json!({
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "gocheck", "version": "1.2" } },
            "invocations": [{ "executionSuccessful": true }],
            "results": results
        }]
    })
}

pub(crate) fn numbers(outcome: &ImportOutcome) -> [i64; 5] {
    let ChangeNumbers {
        new,
        unchanged,
        moved,
        reopened,
        fixed,
    } = outcome.changes;
    [new, unchanged, moved, reopened, fixed]
}

pub(crate) fn triage(action: &str) -> Triage {
    let fields = TriageFields {
        action: action.to_owned(),
        reason: "The code is never built.".to_owned(),
        until: "2026-03-01".to_owned(),
        duplicate_of: "F-1".to_owned(),
    };
    Triage::parse(&fields).expect("a triage")
}

impl Team {
    pub(crate) async fn request(
        &self,
        bytes: &[u8],
        label: Option<&str>,
        commit: Option<&str>,
    ) -> ScanRequest {
        ScanRequest {
            file: self.world.services.files().keep(bytes).await.expect("kept"),
            file_name: "report.sarif".to_owned(),
            label: label.map(|label| Name::parse(label).expect("a label")),
            commit: commit.map(|commit| Commit::parse(commit).expect("a commit")),
            format: None,
            watch: ImportWatch::default(),
        }
    }

    pub(crate) async fn try_import(
        &self,
        who: &Actor,
        bytes: &[u8],
        preview: bool,
    ) -> Result<ImportOutcome, ServiceError> {
        let request = self.request(bytes, None, None).await;
        self.world
            .services
            .import_scan(who, &self.service.id, request, preview)
            .await
    }

    pub(crate) async fn import(&self, file: &Value) -> ImportOutcome {
        self.world.clock.advance(MINUTE);
        self.try_import(&self.owner, file.to_string().as_bytes(), false)
            .await
            .expect("imports")
    }

    pub(crate) async fn findings(&self) -> Vec<FindingLine> {
        self.world
            .services
            .findings_of_review(
                &self.viewer,
                &self.review.id,
                &FindingFilter::default(),
                FindingSort::Number,
                500,
                None,
            )
            .await
            .expect("lists findings")
            .lines
    }

    pub(crate) async fn page(
        &self,
        filter: &FindingFilter,
        sort: FindingSort,
        from: Option<&FindingCursor>,
    ) -> FindingLines {
        // What stands in an address leads to the same place.
        let from = from.map(|from| FindingCursor::parse(&from.encoded(), sort).expect("a place"));
        self.world
            .services
            .findings_of_review(
                &self.viewer,
                &self.review.id,
                filter,
                sort,
                500,
                from.as_ref(),
            )
            .await
            .expect("lists findings")
    }

    pub(crate) async fn facets(&self, filter: &FindingFilter) -> std::sync::Arc<FindingFacets> {
        self.world
            .services
            .finding_facets(&self.viewer, &self.review.id, filter)
            .await
            .expect("counts findings")
    }

    pub(crate) async fn statuses(&self) -> Vec<(String, FindingStatus)> {
        self.findings()
            .await
            .into_iter()
            .map(|line| (line.rule.unwrap_or_default(), line.status))
            .collect()
    }

    /// Decides about a finding. What blocks is approved by the administrator, unless it is an acceptance.
    pub(crate) async fn triage(&self, who: &Actor, id: &FindingId, what: Triage) {
        let services = &self.world.services;
        let version = async || {
            let view = services.finding(who, id).await.expect("reads");
            view.finding.version
        };
        let is_acceptance = matches!(what, Triage::AskAcceptance { .. });
        let is_asked = services
            .triage_finding(who, id, version().await, what)
            .await
            .expect("decides");
        if is_asked && !is_acceptance {
            services
                .triage_finding(
                    &self.admin,
                    id,
                    version().await,
                    Triage::Approve { only: None },
                )
                .await
                .expect("approves");
        }
    }

    pub(crate) async fn n_scans(&self) -> usize {
        self.world
            .services
            .scans_of(&self.viewer, &self.service.id, None, 200)
            .await
            .expect("lists scans")
            .len()
    }
}
