//! The report: read here, exported in each form, and how to verify it.

use holdpoint_domain::ReviewId;
use holdpoint_service::{AsOf, DecidedReports, ReportStanding};
use leptos::prelude::*;
use leptos_router::{
    ParamSegment, StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
    hooks::use_query_map,
};

use super::{
    PageError, page, parameter,
    review_bar::{review_bar, review_crumbs, review_name},
};
use crate::{
    parts::{
        Frame, Icon, PageHead, Panel, Prose, Tab,
        controls::{ButtonLink, Notice, Weight},
        figure::size,
        status::Tone,
        when::moment,
    },
    paths,
    visit::{Visit, services},
};

/// The route of the report.
#[component(transparent)]
pub fn ReportRoutes() -> AnyNestedRoute {
    view! {
        <Route
            path=(StaticSegment("reviews"), ParamSegment("id"), StaticSegment("report"))
            view=ReportPage
        />
    }
    .into_inner()
    .into_any_nested_route()
}

/// How many bytes of the report its page shows: more than a thousand findings with what is said of them.
const MOST_SHOWN: usize = 1_000_000;

/// The lines at the start of a text that fit into so many bytes.
fn beginning(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let fits = &text[..text.floor_char_boundary(most)];
    fits.rfind('\n').map_or(fits, |end| &fits[..=end])
}

#[component]
fn ReportPage() -> impl IntoView {
    page(async move {
        let (_, person) = Visit::signed_in()?;
        let id = ReviewId::parse(&parameter("id")).ok_or(PageError::NotFound("This review"))?;
        let services = services();
        let asked = use_query_map().read_untracked().get("as_of");
        let as_of = AsOf::parse(asked.as_deref())?;
        let preview = services.report_preview(&person, &id, &as_of).await?;
        let decided = services.decided_reports(&person, &id).await?;
        let is_draft = preview.standing.is_draft();
        let now = services.review_glance(&person, &id).await?;
        let bar = review_bar(&person, &now, Tab::SignOff).await?;
        let title = format!("Report: {}", review_name(&now));
        let export = |words: &'static str, name: &str| {
            let href = paths::report_file(id.as_str(), name, asked.as_deref());
            view! { <li><a href=href download="">{words}</a></li> }.into_any()
        };
        let mut exports = vec![export("Markdown (report.md)", "report.md")];
        if !is_draft {
            exports.push(export("Signature (report.md.sig)", "report.md.sig"));
            exports.push(export(
                "Signed bundle with evidence and patches (.zip)",
                "bundle.zip",
            ));
        }
        exports.push(export("JSON", "report.json"));
        exports.push(export("Findings as SARIF", "findings.sarif"));
        exports.push(export("Findings as CSV", "findings.csv"));
        let state = match preview.standing {
            ReportStanding::Draft => {
                "A draft: the release has not been decided on, so the report is not signed and may change."
            }
            ReportStanding::DraftBeside { .. } => {
                "A draft beside the decided report: what has come since. It is not signed and may change."
            }
            ReportStanding::Computed => {
                "The release decision stands, so the report is signed with this instance's key."
            }
            ReportStanding::Decided { .. } => {
                "The report of the release decision: fixed when that was signed, and the same whenever it is asked for."
            }
        };
        let others = which_reports(id.as_str(), &preview.standing, &decided);
        let verify = (!is_draft).then(|| {
            let name = preview.file_name.clone();
            let bundle = preview.bundle_name.clone();
            let time = preview.verify_time.as_ref();
            let time = time.map(|time| format!("-Overify-time={time} "));
            let time = time.unwrap_or_default();
            let commands = format!(
                "ssh-keygen -Y verify {time}-f allowed_signers -I holdpoint -n holdpoint-report@v1 \\\n    -s {name}.sig < {name}\nholdpoint verify {name} --signature {name}.sig --key allowed_signers\nholdpoint verify {bundle} --key allowed_signers"
            );
            view! {
                <Panel id="verify" title="Verify it offline">
                    <p>
                        "With " <a href="/.well-known/holdpoint-signing-keys">"this instance's public keys"</a>
                        " as the file " <code>"allowed_signers"</code> ", any of these says whether the report is whole:"
                    </p>
                    <pre class="wraps" aria-label="Commands that verify the report">{commands}</pre>
                </Panel>
            }
        });
        let actions = view! {
            <ButtonLink
                words="Download report.md"
                href=paths::report_file(id.as_str(), "report.md", asked.as_deref())
                weight=Weight::Primary
                icon=Icon::Download
            />
        }
        .into_any();
        let meta = view! { <span>{state}</span> }.into_any();
        let shown = beginning(&preview.text, MOST_SHOWN);
        let is_cut = (shown.len() < preview.text.len()).then(|| {
            let whole = size(preview.text.len());
            view! {
                <Notice tone=Tone::Blue>
                    <p>
                        {format!("The report is too long to read as a page: it has {whole}, and here is its beginning. ")}
                        <a href=paths::report_file(id.as_str(), "report.md", asked.as_deref()) download="">"Download report.md"</a>
                        " for all of it."
                    </p>
                </Notice>
            }
        });
        let text = shown.to_owned();
        Ok(view! {
            <Frame title=title.clone() crumbs=review_crumbs(&now) review=bar>
                <PageHead title="Report" meta actions />
                <div class="stack">
                    {others}
                    <Panel id="exports" title="Export">
                        <ul class="hits">{exports}</ul>
                    </Panel>
                    {verify}
                    {is_cut}
                    <section class="panel" aria-label="The report as it reads">
                        <div class="panel-body report-text">
                            <Prose text />
                        </div>
                    </section>
                </div>
            </Frame>
        }
        .into_any())
    })
}

/// The decided reports and the draft beside them, which one is shown, and what became of the evidence behind the newest.
fn which_reports(
    review: &str,
    shown: &ReportStanding,
    decided: &DecidedReports,
) -> Option<AnyView> {
    let newest = decided.reports.last()?;
    let holds = if decided.stands {
        "The newest decision holds now."
    } else {
        "The newest decision does not hold any more: what it was signed over has changed since. Its report stays as it was; the draft says what is so now."
    };
    let row = |words: String, as_of: &str, is_shown: bool| {
        let href = paths::with_query(&paths::report(review), &[("as_of", as_of)]);
        let current = is_shown.then_some("page");
        let mark = is_shown.then_some(" (shown here)");
        view! { <li><a href=href aria-current=current>{words}</a>{mark}</li> }.into_any()
    };
    let mut rows = vec![row(
        "Draft of now: what has come since, not signed".to_owned(),
        "now",
        shown.is_draft(),
    )];
    rows.extend(decided.reports.iter().rev().map(|report| {
        let words = format!(
            "Decided report: {}, signed by {}, {}",
            report.decision.label(),
            report.by,
            moment(report.at)
        );
        let is_shown =
            matches!(shown, ReportStanding::Decided { sign_off, .. } if *sign_off == report.sign_off);
        row(words, &report.sign_off, is_shown)
    }));
    let is_of_newest =
        matches!(shown, ReportStanding::Decided { sign_off, .. } if *sign_off == newest.sign_off);
    let since = (is_of_newest && !decided.evidence_since.is_empty()).then(|| {
        let sentences: Vec<_> = decided
            .evidence_since
            .iter()
            .map(|sentence| view! { <li>{sentence.clone()}</li> })
            .collect();
        view! {
            <Notice tone=Tone::Amber>
                <p>"Not all evidence behind this report is as it was. The report itself stays as it was signed."</p>
                <ul>{sentences}</ul>
            </Notice>
        }
    });
    Some(
        view! {
            <Panel id="which" title="Which report">
                <div class="stack-2">
                    <p class="small">{holds}</p>
                    <ul class="hits">{rows}</ul>
                    {since}
                </div>
            </Panel>
        }
        .into_any(),
    )
}

#[cfg(test)]
mod tests {
    use super::beginning;

    #[test]
    fn a_beginning_is_whole_lines_that_fit() {
        assert_eq!(beginning("one\ntwo\n", 8), "one\ntwo\n");
        assert_eq!(beginning("one\ntwo\n", 7), "one\n");
        assert_eq!(beginning("one\ntwo\n", 3), "one");
        assert_eq!(beginning("é", 1), "");
    }
}
