//! When findings of several tools are one issue: the same vulnerability in the same component, however each tool spells
//! them.

use std::collections::BTreeSet;

/// What tells an issue: one key for each id that a finding's vulnerability is known by, each with the component. Two
/// findings are one issue when they share a key, so a tool that only knows the GHSA number meets one that knows both.
/// Nothing where no component or no such id is named.
pub fn issue_keys<'a>(
    component: Option<&str>,
    ids: impl IntoIterator<Item = &'a str>,
) -> BTreeSet<String> {
    let component = component.map(normal_component).unwrap_or_default();
    if component.is_empty() {
        return BTreeSet::new();
    }
    ids.into_iter()
        .filter_map(vulnerability)
        .map(|id| format!("{id} {component}"))
        .collect()
}

/// Ids that name one vulnerability each. Ids of bulletins, such as RHSA or DSA, stand for several and so tell nothing.
const KINDS: &[&str] = &[
    "CVE-", "GHSA-", "GO-", "RUSTSEC-", "PYSEC-", "OSV-", "MAL-", "SNYK-", "GMS-",
];

fn vulnerability(id: &str) -> Option<String> {
    let id = id.trim().to_ascii_uppercase();
    let is_one = KINDS.iter().any(|kind| id.starts_with(kind))
        && (6..=80).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'));
    is_one.then_some(id)
}

/// A component's name as all tools would spell it: without type, version and qualifiers of a package URL, in lower case,
/// `group/name` for `group:name`, and one hyphen for any run of `-`, `_` and `.`, which Python holds to be the same.
pub fn normal_component(component: &str) -> String {
    let component = component.trim();
    let name = match component.strip_prefix("pkg:") {
        Some(purl) => name_in_purl(purl),
        None => without_version(component).replace(':', "/"),
    };
    let mut normal = String::with_capacity(name.len());
    for c in name.trim_matches('/').chars() {
        match c {
            '-' | '_' | '.' => {
                if !normal.ends_with('-') {
                    normal.push('-');
                }
            }
            c if c.is_whitespace() || c.is_control() => {}
            c => normal.extend(c.to_lowercase()),
        }
    }
    normal.truncate(normal.floor_char_boundary(300));
    normal
}

/// `maven/org.apache/log4j@2.17?type=jar#x` → `org.apache/log4j`. The distribution in front of a system package is left
/// out, since other tools give the bare name.
fn name_in_purl(purl: &str) -> String {
    let end = purl.find(['?', '#']).unwrap_or(purl.len());
    let purl = without_version(&purl[..end]);
    let (kind, name) = purl.split_once('/').unwrap_or(("", purl));
    let name = match kind.to_ascii_lowercase().as_str() {
        "deb" | "rpm" | "apk" | "alpm" => name.rsplit('/').next().unwrap_or(name),
        _ => name,
    };
    percent_decoded(name)
}

/// The `@` of a version is not the first one of a scope, as in `@angular/core@17.0.1`.
fn without_version(name: &str) -> &str {
    match name.rfind('@') {
        Some(at) if at > 0 && !name[at..].contains('/') => &name[..at],
        _ => name,
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = (first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        match hex {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_has_one_name_however_it_is_spelt() {
        let same: &[&[&str]] = &[
            &[
                "lodash",
                "Lodash",
                "pkg:npm/lodash@4.17.20",
                "lodash@4.17.20",
            ],
            &[
                "org.apache.logging.log4j:log4j-core",
                "org.apache.logging.log4j/log4j-core",
                "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar",
            ],
            &[
                "@angular/core",
                "pkg:npm/%40angular/core@17.0.1",
                "@angular/core@17.0.1",
            ],
            &[
                "zope.interface",
                "zope_interface",
                "Zope-Interface",
                "pkg:pypi/zope.interface",
            ],
            &[
                "openssl",
                "pkg:deb/debian/openssl@3.0.11?arch=amd64&distro=debian-12",
            ],
            &["golang.org/x/net", "pkg:golang/golang.org/x/net@v0.7.0"],
        ];
        for names in same {
            let normal: BTreeSet<_> = names.iter().map(|name| normal_component(name)).collect();
            assert_eq!(normal.len(), 1, "{names:?} became {normal:?}");
        }
        assert_ne!(normal_component("@angular/core"), normal_component("core"));
        assert_ne!(
            normal_component("golang.org/x/net"),
            normal_component("golang.org/x/text")
        );
    }

    #[test]
    fn an_alias_tells_the_same_issue_as_the_cve() {
        let of = |component, ids: &[&str]| issue_keys(Some(component), ids.iter().copied());
        let both = of(
            "pkg:npm/lodash@4.17.20",
            &["CVE-2021-23337", "GHSA-35jh-r3h4-6jhm"],
        );
        assert!(!both.is_disjoint(&of("lodash", &["ghsa-35jh-r3h4-6jhm"])));
        assert!(!both.is_disjoint(&of("Lodash", &["CVE-2021-23337"])));
        assert!(both.is_disjoint(&of("lodash", &["CVE-2020-8203"])));
        assert!(both.is_disjoint(&of("underscore", &["CVE-2021-23337"])));
    }

    #[test]
    fn a_bulletin_a_rule_and_a_missing_component_tell_no_issue() {
        assert!(issue_keys(Some("openssl"), ["RHSA-2024:0001", "DSA-5417-1", "G101"]).is_empty());
        assert!(issue_keys(None, ["CVE-2021-23337"]).is_empty());
        assert!(issue_keys(Some("  "), ["CVE-2021-23337"]).is_empty());
        assert!(issue_keys(Some("%zz"), ["CVE-2021-1 ' or 1"]).is_empty());
    }
}
