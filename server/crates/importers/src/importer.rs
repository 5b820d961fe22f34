//! What a format has to offer to be read: the [`Importer`] trait, and the registry of all of them.

use std::io::BufRead;

use crate::json::Loose;
use crate::{Body, Finding, ImportError, Input, Summary, formats, json};

/// Every format that Holdpoint reads. A new format is one file beside the others, one test file and one line here.
pub const IMPORTERS: &[&dyn Importer] = &[
    &formats::sarif::Sarif,
    &formats::gitleaks::GITLEAKS,
    &formats::trufflehog::TRUFFLEHOG,
    &formats::detect_secrets::DETECT_SECRETS,
    &formats::betterleaks::BETTERLEAKS,
    &formats::kingfisher::KINGFISHER,
    &formats::trivy::TRIVY,
    &formats::anchore_grype::ANCHORE_GRYPE,
    &formats::osv_scanner::OSV_SCANNER,
    &formats::govulncheck::GOVULNCHECK,
    &formats::pip_audit::PIP_AUDIT,
    &formats::advisories::NPM_AUDIT,
    &formats::npm_audit_7_plus::NPM_AUDIT_7_PLUS,
    &formats::advisories::YARN_AUDIT,
    &formats::advisories::PNPM_AUDIT,
    &formats::cargo_audit::CARGO_AUDIT,
    &formats::gosec::GOSEC,
    &formats::semgrep::SEMGREP,
    &formats::semgrep::SEMGREP_PRO,
    &formats::bandit::BANDIT,
    &formats::bandit::BANDIT_CSV,
    &formats::ruff::RUFF,
    &formats::checkov::CHECKOV,
    &formats::kics::KICS,
    &formats::lint::HADOLINT,
    &formats::lint::SHELLCHECK,
    &formats::lint::WHISPERS,
    &formats::lint::GITHUB_ANNOTATIONS,
    &formats::lint::GITLAB_CODE_QUALITY,
    &formats::lint::DODGY,
    &formats::dockle::DOCKLE,
    &formats::zizmor::ZIZMOR,
    &formats::yamllint::YAMLLINT,
    &formats::cyclonedx::CYCLONEDX,
    &formats::inventories::SPDX,
    &formats::inventories::SYFT,
    &formats::vex::OPENVEX,
    &formats::vex::CSAF,
    &formats::dependency_check::DEPENDENCY_CHECK,
    &formats::snyk::SNYK,
    &formats::snyk::SNYK_CODE,
    &formats::sonarqube::SONARQUBE,
    &formats::gitlab::GITLAB_SAST,
    &formats::gitlab::GITLAB_DEP_SCAN,
    &formats::gitlab::GITLAB_CONTAINER_SCAN,
    &formats::gitlab::GITLAB_DAST,
    &formats::gitlab::GITLAB_SECRET_DETECTION_REPORT,
    &formats::github::GITHUB_SAST,
    &formats::github::GITHUB_SECRETS,
    &formats::github::GITHUB_VULNERABILITY,
    &formats::kubernetes::KUBELINTER,
    &formats::kubernetes::KUBESCAPE,
    &formats::kubernetes::KUBEBENCH,
    &formats::kubernetes::DOCKERBENCH,
    &formats::by_file::SECRETLINT,
    &formats::by_file::ESLINT,
    &formats::by_file::SQLFLUFF,
    &formats::by_file::CHECKSTYLE,
    &formats::by_file::JUNIT,
    &formats::flat::ANCHORE_ENGINE,
    &formats::flat::AQUA,
    &formats::flat::AUDITJS,
    &formats::flat::NANCY,
    &formats::flat::CLAIR,
    &formats::flat::COMPOSER_AUDIT,
    &formats::flat::DEPENDENCY_TRACK,
    &formats::flat::HARBOR_VULNERABILITY,
    &formats::flat::JFROG_XRAY_UNIFIED,
    &formats::flat::RETIREJS,
    &formats::flat_checks::BEARER_CLI,
    &formats::flat_checks::BRAKEMAN,
    &formats::flat_checks::HORUSEC,
    &formats::flat_checks::TERRASCAN,
    &formats::flat_checks::TFSEC,
    &formats::flat_checks::CFN_LINT,
    &formats::flat_checks::KUBEHUNTER,
    &formats::flat_checks::TRUFFLEHOG3,
    &formats::flat_checks::GGSHIELD,
    &formats::flat_checks::STACKHAWK,
    &formats::conftest::CONFTEST,
    &formats::njsscan::NJSSCAN,
    &formats::noseyparker::NOSEYPARKER,
    &formats::nuclei::NUCLEI,
    &formats::prowler::PROWLER,
    &formats::cloud::POPEYE,
    &formats::cloud::LEGITIFY,
    &formats::cloud::TRIVY_OPERATOR,
    &formats::zap::ZAP,
    &formats::web::BURP,
    &formats::web::NMAP,
    &formats::web::NIKTO,
    &formats::testssl::TESTSSL,
    &formats::asff::ASFF,
    &formats::aws_inspector2::AWS_INSPECTOR2,
    &formats::nessus::NESSUS,
    &formats::openvas::OPENVAS,
    &formats::xccdf::XCCDF,
    &formats::inspec::INSPEC,
    &formats::stig::STIG,
    &formats::checkmarx::CHECKMARX,
    &formats::checkmarx_one::CHECKMARX_ONE,
    &formats::veracode::VERACODE,
    &formats::veracode_pipeline::VERACODE_PIPELINE,
    &formats::fortify::FORTIFY,
    &formats::google_scc::GOOGLE_SCC,
    &formats::azure_defender::AZURE_DEFENDER,
    &formats::wiz::WIZ,
    &formats::qualys::QUALYS,
    &formats::qualys_was::QUALYS_WAS,
    &formats::spdx3::SPDX3,
    &formats::sslyze::SSLYZE,
    &formats::web::SPOTBUGS,
    &formats::golangci_lint::GOLANGCI_LINT,
    &formats::scorecard::SCORECARD,
    &formats::actionlint::ACTIONLINT,
    &formats::cargo_deny::CARGO_DENY,
    &formats::kube_score::KUBE_SCORE,
    &formats::polaris::POLARIS,
    &formats::stylelint::STYLELINT,
    &formats::pmd::PMD,
    &formats::tflint::TFLINT,
    &formats::pylint::PYLINT,
    &formats::mypy::MYPY,
    &formats::staticcheck::STATICCHECK,
    &formats::cppcheck::CPPCHECK,
    &formats::scoutsuite::SCOUTSUITE,
    &formats::cloudsploit::CLOUDSPLOIT,
    &formats::generic::GENERIC,
];

/// How sure an importer is that a file is its own, judged from the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    No,
    /// The content could be of this format, and of others too; the file's name breaks the tie.
    Possible,
    Likely,
    /// The content names the format.
    Certain,
}

/// What an importer sees of a file when it is asked whether it knows it.
#[derive(Clone, Debug)]
pub struct Sniff<'a> {
    /// The content: the whole of it, or the first mebibyte of one that is read piece by piece.
    pub text: &'a str,
    /// The beginning, at most 64 KiB.
    pub head: &'a str,
    /// Without folders, in lower case; empty if unknown.
    pub file_name: String,
    /// What it looks like.
    pub shape: Shape,
}

impl<'a> Sniff<'a> {
    /// How much of a file's beginning is looked at.
    pub const HEAD_BYTES: usize = 64 * 1024;

    /// `file_name` may have folders; only its last part counts.
    pub fn of(text: &'a str, file_name: Option<&str>) -> Self {
        Self::of_body(Body::Whole(text), file_name)
    }

    /// As [`Self::of`].
    pub(crate) fn of_body(body: Body<'a>, file_name: Option<&str>) -> Self {
        let text = body.beginning();
        let mut end = text.len().min(Self::HEAD_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let head = &text[..end];
        let file_name = file_name.unwrap_or("");
        let file_name = file_name
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or("")
            .to_lowercase();
        let packed = file_name
            .strip_suffix(".gz")
            .or_else(|| file_name.strip_suffix(".zip"));
        let file_name = packed.map_or(file_name.clone(), str::to_owned);
        Self {
            text,
            head,
            file_name,
            shape: body.shape(),
        }
    }

    /// Whether this is a JSON object with this key at its top.
    pub fn has_key(&self, key: &str) -> bool {
        matches!(&self.shape, Shape::Object { keys } if keys.iter().any(|k| k == key))
    }

    /// A file that is called after the format (`npm-audit.json`) speaks for it too: by whole words of its name, so that
    /// `trufflehog.json` is none of ruff.
    pub(crate) fn has_file_name_of(&self, importer: &dyn Importer) -> bool {
        let ends = importer.file_names();
        if ends.iter().any(|end| self.file_name.ends_with(end)) {
            return true;
        }
        let wanted = importer.name().replace('_', "");
        let words = self.file_name.split(|c: char| !c.is_ascii_alphanumeric());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        (0..words.len()).any(|from| {
            let mut rest = wanted.as_str();
            for word in &words[from..] {
                match rest.strip_prefix(word) {
                    Some("") => return true,
                    Some(after) => rest = after,
                    None => return false,
                }
            }
            false
        })
    }

    /// Whether nothing in it is of a tool: empty lists and objects below keys that many tools use. It is what a broken pipe of
    /// commands leaves too, so only a name says what it is.
    fn is_bare(&self) -> bool {
        const MOST_BYTES: usize = 256;
        let text = self.text.trim();
        text.len() <= MOST_BYTES
            && serde_json::from_str::<Loose<'_>>(text).is_ok_and(|value| is_bare(&value))
    }
}

/// Keys that say nothing of their tool.
const KEYS_OF_MANY: [&str; 16] = [
    "advisories",
    "alerts",
    "comments",
    "data",
    "errors",
    "findings",
    "issues",
    "items",
    "matches",
    "nodes",
    "reports",
    "results",
    "runs",
    "violations",
    "vulnerabilities",
    "warnings",
];

fn is_bare(value: &Loose<'_>) -> bool {
    match value {
        Loose::Null => true,
        Loose::List(list) => list.iter().all(is_bare),
        Loose::Object(entries) => entries
            .iter()
            .all(|(key, value)| KEYS_OF_MANY.contains(&&**key) && is_bare(value)),
        Loose::Text(_) | Loose::Number(_) | Loose::Bool(_) => false,
    }
}

/// The outer form of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A JSON object, with the keys at its top: also those behind long lists.
    Object {
        keys: Vec<String>,
    },
    /// A JSON list, with the keys of its first element if that is an object.
    List {
        keys: Vec<String>,
    },
    /// XML or HTML, with the name of its first element.
    Markup {
        root: String,
    },
    Other,
}

impl Shape {
    pub fn of(text: &str) -> Self {
        // What is in memory can be read.
        Self::read(text, &mut text.as_bytes()).unwrap_or(Self::Other)
    }

    /// As [`Self::of`], of a text that begins so.
    pub(crate) fn read(beginning: &str, text: &mut dyn BufRead) -> Result<Self, ImportError> {
        let start = beginning.trim_start();
        Ok(match start.as_bytes().first() {
            Some(b'{') => Self::Object {
                keys: json::keys_at_top(text, 0)?,
            },
            // Pages of lists that were put into one (`gh api --slurp`) are as one list.
            Some(b'[') => Self::List {
                keys: json::keys_at_top(text, 1 + usize::from(has_lists(start)))?,
            },
            Some(b'<') => Self::Markup {
                root: first_element(start),
            },
            _ => Self::Other,
        })
    }
}

/// Whether the first element of a list is a list.
pub(crate) fn has_lists(text: &str) -> bool {
    let inner = text.trim_start().strip_prefix('[').map(str::trim_start);
    inner.is_some_and(|inner| inner.starts_with('['))
}

/// The name of the first element, past declarations and comments; empty if there is none.
fn first_element(text: &str) -> String {
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end..]);
        } else if !rest.starts_with(['?', '!']) {
            let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.');
            return rest.chars().take_while(|c| is_name(*c)).collect();
        }
    }
    String::new()
}

/// Where findings go while a file is being read.
pub type Sink<'a> = &'a mut dyn FnMut(Finding);

/// One scanner format.
pub trait Importer: Sync {
    /// The stable name of the format, as in `--format`.
    fn name(&self) -> &'static str;

    /// What people call it.
    fn title(&self) -> &'static str;

    /// Ends of file names that speak for this format when the content alone does not decide.
    fn file_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// Keys at the top of its files, or of the elements of a list, for a person whose file was not recognised.
    fn keys(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Whether this content is of this format.
    fn detect(&self, sniff: &Sniff<'_>) -> Confidence;

    /// Reads a file and hands each finding to the sink as soon as it is complete. After an error nothing that the sink
    /// got may be kept.
    fn read(&self, body: Body<'_>, sink: Sink<'_>) -> Result<Summary, ImportError>;

    /// For formats that are read piece by piece, so that memory does not grow with the file.
    fn streaming(&self) -> Option<&dyn StreamingImporter> {
        None
    }
}

/// A format that needs no file in one piece.
pub trait StreamingImporter: Sync {
    /// As [`Importer::read`]; the input may be gone through several times.
    fn read_input(&self, input: &Input<'_>, sink: Sink<'_>) -> Result<Summary, ImportError>;
}

/// The importer with this name.
pub fn importer(name: &str) -> Result<&'static dyn Importer, ImportError> {
    let found = IMPORTERS.iter().find(|importer| importer.name() == name);
    found.copied().ok_or_else(|| ImportError::NoSuchFormat {
        name: name.to_owned(),
        known: listed(|importer| importer.name()),
    })
}

/// The importer that reads piece by piece and knows the content from its beginning alone.
pub(crate) fn streaming_and_certain(
    beginning: &str,
    file_name: Option<&str>,
) -> Option<&'static dyn Importer> {
    let sniff = Sniff::of(beginning, file_name);
    IMPORTERS
        .iter()
        .find(|importer| {
            importer.streaming().is_some() && importer.detect(&sniff) == Confidence::Certain
        })
        .copied()
}

/// The importer that is most sure of this content; a file name decides only between equally sure ones. Of a document that
/// could be of any tool nothing but its name does.
pub(crate) fn most_certain(sniff: &Sniff<'_>) -> Result<&'static dyn Importer, ImportError> {
    let is_bare = sniff.is_bare();
    let judged = IMPORTERS.iter().map(|importer| {
        let confidence = importer.detect(sniff);
        let confidence = if is_bare {
            confidence.min(Confidence::Possible)
        } else {
            confidence
        };
        (confidence, sniff.has_file_name_of(*importer), *importer)
    });
    let judged: Vec<_> = judged
        .filter(|(confidence, ..)| *confidence > Confidence::No)
        .collect();
    let best = judged
        .iter()
        .map(|(confidence, is_named, _)| (*confidence, *is_named))
        .max();
    let equal = judged
        .iter()
        .filter(|(confidence, is_named, _)| best == Some((*confidence, *is_named)));
    let equal: Vec<&'static dyn Importer> = equal.map(|(.., importer)| *importer).collect();
    let needs_name = is_bare && best.is_some_and(|(_, is_named)| !is_named);
    match equal.as_slice() {
        [importer] if !needs_name => Ok(*importer),
        // Many tools write `[]` when they have found nothing; guessing would put it into the wrong series.
        [_, ..] => Err(ImportError::Ambiguous {
            formats: equal
                .iter()
                .map(|importer| importer.name())
                .collect::<Vec<_>>()
                .join(", "),
        }),
        _ if sniff.text.trim().is_empty() => Err(ImportError::Empty),
        _ if is_web_page(sniff) => Err(ImportError::NotAReport {
            begins: crate::text::title(&sniff.head.chars().take(60).collect::<String>()),
        }),
        _ => Err(ImportError::UnknownFormat {
            nearest: nearest(sniff),
        }),
    }
}

/// The three formats that a file is most like, with what they have and what is missing for them.
fn nearest(sniff: &Sniff<'_>) -> String {
    const MOST: usize = 3;
    let keys: &[String] = match &sniff.shape {
        Shape::Object { keys } | Shape::List { keys } => keys,
        Shape::Markup { .. } | Shape::Other => &[],
    };
    let scored = IMPORTERS.iter().filter_map(|importer| {
        let (has, needs): (Vec<_>, Vec<_>) = importer
            .keys()
            .into_iter()
            .partition(|key| keys.iter().any(|own| own == key));
        let is_named = sniff.has_file_name_of(*importer);
        let score = 3 * usize::from(is_named) + has.len();
        (score > 0).then_some((std::cmp::Reverse(score), needs.len(), *importer, has, needs))
    });
    let mut scored: Vec<_> = scored.collect();
    scored.sort_by_key(|(score, n_missing, ..)| (*score, *n_missing));
    let told = scored
        .into_iter()
        .take(MOST)
        .map(|(_, _, importer, has, needs)| {
            let has = if has.is_empty() {
                "its name is like it".to_owned()
            } else {
                format!("it has {}", has.join(", "))
            };
            let needs = if needs.is_empty() {
                "nothing that only this tool writes is there".to_owned()
            } else {
                format!("{} is missing", needs.join(", "))
            };
            format!("{} ({}: {has}; {needs})", importer.title(), importer.name())
        });
    told.collect::<Vec<_>>().join(", ")
}

fn listed(word: fn(&dyn Importer) -> &'static str) -> String {
    let words: Vec<&str> = IMPORTERS.iter().map(|importer| word(*importer)).collect();
    words.join(", ")
}

fn is_web_page(sniff: &Sniff<'_>) -> bool {
    let start: String = sniff.head.trim_start().chars().take(512).collect();
    let start = start.to_ascii_lowercase();
    start.starts_with('<')
        && (start.contains("<!doctype html") || start.contains("<html") || start.contains("<body"))
}
