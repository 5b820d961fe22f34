//! Proof of the table in the code style: what each crate may know, directly among ours and in all that it brings.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::process;

/// A crate of ours, which of ours it may name, and what must not be anywhere below it.
struct Layer {
    name: &'static str,
    may_know: &'static [&'static str],
    never_holds: &'static [&'static str],
}

const PURE: &[&str] = &["tokio", "sqlx", "sqlx-core", "axum", "leptos", "rand"];
const PURE_AND_DOMAIN: &[&str] = &["holdpoint-domain"];

const LAYERS: &[Layer] = &[
    Layer {
        name: "holdpoint-domain",
        may_know: &[],
        never_holds: PURE,
    },
    Layer {
        name: "holdpoint-hostile",
        may_know: &[],
        never_holds: PURE,
    },
    Layer {
        name: "holdpoint-checklist",
        may_know: PURE_AND_DOMAIN,
        never_holds: PURE,
    },
    Layer {
        name: "holdpoint-importers",
        may_know: PURE_AND_DOMAIN,
        never_holds: PURE,
    },
    Layer {
        name: "holdpoint-patch",
        may_know: PURE_AND_DOMAIN,
        never_holds: PURE,
    },
    Layer {
        name: "holdpoint-report",
        may_know: PURE_AND_DOMAIN,
        // Signing with a key needs `rand_core`, but never the generators.
        never_holds: PURE,
    },
    Layer {
        name: "holdpoint-storage",
        may_know: PURE_AND_DOMAIN,
        never_holds: &["axum", "leptos"],
    },
    Layer {
        name: "holdpoint-service",
        may_know: &[
            "holdpoint-checklist",
            "holdpoint-domain",
            "holdpoint-importers",
            "holdpoint-patch",
            "holdpoint-report",
            "holdpoint-storage",
        ],
        never_holds: &["axum", "leptos"],
    },
    Layer {
        name: "holdpoint-app",
        may_know: &["holdpoint-domain", "holdpoint-service"],
        never_holds: &[],
    },
    Layer {
        name: "holdpoint-browser",
        may_know: &["holdpoint-app"],
        never_holds: &[],
    },
    Layer {
        name: "holdpoint",
        may_know: &[
            "holdpoint-app",
            "holdpoint-checklist",
            "holdpoint-domain",
            "holdpoint-importers",
            "holdpoint-patch",
            "holdpoint-report",
            "holdpoint-service",
            "holdpoint-storage",
        ],
        never_holds: &[],
    },
    Layer {
        name: "xtask",
        may_know: &[],
        never_holds: &["tokio", "sqlx"],
    },
];

/// What the browser half must not bring along: it is downloaded by everyone.
const NEVER_IN_THE_BROWSER: &[&str] = &[
    "tokio",
    "sqlx",
    "sqlx-core",
    "axum",
    "leptos_axum",
    "holdpoint-service",
    "holdpoint-storage",
    "chrono",
    "time",
    "rand",
];

/// Prints what was proved, or fails with every line that is broken.
pub(crate) fn check() -> Result<()> {
    let metadata = process::output(process::cargo().args([
        "metadata",
        "--locked",
        "--no-deps",
        "--format-version=1",
    ]))?;
    let mut problems = direction_problems(&ours(&serde_json::from_str(&metadata)?));
    for layer in LAYERS.iter().filter(|layer| !layer.never_holds.is_empty()) {
        let held = tree(&["--package", layer.name])?;
        problems.extend(held_problems(layer.name, &held, layer.never_holds));
    }
    let browser = tree(&[
        "--package",
        "holdpoint-browser",
        "--target",
        "wasm32-unknown-unknown",
    ])?;
    problems.extend(held_problems(
        "the browser half",
        &browser,
        NEVER_IN_THE_BROWSER,
    ));
    if !problems.is_empty() {
        bail!("the layers do not hold:\n  {}", problems.join("\n  "));
    }
    println!(
        "layers: {} crates know only what they may; the browser half's {} crates hold no tokio, no sqlx, no service",
        LAYERS.len(),
        browser.len()
    );
    Ok(())
}

/// Our crates with those of ours that each names outside its tests.
fn ours(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut crates: BTreeMap<String, BTreeSet<String>> = packages
        .map(|package| {
            let named = package["dependencies"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|dependency| dependency["kind"] != "dev")
                .filter_map(|dependency| dependency["name"].as_str())
                .map(str::to_owned)
                .collect();
            (
                package["name"].as_str().unwrap_or_default().to_owned(),
                named,
            )
        })
        .collect();
    let names: BTreeSet<String> = crates.keys().cloned().collect();
    for named in crates.values_mut() {
        named.retain(|name| names.contains(name));
    }
    crates
}

fn direction_problems(crates: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, named) in crates {
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == name) else {
            problems.push(format!(
                "{name} has no layer: add it to server/xtask/src/layers.rs"
            ));
            continue;
        };
        for other in named {
            if !layer.may_know.contains(&other.as_str()) {
                problems.push(format!("{name} must not know {other}"));
            }
        }
    }
    for layer in LAYERS {
        if !crates.contains_key(layer.name) {
            problems.push(format!("{} is gone: take its layer out", layer.name));
        }
    }
    problems
}

fn held_problems(who: &str, held: &BTreeSet<String>, never: &[&str]) -> Vec<String> {
    never
        .iter()
        .filter(|name| held.contains(**name))
        .map(|name| {
            format!("{who} must not hold {name} (`cargo tree -i {name}` shows why it does)")
        })
        .collect()
}

/// The names of every crate that is compiled in.
fn tree(which: &[&str]) -> Result<BTreeSet<String>> {
    let text = process::output(
        process::cargo()
            .args(["tree", "--locked", "--edges", "normal", "--prefix", "none"])
            .args(["--format", "{p}"])
            .args(which),
    )?;
    Ok(text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_they_are() -> BTreeMap<String, BTreeSet<String>> {
        LAYERS
            .iter()
            .map(|layer| {
                let named = layer.may_know.iter().map(|&name| name.to_owned());
                (layer.name.to_owned(), named.collect())
            })
            .collect()
    }

    #[test]
    fn what_the_table_allows_is_no_problem() {
        assert_eq!(direction_problems(&as_they_are()), Vec::<String>::new());
    }

    #[test]
    fn a_domain_that_knows_storage_is_named() {
        let mut crates = as_they_are();
        crates
            .get_mut("holdpoint-domain")
            .unwrap()
            .insert("holdpoint-storage".to_owned());
        assert_eq!(
            direction_problems(&crates),
            ["holdpoint-domain must not know holdpoint-storage"]
        );
    }

    #[test]
    fn a_crate_without_a_layer_is_named() {
        let mut crates = as_they_are();
        crates.insert("holdpoint-extra".to_owned(), BTreeSet::new());
        assert!(direction_problems(&crates)[0].starts_with("holdpoint-extra has no layer"));
    }

    #[test]
    fn a_tree_with_tokio_is_named() {
        let held = BTreeSet::from(["tokio".to_owned(), "serde".to_owned()]);
        assert_eq!(held_problems("x", &held, NEVER_IN_THE_BROWSER).len(), 1);
    }
}
