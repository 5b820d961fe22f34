//! What holds for every report that is read, whatever the bytes were.

use holdpoint_importers::identity::identify;
use holdpoint_importers::{Finding, read};

pub fn hold(bytes: &[u8], format: Option<&str>) {
    let report = match read(bytes, None, format) {
        Ok(report) => report,
        Err(error) => {
            let said = error.to_string();
            assert!(!said.is_empty() && said.len() < 16_384, "{} bytes of refusal", said.len());
            return;
        }
    };
    report.findings.iter().for_each(is_safe);
    let identities = identify(&report.findings, &report.tool.name);
    assert_eq!(identities.len(), report.findings.len());
}

fn is_safe(finding: &Finding) {
    let is_shown = |c: char| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!finding.title.is_empty() && finding.title.chars().all(is_shown), "{:?}", finding.title);
    assert!(!finding.pointer.is_empty());
    if let Some(path) = &finding.path {
        assert!(!path.starts_with('/') && !path.contains('\\') && path.chars().all(is_shown), "{path:?}");
        assert!(path.split('/').all(|part| part != ".."), "{path:?}");
    }
    assert!(finding.start_line != Some(0));
    assert!(finding.end_line.is_none_or(|end| finding.start_line.is_some_and(|start| start <= end)));
    assert!(finding.score.is_none_or(|score| (0.0..=10.0).contains(&score)));
    let link = finding.help_url.as_deref();
    assert!(link.is_none_or(|url| url.starts_with("https://") || url.starts_with("http://")), "{link:?}");
}
