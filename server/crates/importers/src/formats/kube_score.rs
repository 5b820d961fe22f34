//! kube-score, JSON (`--output-format json`, its version 2).
//!
//! The source is zegl/kube-score, `renderer/json_v2` and `scorecard/scorecard.go`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of an object's `checks` with a `grade` of 1 or 5 | one finding: 1 critical, 5 medium, as its words CRITICAL and WARNING |
//! | a `grade` of 7 or 10 | no finding: it calls both OK |
//! | any other `grade` | one finding, unrated, which is told |
//! | `skipped` with a `grade` of 1 or 5, or where its comment says that the check is ignored | suppressed, with the comment; else no finding |
//! | JSON of version 1, an object with `TypeMeta` for each | refused with its version |
//! | no object, or only ones without checks | nothing was looked at: the scan is incomplete |

use holdpoint_domain::{Severity, SuppressionKind};

use super::reading::{Format, Reading, certain_if, list_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const KUBE_SCORE: Format = Format {
    name: "kube_score",
    title: "kube-score JSON",
    tool: "kube-score",
    detect,
    lists: &["*/checks", "*/checks/*/comments~"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_if(list_with(sniff, &["object_name", "type_meta", "checks"]) || is_of_1(sniff.text))
}

fn is_of_1(text: &str) -> bool {
    let keys = ["\"TypeMeta\"", "\"ObjectMeta\"", "\"Checks\"", "\"Grade\""];
    text.trim_start().starts_with('{') && keys.iter().all(|key| text.contains(key))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    if is_of_1(text.beginning()) {
        return Err(ImportError::UnsupportedVersion {
            format: reading.format,
            found: "1".to_owned(),
            supported: "version 2 (--output-version v2)",
        });
    }
    let mut n_checks = 0_usize;
    let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, object| {
        for (at, check) in object.each("checks").iter().enumerate() {
            n_checks += 1;
            reading.needs_object(check, "")?;
            read_check(reading, &format!("{pointer}/checks/{at}"), object, check);
        }
        Ok(())
    })?;
    // Of no object at all it writes null.
    if !rest.is_null() {
        reading.needs_list(&rest, "")?;
    }
    if n_checks == 0 {
        reading.nothing_looked_at("$", "no check of any object");
    }
    Ok(())
}

fn read_check(reading: &mut Reading<'_>, pointer: &str, object: &Loose<'_>, check: &Loose<'_>) {
    let comments = check.each("comments");
    let said = comments
        .first()
        .map_or("".into(), |first| first.text("summary"));
    let is_skipped = check.flag("skipped");
    let is_ignored = is_skipped && said.ends_with("is ignored");
    let severity = match check.number("grade") {
        Some(1.0) => Severity::Critical,
        Some(5.0) => Severity::Medium,
        Some(7.0 | 10.0) => {
            reading.not_a_finding();
            return;
        }
        Some(0.0) if is_skipped && !is_ignored => {
            reading.not_a_finding();
            return;
        }
        // What was ignored has no grade.
        Some(0.0) if is_ignored => Severity::Unrated,
        _ => {
            reading.unknown_word(pointer, "grade", &check.text("grade"));
            Severity::Unrated
        }
    };
    let name = match &*object.text("object_meta/namespace") {
        "" => object.text("object_meta/name").into_owned(),
        space => format!("{space}/{}", object.text("object_meta/name")),
    };
    let kind = object.text("type_meta/kind");
    let words = comments.iter().map(|comment| {
        let parts = ["path", "summary", "description"].map(|key| comment.text(key).into_owned());
        parts.join(" ").trim().to_owned()
    });
    let words: Vec<_> = words.collect();
    let mut finding = Finding::of(&check.text("check/name"), severity, pointer)
        .with_rule(&check.text("check/id"))
        .with_rule_name(&check.text("check/name"))
        .with_description(&check.text("check/comment"))
        .with_message(&words.join("\n"))
        .with_path(&object.text("file_name"))
        .with_lines(object.line("file_row"), None)
        .with_scope(&format!("{kind} {name}"))
        // Its words name each container, of which some may be right already.
        .with_partial_fingerprint(&object.text("object_name"))
        .with_category(Category::Configuration);
    if is_skipped {
        finding.suppression_kind = Some(SuppressionKind::InSource);
        finding = finding
            .with_status(ScannerStatus::Suppressed)
            .with_suppression_reason(&said);
    }
    reading.add(finding);
}
