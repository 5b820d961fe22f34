//! The rules of a review in their order, and those that suggest themselves.

use holdpoint_domain::person::Action;
use holdpoint_service::{
    findings::category_label,
    mapping::{MappedItem, RuleFields, RuleView, SuggestedRule, in_words},
};
use leptos::prelude::*;

use super::{item_link, rule::RuleForm};
use crate::{
    flash::FormState,
    pages::{
        findings::{n_findings, thousands},
        page, query,
        review_bar::{OpenReview, review_bar, review_crumbs, review_name},
    },
    parts::{
        Button, ButtonLink, Column, Empty, Frame, Ico, Icon, PageHead, RowAct, Tab, Table,
        controls::Weight,
    },
    paths::{self, action},
    visit::services,
};

#[component]
pub(super) fn MappingPage() -> impl IntoView {
    page(async move {
        // A suggestion that is to be edited before it is taken.
        let start = RuleFields {
            item: query("item"),
            tool: query("tool"),
            category: query("category"),
            ..RuleFields::default()
        };
        let services = services();
        let open = OpenReview::of_address().await?;
        let may = open.access.may(Action::Contribute);
        let mapping = services.mapping(&open.person, &open.id).await?;
        let bar = review_bar(&open.person, &open.standing, Tab::Findings).await?;
        let review = open.id.as_str().to_owned();
        let n = mapping.rules.len();
        let meta = view! {
            <span>"The first rule that fits a finding decides"</span>
            <span>
                {if mapping.is_fed_by_imports {
                    "Imports map into this review"
                } else {
                    "Its release is decided, so imports leave it alone"
                }}
            </span>
        }
        .into_any();
        let actions = view! {
            <ButtonLink words="Findings" href=paths::findings(&review) />
            <ButtonLink words="Apply the rules" href=paths::mapping_plan(&review) icon=Icon::Right />
        }
        .into_any();
        let add = may.then(|| {
            view! {
                <AddRule
                    review=review.clone()
                    form=open.visit.form("mapping/add")
                    items=mapping.items.clone()
                    start
                />
            }
        });
        let suggestions = (!mapping.suggestions.is_empty()).then(|| {
            view! { <Suggestions review=review.clone() suggestions=mapping.suggestions.clone() may /> }
        });
        Ok(view! {
            <Frame title=format!("Mapping: {}", review_name(&open.standing)) crumbs=review_crumbs(&open.standing) review=bar>
                <PageHead title="Mapping to items" meta actions />
                <div class="stack">
                    {suggestions}
                    <section class="panel" aria-labelledby="h-rules">
                        <div class="panel-head"><h2 id="h-rules">"Rules " <span class="count">{n}</span></h2></div>
                        <Rules
                            review=review.clone()
                            rules=mapping.rules
                            may
                            form=open.visit.form_of_any(&["mapping/remove", "mapping/move"])
                        />
                    </section>
                    {add}
                    <p class="small muted">
                        "Rules hold for every review of this service with this checklist. A finding that a person mapped or unmapped stays as they left it. A clean scan of the review's commit becomes evidence of the items of rules for its scanner."
                    </p>
                </div>
            </Frame>
        }
        .into_any())
    })
}

#[component]
fn Rules(
    review: String,
    rules: Vec<RuleView>,
    may: bool,
    /// What was left of any row's form.
    form: FormState,
) -> impl IntoView {
    if rules.is_empty() {
        return view! {
            <Empty
                title="No rule yet"
                text="Without rules every finding is mapped to its item by hand. A rule says which findings belong to which item: by scanner, category, rule, path and severity."
            />
        }
        .into_any();
    }
    let n = rules.len();
    let rows = rules
        .into_iter()
        .enumerate()
        .map(|(at, view)| row(&review, view, at, n, may, &form))
        .collect_view();
    let mut columns = vec![
        Column::new("Order").figures(),
        Column::new("Findings"),
        Column::new("Item"),
        Column::new("Linked here").figures(),
    ];
    if may {
        columns.push(Column::new("Change").hidden());
    }
    view! { <Table caption="Mapping rules in their order" columns>{rows}</Table> }.into_any()
}

fn row(review: &str, view: RuleView, at: usize, n: usize, may: bool, form: &FormState) -> AnyView {
    let words = in_words(&view.rule);
    let item = match &view.item {
        Some(item) => item_link(item),
        None => view! {
            <span class="muted">{format!("{} is not in this review", view.rule.item_key)}</span>
        }
        .into_any(),
    };
    let id = view.rule.id.as_str().to_owned();
    let hidden = {
        let (review, id, version) = (review.to_owned(), id.clone(), view.rule.version);
        move || {
            view! {
                <input type="hidden" name="review" value=review.clone() />
                <input type="hidden" name="id" value=id.clone() />
                <input type="hidden" name="version" value=version.to_string() />
            }
        }
    };
    let edit = paths::edit_mapping_rule(review, &id);
    let form = form.of_row("id", &id);
    let is_refused = form.was_refused();
    let step = |to: &'static str, icon: Icon, says: String, possible: bool| {
        view! {
            <button class="btn btn-quiet btn-icon btn-sm" type="submit" name="to" value=to disabled=!possible>
                <Ico icon />
                <span class="vh">{says}</span>
            </button>
        }
    };
    let change = may.then(|| {
        view! {
            <td role="cell" class="full">
                <div class="row">
                    <form method="post" action=action("mapping/move") class="row">
                        {hidden()}
                        {step("up", Icon::Up, format!("Move up: {words}"), at > 0)}
                        {step("down", Icon::Descending, format!("Move down: {words}"), at + 1 < n)}
                    </form>
                    <a class="btn btn-sm" href=edit>"Edit" <span class="vh">{format!(" {words}")}</span></a>
                    <RowAct words="Remove" form id=format!("rule-{id}") fields=&[]>
                        <form method="post" action=action("mapping/remove")>
                            {hidden()}
                            <div class="btn-row"><Button words="Remove the rule" weight=Weight::Danger small=true /></div>
                        </form>
                    </RowAct>
                </div>
            </td>
        }
    });
    let n_links = if view.n_links == 0 {
        view! { <span class="zero">"0"</span> }.into_any()
    } else {
        thousands(view.n_links).into_any()
    };
    view! {
        <tr role="row" data-tone=is_refused.then_some("red")>
            <td role="cell" data-l="Order" class="n fit">{at + 1}</td>
            <th role="rowheader" scope="row" class="full wrap-any">{words.clone()}</th>
            <td role="cell" data-l="" class="wrap-any">{item}</td>
            <td role="cell" data-l="Linked" class="n fit">{n_links}</td>
            {change}
        </tr>
    }
    .into_any()
}

#[component]
fn Suggestions(review: String, suggestions: Vec<SuggestedRule>, may: bool) -> impl IntoView {
    let rows = suggestions
        .into_iter()
        .map(|suggestion| suggested(&review, suggestion, may))
        .collect_view();
    view! {
        <section class="panel" aria-labelledby="h-sug">
            <div class="panel-head"><h2 id="h-sug">"Suggested rules"</h2></div>
            <ul class="rows">{rows}</ul>
        </section>
    }
    .into_any()
}

fn suggested(review: &str, suggestion: SuggestedRule, may: bool) -> AnyView {
    let SuggestedRule {
        tool,
        category,
        n,
        item,
        why,
    } = suggestion;
    let what = match (category.as_str(), n) {
        ("", _) => "has found nothing".to_owned(),
        (category, n) => format!(
            "{}, {}",
            category_label(category).to_lowercase(),
            n_findings(n)
        ),
    };
    let link = item_link(&item);
    let buttons = may.then(|| {
        let edit = paths::with_query(
            &paths::mapping(review),
            &[
                ("tool", &tool),
                ("category", &category),
                ("item", &item.key),
            ],
        );
        let words = format!("Take it: {tool} to {}", item.key);
        view! {
            <div class="row">
                <form method="post" action=action("mapping/add")>
                    <input type="hidden" name="review" value=review.to_owned() />
                    <input type="hidden" name="tool" value=tool.clone() />
                    <input type="hidden" name="category" value=category.clone() />
                    <input type="hidden" name="item" value=item.key.clone() />
                    <button class="btn btn-sm" type="submit">"Accept" <span class="vh">{words}</span></button>
                </form>
                <a class="btn btn-sm" href=format!("{edit}#h-add")>"Edit" <span class="vh">{format!(" the suggestion for {tool}")}</span></a>
                <form method="post" action=action("mapping/dismiss")>
                    <input type="hidden" name="review" value=review.to_owned() />
                    <input type="hidden" name="tool" value=tool.clone() />
                    <input type="hidden" name="category" value=category.clone() />
                    <button class="btn btn-sm btn-quiet" type="submit">"Dismiss" <span class="vh">{format!(" the suggestion for {tool}")}</span></button>
                </form>
            </div>
        }
    });
    view! {
        <li>
            <span class="grow">
                <b class="strong">{tool.clone()}</b> " " <span class="muted">{what}</span> " → " {link}
                <span class="sub">{format!("Because {why}.")}</span>
            </span>
            {buttons}
        </li>
    }
    .into_any()
}

#[component]
fn AddRule(
    review: String,
    form: FormState,
    items: Vec<MappedItem>,
    start: RuleFields,
) -> impl IntoView {
    view! {
        <form class="panel form-panel" method="post" action=action("mapping/add") aria-labelledby="h-add">
            <div class="panel-head"><h2 id="h-add">"Add a rule"</h2></div>
            <div class="panel-body fields">
                <input type="hidden" name="review" value=review />
                <RuleForm form items start />
                <div class="btn-row"><Button words="Add the rule" weight=Weight::Primary /></div>
            </div>
        </form>
    }
    .into_any()
}
