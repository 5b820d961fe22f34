//! A filtered list of findings as a file, of any length: made page by page while it is sent.

use std::{collections::HashMap, sync::Arc};

use holdpoint_domain::{Millis, ReviewId, ServiceId, person::Action};
use holdpoint_report::exports::{SarifPieces, csv_head, csv_lines};
use holdpoint_storage::{FindingCursor, FindingFilter, FindingOrder, FindingSort};

use crate::{Actor, ServiceError, Services, report::finding_fact, standing::ReviewStanding};

/// How many findings are held at once.
const PIECE: usize = 500;

/// What a list is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportForm {
    Csv,
    Sarif,
}

/// A file that is being written; [`FindingExport::next_piece`] gives it in order.
#[derive(Debug)]
pub struct FindingExport {
    services: Services,
    service: ServiceId,
    review: ReviewId,
    filter: FindingFilter,
    sort: FindingSort,
    standing: Arc<ReviewStanding>,
    writer: Writer,
    step: Step,
    pub file_name: String,
    pub media_type: &'static str,
}

#[derive(Debug)]
enum Writer {
    Csv,
    Sarif(SarifPieces),
}

#[derive(Debug)]
enum Step {
    Begin,
    Page(Option<FindingCursor>),
    End,
    Over,
}

impl Services {
    /// Exactly the findings that a list shows, on all its pages, as a file.
    pub async fn export_findings(
        &self,
        actor: &Actor,
        review: &ReviewId,
        filter: FindingFilter,
        sort: FindingSort,
        form: ExportForm,
    ) -> Result<FindingExport, ServiceError> {
        let mut tx = self.database().read().await?;
        let service = self
            .service_of_review(&mut tx, actor, review, Action::Export)
            .await?;
        self.check_filter(&mut tx, &service, review, &filter)
            .await?;
        drop(tx);
        let standing = self.review_glance(actor, review).await?;
        let as_of: Millis = self.now();
        let (ending, media_type) = match form {
            ExportForm::Csv => ("csv", "text/csv; charset=utf-8"),
            ExportForm::Sarif => ("sarif", "application/sarif+json"),
        };
        Ok(FindingExport {
            file_name: format!(
                "{}-{}-findings.{ending}",
                standing.review.service_slug, standing.review.release
            ),
            services: self.clone(),
            service,
            review: review.clone(),
            filter: FindingFilter { as_of, ..filter },
            // A run of SARIF holds the findings of one tool.
            sort: match form {
                ExportForm::Csv => sort,
                ExportForm::Sarif => FindingSort::Tool,
            },
            standing,
            writer: match form {
                ExportForm::Csv => Writer::Csv,
                ExportForm::Sarif => Writer::Sarif(SarifPieces::default()),
            },
            step: Step::Begin,
            media_type,
        })
    }
}

impl FindingExport {
    /// The next piece of the file; none after the last.
    pub async fn next_piece(&mut self) -> Result<Option<String>, ServiceError> {
        match std::mem::replace(&mut self.step, Step::Over) {
            Step::Begin => {
                self.step = Step::Page(None);
                Ok(Some(match &self.writer {
                    Writer::Csv => csv_head(),
                    Writer::Sarif(pieces) => pieces.begin(),
                }))
            }
            Step::Page(from) => {
                let (text, next) = self.page(from.as_ref()).await?;
                self.step = match next {
                    Some(next) => Step::Page(Some(next)),
                    None => Step::End,
                };
                Ok(Some(text))
            }
            Step::End => Ok(match std::mem::replace(&mut self.writer, Writer::Csv) {
                Writer::Csv => None,
                Writer::Sarif(pieces) => Some(pieces.end()),
            }),
            Step::Over => Ok(None),
        }
    }

    async fn page(
        &mut self,
        from: Option<&FindingCursor>,
    ) -> Result<(String, Option<FindingCursor>), ServiceError> {
        let mut tx = self.services.database().read().await?;
        let by = FindingOrder {
            sort: self.sort,
            policy: &self.standing.policy,
        };
        let page = tx
            .finding_page(&self.service, &self.review, &self.filter, by, PIECE, from)
            .await?;
        let ids: Vec<_> = page.lines.iter().map(|line| line.id.as_str()).collect();
        let mut findings: HashMap<_, _> = tx
            .findings_by_id(&ids)
            .await?
            .into_iter()
            .map(|finding| (finding.id.clone(), finding))
            .collect();
        let mut patches = tx.patch_numbers_of_findings(&self.review, &ids).await?;
        let same_issues = tx.same_issues(&ids).await?;
        drop(tx);
        let owners: HashMap<&str, &str> = self
            .standing
            .items
            .iter()
            .filter_map(|item| Some((item.item.id.as_str(), item.item.owner_name.as_deref()?)))
            .collect();
        let facts: Vec<_> = page
            .lines
            .iter()
            .filter_map(|line| {
                let finding = findings.remove(&line.id)?;
                let patches = patches.remove(line.id.as_str()).unwrap_or_default();
                let fact = finding_fact(
                    &finding,
                    &line.items,
                    patches,
                    &same_issues.of(line.id.as_str()),
                    &owners,
                    &self.standing,
                );
                // As the list that was filtered shows it.
                Some(holdpoint_report::facts::Finding {
                    status: finding.status_at(self.filter.as_of),
                    ..fact
                })
            })
            .collect();
        let text = match &mut self.writer {
            Writer::Csv => csv_lines(&facts),
            Writer::Sarif(pieces) => pieces.more(&facts),
        };
        Ok((text, page.next))
    }
}
