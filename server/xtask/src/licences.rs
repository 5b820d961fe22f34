//! Whose code we ship, and from where: every dependency's licence is one that Apache-2.0 software may carry, and every
//! one comes from crates.io or from this repository. `cargo deny` (`deny.toml`) says the same and more, where it is
//! installed; this needs nothing but cargo.

use anyhow::{Result, bail};
use serde_json::Value;

use crate::process;

/// The same list as in `deny.toml`.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Prints how many dependencies were looked at, or fails with every one that may not be here.
pub(crate) fn check() -> Result<()> {
    let metadata =
        process::output(process::cargo().args(["metadata", "--locked", "--format-version=1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let problems: Vec<String> = packages.iter().filter_map(problem).collect();
    if !problems.is_empty() {
        bail!(
            "dependencies that may not be here:\n  {}",
            problems.join("\n  ")
        );
    }
    if packages.is_empty() {
        bail!("cargo metadata names no package");
    }
    println!(
        "licences: {} packages, each under an allowed licence and from crates.io or from here",
        packages.len()
    );
    Ok(())
}

fn problem(package: &Value) -> Option<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let version = package["version"].as_str().unwrap_or_default();
    match package["source"].as_str() {
        // A path: it must be ours.
        None => {
            let ours = package["manifest_path"]
                .as_str()
                .is_some_and(|path| std::path::Path::new(path).starts_with(process::root()));
            if !ours {
                return Some(format!(
                    "{name} {version} comes from outside this repository"
                ));
            }
        }
        Some(source) if source.starts_with("registry+") && source.ends_with("crates.io-index") => {}
        Some(source) => return Some(format!("{name} {version} comes from {source}")),
    }
    let Some(licence) = package["license"].as_str() else {
        return Some(format!("{name} {version} names no licence"));
    };
    match allows(licence) {
        Some(true) => None,
        Some(false) => Some(format!("{name} {version} is under {licence}")),
        None => Some(format!(
            "{name} {version}: cannot read its licence \"{licence}\""
        )),
    }
}

/// Whether a licence expression (SPDX, or the old `MIT/Apache-2.0`) can be met with allowed licences alone.
fn allows(expression: &str) -> Option<bool> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = any_of(&words, &mut at)?;
    (at == words.len()).then_some(met)
}

fn any_of(words: &[&str], at: &mut usize) -> Option<bool> {
    let mut met = all_of(words, at)?;
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all_of(words, at)?;
    }
    Some(met)
}

fn all_of(words: &[&str], at: &mut usize) -> Option<bool> {
    let mut met = one(words, at)?;
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at)?;
    }
    Some(met)
}

fn one(words: &[&str], at: &mut usize) -> Option<bool> {
    let word = *words.get(*at)?;
    *at += 1;
    match word {
        "(" => {
            let met = any_of(words, at)?;
            (words.get(*at) == Some(&")")).then(|| *at += 1)?;
            Some(met)
        }
        ")" | "OR" | "AND" | "WITH" => None,
        licence if words.get(*at) == Some(&"WITH") => {
            let exception = words.get(*at + 1)?;
            *at += 2;
            Some(ALLOWED.contains(&format!("{licence} WITH {exception}").as_str()))
        }
        licence => Some(ALLOWED.contains(&licence)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_allowed_choice_is_enough_but_every_part_of_and_must_be_allowed() {
        let cases = [
            ("MIT", Some(true)),
            ("MIT/Apache-2.0", Some(true)),
            ("GPL-3.0 OR MIT", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("MIT AND GPL-3.0", Some(false)),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", Some(true)),
            ("Apache-2.0 WITH LLVM-exception OR MIT", Some(true)),
            ("Apache-2.0 WITH Some-exception", Some(false)),
            ("MIT OR", None),
            ("(MIT", None),
            ("MIT MIT", None),
            ("", None),
        ];
        for (expression, expected) in cases {
            assert_eq!(allows(expression), expected, "{expression}");
        }
    }

    #[test]
    fn a_package_from_a_git_repository_is_named() {
        let package = serde_json::json!({
            "name": "x", "version": "1.0.0", "license": "MIT", "source": "git+ssh://example.org/x"
        });
        assert!(problem(&package).unwrap().contains("git+ssh"));
    }

    #[test]
    fn a_package_without_a_licence_is_named() {
        let package = serde_json::json!({
            "name": "x", "version": "1.0.0", "source": "registry+https://github.com/rust-lang/crates.io-index"
        });
        assert_eq!(problem(&package).unwrap(), "x 1.0.0 names no licence");
    }
}
