use holdpoint_domain::TemplateId;
use leptos::prelude::*;

use crate::{
    pages::{PageError, page, query},
    parts::{Button, Crumb, FileField, Frame, Icon, PageHead, TextArea, controls::Weight},
    paths,
    visit::{Visit, services},
};

/// Where a document is chosen or pasted; nothing is stored before its preview is confirmed.
#[component]
pub(super) fn ImportPage() -> impl IntoView {
    let template = query("template");
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let of = match TemplateId::parse(&template) {
            Some(id) => Some(services.template(&person, &id).await?.template),
            None => None,
        };
        let title = match &of {
            Some(of) => format!("Import a new version of {}", of.name),
            None => "Import a checklist".to_owned(),
        };
        let most = services.limits().checklist_bytes / (1024 * 1024);
        let upload = visit.form("templates/upload");
        let paste = visit.form("templates/paste");
        let id = of
            .as_ref()
            .map(|of| of.id.as_str().to_owned())
            .unwrap_or_default();
        let crumbs = vec![
            Crumb::to("Reviews", paths::HOME),
            Crumb::to("Checklists", paths::TEMPLATES),
            Crumb::here("Import"),
        ];
        let hidden = id.clone();
        Ok::<_, PageError>(view! {
            <Frame title=title.clone() crumbs>
                <PageHead title=title />
                <div class="stack">
                    <p class="muted">
                        "Any Markdown document imports. Holdpoint looks for four shapes: task lists (lines with "
                        <code>"- [ ]"</code>
                        "), tables, headings that ask questions, and plain bullets under a heading that says checklist. "
                        "You see what each gives before anything is stored."
                    </p>
                    <section class="panel" aria-labelledby="h-file">
                        <div class="panel-head"><h2 id="h-file">"Choose a file"</h2></div>
                        <form
                            class="panel-body fields"
                            method="post"
                            action=paths::TEMPLATE_UPLOAD
                            enctype="multipart/form-data"
                        >
                            <input type="hidden" name="template" value=id />
                            <FileField
                                form=upload
                                name="document"
                                label="Markdown document"
                                hint=format!("UTF-8 text, at most {most} MB.")
                                accept=".md,.markdown,.txt,text/markdown,text/plain"
                            />
                            <div class="btn-row"><Button words="Preview the file" icon=Icon::Upload weight=Weight::Primary /></div>
                        </form>
                    </section>
                    <section class="panel" aria-labelledby="h-paste">
                        <div class="panel-head"><h2 id="h-paste">"Or paste its text"</h2></div>
                        <form
                            class="panel-body fields"
                            method="post"
                            action=paths::TEMPLATE_UPLOAD
                            enctype="multipart/form-data"
                        >
                            <input type="hidden" name="template" value=hidden />
                            <TextArea form=paste name="document" prefix="paste" label="Markdown text" rows=12 mono=true />
                            <div class="btn-row"><Button words="Preview the text" /></div>
                        </form>
                    </section>
                </div>
            </Frame>
        })
    })
}
