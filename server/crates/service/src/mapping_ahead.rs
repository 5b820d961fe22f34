//! What mapping will make of an import that is not stored yet: the same as `map_findings` does once it is, with the same
//! rules, over the findings as they will be.

use std::borrow::Cow;

use holdpoint_domain::{Digest, Millis, SeriesId, Severity, mapping::Subject};
use holdpoint_storage::{FindingToMap, Tx, finding_rows::ROWS_PER_STATEMENT};

use crate::{
    ServiceError, Services,
    import::{Compared, off_the_async_threads},
    mapping::{CleanScan, Linking, MappedItem, Mapper, PIECE, ReviewMapping, subject, to_attach},
    reading::Spool,
    scans::ImportOutcome,
};

/// What a scanner says of a finding, as far as rules look at it.
struct SaidToMap {
    /// Where it is another one than the scan's.
    tool: Option<String>,
    category: String,
    rule: Option<String>,
    path: Option<String>,
    severity: Severity,
}

impl SaidToMap {
    fn subject<'a>(&'a self, tool: &'a str) -> Subject<'a> {
        Subject {
            tool: self.tool.as_deref().unwrap_or(tool),
            category: &self.category,
            rule: self.rule.as_deref(),
            path: self.path.as_deref(),
            severity: self.severity,
        }
    }
}

/// Tells one outcome of mapping from another.
pub(crate) fn digest_of(mapping: &[ReviewMapping]) -> Digest {
    let mut said = String::new();
    for of in mapping {
        said.push_str(&format!("{} {}\n", of.review, of.n_unmapped));
        for linked in &of.items {
            said.push_str(&format!("+{} {}\n", linked.item.item, linked.n));
        }
        for shown in &of.evidence {
            said.push_str(&format!("={}\n", shown.item));
        }
    }
    Digest::of(said.as_bytes())
}

impl Services {
    /// What storing a compared scan would link and be evidence of, in every review that it maps into.
    pub(crate) async fn mapping_ahead(
        &self,
        tx: &mut Tx,
        mapper: &Mapper,
        series: Option<&SeriesId>,
        compared: &mut Compared,
        outcome: &ImportOutcome,
        now: Millis,
    ) -> Result<Vec<ReviewMapping>, ServiceError> {
        let mut linkings: Vec<_> = mapper
            .targets
            .iter()
            .map(|target| target.linking())
            .collect();
        if compared.changes_findings() {
            if let Some(series) = series {
                for linking in &mut linkings {
                    self.link_known(tx, series, &outcome.tool, compared, linking)
                        .await?;
                }
            }
            self.link_new(compared, &outcome.tool, &mut linkings)
                .await?;
        }
        let is_clean = outcome.complete && compared.read.counts.total() == 0;
        let scan = CleanScan {
            tool: &outcome.tool,
            commit: outcome.commit.as_deref(),
            series,
        };
        let mut mapping = Vec::new();
        for (linking, target) in linkings.into_iter().zip(&mapper.targets) {
            let evidence = if is_clean {
                to_attach(tx, target, scan, now).await?
            } else {
                Vec::new()
            };
            mapping.push(linking.finish(evidence.into_iter().map(MappedItem::from).collect()));
        }
        Ok(mapping)
    }

    /// The findings that the series knows, as they will be: without those that will be fixed, with those that come back,
    /// and as the scan now describes them.
    async fn link_known(
        &self,
        tx: &mut Tx,
        series: &SeriesId,
        tool: &str,
        compared: &mut Compared,
        linking: &mut Linking<'_>,
    ) -> Result<(), ServiceError> {
        let mut after = 0;
        loop {
            let piece = tx
                .findings_to_link(series, linking.target().review(), true, after, PIECE)
                .await?;
            let Some(last) = piece.last() else {
                return Ok(());
            };
            after = last.number;
            let will_be: Vec<&FindingToMap> = piece
                .iter()
                .filter(|finding| compared.will_be_open(finding))
                .collect();
            if !linking.target().has_rules() {
                linking.add_unmapped(will_be.len());
                continue;
            }
            let (refreshed, same): (Vec<_>, Vec<_>) = will_be
                .into_iter()
                .map(|finding| (compared.refreshed_as(finding.number), finding))
                .partition(|(at, _)| at.is_some());
            for (_, finding) in same {
                linking.add(&subject(finding));
            }
            let places: Vec<usize> = refreshed.iter().filter_map(|(at, _)| *at).collect();
            let said = self.said_to_map(compared, &places).await?;
            for said in &said {
                linking.add(&said.subject(tool));
            }
        }
    }

    async fn link_new(
        &self,
        compared: &mut Compared,
        tool: &str,
        linkings: &mut [Linking<'_>],
    ) -> Result<(), ServiceError> {
        let n_new = compared.changes.new.len();
        for linking in linkings.iter_mut() {
            if !linking.target().has_rules() {
                linking.add_unmapped(n_new);
            }
        }
        let mut ruled: Vec<_> = linkings
            .iter_mut()
            .filter(|linking| linking.target().has_rules())
            .collect();
        if ruled.is_empty() {
            return Ok(());
        }
        for start in (0..n_new).step_by(ROWS_PER_STATEMENT) {
            let end = n_new.min(start + ROWS_PER_STATEMENT);
            let places = compared.changes.new[start..end].to_vec();
            for said in self.said_to_map(compared, &places).await? {
                for linking in &mut ruled {
                    linking.add(&said.subject(tool));
                }
            }
        }
        Ok(())
    }

    /// What the scan says of the findings at these places.
    async fn said_to_map(
        &self,
        compared: &mut Compared,
        places: &[usize],
    ) -> Result<Vec<SaidToMap>, ServiceError> {
        let read = &mut compared.read;
        let wanted: Vec<_> = places.iter().map(|at| read.said[*at]).collect();
        let empty = Spool::new(&self.files().incoming());
        let mut spool = std::mem::replace(&mut read.spool, empty);
        let (spool, said) = off_the_async_threads(move || {
            let rows = spool.fetch(wanted.iter())?;
            let said = rows
                .said()?
                .into_iter()
                .map(|says| SaidToMap {
                    tool: says.tool.map(Cow::into_owned),
                    category: says.category.into_owned(),
                    rule: says.rule.map(Cow::into_owned),
                    path: says.path.map(Cow::into_owned),
                    severity: says.severity,
                })
                .collect();
            Ok((spool, said))
        })
        .await?;
        read.spool = spool;
        Ok(said)
    }
}
