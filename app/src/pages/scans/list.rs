//! Uploading scanner files, and the scans that were imported before.

use holdpoint_domain::{ScanId, person::Action};
use holdpoint_service::{Scan, scans::formats};
use leptos::prelude::*;

use crate::{
    flash::FormState,
    pages::{
        findings::thousands,
        page, query,
        review_bar::{OpenReview, review_bar, review_crumbs, review_name},
    },
    parts::{
        Button, Column, Empty, FieldNote, Frame, Ico, Icon, PageHead, SelectField, Sha, Tab, Table,
        TextField, When, Who,
        status::{Flag, FlagMark, Tone},
        table::pages,
    },
    paths,
    visit::services,
};

/// How many scans stand on a page.
const PAGE: i64 = 50;

#[component]
pub(super) fn ScansPage() -> impl IntoView {
    page(async move {
        let before = ScanId::parse(&query("before"));
        let services = services();
        let open = OpenReview::of_address().await?;
        let scans = services
            .scans_of(&open.person, &open.service, before.as_ref(), PAGE)
            .await?;
        let bar = review_bar(&open.person, &open.standing, Tab::Scans).await?;
        let review = open.id.as_str().to_owned();
        let title = format!("Scans: {}", review_name(&open.standing));
        let commit = open.standing.review.commit_id.clone().unwrap_or_default();
        let for_commit = (!commit.is_empty()).then(|| {
            view! {
                <span><Ico icon=Icon::Commit />"for commit " <Sha digest=commit.clone() kind="Commit" shown=7 /></span>
            }
        });
        let meta = view! {
            <span>{format!("Of {}", open.standing.review.service_name)}</span>
            {for_commit}
        }
        .into_any();
        let form = open.visit.form("scans/upload");
        let limit = services.limits().scan_bytes;
        let upload = if open.access.may(Action::ImportScans) {
            view! { <Upload review=review.clone() form commit limit /> }.into_any()
        } else {
            view! {
                <p class="notice" data-tone=Tone::Neutral.as_str()>
                    <Ico icon=Icon::Info />
                    <span>"Only a contributor, reviewer or manager of this service can import scans."</span>
                </p>
            }
            .into_any()
        };
        Ok(view! {
            <Frame title crumbs=review_crumbs(&open.standing) review=bar>
                <PageHead title="Scans" meta />
                <div class="stack">
                    {upload}
                    <Earlier review scans is_first=before.is_none() now=open.visit.now />
                </div>
            </Frame>
        }
        .into_any())
    })
}

#[component]
fn Upload(review: String, form: FormState, commit: String, limit: i64) -> impl IntoView {
    let was_refused = form.was_refused();
    let error = form.error("files");
    let described = if error.is_some() {
        "files-error files-hint"
    } else {
        "files-hint"
    };
    let invalid = error.as_ref().map(|_| "true");
    let tone = error.as_ref().map(|_| "red");
    let n_others = formats().len().saturating_sub(1);
    let hint = format!(
        "SARIF 2.1.0 and {n_others} other formats, found from the content; all are listed below. Up to {} MB each. You see \
         what would change before anything is saved.",
        thousands(limit / 1_048_576)
    );
    let options = std::iter::once((String::new(), "Found from the content".to_owned()))
        .chain(
            formats()
                .into_iter()
                .map(|(name, title)| (name.to_owned(), title.to_owned())),
        )
        .collect();
    view! {
        <form class="stack" method="post" action=paths::scan_upload(&review) enctype="multipart/form-data">
            <div class="drop" data-tone=tone>
                <Ico icon=Icon::Upload />
                <label class="strong" for="files">"Drop scanner reports on the field, or choose files"</label>
                <div class="pick">
                    <input
                        type="file"
                        id="files"
                        name="files"
                        multiple
                        required
                        aria-invalid=invalid
                        aria-describedby=described
                    />
                    <Button words="Upload and preview" weight=crate::parts::controls::Weight::Primary />
                </div>
                <div class="field"><FieldNote id="files".to_owned() error hint=Some(hint) /></div>
            </div>
            <details class="disc" open=was_refused>
                <summary>
                    <Ico icon=Icon::Right class="chev" />
                    "Series, commit and format"
                </summary>
                <div class="panel">
                    <div class="panel-body fields">
                        <TextField
                            form=form.clone()
                            name="label"
                            label="Series"
                            required=false
                            max_length=200
                            hint="Scans of one tool with one label are compared with each other. Without a label it is the tool's name, with what the tool looked at where the file says so; give one where one tool is run in several ways, so that one run does not fix the other's findings."
                        />
                        <div class="fields-2">
                            <TextField
                                form=form.clone()
                                name="commit"
                                label="Commit that was scanned"
                                value=commit
                                required=false
                                max_length=64
                                mono=true
                                hint="Left empty, it is what the file says, if it says it."
                            />
                            <SelectField form name="format" label="Format" options required=false />
                        </div>
                    </div>
                </div>
            </details>
        </form>
    }
    .into_any()
}

#[component]
fn Earlier(
    review: String,
    scans: Vec<Scan>,
    is_first: bool,
    now: holdpoint_domain::Millis,
) -> impl IntoView {
    let n = scans.len();
    let next = (i64::try_from(n).unwrap_or(0) == PAGE)
        .then(|| {
            scans.last().map(|scan| {
                paths::with_query(&paths::scans(&review), &[("before", scan.id.as_str())])
            })
        })
        .flatten();
    let first = (!is_first).then(|| paths::scans(&review));
    let body = if n == 0 {
        view! {
            <Empty
                title="No scan has been imported"
                text="Without scans, nothing is known about what scanners would find, and that is no sign of a clean service. Where the policy asks for a scan of the target commit, the verdict stays no-go until there is a complete one."
            />
        }
        .into_any()
    } else {
        let rows = scans
            .into_iter()
            .map(|scan| row(scan, &review, now))
            .collect_view();
        let columns = vec![
            Column::new("Scan"),
            Column::new("When"),
            Column::new("By"),
            Column::new("Commit"),
            Column::new("File"),
            Column::new("New").figures(),
            Column::new("Unchanged").figures(),
            Column::new("Fixed").figures(),
            Column::new("Reopened").figures(),
        ];
        let summary = if n == 1 {
            "1 scan".to_owned()
        } else {
            format!("{n} scans, newest first")
        };
        view! {
            <Table caption="Earlier scans, newest first" columns>{rows}</Table>
            {pages(summary, first, None, next)}
        }
        .into_any()
    };
    view! {
        <section class="panel" aria-labelledby="h-his">
            <div class="panel-head"><h2 id="h-his">"Earlier scans"</h2></div>
            {body}
        </section>
    }
    .into_any()
}

/// How a scan is called: its tool, its series if it has another name, its position.
pub(super) fn name_of(scan: &Scan) -> String {
    if scan.label == scan.tool {
        format!("{} #{}", scan.tool, scan.sequence)
    } else {
        format!("{}, {} #{}", scan.tool, scan.label, scan.sequence)
    }
}

fn row(scan: Scan, review: &str, now: holdpoint_domain::Millis) -> AnyView {
    let address = paths::with_query(&paths::scan(scan.id.as_str()), &[("review", review)]);
    let figure = |n: i64| {
        if n == 0 {
            view! { <span class="zero">"0"</span> }.into_any()
        } else {
            thousands(n).into_any()
        }
    };
    let incomplete = scan
        .incomplete_because
        .is_some()
        .then(|| view! { " " <FlagMark flag=Flag::Incomplete /> });
    let undone = scan
        .undone_at
        .is_some()
        .then(|| view! { " " <span class="pill pill-sm" data-tone=Tone::Neutral.as_str()>"Undone"</span> });
    let commit: String = scan
        .commit
        .as_deref()
        .unwrap_or("not said")
        .chars()
        .take(8)
        .collect();
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="full"><a class="ttl" href=address>{name_of(&scan)}</a>{incomplete}{undone}</th>
            <td role="cell" data-l=""><When at=scan.imported_at now /></td>
            <td role="cell" data-l=""><Who name=scan.imported_by_name /></td>
            <td role="cell" data-l="" class="mono">{commit}</td>
            <td role="cell" class="full muted wrap-any">{scan.file_name}</td>
            <td role="cell" data-l="New" class="n">{figure(scan.changes.new)}</td>
            <td role="cell" data-l="Unchanged" class="n">{figure(scan.changes.unchanged + scan.changes.moved)}</td>
            <td role="cell" data-l="Fixed" class="n">{figure(scan.changes.fixed)}</td>
            <td role="cell" data-l="Reopened" class="n">{figure(scan.changes.reopened)}</td>
        </tr>
    }
    .into_any()
}
