//! What formats of vulnerabilities share: ratings in words and scores, states, and packages.

use holdpoint_domain::Severity;

use super::cvss::base_score;
use super::reading::Reading;
use crate::Finding;
use crate::json::Loose;

/// The score that a value is, or that follows from the vector that it is; a score of 0 stands for none.
pub(super) fn score_of(value: &Loose<'_>) -> Option<f64> {
    let score = match value {
        Loose::Number(score) => Some(*score),
        value => {
            let text = value.own_text();
            text.parse().ok().or_else(|| base_score(&text))
        }
    };
    score.filter(|score| *score > 0.0 && *score <= 10.0)
}

/// Rates a malicious package, for which advisories have no score, whatever its tool makes of it. Returns whether it is one.
pub(super) fn rate_malicious(finding: &mut Finding) -> bool {
    let mut ids = finding.rule.iter().map(|rule| &**rule);
    let is_malicious = ids.any(is_malicious) || finding.aliases.iter().any(|id| is_malicious(id));
    if is_malicious && finding.status.is_present() {
        finding.severity = Severity::Critical;
    }
    is_malicious
}

/// What advisories of malicious packages are called.
fn is_malicious(id: &str) -> bool {
    id.trim().starts_with("MAL-")
}

/// A package URL without its version and what follows it; any other name as it is.
pub(super) fn package_without_version(name: &str) -> &str {
    if !name.starts_with("pkg:") {
        return name;
    }
    let package = name.split(['?', '#']).next().unwrap_or(name);
    match package.rsplit_once('@') {
        Some((package, _)) if !package.ends_with('/') => package,
        _ => package,
    }
}

impl Reading<'_> {
    /// The severity that a word stands for; of a word that says nothing, the score says more, and that is told.
    pub(super) fn rated(&mut self, where_: &str, word: &str, score: Option<f64>) -> Severity {
        match (Severity::from_scanner_word(word), score) {
            (Some(severity), _) => severity,
            (None, Some(score)) => {
                self.unknown_word(where_, "rating", word);
                Severity::from_cvss_score(score)
            }
            (None, None) => self.severity(where_, word),
        }
    }

    /// Notes a state that the format does not know, and one that is there without a word.
    pub(super) fn known_state(
        &mut self,
        pointer: &str,
        element: &Loose<'_>,
        key: &str,
        known: &[&str],
    ) {
        let word = element.text(key);
        let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(&word));
        let (around, last) = key.rsplit_once('/').unwrap_or(("", key));
        let around = if around.is_empty() {
            element
        } else {
            element.at(around)
        };
        if !is_known && around.has(last) {
            self.unknown_word(pointer, "state", &word);
        }
    }
}

impl Finding {
    /// The package as a part of the identity, where packages of two kinds may have one name: `pkg:npm/uidkit`. The version
    /// belongs to the identity anyway.
    pub(super) fn with_package_kind(self, url: &str) -> Self {
        let name = package_without_version(url.trim());
        if name.starts_with("pkg:") {
            self.with_partial_fingerprint(name)
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_package_has_no_version() {
        for (url, kind) in [
            ("pkg:npm/uidkit@8.3.2", Some("pkg:npm/uidkit")),
            (
                "pkg:npm/%40acme/uidkit@8.3.2?a=b",
                Some("pkg:npm/%40acme/uidkit"),
            ),
            ("pkg:npm/@acme/uidkit", Some("pkg:npm/@acme/uidkit")),
            ("uidkit", None),
        ] {
            let finding = Finding::of("x", Severity::Info, "").with_package_kind(url);
            assert_eq!(finding.fingerprint.as_deref(), kind, "{url}");
        }
    }

    #[test]
    fn a_score_is_a_number_or_what_its_vector_says() {
        let scored = |text: &str| score_of(&Loose::Text(text.into()));
        assert_eq!(scored("7.5"), Some(7.5));
        assert_eq!(scored("0"), None);
        assert_eq!(scored("HIGH"), None);
        let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
        assert_eq!(scored(vector), Some(9.8));
    }
}
