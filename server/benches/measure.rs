//! `make bench`, second part: how fast pages are under load, asked of the real program. Prints a table; nothing here passes
//! or fails.

#![allow(
    clippy::allow_attributes,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that prints measurements and may stop at the first surprise"
)]

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}

/// The checklist page of the sample review, asked for by 50 connections at once.
fn pages() -> anyhow::Result<()> {
    let holdpoint = env!("CARGO_BIN_EXE_holdpoint");
    let folder = tempfile::tempdir()?;
    let loaded = Command::new(holdpoint)
        .args(["sample", "--json", "--data"])
        .arg(folder.path())
        .output()?;
    anyhow::ensure!(
        loaded.status.success(),
        "{}",
        String::from_utf8_lossy(&loaded.stderr)
    );
    let sample: serde_json::Value = serde_json::from_slice(&loaded.stdout)?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    drop(listener);
    let mut server = Command::new(holdpoint)
        .args(["serve", "--listen", &address.to_string(), "--data"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let measured = load(&format!("http://{address}"), &sample);
    server.kill()?;
    server.wait()?;
    measured
}

fn load(base: &str, sample: &serde_json::Value) -> anyhow::Result<()> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into();
    let until = Instant::now() + Duration::from_secs(30);
    while agent.get(format!("{base}/readyz")).call().is_err() {
        anyhow::ensure!(Instant::now() < until, "the server did not come up");
        std::thread::yield_now();
    }
    let person = &sample["people"][0];
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let answer = agent
        .post(format!("{base}/act/accounts/sign-in"))
        .header("Sec-Fetch-Site", "same-origin")
        .send_form([
            ("email", text(&person["email"])),
            ("password", text(&person["password"])),
        ])?;
    let cookie = answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .filter_map(|value| value.to_str().ok()?.split(';').next().map(str::to_owned))
        .collect::<Vec<_>>()
        .join("; ");
    anyhow::ensure!(
        !cookie.is_empty(),
        "signing in gave no session (status {})",
        answer.status()
    );
    let page = format!("{base}/reviews/{}/checklist", text(&sample["review"]));
    let begun = Instant::now();
    let threads: Vec<_> = (0..50)
        .map(|_| {
            let (page, cookie) = (page.clone(), cookie.clone());
            std::thread::spawn(move || {
                let agent: ureq::Agent = ureq::Agent::config_builder()
                    .max_redirects(0)
                    .build()
                    .into();
                (0..40)
                    .map(|_| {
                        let begun = Instant::now();
                        let mut answer = agent.get(&page).header("Cookie", &cookie).call().unwrap();
                        assert_eq!(answer.status(), 200);
                        assert!(
                            answer
                                .body_mut()
                                .read_to_string()
                                .unwrap()
                                .contains("2.5.2")
                        );
                        begun.elapsed()
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let mut took: Vec<Duration> = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect();
    let all = begun.elapsed();
    took.sort();
    println!(
        "\nchecklist page of the sample review, 50 connections, {} requests",
        took.len()
    );
    println!("{:<58} {:>9}", "p50", seconds(took[took.len() / 2]));
    println!("{:<58} {:>9}", "p95", seconds(took[took.len() * 95 / 100]));
    println!(
        "{:<58} {:>9.0}",
        "pages a second",
        took.len() as f64 / all.as_secs_f64()
    );
    Ok(())
}

fn main() -> anyhow::Result<()> {
    pages()
}
