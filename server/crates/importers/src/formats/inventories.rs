//! Inventories of software: SPDX 2 and Syft. Only SPDX can name advisories.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | SPDX JSON: an external reference of category SECURITY and type `advisory` | one finding, severity medium: none is given |
//! | SPDX: `cpe23Type`, `purl`, `fix`, `url` | identity and further reading, no findings |
//! | SPDX tag-value: `ExternalRef: SECURITY advisory …` | the same |
//! | SPDX 3 | refused here; it is a format of its own, `spdx3` |
//! | no advisories; Syft always | nobody has looked for vulnerabilities, so the scan is incomplete |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with, vulnerability_title};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const SPDX: Format = Format {
    name: "spdx",
    title: "SPDX 2 JSON or tag-value",
    tool: "SPDX",
    detect,
    lists: &["packages", "packages/*/externalRefs?"],
    read,
};

pub const SYFT: Format = Format {
    name: "syft",
    title: "Syft JSON",
    tool: "syft",
    detect: |sniff| {
        certain_if(
            object_with(sniff, &["artifacts"]) && sniff.text.contains("\"artifactRelationships\""),
        )
    },
    lists: &["artifacts"],
    read: read_syft,
};

const NOBODY_LOOKED: &str = "this is an inventory; nobody has looked for vulnerabilities";

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_tags = sniff
        .head
        .lines()
        .take(20)
        .any(|line| line.starts_with("SPDXVersion:"));
    certain_if(object_with(sniff, &["spdxVersion"]) || is_tags)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    if text.begins_with('{') {
        read_json(reading, text)
    } else {
        read_tags(reading, text)
    }
}

fn read_json(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_found = 0;
    let rest = reading.stream(
        text,
        &[&["packages", "*"]],
        &mut |reading, pointer, package| {
            reading.needs_any(pointer, package, &["name"]);
            let (name, version) = (package.text("name"), package.text("versionInfo"));
            for (at, reference) in package.each("externalRefs").iter().enumerate() {
                let kind = reference.text("referenceType");
                if reference.text("referenceCategory") == "SECURITY"
                    && (kind == "advisory" || kind.ends_with("/advisory"))
                {
                    n_found += 1;
                    let locator = reference.text("referenceLocator");
                    reading.add(finding(
                        &format!("{pointer}/externalRefs/{at}"),
                        &locator,
                        &name,
                        &version,
                        &reference.text("comment"),
                    ));
                }
            }
            Ok(())
        },
    )?;
    let version = rest.text("spdxVersion");
    if rest.has("@graph") || !version.starts_with("SPDX-2") {
        return Err(unsupported(if version.is_empty() {
            "SPDX 3"
        } else {
            &version
        }));
    }
    for creator in rest.each("creationInfo/creators") {
        if let Some(tool) = creator.own_text().strip_prefix("Tool: ") {
            reading.tool(tool, "");
        }
    }
    reading.scanned_at(&rest.text("creationInfo/created"));
    if n_found == 0 {
        reading.incomplete("/packages", NOBODY_LOOKED);
    }
    Ok(())
}

fn read_tags(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let (mut name, mut version, mut n_found) = (String::new(), String::new(), 0);
    let mut is_spdx = false;
    text.lines(&mut |number, line| {
        let Some((tag, value)) = line.split_once(':') else {
            return Ok(());
        };
        let value = value.trim();
        match tag.trim() {
            "SPDXVersion" if !value.starts_with("SPDX-2") => return Err(unsupported(value)),
            "SPDXVersion" => is_spdx = true,
            "PackageName" => {
                value.clone_into(&mut name);
                version.clear();
            }
            "PackageVersion" => value.clone_into(&mut version),
            "Created" => reading.scanned_at(value),
            "ExternalRef" => {
                let parts: Vec<&str> = value.split_whitespace().collect();
                if let ["SECURITY", "advisory", locator, ..] = parts.as_slice() {
                    n_found += 1;
                    reading.add(finding(
                        &format!("line {number}"),
                        locator,
                        &name,
                        &version,
                        "",
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    if !is_spdx {
        return Err(reading.broken("line 1", "no line begins with SPDXVersion:."));
    }
    if n_found == 0 {
        reading.incomplete("line 1", NOBODY_LOOKED);
    }
    reading.needs_last_line_break(text)
}

fn unsupported(found: &str) -> ImportError {
    ImportError::UnsupportedVersion {
        format: SPDX.name,
        found: crate::text::title(found),
        supported: "SPDX 2",
    }
}

fn finding(pointer: &str, locator: &str, name: &str, version: &str, comment: &str) -> Finding {
    let id = locator.rsplit('/').next().unwrap_or(locator);
    Finding::of(
        &vulnerability_title(id, name, version, ""),
        Severity::Medium,
        pointer,
    )
    .with_rule(id)
    .with_ids(locator)
    .with_description(comment)
    .with_message(&format!("Advisory {locator}"))
    .with_link(locator)
    .with_component(name, version)
    .with_category(Category::Dependency)
}

fn read_syft(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest: Loose<'_> = reading.stream(text, &[&["artifacts", "*"]], &mut |_, _, _| Ok(()))?;
    reading.needs_list(&rest, "artifacts")?;
    reading.tool("", &rest.text("descriptor/version"));
    reading.incomplete("/artifacts", NOBODY_LOOKED);
    Ok(())
}
