//! The API described in OpenAPI 3.1, for programs that make clients and for people.

use std::sync::LazyLock;

use axum::response::{IntoResponse as _, Response};
use http::header;
use serde::Serialize;
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        Content, HeaderBuilder, Ref, Required, ResponseBuilder, Schema, SchemaFormat, Type,
        path::{Operation, ParameterBuilder, ParameterIn, PathItem},
        schema::ObjectBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    activity, evidence, findings, gate, items, mapping, patches, reports, reviews, scans, services,
    sign_off, templates, triage,
};

/// What went wrong (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// Stable: `/problems/` and one of no-token, bad-token, forbidden, not-found, rejected, conflict, ground-moved, no-version,
    /// bad-request, too-large, unsupported-media-type, method-not-allowed, too-often, too-slow; and where Holdpoint itself failed:
    /// database-away, busy, disk-full, damaged, unanswered (it is not known whether it was done), unavailable.
    r#type: String,
    title: String,
    status: u16,
    /// What to do.
    detail: String,
    /// The request's number, as in the log.
    instance: String,
    /// What is wrong: a path into the body, a parameter, a header.
    field: Option<String>,
    /// Of a conflict: the version that is stored.
    version: Option<i64>,
    /// Of a conflict: each field in which the two versions differ.
    versions: Option<Vec<Differs>>,
    /// Of ground-moved: what importing the file would do now, with a ground of its own.
    preview: Option<scans::Import>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConflictingField)]
pub(super) struct Differs {
    field: String,
    sent: String,
    stored: String,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Holdpoint",
        description = "Production readiness reviews. Send a token as `Authorization: Bearer hp_…`; a session's cookie is not taken. \
                       Lists take `limit` and `cursor`. What two people could change at once carries its version in `ETag` and wants it \
                       back in `If-Match`; a stale one is answered 409 with both versions. A POST with an `Idempotency-Key` can be sent \
                       again and is done once: its answer is kept for a day, in the transaction of the work itself. Unknown fields and parameters are refused. The instance's public keys are at \
                       `/.well-known/holdpoint-signing-keys` as `allowed_signers` lines, with `.pem` behind it as PEM, and with `.json` \
                       as the signed lists by which each key introduced the next.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/api/v1")),
    components(schemas(Problem)),
    paths(
        templates::list, templates::show, templates::import,
        services::list, services::show, services::create,
        reviews::list, reviews::show, reviews::create, reviews::change,
        items::list, items::show, items::change,
        evidence::list, evidence::add, evidence::withdraw, evidence::file, evidence::text,
        sign_off::decide_item, sign_off::decide_release,
        scans::list, scans::show, scans::undo, scans::import, scans::file,
        findings::list, findings::show, findings::write, findings::change,
        triage::list, triage::decide, triage::undo,
        mapping::show, mapping::add, mapping::dismiss, mapping::planned, mapping::apply,
        mapping::change, mapping::reorder, mapping::remove, mapping::use_scan,
        patches::list, patches::show, patches::submit, patches::propose_fix, patches::file, patches::series,
        gate::gate, gate::badge, gate::badge_json,
        activity::of_review,
        reports::decided, reports::markdown, reports::signature, reports::json, reports::sarif, reports::csv, reports::bundle,
    ),
    modifiers(&Everywhere)
)]
struct Document;

/// What holds for every call: the token, the parameters of the path, the headers of changes, the form of a refusal.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("hp_…")
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        document.security = Some(vec![SecurityRequirement::new(
            "token",
            Vec::<String>::new(),
        )]);
        for (path, item) in &mut document.paths.paths {
            let names: Vec<_> = path
                .split('/')
                .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
                .map(str::to_owned)
                .collect();
            let PathItem {
                get, post, patch, ..
            } = item;
            for operation in [&mut *get, &mut *post, &mut *patch].into_iter().flatten() {
                for name in &names {
                    add_parameter(operation, name, ParameterIn::Path, true, describe(name));
                }
                refusals(operation);
            }
            if let Some(post) = post {
                let what = "Makes the request repeatable: with the same key it is done once, and answered alike.";
                add_parameter(post, "Idempotency-Key", ParameterIn::Header, false, what);
            }
            if let Some(patch) = patch {
                let what = "The version that was seen, as its answer's ETag had it.";
                add_parameter(patch, "If-Match", ParameterIn::Header, true, what);
            }
        }
    }
}

fn describe(name: &str) -> &'static str {
    match name {
        "slug" => "The service's short name.",
        "n" => "The fix's number in the finding's list, from 1.",
        _ => "An id.",
    }
}

fn text() -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(None::<SchemaFormat>)
        .build()
        .into()
}

fn add_parameter(
    operation: &mut Operation,
    name: &str,
    at: ParameterIn,
    required: bool,
    what: &str,
) {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(at)
        .required(if required {
            Required::True
        } else {
            Required::False
        })
        .description(Some(what))
        .schema(Some(text()))
        .build();
    operation.parameters.get_or_insert_default().push(parameter);
}

fn refusals(operation: &mut Operation) {
    let problem = || Content::new(Some(Ref::from_schema_name("Problem")));
    let unauthorized = ResponseBuilder::new()
        .description("No token, or one that is not taken.")
        .content("application/problem+json", problem())
        .header(
            "WWW-Authenticate",
            HeaderBuilder::new().schema(text()).build(),
        )
        .build();
    let other = ResponseBuilder::new()
        .description("Refused: 403, 404, 409, 413, 415, 422, 428, 429 or 5xx, with what to do.")
        .content("application/problem+json", problem())
        .build();
    let responses = &mut operation.responses.responses;
    responses.insert("401".to_owned(), unauthorized.into());
    responses.insert("default".to_owned(), other.into());
}

static JSON: LazyLock<String> = LazyLock::new(|| {
    Document::openapi()
        .to_pretty_json()
        .expect("the document is made of texts, lists and maps")
});

/// Anybody may read it: it says nothing about this instance.
pub(super) async fn serve() -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            "application/vnd.oai.openapi+json;version=3.1",
        ),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, JSON.as_str()).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use holdpoint_domain::Severity;

    use super::*;

    #[test]
    fn every_route_is_described_and_every_description_is_a_route() {
        let doors: BTreeSet<_> = [super::super::quick().list, super::super::slow().list]
            .concat()
            .into_iter()
            .map(|(method, path)| format!("{method} {path}"))
            .collect();
        let document: serde_json::Value = serde_json::from_str(&JSON).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let described: BTreeSet<_> = paths
            .iter()
            .flat_map(|(path, item)| {
                item.as_object()
                    .unwrap()
                    .keys()
                    .map(move |method| format!("{method} {path}"))
            })
            .collect();
        assert_eq!(doors, described);
        assert_eq!(document["openapi"], "3.1.0");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document: serde_json::Value = serde_json::from_str(&JSON).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let mut n_references = 0;
        for part in JSON.split("\"#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            n_references += 1;
            assert!(schemas.contains_key(name), "{name}");
        }
        assert!(n_references > 50, "{n_references}");
    }

    #[test]
    fn many_findings_are_decided_about_by_whatever_the_list_is_filtered_by() {
        let document: serde_json::Value = serde_json::from_str(&JSON).unwrap();
        let list = document["paths"]["/reviews/{id}/findings"]["get"]["parameters"]
            .as_array()
            .unwrap();
        let list: BTreeSet<_> = list
            .iter()
            .map(|parameter| parameter["name"].as_str().unwrap())
            .filter(|name| !["id", "sort", "format", "limit", "cursor"].contains(name))
            .collect();
        let matching = document["components"]["schemas"]["MatchingFindings"]["properties"]
            .as_object()
            .unwrap();
        let matching: BTreeSet<_> = matching
            .keys()
            .map(String::as_str)
            .filter(|name| *name != "count")
            .collect();
        assert_eq!(list, matching);
    }

    #[test]
    fn every_list_of_severities_names_all_of_them() {
        let all: Vec<_> = Severity::ALL.iter().map(|of| of.as_str()).collect();
        let all = all.join(", ");
        let mut n_lists = 0;
        for text in JSON.lines().filter(|text| text.contains("critical, high")) {
            n_lists += 1;
            let text = text.replace(" or info", ", info");
            assert!(text.contains(&all), "{text}");
        }
        assert!(n_lists > 4, "{n_lists}");
    }

    #[test]
    fn a_name_in_a_path_is_a_parameter() {
        let document: serde_json::Value = serde_json::from_str(&JSON).unwrap();
        let parameters = document["paths"]["/services/{slug}/scans"]["post"]["parameters"]
            .as_array()
            .unwrap();
        let names: Vec<_> = parameters
            .iter()
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "series",
                "commit",
                "preview",
                "ground",
                "format",
                "file_name",
                "slug",
                "Idempotency-Key"
            ]
        );
    }
}
