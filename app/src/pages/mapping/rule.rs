//! The fields of a rule, and the page that changes one.

use holdpoint_domain::{MappingRuleId, Severity, person::Action};
use holdpoint_service::{
    findings::CATEGORIES,
    mapping::{MappedItem, RuleFields},
};
use leptos::prelude::*;

use crate::{
    flash::FormState,
    pages::{
        PageError,
        findings::review_of_address,
        page, parameter,
        review_bar::{review_bar, review_crumbs, review_name},
    },
    parts::{
        Button, ButtonLink, Crumb, FieldNote, Frame, PageHead, SelectField, St, Tab, TextField,
        controls::Weight,
    },
    paths::{self, action},
    visit::{Visit, services},
};

/// What a rule asks and where it leads.
#[component]
pub(super) fn RuleForm(
    form: FormState,
    items: Vec<MappedItem>,
    /// What the fields start with.
    start: RuleFields,
    #[prop(default = "")] prefix: &'static str,
) -> impl IntoView {
    let options = std::iter::once((String::new(), "Choose an item".to_owned()))
        .chain(items.into_iter().map(|item| {
            let words = format!("{} {}", item.key, item.title);
            (item.key, words.chars().take(90).collect())
        }))
        .collect();
    let categories = std::iter::once((String::new(), "Any".to_owned()))
        .chain(
            CATEGORIES
                .iter()
                .map(|(word, label)| ((*word).to_owned(), (*label).to_owned())),
        )
        .collect();
    let ticked: Vec<String> = match form.typed("severities") {
        Some(typed) => typed.split(',').map(str::to_owned).collect(),
        None => start.severities.clone(),
    };
    let severities = Severity::ALL
        .iter()
        .map(|severity| {
            let checked = ticked.iter().any(|word| word == severity.as_str());
            view! {
                <label class="check">
                    <input type="checkbox" name="severities[]" value=severity.as_str() checked=checked />
                    <span><St of=*severity /></span>
                </label>
            }
        })
        .collect_view();
    let error = form.error("severities");
    view! {
        <div class="fields-2">
            <TextField
                form=form.clone()
                name="tool"
                label="Scanner"
                value=start.tool
                required=false
                max_length=200
                prefix
                hint="As gitleaks or trivy*; case does not matter."
            />
            <SelectField form=form.clone() name="category" label="Category" options=categories value=start.category required=false prefix />
        </div>
        <div class="fields-2">
            <TextField
                form=form.clone()
                name="rule"
                label="Rule"
                value=start.rule
                required=false
                max_length=200
                mono=true
                prefix
                hint="As python.*.sql-*: * is any characters, ? is one."
            />
            <TextField
                form=form.clone()
                name="path"
                label="Path"
                value=start.path
                required=false
                max_length=200
                mono=true
                prefix
                hint="As in a .gitignore: deploy/, *.tf, src/**/*.go"
            />
        </div>
        <fieldset class="stack-1">
            <legend class="label">"Severity " <span class="optional">"(optional)"</span></legend>
            <div class="row gap-3">{severities}</div>
            <FieldNote id="severities".to_owned() error hint=Some("None ticked is any.".to_owned()) />
        </fieldset>
        <SelectField form name="item" label="Belongs to item" options value=start.item prefix />
    }
    .into_any()
}

#[component]
pub(super) fn RulePage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let id = review_of_address()?;
        let rule_id =
            MappingRuleId::parse(&parameter("rule")).ok_or(PageError::NotFound("This rule"))?;
        let services = services();
        let standing = services.review_glance(&person, &id).await?;
        let rule = services.mapping_rule(&person, &rule_id).await?;
        let mapping = services.mapping(&person, &id).await?;
        let view = mapping
            .rules
            .into_iter()
            .find(|view| view.rule.id == rule_id)
            .ok_or(PageError::NotFound("This rule"))?;
        let may = services
            .access(&person, &rule.service)
            .await?
            .may(Action::Contribute);
        let bar = review_bar(&person, &standing, Tab::Findings).await?;
        let review = id.as_str().to_owned();
        let mut crumbs = review_crumbs(&standing);
        crumbs.push(Crumb::to("Mapping", paths::mapping(&review)));
        let start = RuleFields {
            item: view.item.map_or(String::new(), |item| item.key),
            tool: rule.tool,
            category: rule.category,
            rule: rule.rule,
            path: rule.path,
            severities: rule
                .severities
                .iter()
                .map(|severity| severity.as_str().to_owned())
                .collect(),
        };
        let form = visit.form("mapping/change");
        let button = if may {
            view! { <Button words="Save the rule" weight=Weight::Primary /> }.into_any()
        } else {
            view! { <Button words="Save the rule" impossible="who-may" /> }.into_any()
        };
        let who = (!may).then(|| {
            view! { <p class="small muted" id="who-may">"Only a contributor, reviewer or manager of this service can change rules."</p> }
        });
        Ok(view! {
            <Frame title=format!("Mapping rule: {}", review_name(&standing)) crumbs review=bar>
                <PageHead title="Change a mapping rule" />
                <form class="panel form-panel" method="post" action=action("mapping/change")>
                    <div class="panel-body fields">
                        <input type="hidden" name="review" value=review.clone() />
                        <input type="hidden" name="id" value=rule.id.as_str().to_owned() />
                        <input type="hidden" name="version" value=rule.version.to_string() />
                        <RuleForm form items=mapping.items start />
                        <p class="small muted">
                            "It holds for every review of this service with this checklist, at imports from now on."
                        </p>
                        {who}
                        <div class="btn-row">
                            {button}
                            <ButtonLink words="Cancel" href=paths::mapping(&review) weight=Weight::Quiet />
                        </div>
                    </div>
                </form>
            </Frame>
        }
        .into_any())
    })
}
