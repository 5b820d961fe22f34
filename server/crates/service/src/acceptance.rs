//! What an acceptance of a finding's risk is bound to, every other request while it waits for an answer, and a signature on an item
//! that the finding is linked to.
//!
//! Whoever approves it has read what the finding says, so it holds while the finding says the same. Only the digest is
//! stored, and what the finding says now is only digested where there is an acceptance to compare it with. A signature has the
//! digest in its content, beside what it leaves out on purpose: where the finding is, and what explains it.

use holdpoint_domain::{Digest, Millis, ServiceId};
use holdpoint_importers::text::normal_message;
use holdpoint_storage::{FindingContent, Tx};

use crate::{Actor, ServiceError, changes::Done, triage::ranges};

/// How many findings one statement is about that brings what they say.
const PER_STATEMENT: usize = 1_000;

/// How many findings one statement is about that only names them.
const NAMED_PER_STATEMENT: usize = 20_000;

/// The digest of what a finding says. Where it is does not count, nor do white space and places in its message, since all of
/// them change when code moves; what a scanner explains of the rule counts only where it says nothing of this very place.
pub(crate) fn digest(content: &FindingContent) -> String {
    let snippet = content.snippet.as_deref().unwrap_or_default();
    let said = if content.message.trim().is_empty() {
        &content.description
    } else {
        &content.message
    };
    let parts = [
        normal_message(&content.title),
        content.severity.clone(),
        content.rule.clone().unwrap_or_default(),
        content.component.clone().unwrap_or_default(),
        content.component_version.clone().unwrap_or_default(),
        normal_message(said),
        snippet.split_whitespace().collect::<Vec<_>>().join(" "),
    ];
    Digest::of(parts.join("\u{1f}").as_bytes())
        .as_str()
        .to_owned()
}

/// Notes what findings say now.
pub(crate) async fn note_contents(
    tx: &mut Tx,
    contents: &[FindingContent],
) -> Result<(), ServiceError> {
    for chunk in contents.chunks(PER_STATEMENT) {
        let digests: Vec<_> = chunk
            .iter()
            .map(|content| (content.id.as_str(), digest(content)))
            .collect();
        tx.note_contents(&digests).await?;
    }
    Ok(())
}

/// Notes what these findings say now.
pub(crate) async fn note_contents_of(tx: &mut Tx, ids: &[String]) -> Result<(), ServiceError> {
    for chunk in ids.chunks(PER_STATEMENT) {
        let contents = tx.contents_of(chunk).await?;
        note_contents(tx, &contents).await?;
    }
    Ok(())
}

/// Binds what two people decided about these findings, and about their duplicates, to what they say, where that was decided
/// before it was bound. Call it before they say something else.
pub(crate) async fn bind_decisions(tx: &mut Tx, ids: &[String]) -> Result<(), ServiceError> {
    for chunk in ids.chunks(NAMED_PER_STATEMENT) {
        let unbound = tx.unbound_decisions(chunk).await?;
        if unbound.is_empty() {
            continue;
        }
        let (decided, originals): (Vec<_>, Vec<_>) = unbound.into_iter().unzip();
        let mut said = decided.clone();
        said.extend(originals.into_iter().flatten());
        note_contents_of(tx, &said).await?;
        tx.bind_decisions(&decided).await?;
    }
    Ok(())
}

/// Opens what two people took out of *open*, among these findings and their duplicates, where it does not say any more what
/// it said then. What the findings say now must be noted.
pub(crate) async fn open_outgrown(
    tx: &mut Tx,
    actor: &Actor,
    service: &ServiceId,
    ids: &[String],
    now: Millis,
) -> Result<(), ServiceError> {
    let mut numbers = Vec::new();
    for chunk in ids.chunks(NAMED_PER_STATEMENT) {
        numbers.extend(tx.open_outgrown(chunk, now).await?);
    }
    if numbers.is_empty() {
        return Ok(());
    }
    let named = ranges(&numbers);
    let subject = if numbers.len() == 1 {
        "it does"
    } else {
        "they do"
    };
    Done {
        action: "findings.decision_outgrown",
        subject_kind: "service",
        subject: service.as_str(),
        service: Some(service.as_str()),
        review: None,
        summary: format!("F-{named} open again: {subject} not say any more what was decided about"),
        before: None,
        after: Some(serde_json::json!({ "findings": named }).to_string()),
    }
    .append(tx, actor, now)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> FindingContent {
        FindingContent {
            id: "1".to_owned(),
            title: "Command injection".to_owned(),
            severity: "high".to_owned(),
            rule: Some("G204".to_owned()),
            component: None,
            component_version: None,
            message: "The input of line 12 is run".to_owned(),
            snippet: Some("run(input)".to_owned()),
            description: "Why it matters.".to_owned(),
        }
    }

    #[test]
    fn what_only_moved_says_the_same() {
        let moved = FindingContent {
            message: "The  input of line 90\nis run".to_owned(),
            snippet: Some("\t run(input)\n".to_owned()),
            description: "Why it matters, in other words.".to_owned(),
            ..content()
        };
        assert_eq!(digest(&moved), digest(&content()));
    }

    #[test]
    fn another_message_snippet_or_severity_is_another_content() {
        let others = [
            FindingContent {
                message: "Anything is run".to_owned(),
                ..content()
            },
            FindingContent {
                snippet: Some("run(anything)".to_owned()),
                ..content()
            },
            FindingContent {
                severity: "critical".to_owned(),
                ..content()
            },
            FindingContent {
                component_version: Some("2.0".to_owned()),
                ..content()
            },
        ];
        for other in others {
            assert_ne!(digest(&other), digest(&content()), "{other:?}");
        }
    }

    #[test]
    fn the_explanation_counts_where_nothing_is_said_of_the_place() {
        let one = FindingContent {
            message: String::new(),
            ..content()
        };
        let other = FindingContent {
            description: "It is worse than that.".to_owned(),
            ..one.clone()
        };
        assert_ne!(digest(&one), digest(&other));
    }
}
