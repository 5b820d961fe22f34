//! What a change changes: for the activity entry's before and after, and for the two versions of a conflict.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_domain::PersonId;
use holdpoint_storage::{ActivityFilter, Listed, NewActivity, Tx};
use serde_json::{Map, Value};

use crate::{Actor, Conflict, ServiceError};

/// The fields of a thing, before and after: those that are equal are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes(Vec<Changed>);

/// A field's name, what it was, what it is.
type Changed = (&'static str, Option<String>, Option<String>);

impl Changes {
    /// Looks at one field.
    pub(crate) fn field(
        mut self,
        name: &'static str,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Self {
        if before != after {
            self.0
                .push((name, before.map(str::to_owned), after.map(str::to_owned)));
        }
        self
    }

    /// Takes a field that is known to differ, though its words may not.
    pub(crate) fn changed(
        mut self,
        name: &'static str,
        before: Option<String>,
        after: Option<String>,
    ) -> Self {
        self.0.push((name, before, after));
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the fields that differ, for a sentence: "title, due date".
    pub(crate) fn named(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|(name, ..)| *name).collect();
        names.join(", ")
    }

    /// JSON of what the fields were; absent when there was nothing.
    pub(crate) fn before(&self) -> Option<String> {
        self.side(|(_, before, _)| before)
    }

    /// JSON of what the fields are; absent when there is nothing.
    pub(crate) fn after(&self) -> Option<String> {
        self.side(|(_, _, after)| after)
    }

    fn side(&self, of: impl Fn(&Changed) -> &Option<String>) -> Option<String> {
        let something = self.0.iter().any(|field| of(field).is_some());
        something.then(|| {
            let fields: Map<String, Value> = self
                .0
                .iter()
                .map(|field| (field.0.to_owned(), of(field).clone().into()))
                .collect();
            Value::Object(fields).to_string()
        })
    }

    /// The refusal of a change that was made on another version than the stored one; `before` is what is stored,
    /// `after` what was sent. Names who changed the thing, from the activity log.
    pub(crate) async fn conflict(
        self,
        tx: &mut Tx,
        actor: &Actor,
        what: &str,
        subject: &str,
        current_version: i64,
    ) -> Result<ServiceError, ServiceError> {
        let filter = ActivityFilter {
            subject: Some(subject),
            ..ActivityFilter::default()
        };
        let last = tx.activity(filter, 1).await?.pop();
        let who = match last.as_ref().map(|stored| stored.entry.actor.as_str()) {
            Some(id) if id == actor.id.as_str() => {
                "You changed it yourself in the meantime, perhaps in another tab".to_owned()
            }
            Some(id) => {
                let name = tx.names(&BTreeSet::from([id])).await?.remove(id);
                let name = name.unwrap_or_else(|| "Someone else".to_owned());
                format!("{name} changed it in the meantime")
            }
            None => "It was changed in the meantime".to_owned(),
        };
        let fields = self
            .0
            .into_iter()
            .map(|(name, current, yours)| {
                (
                    name.to_owned(),
                    yours.unwrap_or_default(),
                    current.unwrap_or_default(),
                )
            })
            .collect();
        Ok(ServiceError::Conflict(Box::new(Conflict {
            message: format!(
                "{what} was not saved: {who}. Compare the two versions, then save yours again if it should stand."
            ),
            current_version,
            fields,
        })))
    }
}

/// The names of people, for the words of an entry or a conflict.
pub(crate) async fn names(
    tx: &mut Tx,
    people: Vec<&PersonId>,
) -> Result<BTreeMap<String, String>, ServiceError> {
    let ids: BTreeSet<&str> = people.into_iter().map(PersonId::as_str).collect();
    Ok(tx.names(&ids).await?)
}

/// Refuses one more of a list that is as long as it can be, so that nothing is made that no list shows.
pub(crate) async fn refuse_beyond(
    tx: &mut Tx,
    listed: Listed<'_>,
    field: &'static str,
    things: &str,
) -> Result<(), ServiceError> {
    if tx.has_room(listed).await? {
        return Ok(());
    }
    Err(ServiceError::rejected(
        field,
        format!(
            "There are {} {things} already, which is the most that there can be. Nothing was stored.",
            listed.most()
        ),
    ))
}

/// An activity entry of something done in a review.
pub(crate) struct Done<'a> {
    pub(crate) action: &'a str,
    pub(crate) subject_kind: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) service: Option<&'a str>,
    pub(crate) review: Option<&'a str>,
    pub(crate) summary: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl Done<'_> {
    /// The same entry with another before and after.
    pub(crate) fn with(mut self, before: Option<String>, after: Option<String>) -> Self {
        self.before = before;
        self.after = after;
        self
    }

    /// Appends the entry as the last of what was done.
    pub(crate) async fn commit(
        self,
        mut tx: Tx,
        actor: &Actor,
        now: holdpoint_domain::Millis,
    ) -> Result<(), ServiceError> {
        self.append(&mut tx, actor, now).await?;
        Ok(tx.commit().await?)
    }

    /// Appends the entry, under the actor and the moment.
    pub(crate) async fn append(
        self,
        tx: &mut Tx,
        actor: &Actor,
        now: holdpoint_domain::Millis,
    ) -> Result<(), ServiceError> {
        tx.append_activity(NewActivity {
            at: now,
            actor: actor.id.as_str(),
            action: self.action,
            subject_kind: self.subject_kind,
            subject: self.subject,
            service: self.service,
            review: self.review,
            summary: self.summary,
            before: self.before,
            after: self.after,
        })
        .await?;
        Ok(())
    }
}
