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
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

#[path = "../crates/service/benches/generated/mod.rs"]
mod generated;

use generated::sarif;

/// A browser that follows no redirect and takes every answer.
fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into()
}

/// The real program, on a port of its own; its site is the one that `HOLDPOINT_SITE` names.
struct Server {
    process: Child,
    base: String,
}

impl Server {
    fn start(data: &Path) -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        drop(listener);
        let mut process = Command::new(env!("CARGO_BIN_EXE_holdpoint"))
            .args(["serve", "--listen", &address.to_string(), "--data"])
            .arg(data)
            .env("HOLDPOINT_LOG", "error")
            .stdout(Stdio::null())
            .spawn()?;
        let base = format!("http://{address}");
        let agent = agent();
        while agent.get(format!("{base}/readyz")).call().is_err() {
            if let Some(ended) = process.try_wait()? {
                anyhow::bail!("the server ended: {ended}");
            }
            std::thread::yield_now();
        }
        Ok(Self { process, base })
    }

    fn stop(&mut self) -> std::io::Result<()> {
        self.process.kill()?;
        self.process.wait().map(drop)
    }
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The cookie of a session of one of the sample's people.
fn sign_in(base: &str, person: &serde_json::Value) -> anyhow::Result<String> {
    let answer = agent()
        .post(format!("{base}/act/sign-in"))
        .header("Sec-Fetch-Site", "same-origin")
        .send_form([
            ("email", text(&person["email"])),
            ("password", text(&person["password"])),
        ])?;
    let cookies = answer.headers().get_all("set-cookie");
    let cookie = cookies
        .iter()
        .filter_map(|value| value.to_str().ok()?.split(';').next().map(str::to_owned))
        .collect::<Vec<_>>()
        .join("; ");
    anyhow::ensure!(
        !cookie.is_empty(),
        "signing in gave no session (status {})",
        answer.status()
    );
    Ok(cookie)
}

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
    let mut server = Server::start(folder.path())?;
    let measured = load(&server.base, &sample);
    server.stop()?;
    measured
}

fn load(base: &str, sample: &serde_json::Value) -> anyhow::Result<()> {
    let cookie = sign_in(base, &sample["people"][0])?;
    let page = format!("{base}/reviews/{}/checklist", text(&sample["review"]));
    let begun = Instant::now();
    let threads: Vec<_> = (0..50)
        .map(|_| {
            let (page, cookie) = (page.clone(), cookie.clone());
            std::thread::spawn(move || {
                let agent = agent();
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

const PAGES: [(&str, &str); 7] = [
    ("readiness", ""),
    ("checklist", "/checklist"),
    ("scans", "/scans"),
    ("sign-off", "/sign-off"),
    ("report", "/report"),
    ("findings.sarif of the report", "/findings.sarif"),
    ("SARIF of the list of findings", "/findings/export.sarif"),
];

/// How long each page took that was measured, by its name.
type Times = Vec<(String, Duration)>;

/// What was measured of a review with so many findings.
struct Measured {
    /// The p95 of the list of findings in each order.
    orders: Times,
    /// The longest of five visits of each other page, the first visit after the import among them.
    pages: Times,
}

/// How long pages take at 1,000 and at 100,000 findings, the list in every order, through the real server.
fn findings_page() -> anyhow::Result<()> {
    let small = findings_of(1_000)?;
    let large = findings_of(100_000)?;
    println!("\nfindings page, p95 of the first page and the ten after it");
    side_by_side("order", small.orders, large.orders);
    println!("\nother pages of the review, the longest of five visits");
    side_by_side("page", small.pages, large.pages);
    Ok(())
}

fn side_by_side(of: &str, small: Times, large: Times) {
    println!("{of:<58} {:>9} {:>9} {:>6}", "1,000", "100,000", "ratio");
    for ((name, small), (_, large)) in small.into_iter().zip(large) {
        let ratio = large.as_secs_f64() / small.as_secs_f64();
        println!(
            "{name:<58} {:>9} {:>9} {ratio:>6.2}",
            seconds(small),
            seconds(large)
        );
    }
}

/// A server with a review that has this many findings, by an import of a generated file.
fn findings_of(n: usize) -> anyhow::Result<Measured> {
    let instance = Instance::with_sample()?;
    let mut server = Server::start(instance.folder.path())?;
    let Instance {
        review,
        manager,
        token,
        ..
    } = &instance;
    let measured = pages_of_review(&server.base, review, manager, token, n);
    server.stop()?;
    measured
}

/// A data folder with the sample review, and whoever manages it.
struct Instance {
    folder: tempfile::TempDir,
    review: String,
    manager: serde_json::Value,
    token: String,
}

impl Instance {
    fn with_sample() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let run = |arguments: &[&str]| -> anyhow::Result<String> {
            let ran = Command::new(env!("CARGO_BIN_EXE_holdpoint"))
                .args(arguments)
                .arg("--data")
                .arg(folder.path())
                .output()?;
            anyhow::ensure!(
                ran.status.success(),
                "{}",
                String::from_utf8_lossy(&ran.stderr)
            );
            Ok(String::from_utf8(ran.stdout)?)
        };
        let sample: serde_json::Value = serde_json::from_str(&run(&["sample", "--json"])?)?;
        let people = sample["people"].as_array().cloned().unwrap_or_default();
        let part = |part: &str| people.iter().find(|person| person["part"] == part);
        let manager = part("Manager")
            .or(people.last())
            .cloned()
            .unwrap_or_default();
        let email = text(&manager["email"]);
        let token = run(&[
            "token",
            "create",
            "--email",
            &email,
            "--scope",
            "import_scans,manage",
        ])?;
        Ok(Self {
            review: text(&sample["review"]),
            manager,
            token: token.trim().to_owned(),
            folder,
        })
    }
}

fn pages_of_review(
    base: &str,
    review: &str,
    person: &serde_json::Value,
    token: &str,
    n: usize,
) -> anyhow::Result<Measured> {
    let agent = agent();
    let authorization = format!("Bearer {}", token.trim());
    let mut found = agent
        .get(format!("{base}/api/v1/reviews/{review}"))
        .header("Authorization", &authorization)
        .call()?;
    let found: serde_json::Value = serde_json::from_str(&found.body_mut().read_to_string()?)?;
    let service = text(&found["service"]);
    let imported = agent
        .post(format!(
            "{base}/api/v1/services/{service}/scans?series=bench"
        ))
        .header("Authorization", &authorization)
        .send(&sarif(n, 0, 0, 0)[..])?;
    anyhow::ensure!(
        imported.status() == 201,
        "importing {n} findings into {service:?} gave status {}",
        imported.status()
    );
    let cookie = sign_in(base, person)?;
    let page = |address: &str| -> anyhow::Result<(Duration, String)> {
        let begun = Instant::now();
        let mut answer = agent
            .get(format!("{base}{address}"))
            .header("Cookie", &cookie)
            .call()?;
        // A file of a hundred thousand findings is larger than what is usually read.
        let body = answer.body_mut().with_config().limit(1 << 30);
        let body = body.read_to_string()?;
        anyhow::ensure!(answer.status() == 200, "{address}: {}", answer.status());
        Ok((begun.elapsed(), body))
    };
    let mut pages = Vec::new();
    for (name, part) in PAGES {
        let mut longest = Duration::ZERO;
        for _ in 0..5 {
            longest = longest.max(page(&format!("/reviews/{review}{part}"))?.0);
        }
        pages.push((name.to_owned(), longest));
    }
    let mut orders = Vec::new();
    for (_, word) in holdpoint_service::FindingSort::ALL {
        let first = format!("/reviews/{review}/findings?sort={word}");
        page(&first)?;
        let mut took = Vec::new();
        for _ in 0..12 {
            let mut address = first.clone();
            for _ in 0..11 {
                let (time, body) = page(&address)?;
                took.push(time);
                let next = body.split("<a ").find(|link| link.contains("rel=\"next\""));
                let href = next.and_then(|link| link.split("href=\"").nth(1)?.split('"').next());
                let href = href.ok_or_else(|| anyhow::anyhow!("{address}: no next page"))?;
                address = href.replace("&amp;", "&");
            }
        }
        took.sort();
        orders.push(((*word).to_owned(), took[took.len() * 95 / 100]));
    }
    Ok(Measured { orders, pages })
}

/// The most memory that a process has held, in MiB, since the last [`forget_peak`].
fn peak_mib(process: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kib.ok_or_else(|| anyhow::anyhow!("no VmHWM in the status of {process}"))? / 1024.0)
}

/// Lets the peak be what is held now.
fn forget_peak(process: u32) -> anyhow::Result<()> {
    Ok(std::fs::write(format!("/proc/{process}/clear_refs"), "5")?)
}

/// What a person asks for once there are many reviews of a service with many findings, and what they ask it by.
const HEAVY: [(&str, &str); 6] = [
    ("portfolio", "/"),
    ("page of the service", "/services/{service}"),
    ("readiness page", "/reviews/{review}"),
    ("gate", "/api/v1/reviews/{review}/gate"),
    ("sign-off page", "/reviews/{review}/sign-off"),
    ("bundle", "/reviews/{review}/bundle.zip"),
];

/// The server's peak memory for each of the heavy pages and answers, on SQLite; `reviews` and `findings` say how many there are.
fn memory(reviews: usize, findings: usize) -> anyhow::Result<()> {
    let instance = Instance::with_sample()?;
    let mut server = Server::start(instance.folder.path())?;
    let measured = memory_of(&server, &instance, reviews, findings);
    server.stop()?;
    measured
}

fn memory_of(
    server: &Server,
    instance: &Instance,
    reviews: usize,
    findings: usize,
) -> anyhow::Result<()> {
    let agent = agent();
    let authorization = format!("Bearer {}", instance.token);
    let get = |address: &str| -> anyhow::Result<serde_json::Value> {
        let mut answer = agent
            .get(format!("{}/api/v1{address}", server.base))
            .header("Authorization", &authorization)
            .call()?;
        Ok(serde_json::from_str(&answer.body_mut().read_to_string()?)?)
    };
    let review = get(&format!("/reviews/{}", instance.review))?;
    let (service, template) = (text(&review["service"]), text(&review["template"]["id"]));
    for n in 1..reviews {
        let new = serde_json::json!({
            "template": template, "title": format!("Bench {n}"), "release": format!("v9.{n}")
        });
        let made = agent
            .post(format!("{}/api/v1/services/{service}/reviews", server.base))
            .header("Authorization", &authorization)
            .header("Content-Type", "application/json")
            .send(new.to_string())?;
        anyhow::ensure!(
            made.status() == 201,
            "beginning a review: {}",
            made.status()
        );
    }
    let imported = agent
        .post(format!(
            "{}/api/v1/services/{service}/scans?series=bench",
            server.base
        ))
        .header("Authorization", &authorization)
        .send(&sarif(findings, 0, 0, 0)[..])?;
    anyhow::ensure!(imported.status() == 201, "importing: {}", imported.status());
    let cookie = sign_in(&server.base, &instance.manager)?;
    // A bundle is of a decided release.
    let basis = get(&format!("/reviews/{}", instance.review))?;
    let signed = agent
        .post(format!("{}/act/reviews/sign", server.base))
        .header("Sec-Fetch-Site", "same-origin")
        .header("Accept", "text/html")
        .header("Cookie", &cookie)
        .send_form([
            ("review", instance.review.clone()),
            ("decision", "no_go".to_owned()),
            ("statement", "There is too much open.".to_owned()),
            ("basis", text(&basis["release_decision"]["basis"])),
            ("password", text(&instance.manager["password"])),
        ])?;
    anyhow::ensure!(
        signed.status().is_redirection(),
        "signing: {}",
        signed.status()
    );
    println!("\npeak memory at {reviews} reviews and {findings} findings (SQLite)");
    println!("{:<58} {:>9} {:>9}", "answer", "peak", "takes");
    for (name, address) in HEAVY {
        let address = address
            .replace("{service}", &service)
            .replace("{review}", &instance.review);
        forget_peak(server.process.id())?;
        let begun = Instant::now();
        let request = agent.get(format!("{}{address}", server.base));
        let mut answer = if address.starts_with("/api/") {
            request.header("Authorization", &authorization)
        } else {
            request.header("Cookie", &cookie)
        }
        .call()?;
        anyhow::ensure!(answer.status() == 200, "{address}: {}", answer.status());
        std::io::copy(&mut answer.body_mut().as_reader(), &mut std::io::sink())?;
        let took = begun.elapsed();
        let peak = peak_mib(server.process.id())?;
        println!("{name:<58} {peak:>5.0} MiB {:>9}", seconds(took));
    }
    Ok(())
}

fn main() -> anyhow::Result<()> {
    if std::env::args().nth(1).as_deref() == Some("memory") {
        let number = |place| {
            std::env::args()
                .nth(place)
                .and_then(|text| text.parse().ok())
        };
        return memory(number(2).unwrap_or(25), number(3).unwrap_or(20_000));
    }
    if std::env::args().nth(1).as_deref() == Some("findings-page") {
        return findings_page();
    }
    pages()?;
    findings_page()?;
    memory(25, 20_000)
}
