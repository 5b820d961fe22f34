//! testssl.sh, CSV and JSON (flat and pretty).
//!
//! The JSON is that of drwetter/testssl.sh, `testssl.sh`, functions `fileout_*`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each row, each element of the flat list and of the lists of each `scanResult` that is neither OK nor of the rating | one finding for each of its CVE |
//! | `severity` | its word; INFO, WARN, FATAL and DEBUG info |
//! | FATAL, WARN and `scanProblem`, also in `clientProblem…`; "Scan interrupted" | the scan is incomplete, with the tool's words |
//! | no row or result | nothing was looked at: the scan is incomplete |
//! | a pretty report without the lists of protocols, ciphers, forward secrecy, preferences, defaults or vulnerabilities | not all was tried: the scan is incomplete |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with};
use super::targets::Targets;
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const TESTSSL: Format = Format {
    name: "testssl",
    title: "testssl.sh CSV or JSON",
    tool: "testssl",
    detect,
    lists: &["scanResult"],
    read,
};

/// The lists of a pretty report that a whole run has, whatever the server offers; the third is called `pfs` in older versions.
const SECTIONS: [&str; 6] = [
    "protocols",
    "ciphers",
    "fs",
    "serverPreferences",
    "serverDefaults",
    "vulnerabilities",
];

/// Further ones, which depend on the service and the version.
const FURTHER_SECTIONS: [&str; 6] = [
    "pretest",
    "grease",
    "headerResponse",
    "cipherTests",
    "browserSimulations",
    "rating",
];

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let start: String = sniff
        .head
        .trim_start()
        .chars()
        .take(60)
        .filter(|c| *c != '"')
        .collect();
    let is_flat = list_with(sniff, &["id", "ip", "port", "severity", "finding"]);
    let is_pretty = object_with(sniff, &["Invocation", "scanResult"]);
    certain_if(start.starts_with("id,fqdn/ip,port,severity,finding") || is_flat || is_pretty)
}

/// The row that says how long it took.
const SCAN_TIME: &str = "scanTime";

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let (mut n_rows, mut hosts) = (0_usize, Targets::default());
    if text.begins_with('[') {
        let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, row| {
            n_rows += usize::from(row.text("id") != SCAN_TIME);
            let host = row.text("ip");
            hosts.add(&host);
            read_row(reading, pointer, &host, &row.text("port"), row);
            Ok(())
        })?;
        reading.needs_list(&rest, "")?;
    } else if text.begins_with('{') {
        return read_pretty(reading, text);
    } else {
        let needed = ["id", "severity", "finding"];
        reading.rows(text, b',', &needed, &mut |reading, pointer, row| {
            n_rows += usize::from(row.text("id") != SCAN_TIME);
            let host = row.text("fqdn/ip");
            hosts.add(&host);
            read_row(reading, pointer, &host, &row.text("port"), row);
            Ok(())
        })?;
    }
    hosts.tell(reading);
    if n_rows == 0 {
        reading.nothing_looked_at("line 1", "the table has no rows");
    }
    Ok(())
}

fn read_pretty(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let report = reading.json(text)?;
    let (mut n_rows, mut hosts) = (0_usize, Targets::default());
    reading.tool("", &report.text("version"));
    let results = report.each("scanResult");
    for (at, result) in results.iter().enumerate() {
        let pointer = format!("/scanResult/{at}");
        reading.needs_object(result, "")?;
        let name = result.first_text(&["targetHost", "target host"]);
        let name = if name.is_empty() {
            report.text("target host")
        } else {
            name
        };
        let host = match &*result.text("ip") {
            "" => name.into_owned(),
            ip => format!("{name}/{ip}"),
        };
        hosts.add(&host);
        let port = result.first_text(&["port"]);
        let port = if port.is_empty() {
            report.text("port")
        } else {
            port
        };
        n_rows += read_sections(reading, &pointer, &host, &port, result)?;
    }
    for (key, problems) in report.own_entries() {
        if !key.starts_with("clientProblem") {
            continue;
        }
        reading.needs_list(problems, "")?;
        for (at, problem) in problems.items().iter().enumerate() {
            read_row(reading, &format!("/{key}/{at}"), "", "", problem);
        }
    }
    hosts.tell(reading);
    if report.number("scanTime").is_none() {
        let said = report.text("scanTime");
        let said = if said.is_empty() {
            "it does not say that it ended"
        } else {
            &said
        };
        reading.incomplete("/scanTime", said);
    }
    if n_rows == 0 {
        reading.nothing_looked_at("/scanResult", "there are no results");
    }
    Ok(())
}

/// How many rows the sections of one host have.
fn read_sections(
    reading: &mut Reading<'_>,
    pointer: &str,
    host: &str,
    port: &str,
    result: &Loose<'_>,
) -> Result<usize, ImportError> {
    let mut n_rows = 0;
    for (section, rows) in result.own_entries() {
        let is_known = SECTIONS
            .iter()
            .chain(&FURTHER_SECTIONS)
            .any(|own| own == section);
        if !(is_known || matches!(&**section, "pfs" | "singleCipher") || rows.is_list()) {
            continue;
        }
        let place = format!("{pointer}/{section}");
        for (at, row) in reading
            .needed_list(pointer, result, section)?
            .iter()
            .enumerate()
        {
            n_rows += 1;
            reading.needs_object(row, "")?;
            read_row(reading, &format!("{place}/{at}"), host, port, row);
        }
    }
    let is_missing = |section: &&&str| {
        let is_there = result.has(section) || **section == "fs" && result.has("pfs");
        // With one cipher nothing else is tried.
        !is_there && !result.has("singleCipher")
    };
    let missing: Vec<&str> = SECTIONS.iter().filter(is_missing).copied().collect();
    if !missing.is_empty() {
        let reason = format!("it was not told to try all: no {}", missing.join(", "));
        reading.incomplete(pointer, &reason);
    }
    let missing: Vec<&str> = FURTHER_SECTIONS
        .iter()
        .filter(is_missing)
        .copied()
        .collect();
    if !missing.is_empty() {
        reading.problem(pointer, format!("It has no {}.", missing.join(", ")));
    }
    Ok(n_rows)
}

fn read_row(reading: &mut Reading<'_>, pointer: &str, host: &str, port: &str, row: &Loose<'_>) {
    // The rating of the whole server is no finding; what it rests on is.
    let id = row.text("id");
    let is_time = id == SCAN_TIME && row.text("severity") == "INFO";
    if is_time || is_rating(&id) {
        reading.not_a_finding();
        return;
    }
    // Its warnings are of what it could not test.
    if matches!(&*row.text("severity"), "FATAL" | "WARN") || id == "scanProblem" {
        reading.incomplete(pointer, &row.text("finding"));
    }
    let severity = match &*row.text("severity") {
        "OK" => {
            reading.not_a_finding();
            return;
        }
        "INFO" | "WARN" | "FATAL" | "DEBUG" => Severity::Info,
        word => reading.severity(pointer, word),
    };
    let cves = row.text("cve");
    let cves: Vec<&str> = if cves.is_empty() {
        vec![""]
    } else {
        cves.split_whitespace().collect()
    };
    for cve in cves {
        let words = format!("{id} {cve}: {}", row.text("finding"));
        reading.add(
            Finding::of(&words, severity, pointer)
                .with_rule(&id)
                .with_message(&row.text("finding"))
                .with_cwe(row.at("cwe"))
                .with_scope(&format!("{host}:{port}"))
                .with_category(Category::Web)
                .with_ids(cve),
        );
    }
}

/// The rows that testssl.sh makes of its rating of the whole server.
fn is_rating(id: &str) -> bool {
    let id = id.split(' ').next().unwrap_or("");
    let scores = [
        "final_score",
        "protocol_support_score",
        "key_exchange_score",
        "cipher_strength_score",
    ];
    matches!(id, "overall_grade" | "rating_spec" | "rating_doc")
        || scores.contains(&id.trim_end_matches("_weighted"))
        || id.starts_with("grade_cap_reason_")
        || id.starts_with("grade_warning_")
}
