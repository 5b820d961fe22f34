//! Formats that are lists of findings with names of their own for the same things: one reader, a table for each.
//!
//! What these tools say that they could not look at (errors of Retire.js, packages that Nancy does not know, repositories that
//! Composer did not reach) makes the scan incomplete. Those that check code and configuration are in [`super::flat_checks`].
//!
//! | format | findings | severity |
//! |---|---|---|
//! | Anchore Engine | `vulnerabilities` | its word |
//! | Aqua | `cves`, `result`, `vulnerabilities` of each resource | Aqua's word |
//! | AuditJS, Nancy | `vulnerabilities` of each package | CVSS score |
//! | Clair, clair-klar | `vulnerabilities`, or the lists below `Vulnerabilities` | its word, Defcon1 critical |
//! | composer audit | the lists below `advisories`; `ignored-advisories` suppressed | its word |
//! | Dependency-Track | `findings`; suppressed and analysed ones with that status | its word; UNASSIGNED the best score, else unrated |
//! | Harbor | `vulnerabilities` | its word |
//! | JFrog Xray (unified) | `rows` | its word |
//! | Retire.js | `vulnerabilities` of each component in each file | its word |

use std::collections::HashSet;

use holdpoint_domain::Severity;

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, is_only, list_with, object_with};
use super::tree::{Pattern, pointer_step};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus};

/// Where a format keeps what. Each thing has several names, of which the first that has a text counts; a name that begins
/// with `^` is one of the element around, `^^` of the one around that.
pub(super) struct Table {
    pub(super) patterns: &'static [Pattern],
    /// See [`Format`].
    pub(super) lists: &'static [&'static str],
    /// Lists within an element, one within another; an element without them is itself a finding if `is_flat_too`.
    pub(super) inner: &'static [&'static str],
    pub(super) is_flat_too: bool,
    pub(super) id: &'static [&'static str],
    /// Further ids, at any depth.
    pub(super) ids: &'static [&'static str],
    pub(super) words: &'static [&'static str],
    /// What the rule is called.
    pub(super) name: &'static [&'static str],
    pub(super) severity: &'static [&'static str],
    /// Of a tool that rates nothing, by words or scores.
    pub(super) otherwise: Severity,
    pub(super) score: &'static [&'static str],
    pub(super) description: &'static [&'static str],
    pub(super) remediation: &'static [&'static str],
    pub(super) link: &'static [&'static str],
    pub(super) cwe: &'static [&'static str],
    pub(super) component: &'static [&'static str],
    pub(super) version: &'static [&'static str],
    pub(super) purl: &'static [&'static str],
    /// The group of the component.
    pub(super) group: &'static str,
    /// The package URL, where it tells components of one name apart and does not name them.
    pub(super) kind: &'static [&'static str],
    pub(super) fixed: &'static [&'static str],
    pub(super) path: &'static [&'static str],
    pub(super) lines: [&'static [&'static str]; 2],
    pub(super) scope: &'static [&'static str],
    pub(super) snippet: &'static [&'static str],
    pub(super) secret: &'static [&'static str],
    /// The number of elements on all pages of an answer.
    pub(super) total: &'static str,
    /// Lists and texts that say what the tool could not look at.
    pub(super) failures: &'static [&'static str],
    /// What tells an element apart, where a file may hold the same element more than once; it is read once then.
    pub(super) once: &'static [&'static str],
    /// The parts of the name of what it is in, where that is the component though it has no version.
    pub(super) resource: &'static [&'static str],
    /// Groups that the rule belongs to.
    pub(super) tags: &'static [&'static str],
    pub(super) status: fn(&Loose<'_>, &str) -> Option<ScannerStatus>,
    /// Where the state of an element stands, and the words that are known.
    pub(super) state: (&'static str, &'static [&'static str]),
    /// How much of what the tool counts an element is.
    pub(super) counted: fn(&Loose<'_>, &str) -> usize,
    /// What an element says of itself.
    pub(super) look: fn(&mut Reading<'_>, &Loose<'_>, &str),
    /// What the file says of itself as a whole; gets the number of elements too.
    pub(super) whole: fn(&mut Reading<'_>, &Loose<'_>, usize) -> Result<(), ImportError>,
    pub(super) category: Category,
}

pub(super) const EMPTY: Table = Table {
    patterns: &[],
    lists: &[],
    inner: &[],
    is_flat_too: false,
    id: &[],
    ids: &[],
    words: &[],
    name: &[],
    severity: &["severity"],
    otherwise: Severity::Medium,
    score: &[],
    description: &["description"],
    remediation: &[],
    link: &[],
    cwe: &[],
    component: &[],
    version: &[],
    purl: &[],
    group: "",
    kind: &[],
    fixed: &[],
    path: &[],
    lines: [&[], &[]],
    scope: &[],
    snippet: &[],
    secret: &[],
    total: "",
    failures: &[],
    once: &[],
    resource: &[],
    tags: &[],
    status: |_, _| Some(ScannerStatus::Open),
    state: ("", &[]),
    counted: |_, _| 1,
    look: |_, _, _| {},
    whole: |_, _, _| Ok(()),
    category: Category::Dependency,
};

/// A format that is read by one table.
macro_rules! by_table {
    ($name:literal, $title:literal, $tool:literal, $detect:expr, $table:expr $(,)?) => {
        Format {
            name: $name,
            title: $title,
            tool: $tool,
            detect: $detect,
            lists: $table.lists,
            read: |reading, text| super::flat::read(reading, text, &$table),
        }
    };
}

pub(super) use by_table;

pub(super) fn open_unless(is_suppressed: bool) -> ScannerStatus {
    if is_suppressed {
        ScannerStatus::Suppressed
    } else {
        ScannerStatus::Open
    }
}

pub const ANCHORE_ENGINE: Format = by_table!(
    "anchore_engine",
    "Anchore Engine JSON",
    "anchore-engine",
    |sniff| {
        let is_engine = object_with(sniff, &["imageDigest", "vulnerabilities"]);
        // Enterprise.
        certain_if(is_engine || object_with(sniff, &["image_digest", "vulnerabilities"]))
    },
    Table {
        patterns: &[&["vulnerabilities", "*"]],
        lists: &["vulnerabilities"],
        score: &[
            "nvd_data/0/cvss_v3/base_score",
            "vendor_data/0/cvss_v3/base_score",
        ],
        id: &["vuln"],
        link: &["url"],
        component: &["package_name", "package"],
        version: &["package_version"],
        fixed: &["fix"],
        path: &["package_path"],
        ..EMPTY
    },
);

pub const AQUA: Format = by_table!(
    "aqua",
    "Aqua JSON",
    "aqua",
    |sniff| {
        if is_only(sniff, "{}") {
            return Confidence::Possible;
        }
        let is_api =
            object_with(sniff, &["count", "result"]) || object_with(sniff, &["image_name", "cves"]);
        let is_list = list_with(sniff, &["image_name", "results"])
            || object_with(sniff, &["image", "resources"]);
        certain_if(is_api || is_list)
    },
    Table {
        patterns: &[
            &["cves", "*"],
            &["result", "*"],
            &["resources", "*"],
            &["*", "results", "resources", "*"],
        ],
        lists: &[
            "cves?",
            "result?",
            "resources?",
            "resources?/*/vulnerabilities",
            "#/results/resources",
            "#/results/resources/*/vulnerabilities",
        ],
        whole: |reading, rest, n_elements| {
            aqua_lists(reading, rest, n_elements);
            Ok(())
        },
        inner: &["vulnerabilities"],
        is_flat_too: true,
        id: &["name"],
        severity: &[
            "aqua_severity",
            "severity",
            "nvd_severity_v3",
            "nvd_severity",
        ],
        score: &["aqua_score", "score", "nvd_score_v3"],
        remediation: &["solution"],
        total: "count",
        failures: &["errorMsg"],
        link: &["nvd_url", "url"],
        cwe: &["cwe_info"],
        component: &["resource/name", "^resource/name", "file"],
        version: &["resource/version", "^resource/version"],
        fixed: &["fix_version"],
        path: &["resource/path", "^resource/path", "file"],
        ..EMPTY
    },
);

pub const AUDITJS: Format = by_table!(
    "auditjs",
    "AuditJS JSON",
    "auditjs",
    |sniff| certain_if(list_with(sniff, &["coordinates", "vulnerabilities"])),
    Table {
        patterns: &[&["*"]],
        lists: &["*/vulnerabilities"],
        inner: &["vulnerabilities"],
        whole: |reading, _, n_elements| {
            if n_elements == 0 {
                reading.nothing_looked_at("", "it lists no package");
            }
            Ok(())
        },
        id: &["cve", "id"],
        ids: &["title"],
        words: &["title"],
        severity: &[],
        score: &["cvssScore", "cvssVector"],
        link: &["reference"],
        purl: &["^coordinates"],
        ..EMPTY
    },
);

pub const NANCY: Format = by_table!(
    "nancy",
    "Nancy JSON",
    "nancy",
    |sniff| certain_if(object_with(sniff, &["audited"]) && sniff.text.contains("\"num_audited\"")),
    Table {
        patterns: &[&["vulnerable", "*"]],
        lists: &["vulnerable", "vulnerable/*/Vulnerabilities", "audited"],
        inner: &["Vulnerabilities"],
        status: |vulnerability, _| Some(open_unless(vulnerability.flag("Excluded"))),
        whole: |reading, rest, n_elements| {
            nancy_counts(reading, rest, n_elements);
            Ok(())
        },
        id: &["Cve", "Id"],
        ids: &["Title"],
        words: &["Title"],
        severity: &[],
        score: &["CvssScore", "CvssVector"],
        description: &["Description"],
        link: &["Reference"],
        purl: &["^Coordinates"],
        failures: &["invalid"],
        ..EMPTY
    },
);

pub const CLAIR: Format = by_table!(
    "clair",
    "Clair or clair-klar JSON",
    "clair",
    |sniff| {
        let is_klar = object_with(sniff, &["LayerCount", "Vulnerabilities"]);
        certain_if(object_with(sniff, &["image", "unapproved"]) || is_klar)
    },
    Table {
        patterns: &[&["vulnerabilities", "*"], &["Vulnerabilities", "*", "*"]],
        lists: &["Vulnerabilities?/*"],
        whole: clair_counts,
        id: &["vulnerability", "Name"],
        severity: &["severity", "Severity"],
        description: &["description", "Description"],
        link: &["link", "Link"],
        component: &["featurename", "FeatureName"],
        version: &["featureversion", "FeatureVersion"],
        fixed: &["fixedby", "FixedBy"],
        ..EMPTY
    },
);

pub const COMPOSER_AUDIT: Format = by_table!(
    "composer_audit",
    "composer audit JSON",
    "composer audit",
    |sniff| {
        let says = sniff.has_key("abandoned") || sniff.text.contains("\"advisoryId\"");
        certain_if(object_with(sniff, &["advisories"]) && says)
    },
    Table {
        patterns: &[&["advisories", "*", "*"], &["ignored-advisories", "*", "*"],],
        lists: &["advisories/*", "ignored-advisories?/*"],
        status: |_, pointer| Some(open_unless(pointer.starts_with("/ignored"))),
        id: &["cve", "advisoryId"],
        ids: &["sources", "link", "advisoryId"],
        failures: &["unreachable-repositories"],
        words: &["title"],
        link: &["link"],
        component: &["packageName"],
        ..EMPTY
    },
);

pub const DEPENDENCY_TRACK: Format = by_table!(
    "dependency_track",
    "Dependency-Track findings JSON",
    "Dependency-Track",
    |sniff| {
        certain_if(
            object_with(sniff, &["meta", "project"]) && sniff.text.contains("Dependency-Track"),
        )
    },
    Table {
        patterns: &[&["findings", "*"]],
        lists: &["findings"],
        whole: |reading, rest, _| {
            reading.tool("", &rest.text("meta/version"));
            reading.scanned_at(&rest.text("meta/timestamp"));
            reading.target(&rest.text("project/name"));
            Ok(())
        },
        id: &["vulnerability/vulnId"],
        ids: &["vulnerability/aliases"],
        words: &["vulnerability/title"],
        severity: &["vulnerability/severity"],
        score: &[
            "vulnerability/cvssV3BaseScore",
            "vulnerability/cvssV4Score",
            "vulnerability/cvssV3Vector",
            "vulnerability/cvssV4Vector",
            "vulnerability/cvssV2BaseScore",
        ],
        description: &["vulnerability/description"],
        remediation: &["vulnerability/recommendation"],
        cwe: &["vulnerability/cweId", "vulnerability/cwes"],
        group: "component/group",
        component: &["component/name"],
        version: &["component/version"],
        kind: &["component/purl"],
        state: (
            "analysis/state",
            &[
                "NOT_SET",
                "EXPLOITABLE",
                "IN_TRIAGE",
                "RESOLVED",
                "FALSE_POSITIVE",
                "NOT_AFFECTED",
            ],
        ),
        status: |finding, _| {
            Some(match &*finding.text("analysis/state") {
                "FALSE_POSITIVE" => ScannerStatus::Suppressed,
                "NOT_AFFECTED" => ScannerStatus::NotAffected,
                "RESOLVED" => ScannerStatus::Fixed,
                _ if finding.flag("analysis/isSuppressed") => ScannerStatus::Suppressed,
                "IN_TRIAGE" => ScannerStatus::Review,
                _ => ScannerStatus::Open,
            })
        },
        ..EMPTY
    },
);

pub const HARBOR_VULNERABILITY: Format = by_table!(
    "harbor_vulnerability",
    "Harbor vulnerability JSON",
    "harbor",
    |sniff| {
        // Version 1.0 of the adapters, and 1.1.
        let is_named = sniff
            .head
            .contains("application/vnd.scanner.adapter.vuln.report.harbor")
            || sniff
                .head
                .contains("application/vnd.security.vulnerability.report");
        certain_if(is_named || object_with(sniff, &["generated_at", "scanner", "vulnerabilities"]))
    },
    Table {
        patterns: &[&["*", "vulnerabilities", "*"], &["vulnerabilities", "*"]],
        whole: harbor_lists,
        id: &["id"],
        score: &["preferred_cvss/score_v3", "preferred_cvss/vector_v3"],
        link: &["links/0"],
        cwe: &["cwe_ids"],
        component: &["package"],
        version: &["version"],
        fixed: &["fix_version"],
        category: Category::Container,
        ..EMPTY
    },
);

pub const JFROG_XRAY_UNIFIED: Format = by_table!(
    "jfrog_xray_unified",
    "JFrog Xray unified JSON",
    "xray",
    |sniff| certain_if(object_with(sniff, &["total_rows", "rows"])),
    Table {
        patterns: &[&["rows", "*"]],
        lists: &["rows"],
        id: &["issue_id"],
        ids: &["cves"],
        words: &["summary"],
        score: &["cvss3_max_score"],
        link: &["references/0"],
        total: "total_rows",
        component: &["vulnerable_component"],
        fixed: &["fixed_versions"],
        path: &["path"],
        ..EMPTY
    },
);

pub const RETIREJS: Format = by_table!(
    "retirejs",
    "Retire.js JSON",
    "retire.js",
    |sniff| {
        certain_if(
            object_with(sniff, &["version", "data"])
                && (sniff.has_key("errors")
                    || sniff.text.len() < 200
                    || sniff.text.contains("\"results\"") && sniff.text.contains("\"component\"")),
        )
    },
    Table {
        patterns: &[&["data", "*"]],
        lists: &[
            "data",
            "data/*/results",
            "data/*/results/*/vulnerabilities?",
            "data/*/results/*/vulnerabilities?/*/identifiers/CVE?[]",
        ],
        failures: &["errors"],
        look: |reading, file, pointer| {
            for (at, result) in file.each("results").iter().enumerate() {
                reading.needs_any(&format!("{pointer}/results/{at}"), result, &["component"]);
            }
        },
        inner: &["results", "vulnerabilities"],
        id: &[
            "identifiers/CVE/0",
            "identifiers/summary",
            "identifiers/issue",
            "identifiers/bug",
        ],
        ids: &["identifiers/CVE", "identifiers/githubID"],
        words: &["identifiers/summary"],
        description: &["identifiers/summary"],
        link: &["info/0"],
        cwe: &["cwe"],
        component: &["^component"],
        version: &["^version"],
        fixed: &["below"],
        path: &["^^file"],
        ..EMPTY
    },
);

/// Whether Nancy has looked at anything, and whether it lists as vulnerable what it counts and what it has audited so.
fn nancy_counts(reading: &mut Reading<'_>, rest: &Loose<'_>, n_elements: usize) {
    reading.declared("/num_vulnerable", rest.number("num_vulnerable"), n_elements);
    let is_open = |found: &&Loose<'_>| !found.flag("Excluded");
    let audited = rest.each("audited").iter();
    let n_audited = audited
        .filter(|package| package.each("Vulnerabilities").iter().any(|v| is_open(&v)))
        .count();
    if n_audited > n_elements {
        let reason = format!(
            "{n_audited} of the audited packages have vulnerabilities, and {n_elements} are listed as vulnerable"
        );
        reading.incomplete("/audited", &reason);
    }
    if rest.number("num_audited") == Some(0.0) {
        reading.nothing_looked_at("/num_audited", "no package was audited");
    }
}

/// The lists of Clair's two tools, and what they count.
fn clair_counts(
    reading: &mut Reading<'_>,
    rest: &Loose<'_>,
    n_elements: usize,
) -> Result<(), ImportError> {
    if rest.has("LayerCount") {
        if rest.at("Vulnerabilities").is_null() {
            let reason = "its object /Vulnerabilities is missing or null";
            reading.incomplete("/Vulnerabilities", reason);
        } else {
            reading.needs_object(rest, "Vulnerabilities")?;
        }
        if rest.number("LayerCount") == Some(0.0) {
            reading.nothing_looked_at("/LayerCount", "the image has no layers");
        }
        return Ok(());
    }
    reading.image(&rest.text("image"));
    reading.needed_list("", rest, "vulnerabilities")?;
    let unapproved = rest.each("unapproved").len();
    if unapproved > n_elements {
        let reason = format!("{unapproved} are not approved, and {n_elements} are listed");
        reading.incomplete("/unapproved", &reason);
    }
    Ok(())
}

/// Harbor has a report for each kind of report, or one by itself. Its first versions wrote no list where they had found
/// nothing, whose severity is none then.
fn harbor_lists(
    reading: &mut Reading<'_>,
    rest: &Loose<'_>,
    n_elements: usize,
) -> Result<(), ImportError> {
    let one = [(String::new(), rest)];
    let is_one = rest.has("scanner") || rest.has("generated_at");
    let within = rest.own_entries().iter();
    let within = within
        .filter(|(key, _)| !is_one && key.starts_with("application/"))
        .map(|(key, report)| (format!("/{}", pointer_step(key)), report));
    let reports: Vec<_> = if is_one {
        one.into_iter().collect()
    } else {
        within.collect()
    };
    for (pointer, report) in reports {
        reading.needs_object(report, "")?;
        let worst = report.text("severity");
        let is_none = worst.is_empty() || worst.eq_ignore_ascii_case("none");
        if !report.at("vulnerabilities").is_null() {
            reading.needed_list(&pointer, report, "vulnerabilities")?;
        } else if !report.has("vulnerabilities") || worst.is_empty() {
            let reason = "its list of vulnerabilities is missing or null";
            reading.incomplete(format!("{pointer}/vulnerabilities"), reason);
        }
        if !is_none && n_elements == 0 {
            let reason = format!("the worst severity is {worst}, and nothing is listed");
            reading.incomplete(format!("{pointer}/severity"), &reason);
        }
        let scanner = report.at("scanner");
        reading.tool(&scanner.text("name"), &scanner.text("version"));
        reading.scanned_at(&report.text("generated_at"));
    }
    Ok(())
}

/// Whether one of the lists of Aqua's forms is there, and what they count.
fn aqua_lists(reading: &mut Reading<'_>, rest: &Loose<'_>, n_elements: usize) {
    if rest.is_list() {
        if rest.items().is_empty() {
            reading.nothing_looked_at("", "the list of images is empty");
        }
        return;
    }
    let lists = ["cves", "result", "resources"];
    if !lists.iter().any(|list| rest.has(list)) {
        reading.nothing_looked_at("", "it has none of the lists cves, result and resources");
    }
    let counted = rest.number("cves_counts/total");
    reading.declared("/cves_counts/total", counted, n_elements);
    let more = rest.number("more_data_all_pages");
    if rest.flag("is_partial_data") || more.is_some_and(|n| n > 0.0) {
        reading.incomplete("/is_partial_data", "it says that its data are only a part");
    }
    reading.image(&rest.first_text(&["image_name", "image", "query/image_name"]));
}

/// What stands around an element, from the nearest out.
type Around<'v, 'a> = Vec<&'v Loose<'a>>;

pub(super) fn read(
    reading: &mut Reading<'_>,
    text: Body<'_>,
    table: &Table,
) -> Result<(), ImportError> {
    let mut seen = HashSet::new();
    let mut n_elements = 0;
    let rest = reading.stream(text, table.patterns, &mut |reading, pointer, element| {
        n_elements += (table.counted)(element, pointer);
        (table.look)(reading, element, pointer);
        let names = table.once.iter().map(|name| element.text(name));
        if !table.once.is_empty() && !seen.insert(names.collect::<Vec<_>>().join("\n")) {
            return Ok(());
        }
        read_inner(reading, table, table.inner, pointer, &vec![element]);
        Ok(())
    })?;
    // The list itself, where the first steps lead to it by name.
    for pattern in table.patterns {
        let steps: Vec<&str> = pattern
            .iter()
            .copied()
            .take_while(|step| *step != "*")
            .collect();
        let value = if steps.is_empty() {
            &rest
        } else {
            rest.at(&steps.join("/"))
        };
        let is_only_one = table.patterns.len() == 1 && pattern.len() == 1;
        let is_scalar = !value.is_list() && !value.is_object() && !value.is_null();
        if is_scalar || (is_only_one && steps.is_empty() && !value.is_list()) {
            let at = if steps.is_empty() {
                "$".to_owned()
            } else {
                format!("$.{}", steps.join("."))
            };
            return Err(reading.broken(&at, "a list is required here."));
        }
    }
    reading.declared(
        &format!("/{}", table.total),
        rest.number(table.total),
        n_elements,
    );
    (table.whole)(reading, &rest, n_elements)?;
    for name in table.failures {
        let failures = rest.at(name);
        let first = match failures {
            Loose::Object(_) => Some(failures),
            failures => failures.items().first(),
        };
        let said = first.map_or(String::new(), Loose::own_texts);
        if !said.is_empty() {
            reading.incomplete(
                format!("/{name}"),
                &format!("it could not look at all: {said}"),
            );
        }
    }
    for version in ["version", "scan_info/brakeman_version", "meta/version"] {
        if reading.summary.tool.version.is_none() && !table.patterns.contains(&(&["*"] as Pattern))
        {
            reading.tool("", &rest.text(version));
        }
    }
    Ok(())
}

fn read_inner(
    reading: &mut Reading<'_>,
    table: &Table,
    inner: &[&str],
    pointer: &str,
    around: &Around<'_, '_>,
) {
    let element = around[0];
    let Some((list, deeper)) = inner.split_first() else {
        add(reading, table, pointer, around);
        return;
    };
    if !element.has(list) {
        // One level may be missing: a scan of a single commit has no list of scans.
        if table.is_flat_too {
            add(reading, table, pointer, around);
        } else if !deeper.is_empty() {
            read_inner(reading, table, deeper, pointer, around);
        }
        return;
    }
    for (at, value) in element.each(list).iter().enumerate() {
        let mut chain = vec![value];
        chain.extend(around);
        read_inner(
            reading,
            table,
            deeper,
            &format!("{pointer}/{list}/{at}"),
            &chain,
        );
    }
}

static NOTHING: Loose<'static> = Loose::Null;

fn lookup<'v>(around: &Around<'v, '_>, name: &str) -> &'v Loose<'v> {
    let outward = name.bytes().take_while(|b| *b == b'^').count();
    let Some(mut value) = around.get(outward).copied() else {
        return &NOTHING;
    };
    for step in name[outward..].split('/') {
        value = match step.parse::<usize>() {
            Ok(at) if value.is_list() => value.items().get(at).unwrap_or(&NOTHING),
            _ => value.at(step),
        };
    }
    value
}

fn add(reading: &mut Reading<'_>, table: &Table, pointer: &str, around: &Around<'_, '_>) {
    let element = around[0];
    let text = |names: &[&str]| -> String {
        let texts = names.iter().map(|name| match *name {
            "@list" => pointer.split('/').nth(1).unwrap_or("").to_owned(),
            name => match lookup(around, name) {
                Loose::List(list) => list
                    .iter()
                    .map(|value| value.own_text())
                    .collect::<Vec<_>>()
                    .join(", "),
                value => value.own_text().into_owned(),
            },
        });
        let is_given = |text: &String| !text.is_empty() && text != "None" && text != "N/A";
        texts.into_iter().find(is_given).unwrap_or_default()
    };
    if !table.state.0.is_empty() {
        reading.known_state(pointer, element, table.state.0, table.state.1);
    }
    let Some(status) = (table.status)(element, pointer) else {
        reading.not_a_finding();
        return;
    };
    let scores = (table.score.iter()).filter_map(|name| score_of(lookup(around, name)));
    let score = scores.clone().next();
    let word = text(table.severity);
    let severity = match word.as_str() {
        // A tool that gives scores only, and one that rates nothing.
        "" if table.severity.is_empty() && score.is_some() => {
            score.map_or(Severity::Unrated, Severity::from_cvss_score)
        }
        "" if table.severity.is_empty() && table.score.is_empty() => table.otherwise,
        "Defcon1" => Severity::Critical,
        "Informational" => Severity::Info,
        word => reading.rated(pointer, word, scores.reduce(f64::max)),
    };
    let line = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| lookup(around, name).own_text().parse().ok())
            .filter(|line| *line > 0)
    };
    let id = text(table.id);
    let (name, version) = (text(table.component), text(table.version));
    let (name, version) = split_component(&name, &version);
    let group = text(&[table.group]);
    let name = match group.as_str() {
        "" => name,
        group if group.starts_with('@') => format!("{group}/{name}"),
        group => format!("{group}:{name}"),
    };
    let words = text(table.words);
    let mut finding = Finding::of("", severity, pointer)
        .with_rule(&id)
        .with_rule_name(&text(table.name))
        .with_description(&text(table.description))
        .with_remediation(&text(table.remediation))
        .with_link(&text(table.link))
        .with_component(&name, &version)
        .with_package_url(&text(table.purl))
        .with_package_kind(&text(table.kind))
        .with_fixed_version(&text(table.fixed))
        .with_path(&text(table.path))
        .with_lines(line(table.lines[0]), line(table.lines[1]))
        .with_scope(&text(table.scope))
        .with_snippet(&text(table.snippet))
        .with_score(score)
        .with_tag(&text(table.tags))
        .with_status(status);
    if table.category == Category::Dependency || table.category == Category::Container {
        finding = finding.with_id(&id);
    }
    for name in table.ids {
        // What is called an alias is an id, of whatever kind.
        let is_alias = name.ends_with("aliases");
        lookup(around, name).each_text(&mut |text| {
            let known = finding.clone();
            finding = if is_alias {
                known.with_id(text)
            } else {
                known.with_ids(text)
            };
        });
    }
    for name in table.cwe {
        finding = finding.with_cwe(lookup(around, name));
    }
    if !table.secret.is_empty() {
        finding = finding.with_secret(&text(table.secret));
    }
    if !words.is_empty() && table.component.is_empty() && table.purl.is_empty() {
        finding = finding.with_message(&words);
    }
    finding = if finding.component.is_some() {
        finding.with_vulnerability_title(&id, &words)
    } else {
        finding.with_title(if words.is_empty() { &id } else { &words })
    };
    if !table.resource.is_empty() {
        let parts = table.resource.iter().map(|name| text(&[name]));
        finding = finding.with_component(&parts.collect::<Vec<_>>().join("/"), "");
    }
    reading.add(finding.with_category(table.category));
}

/// `pypi://Jinja2:2.11.2` in one field.
fn split_component(name: &str, version: &str) -> (String, String) {
    match name.split_once("://") {
        Some((_, rest)) if version.is_empty() => {
            let (name, version) = rest.rsplit_once(':').unwrap_or((rest, ""));
            (name.to_owned(), version.to_owned())
        }
        _ => (name.to_owned(), version.to_owned()),
    }
}
