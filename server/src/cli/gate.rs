use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::bail;
use holdpoint_domain::Outcome;
use holdpoint_service::standing::ReleaseDecision;
use serde::{Deserialize, Serialize};

use super::{
    Answer,
    client::{self, ServerFlags},
    terminal,
};

/// Ask a server whether a release may go: exit code 0 for GO and GO WITH WAIVERS, 1 for NO-GO, 2 for an error.
#[derive(Debug, clap::Args)]
pub(super) struct Gate {
    /// The review: its id, or the address of its page.
    review: String,
    /// Print the server's answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerFlags,
}

/// The part of the server's answer that people read; the rest goes through to `--json` as it came.
#[derive(Deserialize, Serialize)]
struct Verdict {
    review: Review,
    outcome: String,
    reasons: Vec<Reason>,
    /// How many there are of each kind, of which the server names the first.
    #[serde(default)]
    n_reasons: BTreeMap<String, usize>,
    waivers: Vec<Reason>,
    #[serde(default)]
    void_decision: Option<VoidDecision>,
    /// Older servers give none.
    #[serde(default)]
    checkpoint: Option<String>,
    #[serde(default)]
    n_waivers: BTreeMap<String, usize>,
    /// Of a server that names every reason there is none.
    #[serde(default)]
    more: Vec<More>,
}

/// What was decided and does not stand any more.
#[derive(Deserialize, Serialize)]
struct VoidDecision {
    decision: String,
    at: String,
    by: Vec<String>,
}

/// Findings that the server only counts.
#[derive(Deserialize, Serialize)]
struct More {
    is_waiver: bool,
    n: usize,
    /// The list that has them.
    next: String,
}

#[derive(Deserialize, Serialize)]
struct Review {
    service: String,
    title: String,
    release: String,
}

#[derive(Deserialize, Serialize)]
struct Reason {
    title: String,
    why: String,
    who: Vec<String>,
    url: String,
}

impl Gate {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let id = client::review(&self.review)?;
        let server = self.server.server()?;
        let answer: serde_json::Value = server.json(server.get(&format!("/reviews/{id}/gate"))?)?;
        let Ok(verdict) = Verdict::deserialize(&answer) else {
            bail!(
                "the server's verdict cannot be read. Use the `holdpoint` of the server's version"
            );
        };
        // A word that is not known here must not let anything through.
        let Some(outcome) = Outcome::parse(&verdict.outcome) else {
            bail!(
                "the server's verdict is {:?}, which is not known here. Use the `holdpoint` of the server's version",
                verdict.outcome
            );
        };
        if self.json {
            terminal::json(&answer)?;
        } else {
            terminal::text(&for_people(&verdict, outcome))?;
        }
        Ok(match outcome {
            Outcome::Go | Outcome::GoWithWaivers => Answer::Done,
            Outcome::NoGo => Answer::No,
        })
    }
}

/// How many reasons people are told: a log is read by them too.
const MOST_LISTED: usize = 100;

fn for_people(verdict: &Verdict, outcome: Outcome) -> String {
    let Verdict {
        review,
        reasons,
        n_reasons,
        waivers,
        checkpoint,
        n_waivers,
        more,
        void_decision,
        ..
    } = verdict;
    let line = terminal::line;
    let mut text = String::new();
    let of = format!("{} {}, {}", review.service, review.release, review.title);
    writeln!(text, "{}: {}", outcome.label(), line(&of)).expect("a string takes all");
    if let Some(void) = void_decision {
        let decision = ReleaseDecision::parse(&void.decision);
        writeln!(
            text,
            "  The {} of {} ({}) holds no more: the review has changed since.",
            decision.map_or(line(&void.decision), |decision| decision.label().into()),
            line(&void.at),
            line(&void.by.join(", "))
        )
        .expect("a string takes all");
    }
    for (word, reasons, counts, are_waivers) in [
        ("", reasons, n_reasons, false),
        ("without ", waivers, n_waivers, true),
    ] {
        for reason in reasons.iter().take(MOST_LISTED) {
            let who = reason.who.join(", ");
            writeln!(
                text,
                "  {word}{}: {} Can be cleared by {}.\n    {}",
                line(&reason.title).trim_end_matches('.'),
                line(&reason.why),
                line(&who),
                line(&reason.url)
            )
            .expect("a string takes all");
        }
        let more = || more.iter().filter(|more| more.is_waiver == are_waivers);
        // The counts are of all: what the lists below have is told there.
        let n_listed_there: usize = more().map(|more| more.n).sum();
        let n_all = counts.values().sum::<usize>();
        let n_here = n_all.saturating_sub(n_listed_there).max(reasons.len());
        let n_more = n_here.saturating_sub(reasons.len().min(MOST_LISTED));
        if n_more > 0 {
            writeln!(
                text,
                "  {word}{n_more} more, on the review's readiness page"
            )
            .expect("a string takes all");
        }
        for more in more() {
            let finding = if more.n == 1 { "finding" } else { "findings" };
            writeln!(
                text,
                "  {word}{} more {finding}, listed at\n    {}",
                more.n,
                line(&more.next)
            )
            .expect("a string takes all");
        }
    }
    if let Some(checkpoint) = checkpoint {
        // The log of a pipeline is a copy of it that nobody at the server can change.
        text.push_str("The activity log, for `holdpoint log verify --against`:\n");
        for head in checkpoint.lines() {
            writeln!(text, "  {}", line(head)).expect("a string takes all");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_the_first_reasons_and_how_many_more_there_are() {
        /// Of so many findings the server only counts the last, as it does.
        const N_COUNTED: usize = 19_900;
        let told = |n: usize| {
            let reason = |at| Reason {
                title: format!("F-{at} A map is shared."),
                why: "High, open.".to_owned(),
                who: vec!["a contributor".to_owned()],
                url: format!("https://example.org/findings/{at}"),
            };
            let verdict = Verdict {
                review: Review {
                    service: "Market Maker".to_owned(),
                    title: "Review".to_owned(),
                    release: "v1".to_owned(),
                },
                outcome: "no_go".to_owned(),
                reasons: (0..n).map(reason).collect(),
                n_reasons: BTreeMap::from([("finding_open".to_owned(), n + N_COUNTED)]),
                waivers: Vec::new(),
                void_decision: Some(VoidDecision {
                    decision: "go".to_owned(),
                    at: "2026-12-01T12:49:00Z".to_owned(),
                    by: vec!["Priya".to_owned(), "Max".to_owned()],
                }),
                checkpoint: None,
                n_waivers: BTreeMap::new(),
                more: vec![More {
                    is_waiver: false,
                    n: N_COUNTED,
                    next: "https://example.org/api/v1/reviews/1/findings?status=open".to_owned(),
                }],
            };
            for_people(&verdict, Outcome::NoGo)
        };
        let some = told(2);
        assert!(
            some.contains("  F-1 A map is shared: High, open. Can be cleared by a contributor.\n")
        );
        assert!(!told(MOST_LISTED).contains("more, on"));
        let many = told(MOST_LISTED + 107);
        assert!(
            many.contains("  107 more, on the review's readiness page\n"),
            "{many}"
        );
        // What the server only counts is told with the list that has it.
        assert!(
            many.ends_with(
                "  19900 more findings, listed at\n    https://example.org/api/v1/reviews/1/findings?status=open\n"
            ),
            "{many}"
        );
        assert!(many.contains(
            "  The GO of 2026-12-01T12:49:00Z (Priya, Max) holds no more: the review has changed since.\n"
        ));
        assert_eq!(many.lines().count(), 5 + 2 * MOST_LISTED);
    }
}
