//! OpenSSF Scorecard, JSON.
//!
//! The source is ossf/scorecard, `pkg/scorecard/json.go`, `checker/check_result.go` and `docs/checks.md`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `checks` with a `score` from 0 to 9 | one finding; the severity is the risk that the tool's documentation gives to the check, another check is unrated |
//! | a `score` of 10 | no finding |
//! | a `score` of −1: the check could not tell | one finding that asks a person to look, unrated; where the tool's words are of an error, the scan is incomplete |
//! | any other `score` | one finding, unrated, which is told |
//! | no `checks` | nothing was looked at: the scan is incomplete |
//! | the older form with `Pass` and `Confidence` | refused with its version |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const SCORECARD: Format = Format {
    name: "scorecard",
    title: "OpenSSF Scorecard JSON",
    tool: "scorecard",
    detect,
    lists: &[
        "checks",
        "checks/*/details~[]",
        "checks/*/annotations?[]",
        "metadata?~[]",
    ],
    read,
};

/// The risks of the checks.
const RISKS: &[(Severity, &[&str])] = &[
    (Severity::Critical, &["Dangerous-Workflow", "Webhooks"]),
    (
        Severity::High,
        &[
            "Binary-Artifacts",
            "Branch-Protection",
            "Code-Review",
            "Dependency-Update-Tool",
            "Maintained",
            "Signed-Releases",
            "Token-Permissions",
            "Vulnerabilities",
        ],
    ),
    (
        Severity::Medium,
        &[
            "Fuzzing",
            "Packaging",
            "Pinned-Dependencies",
            "SAST",
            "SBOM",
            "Security-Policy",
        ],
    ),
    (
        Severity::Low,
        &["CI-Tests", "CII-Best-Practices", "Contributors", "License"],
    ),
];

const OLD_KEYS: [&str; 3] = ["Repo", "Date", "Checks"];

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let keys = ["repo", "scorecard", "checks"];
    certain_if(
        object_with(sniff, &keys) || list_with(sniff, &keys) || object_with(sniff, &OLD_KEYS),
    )
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut repositories = Vec::new();
    let mut n_checks = 0;
    reading.documents(text, &mut |reading, place, report| {
        if OLD_KEYS.iter().all(|key| report.has(key)) {
            return Err(ImportError::UnsupportedVersion {
                format: reading.format,
                found: "1".to_owned(),
                supported: "the second form of its JSON, of version 3 and later",
            });
        }
        let repository = report.text("repo/name").into_owned();
        reading.tool("", &report.text("scorecard/version"));
        reading.scanned_at(&report.text("date"));
        reading.commit(&report.text("repo/commit"));
        for (at, check) in report.each("checks").iter().enumerate() {
            n_checks += 1;
            reading.needs_object(check, "")?;
            let pointer = format!("{place}/checks/{at}");
            read_check(reading, &pointer, &repository, check);
        }
        repositories.push(repository);
        Ok(())
    })?;
    if n_checks == 0 {
        reading.nothing_looked_at("/checks", "no check was run");
    }
    if let [repository] = repositories.as_slice() {
        reading.repository(repository);
        reading.target(repository);
    }
    Ok(())
}

fn read_check(reading: &mut Reading<'_>, pointer: &str, repository: &str, check: &Loose<'_>) {
    let (name, reason) = (check.text("name"), check.text("reason"));
    let mut status = ScannerStatus::Open;
    let severity = match check.number("score") {
        Some(10.0) => {
            reading.not_a_finding();
            return;
        }
        Some(score) if (0.0..10.0).contains(&score) => {
            let known = RISKS
                .iter()
                .find(|(_, checks)| checks.contains(&&*name))
                .map(|(severity, _)| *severity);
            known.unwrap_or_else(|| {
                reading.unknown_word(pointer, "check", &name);
                Severity::Unrated
            })
        }
        Some(-1.0) => {
            if reason.to_lowercase().contains("error") {
                let said = format!("the check {name} failed: {reason}");
                reading.incomplete(pointer, &said);
            }
            status = ScannerStatus::Review;
            Severity::Unrated
        }
        _ => {
            reading.unknown_word(pointer, "score", &check.text("score"));
            Severity::Unrated
        }
    };
    let details = check.each("details").iter().map(Loose::own_text);
    let details: Vec<_> = details.collect();
    let details = details.join("\n");
    let score = check.text("score");
    let title = match &*reason {
        "" => name.clone().into_owned(),
        reason => format!("{name}: {reason}"),
    };
    reading.add(
        Finding::of(&title, severity, pointer)
            .with_rule(&name)
            .with_description(&check.text("documentation/short"))
            .with_message(format!("Score {score} of 10. {details}").trim())
            .with_ids(&details)
            .with_link(&check.text("documentation/url"))
            .with_scope(repository)
            // Its words count commits and releases, which change while the problem stays.
            .with_partial_fingerprint(&format!("{repository} {name}"))
            .with_tags(check.at("annotations"))
            .with_status(status)
            .with_category(Category::Configuration),
    );
}
