//! Findings: how severe, and what has become of them.

use crate::words;

words! {
    /// How much a finding matters, worst first.
    Severity {
        Critical => "critical",
        High => "high",
        /// What a scanner did not rate, or rated in a word that nobody knows. It may be anything, so it stands above all that is
        /// known to be milder than high.
        Unrated => "unrated",
        Medium => "medium",
        Low => "low",
        Info => "info",
    }
}

impl Severity {
    /// Whether it is told by itself where there is room for the worst only. What nobody rated may be anything, so it is one of them.
    pub const fn is_serious(self) -> bool {
        match self {
            Self::Critical | Self::High | Self::Unrated => true,
            Self::Medium | Self::Low | Self::Info => false,
        }
    }

    /// Those that are serious, as a sentence names them: "critical, high or unrated".
    pub fn serious_names(conjunction: &str) -> String {
        let severities = Self::ALL.iter().copied();
        enumerate(severities.filter(|of| of.is_serious()), conjunction)
    }

    /// Those that are not: "medium, low or info".
    pub fn mild_names(conjunction: &str) -> String {
        let severities = Self::ALL.iter().copied();
        enumerate(severities.filter(|of| !of.is_serious()), conjunction)
    }

    /// All of them, as a sentence names them: "critical, high, unrated, medium, low or info".
    pub fn all_names(conjunction: &str) -> String {
        enumerate(Self::ALL.iter().copied(), conjunction)
    }

    /// Reads the words scanners use for the same five steps, in any case; `None` for a word with no agreed meaning, and for
    /// one that says that there is no rating.
    pub fn from_scanner_word(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "critical" | "crit" | "blocker" | "fatal" | "very high" => Self::Critical,
            "high" | "error" | "err" | "important" | "major" | "severe" => Self::High,
            "medium" | "moderate" | "warning" | "warn" | "med" => Self::Medium,
            "low" | "minor" | "note" | "style" => Self::Low,
            "info" | "informational" | "information" | "none" | "negligible" | "notice" => {
                Self::Info
            }
            _ => return None,
        })
    }

    /// The qualitative rating of a CVSS 3.x or 4.0 base score: 0 none, to 3.9 low, to 6.9 medium, to 8.9 high
    /// (FIRST, CVSS v3.1 specification section 5; the same bands in v4.0 section 6).
    pub fn from_cvss_score(score: f64) -> Self {
        match score {
            s if s >= 9.0 => Self::Critical,
            s if s >= 7.0 => Self::High,
            s if s >= 4.0 => Self::Medium,
            s if s > 0.0 => Self::Low,
            _ => Self::Info,
        }
    }
}

/// "a, b or c".
fn enumerate(severities: impl Iterator<Item = Severity>, conjunction: &str) -> String {
    let words: Vec<_> = severities.map(Severity::as_str).collect();
    match words.split_last() {
        Some((last, first)) if !first.is_empty() => {
            format!("{} {conjunction} {last}", first.join(", "))
        }
        _ => words.concat(),
    }
}

words! {
    /// The one state of a finding: no contradicting flags.
    FindingStatus {
        Open => "open",
        /// Gone from a full scan of its series; set by scans only for scanner findings.
        Fixed => "fixed",
        FalsePositive => "false_positive",
        RiskAccepted => "risk_accepted",
        Duplicate => "duplicate",
    }
}

words! {
    /// What a scanner says of a finding beside that it is there. It is a claim of whoever wrote the code or set the scanner up, and
    /// decides nothing: the finding's [`FindingStatus`] is what people decided.
    ScannerState {
        /// Found, and hidden by a suppression that is in effect: a comment in the code, a baseline, an ignore file.
        Suppressed => "suppressed",
        /// The scanner could not decide, and asks a person to look.
        Review => "review",
    }
}

impl ScannerState {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Suppressed => "Suppressed in the scanner",
            Self::Review => "The scanner asks a person to look",
        }
    }
}

words! {
    /// Where a scanner was told to hide a finding.
    SuppressionKind {
        InSource => "in_source",
        /// In the scanner's configuration, a baseline, or another system.
        External => "external",
    }
}

/// A scanner's claim about a finding, with what it says of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ScannerClaim {
    pub state: ScannerState,
    /// Of a suppression, if the scanner says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<SuppressionKind>,
    /// The justification, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl ScannerClaim {
    /// As part of a sentence: "suppressed in the scanner, in the source: test data".
    pub fn words(&self) -> String {
        let mut words = match self.state {
            ScannerState::Suppressed => "suppressed in the scanner",
            ScannerState::Review => "the scanner asks a person to look",
        }
        .to_owned();
        match self.kind {
            Some(SuppressionKind::InSource) => words.push_str(", in the source"),
            Some(SuppressionKind::External) => words.push_str(", outside of the source"),
            None => {}
        }
        if let Some(reason) = &self.reason {
            words.push_str(": ");
            words.push_str(reason.trim_end_matches('.'));
        }
        words
    }

    /// As [`Self::words`], by itself.
    pub fn sentence(&self) -> String {
        let words = self.words();
        let mut rest = words.chars();
        let first = rest.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(rest).chain(['.']).collect()
    }
}

impl FindingStatus {
    /// Whether a person decided this, so that no scan may change it.
    pub const fn is_human_decision(self) -> bool {
        matches!(
            self,
            Self::FalsePositive | Self::RiskAccepted | Self::Duplicate
        )
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Fixed => "Fixed",
            Self::FalsePositive => "False positive",
            Self::RiskAccepted => "Risk accepted",
            Self::Duplicate => "Duplicate",
        }
    }
}

impl Severity {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Critical => "Critical",
            Self::High => "High",
            Self::Unrated => "Unrated",
            Self::Medium => "Medium",
            Self::Low => "Low",
            Self::Info => "Info",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_severity_is_either_serious_or_mild_and_a_sentence_names_all() {
        assert_eq!(Severity::serious_names("or"), "critical, high or unrated");
        assert_eq!(Severity::mild_names("and"), "medium, low and info");
        assert_eq!(
            Severity::all_names("or"),
            "critical, high, unrated, medium, low or info"
        );
    }
}
