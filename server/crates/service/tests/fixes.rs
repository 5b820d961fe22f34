//! What scanners propose to change: offered as a patch where the report shows the lines, else with the reason why not.

mod common;

use common::{is_forbidden, is_not_found, rejected, team::Team};
use holdpoint_domain::{FindingId, PatchId, PatchState};
use holdpoint_service::{
    Actor, ServiceError,
    findings::FindingView,
    fixes::{OfferedFix, fixes_of},
};
use serde_json::{Value, json};

/// A fix of line 12, as tools write it.
fn fix(words: &str, column: u32, end_column: u32, inserted: &str) -> Value {
    json!({
        "description": { "text": words },
        "artifactChanges": [{ "artifactLocation": { "uri": "src/exec.go" }, "replacements": [{
            "deletedRegion": { "startLine": 12, "startColumn": column, "endLine": 12, "endColumn": end_column },
            "insertedContent": { "text": inserted }
        }]}]
    })
}

/// A result at line 12 of `src/exec.go`, which the report shows with a line before and after it.
fn result(fixes: &[Value]) -> Value {
    json!({
        "ruleId": "G204",
        "level": "error",
        "message": { "text": "The command is not checked" },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": "src/exec.go" },
            "region": { "startLine": 12, "startColumn": 2, "endColumn": 10 },
            "contextRegion": { "startLine": 11, "endLine": 13, "snippet": { "text": "{\n\trun(name)\n}\n" } }
        }}],
        "fixes": fixes
    })
}

impl Team {
    async fn scan(&self, results: &[Value]) {
        let file = json!({
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": { "name": "gocheck" } },
                "invocations": [{ "executionSuccessful": true }],
                "results": results
            }]
        });
        self.import(&file).await;
    }

    async fn only_finding(&self) -> FindingView {
        let lines = self.findings().await;
        assert_eq!(lines.len(), 1);
        let services = &self.world.services;
        let finding = services.finding(&self.viewer, &lines[0].id).await;
        finding.expect("reads the finding")
    }

    async fn offered(&self) -> Vec<OfferedFix> {
        let view = self.only_finding().await;
        let services = &self.world.services;
        let patches = services
            .patches_of_finding(&self.viewer, &view.finding.id)
            .await;
        fixes_of(
            &view.finding,
            self.review.id.as_str(),
            &patches.expect("lists patches"),
        )
    }

    async fn propose(
        &self,
        who: &Actor,
        finding: &FindingId,
        number: usize,
    ) -> Result<PatchId, ServiceError> {
        let services = &self.world.services;
        services
            .propose_fix(who, &self.review.id, finding, number)
            .await
    }
}

#[tokio::test]
async fn a_fix_becomes_a_proposed_patch_of_its_finding_by_who_takes_it_over() {
    for team in Team::each().await {
        let services = &team.world.services;
        team.scan(&[result(&[fix("Check the command", 2, 5, "checked")])])
            .await;
        let finding = team.only_finding().await.finding.id;
        let offered = team.offered().await;
        let diff = offered[0].diff.as_ref().expect("a diff");
        let expected = "diff --git a/src/exec.go b/src/exec.go\n--- a/src/exec.go\n+++ b/src/exec.go\n\
            @@ -11,3 +11,3 @@\n {\n-\trun(name)\n+\tchecked(name)\n }\n";
        assert_eq!(diff.text, expected, "{}", team.on());
        assert_eq!(offered[0].patch, None);

        let patch = team
            .propose(&team.owner, &finding, 1)
            .await
            .expect("proposes");
        let view = services.patch(&team.viewer, &patch).await.expect("reads");
        assert_eq!(view.patch.state, PatchState::Proposed);
        assert_eq!(view.patch.title, "Check the command");
        assert_eq!(view.patch.author_name, "jonas");
        assert_eq!(view.patch.submitted_by, team.owner.id);
        assert_eq!(view.findings[0].finding.id, finding);
        assert_eq!(view.findings[0].sentence, "touches F-1's lines");
        let content = view.content.expect("is readable");
        let said = &content.commits[0];
        assert_eq!(said.author_email, team.owner.email);
        assert_eq!(
            said.body,
            "Suggested by gocheck in scan 1 of the series gocheck (report.sarif) for F-1."
        );
        // Four eyes hold for it as for any patch.
        let own = services.patch(&team.owner, &patch).await.expect("reads");
        assert!(own.possible.no_approve.is_some());
        let other = services.patch(&team.reviewer, &patch).await.expect("reads");
        assert_eq!(other.possible.no_approve, None);

        let offered = team.offered().await;
        assert_eq!(offered[0].patch, Some((patch, 1, PatchState::Proposed)));
        let (field, message) = rejected(team.propose(&team.reviewer, &finding, 1).await);
        assert_eq!(field, "fix");
        assert_eq!(
            message,
            "P-1 makes this very change: jonas submitted it already."
        );
    }
}

#[tokio::test]
async fn a_fix_whose_lines_the_report_does_not_show_says_so_and_makes_no_patch() {
    for team in Team::each().await {
        let mut hidden = result(&[
            fix("Check the command", 2, 5, "checked"),
            json!({ "description": { "text": "Update the library" } }),
        ]);
        let place = &mut hidden["locations"][0]["physicalLocation"];
        place
            .as_object_mut()
            .expect("a place")
            .remove("contextRegion");
        team.scan(&[hidden]).await;
        let finding = team.only_finding().await.finding.id;
        let said: Vec<_> = team
            .offered()
            .await
            .into_iter()
            .map(|offered| offered.diff)
            .collect();
        let unknown =
            "line 12 of src/exec.go is to be changed, and the report does not show that line whole";
        let no_change = "it names no change of a file";
        assert_eq!(said, [Err(unknown.to_owned()), Err(no_change.to_owned())]);
        for (number, why) in [
            (1, unknown),
            (2, no_change),
            (3, "F-1 has no fix 3."),
            (0, "F-1 has no fix 0."),
        ] {
            let (field, message) = rejected(team.propose(&team.owner, &finding, number).await);
            assert_eq!(field, "fix");
            assert!(message.contains(why), "{message}");
        }
        let patches = team
            .world
            .services
            .patches_of(&team.viewer, &team.review.id)
            .await;
        assert!(patches.expect("lists").lines.is_empty());
    }
}

#[tokio::test]
async fn a_change_without_a_line_after_it_tells_how_to_apply_it() {
    for team in Team::each().await {
        let mut result = result(&[fix("Check the command", 2, 5, "checked")]);
        let place = &mut result["locations"][0]["physicalLocation"];
        place["contextRegion"] =
            json!({ "startLine": 12, "endLine": 12, "snippet": { "text": "\trun(name)" } });
        team.scan(&[result]).await;
        let finding = team.only_finding().await.finding.id;
        assert!(
            team.offered().await[0]
                .diff
                .as_ref()
                .expect("a diff")
                .lacks_context
        );
        let patch = team
            .propose(&team.owner, &finding, 1)
            .await
            .expect("proposes");
        let view = team
            .world
            .services
            .patch(&team.viewer, &patch)
            .await
            .expect("reads");
        let body = &view.content.expect("is readable").commits[0].body;
        assert!(body.contains("`git apply --unidiff-zero`"), "{body}");
    }
}

#[tokio::test]
async fn only_contributors_propose_and_only_what_is_still_there() {
    for team in Team::each().await {
        team.scan(&[result(&[fix("Check the command", 2, 5, "checked")])])
            .await;
        let finding = team.only_finding().await.finding.id;
        assert!(is_forbidden(&team.propose(&team.viewer, &finding, 1).await));
        assert!(is_not_found(
            &team.propose(&team.stranger, &finding, 1).await
        ));
        team.scan(&[]).await;
        let (_, message) = rejected(team.propose(&team.owner, &finding, 1).await);
        assert!(message.contains("no longer has this finding"), "{message}");
    }
}

#[tokio::test]
async fn two_who_propose_one_fix_at_the_same_moment_make_one_patch() {
    for team in Team::each().await {
        let services = &team.world.services;
        // Each round is another change, and so another race.
        for round in 1..=6_usize {
            let words = format!("checked{round}");
            team.scan(&[result(&[fix("Check the command", 2, 5, &words)])])
                .await;
            let finding = team.only_finding().await.finding.id;
            let (one, other) = tokio::join!(
                team.propose(&team.owner, &finding, 1),
                team.propose(&team.reviewer, &finding, 1),
            );
            assert_eq!(
                usize::from(one.is_ok()) + usize::from(other.is_ok()),
                1,
                "{}: {one:?} {other:?}",
                team.on()
            );
            let refused = if one.is_ok() { other } else { one };
            let (field, message) = rejected(refused);
            assert_eq!(field, "fix");
            assert!(
                message.starts_with(&format!("P-{round} makes this very change: ")),
                "{message}"
            );
            let patches = services.patches_of(&team.viewer, &team.review.id).await;
            assert_eq!(patches.expect("lists").lines.len(), round);
        }
    }
}
