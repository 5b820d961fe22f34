//! `make test`: every suite, streamed as it runs, and one closing line that sums them up.
//!
//! A suite that fails does not stop the next, so that one run shows everything that is wrong. A suite that ran no test
//! has failed.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{budget, process, site};

/// How many tests of a suite passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs all suites, or those that the words name.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut filter = Vec::new();
    let (mut rust, mut e2e) = (true, true);
    for word in arguments {
        match word.as_str() {
            "--rust" => e2e = false,
            "--e2e" => rust = false,
            word => filter.push(word.to_owned()),
        }
    }
    let mut total = Tally::default();
    let mut problems = Vec::new();
    let mut suite = |name: &str, run: &dyn Fn() -> Result<Tally>| {
        let begun = Instant::now();
        println!("\n== {name}");
        match run() {
            Ok(tally) => {
                println!(
                    "== {name}: {} passed, {} failed, in {} s",
                    tally.passed,
                    tally.failed,
                    begun.elapsed().as_secs()
                );
                total.add(tally);
                if tally.failed > 0 {
                    problems.push(format!("{name}: {} failed", tally.failed));
                } else if tally.passed == 0 {
                    problems.push(format!("{name}: no test ran"));
                }
            }
            Err(error) => {
                problems.push(format!("{name}: {error:#}"));
                println!("== {name}: {error:#}");
            }
        }
    };
    if rust {
        suite("Rust", &|| rust_tests(&filter));
    }
    if rust && filter.is_empty() {
        suite("browser half compiles", &|| {
            browser_half_compiles().map(|()| Tally {
                passed: 1,
                failed: 0,
            })
        });
    }
    if rust && e2e && filter.is_empty() {
        suite("download budget", &|| {
            budget::check().map(|()| Tally {
                passed: 1,
                failed: 0,
            })
        });
    }
    if e2e {
        // The whole run opens the site as it is shipped; a shorter one, the site that is built fastest.
        suite("end to end", &|| end_to_end(&filter, rust));
    }
    println!();
    for problem in &problems {
        println!("failed: {problem}");
    }
    // A suite that could not even start is a failure that no count shows.
    if !problems.is_empty() && total.failed == 0 {
        total.failed = 1;
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if !problems.is_empty() {
        bail!("not every suite passed");
    }
    Ok(())
}

/// The workspace's tests, with PostgreSQL where `HOLDPOINT_TEST_POSTGRES` names one.
fn rust_tests(filter: &[String]) -> Result<Tally> {
    let mut command = process::cargo();
    command.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    if filter.len() > 1 {
        bail!("cargo test takes one filter");
    }
    command.args(filter);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let mut tally = Tally::default();
    for line in BufReader::new(child.stdout.take().expect("piped above")).lines() {
        let line = line?;
        if let Some(one) = result_line(&line) {
            tally.add(one);
        }
        println!("{line}");
    }
    let status = child.wait()?;
    if !status.success() && tally.failed == 0 {
        bail!("`{}` failed ({status})", process::show(&command));
    }
    Ok(tally)
}

/// `test result: ok. 12 passed; 0 failed; 0 ignored; …`
fn result_line(line: &str) -> Option<Tally> {
    let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let mut tally = Tally::default();
    for part in counts.split("; ") {
        let (number, word) = part.split_once(' ')?;
        match word {
            "passed" => tally.passed = number.parse().ok()?,
            "failed" => tally.failed = number.parse().ok()?,
            _ => {}
        }
    }
    Some(tally)
}

fn browser_half_compiles() -> Result<()> {
    process::run(process::cargo().args([
        "check",
        "--locked",
        "--package",
        "holdpoint-browser",
        "--target",
        "wasm32-unknown-unknown",
    ]))
}

/// The journeys in a real browser against the real binary and the site it serves.
fn end_to_end(filter: &[String], as_shipped: bool) -> Result<Tally> {
    let options = if as_shipped {
        site::Options::release(process::target_dir().join("site-release"))
    } else {
        site::Options::quick("dev", process::target_dir().join("site-test"))
    };
    site::build(&options)?;
    let binary = binary(as_shipped)?;
    let here = process::root().join("end2end");
    if !here
        .join("node_modules/.package-lock.json")
        .is_file_newer_than(&here.join("package-lock.json"))
    {
        println!("installing Playwright and axe (npm, pinned, into end2end/node_modules)");
        process::run(
            Command::new("npm")
                .args(["ci", "--ignore-scripts", "--loglevel=error"])
                .current_dir(&here),
        )?;
    }
    let results = process::target_dir().join("xtask/playwright.json");
    fs::create_dir_all(results.parent().expect("a file lies in a folder"))?;
    if results.exists() {
        fs::remove_file(&results)?;
    }
    let mut command = Command::new(here.join("node_modules/.bin/playwright"));
    let status = command
        .arg("test")
        .args(filter)
        .current_dir(&here)
        .env("HOLDPOINT_BIN", &binary)
        .env("HOLDPOINT_SITE", &options.site)
        .env("PLAYWRIGHT_JSON_OUTPUT_NAME", &results)
        .status()
        .context("cannot start Playwright")?;
    let text = fs::read_to_string(&results)
        .with_context(|| format!("Playwright ({status}) wrote no results"))?;
    let tally = playwright_tally(&serde_json::from_str(&text)?);
    if !status.success() && tally.failed == 0 {
        bail!("Playwright failed ({status})");
    }
    Ok(tally)
}

/// What Playwright's JSON report counts; a test that passed only when tried again has failed.
fn playwright_tally(report: &Value) -> Tally {
    let count = |name: &str| report["stats"][name].as_u64().unwrap_or(0);
    Tally {
        passed: count("expected"),
        failed: count("unexpected") + count("flaky"),
    }
}

/// The binary; after the Rust suites it is asked for as they built it, so that nothing is compiled twice.
fn binary(after_tests: bool) -> Result<PathBuf> {
    if let Some(binary) = std::env::var_os("HOLDPOINT_BIN") {
        return Ok(PathBuf::from(binary));
    }
    let what: &[&str] = if after_tests {
        &["--workspace", "--bins", "--tests"]
    } else {
        &["--package", "holdpoint"]
    };
    process::run(process::cargo().args(["build", "--locked"]).args(what))?;
    Ok(process::target_dir().join("debug/holdpoint"))
}

trait FileAge {
    fn is_file_newer_than(&self, other: &Path) -> bool;
}

impl FileAge for Path {
    fn is_file_newer_than(&self, other: &Path) -> bool {
        let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
        matches!((changed(self), changed(other)), (Some(own), Some(others)) if own >= others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_s_result_line_is_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        let expected = Tally {
            passed: 12,
            failed: 3,
        };
        assert_eq!(result_line(line), Some(expected));
        assert_eq!(result_line("test a::b ... ok"), None);
    }

    #[test]
    fn a_flaky_journey_counts_as_failed() {
        let report = serde_json::json!({"stats": {"expected": 5, "unexpected": 1, "flaky": 2, "skipped": 4}});
        let expected = Tally {
            passed: 5,
            failed: 3,
        };
        assert_eq!(playwright_tally(&report), expected);
    }
}
