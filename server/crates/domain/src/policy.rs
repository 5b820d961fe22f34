//! A review's policy: what its verdict and its sign-offs ask for.

use serde::{Deserialize, Serialize};

use crate::{
    Digest, Severity,
    text::{Name, TextError},
};

/// What a review asks for. Stored as JSON with the review; a field that is missing there has its default here, and an
/// unknown one is refused, so that a misspelt rule is not silently left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent rule that a manager switches"
)]
pub struct Policy {
    /// Whoever submitted evidence or a patch, or asked for review, cannot sign the same item. Off only for one-person teams; the
    /// report then says so.
    pub four_eyes: bool,
    /// Findings of these severities, while open, hold back the release and the items they are linked to. Unrated is none of
    /// them; see `unrated_as`.
    pub blocking_severities: Vec<Severity>,
    /// The severity whose rules (blocking, limit) hold for findings that no scanner rated in words that are known.
    #[serde(skip_serializing_if = "is_default_of_unrated")]
    pub unrated_as: Severity,
    /// An item with no evidence cannot be sent to review or passed.
    pub evidence_required: bool,
    /// Evidence of another commit than the target holds back a pass and the release.
    pub stale_evidence_blocks: bool,
    /// Series that must have a complete scan of the target commit.
    pub required_scans: Vec<RequiredScan>,
    /// How many people must sign an item's pass, unless the item says otherwise.
    pub quorum: u32,
    /// The ids of those who sign the release decision, all of them; empty means any managers of the service.
    pub approvers: Vec<String>,
    /// How many managers must sign GO where no approvers are named.
    pub approvals: u32,
    /// Whether open deliverables hold back the release.
    pub deliverables_required: bool,
    /// Whether findings that are open past their limit hold back the release, of whatever severity.
    pub late_findings_block: bool,
    /// The days a finding may stay open.
    pub limits: Limits,
}

/// Nobody has said that it is milder than what holds a release back.
const DEFAULT_OF_UNRATED: Severity = Severity::High;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_default_of_unrated(severity: &Severity) -> bool {
    *severity == DEFAULT_OF_UNRATED
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            four_eyes: true,
            blocking_severities: vec![Severity::Critical, Severity::High],
            unrated_as: DEFAULT_OF_UNRATED,
            evidence_required: true,
            stale_evidence_blocks: true,
            required_scans: Vec::new(),
            quorum: 1,
            approvers: Vec::new(),
            approvals: 1,
            deliverables_required: true,
            late_findings_block: false,
            limits: Limits::default(),
        }
    }
}

impl Policy {
    /// Which open findings can hold back at a moment: the severities that do, each with the moment before which a finding
    /// must have been first seen; `None` for at any time.
    pub fn holding_back(&self, now: crate::Millis) -> Vec<(Severity, Option<crate::Millis>)> {
        Severity::ALL
            .iter()
            .filter_map(|severity| {
                if self.blocks(*severity) {
                    return Some((*severity, None));
                }
                let days = self.days(*severity).filter(|_| self.late_findings_block)?;
                Some((*severity, Some(now - i64::from(days) * 86_400_000)))
            })
            .collect()
    }

    /// Whether open findings of this severity hold back.
    pub fn blocks(&self, severity: Severity) -> bool {
        self.blocking_severities.contains(&self.rated(severity))
    }

    /// Every severity whose open findings hold back, worst first.
    pub fn blocking(&self) -> Vec<Severity> {
        let all = Severity::ALL.iter().copied();
        all.filter(|severity| self.blocks(*severity)).collect()
    }

    /// The days a finding of this severity may stay open; `None` is no limit.
    pub fn days(&self, severity: Severity) -> Option<u32> {
        self.limits.days(self.rated(severity))
    }

    /// When a finding of this severity first seen at a moment becomes late.
    pub fn due(&self, severity: Severity, first_seen: crate::Millis) -> Option<crate::Millis> {
        self.days(severity)
            .map(|days| first_seen + i64::from(days) * 86_400_000)
    }

    /// For each severity with a limit, before when a finding must have been seen first to be late now. To the minute, so
    /// that a list that is asked for twice asks the same.
    pub fn late_before(&self, now: crate::Millis) -> Vec<(Severity, crate::Millis)> {
        let now = now - now.rem_euclid(60_000);
        Severity::ALL
            .iter()
            .filter_map(|severity| Some((*severity, now - self.due(*severity, 0)?)))
            .collect()
    }

    /// The severity whose rules hold for a finding of this one. A policy that calls unrated ones unrated says nothing of them,
    /// and what is unknown is not mild.
    fn rated(&self, severity: Severity) -> Severity {
        match (severity, self.unrated_as) {
            (Severity::Unrated, Severity::Unrated) => DEFAULT_OF_UNRATED,
            (Severity::Unrated, rated) => rated,
            (severity, _) => severity,
        }
    }
}

/// A series that must have a complete scan of the target commit, by its tool *and* its label: whoever may import scans
/// chooses the label, and a file of another tool under the label that is asked for shows nothing.
///
/// Spelled as the tool's name alone where the series has no label of its own, which is how all of them were spelled once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "SpelledScan", into = "SpelledScan")]
pub struct RequiredScan {
    pub tool: String,
    /// Absent for the series where scans go that nobody gives a label, of whatever the tool looked at: see
    /// [`default_label`].
    pub label: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum SpelledScan {
    Tool(String),
    Pair(Pair),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    tool: String,
    #[serde(default)]
    label: Option<String>,
}

impl From<SpelledScan> for RequiredScan {
    fn from(spelled: SpelledScan) -> Self {
        match spelled {
            SpelledScan::Tool(tool) => Self { tool, label: None },
            SpelledScan::Pair(Pair { tool, label }) => Self {
                label: label.filter(|label| *label != tool),
                tool,
            },
        }
    }
}

impl From<RequiredScan> for SpelledScan {
    fn from(required: RequiredScan) -> Self {
        match required {
            RequiredScan { tool, label: None } => Self::Tool(tool),
            RequiredScan { tool, label } => Self::Pair(Pair { tool, label }),
        }
    }
}

impl std::fmt::Display for RequiredScan {
    /// As people write it on a line: `semgrep`, or `semgrep: backend`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.label {
            None => f.write_str(&self.tool),
            Some(label) => write!(f, "{}: {label}", self.tool),
        }
    }
}

impl RequiredScan {
    /// Reads a line as [`RequiredScan`]'s `Display` writes it. A tool whose own name has a colon and a space can only be
    /// named as a pair.
    pub fn parse(line: &str) -> Result<Self, TextError> {
        let (tool, label) = match line.split_once(": ") {
            Some((tool, label)) => (tool, Some(Name::parse(label)?)),
            None => (line, None),
        };
        let tool = String::from(Name::parse(tool)?);
        let label = label.map(String::from).filter(|label| *label != tool);
        Ok(Self { tool, label })
    }

    /// Whether both parts are what a series can be called.
    pub fn check(&self) -> Result<(), TextError> {
        Name::parse(&self.tool)?;
        self.label
            .as_deref()
            .map_or(Ok(()), |label| Name::parse(label).map(|_| ()))
    }

    /// Whether a series is the one that is asked for. Tools are named in any case, since people write them in small letters;
    /// a label is what somebody chose, so it counts to the letter.
    pub fn is_series(&self, tool: &str, label: &str) -> bool {
        self.tool.to_lowercase() == tool.to_lowercase()
            && match &self.label {
                Some(own) => own == label,
                None => is_default_label(tool, label),
            }
    }
}

/// The label of a series that nobody gives one: the tool's name, with what the tool looked at where its file says so, so that
/// scans of two images or parts of a repository do not speak of each other.
pub fn default_label(tool: &str, target: Option<&str>) -> String {
    match target.map(str::trim).filter(|target| !target.is_empty()) {
        None => tool.to_owned(),
        // A name that is cut off still has to be another one than its neighbour's.
        Some(target) if target.chars().count() > MOST_TARGET => {
            let start: String = target.chars().take(MOST_TARGET - 12).collect();
            let digest = Digest::of(target.as_bytes());
            format!("{tool} ({start}… {})", &digest.as_str()[..8])
        }
        Some(target) => format!("{tool} ({target})"),
    }
}

/// Characters of a target that a label has at most.
const MOST_TARGET: usize = 120;

/// Whether a label is one of those that [`default_label`] gives.
pub fn is_default_label(tool: &str, label: &str) -> bool {
    let target = label.strip_prefix(tool).unwrap_or("-");
    target.is_empty() || target.starts_with(" (") && target.ends_with(')')
}

/// The days a finding may stay open, by severity; `None` is no limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub critical: Option<u32>,
    pub high: Option<u32>,
    pub medium: Option<u32>,
    pub low: Option<u32>,
    pub info: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            critical: Some(3),
            high: Some(7),
            medium: Some(30),
            low: None,
            info: None,
        }
    }
}

impl Limits {
    /// Of a severity that is one; the limit of what is unrated is the policy's, see [`Policy::days`].
    const fn days(&self, severity: Severity) -> Option<u32> {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Info => self.info,
            Severity::Unrated => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_late_if_it_was_seen_first_before_its_limit() {
        let policy = Policy {
            limits: Limits {
                critical: Some(1),
                high: Some(7),
                medium: None,
                ..Limits::default()
            },
            ..Policy::default()
        };
        let day = 86_400_000;
        let whole_minute = 100 * day + 60_000;
        let expected = [
            (Severity::Critical, 99 * day + 60_000),
            (Severity::High, 93 * day + 60_000),
            // Nobody has said that it is milder.
            (Severity::Unrated, 93 * day + 60_000),
        ];
        for now in [whole_minute, whole_minute + 59_999] {
            assert_eq!(policy.late_before(now), expected);
        }
        for (severity, before) in expected {
            assert!(policy.due(severity, before - 1) < Some(whole_minute));
            assert_eq!(policy.due(severity, before), Some(whole_minute));
        }
    }

    #[test]
    fn what_is_unrated_is_treated_as_high_unless_the_policy_says_otherwise() {
        use Severity::{Critical, High, Info, Low, Medium, Unrated};

        assert_eq!(Policy::default().blocking(), [Critical, High, Unrated]);
        for (unrated_as, blocking, days) in [
            (Critical, &[Critical, High, Unrated][..], Some(3)),
            (High, &[Critical, High, Unrated], Some(7)),
            (Medium, &[Critical, High], Some(30)),
            (Low, &[Critical, High], None),
            (Info, &[Critical, High], None),
            (Unrated, &[Critical, High, Unrated], Some(7)),
        ] {
            let policy = Policy {
                unrated_as,
                ..Policy::default()
            };
            assert_eq!(policy.blocking(), blocking, "{unrated_as}");
            assert_eq!(policy.days(Unrated), days, "{unrated_as}");
        }
        let mild = Policy {
            blocking_severities: vec![Critical],
            ..Policy::default()
        };
        assert!(!mild.blocks(Unrated));
        // Policies of before there was such a severity stay the bytes they were.
        let text = serde_json::to_string(&Policy::default()).expect("a policy");
        assert!(!text.contains("unrated"), "{text}");
    }

    #[test]
    fn a_required_scan_is_a_tool_and_a_label() {
        let required = |text: &str| RequiredScan::parse(text).expect("a required scan");
        for (asked, tool, label, is_it) in [
            ("gitleaks", "Gitleaks", "Gitleaks", true),
            ("gitleaks", "gitleaks", "gitleaks", true),
            // What a label says is no tool, and a label of its own is another series.
            ("gitleaks", "semgrep", "gitleaks", false),
            ("gitleaks", "gitleaks", "backend", false),
            ("gitleaks: backend", "Gitleaks", "backend", true),
            ("gitleaks: backend", "Gitleaks", "Backend", false),
            ("gitleaks: backend", "semgrep", "backend", false),
            ("gitleaks: backend", "gitleaks", "gitleaks", false),
            ("gitleaks: gitleaks", "gitleaks", "gitleaks", true),
            // Of whatever it looked at, unless one is named.
            ("trivy", "Trivy", "Trivy (registry/api)", true),
            ("trivy", "Trivy", "Trivy nightly", false),
            ("trivy", "Trivy", "nightly (Trivy)", false),
            (
                "trivy: Trivy (registry/api)",
                "Trivy",
                "Trivy (registry/worker)",
                false,
            ),
            (
                "trivy: Trivy (registry/api)",
                "Trivy",
                "Trivy (registry/api)",
                true,
            ),
        ] {
            assert_eq!(
                required(asked).is_series(tool, label),
                is_it,
                "{asked} {tool} {label}"
            );
        }
        for wrong in ["", " : x", "semgrep: ", "sem\u{200b}grep"] {
            assert!(RequiredScan::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn required_scans_of_old_policies_are_read_and_spelled_as_they_were() {
        for (json, line) in [
            (r#""gitleaks""#, "gitleaks"),
            (
                r#"{"tool":"semgrep","label":"backend"}"#,
                "semgrep: backend",
            ),
        ] {
            let read: RequiredScan = serde_json::from_str(json).expect("a required scan");
            assert_eq!(read.to_string(), line);
            assert_eq!(RequiredScan::parse(line).as_ref(), Ok(&read));
            assert_eq!(serde_json::to_string(&read).expect("texts serialise"), json);
        }
        for wrong in [
            r#"{"label":"backend"}"#,
            r#"{"tool":"x","series":"y"}"#,
            "7",
        ] {
            assert!(
                serde_json::from_str::<RequiredScan>(wrong).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_misspelt_rule_is_refused_and_a_missing_one_has_its_default() {
        assert!(serde_json::from_str::<Policy>(r#"{"four_eye": false}"#).is_err());
        let relaxed: Policy =
            serde_json::from_str(r#"{"four_eyes": false}"#).expect("one known field");
        assert_eq!(
            relaxed,
            Policy {
                four_eyes: false,
                ..Policy::default()
            }
        );
    }
}
