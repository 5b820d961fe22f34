//! The sample: a service with its people, the first real checklist as a review, real scans, and the seven findings that
//! the people of that review wrote down. It is made through the same functions that people use, so it obeys every rule.

use holdpoint_domain::{
    FindingId, Gating, InstanceRole, ItemId, Policy, ReviewId, ServiceRole,
    item::Step,
    text::{Commit, Date, Name, Prose, Slug, WebAddress},
};

use crate::{
    Actor, ImportWatch, ItemChange, NewAccount, NewReview, NewService, ServiceError, Services,
    TemplateFor, TemplateImport,
    evidence::{EvidenceFields, EvidenceRequest},
    findings::{FindingFields, FindingRequest},
    patches::{PatchFields, PatchRequest},
    scans::ScanRequest,
    sign_off::DecisionRequest,
};

/// The sample's checklist: the first real document.
pub const CHECKLIST: &[u8] =
    include_bytes!("../../checklist/testdata/phase22_production_readiness_audit.md");

const CHECKLIST_NAME: &str = "phase22_production_readiness_audit.md";
const SLUG: &str = "opensqt-market-maker";
/// The commit that the review aims at, and the one its first scans are of.
const TARGET: &str = "82dd1d2";
const FIRST: &str = "8b57779";
const PATCH: &str = include_str!("../sample/jitter.patch");

/// Scans of the real repository, in the order of their commits: file name, commit, content.
const SCANS: &[(&str, &str, &[u8])] = &[
    (
        "semgrep.sarif",
        FIRST,
        include_bytes!("../sample/scans/semgrep-8b57779.sarif"),
    ),
    (
        "hadolint.sarif",
        FIRST,
        include_bytes!("../sample/scans/hadolint-8b57779.sarif"),
    ),
    (
        "zizmor.sarif",
        FIRST,
        include_bytes!("../sample/scans/zizmor-8b57779.sarif"),
    ),
    (
        "semgrep.sarif",
        TARGET,
        include_bytes!("../sample/scans/semgrep-82dd1d2.sarif"),
    ),
    (
        "hadolint.sarif",
        TARGET,
        include_bytes!("../sample/scans/hadolint-82dd1d2.sarif"),
    ),
    (
        "zizmor.sarif",
        TARGET,
        include_bytes!("../sample/scans/zizmor-82dd1d2.sarif"),
    ),
];

/// One of the seven findings, and the items it belongs to.
struct SampleFinding {
    title: &'static str,
    severity: &'static str,
    category: &'static str,
    problem: &'static str,
    remediation: &'static str,
    path: &'static str,
    lines: (&'static str, &'static str),
    snippet: &'static str,
    items: &'static [&'static str],
}

const EXECUTOR: &str = "market_maker/internal/trading/order/executor.go";

const FINDINGS: &[SampleFinding] = &[
    SampleFinding {
        title: "`OrderExecutor` uses fixed RNG (`0.5`) for retry jitter",
        severity: "critical",
        category: "code",
        problem: "The `randFloat` function in `executor.go` returns a static `0.5`. This causes all retrying instances \
                  to sync up (thundering herd), negating the benefit of jitter.",
        remediation: "Replace with `math/rand` or `crypto/rand`\n\nImport `math/rand` (or `crypto/rand`) and replace \
                      `randFloat` with a real RNG.",
        path: EXECUTOR,
        lines: ("391", "394"),
        snippet: "func randFloat() float64 {\n    // Simple pseudo-random for testing - in production use crypto/rand\n    \
                  return 0.5 // Fixed for deterministic testing\n}",
        items: &["2.5.1"],
    },
    SampleFinding {
        title: "`BatchPlaceOrders` never sets `marginError` flag",
        severity: "critical",
        category: "code",
        problem: "In `BatchPlaceOrders`, the `marginError` variable is defined but never updated, even if an error \
                  occurs. This effectively disables \"Fail Fast\" logic for margin issues during batch operations.",
        remediation: "Update logic to detect margin errors in batch loop\n\nImplement error classification in \
                      `BatchPlaceOrders` to set `marginError = true` on relevant errors.",
        path: EXECUTOR,
        lines: ("137", "148"),
        snippet: "",
        items: &["2.5.1", "2.5.2"],
    },
    SampleFinding {
        title: "Inefficient/Custom string search in `isPostOnlyError`",
        severity: "high",
        category: "code",
        problem: "A custom recursive `containsString` function is used instead of the standard `strings.Contains`. This \
                  is inefficient and harder to maintain.",
        remediation: "Replace with `strings.Contains`\n\nReplace `containsString` with `strings.Contains`.",
        path: EXECUTOR,
        lines: ("356", "368"),
        snippet: "",
        items: &["2.5.1"],
    },
    SampleFinding {
        title: "`postgres` default password is \"secret\" in docker-compose",
        severity: "high",
        category: "configuration",
        problem: "`docker-compose.yml` sets `POSTGRES_PASSWORD` to \"secret\" by default. While acceptable for dev, this \
                  is a risk for production if users blindly deploy.",
        remediation: "Add warning to README / Enforce strong passwords in prod env vars\n\nAdd security warning about \
                      default passwords in `README.md`.",
        path: "docker-compose.yml",
        lines: ("", ""),
        snippet: "",
        items: &["2.1.1", "2.1.3"],
    },
    SampleFinding {
        title: "`deployment.md` recommends deprecated \"Standalone Mode\"",
        severity: "high",
        category: "documentation",
        problem: "`docs/deployment.md` currently lists \"Standalone Mode (Go Native)\" as the \"recommended\" mode. This \
                  contradicts the Phase 16 gRPC Architecture mandate which requires the split architecture for all \
                  production deployments.",
        remediation: "Update doc to mandate gRPC mode\n\nRewrite `docs/deployment.md` to feature gRPC deployment as the \
                      primary/only production method.",
        path: "docs/deployment.md",
        lines: ("", ""),
        snippet: "",
        items: &["2.3.1"],
    },
    SampleFinding {
        title: "Manual `pow` implementation",
        severity: "low",
        category: "code",
        problem: "Powers are computed by a loop of its own instead of the standard library.",
        remediation: "Replace with `math.Pow`\n\nImport `math`.",
        path: EXECUTOR,
        lines: ("397", "403"),
        snippet: "",
        items: &["2.5.1"],
    },
    SampleFinding {
        title: "`market_maker` exposes port 8080 (Health) publicly",
        severity: "low",
        category: "configuration",
        problem: "The compose file publishes the health port on every interface of the host.",
        remediation: "Ensure firewall rules or reverse proxy handle auth if exposed",
        path: "docker-compose.yml",
        lines: ("", ""),
        snippet: "",
        items: &["2.4.2"],
    },
];

/// One of the sample's people, with the password that was made for them. It is shown once and stored as a hash only.
#[derive(Clone, PartialEq, Eq)]
pub struct SamplePerson {
    pub name: String,
    pub email: String,
    /// In words: "Owner of the items", "Reviewer", "Manager".
    pub part: &'static str,
    pub password: String,
}

impl std::fmt::Debug for SamplePerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SamplePerson")
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

/// What loading the sample made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedSample {
    pub review: ReviewId,
    pub people: Vec<SamplePerson>,
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("the sample's names are names")
}

/// 20 letters and digits that nobody mixes up, in four groups: 100 bits.
fn password(services: &Services) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = [0; 20];
    services.ids().fill(&mut random);
    let groups: Vec<String> = random
        .chunks(5)
        .map(|group| {
            group
                .iter()
                .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
                .collect()
        })
        .collect();
    groups.join("-")
}

impl Services {
    /// Loads the sample for an administrator. Without one, on an instance that nobody has set up yet, an administrator
    /// is made among the sample's people.
    pub async fn load_sample(&self, actor: Option<&Actor>) -> Result<LoadedSample, ServiceError> {
        let mut tx = self.database().read().await?;
        if let Some(actor) = actor {
            self.allow_instance(&mut tx, actor, holdpoint_domain::person::Action::Administer)
                .await?;
        }
        let is_loaded = tx.service_by_slug(SLUG).await?.is_some();
        drop(tx);
        if is_loaded {
            let message = format!("The sample is loaded already: it is the service `{SLUG}`.");
            return Err(ServiceError::rejected("", message));
        }
        let mut people = Vec::new();
        let admin = match actor {
            Some(actor) => actor.clone(),
            None => {
                self.sample_person(
                    &mut people,
                    "Alex Berg",
                    "Administrator",
                    InstanceRole::Admin,
                )
                .await?
            }
        };
        let manager = self
            .sample_person(&mut people, "Priya Raman", "Manager", InstanceRole::Member)
            .await?;
        let owner = self
            .sample_person(
                &mut people,
                "Jonas Lindqvist",
                "Owner of the items",
                InstanceRole::Member,
            )
            .await?;
        let reviewer = self
            .sample_person(&mut people, "Mira Okafor", "Reviewer", InstanceRole::Member)
            .await?;
        let service = self
            .create_service(
                &admin,
                NewService {
                    name: name("OpenSQT Market Maker"),
                    slug: Some(Slug::parse(SLUG).expect("the sample's slug is a slug")),
                    repository_url: WebAddress::parse(
                        "https://github.com/tommy-ca/opensqt_market_maker",
                    )
                    .ok(),
                    description: Prose::parse(
                        "Places and manages orders on several exchanges. This is sample data.",
                    )
                    .ok(),
                },
            )
            .await?;
        for (person, role) in [
            (&manager, ServiceRole::Manager),
            (&owner, ServiceRole::Contributor),
            (&reviewer, ServiceRole::Reviewer),
        ] {
            self.set_role(&admin, &service.id, &person.id, Some(role))
                .await?;
        }
        let import = TemplateImport {
            template: None,
            name: None,
            owner: TemplateFor::Unsaid,
            file_name: CHECKLIST_NAME.to_owned(),
            reading: None,
            tier: None,
        };
        // Each step by itself: all of them in one piece would need more stack than a thread of a debug build has.
        let template = Box::pin(self.import_template(&manager, import, CHECKLIST.to_vec())).await?;
        let due = Date::of(self.now() + 7 * 86_400_000);
        let new = NewReview {
            template_version: template.version.id,
            title: name("Phase 22: Production Readiness Review"),
            release: name("v1.0.0"),
            commit: Commit::parse(TARGET).ok(),
            due_on: Some(due.clone()),
            policy: Policy::default(),
        };
        let created = Box::pin(self.create_review(&manager, &service.id, new)).await?;
        let review = created.review.id;
        for item in &self.review_standing(&manager, &review).await?.items {
            let id = ItemId::parse(&item.item.id).ok_or(ServiceError::NotFound("This item"))?;
            let change = ItemChange {
                version: item.item.version,
                owner: Some(owner.id.clone()),
                reviewers: vec![reviewer.id.clone()],
                gating: Gating::Blocker,
                due_on: Some(due.clone()),
                quorum: None,
            };
            self.update_item(&manager, &id, change).await?;
        }
        // First, so that they are F-1 to F-7 as in the people's own report.
        let mut findings = Vec::new();
        for finding in FINDINGS {
            findings.push(self.sample_finding(&reviewer, &review, finding).await?);
        }
        for (file_name, commit, content) in SCANS {
            let request = ScanRequest {
                file: self.files().keep(content).await?,
                file_name: (*file_name).to_owned(),
                label: None,
                commit: Commit::parse(commit).ok(),
                format: None,
                watch: ImportWatch::default(),
            };
            Box::pin(self.import_scan(&owner, &service.id, request, false)).await?;
        }
        Box::pin(self.sample_work(&owner, &reviewer, &people, &review, &findings)).await?;
        Ok(LoadedSample { review, people })
    }

    async fn sample_person(
        &self,
        people: &mut Vec<SamplePerson>,
        name: &str,
        part: &'static str,
        instance_role: InstanceRole,
    ) -> Result<Actor, ServiceError> {
        let email = format!("{}@example.org", name.to_lowercase().replace(' ', "."));
        let password = password(self);
        let new = NewAccount {
            email: &email,
            name,
            password: &password,
            instance_role,
        };
        let person = self.add_person(new).await?;
        let actor = Actor::of(&person);
        people.push(SamplePerson {
            name: name.to_owned(),
            email,
            part,
            password,
        });
        Ok(actor)
    }

    async fn sample_finding(
        &self,
        author: &Actor,
        review: &ReviewId,
        finding: &SampleFinding,
    ) -> Result<FindingId, ServiceError> {
        let fields = FindingFields {
            title: finding.title.to_owned(),
            severity: finding.severity.to_owned(),
            category: finding.category.to_owned(),
            problem: finding.problem.to_owned(),
            remediation: finding.remediation.to_owned(),
            path: finding.path.to_owned(),
            start_line: finding.lines.0.to_owned(),
            end_line: finding.lines.1.to_owned(),
            snippet: finding.snippet.to_owned(),
            severity_reason: String::new(),
        };
        let mut items = Vec::new();
        for key in finding.items {
            items.push(self.item_by_key(author, review, key).await?.item.id);
        }
        self.write_finding(author, review, FindingRequest::parse(&fields)?, &items)
            .await
    }

    /// Some items are under way, so that the owner, the reviewer and the manager each have something before them.
    async fn sample_work(
        &self,
        owner: &Actor,
        reviewer: &Actor,
        people: &[SamplePerson],
        review: &ReviewId,
        findings: &[FindingId],
    ) -> Result<(), ServiceError> {
        let item =
            async |key| Ok::<_, ServiceError>(self.item_by_key(owner, review, key).await?.item.id);
        let log_levels = item("2.2.1").await?;
        self.sample_evidence(
            owner,
            &log_levels,
            EvidenceFields {
                kind: "note".to_owned(),
                title: "Log levels, read through".to_owned(),
                text: "Panics and tripped circuit breakers log at `ERROR` with `error`, `symbol` and `order_id`. Nothing \
                       in the order path logs at `DEBUG` in the production configuration."
                    .to_owned(),
                commit: TARGET.to_owned(),
                ..EvidenceFields::default()
            },
        )
        .await?;
        let health = item("2.2.3").await?;
        self.sample_evidence(
            owner,
            &health,
            EvidenceFields {
                kind: "output".to_owned(),
                command: "grpc_health_probe -addr=localhost:50051".to_owned(),
                exit_code: "0".to_owned(),
                output: "status: SERVING".to_owned(),
                host: "staging-1".to_owned(),
                commit: TARGET.to_owned(),
                ..EvidenceFields::default()
            },
        )
        .await?;
        let network = item("2.4.2").await?;
        self.sample_evidence(
            owner,
            &network,
            EvidenceFields {
                kind: "output".to_owned(),
                command: "docker compose config --format json | jq '.services[].ports'".to_owned(),
                exit_code: "0".to_owned(),
                output:
                    "[{\"mode\":\"ingress\",\"target\":8080,\"published\":\"8080\"}]\nnull\nnull"
                        .to_owned(),
                commit: TARGET.to_owned(),
                ..EvidenceFields::default()
            },
        )
        .await?;
        for id in [&log_levels, &health, &network] {
            self.step(owner, id, Step::Start, None).await?;
            self.step(owner, id, Step::RequestReview, None).await?;
        }
        for key in ["2.1.1", "2.5.1"] {
            self.step(owner, &item(key).await?, Step::Start, None)
                .await?;
        }
        let fields = PatchFields {
            patch: PATCH.to_owned(),
            findings: findings
                .first()
                .map(ToString::to_string)
                .into_iter()
                .collect(),
            items: vec![item("2.5.1").await?.to_string()],
            ..PatchFields::default()
        };
        let request = PatchRequest::parse(&fields, None)?;
        self.submit_patch(owner, review, request).await?;

        let password = people
            .iter()
            .find(|person| person.email == reviewer.email)
            .map(|person| person.password.as_str());
        if let Some(password) = password {
            let (standing, of_item) = self.item_standing(reviewer, &log_levels).await?;
            let service = holdpoint_domain::ServiceId::parse(&standing.review.service_id)
                .ok_or(ServiceError::NotFound("This service"))?;
            let access = self.access(reviewer, &service).await?;
            let basis = self
                .sign_form(reviewer, &access, &standing, &of_item)
                .await?
                .basis;
            let statement =
                "Read the configuration and the error paths; the levels are as the note says.";
            let request = DecisionRequest::parse("pass", statement, "", "", basis.as_str())?;
            Box::pin(self.decide_item(reviewer, &log_levels, request, password)).await?;
        }
        Ok(())
    }

    async fn sample_evidence(
        &self,
        owner: &Actor,
        item: &ItemId,
        fields: EvidenceFields,
    ) -> Result<(), ServiceError> {
        self.add_evidence(owner, item, EvidenceRequest::parse(&fields, None)?)
            .await
            .map(|_| ())
    }
}
