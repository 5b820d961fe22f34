//! Each part, rendered once: what it must show, and that nothing in it needs an inline style or a script of its own.

use std::sync::Arc;

use holdpoint_domain::{Decision, Gating, ItemState, Outcome, Severity};
use leptos::{prelude::*, reactive::owner::Owner};
use scraper::{Html, Selector};

use super::{
    controls::*, field::*, frame::*, hold_line::*, panel::*, status::*, table::*, when::*, *,
};
use crate::flash::{Flash, FormState, Refusal};

fn html<V: IntoView + 'static>(view: impl FnOnce() -> V) -> Html {
    let html = Owner::new().with(|| view().into_view().to_html());
    let html = Html::parse_fragment(&html);
    for element in html.select(&Selector::parse("*").unwrap()) {
        for (name, value) in element.value().attrs() {
            assert!(name != "style" && !name.starts_with("on"), "{name}={value}");
        }
    }
    html
}

fn texts(html: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    html.select(&selector)
        .map(|found| found.text().collect::<String>().trim().to_owned())
        .collect()
}

fn attribute(html: &Html, selector: &str, name: &str) -> Option<String> {
    let selector = Selector::parse(selector).unwrap();
    html.select(&selector)
        .next()
        .and_then(|found| found.value().attr(name))
        .map(str::to_owned)
}

fn refused(field: &str, typed: &[(&str, &str)]) -> FormState {
    let refusal = Refusal::Field {
        field: field.to_owned(),
        message: "Write why.".to_owned(),
    };
    FormState::of(
        "f",
        Some(&Arc::new(Flash::refusal("/", "f", refusal, typed))),
    )
}

#[test]
fn a_state_is_an_icon_and_a_word_in_its_tone() {
    let shown = html(
        || view! { <St of=ItemState::InReview /> <Pill of=Outcome::NoGo /> <St of=Severity::High more="until Friday" /> },
    );
    assert_eq!(texts(&shown, ".st"), ["In review", "High until Friday"]);
    assert_eq!(texts(&shown, ".pill"), ["No-go"]);
    assert_eq!(
        attribute(&shown, ".st", "data-tone").as_deref(),
        Some("violet")
    );
    assert_eq!(
        attribute(&shown, ".st use", "href").as_deref(),
        Some("#i-review")
    );
}

#[test]
fn gates_and_flags_say_their_word() {
    let shown = html(|| {
        view! {
            <Gate gating=Gating::Blocker />
            <FlagMark flag=Flag::Late("2 days late".to_owned()) />
            <FlagMark flag=Flag::Stale />
            <FlagMark flag=Flag::Void("3 changes since".to_owned()) />
            <FlagMark flag=Flag::NotSigned />
        }
    });
    assert_eq!(texts(&shown, ".gate.is-blocker"), ["Blocker"]);
    assert_eq!(texts(&shown, ".late"), ["2 days late"]);
    assert_eq!(texts(&shown, ".pill"), ["Stale"]);
    assert_eq!(
        texts(&shown, ".st"),
        ["Void, 3 changes since", "Not signed"]
    );
}

#[test]
fn a_field_ties_its_error_and_hint_and_keeps_what_was_typed() {
    let form = refused("note", &[("note", "half a thought")]);
    let shown = html(
        move || view! { <TextField form name="note" label="Note" hint="One line." value="start" /> },
    );
    assert_eq!(attribute(&shown, "label", "for").as_deref(), Some("note"));
    assert_eq!(
        attribute(&shown, "input", "value").as_deref(),
        Some("half a thought")
    );
    assert_eq!(
        attribute(&shown, "input", "aria-invalid").as_deref(),
        Some("true")
    );
    assert_eq!(
        attribute(&shown, "input", "aria-describedby").as_deref(),
        Some("note-error note-hint")
    );
    assert_eq!(texts(&shown, "#note-error"), ["Write why."]);
    assert_eq!(texts(&shown, "#note-hint"), ["One line."]);
}

#[test]
fn a_field_without_error_claims_none() {
    let shown = html(
        || view! { <TextField form=FormState::default() name="note" label="Note" required=false /> },
    );
    assert_eq!(attribute(&shown, "input", "aria-invalid"), None);
    assert_eq!(attribute(&shown, "input", "aria-describedby"), None);
    assert_eq!(texts(&shown, ".optional"), ["(optional)"]);
}

#[test]
fn a_password_is_never_written_into_the_page() {
    let form = refused("password", &[("email", "a@example.org")]);
    let shown = html(
        move || view! { <TextField form name="password" label="Password" kind="password" value="secret" /> },
    );
    assert_eq!(attribute(&shown, "input", "value"), None);
}

#[test]
fn a_text_area_keeps_its_text_to_the_letter() {
    let typed = "\n  <b> &amp; \"quotes\" </textarea><b id=out> \n";
    let form = refused("x", &[("note", typed)]);
    let shown = html(move || view! { <TextArea form name="note" label="Note" /> });
    let area = Selector::parse("textarea").unwrap();
    let kept: String = shown.select(&area).next().unwrap().text().collect();
    // The parser of these tests has dropped the newline that is there to be dropped.
    assert_eq!(kept, typed);
    assert_eq!(texts(&shown, "#out"), Vec::<String>::new());
}

#[test]
fn a_choice_that_is_not_possible_stays_visible_and_says_why() {
    let shown = html(|| {
        let choices = vec![
            Choice::new("pass", view! { <St of=Decision::Pass /> })
                .impossible(Some("F-1 is open.".to_owned())),
            Choice::new("fail", view! { <St of=Decision::Fail /> })
                .text("Goes back to the owner.")
                .more(
                    view! { <TextField form=FormState::default() name="reason" label="Reason" /> },
                ),
        ];
        view! { <Choices form=FormState::default() name="decision" legend="Decision" choices value="pass" /> }
    });
    assert_eq!(texts(&shown, "legend"), ["Decision"]);
    assert_eq!(
        attribute(&shown, "#decision-pass", "disabled").as_deref(),
        Some("")
    );
    assert_eq!(attribute(&shown, "#decision-pass", "checked"), None);
    let why = attribute(&shown, "#decision-pass", "aria-describedby").unwrap();
    assert_eq!(texts(&shown, &format!("#{why}")), ["F-1 is open."]);
    assert_eq!(attribute(&shown, "#decision-fail", "disabled"), None);
    assert!(!texts(&shown, ".more label").is_empty());
    assert!(
        texts(&shown, "label label").is_empty(),
        "no label stands in another"
    );
}

#[test]
fn boxes_lists_and_files_keep_their_choice() {
    let form = refused("kind", &[("kind", "link"), ("seen", "on")]);
    let shown = html(move || {
        let options = [("file", "File"), ("link", "Link")]
            .map(|(value, words)| (value.to_owned(), words.to_owned()));
        view! {
            <SelectField form=form.clone() name="kind" label="Kind" options=options.to_vec() value="file" />
            <CheckField form=form.clone() name="seen" label="I have read it" />
            <FileField form name="file" label="File" accept=".md" />
        }
    });
    assert_eq!(texts(&shown, "option[selected]"), ["Link"]);
    assert!(attribute(&shown, "#seen", "checked").is_some());
    assert_eq!(attribute(&shown, "#file", "accept").as_deref(), Some(".md"));
}

#[test]
fn buttons_name_the_act_and_one_that_is_not_possible_says_why() {
    let shown = html(|| {
        view! {
            <Button words="Sign and fail 2.5.1" weight=Weight::Primary icon=Icon::Sign />
            <Button words="Withdraw" weight=Weight::Danger impossible="why" />
            <ButtonLink words="Report" href="/reviews/1/report" download=true />
            <Confirm words="Withdraw">"Really"</Confirm>
        }
    });
    assert_eq!(texts(&shown, ".btn-primary"), ["Sign and fail 2.5.1"]);
    assert!(attribute(&shown, ".btn-danger", "disabled").is_some());
    assert_eq!(
        attribute(&shown, ".btn-danger", "aria-describedby").as_deref(),
        Some("why")
    );
    assert!(attribute(&shown, "a.btn", "download").is_some());
    assert_eq!(texts(&shown, "details summary"), ["Withdraw"]);
}

#[test]
fn notices_of_refusal_are_read_out_at_once() {
    let shown = html(
        || view! { <Notice tone=Tone::Red alert=true>"No."</Notice> <Notice tone=Tone::Green>"Done."</Notice> },
    );
    assert_eq!(texts(&shown, "[role=alert]"), ["No."]);
    assert_eq!(texts(&shown, "[role=status]"), ["Done."]);
}

#[test]
fn a_table_has_a_caption_and_heads_that_say_their_order() {
    let shown = html(|| {
        let columns = vec![
            Column::new("Severity").sort("?sort=severity", Some(true)),
            Column::new("Title").sort("?sort=title", None),
            Column::new("Tick").hidden(),
        ];
        view! { <Table caption="Findings" columns><tr><td>"x"</td></tr></Table> <Pager summary="1 to 50 of 60" next="?after=x" /> }
    });
    assert_eq!(texts(&shown, "caption"), ["Findings"]);
    assert_eq!(
        attribute(&shown, "th[aria-sort]", "aria-sort").as_deref(),
        Some("descending")
    );
    assert_eq!(texts(&shown, "th .vh"), ["Tick"]);
    assert_eq!(
        attribute(&shown, "a[rel=next]", "href").as_deref(),
        Some("?after=x")
    );
    assert!(attribute(&shown, "a[rel=first]", "href").is_none());
}

#[test]
fn the_hold_line_has_a_link_for_each_item_and_ends_at_the_gate() {
    let cell = |key: &str, state| HoldCell {
        key: key.to_owned(),
        title: "Config Audit".to_owned(),
        state,
        href: format!("/items/{key}"),
        late: (key == "2").then(|| "2 days late".to_owned()),
    };
    let section = HoldSection {
        title: "Architecture".to_owned(),
        href: "/reviews/1/checklist#s".to_owned(),
        cells: vec![
            cell("1", ItemState::Passed),
            cell("2", ItemState::Failed),
            cell("3", ItemState::Open),
        ],
        summary: "1 of 3 cleared".to_owned(),
    };
    let signature = HoldSignature {
        name: "Ana Ruiz".to_owned(),
        flag: Flag::Valid,
        href: "/x".to_owned(),
    };
    let shown =
        html(move || view! { <HoldLine sections=vec![section] signatures=vec![signature] /> });
    assert_eq!(
        texts(&shown, ".hl-cell .vh"),
        [
            "1 Config Audit: Passed",
            "2 Config Audit: Failed, 2 days late",
            "3 Config Audit: Open"
        ]
    );
    assert_eq!(
        attribute(&shown, ".hl-cell.is-cleared", "href").as_deref(),
        Some("/items/1")
    );
    assert_eq!(
        texts(&shown, ".hl-gate .hl-num"),
        ["1 of 1 signatures valid"]
    );
    let shown = html(|| view! { <MiniHoldLine states=vec![ItemState::Open, ItemState::Passed] /> });
    assert_eq!(
        attribute(&shown, ".hl-mini i", "class").as_deref(),
        Some("c"),
        "cleared comes first"
    );
    assert_eq!(texts(&shown, ".nowrap"), ["1 of 2"]);
}

#[test]
fn a_diff_shows_signs_and_numbers_in_both_layouts() {
    let rows = || {
        vec![
            DiffRow::Hunk("@@ -1 +1 @@".to_owned()),
            DiffRow::Removed {
                old: 1,
                text: "a <b>".to_owned(),
                touched: true,
            },
            DiffRow::Added {
                new: 1,
                text: "c".to_owned(),
                touched: false,
            },
        ]
    };
    let shown = html(move || view! { <DiffView label="Diff of x" rows=rows() /> });
    assert_eq!(texts(&shown, "tr.del.mark .code"), ["a <b>"]);
    assert_eq!(texts(&shown, ".sg"), ["", "−", "+"]);
    let shown =
        html(move || view! { <DiffView label="Diff of x" rows=rows() side=Side::BySide /> });
    assert_eq!(texts(&shown, "tr.chg .code"), ["a <b>", "c"]);
}

#[test]
fn small_parts_show_what_they_are_given() {
    let shown = html(|| {
        view! {
            <Panel id="p" title="Evidence" foot=view! { "foot" }.into_any()>"body"</Panel>
            <Empty title="No items yet" text="Nothing can be signed."><ButtonLink words="Import" href="/" /></Empty>
            <DigestBox label="What you sign" digest="7ff7f79f" />
            <Sha digest="0123456789abcdef" />
            <Who name="Ana Ruiz" />
            <Nobody />
            <Moment at=1_769_788_800_000 />
            <When at=1_769_788_800_000 now=1_769_788_800_000 />
            <Late due=0 now=172_800_000 />
            <Prose text="**bold** <script>x</script>" />
            <Copyable label="Link" id="link" value="https://example.org" />
            <Disclosure summary="More">"inside"</Disclosure>
        }
    });
    assert_eq!(
        attribute(&shown, ".panel", "aria-labelledby").as_deref(),
        Some("p")
    );
    assert_eq!(texts(&shown, ".digest"), ["7ff7 f79f"]);
    assert_eq!(texts(&shown, ".sha"), ["0123456789ab"]);
    assert_eq!(texts(&shown, ".who"), ["ARAna Ruiz", "?Nobody"]);
    assert_eq!(
        texts(&shown, "time"),
        ["Fri 30 Jan 2026, 16:00 UTC", "today, 16:00"]
    );
    assert_eq!(texts(&shown, ".late"), ["2 days late"]);
    assert_eq!(texts(&shown, ".prose strong"), ["bold"]);
    assert!(texts(&shown, "script").is_empty());
}

#[test]
fn the_review_bar_marks_the_page_and_shows_the_verdict() {
    let review = ReviewBar {
        id: "r1".to_owned(),
        name: "OpenSQT Market Maker v1.0.0".to_owned(),
        here: Tab::Findings,
        n_items: 13,
        n_open_findings: 20_400,
        n_patches: 2,
        signatures: (1, 4),
        hold_point: Some(1_769_788_800_000),
        outcome: Outcome::NoGo,
    };
    let shown = html(move || {
        leptos_meta::provide_meta_context();
        view! {
            <Frame title="Findings" crumbs=vec![Crumb::to("Reviews", "/"), Crumb::here("Findings")] review>
                <PageHead title="Findings" meta=view! { <span>"20,400 open"</span> }.into_any() />
            </Frame>
        }
    });
    assert_eq!(
        texts(&shown, ".tabs [aria-current=page]"),
        ["Findings20,400 open"]
    );
    assert_eq!(texts(&shown, ".reviewbar-state .pill"), ["No-go"]);
    assert_eq!(texts(&shown, "h1"), ["Findings"]);
    assert_eq!(texts(&shown, ".crumbs [aria-current=page]"), ["Findings"]);
}

#[test]
fn the_account_menu_offers_themes_that_work_without_script() {
    let shown = html(
        || view! { <PreferencesForm preferences=crate::visit::Preferences::default() address="/items/1".to_owned() /> },
    );
    assert_eq!(attribute(&shown, "form", "method").as_deref(), Some("post"));
    assert_eq!(
        attribute(&shown, "input[name=back]", "value").as_deref(),
        Some("/items/1")
    );
    assert_eq!(
        texts(&shown, "button[aria-pressed=true]"),
        ["Theme: same as system"]
    );
}

#[test]
fn what_a_message_calls_code_is_shown_as_code() {
    let refusal = Refusal::Field {
        field: "email".to_owned(),
        message: "Write an e-mail address, as in `ana@example.org`.".to_owned(),
    };
    let form = FormState::of("f", Some(&Arc::new(Flash::refusal("/", "f", refusal, &[]))));
    let shown =
        html(|| view! { <TextField form name="email" label="Email" hint="As `git` has it." /> });
    assert_eq!(texts(&shown, "code"), ["ana@example.org", "git"]);
    assert_eq!(
        texts(&shown, ".error"),
        ["Write an e-mail address, as in ana@example.org."]
    );
}
