//! What an acceptance of a finding's risk is bound to, every other request while it waits for an answer, and a signature on an item
//! that the finding is linked to.
//!
//! Whoever approves it has read what the finding says, so it holds while the finding says the same. Only the digest is
//! stored, and what the finding says now is only digested where there is an acceptance to compare it with. A signature has the
//! digest in its content, beside what it leaves out on purpose: where the finding is, and what explains it.

use holdpoint_domain::Digest;
use holdpoint_importers::text::normal_message;
use holdpoint_storage::{FindingContent, Tx};

use crate::ServiceError;

/// How many findings one statement is about.
const PER_STATEMENT: usize = 1_000;

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
