use std::{
    fmt::Write as _,
    io::{Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use holdpoint_domain::{
    Digest,
    text::{Commit, Name, Slug},
};
use holdpoint_importers::{Completeness, Input, InputLimits, Report, files_in_zip, read};
use holdpoint_service::Limits;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Answer,
    client::{GroundMoved, Server, ServerFlags},
    terminal,
};

/// Scanner files.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Scan {
    /// Detect and read a scanner's file, without storing anything.
    Inspect(Inspect),
    /// Send scanner files to a server.
    Push(Push),
}

#[derive(Debug, clap::Args)]
pub(super) struct Inspect {
    /// The scanner's file; - for standard input.
    file: PathBuf,
    /// The format's name, to correct the detection.
    #[arg(long)]
    format: Option<String>,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Push {
    /// The scanner's files. Of a zip of several, as pipelines pack them, each is a scan of its own.
    #[arg(required = true)]
    file: Vec<PathBuf>,
    /// The service's short name.
    #[arg(long, value_name = "SLUG")]
    service: String,
    /// The label of the series; by default the tool's name with what the tool looked at where the file says so.
    #[arg(long, value_name = "NAME")]
    series: Option<String>,
    /// The commit that was scanned; by default what the file says.
    #[arg(long, value_name = "SHA")]
    commit: Option<String>,
    /// Only say what importing would change, and where new findings would belong.
    #[arg(long)]
    preview: bool,
    /// Import only what the preview with this ground showed; where something else would happen now, say what, and import
    /// nothing.
    #[arg(long, value_name = "DIGEST", conflicts_with = "preview")]
    ground: Option<String>,
    /// The format's name, to correct the detection.
    #[arg(long)]
    format: Option<String>,
    /// Print the server's answers as a JSON list.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerFlags,
}

impl Scan {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        match self {
            Self::Inspect(inspect) => inspect.run(),
            Self::Push(push) => push.run(),
        }
    }
}

impl Inspect {
    fn run(self) -> anyhow::Result<Answer> {
        let shown = self.file.display().to_string();
        let most = u64::try_from(Limits::default().scan_bytes).unwrap_or(u64::MAX);
        let bytes = terminal::read(&self.file, most)?;
        let report =
            read(&bytes, Some(&shown), self.format.as_deref()).with_context(|| shown.clone())?;
        drop(bytes);
        if self.json {
            terminal::json(&report)?;
        } else {
            terminal::text(&for_people(&report))?;
            for problem in &report.problems {
                super::say(&format!("{shown}: {}: {}", problem.where_, problem.message));
            }
        }
        Ok(Answer::Done)
    }
}

fn for_people(report: &Report) -> String {
    let line = terminal::line;
    let counts = report.counts();
    let version = report
        .tool
        .version
        .as_deref()
        .map(|version| format!(" {version}"))
        .unwrap_or_default();
    let mut text = String::new();
    writeln!(
        text,
        "{}: {}\n{} findings: {} critical, {} high, {} unrated, {} medium, {} low, {} info",
        report.format,
        line(&format!("{}{version}", report.tool.name)),
        counts.total(),
        counts.critical,
        counts.high,
        counts.unrated,
        counts.medium,
        counts.low,
        counts.info
    )
    .expect("a string takes all");
    if let Completeness::Incomplete { reason } = &report.completeness {
        writeln!(text, "incomplete: {}", line(reason)).expect("a string takes all");
    }
    for finding in &report.findings {
        let place = match (&finding.path, finding.start_line) {
            (Some(path), Some(start)) => format!("{path}:{start}"),
            (Some(path), None) => path.clone(),
            (None, _) => finding.component.clone().unwrap_or_default(),
        };
        let rule = finding.rule.as_deref().unwrap_or_default();
        let words = [finding.severity.as_str(), rule, &place, &finding.title];
        let words: Vec<_> = words
            .iter()
            .filter(|word| !word.is_empty())
            .map(|word| line(word))
            .collect();
        let status = if finding.status.is_open() {
            String::new()
        } else {
            format!(" ({})", finding.status)
        };
        writeln!(text, "  {}{status}", words.join("  ")).expect("a string takes all");
    }
    text
}

/// The part of an import's answer that people read.
#[derive(Deserialize)]
struct Outcome {
    repeated: bool,
    preview: bool,
    series: String,
    complete: bool,
    incomplete_because: Option<String>,
    changes: Changes,
    ground: Option<String>,
    mapping: Vec<Mapped>,
    problems: Vec<Problem>,
    listed: Vec<Listed>,
}

#[derive(Deserialize)]
struct Changes {
    new: i64,
    unchanged: i64,
    moved: i64,
    reopened: i64,
    fixed: i64,
}

/// What the rules link in a review.
#[derive(Deserialize)]
struct Mapped {
    release: String,
    items: Vec<MappedItem>,
    unmapped: i64,
    evidence: Vec<String>,
}

#[derive(Deserialize)]
struct MappedItem {
    key: String,
    title: String,
    findings: i64,
}

/// What an import would make of one finding.
#[derive(Deserialize)]
struct Listed {
    change: String,
    number: Option<i64>,
    title: String,
    severity: String,
    path: Option<String>,
    line: Option<i64>,
    was_line: Option<i64>,
    why: String,
}

#[derive(Deserialize)]
struct Problem {
    r#where: String,
    message: String,
}

impl Push {
    fn run(self) -> anyhow::Result<Answer> {
        let slug = Slug::parse(&self.service).context("option --service")?;
        if let Some(commit) = &self.commit {
            Commit::parse(commit).context("option --commit")?;
        }
        if let Some(series) = &self.series {
            Name::parse(series).context("option --series")?;
        }
        if let Some(ground) = &self.ground {
            Digest::parse(ground).context(
                "option --ground: this is no ground. Write the 64 hexadecimal digits that --preview printed",
            )?;
            ensure!(
                self.file.len() == 1,
                "option --ground: a ground is of one file. Push the others by themselves"
            );
        }
        let server = self.server.server()?;
        let mut answers = Vec::new();
        let mut failed: Option<anyhow::Error> = None;
        let mut refused = |shown: &str, error: anyhow::Error| {
            if let Some(earlier) = failed.replace(error.context(shown.to_owned())) {
                super::complain(&format!("{earlier:#}"));
            }
        };
        // A file that is refused does not keep the others out.
        for path in &self.file {
            let shown = path.display().to_string();
            let packed = match self.packed_in(path) {
                Ok(packed) => packed,
                Err(error) => {
                    refused(&shown, error);
                    continue;
                }
            };
            if packed.is_empty() {
                let report = std::fs::File::open(path)
                    .context("the file cannot be read")
                    .map(|file| (file, name_of(path)));
                let sent = report.and_then(|(file, name)| {
                    self.push(&server, slug.as_str(), &shown, &name, file, &mut answers)
                });
                if let Err(error) = sent {
                    refused(&shown, error);
                }
            }
            for (nth, name) in packed.iter().enumerate() {
                let shown = format!("{shown}: {}", terminal::line(name));
                let sent = unpacked(path, nth).and_then(|file| {
                    let name = name_of(Path::new(name));
                    self.push(&server, slug.as_str(), &shown, &name, file, &mut answers)
                });
                if let Err(error) = sent {
                    refused(&shown, error);
                }
            }
        }
        if self.json {
            terminal::json(&answers)?;
        }
        match failed {
            None => Ok(Answer::Done),
            Some(error) => Err(error),
        }
    }

    /// The names of the reports in a zip of several, each of which is a scan of its own; none of any other file, which the server
    /// unpacks itself.
    fn packed_in(&self, path: &Path) -> anyhow::Result<Vec<String>> {
        let names = files_in_zip(&path)?;
        if names.len() < 2 {
            return Ok(Vec::new());
        }
        ensure!(
            self.ground.is_none(),
            "option --ground: a ground is of one file, and this archive has {}. Push them by themselves",
            names.len()
        );
        Ok(names)
    }

    fn push(
        &self,
        server: &Server,
        slug: &str,
        shown: &str,
        name: &str,
        file: std::fs::File,
        answers: &mut Vec<Value>,
    ) -> anyhow::Result<()> {
        let parameters = [
            ("series", self.series.as_deref().unwrap_or_default()),
            ("commit", self.commit.as_deref().unwrap_or_default()),
            ("preview", if self.preview { "true" } else { "" }),
            ("ground", self.ground.as_deref().unwrap_or_default()),
            ("format", self.format.as_deref().unwrap_or_default()),
            ("file_name", name),
        ];
        match server.post_file(&format!("/services/{slug}/scans"), &parameters, file) {
            Ok(response) => {
                let answer = server.json(response)?;
                self.tell(shown, &answer)?;
                answers.push(answer);
                Ok(())
            }
            Err(error) => {
                if let Some(GroundMoved { preview, .. }) = error.downcast_ref() {
                    self.tell(shown, preview)?;
                    answers.push(preview.clone());
                }
                Err(error)
            }
        }
    }

    fn tell(&self, shown: &str, answer: &Value) -> anyhow::Result<()> {
        let outcome = Outcome::deserialize(answer).context("the server's answer cannot be read")?;
        if !self.json {
            terminal::text(&format!("{}\n", said(shown, &outcome)))?;
            if outcome.preview {
                terminal::text(&previewed(&outcome))?;
            }
        }
        for problem in &outcome.problems {
            super::say(&format!(
                "{shown}: {}: {}",
                problem.r#where, problem.message
            ));
        }
        Ok(())
    }
}

fn name_of(path: &Path) -> String {
    let name = path.file_name();
    name.map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// A file of a zip, unpacked to a temporary one.
fn unpacked(path: &Path, nth: usize) -> anyhow::Result<std::fs::File> {
    let limits = InputLimits {
        unpacked_bytes: u64::try_from(Limits::default().scan_bytes).unwrap_or(u64::MAX),
        ..InputLimits::default()
    };
    let mut packed = Input::open_in_zip(&path, limits, nth)?;
    let mut file = tempfile::tempfile().context("no temporary file can be made")?;
    std::io::copy(&mut packed, &mut file).context("the file cannot be unpacked")?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn said(shown: &str, outcome: &Outcome) -> String {
    let Outcome {
        repeated,
        preview,
        series,
        complete,
        incomplete_because,
        changes,
        ..
    } = outcome;
    let path = terminal::line(shown);
    let series = terminal::line(series);
    if *repeated {
        return format!(
            "{path}: this file is the newest scan of the series {series} already; nothing was changed"
        );
    }
    let Changes {
        new,
        unchanged,
        moved,
        reopened,
        fixed,
    } = changes;
    let word = if *preview { "would import" } else { "imported" };
    let incomplete = match incomplete_because {
        _ if *complete => String::new(),
        Some(reason) => format!(" (incomplete: {})", terminal::line(reason)),
        None => " (incomplete)".to_owned(),
    };
    format!(
        "{path}: {word} into {series}{incomplete}: {new} new, {unchanged} unchanged, {moved} moved, {reopened} reopened, {fixed} fixed"
    )
}

/// What a preview lists beside its counts: each change and what stays, what the rules would link, and its ground.
fn previewed(outcome: &Outcome) -> String {
    let Changes {
        new,
        unchanged,
        moved,
        reopened,
        fixed,
    } = outcome.changes;
    let mut text = String::new();
    for (change, words, count) in [
        ("new", "new", Some(new)),
        ("reopened", "reopened", Some(reopened)),
        ("fixed", "fixed", Some(fixed)),
        ("no_longer_seen", "no longer seen", None),
        ("moved", "moved", Some(moved)),
        ("unchanged", "unchanged", Some(unchanged)),
    ] {
        list_changes(&mut text, outcome, change, words, count);
    }
    for mapped in &outcome.mapping {
        list_mapping(&mut text, mapped);
    }
    if let Some(ground) = &outcome.ground {
        writeln!(text, "  ground {}", terminal::line(ground)).expect("a string takes all");
    }
    text
}

/// The server lists the worst of each kind; how many it leaves out is known where it counts them.
fn list_changes(
    text: &mut String,
    outcome: &Outcome,
    change: &str,
    words: &str,
    count: Option<i64>,
) {
    let listed: Vec<_> = outcome
        .listed
        .iter()
        .filter(|listed| listed.change == change)
        .collect();
    if listed.is_empty() {
        return;
    }
    writeln!(text, "  {words}").expect("a string takes all");
    for listed in &listed {
        let number = listed.number.map(|number| format!("F-{number}"));
        let was = listed.was_line.filter(|was| Some(*was) != listed.line);
        let place = match (&listed.path, listed.line, was) {
            (Some(path), Some(line), Some(was)) => format!("{path}:{line} (was {was})"),
            (Some(path), Some(line), None) => format!("{path}:{line}"),
            (Some(path), None, _) => path.clone(),
            (None, ..) => String::new(),
        };
        let why = Some(&listed.why)
            .filter(|why| !why.is_empty())
            .map(|why| format!("({why})"));
        let words = [
            &listed.severity,
            &number.unwrap_or_default(),
            &place,
            &listed.title,
            &why.unwrap_or_default(),
        ];
        let words: Vec<_> = words
            .iter()
            .filter(|word| !word.is_empty())
            .map(|word| terminal::line(word))
            .collect();
        writeln!(text, "    {}", words.join("  ")).expect("a string takes all");
    }
    let n_listed = i64::try_from(listed.len()).unwrap_or(i64::MAX);
    if let Some(more) = count.map(|count| count - n_listed).filter(|more| *more > 0) {
        writeln!(text, "    and {more} more").expect("a string takes all");
    }
}

fn list_mapping(text: &mut String, mapped: &Mapped) {
    let Mapped {
        release,
        items,
        unmapped,
        evidence,
    } = mapped;
    if items.is_empty() && evidence.is_empty() && *unmapped == 0 {
        return;
    }
    writeln!(text, "  mapping for {}", terminal::line(release)).expect("a string takes all");
    for item in items {
        let name = terminal::line(&format!("{} {}", item.key, item.title));
        writeln!(text, "    {name}: {}", item.findings).expect("a string takes all");
    }
    if *unmapped > 0 {
        writeln!(text, "    without an item: {unmapped}").expect("a string takes all");
    }
    if !evidence.is_empty() {
        let keys = terminal::line(&evidence.join(", "));
        writeln!(text, "    evidence of a clean scan for: {keys}").expect("a string takes all");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_preview_lists_changes_and_mapping_and_says_how_many_it_leaves_out() {
        let listed = |change: &str, number: Option<i64>, line: i64, was: Option<i64>| {
            json!({ "change": change, "finding": null, "number": number, "title": "A \u{1b}[31mtitle",
                "severity": "high", "path": "src/exec.go", "line": line, "was_line": was, "why": "" })
        };
        let outcome: Outcome = serde_json::from_value(json!({
            "repeated": false, "preview": true, "series": "gocheck", "complete": true,
            "incomplete_because": null,
            "changes": { "new": 240, "unchanged": 7, "moved": 1, "reopened": 0, "fixed": 1 },
            "ground": "ab12", "problems": [],
            "listed": [
                listed("new", None, 12, None),
                listed("moved", Some(3), 14, Some(9)),
                listed("no_longer_seen", Some(4), 20, Some(20)),
                listed("fixed", Some(5), 30, None),
                { "change": "unchanged", "finding": "f", "number": 6, "title": "Same", "severity": "low", "path": null,
                  "line": null, "was_line": null, "why": "same as F-6: rule, file and snippet are equal" },
            ],
            "mapping": [
                { "review": "r", "release": "v1", "unmapped": 2, "evidence": ["2.1.1", "2.4.1"],
                  "items": [{ "item": "i", "key": "2.1.2", "title": "Errors", "findings": 238 }] },
                { "review": "s", "release": "v2", "unmapped": 0, "evidence": [], "items": [] }
            ]
        }))
        .unwrap();
        assert_eq!(
            previewed(&outcome),
            "  new\n    high  src/exec.go:12  A \\u{1b}[31mtitle\n    and 239 more\n\
             \x20 fixed\n    high  F-5  src/exec.go:30  A \\u{1b}[31mtitle\n\
             \x20 no longer seen\n    high  F-4  src/exec.go:20  A \\u{1b}[31mtitle\n\
             \x20 moved\n    high  F-3  src/exec.go:14 (was 9)  A \\u{1b}[31mtitle\n\
             \x20 unchanged\n    low  F-6  Same  (same as F-6: rule, file and snippet are equal)\n    and 6 more\n\
             \x20 mapping for v1\n    2.1.2 Errors: 238\n    without an item: 2\n\
             \x20   evidence of a clean scan for: 2.1.1, 2.4.1\n  ground ab12\n"
        );
    }
}
