//! Who must sign the release, and what each has said.

use holdpoint_domain::{ServiceRole, person::Action};
use holdpoint_service::{
    Person, SignOff,
    standing::{ReviewStanding, SignOffStanding, Validity},
};

use crate::parts::{
    figure::counted,
    status::Flag,
    when::{date, moment},
};

/// One signature that the release needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signer {
    /// Absent where any manager may sign.
    pub(crate) person: Option<String>,
    pub(crate) name: String,
    /// What they are to the service, and the address that they sign in with.
    pub(crate) role: String,
    /// Their newest decision, void ones included.
    pub(crate) last: Option<SignOffStanding>,
}

impl Signer {
    pub(crate) fn flag(&self) -> Flag {
        match self.last.as_ref().map(|last| &last.validity) {
            Some(Validity::Valid) => Flag::Valid,
            Some(Validity::Void(changes)) => {
                Flag::Void(counted(changes.len(), "change since", "changes since"))
            }
            Some(Validity::Damaged(_)) => Flag::Damaged,
            Some(Validity::Past) | None => Flag::NotSigned,
        }
    }

    /// Whether one of their decisions counts now.
    pub(crate) fn is_valid(&self) -> bool {
        self.last.as_ref().is_some_and(SignOffStanding::is_valid)
    }
}

/// Whose signature it is: names may look alike, addresses are each one person's.
pub(crate) fn signer_words(sign_off: &SignOff) -> String {
    format!("{}, {}", sign_off.person_name, signer_address(sign_off))
}

/// The address of whoever signed, and whether the account is disabled since.
pub(crate) fn signer_address(sign_off: &SignOff) -> String {
    let disabled = sign_off
        .person_disabled_at
        .map(|at| format!(" (account disabled since {})", date(at)));
    let reset = sign_off.reset_at.map(|at| {
        format!(
            " (within a day after the password was set by somebody else's link, {})",
            moment(at)
        )
    });
    format!(
        "{}{}{}",
        sign_off.person_email,
        disabled.unwrap_or_default(),
        reset.unwrap_or_default()
    )
}

/// The named approvers; or those who have signed, and "any manager" for each signature that is still missing.
pub(crate) fn signers(standing: &ReviewStanding, members: &[(Person, ServiceRole)]) -> Vec<Signer> {
    let last_of = |person: &str| {
        standing
            .release
            .decisions
            .iter()
            .rev()
            .find(|decision| {
                decision.sign_off.person_id == person && decision.validity != Validity::Past
            })
            .cloned()
    };
    let member = |person: &str| {
        members
            .iter()
            .find(|(member, _)| member.id.as_str() == person)
    };
    let role_of = |person: &str| {
        member(person).map_or("No role on this service now".to_owned(), |(_, role)| {
            role.label().to_owned()
        })
    };
    let approvers = &standing.policy.approvers;
    if !approvers.is_empty() {
        return approvers
            .iter()
            .map(|person| {
                let last = last_of(person);
                let name = member(person)
                    .map(|(member, _)| member.name.clone())
                    .or_else(|| last.as_ref().map(|last| last.sign_off.person_name.clone()))
                    .unwrap_or_else(|| "A person without a role here".to_owned());
                let address = match (&last, member(person)) {
                    (Some(last), _) => format!(", {}", signer_address(&last.sign_off)),
                    (None, Some((member, _))) => format!(", {}", member.email),
                    (None, None) => String::new(),
                };
                Signer {
                    role: format!("{}{address}", role_of(person)),
                    person: Some(person.clone()),
                    name,
                    last,
                }
            })
            .collect();
    }
    let mut signers: Vec<Signer> = Vec::new();
    for decision in &standing.release.decisions {
        let person = &decision.sign_off.person_id;
        if signers
            .iter()
            .any(|signer| signer.person.as_ref() == Some(person))
        {
            continue;
        }
        if let Some(last) = last_of(person) {
            signers.push(Signer {
                person: Some(person.clone()),
                name: last.sign_off.person_name.clone(),
                role: format!("{}, {}", role_of(person), signer_address(&last.sign_off)),
                last: Some(last),
            });
        }
    }
    let managers: Vec<_> = members
        .iter()
        .filter(|(member, role)| role.may(Action::DecideRelease) && member.disabled_at.is_none())
        .map(|(member, _)| member.name.as_str())
        .collect();
    let role = if managers.is_empty() {
        "Nobody on this service is a manager yet".to_owned()
    } else {
        managers.join(", ")
    };
    while signers.len() < standing.release.n_needed.min(50) {
        signers.push(Signer {
            person: None,
            name: "Any manager".to_owned(),
            role: role.clone(),
            last: None,
        });
    }
    signers
}
