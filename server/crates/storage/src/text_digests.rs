//! Digests of evidence's texts that were worked out before, for as long as it is certain that nobody changed a text since,
//! whoever it was and by whatever program.
//!
//! PostgreSQL says so of each row: whatever writes a row gives it another transaction (`xmin`) and another place (`ctid`). SQLite
//! says of a connection whether another one has committed anything (`data_version`); this process has one connection that
//! writes, so that what that one hears of is somebody else's. Then all that is known is forgotten.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use holdpoint_domain::{Digest, Millis, evidence::EvidenceText};

use crate::{Database, StorageError, Tx, fetch_each};

/// So many digests are known at most; more begin anew.
const MANY: usize = 20_000;

/// How long they are known. What changes the bytes of SQLite's file past SQLite is seen after this at the latest.
const LASTS: Duration = Duration::from_mins(10);

/// How often and after which time the connection that writes is asked for again, where it is at work.
const TRIES: usize = 5;
const AGAIN: Duration = Duration::from_millis(2);

/// From so many bytes on it is asked what is known; less is read faster.
const WORTH_ASKING: i64 = 128 * 1024;

/// What is known in this process.
#[derive(Debug, Default)]
pub struct TextDigests(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Counts how often everything was forgotten.
    era: u64,
    began: Option<Instant>,
    /// SQLite: what the connection that writes had heard of others then.
    data_version: Option<i64>,
    digests: HashMap<String, (String, Digest)>,
}

/// What is known, as a unit of work may use it that began afterwards.
#[derive(Debug)]
pub struct KnownTexts<'a> {
    database: &'a Database,
    memory: &'a TextDigests,
    era: u64,
}

/// The same once it is certain that it holds for the moment which the unit of work sees.
#[derive(Debug)]
struct Certain<'a>(Option<&'a KnownTexts<'a>>);

/// A text that is asked for.
pub(crate) struct AskedText {
    pub(crate) id: String,
    /// What says whether its row was written.
    pub(crate) stamp: String,
    pub(crate) n_bytes: i64,
}

/// A text as it is read.
pub(crate) struct ReadText {
    pub(crate) sha256: Digest,
    /// No more of it than was asked for.
    pub(crate) beginning: String,
    pub(crate) is_cut: bool,
}

impl TextDigests {
    /// What is known now. To be asked for before the unit of work begins: what that one reads is then no older.
    pub fn known<'a>(&'a self, database: &'a Database) -> KnownTexts<'a> {
        KnownTexts {
            database,
            memory: self,
            era: self.lock().era,
        }
    }

    /// How many digests are known, for tests.
    pub fn len(&self) -> usize {
        self.lock().digests.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self, data_version: Option<i64>) {
        *self = Self {
            era: self.era + 1,
            began: Some(Instant::now()),
            data_version,
            digests: HashMap::new(),
        };
    }
}

impl KnownTexts<'_> {
    /// Asks whether what is known holds for a unit of work that has read something already.
    async fn make_certain(&self) -> Result<Certain<'_>, StorageError> {
        let data_version = match self.database {
            Database::Sqlite { .. } => match self.database.heard_of_others().await? {
                Some(version) => Some(version),
                // It is at work: nobody knows.
                None => return Ok(Certain(None)),
            },
            Database::Postgres(_) => None,
            // It may have the one connection that writes.
            Database::Within { .. } => return Ok(Certain(None)),
        };
        let mut state = self.memory.lock();
        let is_over = state.began.is_none_or(|began| began.elapsed() >= LASTS);
        if is_over || state.data_version != data_version {
            state.forget(data_version);
        }
        Ok(Certain((state.era == self.era).then_some(self)))
    }
}

impl Certain<'_> {
    fn get(&self, text: &AskedText) -> Option<Digest> {
        let state = self.0?.memory.lock();
        let (stamp, digest) = state.digests.get(&text.id)?;
        (*stamp == text.stamp).then(|| digest.clone())
    }

    fn keep(&self, text: &AskedText, digest: &Digest) {
        let Some(known) = self.0 else { return };
        let mut state = known.memory.lock();
        // What was read before others wrote is not known of what they wrote.
        if state.era != known.era {
            return;
        }
        if state.digests.len() >= MANY {
            state.digests.clear();
        }
        let entry = (text.stamp.clone(), digest.clone());
        state.digests.insert(text.id.clone(), entry);
    }
}

impl Database {
    /// A number that changes when somebody else than this process writes in the SQLite file; `None` while this process writes.
    async fn heard_of_others(&self) -> Result<Option<i64>, StorageError> {
        let Self::Sqlite { writer, .. } = self else {
            return Ok(None);
        };
        for _ in 0..TRIES {
            if let Some(mut connection) = writer.try_acquire() {
                let version = sqlx::query_scalar("pragma data_version")
                    .fetch_one(&mut *connection)
                    .await?;
                return Ok(Some(version));
            }
            tokio::time::sleep(AGAIN).await;
        }
        Ok(None)
    }
}

#[derive(sqlx::FromRow)]
struct TextRow {
    id: String,
    kind: String,
    title: String,
    body: String,
    command: Option<String>,
    exit_code: Option<i64>,
    host: Option<String>,
    observed_at: Millis,
}

impl Tx {
    /// The digests of these texts, with the first bytes of each, by their ids. Whole texts go through memory one by one, and only
    /// where it is not known what they are.
    pub(crate) async fn read_texts(
        &mut self,
        asked: &[AskedText],
        most: usize,
        known: Option<&KnownTexts<'_>>,
    ) -> Result<HashMap<String, ReadText>, StorageError> {
        let n_bytes: i64 = asked.iter().map(|text| text.n_bytes.max(0)).sum();
        let known = match known {
            Some(known) if n_bytes >= WORTH_ASKING => known.make_certain().await?,
            _ => Certain(None),
        };
        let mut read = HashMap::with_capacity(asked.len());
        let (mut whole, mut beginnings) = (Vec::new(), Vec::new());
        for text in asked {
            match known.get(text) {
                Some(sha256) => {
                    beginnings.push(&*text.id);
                    let text_read = ReadText {
                        sha256,
                        beginning: String::new(),
                        is_cut: false,
                    };
                    read.insert(text.id.clone(), text_read);
                }
                None => whole.push(&*text.id),
            }
        }
        let by_id: HashMap<_, _> = asked.iter().map(|text| (&*text.id, text)).collect();
        self.each_text(&whole, None, |row| {
            let sha256 = EvidenceText {
                kind: &row.kind,
                title: &row.title,
                body: &row.body,
                command: row.command.as_deref(),
                exit_code: row.exit_code,
                host: row.host.as_deref(),
                observed_at: row.observed_at,
            }
            .digest();
            if let Some(text) = by_id.get(&*row.id) {
                known.keep(text, &sha256);
            }
            let (beginning, is_cut) = cut(row.body, most);
            let text = ReadText {
                sha256,
                beginning,
                is_cut,
            };
            read.insert(row.id, text);
        })
        .await?;
        if most > 0 {
            // A letter has a byte at least.
            let letters = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
            self.each_text(&beginnings, Some(letters), |row| {
                let (beginning, is_cut) = cut(row.body, most);
                if let Some(text) = read.get_mut(&row.id) {
                    text.beginning = beginning;
                    text.is_cut = is_cut;
                }
            })
            .await?;
        }
        Ok(read)
    }

    /// Each of these texts, or its first letters.
    async fn each_text(
        &mut self,
        ids: &[&str],
        letters: Option<i64>,
        mut each: impl FnMut(TextRow),
    ) -> Result<(), StorageError> {
        if ids.is_empty() {
            return Ok(());
        }
        let ids = serde_json::to_string(ids).expect("ids are texts");
        let sql = self.dialect(
            "select id, kind, title, case when cast($2 as bigint) is null then body else substr(body, 1, $2) end as body, \
             command, exit_code, host, observed_at from evidence where id in (select value from json_each($1))",
            "select id, kind, title, case when cast($2 as bigint) is null then body \
             else substr(body, 1, cast(least($2, 2147483647) as integer)) end as body, command, exit_code, host, observed_at \
             from evidence where id in (select jsonb_array_elements_text(cast($1 as jsonb)))",
        );
        fetch_each!(self, TextRow, sql, [&ids, letters], |row| {
            each(row);
            Ok::<(), StorageError>(())
        });
        Ok(())
    }
}

/// No more than so many bytes of a text, and whether that is not all.
fn cut(mut text: String, most: usize) -> (String, bool) {
    if text.len() <= most {
        return (text, false);
    }
    text.truncate(text.floor_char_boundary(most));
    text.shrink_to_fit();
    (text, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_letters() {
        assert_eq!(cut("übel".to_owned(), 5), ("übel".to_owned(), false));
        assert_eq!(cut("übel".to_owned(), 4), ("übe".to_owned(), true));
        assert_eq!(cut("übel".to_owned(), 1), (String::new(), true));
    }
}
