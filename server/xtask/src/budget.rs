//! What a first visit costs: the shipped site's sizes after brotli, against the budget.

use std::fs;

use anyhow::{Result, bail};

use crate::{process, site};

const SCRIPT_AND_WASM: usize = 100 * 1024;
const STYLE: usize = 25 * 1024;

/// Builds the site as shipped, prints its sizes and fails over the budget.
pub(crate) fn check() -> Result<()> {
    let options = site::Options::release(process::target_dir().join("site-release"));
    let mut script_and_wasm = 0;
    let mut style = 0;
    for file in site::build(&options)? {
        let Some(extension) = file.extension().and_then(|extension| extension.to_str()) else {
            continue;
        };
        let sum = match extension {
            "js" | "wasm" => &mut script_and_wasm,
            "css" => &mut style,
            _ => continue,
        };
        let bytes = fs::read(&file)?;
        let short = site::brotli(&bytes)?.len();
        *sum += short;
        println!(
            "{:>9} bytes, {:>8} after brotli: {extension}",
            bytes.len(),
            short
        );
    }
    let sums = [
        ("JS + wasm", script_and_wasm, SCRIPT_AND_WASM),
        ("CSS", style, STYLE),
    ];
    let mut over = Vec::new();
    for (what, size, limit) in sums {
        println!("{what}: {size} bytes after brotli, of {limit}");
        if size > limit {
            over.push(format!("{what} is {} bytes over its budget", size - limit));
        }
        if size == 0 {
            over.push(format!("{what} is missing from the site"));
        }
    }
    if !over.is_empty() {
        bail!("{}", over.join("; "));
    }
    Ok(())
}
