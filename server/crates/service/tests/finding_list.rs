//! The list of findings: every filter, saved filters, and files of exactly what is listed; on both databases.

mod common;

use common::{DAY, START, World, is_not_found, rejected, scans::triage, team::Team};
use holdpoint_domain::{FindingId, FindingStatus, ItemId, PersonId, SeriesId, Severity};
use holdpoint_service::{
    Actor, Clock, ExportForm, FindingCursor, FindingFilter, FindingLine, FindingLines, FindingSort,
    ImportWatch, MAX_SAVED_FILTERS,
    findings::{FindingFields, FindingRequest, Triage, TriageFields},
    scans::ScanRequest,
};
use serde_json::{Value, json};

fn result(rule: &str, level: &str, path: &str, line: i64) -> Value {
    json!({
        "ruleId": rule,
        "level": level,
        "message": {"text": format!("Problem of {rule}, \"quoted\"")},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": path}, "region": {"startLine": line}
        }}],
    })
}

async fn import(team: &Team, tool: &str, results: &[Value]) {
    let log = json!({
        "version": "2.1.0",
        "runs": [{"tool": {"driver": {"name": tool}}, "results": results}],
    });
    let bytes = serde_json::to_vec(&log).expect("serialises");
    let services = &team.world.services;
    let file = services.files().keep(&bytes).await.expect("is kept");
    let request = ScanRequest {
        file,
        file_name: "scan.sarif".to_owned(),
        label: None,
        commit: None,
        format: None,
        watch: ImportWatch::default(),
    };
    services
        .import_scan(&team.owner, &team.service.id, request, false)
        .await
        .expect("imports");
}

async fn filled(team: &Team) {
    let alpha = [
        result("a1", "error", "src/b.go", 9),
        result("a2", "warning", "src/a.go", 3),
        result("a1", "note", "docs/100%_x.md", 1),
    ];
    import(team, "alpha", &alpha).await;
    import(team, "Beta", &[result("b1", "error", "src/a.go", 1)]).await;
}

async fn rules(team: &Team, filter: FindingFilter, sort: FindingSort) -> Vec<String> {
    let page = team
        .world
        .services
        .findings_of_review(&team.viewer, &team.review.id, &filter, sort, 50, None)
        .await
        .expect("lists");
    page.lines
        .into_iter()
        .map(|line| {
            format!(
                "{} {}",
                line.rule.unwrap_or_default(),
                line.path.unwrap_or_default()
            )
        })
        .collect()
}

#[tokio::test]
async fn a_filter_gives_what_fits_it_and_nothing_else() {
    for team in Team::each().await {
        filled(&team).await;
        let all = FindingFilter::default;
        let by = FindingSort::Path;
        let cases = [
            (
                FindingFilter {
                    rule: Some("a1".to_owned()),
                    ..all()
                },
                vec!["a1 docs/100%_x.md", "a1 src/b.go"],
            ),
            (
                FindingFilter {
                    path: Some("src/".to_owned()),
                    ..all()
                },
                vec!["b1 src/a.go", "a2 src/a.go", "a1 src/b.go"],
            ),
            // What LIKE takes for any text is a letter like others.
            (
                FindingFilter {
                    path: Some("docs/100%_".to_owned()),
                    ..all()
                },
                vec!["a1 docs/100%_x.md"],
            ),
            (
                FindingFilter {
                    path: Some("%".to_owned()),
                    ..all()
                },
                vec![],
            ),
            (
                FindingFilter {
                    tools: vec!["Beta".to_owned()],
                    severities: vec![Severity::High],
                    ..all()
                },
                vec!["b1 src/a.go"],
            ),
            (
                FindingFilter {
                    categories: vec!["none such".to_owned()],
                    ..all()
                },
                vec![],
            ),
            (
                FindingFilter {
                    late_before: Some(vec![(Severity::High, START + 1)]),
                    ..all()
                },
                vec!["b1 src/a.go", "a1 src/b.go"],
            ),
            (
                FindingFilter {
                    late_before: Some(vec![(Severity::High, START)]),
                    ..all()
                },
                vec![],
            ),
        ];
        for (filter, expected) in cases {
            assert_eq!(
                rules(&team, filter.clone(), by).await,
                expected,
                "{filter:?}"
            );
        }
        assert_eq!(
            rules(&team, all(), FindingSort::Tool).await,
            [
                "a1 src/b.go",
                "a2 src/a.go",
                "a1 docs/100%_x.md",
                "b1 src/a.go"
            ]
        );
        assert_eq!(
            rules(&team, all(), FindingSort::ToolDown).await,
            [
                "b1 src/a.go",
                "a1 docs/100%_x.md",
                "a2 src/a.go",
                "a1 src/b.go"
            ]
        );
    }
}

#[tokio::test]
async fn series_are_counted_under_the_other_choices_and_chosen_together() {
    for team in Team::each().await {
        filled(&team).await;
        let count = async |filter: &FindingFilter| -> Vec<(String, i64)> {
            let facets = team
                .world
                .services
                .finding_facets(&team.viewer, &team.review.id, filter)
                .await
                .expect("counts");
            let series = facets.series.iter();
            series.map(|(of, n)| (of.label.clone(), *n)).collect()
        };
        let counted = |alpha, beta| vec![("alpha".to_owned(), alpha), ("Beta".to_owned(), beta)];
        assert_eq!(count(&FindingFilter::default()).await, counted(3, 1));
        let facets = team
            .world
            .services
            .finding_facets(&team.viewer, &team.review.id, &FindingFilter::default())
            .await
            .expect("counts");
        let (beta, _) = &facets.series[1];
        let only = |ids: Vec<_>| FindingFilter {
            series: ids,
            ..FindingFilter::default()
        };
        let of_beta = only(vec![beta.id.clone()]);
        assert_eq!(
            rules(&team, of_beta.clone(), FindingSort::Tool).await,
            ["b1 src/a.go"]
        );
        // Ticking one does not hide how many the others have.
        assert_eq!(count(&of_beta).await, counted(3, 1));
        let high = FindingFilter {
            severities: vec![Severity::High],
            ..of_beta
        };
        assert_eq!(count(&high).await, counted(1, 1));
        let both = only(facets.series.iter().map(|(of, _)| of.id.clone()).collect());
        assert_eq!(rules(&team, both, FindingSort::ToolDown).await.len(), 4);
        let never_late = FindingFilter {
            late_before: Some(vec![]),
            ..FindingFilter::default()
        };
        assert!(rules(&team, never_late, FindingSort::Tool).await.is_empty());
    }
}

#[tokio::test]
async fn findings_of_items_that_somebody_owns_are_theirs() {
    for team in Team::each().await {
        filled(&team).await;
        let item = team.id("2.5.1").await;
        let services = &team.world.services;
        let page = services
            .findings_of_review(
                &team.viewer,
                &team.review.id,
                &FindingFilter::default(),
                FindingSort::Number,
                1,
                None,
            )
            .await
            .unwrap();
        services
            .map_finding(&team.owner, &page.lines[0].id, &item, true)
            .await
            .unwrap();
        let mine = |actor: &Actor| FindingFilter {
            owner: Some(actor.id.clone()),
            ..FindingFilter::default()
        };
        let owned = services.item(&team.viewer, &item).await.unwrap();
        assert!(
            rules(&team, mine(&team.owner), FindingSort::Number)
                .await
                .is_empty()
        );
        if owned.owner.is_none() {
            services.take_item(&team.owner, &item).await.unwrap();
        }
        assert_eq!(
            rules(&team, mine(&team.owner), FindingSort::Number)
                .await
                .len(),
            1
        );
        assert_eq!(
            rules(&team, mine(&team.viewer), FindingSort::Number)
                .await
                .len(),
            0
        );
    }
}

#[tokio::test]
async fn counts_follow_what_happens_at_once() {
    for team in Team::each().await {
        filled(&team).await;
        let services = &team.world.services;
        let n_open = async || {
            let open = FindingFilter {
                statuses: vec![FindingStatus::Open],
                ..FindingFilter::default()
            };
            let facets = services
                .finding_facets(&team.viewer, &team.review.id, &open)
                .await
                .unwrap();
            facets.n
        };
        assert_eq!(n_open().await, 4);
        import(&team, "Beta", &[]).await;
        assert_eq!(n_open().await, 3);
    }
}

async fn export(team: &Team, actor: &Actor, filter: FindingFilter, form: ExportForm) -> String {
    let mut export = team
        .world
        .services
        .export_findings(actor, &team.review.id, filter, FindingSort::Path, form)
        .await
        .expect("may export");
    let mut text = String::new();
    while let Some(piece) = export.next_piece().await.expect("goes on") {
        text.push_str(&piece);
    }
    text
}

#[tokio::test]
async fn a_file_has_exactly_what_the_list_has_in_its_order() {
    for team in Team::each().await {
        filled(&team).await;
        let of_go = FindingFilter {
            path: Some("src/".to_owned()),
            ..FindingFilter::default()
        };
        let csv = export(&team, &team.viewer, of_go.clone(), ExportForm::Csv).await;
        let lines: Vec<_> = csv.lines().collect();
        assert!(lines[0].starts_with("number,severity,"), "{csv}");
        assert_eq!(lines.len(), 4, "{csv}");
        let places: Vec<_> = lines[1..]
            .iter()
            .map(|line| line.contains("src/a.go"))
            .collect();
        assert_eq!(places, [true, true, false], "{csv}");
        assert!(!csv.contains("docs/"), "{csv}");
        let sarif = export(&team, &team.viewer, of_go, ExportForm::Sarif).await;
        let sarif: Value = serde_json::from_str(&sarif).expect("is JSON");
        let runs: Vec<_> = sarif["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|run| {
                (
                    run["tool"]["driver"]["name"].as_str().unwrap(),
                    run["results"].as_array().unwrap().len(),
                    run["tool"]["driver"]["rules"].as_array().unwrap().len(),
                )
            })
            .collect();
        assert_eq!(runs, [("alpha", 2, 2), ("Beta", 1, 1)]);
        let nothing = FindingFilter {
            rule: Some("none".to_owned()),
            ..FindingFilter::default()
        };
        let sarif = export(&team, &team.viewer, nothing, ExportForm::Sarif).await;
        let sarif: Value = serde_json::from_str(&sarif).expect("is JSON");
        assert_eq!(sarif["runs"][0]["results"], json!([]));
    }
}

#[tokio::test]
async fn a_file_of_several_pages_has_each_finding_once() {
    let team = Team::in_world(World::sqlite().await).await;
    let many: Vec<_> = (0..1_203)
        .map(|at| result(&format!("r{}", at % 7), "error", &format!("f{at}"), 1))
        .collect();
    import(&team, "alpha", &many).await;
    let csv = export(
        &team,
        &team.viewer,
        FindingFilter::default(),
        ExportForm::Csv,
    )
    .await;
    assert_eq!(csv.lines().count(), 1_204);
    let sarif = export(
        &team,
        &team.viewer,
        FindingFilter::default(),
        ExportForm::Sarif,
    )
    .await;
    let sarif: Value = serde_json::from_str(&sarif).expect("is JSON");
    assert_eq!(sarif["runs"].as_array().unwrap().len(), 1);
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 1_203);
    assert_eq!(
        sarif["runs"][0]["tool"]["driver"]["rules"]
            .as_array()
            .unwrap()
            .len(),
        7
    );
}

#[tokio::test]
async fn a_saved_filter_is_its_persons_alone() {
    for team in Team::each().await {
        let services = &team.world.services;
        let saved = services
            .save_filter(
                &team.viewer,
                &team.service.id,
                " Secrets ",
                "severity=critical",
            )
            .await
            .unwrap();
        assert_eq!(saved.name, "Secrets");
        let names = async |actor: &Actor| {
            let all = services
                .saved_filters(actor, &team.service.id)
                .await
                .unwrap();
            all.into_iter().map(|one| one.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&team.viewer).await, ["Secrets"]);
        assert!(names(&team.owner).await.is_empty());
        assert!(is_not_found(
            &services.rename_filter(&team.owner, &saved.id, "Mine").await
        ));
        assert!(is_not_found(
            &services.delete_filter(&team.owner, &saved.id).await
        ));
        let again = services
            .save_filter(&team.viewer, &team.service.id, "Secrets", "q=x")
            .await;
        assert_eq!(rejected(again).0, "name");
        let other = services
            .save_filter(&team.viewer, &team.service.id, "Other", "q=x")
            .await
            .unwrap();
        assert_eq!(
            rejected(
                services
                    .rename_filter(&team.viewer, &other.id, "Secrets")
                    .await
            )
            .0,
            "name"
        );
        services
            .rename_filter(&team.viewer, &other.id, "Another")
            .await
            .unwrap();
        services
            .delete_filter(&team.viewer, &saved.id)
            .await
            .unwrap();
        assert_eq!(names(&team.viewer).await, ["Another"]);
        for n in 1..MAX_SAVED_FILTERS {
            services
                .save_filter(&team.viewer, &team.service.id, &format!("F{n}"), "")
                .await
                .unwrap();
        }
        let over = services
            .save_filter(&team.viewer, &team.service.id, "One too many", "")
            .await;
        assert_eq!(rejected(over).0, "name");
    }
}

#[tokio::test]
async fn words_beyond_ascii_are_found_however_they_are_spelled() {
    for team in Team::each().await {
        let mut first = result("Prüfung", "error", "src/Größe.go", 1);
        first["message"] = json!({"text": "Überlauf im Puffer Größe"});
        let plain = result("plain", "error", "src/plain.go", 2);
        import(&team, "alpha", &[first, plain]).await;
        let found = async |text: &str| {
            let filter = FindingFilter {
                text: Some(text.to_owned()),
                ..FindingFilter::default()
            };
            rules(&team, filter, FindingSort::Number).await.len()
        };
        for text in [
            "Überlauf",
            "überlauf",
            "ÜBERLAUF",
            "PUFFER",
            "größe.GO",
            "prüf",
            "f-1",
        ] {
            assert_eq!(found(text).await, 1, "{text:?} on {}", team.on());
        }
        for text in ["Uberlauf", "ä", "überlaufen"] {
            assert_eq!(found(text).await, 0, "{text:?} on {}", team.on());
        }
        // What a person writes is found as well, and as it is after an edit.
        let services = &team.world.services;
        let request = |title: &str| {
            FindingRequest::parse(&FindingFields {
                title: title.into(),
                severity: "low".into(),
                category: "code".into(),
                problem: "It is wrong.".into(),
                ..FindingFields::default()
            })
            .expect("a finding")
        };
        let id = services
            .write_finding(&team.owner, &team.review.id, request("Éclat"), &[])
            .await
            .expect("writes");
        assert_eq!(found("éCLAT").await, 1, "{}", team.on());
        services
            .edit_finding(&team.owner, &id, 1, request("Ärger"))
            .await
            .expect("edits");
        assert_eq!((found("éclat").await, found("ärger").await), (0, 1));
        let hits = services.search(&team.viewer, "ÜBERLAUF").await;
        assert_eq!(hits.expect("searches").findings.len(), 1, "{}", team.on());
    }
}

#[tokio::test]
async fn the_beginning_of_a_path_minds_case() {
    for team in Team::each().await {
        let results = [
            result("low", "error", "src/a.go", 1),
            result("up", "error", "SRC/a.go", 1),
            result("wide", "error", "größe/a.go", 1),
        ];
        import(&team, "alpha", &results).await;
        for (path, expected) in [
            ("src/", "low src/a.go"),
            ("SRC/", "up SRC/a.go"),
            ("größe/", "wide größe/a.go"),
        ] {
            let filter = FindingFilter {
                path: Some(path.to_owned()),
                ..FindingFilter::default()
            };
            let found = rules(&team, filter, FindingSort::Number).await;
            assert_eq!(found, [expected], "{path} on {}", team.on());
        }
    }
}

#[tokio::test]
async fn a_file_says_what_counts_now() {
    for team in Team::each().await {
        filled(&team).await;
        let triage = |action: &str| {
            Triage::parse(&TriageFields {
                action: action.to_owned(),
                reason: "Only in tests.".to_owned(),
                until: "2026-02-20".to_owned(),
                ..TriageFields::default()
            })
            .expect("a triage")
        };
        let services = &team.world.services;
        let by_rule = FindingFilter {
            rule: Some("b1".to_owned()),
            ..FindingFilter::default()
        };
        let page = services
            .findings_of_review(
                &team.viewer,
                &team.review.id,
                &by_rule,
                FindingSort::Number,
                50,
                None,
            )
            .await
            .expect("lists");
        let id = &page.lines[0].id;
        for (version, who, action) in [
            (1, &team.owner, "ask_acceptance"),
            (2, &team.manager, "approve_acceptance"),
        ] {
            services
                .triage_finding(who, id, version, triage(action))
                .await
                .expect("decides");
        }
        let file = || export(&team, &team.manager, by_rule.clone(), ExportForm::Sarif);
        assert!(file().await.contains("suppressions"), "{}", team.on());
        team.world.clock.advance(60 * DAY);
        assert!(!file().await.contains("suppressions"), "{}", team.on());
        let csv = export(&team, &team.manager, by_rule.clone(), ExportForm::Csv).await;
        assert!(csv.contains(",open,"), "{csv}");
    }
}

#[tokio::test]
async fn a_filter_that_names_what_is_not_there_is_refused() {
    for team in Team::each().await {
        filled(&team).await;
        let services = &team.world.services;
        let other = services
            .create_review(
                &team.manager,
                &team.service.id,
                common::team::new_review(team.review.template_version.clone()),
            )
            .await
            .expect("begins another review")
            .review;
        let of_other = services
            .item_by_key(&team.manager, &other.id, "2.5.1")
            .await
            .expect("is there")
            .item
            .id;
        let all = FindingFilter::default;
        for (field, filter) in [
            (
                "item",
                FindingFilter {
                    item: ItemId::parse("zz"),
                    ..all()
                },
            ),
            (
                "item",
                FindingFilter {
                    item: Some(of_other),
                    ..all()
                },
            ),
            (
                "owner",
                FindingFilter {
                    owner: PersonId::parse("x"),
                    ..all()
                },
            ),
            (
                "series",
                FindingFilter {
                    series: SeriesId::parse("zz").into_iter().collect(),
                    ..all()
                },
            ),
        ] {
            let review = &team.review.id;
            let by = FindingSort::Number;
            let listed = services
                .findings_of_review(&team.viewer, review, &filter, by, 50, None)
                .await;
            assert_eq!(rejected(listed).0, field, "on {}", team.on());
            let counted = services.finding_facets(&team.viewer, review, &filter).await;
            assert_eq!(rejected(counted).0, field);
            let file = services
                .export_findings(&team.manager, review, filter, by, ExportForm::Csv)
                .await;
            assert_eq!(rejected(file.map(drop)).0, field);
        }
    }
}

#[tokio::test]
async fn links_of_a_finding_change_all_or_not_at_all() {
    for team in Team::each().await {
        filled(&team).await;
        let services = &team.world.services;
        let one = team.id("2.5.1").await;
        let page = team
            .world
            .services
            .findings_of_review(
                &team.viewer,
                &team.review.id,
                &FindingFilter::default(),
                FindingSort::Number,
                1,
                None,
            )
            .await
            .expect("lists");
        let finding = &page.lines[0].id;
        let n_items = async || {
            let view = services.finding(&team.viewer, finding).await;
            view.expect("reads").items.len()
        };
        let unknown = ItemId::parse("zz").expect("an id");
        let before = team.world.log().await.len();
        let refused = services
            .map_finding_to(&team.owner, finding, 1, &[one.clone(), unknown], &[])
            .await;
        assert!(is_not_found(&refused), "on {}", team.on());
        let stale = services
            .map_finding_to(&team.owner, finding, 7, std::slice::from_ref(&one), &[])
            .await;
        assert!(stale.is_err());
        assert_eq!((n_items().await, team.world.log().await.len()), (0, before));
        services
            .map_finding_to(&team.owner, finding, 1, std::slice::from_ref(&one), &[])
            .await
            .expect("links");
        assert_eq!(n_items().await, 1);
        let two = team.id("2.5.2").await;
        services
            .map_finding_to(&team.owner, finding, 1, &[two], &[one])
            .await
            .expect("links and unlinks");
        assert_eq!(n_items().await, 1, "on {}", team.on());
    }
}

/// Every page of a list forwards, then every page backwards from its end: the numbers of its findings.
async fn walked(team: &Team, filter: &FindingFilter, sort: FindingSort, n: usize) -> Vec<i64> {
    let page = async |from: Option<FindingCursor>| {
        // What stands in an address leads to the same place.
        let from = from.map(|from| FindingCursor::parse(&from.encoded(), sort).expect("a place"));
        let services = &team.world.services;
        let (viewer, review) = (&team.viewer, &team.review.id);
        services
            .findings_of_review(viewer, review, filter, sort, n, from.as_ref())
            .await
            .expect("lists")
    };
    let mut forwards = vec![page(None).await];
    while let Some(next) = forwards[forwards.len() - 1].next.clone() {
        forwards.push(page(Some(next)).await);
    }
    let mut backwards = forwards[forwards.len() - 1..].to_vec();
    while let Some(previous) = backwards[backwards.len() - 1].previous.clone() {
        backwards.push(page(Some(previous)).await);
    }
    let numbers = |pages: &[FindingLines]| -> Vec<Vec<i64>> {
        let lines = pages.iter().map(|page| page.lines.iter());
        lines
            .map(|lines| lines.map(|line| line.number).collect())
            .collect()
    };
    backwards.reverse();
    assert_eq!(numbers(&forwards), numbers(&backwards), "{sort:?} by {n}");
    numbers(&forwards).concat()
}

#[tokio::test]
async fn the_orders_by_limit_and_by_item_are_those_of_what_the_columns_say() {
    for team in Team::each().await {
        let at = |rule: &str, level: &str, line| result(rule, level, "src/a.go", line);
        let first: Vec<_> = (1..=4)
            .flat_map(|n| {
                [
                    at("w", "warning", n),
                    at("e", "error", n + 20),
                    at("n", "note", n + 40),
                ]
            })
            .chain([at("gone", "error", 90)])
            .collect();
        import(&team, "alpha", &first).await;
        import(&team, "alpha", &first[..12]).await;
        // What was found then with 30 days falls due at the same moment as what is found now with 7.
        team.world.clock.advance(23 * DAY);
        let later = [
            at("e", "error", 1),
            at("w", "warning", 2),
            at("e", "error", 3),
            at("n", "note", 4),
        ];
        import(&team, "beta", &later).await;
        let all = FindingFilter::default();
        let page = async |sort| team.page(&all, sort, None).await.lines;
        let lines = page(FindingSort::Number).await;
        assert_eq!(lines.len(), 17);
        let of = |tool: &str, rule: &str| -> Vec<_> {
            let is = |line: &&FindingLine| {
                line.tool.as_deref() == Some(tool) && line.rule.as_deref() == Some(rule)
            };
            lines
                .iter()
                .filter(is)
                .map(|line| line.id.clone())
                .collect()
        };
        // One is no problem; of one the risk is accepted, but not for long.
        team.triage(&team.owner, &of("alpha", "e")[1], triage("false_positive"))
            .await;
        team.triage(&team.owner, &of("beta", "w")[0], triage("ask_acceptance"))
            .await;
        team.triage(
            &team.manager,
            &of("beta", "w")[0],
            triage("approve_acceptance"),
        )
        .await;
        let services = &team.world.services;
        let link = async |id: &FindingId, key: &str| {
            let item = team.id(key).await;
            services
                .map_finding(&team.owner, id, &item, true)
                .await
                .expect("links");
        };
        // The later item first; of the two that one is linked to, the one that stands first counts.
        for id in &of("alpha", "w")[..3] {
            link(id, "2.5.1").await;
        }
        link(&of("beta", "e")[1], "2.1.1").await;
        link(&of("alpha", "e")[0], "2.5.1").await;
        link(&of("alpha", "e")[0], "2.1.1").await;
        link(&of("alpha", "gone")[0], "2.3.1").await;

        for days in [0, 60] {
            team.world.clock.advance(days * DAY);
            let now = team.world.clock.now();
            let policy = &team.review.policy;
            let items: Vec<_> = services
                .review_glance(&team.viewer, &team.review.id)
                .await
                .expect("reads")
                .items
                .iter()
                .map(|item| item.item.key.clone())
                .collect();
            let due = |line: &FindingLine| {
                let due = policy.due(line.severity, line.first_seen_at);
                due.filter(|_| line.status_at(now) == FindingStatus::Open)
            };
            let item = |line: &FindingLine| {
                let keys = line.items.iter().map(|(_, key)| key);
                keys.filter_map(|key| items.iter().position(|item| item == key))
                    .min()
            };
            let open = FindingFilter {
                statuses: vec![FindingStatus::Open],
                ..FindingFilter::default()
            };
            let severe = FindingFilter {
                severities: vec![Severity::High, Severity::Low],
                ..FindingFilter::default()
            };
            let closed = FindingFilter {
                statuses: vec![FindingStatus::Fixed, FindingStatus::FalsePositive],
                ..FindingFilter::default()
            };
            for filter in [&all, &open, &severe, &closed] {
                let listed = team.page(filter, FindingSort::Number, None).await.lines;
                let sorted = |by: &dyn Fn(&FindingLine) -> (bool, i64, i64), down: bool| {
                    let mut listed: Vec<_> = listed.iter().collect();
                    listed.sort_by_key(|line| {
                        let (is_none, key, first_seen) = by(line);
                        let sign = if down { -1 } else { 1 };
                        // What has none is last both ways.
                        (is_none, sign * key, sign * first_seen, sign * line.number)
                    });
                    let numbers = listed.into_iter().map(|line| line.number);
                    numbers.collect::<Vec<_>>()
                };
                let by_due = |line: &FindingLine| {
                    let due = due(line);
                    (due.is_none(), due.unwrap_or(0), line.first_seen_at)
                };
                let by_item = |line: &FindingLine| {
                    let item = item(line).map(|at| i64::try_from(at).expect("few"));
                    (item.is_none(), item.unwrap_or(0), 0)
                };
                for n in [1, 2, 5, 50] {
                    for (sort, expected) in [
                        (FindingSort::Limit, sorted(&by_due, false)),
                        (FindingSort::LimitDown, sorted(&by_due, true)),
                        (FindingSort::Item, sorted(&by_item, false)),
                        (FindingSort::ItemDown, sorted(&by_item, true)),
                    ] {
                        assert_eq!(
                            walked(&team, filter, sort, n).await,
                            expected,
                            "{sort:?} by {n} on {} after {days} days: {filter:?}",
                            team.on()
                        );
                    }
                }
            }
        }
        // A place in an order of another kind is none.
        let place = team.page(&all, FindingSort::Limit, None).await;
        assert!(place.next.is_none());
        for hostile in [
            r#"{"k":[9223372036854775806,-9223372036854775808],"n":3}"#,
            r#"{"k":[-9223372036854775808,9223372036854775807],"n":-1,"b":true}"#,
        ] {
            let from = FindingCursor::parse(hostile, FindingSort::Limit).expect("two numbers");
            team.page(&all, FindingSort::Limit, Some(&from)).await;
            assert!(FindingCursor::parse(hostile, FindingSort::Item).is_none());
        }
    }
}
