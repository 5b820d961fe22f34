//! Evidence: attaching it, replacing it by a newer version, withdrawing it, and reading its files safely.

use holdpoint_domain::{
    EvidenceId, ItemId, Millis, ServiceId,
    evidence::EvidenceText,
    person::Action,
    text::{Commit, Name, Prose, Reason, WebAddress, shown_line},
};
use holdpoint_storage::{
    Evidence, NewActivity, NewEvidence, ShownEvidence, StorageError, StoredFile, Tx,
};

use crate::{
    Actor, ServiceError, Services, UploadBy,
    services::{MAX_PAGE, Page, limit_of},
};

/// What is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvidenceBody {
    /// A file that the store has already received.
    File {
        file: StoredFile,
        name: String,
    },
    Link {
        address: WebAddress,
    },
    Note {
        text: Prose,
    },
    Output {
        command: String,
        exit_code: i64,
        output: String,
        host: String,
    },
}

/// A piece of evidence as it was asked for; see [`EvidenceRequest::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceRequest {
    pub title: Option<Name>,
    pub body: EvidenceBody,
    pub commit: Option<Commit>,
    pub path: Option<String>,
    pub start_line: Option<i64>,
    pub end_line: Option<i64>,
    /// When it was true; now, if not said.
    pub observed_at: Option<Millis>,
    /// The piece that this one is a newer version of.
    pub replaces: Option<EvidenceId>,
}

/// The fields of an evidence form or API body, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct EvidenceFields {
    pub kind: String,
    pub title: String,
    pub address: String,
    pub text: String,
    pub command: String,
    pub exit_code: String,
    pub output: String,
    pub host: String,
    pub commit: String,
    pub path: String,
    pub start_line: String,
    pub end_line: String,
    /// Unix milliseconds, or a date `YYYY-MM-DD`.
    pub observed_at: String,
    pub replaces: String,
}

impl EvidenceFields {
    /// The field of a form with this name.
    pub fn place(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "kind" => &mut self.kind,
            "title" => &mut self.title,
            "address" => &mut self.address,
            "text" => &mut self.text,
            "command" => &mut self.command,
            "exit_code" => &mut self.exit_code,
            "output" => &mut self.output,
            "host" => &mut self.host,
            "commit" => &mut self.commit,
            "path" => &mut self.path,
            "start_line" => &mut self.start_line,
            "end_line" => &mut self.end_line,
            "observed_at" => &mut self.observed_at,
            "replaces" => &mut self.replaces,
            _ => return None,
        })
    }
}

/// A command's output may be this long, in bytes.
pub const MAX_OUTPUT_BYTES: usize = 1024 * 1024;

/// So much of a text stands in lists; the whole is read by [`Services::evidence_text`].
pub const MAX_LISTED_TEXT: usize = 20 * 1024;

/// So much of all the texts of an item stands on its page.
const MAX_TEXTS_OF_PAGE: usize = 1024 * 1024;

impl EvidenceRequest {
    /// Reads the fields of a form; `file` is what was uploaded with it, if anything was. Refuses at the field.
    pub fn parse(
        fields: &EvidenceFields,
        file: Option<(StoredFile, String)>,
    ) -> Result<Self, ServiceError> {
        let body = match fields.kind.as_str() {
            "file" => {
                let (file, name) =
                    file.ok_or_else(|| ServiceError::rejected("file", "Choose a file to upload."))?;
                if file.size_bytes == 0 {
                    return Err(ServiceError::rejected(
                        "file",
                        "This file is empty. Choose another.",
                    ));
                }
                EvidenceBody::File {
                    file,
                    name: file_name(&name),
                }
            }
            "link" => EvidenceBody::Link {
                address: WebAddress::parse(&fields.address).map_err(ServiceError::at("address"))?,
            },
            "note" => EvidenceBody::Note {
                text: Prose::parse(&fields.text).map_err(ServiceError::at("text"))?,
            },
            "output" => EvidenceBody::Output {
                command: Name::parse(&fields.command)
                    .map_err(ServiceError::at("command"))?
                    .into(),
                exit_code: fields
                    .exit_code
                    .trim()
                    .parse::<i32>()
                    .map(i64::from)
                    .map_err(|_| {
                        ServiceError::rejected(
                            "exit_code",
                            "Write the exit code as a whole number, such as 0.",
                        )
                    })?,
                output: output(&fields.output)?,
                host: optional(&fields.host)
                    .map(Name::parse)
                    .transpose()
                    .map_err(ServiceError::at("host"))?
                    .map(String::from)
                    .unwrap_or_default(),
            },
            _ => {
                return Err(ServiceError::rejected(
                    "kind",
                    "Choose one of file, link, note or output.",
                ));
            }
        };
        let title = optional(&fields.title)
            .map(Name::parse)
            .transpose()
            .map_err(ServiceError::at("title"))?;
        let commit = optional(&fields.commit)
            .map(Commit::parse)
            .transpose()
            .map_err(ServiceError::at("commit"))?;
        let path = optional(&fields.path)
            .map(Name::parse)
            .transpose()
            .map_err(ServiceError::at("path"))?;
        let start_line = line("start_line", &fields.start_line)?;
        let end_line = line("end_line", &fields.end_line)?;
        if start_line.is_some() && path.is_none() {
            return Err(ServiceError::rejected(
                "path",
                "Lines need the path of the file they are in.",
            ));
        }
        if let (Some(start), Some(end)) = (start_line, end_line)
            && end < start
        {
            return Err(ServiceError::rejected(
                "end_line",
                "The last line must not come before the first.",
            ));
        }
        let replaces = optional(&fields.replaces)
            .map(|id| {
                EvidenceId::parse(id).ok_or(ServiceError::NotFound("The evidence to replace"))
            })
            .transpose()?;
        Ok(Self {
            title,
            body,
            commit,
            path: path.map(String::from),
            start_line,
            end_line,
            observed_at: observed_at(&fields.observed_at)?,
            replaces,
        })
    }

    fn title(&self) -> String {
        if let Some(title) = &self.title {
            return title.as_str().to_owned();
        }
        let short = |text: &str| shown_line(text).chars().take(120).collect::<String>();
        match &self.body {
            EvidenceBody::File { name, .. } => name.clone(),
            EvidenceBody::Link { address } => short(address.as_str()),
            EvidenceBody::Note { text } => short(
                text.as_str()
                    .lines()
                    .next()
                    .unwrap_or("Note")
                    .trim_start_matches(['#', ' ']),
            ),
            EvidenceBody::Output { command, .. } => short(command),
        }
    }
}

fn optional(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn line(field: &'static str, text: &str) -> Result<Option<i64>, ServiceError> {
    optional(text)
        .map(|text| {
            text.parse::<i32>()
                .ok()
                .filter(|line| *line > 0)
                .map(i64::from)
                .ok_or_else(|| {
                    ServiceError::rejected(field, "Write a line number, counted from 1.")
                })
        })
        .transpose()
}

fn observed_at(text: &str) -> Result<Option<Millis>, ServiceError> {
    let Some(text) = optional(text) else {
        return Ok(None);
    };
    if let Ok(millis) = text.parse::<i64>() {
        return Ok(Some(millis));
    }
    let date =
        holdpoint_domain::text::Date::parse(text).map_err(ServiceError::at("observed_at"))?;
    // The first moment of the day: what was seen on a day was true at some moment of it, and claiming less is safer.
    Ok(Some(date.end() - 86_399_999))
}

fn output(text: &str) -> Result<String, ServiceError> {
    if text.len() > MAX_OUTPUT_BYTES {
        let message = format!(
            "This output has {} bytes; at most {MAX_OUTPUT_BYTES} fit. Attach it as a file.",
            text.len()
        );
        return Err(ServiceError::rejected("output", message));
    }
    // Terminals' escape sequences and other control characters mean nothing in a record.
    Ok(text
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect())
}

/// The last part of an uploaded file's name, without anything that a path or a header could stumble over.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    match shown_line(&last.replace('"', "")).trim_start_matches('.') {
        "" => "file".to_owned(),
        safe => safe.to_owned(),
    }
}

/// The media type that a file may be shown as in the browser; everything else is a download.
pub fn safe_media_type(name: &str) -> Option<&'static str> {
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase())?;
    Some(match extension.as_str() {
        "txt" | "log" | "md" | "csv" | "json" | "sarif" | "yaml" | "yml" | "toml" | "diff"
        | "patch" => "text/plain; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        _ => return None,
    })
}

/// A piece of evidence with whether it is stale: of another commit than the review's target, without one while the target has moved, or
/// a clean scan that a newer scan contradicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceView {
    /// Without its text where that is damaged.
    pub evidence: Evidence,
    pub stale: bool,
    /// It does not have the digest any more that it was kept under.
    pub damaged: bool,
    /// There is more of its text, see [`Services::evidence_text`].
    pub is_cut: bool,
}

impl EvidenceView {
    /// As everybody may be shown it: of what is not what was submitted, nothing that the digest covers.
    pub(crate) fn of(shown: ShownEvidence, target: Option<&str>) -> Self {
        let ShownEvidence {
            mut evidence,
            is_damaged: damaged,
            mut is_cut,
        } = shown;
        let stale = evidence.is_stale(target);
        if damaged {
            is_cut = false;
            evidence.body.clear();
            evidence.command = None;
            evidence.exit_code = None;
            evidence.host = None;
        }
        Self {
            evidence,
            stale,
            damaged,
            is_cut,
        }
    }
}

impl Services {
    /// The newest [`MAX_PAGE`] pieces that were submitted for an item, oldest first, withdrawn and superseded ones included.
    /// [`Services::evidence_page`] has all of them. Of texts there are the beginnings, of the newest ones where those are many.
    pub async fn evidence_of(
        &self,
        actor: &Actor,
        item: &ItemId,
    ) -> Result<Vec<EvidenceView>, ServiceError> {
        let known = self.text_digests().known(self.database());
        let (mut tx, place) = self.place_of_readable_item(actor, item).await?;
        let most = i64::try_from(MAX_PAGE).unwrap_or(i64::MAX);
        let mut newest = tx
            .newest_evidence(item, most, MAX_LISTED_TEXT, &known)
            .await?;
        let mut left = MAX_TEXTS_OF_PAGE;
        for shown in &mut newest {
            match left.checked_sub(shown.evidence.body.len()) {
                Some(still_left) => left = still_left,
                None if shown.evidence.file_sha256.is_some() => {}
                None => {
                    shown.evidence.body = String::new();
                    shown.is_cut = true;
                }
            }
        }
        newest.reverse();
        Ok(newest
            .into_iter()
            .map(|evidence| EvidenceView::of(evidence, place.commit.as_deref()))
            .collect())
    }

    /// A part of everything that was ever submitted for an item, oldest first, with the beginnings of texts.
    pub async fn evidence_page(
        &self,
        actor: &Actor,
        item: &ItemId,
        after: Option<&EvidenceId>,
        limit: usize,
    ) -> Result<Page<EvidenceView, EvidenceId>, ServiceError> {
        let (limit, read) = limit_of(limit);
        let known = self.text_digests().known(self.database());
        let (mut tx, place) = self.place_of_readable_item(actor, item).await?;
        let found = tx
            .evidence_after(item, after, read, MAX_LISTED_TEXT, &known)
            .await?;
        let found = found
            .into_iter()
            .map(|evidence| EvidenceView::of(evidence, place.commit.as_deref()));
        Ok(Page::cut(found.collect(), limit, |view| {
            view.evidence.id.clone()
        }))
    }

    /// One piece of evidence of an item, whole.
    pub async fn evidence_view(
        &self,
        actor: &Actor,
        item: &ItemId,
        id: &EvidenceId,
    ) -> Result<EvidenceView, ServiceError> {
        let (mut tx, place) = self.place_of_readable_item(actor, item).await?;
        tx.evidence(id)
            .await?
            .filter(|evidence| evidence.item == *item)
            .map(|evidence| EvidenceView::of(evidence.into(), place.commit.as_deref()))
            .ok_or(ServiceError::NotFound("This evidence"))
    }

    async fn place_of_readable_item(
        &self,
        actor: &Actor,
        item: &ItemId,
    ) -> Result<(Tx, ItemPlace), ServiceError> {
        let mut tx = self.database().read().await?;
        let place = self.place_of_item(&mut tx, item).await?;
        self.allow(&mut tx, actor, &place.service, Action::Read)
            .await
            .map_err(hide_item)?;
        Ok((tx, place))
    }

    /// Attaches evidence to an item.
    pub async fn add_evidence(
        &self,
        actor: &Actor,
        item: &ItemId,
        request: EvidenceRequest,
    ) -> Result<EvidenceId, ServiceError> {
        let now = self.now();
        let observed_at = request.observed_at.unwrap_or(now);
        if observed_at > now + 300_000 {
            return Err(ServiceError::rejected(
                "observed_at",
                "This is in the future. Say when it was seen.",
            ));
        }
        let title = request.title();
        let id = EvidenceId::parse(&self.ids().uuid(now)).expect("a UUID is a well-formed id");
        let (kind, body, command, exit_code, host, file) = match &request.body {
            EvidenceBody::File { file, name } => {
                ("file", "", None, None, None, Some((file, name.as_str())))
            }
            EvidenceBody::Link { address } => ("link", address.as_str(), None, None, None, None),
            EvidenceBody::Note { text } => ("note", text.as_str(), None, None, None, None),
            EvidenceBody::Output {
                command,
                exit_code,
                output,
                host,
            } => (
                "output",
                output.as_str(),
                Some(command.as_str()),
                Some(*exit_code),
                Some(host.as_str()).filter(|host| !host.is_empty()),
                None,
            ),
        };
        let sha256 = match file {
            Some((file, _)) => file.sha256.clone(),
            None => EvidenceText {
                kind,
                title: &title,
                body,
                command,
                exit_code,
                host,
                observed_at,
            }
            .digest(),
        };
        let mut tx = self.database().write().await?;
        let place = self.place_of_item(&mut tx, item).await?;
        self.allow(&mut tx, actor, &place.service, Action::Contribute)
            .await
            .map_err(hide_item)?;
        // Files were counted as they arrived.
        if matches!(
            request.body,
            EvidenceBody::Note { .. } | EvidenceBody::Output { .. }
        ) {
            let by = UploadBy {
                actor,
                service: Some(&place.service),
            };
            self.count_small_upload(by, body.len())?;
        }
        if let Some((file, _)) = file {
            tx.keep_file(file, now).await?;
        }
        let size = i64::try_from(body.len()).unwrap_or(i64::MAX);
        tx.insert_evidence(&NewEvidence {
            id: &id,
            item,
            kind,
            title: &title,
            body,
            command,
            exit_code,
            host,
            sha256: &sha256,
            file_sha256: file.map(|(file, _)| &file.sha256),
            file_name: file.map(|(_, name)| name),
            media_type: file.and_then(|(_, name)| safe_media_type(name)),
            size_bytes: file.map_or(size, |(file, _)| file.size_bytes),
            scan: None,
            commit: request.commit.as_ref().map(Commit::as_str),
            path: request.path.as_deref(),
            start_line: request.start_line,
            end_line: request.end_line,
            observed_at,
            created_at: now,
            created_by: &actor.id,
        })
        .await?;
        if let Some(old) = &request.replaces {
            let replaced = tx.evidence(old).await?.filter(|old| old.item == *item);
            replaced.ok_or(ServiceError::NotFound("The evidence to replace"))?;
            tx.supersede_evidence(old, &id)
                .await
                .map_err(|error| match error {
                    StorageError::Conflict => ServiceError::rejected(
                        "replaces",
                        "That evidence was withdrawn or replaced already. Look at the item again.",
                    ),
                    error => error.into(),
                })?;
        }
        let summary = match &request.replaces {
            Some(_) => format!("replaced evidence by \"{title}\" on {}", place.key),
            None => format!("added evidence \"{title}\" to {}", place.key),
        };
        let after = serde_json::json!({ "evidence": id, "kind": kind, "sha256": sha256, "replaces": request.replaces });
        record(
            &mut tx,
            actor,
            now,
            &place,
            item,
            "evidence.added",
            summary,
            None,
            Some(after.to_string()),
        )
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Withdraws a piece of evidence, with a reason. It stays on record.
    pub async fn withdraw_evidence(
        &self,
        actor: &Actor,
        id: &EvidenceId,
        reason: &str,
    ) -> Result<ItemId, ServiceError> {
        let reason = Reason::parse(reason).map_err(ServiceError::at("reason"))?;
        let now = self.now();
        let mut tx = self.database().write().await?;
        let evidence = tx
            .evidence(id)
            .await?
            .ok_or(ServiceError::NotFound("This evidence"))?;
        let place = self.place_of_item(&mut tx, &evidence.item).await?;
        self.allow(&mut tx, actor, &place.service, Action::Contribute)
            .await
            .map_err(hide_evidence)?;
        tx.withdraw_evidence(id, &actor.id, now, reason.as_str())
            .await
            .map_err(|error| match error {
                StorageError::Conflict => ServiceError::rejected(
                    "reason",
                    "This evidence was withdrawn or replaced already.",
                ),
                error => error.into(),
            })?;
        let summary = format!(
            "withdrew evidence \"{}\" from {}",
            evidence.title, place.key
        );
        let before = serde_json::json!({ "evidence": id, "sha256": evidence.sha256 }).to_string();
        let after = serde_json::json!({ "withdrawn": reason.as_str() }).to_string();
        record(
            &mut tx,
            actor,
            now,
            &place,
            &evidence.item,
            "evidence.withdrawn",
            summary,
            Some(before),
            Some(after),
        )
        .await?;
        tx.commit().await?;
        Ok(evidence.item)
    }

    /// A note or a command's output that is about to be served whole: a damaged one is reported, not served.
    pub async fn evidence_text(
        &self,
        actor: &Actor,
        id: &EvidenceId,
    ) -> Result<Evidence, ServiceError> {
        let evidence = self.readable_evidence(actor, id).await?;
        if !matches!(evidence.kind.as_str(), "note" | "output") {
            return Err(ServiceError::NotFound("A text of this evidence"));
        }
        if evidence.is_damaged() {
            let what = "the digest of this evidence is not that of its text";
            return Err(StorageError::Damaged(what.to_owned()).into());
        }
        Ok(evidence)
    }

    async fn readable_evidence(
        &self,
        actor: &Actor,
        id: &EvidenceId,
    ) -> Result<Evidence, ServiceError> {
        let mut tx = self.database().read().await?;
        let evidence = tx
            .evidence(id)
            .await?
            .ok_or(ServiceError::NotFound("This evidence"))?;
        let place = self.place_of_item(&mut tx, &evidence.item).await?;
        self.allow(&mut tx, actor, &place.service, Action::Read)
            .await
            .map_err(hide_evidence)?;
        Ok(evidence)
    }

    /// A piece of evidence whose file is about to be served. The file's bytes have been compared with their digest: a
    /// damaged one is reported, not served.
    pub async fn evidence_file(
        &self,
        actor: &Actor,
        id: &EvidenceId,
    ) -> Result<Evidence, ServiceError> {
        let evidence = self.readable_evidence(actor, id).await?;
        let sha256 = evidence
            .file_sha256
            .as_ref()
            .ok_or(ServiceError::NotFound("A file of this evidence"))?;
        if evidence.is_damaged() {
            let what = "the digest of this evidence is not that of its file";
            return Err(StorageError::Damaged(what.to_owned()).into());
        }
        if self.files().verify(sha256).await? {
            Ok(evidence)
        } else {
            Err(StorageError::Damaged(format!("the file with SHA-256 {sha256} is missing")).into())
        }
    }

    pub(crate) async fn place_of_item(
        &self,
        tx: &mut Tx,
        item: &ItemId,
    ) -> Result<ItemPlace, ServiceError> {
        let place = tx
            .item_place(item)
            .await?
            .ok_or(ServiceError::NotFound("This item"))?;
        let service = ServiceId::parse(&place.service_id)
            .ok_or_else(|| StorageError::Damaged("review.service_id".to_owned()))?;
        Ok(ItemPlace {
            service,
            review: place.review_id,
            key: place.key,
            commit: place.commit_id,
        })
    }
}

/// Where an item is, for permissions and activity entries.
pub(crate) struct ItemPlace {
    pub(crate) service: ServiceId,
    pub(crate) review: String,
    pub(crate) key: String,
    pub(crate) commit: Option<String>,
}

fn hide_item(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::NotFound(_) => ServiceError::NotFound("This item"),
        error => error,
    }
}

fn hide_evidence(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::NotFound(_) => ServiceError::NotFound("This evidence"),
        error => error,
    }
}

async fn record(
    tx: &mut Tx,
    actor: &Actor,
    at: Millis,
    place: &ItemPlace,
    item: &ItemId,
    action: &str,
    summary: String,
    before: Option<String>,
    after: Option<String>,
) -> Result<(), ServiceError> {
    tx.append_activity(NewActivity {
        at,
        actor: actor.id.as_str(),
        action,
        subject_kind: "item",
        subject: item.as_str(),
        service: Some(place.service.as_str()),
        review: Some(&place.review),
        summary,
        before,
        after,
    })
    .await?;
    Ok(())
}
