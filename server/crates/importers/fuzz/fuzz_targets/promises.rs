//! What holds for every report that is read, whatever the bytes were. The crate's tests of bad input hold it too.

use holdpoint_importers::identity::identify;
use holdpoint_importers::{Finding, Report, read};

/// A refusal is short and says something; a report that is read is safe to show and to store.
pub(crate) fn hold(bytes: &[u8], format: Option<&str>) -> Option<Report> {
    let report = match read(bytes, None, format) {
        Ok(report) => report,
        Err(error) => {
            let said = error.to_string();
            assert!(
                !said.is_empty() && said.len() < 8_192 && said.chars().all(is_shown),
                "{} bytes of refusal: {said:?}",
                said.len()
            );
            return None;
        }
    };
    report.findings.iter().for_each(is_safe);
    let identities = identify(&report.findings);
    assert_eq!(identities.len(), report.findings.len());
    Some(report)
}

/// Whether a character can stand in one line of a terminal or a page without doing anything.
fn is_shown(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_safe(finding: &Finding) {
    assert!(!finding.title.is_empty(), "{finding:?}");
    assert!(finding.title.chars().all(is_shown), "{:?}", finding.title);
    assert!(!finding.pointer.is_empty(), "{finding:?}");
    if let Some(path) = &finding.path {
        assert!(
            !path.starts_with('/') && !path.contains('\\') && path.chars().all(is_shown),
            "{path:?}"
        );
        assert!(path.split('/').all(|part| part != ".."), "{path:?}");
    }
    assert!(finding.start_line != Some(0), "{finding:?}");
    let ends_after_start = |end| finding.start_line.is_some_and(|start| start <= end);
    assert!(finding.end_line.is_none_or(ends_after_start), "{finding:?}");
    let is_score = |score| (0.0..=10.0).contains(&score);
    assert!(finding.score.is_none_or(is_score), "{finding:?}");
    let link = finding.help_url.as_deref();
    let is_link = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    assert!(link.is_none_or(is_link), "{link:?}");
    for text in [&finding.rule, &finding.rule_name].into_iter().flatten() {
        assert!(text.chars().all(is_shown), "{text:?}");
    }
    let one_line = [&finding.scope, &finding.component, &finding.fingerprint];
    for text in one_line.into_iter().flatten() {
        assert!(text.chars().all(is_shown), "{text:?}");
    }
    let is_text = |c: char| is_shown(c) || matches!(c, '\n' | '\t');
    let several_lines = [&finding.message, &finding.snippet];
    for text in several_lines.into_iter().flatten() {
        assert!(text.chars().all(is_text), "{text:?}");
    }
    for text in [&finding.description, &finding.remediation]
        .into_iter()
        .flatten()
    {
        assert!(text.chars().all(is_text), "{text:?}");
    }
}
