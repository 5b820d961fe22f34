//! The policy editor: what the verdict and the sign-offs of a review ask for.

use holdpoint_domain::{Policy, Severity};
use holdpoint_service::Named;
use leptos::prelude::*;

use crate::{
    actions::reviews::PolicyForm,
    flash::FormState,
    parts::{CheckField, FieldNote, SelectField, TextArea, TextField},
};

/// The fields of a policy. `managers` are those who can be named as approvers.
pub(super) fn policy_fields(form: &FormState, policy: &Policy, managers: &[Named]) -> AnyView {
    let start = PolicyForm::of(policy);
    let on = |text: &str| text == "on";
    let blocking = [
        ("blocks_critical", "Critical", on(&start.blocks_critical)),
        ("blocks_high", "High", on(&start.blocks_high)),
        ("blocks_medium", "Medium", on(&start.blocks_medium)),
        ("blocks_low", "Low", on(&start.blocks_low)),
        ("blocks_info", "Info", on(&start.blocks_info)),
    ]
    .map(|(name, label, ticked)| {
        view! { <CheckField form=form.clone() name=name label=label ticked=ticked /> }
    });
    let limits = [
        ("limit_critical", "Critical", &start.limit_critical),
        ("limit_high", "High", &start.limit_high),
        ("limit_medium", "Medium", &start.limit_medium),
        ("limit_low", "Low", &start.limit_low),
        ("limit_info", "Info", &start.limit_info),
    ]
    .map(|(name, label, value)| {
        view! {
            <TextField form=form.clone() name=name label=label value=value.clone() kind="number" with_choice=true />
        }
    });
    let severities = Severity::ALL
        .iter()
        .filter(|severity| **severity != Severity::Unrated)
        .map(|severity| (severity.to_string(), severity.label().to_owned()))
        .collect();
    let approvers = approvers(form, policy, managers);
    view! {
        <fieldset class="stack-2">
            <legend class="label">"Items"</legend>
            <CheckField
                form=form.clone()
                name="four_eyes"
                label="Four eyes"
                ticked=on(&start.four_eyes)
                hint="Whoever submitted evidence or a patch, or asked for review, cannot sign the same item. Turn it off only for a team of one; the report says so then."
            />
            <CheckField
                form=form.clone()
                name="evidence_required"
                label="Every item needs evidence"
                ticked=on(&start.evidence_required)
                hint="Without any, an item can neither go to review nor pass."
            />
            <CheckField
                form=form.clone()
                name="stale_evidence_blocks"
                label="Stale evidence blocks"
                ticked=on(&start.stale_evidence_blocks)
                hint="Evidence of another commit than the target holds back a pass and the release."
            />
            <CheckField
                form=form.clone()
                name="deliverables_required"
                label="Deliverables must be done"
                ticked=on(&start.deliverables_required)
            />
        </fieldset>
        <fieldset class="stack-2">
            <legend class="label">"Findings that block while they are open"</legend>
            <div class="row gap-3">{blocking}</div>
            <SelectField
                form=form.clone()
                name="unrated_as"
                label="An unrated finding counts as"
                options=severities
                value=start.unrated_as.clone()
                hint="Unrated is what a scanner did not rate in words that are known. It blocks and is late as findings of this severity are."
            />
        </fieldset>
        <fieldset class="stack-2">
            <legend class="label">"Days that a finding may stay open"</legend>
            <div class="fields-5">{limits}</div>
            <p class="hint small muted">"Empty is no limit. After its limit an open finding is late."</p>
            <CheckField
                form=form.clone()
                name="late_findings_block"
                label="Late findings block"
                ticked=on(&start.late_findings_block)
                hint="A finding that is open past its limit holds back the release, of whatever severity."
            />
        </fieldset>
        <TextArea
            form=form.clone()
            name="required_scans"
            label="Required scans"
            value=start.required_scans.clone()
            hint="One on each line: a tool, such as semgrep, or a tool and the label of its series, such as semgrep: backend. Each needs a complete scan of the target commit."
            required=false
            rows=3
            mono=true
        />
        <fieldset class="stack-2">
            <legend class="label">"Signatures"</legend>
            <div class="fields-2">
                <TextField
                    form=form.clone()
                    name="quorum"
                    label="People who must pass an item"
                    value=start.quorum.clone()
                    kind="number"
                    hint="An item can ask for another number."
                />
                <TextField
                    form=form.clone()
                    name="approvals"
                    label="Managers who must sign the release"
                    value=start.approvals.clone()
                    kind="number"
                    hint="Counts where nobody is named below."
                />
            </div>
            {approvers}
        </fieldset>
    }
    .into_any()
}

fn approvers(form: &FormState, policy: &Policy, managers: &[Named]) -> AnyView {
    let typed = form
        .typed("approvers")
        .map(|typed| typed.split(',').map(str::to_owned).collect::<Vec<_>>());
    let chosen = typed.unwrap_or_else(|| policy.approvers.clone());
    let boxes = managers
        .iter()
        .map(|manager| {
            let id = manager.id.as_str().to_owned();
            let ticked = chosen.contains(&id);
            view! {
                <label class="check">
                    <input type="checkbox" name="approvers[]" value=id checked=ticked />
                    <span>{manager.name.clone()}</span>
                </label>
            }
        })
        .collect_view();
    let gone = chosen
        .iter()
        .filter(|id| {
            !id.is_empty()
                && !managers
                    .iter()
                    .any(|manager| manager.id.as_str() == id.as_str())
        })
        .count();
    let gone = (gone > 0).then(|| {
        view! {
            <p class="small muted">
                {format!("{gone} named before can no longer sign the release; saving leaves them out.")}
            </p>
        }
    });
    let error = form.error("approvers");
    let tone = error.as_ref().map(|_| "red");
    view! {
        <div class="field" data-tone=tone>
            <span class="label">"Approvers, all of whom must sign "<span class="optional">"(optional)"</span></span>
            <div class="row gap-3">{boxes}</div>
            {gone}
            <FieldNote
                id="approvers".to_owned()
                error
                hint=Some("Nobody ticked means any managers of the service.".to_owned())
            />
        </div>
    }
    .into_any()
}
