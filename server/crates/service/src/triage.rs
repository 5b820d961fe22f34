//! Triage: what people decide about findings, about one and about many, and taking a decision about many back.
//!
//! A finding has one state. Scans set *fixed* and *reopened* for scanner findings; people set the rest, and no scan
//! overwrites what they decided. Accepting a risk is asked for by one person and approved by another, until a date, and
//! holds as long as the finding says what it said then. Where a finding is of a severity that one of the service's reviews
//! calls blocking, whatever else takes it out of *open* is asked for and approved in the same way. Decisions about many
//! findings go by the same rules.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_domain::{
    FindingId, FindingStatus, ItemId, Millis, ReviewId, ServiceId, TriageBatchId,
    four_eyes::{Account, SameEyes},
    person::Action,
    text::{Date, Reason},
    triage::{self, Blocking, Request},
};
use holdpoint_storage::{
    FindingFilter, FindingToTriage, NewTriageBatch, TriageBatch, TriageState, Tx,
};

use crate::{
    Actor, Conflict, ServiceError, Services,
    acceptance::{note_contents, note_contents_of},
    changes::Done,
    findings::{done, optional, stale},
};

/// How many findings one decision can be about.
pub const MOST_TRIAGED: i64 = 100_000;

/// How many refusals are told one by one.
const MOST_TOLD: usize = 20;

/// What a person decides about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Triage {
    /// Open again, whatever it was.
    Reopen {
        reason: Reason,
    },
    FalsePositive {
        reason: Reason,
    },
    /// The number of the finding that it repeats.
    Duplicate {
        of: i64,
        reason: String,
    },
    /// Asks for its risk to be accepted until a date: someone else approves.
    AskAcceptance {
        until: Date,
        reason: Reason,
    },
    /// Makes of it what somebody else asks for; with `only`, if that is what they ask.
    Approve {
        only: Option<Request>,
    },
    Decline {
        only: Option<Request>,
        reason: Reason,
    },
    /// Takes back what the actor asks for: it is open, and nobody has to answer.
    Withdraw {
        reason: String,
    },
    /// Only for findings written by hand: no scan will say so.
    Fixed {
        reason: Reason,
    },
}

/// The fields of a triage form or API body, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct TriageFields {
    pub action: String,
    pub reason: String,
    pub until: String,
    pub duplicate_of: String,
}

impl Triage {
    /// Reads a form's fields; refuses at the field.
    pub fn parse(fields: &TriageFields) -> Result<Self, ServiceError> {
        let reason = || Reason::parse(&fields.reason).map_err(ServiceError::at("reason"));
        let optional_reason = || {
            optional(&fields.reason)
                .map(Reason::parse)
                .transpose()
                .map_err(ServiceError::at("reason"))
                .map(|reason| reason.map(String::from).unwrap_or_default())
        };
        Ok(match fields.action.as_str() {
            "reopen" => Self::Reopen { reason: reason()? },
            "false_positive" => Self::FalsePositive { reason: reason()? },
            "duplicate" => Self::Duplicate {
                of: number_of(&fields.duplicate_of).ok_or_else(|| {
                    ServiceError::rejected(
                        "duplicate_of",
                        "Write the finding's number, as in F-12.",
                    )
                })?,
                reason: optional_reason()?,
            },
            "ask_acceptance" => Self::AskAcceptance {
                until: Date::parse(&fields.until).map_err(ServiceError::at("until"))?,
                reason: reason()?,
            },
            "approve" => Self::Approve { only: None },
            "decline" => Self::Decline {
                only: None,
                reason: reason()?,
            },
            "approve_acceptance" => Self::Approve {
                only: Some(Request::RiskAccepted),
            },
            "decline_acceptance" => Self::Decline {
                only: Some(Request::RiskAccepted),
                reason: reason()?,
            },
            "withdraw" => Self::Withdraw {
                reason: optional_reason()?,
            },
            "fixed" => Self::Fixed { reason: reason()? },
            _ => {
                return Err(ServiceError::rejected(
                    "action",
                    "Choose one of reopen, false_positive, duplicate, ask_acceptance, approve, decline, withdraw or fixed.",
                ));
            }
        })
    }
}

/// The number in "F-12", "f12" or "12". A minus that stands alone is no hyphen.
fn number_of(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = match text.strip_prefix(['F', 'f']) {
        Some(rest) => rest.strip_prefix('-').unwrap_or(rest),
        None => text,
    };
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// The finding that others are called duplicates of.
struct Original {
    id: FindingId,
    is: triage::Original,
    /// Set where it was written for one review.
    review: Option<ReviewId>,
}

/// What a decision is measured by beside the finding.
struct Rules {
    blocking: Blocking,
    /// The actor's account, and those of whoever asked for something.
    accounts: BTreeMap<String, (Account, String)>,
    original: Option<Original>,
    now: Millis,
}

impl Original {
    /// Why a finding cannot be called its duplicate.
    fn refusal(&self, finding: &FindingToTriage) -> Option<(&'static str, String)> {
        let is_of_its_review = self
            .review
            .as_ref()
            .is_none_or(|review| finding.review.as_deref() == Some(review.as_str()));
        let why = if self.id.as_str() == finding.id {
            "A finding cannot repeat itself.".to_owned()
        } else if !is_of_its_review {
            // Where the original does not count, nothing would stand for the duplicate.
            format!(
                "F-{of} was written for one review, and this finding counts in others too. Call F-{of} a duplicate of \
                 this one instead.",
                of = self.is.number
            )
        } else {
            self.is.refusal(finding.severity)?
        };
        Some(("duplicate_of", why))
    }
}

impl Triage {
    const fn label(&self) -> &'static str {
        match self {
            Self::Reopen { .. } => FindingStatus::Open.label(),
            Self::FalsePositive { .. } => FindingStatus::FalsePositive.label(),
            Self::Duplicate { .. } => FindingStatus::Duplicate.label(),
            Self::AskAcceptance { .. } => "Acceptance asked for",
            Self::Approve { .. } => "Approved",
            Self::Decline { .. } => "Declined",
            Self::Withdraw { .. } => "Withdrawn",
            Self::Fixed { .. } => FindingStatus::Fixed.label(),
        }
    }

    /// What was typed for it; empty where nothing has to be.
    fn reason(&self) -> &str {
        match self {
            Self::Reopen { reason }
            | Self::FalsePositive { reason }
            | Self::AskAcceptance { reason, .. }
            | Self::Decline { reason, .. }
            | Self::Fixed { reason } => reason.as_str(),
            Self::Duplicate { reason, .. } | Self::Withdraw { reason } => reason,
            Self::Approve { .. } => "",
        }
    }

    /// "called F-12 a false positive", or "asked to call F-12 a false positive".
    fn of_one(&self, finding: &FindingToTriage, is_asked: bool) -> String {
        let number = finding.number;
        let call = if is_asked { "asked to call" } else { "called" };
        match self {
            Self::Reopen { .. } => format!("reopened F-{number}"),
            Self::FalsePositive { .. } => format!("{call} F-{number} a false positive"),
            Self::Duplicate { of, .. } => format!("{call} F-{number} a duplicate of F-{of}"),
            Self::AskAcceptance { .. } => format!("asked to accept the risk of F-{number}"),
            Self::Approve { .. } => match finding.asked {
                None | Some(Request::RiskAccepted) => format!("accepted the risk of F-{number}"),
                Some(Request::FalsePositive) => {
                    format!("approved that F-{number} is a false positive")
                }
                Some(Request::Duplicate) => format!("approved that F-{number} is a duplicate"),
                Some(Request::Fixed) => format!("approved that F-{number} is fixed"),
                Some(Request::Severity) => {
                    let asked = finding.asked_severity.unwrap_or(finding.severity);
                    format!(
                        "approved {asked} instead of {} for F-{number}",
                        finding.severity
                    )
                }
            },
            Self::Decline { .. } => match finding.asked {
                None | Some(Request::RiskAccepted) => {
                    format!("declined to accept the risk of F-{number}")
                }
                Some(Request::FalsePositive) => {
                    format!("declined to call F-{number} a false positive")
                }
                Some(Request::Duplicate) => format!("declined to call F-{number} a duplicate"),
                Some(Request::Fixed) => format!("declined to call F-{number} fixed"),
                Some(Request::Severity) => match finding.asked_severity {
                    Some(asked) => {
                        format!(
                            "declined {asked} instead of {} for F-{number}",
                            finding.severity
                        )
                    }
                    None => format!("declined another severity of F-{number}"),
                },
            },
            Self::Withdraw { .. } => {
                let what = match finding.asked {
                    None | Some(Request::RiskAccepted) => {
                        format!("accept the risk of F-{number}")
                    }
                    Some(Request::FalsePositive) => format!("call F-{number} a false positive"),
                    Some(Request::Duplicate) => format!("call F-{number} a duplicate"),
                    Some(Request::Fixed) => format!("call F-{number} fixed"),
                    Some(Request::Severity) => {
                        let asked = finding.asked_severity.unwrap_or(finding.severity);
                        format!("make F-{number} {asked} instead of {}", finding.severity)
                    }
                };
                format!("withdrew the request to {what}")
            }
            Self::Fixed { .. } => format!("{call} F-{number} fixed"),
        }
    }

    /// What is asked for where it takes two.
    const fn request(&self) -> Option<Request> {
        match self {
            Self::FalsePositive { .. } => Some(Request::FalsePositive),
            Self::Duplicate { .. } => Some(Request::Duplicate),
            Self::AskAcceptance { .. } => Some(Request::RiskAccepted),
            Self::Fixed { .. } => Some(Request::Fixed),
            Self::Reopen { .. }
            | Self::Approve { .. }
            | Self::Decline { .. }
            | Self::Withdraw { .. } => None,
        }
    }

    /// What is only asked for, of this finding: until another person has approved, it is open.
    fn asks(&self, finding: &FindingToTriage, blocking: &Blocking) -> Option<Request> {
        self.request()
            .filter(|request| blocking.takes_two(finding.severity, *request))
    }
}

/// Which findings a decision is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// These, each with the version that was shown.
    These(Vec<(FindingId, i64)>),
    /// All that the filter finds, and how many the person was told there are: with another number nothing is done.
    Matching { filter: Box<FindingFilter>, n: i64 },
}

/// What is done with many findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bulk {
    Triage(Triage),
    Map(ItemId),
}

/// A finding that a decision was not made about, and why.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Refused {
    pub finding: String,
    pub number: i64,
    pub why: String,
}

/// What a decision about many findings did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkTriage {
    /// By which it can be undone; absent when nothing was done.
    pub batch: Option<TriageBatchId>,
    pub n_done: i64,
    /// Of those, how many wait for another person and are open until then.
    pub n_asked: i64,
    pub n_refused: i64,
    /// The first of those that were refused.
    pub refused: Vec<Refused>,
}

impl BulkTriage {
    fn refuse(&mut self, finding: &FindingToTriage, why: impl Into<String>) {
        self.n_refused += 1;
        if self.refused.len() < MOST_TOLD {
            self.refused.push(Refused {
                finding: finding.id.clone(),
                number: finding.number,
                why: why.into(),
            });
        }
    }
}

/// "1 finding", "1,204 findings".
fn counted(n: i64) -> String {
    if n == 1 {
        "1 finding".to_owned()
    } else {
        format!("{n} findings")
    }
}

/// Numbers as people write ranges: "1-4, 9".
pub(crate) fn ranges(numbers: &[i64]) -> String {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let mut text = String::new();
    let mut at = 0;
    while at < sorted.len() {
        let first = sorted[at];
        let mut last = first;
        while at + 1 < sorted.len() && sorted[at + 1] == last + 1 {
            at += 1;
            last = sorted[at];
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&first.to_string());
        if last > first {
            text.push('-');
            text.push_str(&last.to_string());
        }
        at += 1;
    }
    text
}

impl Triage {
    /// Whether it takes back what was decided.
    const fn is_reopening(&self) -> bool {
        matches!(self, Self::Reopen { .. })
    }

    /// Why this cannot be decided about a finding: the field and the message.
    fn refusal(
        &self,
        finding: &FindingToTriage,
        actor: &Actor,
        rules: &Rules,
    ) -> Option<(&'static str, String)> {
        use FindingStatus::{Duplicate, FalsePositive, Fixed, Open, RiskAccepted};

        let original = rules.original.as_ref();
        if let Some(refusal) = original.and_then(|original| original.refusal(finding)) {
            return Some(refusal);
        }
        let status = finding.status;
        let why = match self {
            Self::Reopen { .. } if status == Open => "This finding is open already.",
            Self::Reopen { .. } if status == Fixed && !finding.is_by_hand => {
                "A scan found this fixed; only a scan that has it again reopens it."
            }
            Self::FalsePositive { .. } if status == FalsePositive => {
                "This finding is a false positive already."
            }
            Self::Duplicate { .. } if status == Duplicate => {
                "This finding is a duplicate already. Reopen it first."
            }
            Self::FalsePositive { .. } | Self::Duplicate { .. } if status == Fixed => {
                "This finding is fixed, so there is nothing to decide."
            }
            Self::Duplicate { .. } if finding.n_duplicates > 0 => {
                return Some((
                    "duplicate_of",
                    format!(
                        "{} of this one, so it cannot be a duplicate itself. Reopen {} first.",
                        if finding.n_duplicates == 1 {
                            "Another finding is a duplicate".to_owned()
                        } else {
                            format!("{} findings are duplicates", finding.n_duplicates)
                        },
                        if finding.n_duplicates == 1 {
                            "it"
                        } else {
                            "them"
                        },
                    ),
                ));
            }
            Self::AskAcceptance { .. } if !matches!(status, Open | RiskAccepted) => {
                "Only the risk of an open finding can be accepted."
            }
            Self::Withdraw { .. } if finding.asked.is_none() => {
                "Nobody has asked for anything that could be withdrawn."
            }
            Self::Withdraw { .. } if finding.asked_by.as_deref() != Some(actor.id.as_str()) => {
                let asker = finding
                    .asked_by
                    .as_ref()
                    .and_then(|asker| rules.accounts.get(asker));
                let name = asker.map_or("Somebody else", |(_, name)| name.as_str());
                return Some((
                    "action",
                    format!(
                        "{name} asked for this, so nobody else can withdraw it. A manager can decline it."
                    ),
                ));
            }
            Self::Approve { only } | Self::Decline { only, .. }
                if finding.asked.is_none()
                    || only.is_some_and(|only| finding.asked != Some(only)) =>
            {
                match only {
                    Some(Request::RiskAccepted) => "Nobody has asked for this risk to be accepted.",
                    _ => "Nobody has asked for anything that could be answered.",
                }
            }
            Self::Approve { .. } => return approval_refusal(finding, actor, rules),
            Self::Fixed { .. } if !finding.is_by_hand => {
                "A scanner's finding is fixed when a later complete scan no longer has it."
            }
            Self::Fixed { .. } if status == Fixed => "This finding is fixed already.",
            _ => return None,
        };
        Some(("action", why.to_owned()))
    }

    /// The number of the finding that others are called duplicates of.
    const fn original_number(&self) -> Option<i64> {
        match self {
            Self::Duplicate { of, .. } => Some(*of),
            _ => None,
        }
    }

    /// Refuses what does not depend on the finding, and finds the original of duplicates.
    async fn original(
        &self,
        tx: &mut Tx,
        service: &ServiceId,
        now: Millis,
    ) -> Result<Option<Original>, ServiceError> {
        match self {
            Self::AskAcceptance { until, .. } if until.end() <= now => {
                Err(ServiceError::rejected("until", "Choose a date to come."))
            }
            Self::Duplicate { of, .. } => {
                let refused = |message| ServiceError::rejected("duplicate_of", message);
                let original = tx
                    .finding_by_number(service, *of)
                    .await?
                    .ok_or_else(|| refused(format!("There is no finding F-{of}.")))?;
                Ok(Some(Original {
                    id: original.id,
                    is: triage::Original {
                        number: original.number,
                        severity: original.severity,
                        status: original.status,
                    },
                    review: original.review,
                }))
            }
            _ => Ok(None),
        }
    }

    /// What findings are afterwards, of which this is only asked for or not; an approval keeps what was asked for.
    fn state(&self, actor: &Actor, rules: &Rules, asked: Option<Request>) -> TriageState {
        let status = match self.request() {
            Some(request) if asked.is_none() => request.status(),
            _ => FindingStatus::Open,
        };
        let until = match self {
            Self::AskAcceptance { until, .. } => Some(until.end()),
            _ => None,
        };
        TriageState {
            status,
            reason: self.reason().to_owned(),
            by: actor.id.clone(),
            at: rules.now,
            duplicate_of: (rules.original.as_ref()).map(|original| original.id.clone()),
            asked,
            asked_until: until,
            asked_severity: None,
            is_approval: matches!(self, Self::Approve { .. }),
        }
    }

    /// Who may decide it.
    const fn action(&self) -> Action {
        match self {
            Self::Approve { .. } | Self::Decline { .. } => Action::Manage,
            _ => Action::Contribute,
        }
    }

    /// How the API names it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Reopen { .. } => "reopen",
            Self::FalsePositive { .. } => "false_positive",
            Self::Duplicate { .. } => "duplicate",
            Self::AskAcceptance { .. } => "ask_acceptance",
            Self::Approve { .. } => "approve",
            Self::Decline { .. } => "decline",
            Self::Withdraw { .. } => "withdraw",
            Self::Fixed { .. } => "fixed",
        }
    }

    /// "called 12 findings false positives", or what of that is only asked for.
    fn of_many(&self, n: i64, n_asked: i64) -> String {
        let findings = counted(n);
        let said = match self {
            Self::Reopen { .. } => format!("reopened {findings}"),
            Self::FalsePositive { .. } if n == 1 => format!("called {findings} a false positive"),
            Self::FalsePositive { .. } => format!("called {findings} false positives"),
            Self::Duplicate { of, .. } if n == 1 => {
                format!("called {findings} a duplicate of F-{of}")
            }
            Self::Duplicate { of, .. } => format!("called {findings} duplicates of F-{of}"),
            Self::AskAcceptance { .. } => {
                return format!("asked to accept the risk of {findings}");
            }
            Self::Approve { .. } => format!("approved what was asked for {findings}"),
            Self::Decline { .. } => format!("declined what was asked for {findings}"),
            Self::Withdraw { .. } => format!("withdrew what was asked for {findings}"),
            Self::Fixed { .. } => format!("called {findings} fixed"),
        };
        match n_asked {
            0 => said,
            1 if n == 1 => format!("{said}, which waits for another person"),
            _ if n_asked == n => format!("{said}, which wait for another person"),
            _ => format!("{said}, of which {n_asked} wait for another person"),
        }
    }
}

/// Why this actor cannot approve what is asked for a finding.
fn approval_refusal(
    finding: &FindingToTriage,
    actor: &Actor,
    rules: &Rules,
) -> Option<(&'static str, String)> {
    let asker = finding.asked_by.as_deref().unwrap_or_default();
    // An account that is not known is nobody else's for sure.
    let same = match (
        rules.accounts.get(actor.id.as_str()),
        rules.accounts.get(asker),
    ) {
        (Some((mine, _)), Some((theirs, _))) => mine.same_eyes(theirs),
        _ => Some(SameEyes::Own),
    };
    let is_acceptance = finding.asked == Some(Request::RiskAccepted);
    let why = match same {
        Some(SameEyes::Own) => "You asked for this, so someone else must approve it.".to_owned(),
        Some(same) => {
            let name = rules
                .accounts
                .get(asker)
                .map_or("", |(_, name)| name.as_str());
            format!(
                "{name} asked for this and {}, so somebody else must approve it.",
                same.words(name)
            )
        }
        None if is_acceptance
            && finding
                .accepted_until
                .is_none_or(|until| until <= rules.now) =>
        {
            "The date asked for has passed. Ask again.".to_owned()
        }
        None if finding.has_outgrown.unwrap_or(is_acceptance) => {
            "The finding has changed since this was asked for. Ask again.".to_owned()
        }
        None if finding.asked == Some(Request::Duplicate) => {
            let original = match &finding.original {
                Some((id, original)) if *id != finding.id => original.refusal(finding.severity),
                _ => Some("What it repeats is gone. Ask again.".to_owned()),
            };
            let has_own = (finding.n_duplicates > 0).then(|| {
                "Other findings are duplicates of this one, so it cannot be a duplicate itself."
                    .to_owned()
            });
            original.or(has_own)?
        }
        None => return None,
    };
    Some(("action", why))
}

/// Takes out of an approval the duplicates whose originals are approved along with them: whatever becomes of those comes
/// first.
fn refuse_with_original(findings: &mut Vec<FindingToTriage>, outcome: &mut BulkTriage) {
    let chosen: BTreeSet<_> = findings.iter().map(|finding| finding.id.clone()).collect();
    findings.retain(|finding| {
        let original = finding.original.as_ref();
        let waits = finding.asked == Some(Request::Duplicate)
            && original.is_some_and(|(id, _)| chosen.contains(id));
        if waits {
            let why = "What it repeats is approved in the same step. Approve this one after that.";
            outcome.refuse(finding, why);
        }
        !waits
    });
}

impl Services {
    /// Decides about a finding; `version` is the one that was shown. Returns whether it is only asked for: then another
    /// person approves, and the finding is open until that.
    pub async fn triage_finding(
        &self,
        actor: &Actor,
        id: &FindingId,
        version: i64,
        triage: Triage,
    ) -> Result<bool, ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        tx.keep_policies_of_finding(id).await?;
        tx.lock_findings(&[id.as_str()], triage.original_number())
            .await?;
        let finding = self
            .readable_finding(&mut tx, actor, id, triage.action())
            .await?;
        if finding.version != version {
            let field = |name: &str, yours: &str, saved: &str| {
                (name.to_owned(), yours.to_owned(), saved.to_owned())
            };
            let mut fields = vec![field("status", triage.label(), finding.status.label())];
            if !triage.reason().is_empty() {
                fields.push(field("reason", triage.reason(), &finding.status_reason));
            }
            return Err(stale(finding.version, fields));
        }
        let original = triage.original(&mut tx, &finding.service, now).await?;
        let facts = tx
            .findings_to_triage(&finding.service, &[id])
            .await?
            .pop()
            .ok_or(ServiceError::NotFound("This finding"))?;
        let rules = Rules {
            blocking: self.blocking(&mut tx, &finding.service).await?,
            accounts: accounts(&mut tx, actor, std::slice::from_ref(&facts)).await?,
            original,
            now,
        };
        if let Some((field, message)) = triage.refusal(&facts, actor, &rules) {
            return Err(ServiceError::rejected(field, message));
        }
        let before = serde_json::json!({
            "status": finding.status, "reason": finding.status_reason, "until": finding.accepted_until,
            "asked_for": finding.asked, "severity": finding.severity
        });
        let asked = triage.asks(&facts, &rules.blocking);
        let state = triage.state(actor, &rules, asked);
        let is_gone = triage.is_reopening() && facts.is_gone;
        let state = if is_gone { fixed(&state) } else { state };
        decide(&mut tx, std::slice::from_ref(&facts.id), &state).await?;
        let (reason, until) = if state.is_approval {
            (finding.status_reason.as_str(), finding.accepted_until)
        } else {
            (state.reason.as_str(), state.asked_until)
        };
        let mut after = serde_json::json!({
            "status": state.status, "reason": reason, "until": until, "asked_for": asked
        });
        if let (true, Some(approved)) = (state.is_approval, facts.asked) {
            after["status"] = approved.status().as_str().into();
            after["approved"] = approved.as_str().into();
            after["severity"] = (facts.asked_severity.unwrap_or(facts.severity).as_str()).into();
        }
        let mut summary = triage.of_one(&facts, asked.is_some());
        if is_gone {
            summary.push_str(", which is fixed: the scans do not have it any more");
        }
        let review = finding.review.as_ref().map(ReviewId::as_str);
        done(id, &finding.service, review, "finding.triaged", summary)
            .with(Some(before.to_string()), Some(after.to_string()))
            .commit(tx, actor, now)
            .await?;
        Ok(asked.is_some())
    }

    /// Decides about many findings of a review, or maps them to an item, by the same rules as about one. Those that the
    /// rules refuse are left as they are and told; the others are decided together, with one activity entry, and can be
    /// put back together.
    pub async fn triage_findings(
        &self,
        actor: &Actor,
        review: &ReviewId,
        chosen: Chosen,
        bulk: Bulk,
    ) -> Result<BulkTriage, ServiceError> {
        self.retrying(|| self.decide_findings(actor, review, &chosen, &bulk))
            .await
    }

    async fn decide_findings(
        &self,
        actor: &Actor,
        review: &ReviewId,
        chosen: &Chosen,
        bulk: &Bulk,
    ) -> Result<BulkTriage, ServiceError> {
        let now = self.now();
        if matches!(bulk, Bulk::Triage(Triage::Withdraw { .. })) {
            // A decision about many can be undone by others, who would then ask in the name of somebody who does not.
            return Err(ServiceError::rejected(
                "action",
                "What was asked for is withdrawn for one finding at a time.",
            ));
        }
        let (action, original) = match bulk {
            Bulk::Triage(triage) => (triage.action(), triage.original_number()),
            Bulk::Map(_) => (Action::Contribute, None),
        };
        let mut tx = self.database().write().await?;
        tx.keep_policies_of_review(review).await?;
        let service = self
            .service_of_review(&mut tx, actor, review, action)
            .await?;
        let mut outcome = BulkTriage::default();
        let mut findings = self
            .chosen_findings(
                &mut tx,
                &service,
                review,
                chosen,
                original,
                now,
                &mut outcome,
            )
            .await?;
        let (item, states): (Option<(ItemId, String)>, _) = match bulk {
            Bulk::Triage(triage) => {
                let rules = Rules {
                    original: triage.original(&mut tx, &service, now).await?,
                    blocking: self.blocking(&mut tx, &service).await?,
                    accounts: accounts(&mut tx, actor, &findings).await?,
                    now,
                };
                let is_unseen = matches!(chosen, Chosen::Matching { .. })
                    && matches!(triage, Triage::Approve { .. });
                if is_unseen
                    && findings
                        .iter()
                        .any(|finding| rules.blocking.blocks(finding.severity))
                {
                    // As many others may match by now as there were when the list was shown.
                    return Err(ServiceError::rejected(
                        "chosen",
                        "Some of these findings block. Choose those one by one, as you have seen them, to approve what is \
                         asked for; all that match a filter are approved at once only where none blocks.",
                    ));
                }
                findings.retain(|finding| match triage.refusal(finding, actor, &rules) {
                    Some((_, why)) => {
                        outcome.refuse(finding, why);
                        false
                    }
                    None => true,
                });
                if matches!(triage, Triage::Approve { .. }) {
                    refuse_with_original(&mut findings, &mut outcome);
                }
                let asked: BTreeSet<_> = findings
                    .iter()
                    .filter(|finding| triage.asks(finding, &rules.blocking).is_some())
                    .map(|finding| finding.id.clone())
                    .collect();
                let states = Decided {
                    done: triage.state(actor, &rules, None),
                    asking: triage.state(actor, &rules, triage.request()),
                    asked,
                };
                (None, Some(states))
            }
            Bulk::Map(item) => {
                let place = self.place_of_item(&mut tx, item).await?;
                if place.service != service || place.review != review.as_str() {
                    return Err(ServiceError::rejected(
                        "item",
                        "This item is of another review.",
                    ));
                }
                let ids: Vec<_> = findings.iter().map(|finding| finding.id.as_str()).collect();
                let linked = tx.linked_by_hand(item, &ids).await?;
                findings.retain(|finding| !linked.contains(&finding.id));
                (Some((item.clone(), place.key)), None)
            }
        };
        if findings.is_empty() {
            return Ok(outcome);
        }
        let n = i64::try_from(findings.len()).unwrap_or(i64::MAX);
        let n_asked = states.as_ref().map_or(0, |states| states.asked.len());
        let n_asked = i64::try_from(n_asked).unwrap_or(i64::MAX);
        let summary = match (bulk, &item) {
            (Bulk::Triage(triage), _) => triage.of_many(n, n_asked),
            (Bulk::Map(_), Some((_, key))) => format!("mapped {} to {key}", counted(n)),
            (Bulk::Map(_), None) => format!("mapped {}", counted(n)),
        };
        let batch = self.new_id(TriageBatchId::parse, now);
        let word = match bulk {
            Bulk::Triage(triage) => triage.word(),
            Bulk::Map(_) => "map",
        };
        tx.insert_triage_batch(&NewTriageBatch {
            id: &batch,
            service: &service,
            review,
            action: word,
            summary: &summary,
            item: item.as_ref().map(|(item, _)| item),
            n_changed: n,
            at: now,
            by: &actor.id,
        })
        .await?;
        let numbers: Vec<_> = findings.iter().map(|finding| finding.number).collect();
        let is_reopening = matches!(bulk, Bulk::Triage(triage) if triage.is_reopening());
        let gone: Vec<_> = findings
            .iter()
            .filter(|finding| is_reopening && finding.is_gone)
            .map(|finding| finding.id.clone())
            .collect();
        let ids: Vec<_> = findings.into_iter().map(|finding| finding.id).collect();
        tx.remember_before(&batch, &ids).await?;
        match (&states, &item) {
            (Some(states), _) => {
                let (asked, done): (Vec<_>, Vec<_>) =
                    ids.into_iter().partition(|id| states.asked.contains(id));
                decide(&mut tx, &done, &states.done).await?;
                decide(&mut tx, &asked, &states.asking).await?;
                decide(&mut tx, &gone, &fixed(&states.done)).await?;
            }
            (None, Some((item, _))) => tx.link_findings(&ids, item, &actor.id, now).await?,
            (None, None) => {}
        }
        let reason = states.as_ref().map(|states| states.done.reason.as_str());
        let after = serde_json::json!({
            "batch": batch, "action": word, "reason": reason, "findings": ranges(&numbers), "asked": n_asked,
            "until": states.as_ref().and_then(|states| states.done.asked_until),
            "item": item.as_ref().map(|(item, _)| item)
        });
        append(
            &mut tx,
            actor,
            now,
            &service,
            review,
            &batch,
            "findings.triaged",
            summary,
            after,
        )
        .await?;
        tx.commit().await?;
        outcome.batch = Some(batch);
        outcome.n_done = n;
        outcome.n_asked = n_asked;
        Ok(outcome)
    }

    async fn chosen_findings(
        &self,
        tx: &mut Tx,
        service: &ServiceId,
        review: &ReviewId,
        chosen: &Chosen,
        original: Option<i64>,
        now: Millis,
        outcome: &mut BulkTriage,
    ) -> Result<Vec<FindingToTriage>, ServiceError> {
        match chosen {
            Chosen::These(these) => {
                let ids: Vec<_> = these.iter().map(|(id, _)| id).collect();
                let texts: Vec<_> = ids.iter().map(|id| id.as_str()).collect();
                tx.lock_findings(&texts, original).await?;
                let mut findings = tx.findings_to_triage(service, &ids).await?;
                findings.retain(|finding| {
                    let is_of_review = finding
                        .review
                        .as_deref()
                        .is_none_or(|of| of == review.as_str());
                    let is_shown = these.iter().any(|(id, version)| {
                        id.as_str() == finding.id && *version == finding.version
                    });
                    if !is_of_review {
                        outcome.refuse(finding, "It is of another review.");
                    } else if !is_shown {
                        outcome.refuse(
                            finding,
                            "Someone else changed this finding since you opened it.",
                        );
                    }
                    is_of_review && is_shown
                });
                Ok(findings)
            }
            Chosen::Matching { filter, n } => {
                (self.check_filter(tx, service, review, filter).await).map_err(of_filter)?;
                let filter = FindingFilter {
                    as_of: now,
                    ..(**filter).clone()
                };
                let most = MOST_TRIAGED + 1;
                let findings = tx.findings_matching(service, review, &filter, most).await?;
                let found = i64::try_from(findings.len()).unwrap_or(i64::MAX);
                if found > MOST_TRIAGED {
                    return Err(ServiceError::rejected(
                        "chosen",
                        format!(
                            "More than {MOST_TRIAGED} findings match, which is the most for one decision. Narrow the filter."
                        ),
                    ));
                }
                if found != *n {
                    return Err(ServiceError::rejected(
                        "chosen",
                        format!(
                            "{} {} now, and it was {n} when the list was shown. Nothing was done. Look at the list again.",
                            counted(found),
                            if found == 1 { "matches" } else { "match" },
                        ),
                    ));
                }
                // Only what is read under the lock is what the decision changes.
                let ids: BTreeSet<_> = findings.iter().map(|finding| &*finding.id).collect();
                tx.lock_findings(&ids.iter().copied().collect::<Vec<_>>(), original)
                    .await?;
                let locked = tx.findings_matching(service, review, &filter, most).await?;
                let is_same = locked.len() == ids.len()
                    && locked.iter().all(|finding| ids.contains(&*finding.id));
                if !is_same {
                    return Err(list_changed(*n, locked.len()));
                }
                Ok(locked)
            }
        }
    }

    /// Puts every finding of a decision back to what it was before. Those that were decided about since stay, and are
    /// told with who decided what.
    pub async fn undo_triage(
        &self,
        actor: &Actor,
        id: &TriageBatchId,
    ) -> Result<BulkTriage, ServiceError> {
        self.retrying(|| self.put_back_findings(actor, id)).await
    }

    async fn put_back_findings(
        &self,
        actor: &Actor,
        id: &TriageBatchId,
    ) -> Result<BulkTriage, ServiceError> {
        let not_found = || ServiceError::NotFound("This decision");
        let now = self.now();
        let mut tx = self.database().write().await?;
        tx.keep_policies_of_batch(id).await?;
        tx.lock_findings_of_batch(id).await?;
        let batch = tx.triage_batch(id).await?.ok_or_else(not_found)?;
        let action = match batch.action.as_str() {
            "approve" | "decline" | "approve_acceptance" | "decline_acceptance" => Action::Manage,
            _ => Action::Contribute,
        };
        self.service_of_review(&mut tx, actor, &batch.review, action)
            .await
            .map_err(|error| match error {
                ServiceError::NotFound(_) => not_found(),
                error => error,
            })?;
        if let Some(by) = &batch.undone_by_name {
            return Err(ServiceError::rejected(
                "",
                format!("{by} undid this already."),
            ));
        }
        let mut outcome = BulkTriage::default();
        let restored = if let Some(item) = &batch.item {
            tx.unlink_batch(&batch, item).await?
        } else {
            for changed in tx.changed_since(&batch, 1_000_000).await? {
                let by = changed.by.unwrap_or_else(|| "a scan".to_owned());
                let why = if changed.has_no_original {
                    "What it was a duplicate of is gone, or is a duplicate itself.".to_owned()
                } else {
                    format!(
                        "{by} made it {} since.",
                        changed.status.label().to_lowercase()
                    )
                };
                outcome.n_refused += 1;
                if outcome.refused.len() < MOST_TOLD {
                    outcome.refused.push(Refused {
                        finding: changed.id,
                        number: changed.number,
                        why,
                    });
                }
            }
            let put_back = tx.put_back(&batch, now).await?;
            let blocking = self.blocking(&mut tx, &batch.service).await?;
            if batch.decided_by != actor.id {
                // Whoever takes back somebody else's reopening asks for what was there before.
                let asked = tx.ask_again(&put_back, &actor.id, &blocking).await?;
                outcome.n_asked = i64::try_from(asked).unwrap_or(i64::MAX);
            }
            let lone = tx.ask_of_lone_decisions(&batch.service, &blocking).await?;
            outcome.n_asked += i64::try_from(lone).unwrap_or(i64::MAX);
            let contents = tx.contents_of_batch(&batch.id).await?;
            note_contents(&mut tx, &contents).await?;
            put_back.len() as u64
        };
        outcome.n_done = i64::try_from(restored).unwrap_or(i64::MAX);
        if batch.item.is_some() {
            // Links that somebody made again or took away since are not this decision's any more.
            outcome.n_refused = batch.n_changed - outcome.n_done;
        }
        if outcome.n_done == 0 {
            let told: Vec<_> = outcome
                .refused
                .iter()
                .take(5)
                .map(|refused| format!("F-{}: {}", refused.number, refused.why))
                .collect();
            return Err(ServiceError::rejected(
                "",
                format!(
                    "Nothing is left to undo: every finding was changed since. {}",
                    told.join(" ")
                )
                .trim()
                .to_owned(),
            ));
        }
        tx.close_batch(id, &actor.id, now).await?;
        let summary = format!("undid: {} ({} put back)", batch.summary, outcome.n_done);
        let left: Vec<_> = outcome.refused.iter().map(|one| one.number).collect();
        let after = serde_json::json!({
            "batch": id, "put_back": outcome.n_done, "left": outcome.n_refused, "first_left": ranges(&left),
            "asked": outcome.n_asked
        });
        append(
            &mut tx,
            actor,
            now,
            &batch.service,
            &batch.review,
            id,
            "findings.triage_undone",
            summary,
            after,
        )
        .await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// The newest decisions about many findings of a review.
    pub async fn triage_batches(
        &self,
        actor: &Actor,
        review: &ReviewId,
        limit: i64,
    ) -> Result<Vec<TriageBatch>, ServiceError> {
        let mut tx = self.database().read().await?;
        self.service_of_review(&mut tx, actor, review, Action::Read)
            .await?;
        Ok(tx.triage_batches(review, limit.clamp(1, 200)).await?)
    }
}

/// What becomes of many findings by one decision: of some it is only asked for.
struct Decided {
    done: TriageState,
    asking: TriageState,
    asked: BTreeSet<String>,
}

impl Services {
    /// What a service's reviews call blocking.
    pub(crate) async fn blocking(
        &self,
        tx: &mut Tx,
        service: &ServiceId,
    ) -> Result<Blocking, ServiceError> {
        let policies = tx.policies_of(service).await?;
        Ok(Blocking::strictest(policies.iter().map(String::as_str)))
    }

    /// Opens what one person alone decided about findings that block by now: another policy asks for more, a scanner rates
    /// them higher, or an older decision is there again. It waits for a second person then.
    pub(crate) async fn ask_for_second_person(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        service: &ServiceId,
        now: Millis,
    ) -> Result<(), ServiceError> {
        let blocking = self.blocking(tx, service).await?;
        let n = tx.ask_of_lone_decisions(service, &blocking).await?;
        if n == 0 {
            return Ok(());
        }
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        let verb = if n == 1 { "is" } else { "are" };
        Done {
            action: "findings.second_person_asked",
            subject_kind: "service",
            subject: service.as_str(),
            service: Some(service.as_str()),
            review: None,
            summary: format!(
                "opened {}, which {verb} blocking now: what one person decided waits for another",
                counted(n)
            ),
            before: None,
            after: Some(serde_json::json!({ "findings": n }).to_string()),
        }
        .append(tx, actor, now)
        .await
    }
}

/// The accounts of the actor and of whoever asks for something, with their names.
async fn accounts(
    tx: &mut Tx,
    actor: &Actor,
    findings: &[FindingToTriage],
) -> Result<BTreeMap<String, (Account, String)>, ServiceError> {
    let asked = findings.iter().filter(|finding| finding.asked.is_some());
    let mut ids: BTreeSet<&str> = asked
        .filter_map(|finding| finding.asked_by.as_deref())
        .collect();
    ids.insert(actor.id.as_str());
    Ok(tx.accounts(&ids.into_iter().collect::<Vec<_>>()).await?)
}

/// The refusal of a decision about a list that somebody else changed at the same moment.
fn list_changed(shown: i64, found: usize) -> ServiceError {
    ServiceError::Conflict(Box::new(Conflict {
        message: "Someone else decided about some of these findings at the same moment. Nothing was done. Look at the list again."
            .to_owned(),
        fields: vec![("findings".to_owned(), shown.to_string(), found.to_string())],
        ..Conflict::default()
    }))
}

/// What a finding is that a person reopens, and that the scans do not have any more: it would stay open until the next.
fn fixed(state: &TriageState) -> TriageState {
    TriageState {
        status: FindingStatus::Fixed,
        ..state.clone()
    }
}

pub(crate) async fn decide(
    tx: &mut Tx,
    ids: &[String],
    state: &TriageState,
) -> Result<(), ServiceError> {
    if state.asked.is_some() {
        note_contents_of(tx, ids).await?;
    }
    if let Some(original) = &state.duplicate_of {
        note_contents_of(tx, &[original.to_string()]).await?;
    }
    Ok(tx.set_triage(ids, state).await?)
}

async fn append(
    tx: &mut Tx,
    actor: &Actor,
    now: Millis,
    service: &ServiceId,
    review: &ReviewId,
    batch: &TriageBatchId,
    action: &str,
    summary: String,
    after: serde_json::Value,
) -> Result<(), ServiceError> {
    Done {
        action,
        subject_kind: "triage_batch",
        subject: batch.as_str(),
        service: Some(service.as_str()),
        review: Some(review.as_str()),
        summary,
        before: None,
        after: Some(after.to_string()),
    }
    .append(tx, actor, now)
    .await
}

/// A refusal of a filter by which findings are chosen: the item that is filtered by is not the one to link to.
fn of_filter(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Rejected { field, message } => {
            let field = match field {
                "item" => "matching.item",
                "owner" => "matching.owner",
                "series" => "matching.series",
                field => field,
            };
            ServiceError::Rejected { field, message }
        }
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::{number_of, ranges};

    #[test]
    fn a_finding_is_named_by_its_number() {
        for (text, expected) in [
            ("F-12", Some(12)),
            (" f12 ", Some(12)),
            ("12", Some(12)),
            ("-3", None),
            ("F--3", None),
            ("+3", None),
            ("F-", None),
            ("", None),
        ] {
            assert_eq!(number_of(text), expected, "{text:?}");
        }
    }

    #[test]
    fn numbers_in_a_row_are_one_range() {
        assert_eq!(ranges(&[3, 1, 2, 9, 7, 8, 11]), "1-3, 7-9, 11");
        assert_eq!(ranges(&[]), "");
        assert_eq!(ranges(&[5]), "5");
    }
}
