//! Signing: an item's decision and the release decision.
//!
//! A signature is made over what the signer was shown. The form carries the digest of that (the *basis*); if the item or
//! review is not the same any more when the signature comes, it is refused and nothing is stored.

use std::collections::BTreeSet;

use holdpoint_domain::{
    Decision, Digest, Gating, ItemId, ItemState, KeyPurpose, Millis, Policy, ReviewId, ServiceId,
    ServiceRole,
    digest::canonical_json,
    person::Action,
    text::{self, Date},
    verdict::{Reason, ReasonKind},
};
use holdpoint_storage::{
    NewActivity, NewFixedReport, SignOff, SignOffEntry, StandingReview, StorageError, Tx,
};

use serde_json::{Map, Value};

use crate::{
    Access, Actor, Conflict, ServiceError, Services,
    log::Occasion,
    other_eyes::Eyes,
    standing::{ItemStanding, ReleaseDecision, ReviewStanding, Said, read_standings, stand_aside},
    validity::signer,
};

/// A decision on an item as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRequest {
    pub decision: Decision,
    /// May be empty for a pass only.
    pub statement: String,
    /// For a waiver: the risk taken, and the last day it holds.
    pub risk: String,
    pub waived_until: Option<Date>,
    /// The digest of what the signer was shown.
    pub basis: Digest,
}

impl DecisionRequest {
    /// Reads a form's fields; refuses at the field.
    pub fn parse(
        decision: &str,
        statement: &str,
        risk: &str,
        waived_until: &str,
        basis: &str,
    ) -> Result<Self, ServiceError> {
        let decision = Decision::parse(decision).ok_or_else(|| {
            ServiceError::rejected(
                "decision",
                "Choose one of pass, fail, not applicable or waive.",
            )
        })?;
        let statement = if decision.needs_reason() || !statement.trim().is_empty() {
            text::Reason::parse(statement)
                .map_err(|error| {
                    let label = decision.label();
                    ServiceError::rejected("statement", format!("{error} {label} needs a reason."))
                })?
                .into()
        } else {
            String::new()
        };
        let (risk, waived_until) = if decision == Decision::Waive {
            let risk = text::Reason::parse(risk).map_err(ServiceError::at("risk"))?;
            let until = Date::parse(waived_until).map_err(ServiceError::at("waived_until"))?;
            (risk.into(), Some(until))
        } else {
            (String::new(), None)
        };
        let basis = Digest::parse(basis.trim()).ok_or_else(|| {
            ServiceError::rejected(
                "basis",
                "The form does not say what was signed. Open the item again.",
            )
        })?;
        Ok(Self {
            decision,
            statement,
            risk,
            waived_until,
            basis,
        })
    }
}

/// What the sign form of an item shows beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignForm {
    /// Why the actor cannot sign at all; `None` when they can.
    pub refusal: Option<String>,
    /// Why a pass is not possible; empty when it is.
    pub pass_refusals: Vec<String>,
    /// Whether the actor may waive.
    pub may_waive: bool,
    /// The digest of what is shown.
    pub basis: Digest,
    pub quorum: u32,
    pub n_signed: u32,
}

/// What the release's sign form shows beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseForm {
    pub refusal: Option<String>,
    /// Why a GO is not possible; `None` when it is.
    pub go_refusal: Option<String>,
    pub basis: Digest,
    /// Answers that say nothing, and other warnings: they do not hold back.
    pub warnings: Vec<String>,
}

fn service_id(review: &StandingReview) -> Result<ServiceId, ServiceError> {
    ServiceId::parse(&review.service_id)
        .ok_or_else(|| StorageError::Damaged("review.service_id".to_owned()).into())
}

/// Whether a sign-off is one of those of which an item can ask for several: a pass, or that it does not apply.
pub(crate) fn gathers(sign_off: &SignOff) -> bool {
    sign_off.item_decision().is_some_and(asks_for_quorum)
}

const fn asks_for_quorum(decision: Decision) -> bool {
    matches!(decision, Decision::Pass | Decision::NotApplicable)
}

/// How many others have decided the same about an item, validly.
fn others_who_decided(item: &ItemStanding, actor: &Actor, decision: Decision) -> u32 {
    let signers: BTreeSet<_> = (item.sign_offs.iter())
        .filter(|standing| {
            standing.is_valid() && standing.sign_off.item_decision() == Some(decision)
        })
        .map(|standing| standing.sign_off.person_id.as_str())
        .filter(|signer| *signer != actor.id.as_str())
        .collect();
    u32::try_from(signers.len()).unwrap_or(u32::MAX)
}

/// Why this person cannot sign this item at all.
fn item_refusal(
    item: &ItemStanding,
    policy: &Policy,
    actor: &Actor,
    eyes: &Eyes,
) -> Option<String> {
    if item.state != ItemState::InReview {
        return Some(format!(
            "The item is {}; only an item in review can be signed.",
            item.state.label().to_lowercase()
        ));
    }
    if policy.four_eyes
        && let Some(refusal) = eyes.item_refusal(item)
    {
        return Some(refusal);
    }
    let already = item.sign_offs.iter().any(|standing| {
        standing.is_valid()
            && standing.sign_off.person_id == actor.id.as_str()
            && gathers(&standing.sign_off)
    });
    if already {
        return Some(
            "You have signed this item; it waits for another reviewer's signature.".to_owned(),
        );
    }
    eyes.quorum_refusal(item)
}

fn basis_of(review: &ReviewStanding, item: &ItemStanding) -> Digest {
    item.shown(review).basis()
}

/// What the role of a signer is called where it is stored.
fn role_word(role: Option<ServiceRole>) -> &'static str {
    role.map_or("admin", ServiceRole::as_str)
}

/// Answers that say nothing.
fn says_nothing(text: &str) -> bool {
    let text = text.trim().trim_end_matches(['.', '!']).to_lowercase();
    matches!(
        text.as_str(),
        "" | "tbd"
            | "todo"
            | "to do"
            | "n/a"
            | "na"
            | "none"
            | "-"
            | "–"
            | "?"
            | "xxx"
            | "ok"
            | "done"
    )
}

impl Services {
    /// What an item's sign form shows this actor. Whoever may not sign is told so there.
    pub async fn sign_form(
        &self,
        actor: &Actor,
        access: &Access,
        review: &ReviewStanding,
        item: &ItemStanding,
    ) -> Result<SignForm, ServiceError> {
        let refusal = if access.may(Action::Decide) {
            let mut tx = self.database().read().await?;
            let eyes = Eyes::on_item(&mut tx, actor, item).await?;
            item_refusal(item, &review.policy, actor, &eyes)
        } else {
            Some("Only a reviewer or manager of this service can sign an item.".to_owned())
        };
        Ok(SignForm {
            refusal,
            pass_refusals: item.pass_refusals(&review.policy, self.now()),
            may_waive: access.may(Action::Decide) && access.may(Action::Manage),
            basis: basis_of(review, item),
            quorum: item.facts.quorum,
            n_signed: item.facts.valid_sign_offs,
        })
    }

    /// Signs an item's decision with the actor's password, and moves the item where the decision leads.
    pub async fn decide_item(
        &self,
        actor: &Actor,
        item: &ItemId,
        request: DecisionRequest,
        password: &str,
    ) -> Result<SignOff, ServiceError> {
        let now = self.now();
        let (shown, of_item) = self.item_standing(actor, item).await?;
        let service = service_id(&shown.review)?;
        let asked = if request.decision == Decision::Waive {
            Action::Manage
        } else {
            Action::Decide
        };
        let mut tx = self.database().read().await?;
        self.allow(&mut tx, actor, &service, Action::Decide).await?;
        self.allow(&mut tx, actor, &service, asked).await?;
        let eyes = Eyes::on_item(&mut tx, actor, &of_item).await?;
        drop(tx);
        self.check_item_decision(actor, &shown, &of_item, &eyes, &request)?;
        let confirmed = self.confirm_password(actor, password).await?;
        let key = self.signing_key(KeyPurpose::Log).await?;

        // Comparing a password takes a while. Whatever was taken away or changed meanwhile counts.
        let mut tx = self.database().write().await?;
        let role = self.allow(&mut tx, actor, &service, Action::Decide).await?;
        self.hold_confirmed(&mut tx, actor, &confirmed).await?;
        self.allow(&mut tx, actor, &service, asked).await?;
        let review =
            ReviewId::parse(&shown.review.id).ok_or(ServiceError::NotFound("This review"))?;
        let standing = standing_of(&mut tx, &review, now).await?;
        let of_item = standing
            .item(item)
            .cloned()
            .ok_or(ServiceError::NotFound("This item"))?;
        let eyes = Eyes::on_item(&mut tx, actor, &of_item).await?;
        self.check_item_decision(actor, &standing, &of_item, &eyes, &request)?;
        let waived_until = request.waived_until.as_ref().map(Date::end);
        let risk = (request.decision == Decision::Waive).then_some(request.risk.as_str());
        let content = of_item.content(
            &standing.review,
            Said {
                decision: request.decision,
                statement: &request.statement,
                waived_until,
                risk,
                signer: signer(actor, role_word(role), now),
                policy: standing.policy.clone(),
            },
        );
        let others = others_who_decided(&of_item, actor, request.decision);
        let enough = others.saturating_add(1) >= of_item.facts.quorum;
        let pending = asks_for_quorum(request.decision) && !enough;
        let state = if pending {
            ItemState::InReview
        } else {
            request.decision.state()
        };
        tx.decide_item(
            item.as_str(),
            of_item.item.version,
            state,
            waived_until,
            now,
        )
        .await?;
        let sign_off = SignOff {
            id: self.ids().uuid(now),
            review_id: review.as_str().to_owned(),
            item_id: Some(item.as_str().to_owned()),
            round: of_item.item.round,
            person_id: actor.id.as_str().to_owned(),
            person_name: actor.name.clone(),
            person_email: actor.email.clone(),
            person_disabled_at: None,
            reset_at: tx.reset_before_signing(&actor.id, now).await?,
            role: role_word(role).to_owned(),
            decision: request.decision.as_str().to_owned(),
            statement: request.statement,
            risk: risk.map(str::to_owned),
            waived_until,
            digest: content.digest().into(),
            content: canonical_json(&content),
            four_eyes: standing.policy.four_eyes,
            log_sequence: 0,
            signed_at: now,
            entry: None,
            signed_requirement: None,
            bound: None,
        };
        let what = Signed {
            action: "item.signed",
            subject_kind: "item",
            subject: item.as_str(),
            summary: format!("signed {}: {}", of_item.item.key, request.decision.label()),
            before: of_item.item.state.as_str(),
            after: state.as_str(),
        };
        self.keep_sign_off(tx, actor, &service, sign_off, &key, what, None)
            .await?
            .ok_or_else(|| StorageError::Damaged("a sign-off without a report".to_owned()).into())
    }

    fn check_item_decision(
        &self,
        actor: &Actor,
        review: &ReviewStanding,
        item: &ItemStanding,
        eyes: &Eyes,
        request: &DecisionRequest,
    ) -> Result<(), ServiceError> {
        let basis = basis_of(review, item);
        if basis != request.basis {
            return Err(changed_since(
                "The item",
                item.item.version,
                &request.basis,
                &basis,
            ));
        }
        if let Some(refusal) = item_refusal(item, &review.policy, actor, eyes) {
            return Err(ServiceError::rejected("decision", refusal));
        }
        if request.decision == Decision::Pass {
            let refusals = item.pass_refusals(&review.policy, self.now());
            if !refusals.is_empty() {
                return Err(ServiceError::rejected("decision", refusals.join(" ")));
            }
        }
        if request
            .waived_until
            .as_ref()
            .is_some_and(|until| until.end() <= self.now())
        {
            return Err(ServiceError::rejected(
                "waived_until",
                "A waiver holds until a day to come. Choose a later date.",
            ));
        }
        Ok(())
    }

    /// What the release's sign form shows this actor.
    pub async fn release_form(
        &self,
        actor: &Actor,
        access: &Access,
        review: &ReviewStanding,
    ) -> Result<ReleaseForm, ServiceError> {
        let mut tx = self.database().read().await?;
        let eyes = Eyes::on_release(&mut tx, actor, review).await?;
        drop(tx);
        let reasons = rule_reasons(review);
        let go_refusal = (!reasons.is_empty()).then(|| {
            let n = reasons.len();
            let noun = if n == 1 { "reason" } else { "reasons" };
            format!("GO is not possible while the verdict is NO-GO: {n} {noun}, each listed on the readiness page.")
        });
        let mut warnings = Vec::new();
        for item in &review.items {
            for standing in item.sign_offs.iter().filter(|standing| standing.is_valid()) {
                let sign_off = &standing.sign_off;
                if sign_off.decision != Decision::Pass.as_str() && says_nothing(&sign_off.statement)
                {
                    warnings.push(format!(
                        "{} {}: the reason \"{}\" says nothing.",
                        item.item.key, item.item.title, sign_off.statement
                    ));
                }
            }
            for (evidence, _) in &item.evidence {
                if says_nothing(&evidence.title) {
                    warnings.push(format!(
                        "{} {}: evidence titled \"{}\" says nothing.",
                        item.item.key, item.item.title, evidence.title
                    ));
                }
            }
            if item.item.gating == Gating::Advisory && !item.is_cleared() {
                warnings.push(format!(
                    "{} {} is advisory and not cleared.",
                    item.item.key, item.item.title
                ));
            }
        }
        Ok(ReleaseForm {
            refusal: release_refusal(actor, access.may(Action::DecideRelease), &review.policy),
            go_refusal: go_refusal.or_else(|| eyes.release_refusal(review)),
            basis: review.basis(),
            warnings,
        })
    }

    /// Signs the release decision over the review's digest.
    pub async fn decide_release(
        &self,
        actor: &Actor,
        review: &ReviewId,
        decision: ReleaseDecision,
        statement: &str,
        basis: &Digest,
        password: &str,
    ) -> Result<SignOff, ServiceError> {
        let now = self.now();
        let statement = if decision == ReleaseDecision::NoGo || !statement.trim().is_empty() {
            text::Reason::parse(statement)
                .map_err(ServiceError::at("statement"))?
                .into()
        } else {
            String::new()
        };
        let shown = self.whole_review_standing(actor, review).await?;
        let service = service_id(&shown.review)?;
        let mut tx = self.database().read().await?;
        self.allow(&mut tx, actor, &service, Action::DecideRelease)
            .await?;
        let eyes = Eyes::on_release(&mut tx, actor, &shown).await?;
        drop(tx);
        check_release(actor, &shown, &eyes, decision, basis)?;
        let confirmed = self.confirm_password(actor, password).await?;
        // That of the report's moment, as its list of keys has it.
        let report_key = self.signing_key_at(KeyPurpose::Report, now).await?;
        let key = self.signing_key(KeyPurpose::Log).await?;

        // The report is made before the unit of work that keeps it. If the service has changed meanwhile, it is made again.
        for _ in 0..MOST_TRIES {
            let mut tx = self.database().read().await?;
            let last_entry = tx.last_activity_of(&service).await?;
            let role = self
                .allow(&mut tx, actor, &service, Action::DecideRelease)
                .await?;
            let standing = standing_of(&mut tx, review, now).await?;
            let eyes = Eyes::on_release(&mut tx, actor, &standing).await?;
            check_release(actor, &standing, &eyes, decision, basis)?;
            let reset_at = tx.reset_before_signing(&actor.id, now).await?;
            let mut foreseen =
                self.release_sign_off(actor, role, &standing, decision, &statement, now, reset_at);
            foreseen.log_sequence = tx.activity_head().await?.0 + 1;
            foreseen.entry = Some(SignOffEntry {
                actor: foreseen.person_id.clone(),
                action: "release.signed".to_owned(),
                at: now,
                after: Some(Value::Object(record(&foreseen)).to_string()),
            });
            let facts = self
                .facts_once_signed(&mut tx, &service, review, &foreseen)
                .await?;
            drop(tx);
            let people = facts.as_ref().map(|facts| facts.people.clone());
            let report = match facts {
                Some(facts) => Some(self.fix_report(facts, &report_key).await?),
                None => None,
            };
            let fixed = Some(FixedWith {
                report,
                last_entry,
                people,
            });

            // Whatever was taken away or changed meanwhile counts.
            let mut tx = self.database().write().await?;
            let role = self
                .allow(&mut tx, actor, &service, Action::DecideRelease)
                .await?;
            self.hold_confirmed(&mut tx, actor, &confirmed).await?;
            let standing = standing_of(&mut tx, review, now).await?;
            let eyes = Eyes::on_release(&mut tx, actor, &standing).await?;
            check_release(actor, &standing, &eyes, decision, basis)?;
            // The log is not the service's alone, so that the report is made again if a password was reset meanwhile.
            let reset_at = tx.reset_before_signing(&actor.id, now).await?;
            let mut sign_off =
                self.release_sign_off(actor, role, &standing, decision, &statement, now, reset_at);
            if sign_off.digest != foreseen.digest || sign_off.reset_at != foreseen.reset_at {
                continue;
            }
            sign_off.id = foreseen.id;
            let before = standing
                .release
                .decided
                .map_or("undecided", ReleaseDecision::as_str);
            let what = Signed {
                action: "release.signed",
                subject_kind: "review",
                subject: review.as_str(),
                summary: format!("signed the release decision: {}", decision.label()),
                before,
                after: decision.as_str(),
            };
            let kept = self
                .keep_sign_off(tx, actor, &service, sign_off, &key, what, fixed)
                .await?;
            if let Some(sign_off) = kept {
                return Ok(sign_off);
            }
        }
        Err(ServiceError::Conflict(Box::new(Conflict {
            message: "The service is being changed while you sign. Nothing was signed. Look at the review again, then sign what you see."
                .to_owned(),
            current_version: shown.review.version,
            fields: Vec::new(),
        })))
    }

    /// A release decision over a review as it stands.
    fn release_sign_off(
        &self,
        actor: &Actor,
        role: Option<ServiceRole>,
        standing: &ReviewStanding,
        decision: ReleaseDecision,
        statement: &str,
        now: Millis,
        reset_at: Option<Millis>,
    ) -> SignOff {
        let content = standing.content(decision, statement, signer(actor, role_word(role), now));
        SignOff {
            id: self.ids().uuid(now),
            review_id: standing.review.id.clone(),
            item_id: None,
            round: 0,
            person_id: actor.id.as_str().to_owned(),
            person_name: actor.name.clone(),
            person_email: actor.email.clone(),
            person_disabled_at: None,
            reset_at,
            role: role_word(role).to_owned(),
            decision: decision.as_str().to_owned(),
            statement: statement.to_owned(),
            risk: None,
            waived_until: None,
            digest: content.digest().into(),
            content: canonical_json(&content),
            four_eyes: standing.policy.four_eyes,
            log_sequence: 0,
            signed_at: now,
            entry: None,
            signed_requirement: None,
            bound: None,
        }
    }

    /// Keeps a sign-off with its entry and the signed head of the log, and the report of the decision with it. Nothing is kept, and
    /// none given, if the service has other entries than when that report was made.
    async fn keep_sign_off(
        &self,
        mut tx: Tx,
        actor: &Actor,
        service: &ServiceId,
        mut sign_off: SignOff,
        key: &holdpoint_report::SigningKey,
        what: Signed<'_>,
        fixed: Option<FixedWith>,
    ) -> Result<Option<SignOff>, ServiceError> {
        let mut after = record(&sign_off);
        after.insert("state".to_owned(), what.after.into());
        if let Some(report) = fixed.as_ref().and_then(|fixed| fixed.report.as_ref()) {
            after.insert(
                "report_sha256".to_owned(),
                report.report_sha256.as_str().into(),
            );
            after.insert(
                "fixed_report_sha256".to_owned(),
                report.sha256.as_str().into(),
            );
        }
        let new = NewActivity {
            at: sign_off.signed_at,
            actor: actor.id.as_str(),
            action: what.action,
            subject_kind: what.subject_kind,
            subject: what.subject,
            service: Some(service.as_str()),
            review: Some(&sign_off.review_id),
            summary: what.summary,
            before: Some(serde_json::json!({ "state": what.before }).to_string()),
            after: None,
        };
        let occasion = Occasion::SignOff(&sign_off.id);
        sign_off.log_sequence = self
            .append_signed(&mut tx, key, occasion, new, after)
            .await?;
        tx.insert_sign_off(&sign_off).await?;
        if let Some(fixed) = &fixed {
            let last_entry = tx
                .last_activity_before(service, sign_off.log_sequence)
                .await?;
            if last_entry != fixed.last_entry {
                return Ok(None);
            }
            // What happens to accounts is no entry of the service, and stands in the report.
            if let Some(people) = &fixed.people
                && crate::report::people_of(&tx.members(service).await?) != *people
            {
                return Ok(None);
            }
            if let Some(report) = &fixed.report {
                let (of, at) = (sign_off.log_sequence, sign_off.signed_at);
                tx.insert_fixed_report(&sign_off.id, &sign_off.review_id, of, report, at)
                    .await?;
            }
        }
        tx.commit().await?;
        Ok(Some(sign_off))
    }
}

/// All of a sign-off that its entry in the log says, so that neither can be changed without the other.
pub(crate) fn record(sign_off: &SignOff) -> Map<String, Value> {
    let text = |text: &str| Value::from(text);
    let record = [
        ("sign_off", text(&sign_off.id)),
        ("person", text(&sign_off.person_id)),
        ("role", text(&sign_off.role)),
        ("decision", text(&sign_off.decision)),
        ("round", sign_off.round.into()),
        ("statement", text(&sign_off.statement)),
        ("risk", sign_off.risk.as_deref().into()),
        ("waived_until", sign_off.waived_until.into()),
        ("four_eyes", sign_off.four_eyes.into()),
        ("digest", text(&sign_off.digest)),
    ];
    let record = record.into_iter();
    record
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// How often a report is made anew because the service changed meanwhile.
const MOST_TRIES: usize = 4;

/// The report to be kept with a decision, if it completes one, and the service's last entry when that was found out.
struct FixedWith {
    report: Option<NewFixedReport>,
    last_entry: i64,
    /// The people that the report names.
    people: Option<Vec<holdpoint_report::facts::Person>>,
}

/// The review as it is in a unit of work.
async fn standing_of(
    tx: &mut Tx,
    review: &ReviewId,
    now: Millis,
) -> Result<ReviewStanding, ServiceError> {
    let standing = read_standings(tx, &[review], Some(now))
        .await?
        .pop()
        .ok_or(ServiceError::NotFound("This review"))?;
    stand_aside(standing, now).await
}

struct Signed<'a> {
    action: &'a str,
    subject_kind: &'a str,
    subject: &'a str,
    summary: String,
    before: &'a str,
    after: &'a str,
}

fn release_refusal(actor: &Actor, may: bool, policy: &Policy) -> Option<String> {
    if !may {
        return Some("Only a manager of this service can sign the release decision.".to_owned());
    }
    (!policy.is_approver(actor.id.as_str()))
        .then(|| "The policy names who signs this release, and you are not among them.".to_owned())
}

/// Why the rules say NO-GO. What others have signed is not among them: each approver decides, and a NO-GO holds back whatever the others
/// say.
fn rule_reasons(review: &ReviewStanding) -> Vec<&Reason> {
    review
        .verdict
        .reasons
        .iter()
        .filter(|reason| reason.kind != ReasonKind::ReleaseNoGo)
        .collect()
}

fn check_release(
    actor: &Actor,
    review: &ReviewStanding,
    eyes: &Eyes,
    decision: ReleaseDecision,
    basis: &Digest,
) -> Result<(), ServiceError> {
    let current = review.basis();
    if current != *basis {
        return Err(changed_since(
            "The review",
            review.review.version,
            basis,
            &current,
        ));
    }
    if let Some(refusal) = release_refusal(actor, true, &review.policy) {
        return Err(ServiceError::Forbidden(refusal));
    }
    let holding_back = rule_reasons(review);
    if decision == ReleaseDecision::Go && !holding_back.is_empty() {
        let reasons: Vec<_> = holding_back
            .iter()
            .take(5)
            .map(|reason| reason.title.as_str())
            .collect();
        let more = holding_back.len().saturating_sub(5);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let message = format!(
            "GO is not possible while the verdict is NO-GO, because of {}{more}.",
            reasons.join(", ")
        );
        return Err(ServiceError::rejected("decision", message));
    }
    if decision == ReleaseDecision::Go
        && let Some(refusal) = eyes.release_refusal(review)
    {
        return Err(ServiceError::rejected("decision", refusal));
    }
    Ok(())
}

fn changed_since(what: &str, version: i64, shown: &Digest, current: &Digest) -> ServiceError {
    ServiceError::Conflict(Box::new(Conflict {
        message: format!(
            "{what} has changed since you opened it. Nothing was signed. Look at it again, then sign what you see."
        ),
        current_version: version,
        fields: vec![("digest".to_owned(), shown.to_string(), current.to_string())],
    }))
}
