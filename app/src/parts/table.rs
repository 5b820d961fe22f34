//! Tables: caption, heads with their order, pages.

use leptos::prelude::*;

use super::icon::{Ico, Icon};

/// How a column is ordered now, and where the link leads that orders by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    pub href: String,
    /// `Some(true)` when the rows descend by this column now.
    pub descending: Option<bool>,
}

/// The head of one column.
#[derive(Clone, Debug, Default)]
pub struct Column {
    pub title: String,
    pub class: &'static str,
    pub sort: Option<Sort>,
    /// For columns of controls: the title is read out but not shown.
    pub hidden: bool,
}

impl Column {
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// Figures stand at the end.
    #[must_use]
    pub fn figures(mut self) -> Self {
        self.class = "n";
        self
    }

    #[must_use]
    pub fn class(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }

    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    #[must_use]
    pub fn sort(mut self, href: impl Into<String>, descending: Option<bool>) -> Self {
        self.sort = Some(Sort {
            href: href.into(),
            descending,
        });
        self
    }
}

/// A table whose rows become cards where there is little room. Rows are `<tr role="row">` with `<td role="cell" data-l="Owner">`.
#[component]
pub fn Table(
    /// Names the table and its scroll region.
    #[prop(into)]
    caption: String,
    /// The caption stands above the table; otherwise it is read out only.
    #[prop(optional)]
    show_caption: bool,
    columns: Vec<Column>,
    /// `stackable` by default; `dense` for findings.
    #[prop(default = "stackable")]
    class: &'static str,
    /// The rows.
    children: Children,
) -> impl IntoView {
    let heads = columns.into_iter().map(head).collect_view();
    let label = caption.clone();
    let caption_class = if show_caption { None } else { Some("vh") };
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=label>
            <table class=format!("tbl {class}") role="table">
                <caption class=caption_class>{caption}</caption>
                <thead role="rowgroup">
                    <tr role="row">{heads}</tr>
                </thead>
                <tbody role="rowgroup">{children()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn head(
    Column {
        title,
        class,
        sort,
        hidden,
    }: Column,
) -> impl IntoView {
    let order = sort
        .as_ref()
        .and_then(|sort| sort.descending)
        .map(|down| if down { "descending" } else { "ascending" });
    let title = match sort {
        Some(Sort { href, descending }) => view! {
            <a class="sort" href=href>
                {title}
                {descending.map(|_| view! { <Ico icon=Icon::Descending class="i-sm" /> })}
            </a>
        }
        .into_any(),
        None if hidden => view! { <span class="vh">{title}</span> }.into_any(),
        None => title.into_any(),
    };
    view! { <th scope="col" role="columnheader" class=class aria-sort=order>{title}</th> }
}

/// Pages of a list by key: links that can be followed and shared.
#[component]
pub fn Pager(
    /// "1 to 50 of 1,204 findings"
    #[prop(into)]
    summary: String,
    #[prop(optional, into)] first: Option<String>,
    #[prop(optional, into)] next: Option<String>,
) -> impl IntoView {
    pages(summary, first, None, next)
}

/// As [`Pager`], where a page may or may not have neighbours.
pub fn pages(
    summary: String,
    first: Option<String>,
    previous: Option<String>,
    next: Option<String>,
) -> AnyView {
    view! {
        <nav class="paging" aria-label="Pages">
            <span>{summary}</span>
            <span class="btn-row">
                {first.map(|href| view! { <a class="btn btn-sm" href=href rel="first">"First page"</a> })}
                {previous
                    .map(|href| {
                        view! {
                            <a class="btn btn-sm" href=href rel="prev">
                                <Ico icon=Icon::Left />
                                "Previous"
                            </a>
                        }
                    })}
                {next
                    .map(|href| {
                        view! {
                            <a class="btn btn-sm" href=href rel="next">
                                "Next"
                                <Ico icon=Icon::Right />
                            </a>
                        }
                    })}
            </span>
        </nav>
    }
    .into_any()
}
