//! Which item a finding belongs to: rules over tool, category, rule, path and severity, and rules that suggest themselves
//! from a tool's category and the items' words.

use crate::{
    Severity,
    pattern::{NamePattern, PathPattern},
};

/// What a rule asks of a finding. What is empty asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    pub tool: NamePattern,
    /// One of the finding's categories; empty for all.
    pub category: String,
    pub rule: NamePattern,
    pub path: PathPattern,
    pub severities: Vec<Severity>,
}

/// What a rule looks at of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    pub tool: &'a str,
    pub category: &'a str,
    pub rule: Option<&'a str>,
    pub path: Option<&'a str>,
    pub severity: Severity,
}

impl Conditions {
    /// Whether it asks nothing, so that it would take every finding.
    pub fn is_empty(&self) -> bool {
        self.tool.is_any()
            && self.category.is_empty()
            && self.rule.is_any()
            && self.path.is_any()
            && self.severities.is_empty()
    }

    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        (self.severities.is_empty() || self.severities.contains(&subject.severity))
            && (self.category.is_empty() || self.category == subject.category)
            && self.tool.matches(Some(subject.tool))
            && self.rule.matches(subject.rule)
            && self.path.matches(subject.path)
    }

    /// Whether a clean scan of this tool speaks for the item: the rule names the tool, or the category of what the tool
    /// looks for. A rule that names neither says nothing about what a scan without findings looked at.
    pub fn covers_clean_scan(&self, tool: &str) -> bool {
        let of_category = self.category.is_empty()
            || category_of_tool(tool).is_none_or(|category| category == self.category);
        let names_it =
            !self.tool.is_any() || category_of_tool(tool) == Some(self.category.as_str());
        names_it && of_category && self.tool.matches(Some(tool))
    }
}

/// What well-known tools that look for one kind of problem look for.
const TOOLS: &[(&str, &[&str])] = &[
    (
        "secret",
        &[
            "gitleaks",
            "trufflehog",
            "trufflehog3",
            "detectsecrets",
            "betterleaks",
            "kingfisher",
            "noseyparker",
            "ggshield",
            "gitguardian",
            "secretlint",
            "whispers",
            "gitlabsecretdetection",
            "githubsecretscanning",
        ],
    ),
    (
        "dependency",
        &[
            "anchoregrype",
            "grype",
            "osvscanner",
            "govulncheck",
            "pipaudit",
            "npmaudit",
            "yarnaudit",
            "pnpmaudit",
            "cargoaudit",
            "cargodeny",
            "dependencycheck",
            "owaspdependencycheck",
            "dependencytrack",
            "composeraudit",
            "auditjs",
            "nancy",
            "retirejs",
        ],
    ),
    (
        "container",
        &[
            "hadolint",
            "dockle",
            "dockerbench",
            "clair",
            "anchoreengine",
        ],
    ),
    (
        "configuration",
        &[
            "checkov",
            "kics",
            "tfsec",
            "terrascan",
            "kubelinter",
            "kubescape",
            "kubebench",
            "kubehunter",
            "cfnlint",
            "conftest",
            "prowler",
            "popeye",
            "zizmor",
            "actionlint",
            "cloudsploit",
            "kubescore",
            "polaris",
            "scorecard",
            "scoutsuite",
            "tflint",
            "inspec",
            "scc",
            "stigviewer",
            "defenderforcloud",
        ],
    ),
    (
        "code",
        &[
            "gosec",
            "bandit",
            "brakeman",
            "njsscan",
            "codeql",
            "semgrep",
            "semgreposs",
            "snykcode",
            "spotbugs",
            "cppcheck",
            "golangcilint",
            "mypy",
            "pmd",
            "staticcheck",
            "checkmarxsast",
            "veracodepipelinescan",
            "fortify",
        ],
    ),
    (
        "web",
        &[
            "zap",
            "burp",
            "nikto",
            "nuclei",
            "testssl",
            "stackhawk",
            "qualyswas",
        ],
    ),
    (
        "style",
        &[
            "ruff",
            "eslint",
            "checkstyle",
            "yamllint",
            "sqlfluff",
            "shellcheck",
            "stylelint",
        ],
    ),
];

/// What a tool looks for, if it looks for one kind of problem only.
pub fn category_of_tool(tool: &str) -> Option<&'static str> {
    let name = letters(tool);
    TOOLS
        .iter()
        .find(|(_, tools)| tools.contains(&name.as_str()))
        .map(|(category, _)| *category)
}

/// Words of items that speak of a category.
const WORDS: &[(&str, &[&str])] = &[
    (
        "secret",
        &[
            "secret",
            "secrets",
            "credential",
            "credentials",
            "password",
            "passwords",
            "token",
            "tokens",
            "hardcoded",
            "keys",
            "leak",
            "leaks",
            "env",
        ],
    ),
    (
        "dependency",
        &[
            "dependency",
            "dependencies",
            "vulnerability",
            "vulnerabilities",
            "vulnerable",
            "sbom",
            "package",
            "packages",
            "library",
            "libraries",
            "cve",
            "cves",
            "pinned",
            "supply",
            "lockfile",
        ],
    ),
    (
        "container",
        &[
            "container",
            "containers",
            "docker",
            "dockerfile",
            "image",
            "images",
            "compose",
            "oci",
        ],
    ),
    (
        "configuration",
        &[
            "configuration",
            "configurations",
            "config",
            "configs",
            "infrastructure",
            "kubernetes",
            "terraform",
            "helm",
            "manifest",
            "manifests",
            "hardening",
            "misconfiguration",
            "yaml",
        ],
    ),
    (
        "code",
        &[
            "code",
            "walkthrough",
            "race",
            "injection",
            "sast",
            "static",
            "unhandled",
            "bugs",
            "defects",
        ],
    ),
    (
        "web",
        &[
            "web",
            "http",
            "https",
            "tls",
            "headers",
            "endpoint",
            "endpoints",
            "exposure",
            "penetration",
            "pentest",
            "dast",
            "xss",
            "network",
        ],
    ),
    (
        "licence",
        &[
            "licence",
            "licences",
            "license",
            "licenses",
            "licensing",
            "legal",
            "copyright",
        ],
    ),
    (
        "style",
        &[
            "style",
            "lint",
            "linting",
            "linter",
            "formatting",
            "conventions",
            "maintainability",
        ],
    ),
    (
        "documentation",
        &[
            "documentation",
            "docs",
            "document",
            "guide",
            "runbook",
            "readme",
        ],
    ),
    (
        "operations",
        &[
            "operations",
            "runbook",
            "deployment",
            "rollback",
            "recovery",
            "alerting",
        ],
    ),
];

/// An item as a suggestion looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemWords<'a> {
    pub key: &'a str,
    pub title: &'a str,
    pub body: &'a str,
    /// `scan=gitleaks` in the document.
    pub scan_hint: Option<&'a str>,
}

/// A rule that suggests itself: the item's place in the list, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    pub item: usize,
    /// As a clause: "the document says scan=gitleaks for it".
    pub why: String,
}

/// The item that findings of this tool and category most likely belong to. A hint in the document counts most; then words
/// of the title, then words of the requirement. One word of a requirement alone suggests nothing.
pub fn suggest(tool: &str, category: &str, items: &[ItemWords<'_>]) -> Option<Suggestion> {
    let tool_letters = letters(tool);
    let hinted = items.iter().position(|item| {
        item.scan_hint.is_some_and(|hint| {
            let hint_letters = letters(hint);
            !hint_letters.is_empty()
                && (tool_letters.starts_with(&hint_letters) || hint_letters == letters(category))
        })
    });
    if let Some(item) = hinted {
        let hint = items[item].scan_hint.unwrap_or_default();
        return Some(Suggestion {
            item,
            why: format!("the document says scan={hint} for it"),
        });
    }
    // Many tools call all they find "code"; what the tool is known for says more.
    let category = match category_of_tool(tool) {
        Some(known) if category == "code" => known,
        _ => category,
    };
    let (_, words) = WORDS.iter().find(|(of, _)| *of == category)?;
    let mut best: Option<(usize, usize, Vec<&str>)> = None;
    for (at, item) in items.iter().enumerate() {
        let title = words_of(item.title);
        let body = words_of(item.body);
        let said: Vec<&str> = words
            .iter()
            .filter(|word| title.iter().chain(&body).any(|other| other == *word))
            .copied()
            .collect();
        let in_title = words
            .iter()
            .filter(|word| title.iter().any(|other| other == *word))
            .count();
        let score = 3 * in_title + (said.len() - in_title);
        if score >= 2 && best.as_ref().is_none_or(|(of, ..)| score > *of) {
            best = Some((score, at, said));
        }
    }
    best.map(|(_, item, said)| Suggestion {
        item,
        why: format!("it speaks of {}", said.join(", ")),
    })
}

fn letters(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn words_of(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &[ItemWords<'static>] = &[
        item(
            "2.1.1",
            "Config Audit",
            "Ensure no hardcoded secrets and reasonable default timeouts.",
        ),
        item(
            "2.1.2",
            "Dependency Check",
            "Audit go.mod and requirements.txt for pinned, secure versions.",
        ),
        item(
            "2.1.3",
            "Docker Compose",
            "Verify docker-compose.yml resource limits.",
        ),
        item(
            "2.4.1",
            "Secret Hygiene",
            "Scan for any accidental commits of .env files or hardcoded keys.",
        ),
        item(
            "2.5.1",
            "Critical Path Review",
            "Re-read OrderExecutor code for potential race conditions.",
        ),
    ];

    const fn item(
        key: &'static str,
        title: &'static str,
        body: &'static str,
    ) -> ItemWords<'static> {
        ItemWords {
            key,
            title,
            body,
            scan_hint: None,
        }
    }

    fn suggested(tool: &str, category: &str, items: &[ItemWords<'_>]) -> Option<String> {
        suggest(tool, category, items).map(|found| items[found.item].key.to_owned())
    }

    #[test]
    fn a_tool_suggests_the_item_that_speaks_of_what_it_looks_for() {
        let cases = [
            ("gitleaks", "secret", Some("2.4.1")),
            ("Trivy", "secret", Some("2.4.1")),
            ("pip-audit", "dependency", Some("2.1.2")),
            ("Hadolint", "code", Some("2.1.3")),
            ("Semgrep OSS", "code", Some("2.5.1")),
            ("zizmor", "code", Some("2.1.1")),
            ("ScanCode", "licence", None),
        ];
        for (tool, category, expected) in cases {
            assert_eq!(
                suggested(tool, category, SEED).as_deref(),
                expected,
                "{tool}"
            );
        }
    }

    #[test]
    fn a_hint_in_the_document_counts_more_than_any_word() {
        let mut items = SEED.to_vec();
        items[4].scan_hint = Some("gitleaks");
        assert_eq!(
            suggested("Gitleaks", "secret", &items).as_deref(),
            Some("2.5.1")
        );
        let found = suggest("gitleaks", "secret", &items).expect("suggests");
        assert_eq!(found.why, "the document says scan=gitleaks for it");
        items[4].scan_hint = Some("-");
        assert_eq!(
            suggested("gitleaks", "secret", &items).as_deref(),
            Some("2.4.1")
        );
    }

    #[test]
    fn a_rule_takes_what_fits_all_it_asks() {
        let rule = Conditions {
            tool: NamePattern::parse("trivy").expect("a pattern"),
            category: "configuration".to_owned(),
            rule: NamePattern::parse("DS-*").expect("a pattern"),
            path: PathPattern::parse("deploy/").expect("a pattern"),
            severities: vec![Severity::High],
        };
        let fits = Subject {
            tool: "Trivy",
            category: "configuration",
            rule: Some("DS-0002"),
            path: Some("deploy/Dockerfile"),
            severity: Severity::High,
        };
        assert!(rule.matches(&fits));
        for other in [
            Subject {
                tool: "kics",
                ..fits
            },
            Subject {
                category: "secret",
                ..fits
            },
            Subject { rule: None, ..fits },
            Subject {
                path: Some("src/Dockerfile"),
                ..fits
            },
            Subject {
                severity: Severity::Low,
                ..fits
            },
        ] {
            assert!(!rule.matches(&other), "{other:?}");
        }
        assert!(Conditions::default().is_empty());
    }

    #[test]
    fn a_clean_scan_speaks_only_for_items_of_rules_that_name_what_it_looked_for() {
        let of = |tool: &str, category: &str, path: &str| Conditions {
            tool: NamePattern::parse(tool).expect("a pattern"),
            category: category.to_owned(),
            path: PathPattern::parse(path).expect("a pattern"),
            ..Conditions::default()
        };
        for (rule, tool, expected) in [
            (of("gitleaks", "", ""), "Gitleaks", true),
            (of("gitleaks", "", "src/"), "gitleaks", true),
            (of("", "secret", ""), "gitleaks", true),
            (of("trivy", "secret", ""), "Trivy", true),
            (of("", "secret", ""), "Trivy", false),
            (of("", "dependency", ""), "gitleaks", false),
            (of("gitleaks", "dependency", ""), "gitleaks", false),
            (of("", "", "src/"), "gitleaks", false),
            (of("grype", "", ""), "gitleaks", false),
        ] {
            assert_eq!(rule.covers_clean_scan(tool), expected, "{rule:?} {tool}");
        }
    }
}
