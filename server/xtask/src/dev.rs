//! `make dev`: build, serve, and again whenever a file changes.

use std::{
    fs,
    path::Path,
    process::{Child, Command},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{process, site};

const WATCHED: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "app",
    "server/Cargo.toml",
    "server/src",
    "server/crates",
    "migrations",
    "public",
    "style",
];

/// Runs until interrupted. A build that fails leaves the last good server running.
pub(crate) fn watch() -> Result<()> {
    let site = process::target_dir().join("site-dev");
    let mut server: Option<Child> = None;
    let mut seen = None;
    loop {
        let now = fingerprint();
        if seen.as_ref() != Some(&now) {
            seen = Some(now);
            match build(&site) {
                Ok(()) => {
                    if let Some(old) = server.take() {
                        stop(old)?;
                    }
                    server = Some(serve(&site)?);
                }
                Err(error) => eprintln!("xtask: {error:#}; waiting for a change"),
            }
        }
        thread::sleep(Duration::from_millis(400));
    }
}

fn build(site: &Path) -> Result<()> {
    process::run(process::cargo().args(["build", "--locked", "--package", "holdpoint"]))?;
    site::build(&site::Options::quick("dev", site.to_owned())).map(|_| ())
}

fn serve(site: &Path) -> Result<Child> {
    Command::new(process::target_dir().join("debug/holdpoint"))
        .current_dir(process::root())
        .args(["serve", "--data", "./data", "--listen", "127.0.0.1:3000"])
        .arg("--site")
        .arg(site)
        .spawn()
        .context("cannot start holdpoint")
}

/// Asks the server to finish its requests and waits until it has.
fn stop(mut server: Child) -> Result<()> {
    if server.try_wait()?.is_none() {
        process::run(Command::new("kill").arg(server.id().to_string()))?;
    }
    server.wait()?;
    Ok(())
}

/// Changes whenever a watched file does.
fn fingerprint() -> Vec<(std::path::PathBuf, Option<std::time::SystemTime>)> {
    let mut found = Vec::new();
    let mut open: Vec<_> = WATCHED
        .iter()
        .map(|name| process::root().join(name))
        .collect();
    while let Some(path) = open.pop() {
        if let Ok(entries) = fs::read_dir(&path) {
            open.extend(entries.flatten().map(|entry| entry.path()));
        } else {
            let changed = fs::metadata(&path).and_then(|data| data.modified()).ok();
            found.push((path, changed));
        }
    }
    found.sort();
    found
}
