use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use holdpoint_domain::text::{Commit, Name, Slug};
use holdpoint_importers::{Completeness, Report, read};
use holdpoint_service::Limits;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Answer,
    client::{Server, ServerFlags},
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
    /// The scanner's files.
    #[arg(required = true)]
    file: Vec<PathBuf>,
    /// The service's short name.
    #[arg(long, value_name = "SLUG")]
    service: String,
    /// The label of the series; by default the tool's name.
    #[arg(long, value_name = "NAME")]
    series: Option<String>,
    /// The commit that was scanned; by default what the file says.
    #[arg(long, value_name = "SHA")]
    commit: Option<String>,
    /// Only say what importing would change.
    #[arg(long)]
    preview: bool,
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
        "{}: {}\n{} findings: {} critical, {} high, {} medium, {} low, {} info",
        report.format,
        line(&format!("{}{version}", report.tool.name)),
        counts.total(),
        counts.critical,
        counts.high,
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
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Changes {
    new: i64,
    unchanged: i64,
    moved: i64,
    reopened: i64,
    fixed: i64,
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
        let server = self.server.server()?;
        let mut answers = Vec::new();
        let mut failed = None;
        // A file that is refused does not keep the others out.
        for file in &self.file {
            match self.push(&server, slug.as_str(), file) {
                Ok(answer) => answers.push(answer),
                Err(error) => {
                    let error = error.context(file.display().to_string());
                    if let Some(earlier) = failed.replace(error) {
                        super::complain(&format!("{earlier:#}"));
                    }
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

    fn push(&self, server: &Server, slug: &str, path: &Path) -> anyhow::Result<Value> {
        let file = std::fs::File::open(path).context("the file cannot be read")?;
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let parameters = [
            ("series", self.series.as_deref().unwrap_or_default()),
            ("commit", self.commit.as_deref().unwrap_or_default()),
            ("preview", if self.preview { "true" } else { "" }),
            ("format", self.format.as_deref().unwrap_or_default()),
            ("file_name", &name),
        ];
        let response = server.post_file(&format!("/services/{slug}/scans"), &parameters, file)?;
        let answer: Value = server.json(response)?;
        let outcome =
            Outcome::deserialize(&answer).context("the server's answer cannot be read")?;
        if !self.json {
            terminal::text(&format!("{}\n", said(path, &outcome)))?;
        }
        for problem in &outcome.problems {
            super::say(&format!(
                "{}: {}: {}",
                path.display(),
                problem.r#where,
                problem.message
            ));
        }
        Ok(answer)
    }
}

fn said(path: &Path, outcome: &Outcome) -> String {
    let Outcome {
        repeated,
        preview,
        series,
        complete,
        incomplete_because,
        changes,
        ..
    } = outcome;
    let path = terminal::line(&path.display().to_string());
    let series = terminal::line(series);
    if *repeated {
        return format!("{path}: this file is in the series {series} already; nothing was changed");
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
