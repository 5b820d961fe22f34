//! What holds for every report that is read, whatever the bytes were. The crate's tests of bad input hold it too.

use holdpoint_importers::identity::identify;
use holdpoint_importers::{Finding, ImportError, InputLimits, Place, Report, read, read_source};

/// A refusal is short and says something; a report that is read is safe to show and to store, and a file that is too long to
/// be held says the same.
pub(crate) fn hold(bytes: &[u8], format: Option<&str>) -> Option<Report> {
    let read = read(bytes, None, format);
    let in_pieces = read_in_pieces(bytes, format);
    assert!(
        read.is_ok() == in_pieces.is_ok() && read.as_ref().ok() == in_pieces.as_ref().ok(),
        "at once: {read:?}\nin pieces: {in_pieces:?}"
    );
    let report = match read {
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

fn read_in_pieces(bytes: &[u8], format: Option<&str>) -> Result<Report, ImportError> {
    let limits = InputLimits {
        at_once_bytes: 0,
        ..InputLimits::default()
    };
    let mut findings = Vec::new();
    let summary = read_source(&bytes, limits, None, format, &mut |finding| {
        findings.push(finding);
    })?;
    Ok(Report { summary, findings })
}

/// Whether a character can stand in one line of a terminal or a page without doing anything.
fn is_shown(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character can stand in a text of several lines.
fn is_text(c: char) -> bool {
    is_shown(c) || matches!(c, '\n' | '\t')
}

fn is_web(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

fn is_path(path: &str) {
    assert!(!path.is_empty(), "a path that names nothing");
    assert!(
        !path.starts_with('/') && !path.contains('\\') && path.chars().all(is_shown),
        "{path:?}"
    );
    assert!(path.split('/').all(|part| part != ".."), "{path:?}");
}

fn is_place(place: &Place) {
    match &place.path {
        Some(address) if is_web(address) => assert!(address.chars().all(is_shown), "{address:?}"),
        Some(path) => is_path(path),
        None => {}
    }
    assert!(place.start_line != Some(0), "{place:?}");
    let ends_after_start = |end| place.start_line.is_some_and(|start| start <= end);
    assert!(place.end_line.is_none_or(ends_after_start), "{place:?}");
    for text in [&place.message, &place.snippet].into_iter().flatten() {
        assert!(text.chars().all(is_text), "{text:?}");
    }
}

fn is_safe(finding: &Finding) {
    assert!(!finding.title.is_empty(), "{finding:?}");
    assert!(finding.title.chars().all(is_shown), "{:?}", finding.title);
    assert!(!finding.pointer.is_empty(), "{finding:?}");
    is_place(&Place {
        path: finding.path.clone(),
        start_line: finding.start_line,
        end_line: finding.end_line,
        ..Place::default()
    });
    let listed = finding.other_places.iter().chain(&finding.related);
    let steps = finding.code_flows.iter().flat_map(|flow| &flow.steps);
    listed.chain(steps).for_each(is_place);
    let changes = finding.fixes.iter().flat_map(|fix| &fix.changes);
    changes
        .filter_map(|change| change.path.as_deref())
        .for_each(is_path);
    let is_score = |score| (0.0..=10.0).contains(&score);
    assert!(finding.score.is_none_or(is_score), "{finding:?}");
    let link = finding.help_url.as_deref();
    assert!(link.is_none_or(is_web), "{link:?}");
    for text in [&finding.rule, &finding.rule_name].into_iter().flatten() {
        assert!(text.chars().all(is_shown), "{text:?}");
    }
    let one_line = [
        &finding.scope,
        &finding.component,
        &finding.component_version,
        &finding.fixed_version,
        &finding.fingerprint,
        &finding.suppression_reason,
    ];
    let flows = finding.code_flows.iter().map(|flow| &flow.message);
    for text in one_line.into_iter().chain(flows).flatten() {
        assert!(text.chars().all(is_shown), "{text:?}");
    }
    for text in finding.tags.iter().chain(&finding.tool) {
        assert!(text.chars().all(is_shown), "{text:?}");
    }
    let several_lines = [&finding.message, &finding.snippet];
    let fixes = finding.fixes.iter().map(|fix| &fix.description);
    for text in several_lines.into_iter().chain(fixes).flatten() {
        assert!(text.chars().all(is_text), "{text:?}");
    }
    for text in [&finding.description, &finding.remediation]
        .into_iter()
        .flatten()
    {
        assert!(text.chars().all(is_text), "{text:?}");
    }
}
