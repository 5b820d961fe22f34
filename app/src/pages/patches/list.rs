//! A review's patches.

use holdpoint_domain::{Millis, PatchState, ReviewId};
use holdpoint_service::patches::{PatchLine, PatchList};
use leptos::prelude::*;

use crate::{
    pages::{
        PageError, page, parameter,
        review_bar::{review_bar, review_crumbs},
    },
    parts::{
        Column, Crumb, Empty, Frame, Ico, Icon, Inline, PageHead, St, Tab, Table, When,
        controls::{ButtonLink, Weight},
        patch::{Changed, LinkedTo, Reach, ShownTouch},
    },
    paths,
    visit::{Visit, services},
};

#[component]
pub fn PatchListPage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let id = ReviewId::parse(&parameter("id")).ok_or(PageError::NotFound("This review"))?;
        let list = services.patches_of(&person, &id).await?;
        let standing = services.review_glance(&person, &id).await?;
        let bar = review_bar(&person, &standing, Tab::Patches).await?;
        let mut crumbs = review_crumbs(&standing);
        crumbs.push(Crumb::here("Patches"));
        let meta = meta(&list);
        let actions = actions(&list);
        let body = body(&list, visit.now);
        Ok(view! {
            <Frame title="Patches" crumbs review=bar>
                <PageHead title="Patches" meta=meta actions=actions />
                {body}
            </Frame>
        }
        .into_any())
    })
}

/// How many stand where.
fn meta(list: &PatchList) -> AnyView {
    PatchState::ALL
        .iter()
        .map(|state| (*state, list.n_in(*state)))
        .filter(|(_, n)| *n > 0)
        .map(|(state, n)| view! { <span>{n} " " {state.label().to_lowercase()}</span> })
        .collect_view()
        .into_any()
}

fn actions(list: &PatchList) -> AnyView {
    let review = list.review.id.as_str();
    let n = list.n_series();
    let series = if n > 0 {
        let words = if n == 1 {
            "Download the approved patch (.mbox)".to_owned()
        } else {
            format!("Download {n} approved patches (.mbox)")
        };
        view! {
            <ButtonLink words href=paths::patch_series(review) icon=Icon::Download download=true />
        }
        .into_any()
    } else {
        view! {
            <button class="btn" type="button" disabled aria-describedby="no-series">
                <Ico icon=Icon::Download />
                "Download approved patches"
            </button>
            <span class="tiny muted" id="no-series">"No patch is approved yet."</span>
        }
        .into_any()
    };
    let submit = match list.no_submit.clone() {
        None => view! {
            <ButtonLink
                words="Submit a patch"
                href=paths::new_patch(review)
                weight=Weight::Primary
                icon=Icon::Plus
            />
        }
        .into_any(),
        Some(why) => view! {
            <button class="btn" type="button" disabled aria-describedby="no-submit">
                <Ico icon=Icon::Plus />
                "Submit a patch"
            </button>
            <span class="tiny muted" id="no-submit">{why}</span>
        }
        .into_any(),
    };
    view! { {series} {submit} }.into_any()
}

fn body(list: &PatchList, now: Millis) -> AnyView {
    if list.lines.is_empty() {
        let review = list.review.id.as_str().to_owned();
        let may = list.no_submit.is_none();
        return view! {
            <section class="panel" aria-label="Patches">
                <Empty
                    title="No patch yet"
                    text="A patch is a diff that remedies findings or serves an item. Someone else than its author approves it, and a later scan tells whether its findings are gone."
                >
                    {may
                        .then(|| {
                            view! {
                                <ButtonLink
                                    words="Submit a patch"
                                    href=paths::new_patch(&review)
                                    weight=Weight::Primary
                                />
                            }
                        })}
                </Empty>
            </section>
        }
        .into_any();
    }
    let columns = vec![
        Column::new("Patch"),
        Column::new("State"),
        Column::new("Lines").figures(),
        Column::new("For"),
        Column::new("Submitted"),
    ];
    let rows = list.lines.iter().map(|line| row(line, now)).collect_view();
    view! {
        <section class="panel" aria-label="Patches">
            <Table caption="Patches" columns>
                {rows}
            </Table>
        </section>
    }
    .into_any()
}

fn row(PatchLine { patch, links }: &PatchLine, now: Millis) -> AnyView {
    let name = format!("P-{}", patch.number);
    let files = match patch.n_files {
        1 => "1 file".to_owned(),
        n => format!("{n} files"),
    };
    let touches: Vec<_> = links
        .findings
        .iter()
        .map(|finding| ShownTouch {
            finding: finding.id.as_str().to_owned(),
            number: finding.number,
            reach: Reach::NotKnown,
            sentence: String::new(),
        })
        .collect();
    let items: Vec<_> = links
        .items
        .iter()
        .map(|item| (item.key.clone(), item.id.as_str().to_owned()))
        .collect();
    let unlinked = (touches.is_empty() && items.is_empty())
        .then(|| view! { <span class="faint">"nothing yet"</span> });
    let author = (patch.author_name != patch.submitted_by_name)
        .then(|| format!("by {}, ", patch.author_name));
    view! {
        <tr role="row">
            <td role="cell" class="full">
                <a class="ttl" href=paths::patch(patch.id.as_str())>
                    <span class="faint num light">{name}</span>
                    " "
                    <Inline text=patch.title.clone() />
                </a>
                <span class="sub">{author} {files}</span>
            </td>
            <td role="cell" data-l="State"><St of=patch.state /></td>
            <td role="cell" data-l="Lines" class="n">
                <Changed added=patch.n_added removed=patch.n_removed />
            </td>
            <td role="cell" data-l="For"><LinkedTo touches items /> {unlinked}</td>
            <td role="cell" data-l="Submitted">
                {patch.submitted_by_name.clone()} ", " <When at=patch.submitted_at now />
            </td>
        </tr>
    }
    .into_any()
}
