//! Who may do what: one table of every function that people or tokens can call, by role. It fails when a function is
//! missing from it, and when a function answers a role in another way than the table says.

mod common;

use std::time::Duration;

use common::{PASSWORD, World, team::Team};
use holdpoint_domain::{
    DeliverableId, EvidenceId, FindingId, Gating, InstanceRole, ItemId, MappingRuleId, PatchId,
    ScanId, ServiceRole, TokenId, TriageBatchId,
    item::Step,
    text::{Commit, Name, Prose, Slug},
};
use holdpoint_service::{
    ActivityOf, Actor, AsOf, BulkChange, CommentOn, DeliverableChange, ExportForm, FindingFilter,
    FindingSort, ImportWatch, Invite, ItemChange, ItemFilter, ItemText, NewItem, NewToken,
    ReviewChange, ServiceChange, ServiceError,
    evidence::{EvidenceFields, EvidenceRequest},
    findings::{FindingFields, FindingRequest, Triage, TriageFields},
    mapping::{RuleFields, RuleRequest},
    patches::{PatchDecision, PatchFields, PatchLink, PatchRequest},
    scans::ScanRequest,
    sign_off::DecisionRequest,
    standing::ReleaseDecision,
    triage::{Bulk, Chosen},
};

/// Function, and who may call it: `A`dmin without a role on the service, `M`anager, `R`eviewer, `C`ontributor, `V`iewer,
/// a`U`ditor, `S`tranger to the service.
const TABLE: &[(&str, &str)] = &[
    // One's own account: everyone.
    ("confirm_password", "AMRCVUS"),
    ("revoke_session", "AMRCVUS"),
    ("revoke_other_sessions", "AMRCVUS"),
    ("change_password", "AMRCVUS"),
    ("dismiss_reset", "AMRCVUS"),
    ("once", "AMRCVUS"),
    ("create_token", "AMRCVUS"),
    ("revoke_token", "AMRCVUS"),
    ("join_by_invitation", "AMRCVUS"),
    ("rename_filter", "AMRCVUS"),
    ("delete_filter", "AMRCVUS"),
    // Lists of what one may see: everyone, each their own.
    ("portfolio", "AMRCVUS"),
    ("waiting_on_me", "AMRCVUS"),
    ("changed_since_i_signed", "AMRCVUS"),
    ("review_glances", "AMRCVUS"),
    ("services_for", "AMRCVUS"),
    ("n_waiting_on_me", "AMRCVUS"),
    ("search", "AMRCVUS"),
    ("sessions", "AMRCVUS"),
    ("sign_out", "AMRCVUS"),
    ("tokens", "AMRCVUS"),
    // The instance.
    ("people", "A"),
    ("set_instance_role", "A"),
    ("disable_person", "A"),
    ("enable_person", "A"),
    ("make_reset_link", "A"),
    ("create_service", "A"),
    ("invite", "AM"),
    ("invitations", "AM"),
    ("revoke_invitation", "AM"),
    // Templates are their service's managers' to change, and to read for whoever has a role there. The list and what a form
    // offers are for everyone, each their own.
    ("import_template", "AM"),
    ("preview_checklist", "AM"),
    ("templates", "AMRCVUS"),
    ("template_owners", "AMRCVUS"),
    ("template_for", "AMRCVU"),
    ("template", "AMRCVU"),
    ("template_source", "AMRCVU"),
    ("template_document", "AMRCVU"),
    ("template_difference", "AMRCVU"),
    // Reading a service and what belongs to it.
    ("access", "AMRCVU"),
    ("service", "AMRCVU"),
    ("service_by_slug", "AMRCVU"),
    ("members", "AMRCVU"),
    ("members_found", "AMRCVU"),
    ("review", "AMRCVU"),
    ("reviews_of", "AMRCVU"),
    ("checklist", "AMRCVU"),
    ("sections", "AMRCVU"),
    ("ticked_document", "AMRCVU"),
    ("activity_of", "AMRCVU"),
    ("review_standing", "AMRCVU"),
    ("item_standing", "AMRCVU"),
    ("sign_form", "AMRCVU"),
    ("release_form", "AMRCVU"),
    ("item", "AMRCVU"),
    ("item_by_key", "AMRCVU"),
    ("deliverables", "AMRCVU"),
    ("comments", "AMRCVU"),
    ("evidence_page", "AMRCVU"),
    ("evidence_view", "AMRCVU"),
    ("whole_review_standing", "AMRCVU"),
    ("evidence_of", "AMRCVU"),
    ("evidence_file", "AMRCVU"),
    ("evidence_text", "AMRCVU"),
    ("findings_of_review", "AMRCVU"),
    ("finding_facets", "AMRCVU"),
    ("review_glance", "AMRCVU"),
    ("saved_filters", "AMRCVU"),
    ("save_filter", "AMRCVU"),
    ("finding", "AMRCVU"),
    ("scans_of", "AMRCVU"),
    ("scan", "AMRCVU"),
    ("scan_file", "AMRCVU"),
    ("changes_of_scan", "AMRCVU"),
    ("mapping", "AMRCVU"),
    ("mapping_rule", "AMRCVU"),
    ("mapping_plan", "AMRCVU"),
    ("why_scan_stays", "AMRCVU"),
    ("triage_batches", "AMRCVU"),
    ("patches_of", "AMRCVU"),
    ("patch", "AMRCVU"),
    ("patches_of_item", "AMRCVU"),
    ("patches_of_finding", "AMRCVU"),
    ("patch_file", "AMRCVU"),
    ("series_mbox", "AMRCVU"),
    ("report_markdown", "AMRCVU"),
    ("report_signature", "AMRCVU"),
    ("decided_reports", "AMRCVU"),
    ("report_preview", "AMRCVU"),
    ("report_json", "AMRCVU"),
    ("report_sarif", "AMRCVU"),
    ("report_csv", "AMRCVU"),
    ("export_findings", "AMRCVU"),
    ("report_bundle", "AMRCVU"),
    // Working.
    ("step", "MRC"),
    ("take_item", "MRC"),
    ("add_comment", "MRC"),
    ("add_evidence", "MRC"),
    ("withdraw_evidence", "MRC"),
    ("set_done", "MRC"),
    ("write_finding", "MRC"),
    ("edit_finding", "MRC"),
    ("map_finding", "MRC"),
    ("map_finding_to", "MRC"),
    ("add_mapping_rule", "MRC"),
    ("change_mapping_rule", "MRC"),
    ("move_mapping_rule", "MRC"),
    ("remove_mapping_rule", "MRC"),
    ("dismiss_mapping", "MRC"),
    ("apply_mapping", "MRC"),
    ("use_scan_as_evidence", "MRC"),
    ("triage_finding", "MRC"),
    ("triage_findings", "MRC"),
    ("undo_triage", "MRC"),
    ("import_scan", "MRC"),
    ("import_expected_scan", "MRC"),
    ("import_previewed_scan", "MRC"),
    ("undo_scan", "MRC"),
    ("start_imports", "MRC"),
    ("imports_of_upload", "AMRCVUS"),
    // Only who began an import sees it run, and may stop it: nobody in this table has.
    ("running_imports", ""),
    ("cancel_imports", ""),
    ("submit_patch", "MRC"),
    ("propose_fix", "MRC"),
    ("link_patch", "MRC"),
    ("mark_patch_applied", "MRC"),
    // Deciding.
    ("decide_patch", "MR"),
    ("decide_item", "MR"),
    ("decide_release", "M"),
    // Managing.
    ("update_service", "AM"),
    ("set_role", "AM"),
    ("change_role", "AM"),
    ("create_review", "AM"),
    ("update_review", "AM"),
    ("change_review", "AM"),
    ("update_item", "AM"),
    ("edit_item", "AM"),
    ("add_item", "AM"),
    ("change_items", "AM"),
    ("set_deliverable_owner", "AM"),
    // Takes the actor as an option, for the command line.
    ("load_sample", "A"),
];

const PATCH: &str = "--- a/x.txt\n+++ b/x.txt\n@@ -1 +1 @@\n-one\n+two\n";

/// What there is to act upon.
struct Subjects {
    item: ItemId,
    /// Nobody's, always.
    second: ItemId,
    note: EvidenceId,
    file: EvidenceId,
    finding: FindingId,
    patch: PatchId,
    scan: ScanId,
    rule: MappingRuleId,
    batch: TriageBatchId,
    deliverable: DeliverableId,
    template: holdpoint_domain::TemplateId,
}

fn finding_request() -> FindingRequest {
    let fields = FindingFields {
        title: "A finding".into(),
        severity: "low".into(),
        category: "code".into(),
        problem: "It is wrong.".into(),
        ..FindingFields::default()
    };
    FindingRequest::parse(&fields).expect("a finding")
}

fn rule_request(tool: &str) -> RuleRequest {
    let fields = RuleFields {
        item: "2.1.1".into(),
        tool: tool.into(),
        ..RuleFields::default()
    };
    RuleRequest::parse(&fields).expect("a rule")
}

fn note() -> EvidenceRequest {
    let fields = EvidenceFields {
        kind: "note".into(),
        text: "Seen.".into(),
        ..EvidenceFields::default()
    };
    EvidenceRequest::parse(&fields, None).expect("a note")
}

async fn scan_request(team: &Team, mark: &str) -> ScanRequest {
    let sarif = format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"lint{mark}"}}}},"results":[]}}]}}"#
    );
    ScanRequest {
        file: team
            .world
            .services
            .files()
            .keep(sarif.as_bytes())
            .await
            .expect("keeps"),
        file_name: "lint.sarif".into(),
        label: None,
        commit: None,
        format: None,
        watch: ImportWatch::default(),
    }
}

async fn subjects(team: &Team) -> Subjects {
    let services = &team.world.services;
    let item = team.id("2.1.1").await;
    let note_id = services
        .add_evidence(&team.owner, &item, note())
        .await
        .expect("a note");
    let file = services.files().keep(b"evidence").await.expect("keeps");
    let fields = EvidenceFields {
        kind: "file".into(),
        ..EvidenceFields::default()
    };
    let request = EvidenceRequest::parse(&fields, Some((file, "a.txt".into()))).expect("a file");
    let file = services
        .add_evidence(&team.owner, &item, request)
        .await
        .expect("a file");
    let finding = services
        .write_finding(
            &team.owner,
            &team.review.id,
            finding_request(),
            std::slice::from_ref(&item),
        )
        .await
        .expect("a finding");
    let fields = PatchFields {
        patch: PATCH.into(),
        ..PatchFields::default()
    };
    let patch = services
        .submit_patch(
            &team.owner,
            &team.review.id,
            PatchRequest::parse(&fields, None).expect("a patch"),
        )
        .await
        .expect("a patch");
    let request = scan_request(team, "").await;
    let scan = services
        .import_scan(&team.owner, &team.service.id, request, false)
        .await
        .expect("a scan")
        .scan;
    let all = FindingFilter::default();
    let batch = services
        .triage_findings(
            &team.owner,
            &team.review.id,
            Chosen::Matching {
                filter: Box::new(all),
                n: 1,
            },
            Bulk::Map(team.id("2.1.2").await),
        )
        .await
        .expect("maps")
        .batch
        .expect("can be undone");
    let rule = services
        .add_mapping_rule(&team.owner, &team.review.id, rule_request("lint"))
        .await
        .expect("a rule");
    let deliverable = services
        .deliverables(&team.manager, &team.review.id)
        .await
        .expect("lists")[0]
        .deliverable
        .id
        .clone();
    let template = services.templates(&team.manager).await.expect("lists")[0]
        .template
        .id
        .clone();
    Subjects {
        second: team.id("2.1.2").await,
        item,
        note: note_id,
        file,
        finding,
        patch,
        scan: scan.expect("stored"),
        rule,
        batch,
        deliverable,
        template,
    }
}

/// Calls a function as this person, in a way that is right but for, sometimes, a version that is not the current one.
async fn call(function: &str, team: &Team, on: &Subjects, who: &Actor) -> Result<(), ServiceError> {
    // One function for all, or one within the other, would need more stack than a thread has.
    for outcome in [
        Box::pin(call_on_instance(function, team, on, who)).await,
        Box::pin(call_on_service(function, team, on, who)).await,
        Box::pin(call_to_change(function, team, on, who)).await,
    ] {
        match outcome {
            Err(None) => {}
            Err(Some(error)) => return Err(error),
            Ok(()) => return Ok(()),
        }
    }
    panic!("the table names {function}, which is not called here")
}

/// As [`call`], for what is done with an account or the instance; `None` for another function.
async fn call_on_instance(
    function: &str,
    team: &Team,
    on: &Subjects,
    who: &Actor,
) -> Result<(), Option<ServiceError>> {
    let services = &team.world.services;
    let (service, review) = (&team.service.id, &team.review.id);
    let stale = 999;
    let version = team.review.template_version.clone();
    let outcome = match function {
        "confirm_password" => services.confirm_password(who, PASSWORD).await.map(drop),
        "revoke_session" => match services.revoke_session(who, "0").await {
            Err(ServiceError::NotFound(_)) | Ok(()) => Ok(()),
            Err(error) => Err(error),
        },
        "revoke_other_sessions" => services.revoke_other_sessions(who, "0").await.map(drop),
        "change_password" => services
            .change_password(who, "wrong", "another long password", "0", None)
            .await
            .map(drop),
        "dismiss_reset" => services.dismiss_reset(who, services.now()).await,
        "once" => {
            let nothing = || holdpoint_service::RequestAnswer {
                status: 200,
                body: "{}".to_owned(),
            };
            let key = ("k", &holdpoint_domain::Digest::of(b""));
            let work = async |_| Ok::<_, ServiceError>(nothing());
            services.once(who, Some(key), work).await.map(drop)
        }
        "create_token" => {
            let expires_at = services.now() + common::DAY;
            let new = NewToken {
                name: "ci",
                service: None,
                scopes: vec!["read"],
                expires_at,
            };
            services.create_token(who, new, PASSWORD).await.map(drop)
        }
        "revoke_token" => {
            // Somebody else's or no token: the answer for one's own is in the accounts' tests.
            let id = TokenId::parse("none").expect("an id");
            match services.revoke_token(who, &id).await {
                Err(ServiceError::NotFound(_)) | Ok(()) => Ok(()),
                Err(error) => Err(error),
            }
        }
        "join_by_invitation" => match services.join_by_invitation(who, "none").await {
            Err(ServiceError::NotFound(_)) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        },
        "portfolio" => services.portfolio(who, None, 10).await.map(drop),
        "waiting_on_me" => services.waiting_on_me(who, None, 10).await.map(drop),
        "changed_since_i_signed" => services.changed_since_i_signed(who).await.map(drop),
        "review_glances" => services.review_glances(who, &[review]).await.map(drop),
        "services_for" => services.services_for(who).await.map(drop),
        "n_waiting_on_me" => services.n_waiting_on_me(who).await.map(drop),
        "search" => services.search(who, "F-1").await.map(drop),
        "sign_out" => services.sign_out(who).await,
        "sessions" => services.sessions(who).await.map(drop),
        "tokens" => services.tokens(who).await.map(drop),
        "people" => services.people(who, "").await.map(drop),
        "set_instance_role" => {
            services
                .set_instance_role(who, &team.viewer.id, InstanceRole::Member, stale, PASSWORD)
                .await
        }
        "disable_person" => services.disable_person(who, &team.viewer.id, stale).await,
        "make_reset_link" => services
            .make_reset_link(who, &team.viewer.id, PASSWORD)
            .await
            .map(drop),
        "enable_person" => services.enable_person(who, &team.viewer.id, stale).await,
        "create_service" => services
            .create_service(who, common::team::new_service(&format!("Of {}", who.name)))
            .await
            .map(drop),
        "invite" => {
            let email = format!("new-{}@example.org", who.name);
            let invite = Invite {
                email: &email,
                name: "New",
                instance_role: InstanceRole::Member,
                service: Some((service, ServiceRole::Viewer)),
            };
            services.invite(who, invite, PASSWORD).await.map(drop)
        }
        "invitations" => services.invitations(who, Some(service), "").await.map(drop),
        "revoke_invitation" => {
            let invite = Invite {
                email: "late@example.org",
                name: "Late",
                instance_role: InstanceRole::Member,
                service: Some((service, ServiceRole::Viewer)),
            };
            let _ = services.invite(&team.admin, invite, PASSWORD).await;
            let all = services.invitations(&team.admin, Some(service), "").await?;
            let open = all
                .entries
                .iter()
                .find(|one| one.email == "late@example.org")
                .expect("is there");
            services.revoke_invitation(who, &open.id).await
        }
        "import_template" => services
            .import_template(who, common::team::import(None), common::team::SEED.to_vec())
            .await
            .map(drop),
        "preview_checklist" => services
            .preview_checklist(who, common::team::SEED.to_vec(), None, None)
            .await
            .map(drop),
        "templates" => services.templates(who).await.map(drop),
        "template_owners" => services.template_owners(who).await.map(drop),
        "template_for" => services
            .template_for(who, &team.service.slug)
            .await
            .map(drop),
        "template" => services.template(who, &on.template).await.map(drop),
        "template_source" => services.template_source(who, &version).await.map(drop),
        "template_document" => services.template_document(who, &version).await.map(drop),
        "template_difference" => services
            .template_difference(who, &version, &version)
            .await
            .map(drop),
        _ => return Err(None),
    };
    outcome.map_err(Some)
}

/// As [`call_on_instance`], for what is done with a service and what belongs to it.
async fn call_on_service(
    function: &str,
    team: &Team,
    on: &Subjects,
    who: &Actor,
) -> Result<(), Option<ServiceError>> {
    let services = &team.world.services;
    let (service, review) = (&team.service.id, &team.review.id);
    let outcome = match function {
        "access" => services.access(who, service).await.map(drop),
        "service" => services.service(who, service).await.map(drop),
        "service_by_slug" => services
            .service_by_slug(who, &team.service.slug)
            .await
            .map(drop),
        "members" => services.members(who, service).await.map(drop),
        "members_found" => services.members_found(who, service, "").await.map(drop),
        "review" => services.review(who, review).await.map(drop),
        "reviews_of" => services.reviews_of(who, service, None, 10).await.map(drop),
        "checklist" => services
            .checklist(who, review, &ItemFilter::default(), None, 10)
            .await
            .map(drop),
        "sections" => services.sections(who, review).await.map(drop),
        "ticked_document" => services.ticked_document(who, review).await.map(drop),
        "activity_of" => services
            .activity_of(who, &ActivityOf::Review(review.clone()), None, 10)
            .await
            .map(drop),
        "review_standing" => services.review_standing(who, review).await.map(drop),
        "item_standing" => services.item_standing(who, &on.item).await.map(drop),
        "sign_form" => {
            let (standing, item) = services.item_standing(who, &on.item).await?;
            let access = services.access(who, service).await?;
            let form = services.sign_form(who, &access, &standing, &item).await?;
            assert_eq!(form.may_waive, access.role == Some(ServiceRole::Manager));
            Ok(())
        }
        "release_form" => {
            let standing = services.review_standing(who, review).await?;
            let access = services.access(who, service).await?;
            let form = services.release_form(who, &access, &standing).await?;
            assert_eq!(
                form.refusal.is_none(),
                access.role == Some(ServiceRole::Manager)
            );
            Ok(())
        }
        "item" => services.item(who, &on.item).await.map(drop),
        "item_by_key" => services.item_by_key(who, review, "2.1.1").await.map(drop),
        "deliverables" => services.deliverables(who, review).await.map(drop),
        "comments" => services
            .comments(who, &CommentOn::Item(on.item.clone()), None)
            .await
            .map(drop),
        "evidence_of" => services.evidence_of(who, &on.item).await.map(drop),
        "evidence_page" => services
            .evidence_page(who, &on.item, None, 5)
            .await
            .map(drop),
        "evidence_view" => services
            .evidence_view(who, &on.item, &on.file)
            .await
            .map(drop),
        "whole_review_standing" => services.whole_review_standing(who, review).await.map(drop),
        "evidence_file" => services.evidence_file(who, &on.file).await.map(drop),
        "evidence_text" => services.evidence_text(who, &on.note).await.map(drop),
        "finding_facets" => services
            .finding_facets(who, review, &FindingFilter::default())
            .await
            .map(drop),
        "saved_filters" => services.saved_filters(who, service).await.map(drop),
        "save_filter" => {
            let name = format!("Of {}", who.name);
            services
                .save_filter(who, service, &name, "q=x")
                .await
                .map(drop)
        }
        "rename_filter" => match services.rename_filter(who, "none", "X").await {
            Err(ServiceError::NotFound("This filter")) => Ok(()),
            other => other,
        },
        "delete_filter" => match services.delete_filter(who, "none").await {
            Err(ServiceError::NotFound("This filter")) => Ok(()),
            other => other,
        },
        "review_glance" => services.review_glance(who, review).await.map(drop),
        "findings_of_review" => services
            .findings_of_review(
                who,
                review,
                &FindingFilter::default(),
                FindingSort::Severity,
                10,
                None,
            )
            .await
            .map(drop),
        "finding" => services.finding(who, &on.finding).await.map(drop),
        "scans_of" => services.scans_of(who, service, None, 10).await.map(drop),
        "scan" => services.scan(who, &on.scan).await.map(drop),
        "changes_of_scan" => services.changes_of_scan(who, &on.scan, 10).await.map(drop),
        "why_scan_stays" => services.why_scan_stays(who, &on.scan).await.map(drop),
        "start_imports" => services
            .start_imports(who, service, "upload", Vec::new(), Duration::ZERO)
            .await
            .map(drop),
        "imports_of_upload" => services.imports_of_upload(who, "none").await.map(drop),
        "running_imports" => services.running_imports(who, "none").await.map(drop),
        "cancel_imports" => services.cancel_imports(who, "none"),
        "undo_scan" => services.undo_scan(who, &on.scan).await.map(drop),
        "scan_file" => services.scan_file(who, &on.scan).await.map(drop),
        "patches_of" => services.patches_of(who, review).await.map(drop),
        "patch" => services.patch(who, &on.patch).await.map(drop),
        "patches_of_item" => services.patches_of_item(who, &on.item).await.map(drop),
        "patches_of_finding" => services
            .patches_of_finding(who, &on.finding)
            .await
            .map(drop),
        "patch_file" => services.patch_file(who, &on.patch).await.map(drop),
        "series_mbox" => services.series_mbox(who, review).await.map(drop),
        "decided_reports" => services.decided_reports(who, review).await.map(drop),
        "report_markdown" => services
            .report_markdown(who, review, &AsOf::Newest)
            .await
            .map(drop),
        "report_signature" => services
            .report_signature(who, review, &AsOf::Newest)
            .await
            .map(drop),
        "report_preview" => services
            .report_preview(who, review, &AsOf::Newest)
            .await
            .map(drop),
        "report_json" => services
            .report_json(who, review, &AsOf::Newest)
            .await
            .map(drop),
        "report_sarif" => services
            .report_sarif(who, review, &AsOf::Newest)
            .await
            .map(drop),
        "export_findings" => services
            .export_findings(
                who,
                review,
                FindingFilter::default(),
                FindingSort::Number,
                ExportForm::Csv,
            )
            .await
            .map(drop),
        "report_csv" => services
            .report_csv(who, review, &AsOf::Newest)
            .await
            .map(drop),
        "report_bundle" => services
            .report_bundle(who, review, &AsOf::Newest, std::io::Cursor::new(Vec::new()))
            .await
            .map(drop),
        _ => return Err(None),
    };
    outcome.map_err(Some)
}

/// As [`call_on_service`], for what changes something there.
async fn call_to_change(
    function: &str,
    team: &Team,
    on: &Subjects,
    who: &Actor,
) -> Result<(), Option<ServiceError>> {
    let services = &team.world.services;
    let (service, review) = (&team.service.id, &team.review.id);
    let name = |text| Name::parse(text).expect("a name");
    let stale = 999;
    let version = team.review.template_version.clone();
    let outcome = match function {
        "step" => services
            .step(who, &on.item, Step::Start, None)
            .await
            .map(drop),
        "take_item" => services.take_item(who, &on.item).await.map(drop),
        "add_comment" => {
            let body = Prose::parse("Seen.").expect("prose");
            services
                .add_comment(who, &CommentOn::Item(on.item.clone()), body)
                .await
                .map(drop)
        }
        "add_evidence" => services.add_evidence(who, &on.item, note()).await.map(drop),
        "withdraw_evidence" => services
            .withdraw_evidence(who, &on.note, "Wrong.")
            .await
            .map(drop),
        "set_done" => {
            let change = DeliverableChange {
                version: stale,
                done: true,
                note: None,
            };
            services
                .set_done(who, &on.deliverable, change)
                .await
                .map(drop)
        }
        "write_finding" => services
            .write_finding(who, review, finding_request(), &[])
            .await
            .map(drop),
        "edit_finding" => services
            .edit_finding(who, &on.finding, stale, finding_request())
            .await
            .map(drop),
        "map_finding" => services.map_finding(who, &on.finding, &on.item, true).await,
        "map_finding_to" => {
            let version = services.finding(who, &on.finding).await?.finding.version;
            services
                .map_finding_to(
                    who,
                    &on.finding,
                    version,
                    &[],
                    std::slice::from_ref(&on.item),
                )
                .await
        }
        "mapping" => services.mapping(who, review).await.map(drop),
        "mapping_rule" => services.mapping_rule(who, &on.rule).await.map(drop),
        "mapping_plan" => services.mapping_plan(who, review).await.map(drop),
        "add_mapping_rule" => services
            .add_mapping_rule(who, review, rule_request(&who.name))
            .await
            .map(drop),
        "change_mapping_rule" => {
            services
                .change_mapping_rule(who, review, &on.rule, stale, rule_request("other"))
                .await
        }
        "move_mapping_rule" => services.move_mapping_rule(who, &on.rule, true).await,
        "remove_mapping_rule" => services.remove_mapping_rule(who, &on.rule, stale).await,
        "dismiss_mapping" => services.dismiss_mapping(who, review, "lint", "").await,
        "apply_mapping" => {
            let another = holdpoint_domain::Digest::of(b"another plan");
            services
                .apply_mapping(who, review, &another)
                .await
                .map(drop)
        }
        "use_scan_as_evidence" => services
            .use_scan_as_evidence(who, &on.scan, &on.item)
            .await
            .map(drop),
        "triage_batches" => services.triage_batches(who, review, 10).await.map(drop),
        "triage_findings" => {
            let chosen = Chosen::These(vec![(on.finding.clone(), stale)]);
            let fields = TriageFields {
                action: "false_positive".into(),
                reason: "No.".into(),
                ..TriageFields::default()
            };
            let bulk = Bulk::Triage(Triage::parse(&fields)?);
            services
                .triage_findings(who, review, chosen, bulk)
                .await
                .map(drop)
        }
        "undo_triage" => services.undo_triage(who, &on.batch).await.map(drop),
        "triage_finding" => {
            let fields = TriageFields {
                action: "false_positive".into(),
                reason: "No.".into(),
                ..TriageFields::default()
            };
            services
                .triage_finding(who, &on.finding, stale, Triage::parse(&fields)?)
                .await
                .map(drop)
        }
        "import_scan" => {
            let request = scan_request(team, &who.name).await;
            Box::pin(services.import_scan(who, service, request, true))
                .await
                .map(drop)
        }
        "import_expected_scan" => {
            let request = scan_request(team, &who.name).await;
            Box::pin(services.import_expected_scan(who, service, request))
                .await
                .map(drop)
        }
        "import_previewed_scan" => {
            let request = scan_request(team, &who.name).await;
            let ground = holdpoint_domain::Digest::of(b"another ground");
            Box::pin(services.import_previewed_scan(who, service, request, &ground))
                .await
                .map(drop)
        }
        "submit_patch" => {
            let fields = PatchFields {
                patch: PATCH.into(),
                ..PatchFields::default()
            };
            services
                .submit_patch(who, review, PatchRequest::parse(&fields, None)?)
                .await
                .map(drop)
        }
        "propose_fix" => services
            .propose_fix(who, review, &on.finding, 1)
            .await
            .map(drop),
        "link_patch" => {
            services
                .link_patch(
                    who,
                    &on.patch,
                    stale,
                    PatchLink::Item(on.item.clone()),
                    true,
                )
                .await
        }
        "mark_patch_applied" => {
            let commit = Commit::parse("82dd1d2").expect("a commit");
            services
                .mark_patch_applied(who, &on.patch, stale, commit)
                .await
        }
        "decide_patch" => {
            services
                .decide_patch(who, &on.patch, stale, PatchDecision::Approve)
                .await
        }
        "decide_item" => {
            let (_, item) = services.item_standing(&team.manager, &on.item).await?;
            let standing = services.review_standing(&team.manager, review).await?;
            let access = services.access(&team.manager, service).await?;
            let basis = services
                .sign_form(&team.manager, &access, &standing, &item)
                .await?
                .basis;
            let request = DecisionRequest::parse("fail", "No.", "", "", basis.as_str())?;
            services
                .decide_item(who, &on.item, request, "wrong")
                .await
                .map(drop)
        }
        "decide_release" => {
            let standing = services.review_standing(&team.manager, review).await?;
            let basis = standing.basis();
            services
                .decide_release(who, review, ReleaseDecision::NoGo, "No.", &basis, "wrong")
                .await
                .map(drop)
        }
        "update_service" => {
            let change = ServiceChange {
                version: stale,
                name: name("X"),
                slug: Slug::parse("x").expect("a slug"),
                repository_url: None,
                description: None,
            };
            services
                .update_service(who, service, change)
                .await
                .map(drop)
        }
        "set_role" => {
            services
                .set_role(who, service, &team.viewer.id, Some(ServiceRole::Viewer))
                .await
        }
        "change_role" => {
            let role = Some(ServiceRole::Viewer);
            services
                .change_role(who, service, &team.viewer.id, role, PASSWORD)
                .await
        }
        "create_review" => services
            .create_review(who, service, common::team::new_review(version))
            .await
            .map(drop),
        "update_review" => {
            let change = ReviewChange {
                version: stale,
                title: name("X"),
                release: name("v2"),
                commit: None,
                due_on: None,
                policy: holdpoint_domain::Policy::default(),
            };
            services.update_review(who, review, change).await.map(drop)
        }
        "change_review" => {
            let change = ReviewChange {
                version: stale,
                title: name("X"),
                release: name("v2"),
                commit: None,
                due_on: None,
                policy: holdpoint_domain::Policy::default(),
            };
            services
                .change_review(who, review, change, PASSWORD)
                .await
                .map(drop)
        }
        "update_item" => {
            let change = ItemChange {
                version: services.item(&team.manager, &on.second).await?.item.version,
                owner: Some(team.reviewer.id.clone()),
                reviewers: vec![],
                gating: Gating::Advisory,
                due_on: None,
                quorum: Some(2),
            };
            services
                .update_item(who, &on.second, change)
                .await
                .map(drop)
        }
        "edit_item" => {
            let text = ItemText {
                version: stale,
                title: name("X"),
                body: None,
            };
            services.edit_item(who, &on.item, text).await.map(drop)
        }
        "add_item" => {
            let new = NewItem {
                section: None,
                title: name("X"),
                body: None,
                gating: Gating::Advisory,
            };
            services.add_item(who, review, new).await.map(drop)
        }
        "change_items" => {
            let change = BulkChange::Gating(Gating::Advisory);
            services
                .change_items(who, review, std::slice::from_ref(&on.item), &change)
                .await
                .map(drop)
        }
        "set_deliverable_owner" => services
            .set_deliverable_owner(who, &on.deliverable, stale, None)
            .await
            .map(drop),
        "load_sample" => services.load_sample(Some(who)).await.map(drop),
        _ => return Err(None),
    };
    outcome.map_err(Some)
}

#[tokio::test]
async fn every_role_may_do_what_the_table_says_and_nothing_else() {
    let mut wrong = Vec::new();
    for letter in "AMRCVUS".chars() {
        let team = Team::in_world(
            World::on(holdpoint_storage::testing::TestDatabase::sqlite().await).await,
        )
        .await;
        let on = subjects(&team).await;
        let services = &team.world.services;
        let who = match letter {
            'A' => team.world.admin("root").await,
            'S' => team.stranger.clone(),
            _ => team.world.member("someone").await,
        };
        let role = match letter {
            'M' => Some(ServiceRole::Manager),
            'R' => Some(ServiceRole::Reviewer),
            'C' => Some(ServiceRole::Contributor),
            'V' => Some(ServiceRole::Viewer),
            'U' => Some(ServiceRole::Auditor),
            _ => None,
        };
        services
            .set_role(&team.admin, &team.service.id, &who.id, role)
            .await
            .expect("gives the role");
        for (function, allowed) in TABLE {
            let outcome = Box::pin(call(function, &team, &on, &who)).await;
            let was = match &outcome {
                Err(ServiceError::Forbidden(_)) => "forbidden",
                Err(ServiceError::NotFound(_)) => "not found",
                Err(ServiceError::Unavailable(cause)) => {
                    panic!("{function} failed for {letter}: {cause}")
                }
                Ok(())
                | Err(
                    ServiceError::Rejected { .. }
                    | ServiceError::Conflict(_)
                    | ServiceError::TooOften { .. },
                ) => "allowed",
            };
            if (was == "allowed") != allowed.contains(letter) {
                wrong.push(format!(
                    "{function} for {letter}: {was}, {:?}",
                    outcome.err()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_names_every_function_that_someone_can_call() {
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the sources are here") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    let mut missing = Vec::new();
    for file in files {
        let source = std::fs::read_to_string(file).expect("text");
        for part in source
            .split("pub async fn ")
            .chain(source.split("pub fn "))
            .skip(1)
        {
            let Some((head, _)) = part.split_once('{') else {
                continue;
            };
            let name: String = head
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let takes_actor = head.contains("&self") && head.contains("actor: &Actor")
                || head.contains("actor: Option<&Actor>");
            if takes_actor && !TABLE.iter().any(|(function, _)| *function == name) {
                missing.push(name);
            }
        }
    }
    missing.sort();
    missing.dedup();
    assert!(
        missing.is_empty(),
        "not in the table: {}",
        missing.join(", ")
    );
}
