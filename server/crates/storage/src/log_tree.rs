//! The Merkle tree beside the activity log, and the signed heads of both.

use std::collections::BTreeMap;

use holdpoint_domain::{Millis, ReviewId, digest::hex};

use crate::{
    StorageError, StoredActivity, Tx, activity::ActivityRow, execute, fetch_all, fetch_optional,
};

/// How far the tree has grown.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct LogTree {
    /// The name under which heads are signed; absent until the first is.
    pub origin: Option<String>,
    /// How many entries the tree has.
    pub size: i64,
    /// How many heads were ever signed.
    pub n_heads: i64,
}

/// A signed head, to be kept or as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SignedHead {
    pub sequence: i64,
    /// Of the last entry.
    pub digest: String,
    /// What it was signed at: `sign-off:ID`, `export:SEQUENCE`, `interval`.
    pub occasion: String,
    /// An SSH signature over both.
    pub signature: String,
    /// The signed head of the tree; absent from heads of before the tree.
    pub checkpoint: Option<String>,
    pub signed_at: Millis,
}

#[derive(sqlx::FromRow)]
struct NodeRow {
    position: i64,
    hash: Vec<u8>,
}

#[derive(sqlx::FromRow)]
struct SaltRow {
    sequence: i64,
    salt: Vec<u8>,
}

fn hex_list(bytes: &[Vec<u8>]) -> String {
    let texts: Vec<String> = bytes.iter().map(|bytes| hex(bytes)).collect();
    serde_json::json!(texts).to_string()
}

fn list(numbers: &[i64]) -> String {
    serde_json::json!(numbers).to_string()
}

impl Tx {
    pub async fn log_tree(&mut self) -> Result<LogTree, StorageError> {
        self.log_tree_by("select origin, size, n_heads from log_tree where id = 1")
            .await
    }

    /// The same, for whoever lets the tree grow: nobody else does until the unit of work ends. Take this lock before an
    /// entry is appended, never after.
    pub async fn lock_log_tree(&mut self) -> Result<LogTree, StorageError> {
        let sql = self.dialect(
            "select origin, size, n_heads from log_tree where id = 1",
            "select origin, size, n_heads from log_tree where id = 1 for update",
        );
        self.log_tree_by(sql).await
    }

    async fn log_tree_by(&mut self, sql: &'static str) -> Result<LogTree, StorageError> {
        fetch_optional!(self, LogTree, sql)
            .ok_or_else(|| StorageError::Damaged("the activity log has no tree".to_owned()))
    }

    pub async fn name_log(&mut self, origin: &str) -> Result<(), StorageError> {
        execute!(
            self,
            "update log_tree set origin = $1 where id = 1 and origin is null",
            origin
        );
        Ok(())
    }

    /// Adds entries to the tree: the salts of those after `size`, and the nodes that are complete by them, from
    /// `position` on.
    pub async fn grow_log_tree(
        &mut self,
        size: i64,
        salts: &[Vec<u8>],
        position: i64,
        nodes: &[Vec<u8>],
    ) -> Result<(), StorageError> {
        let sql = self.dialect(
            "insert into log_salt (sequence, salt) select $2 + 1 + key, unhex(value) from json_each($1)",
            "insert into log_salt (sequence, salt) select cast($2 as bigint) + place, decode(value, 'hex') \
             from jsonb_array_elements_text(cast($1 as jsonb)) with ordinality as given (value, place)",
        );
        execute!(self, sql, hex_list(salts), size);
        let sql = self.dialect(
            "insert into log_tree_hash (position, hash) select $2 + key, unhex(value) from json_each($1)",
            "insert into log_tree_hash (position, hash) select cast($2 as bigint) + place - 1, decode(value, 'hex') \
             from jsonb_array_elements_text(cast($1 as jsonb)) with ordinality as given (value, place)",
        );
        execute!(self, sql, hex_list(nodes), position);
        let added = i64::try_from(salts.len()).unwrap_or(i64::MAX);
        execute!(
            self,
            "update log_tree set size = $1 where id = 1",
            size + added
        );
        Ok(())
    }

    /// Nodes of the tree, by their position; what is not there is left out.
    pub async fn log_nodes(
        &mut self,
        positions: &[i64],
    ) -> Result<BTreeMap<i64, Vec<u8>>, StorageError> {
        let sql = self.dialect(
            "select position, hash from log_tree_hash where position in (select value from json_each($1))",
            "select position, hash from log_tree_hash \
             where position in (select cast(jsonb_array_elements_text(cast($1 as jsonb)) as bigint))",
        );
        let rows = fetch_all!(self, NodeRow, sql, list(positions));
        Ok(rows
            .into_iter()
            .map(|row| (row.position, row.hash))
            .collect())
    }

    /// The nodes at these positions and between them, in order.
    pub async fn log_nodes_between(
        &mut self,
        first: i64,
        last: i64,
    ) -> Result<Vec<(i64, Vec<u8>)>, StorageError> {
        let rows = fetch_all!(
            self,
            NodeRow,
            "select position, hash from log_tree_hash where position between $1 and $2 order by position",
            first,
            last,
        );
        Ok(rows
            .into_iter()
            .map(|row| (row.position, row.hash))
            .collect())
    }

    /// The salts of these entries and those between them.
    pub async fn log_salts_between(
        &mut self,
        first: i64,
        last: i64,
    ) -> Result<BTreeMap<i64, Vec<u8>>, StorageError> {
        let rows = fetch_all!(
            self,
            SaltRow,
            "select sequence, salt from log_salt where sequence between $1 and $2",
            first,
            last,
        );
        Ok(rows
            .into_iter()
            .map(|row| (row.sequence, row.salt))
            .collect())
    }

    /// These entries with their salts, oldest first; those that are not in the tree are left out.
    pub async fn salted_entries(
        &mut self,
        sequences: &[i64],
    ) -> Result<Vec<(StoredActivity, Vec<u8>)>, StorageError> {
        let sql = self.dialect(
            "select sequence, at, actor, action, subject_kind, subject, service, review, summary, before, after, \
             previous, digest from activity where sequence in (select value from json_each($1)) order by sequence",
            "select sequence, at, actor, action, subject_kind, subject, service, review, summary, before, after, \
             previous, digest from activity where sequence in \
             (select cast(jsonb_array_elements_text(cast($1 as jsonb)) as bigint)) order by sequence",
        );
        let entries = fetch_all!(self, ActivityRow, sql, list(sequences));
        let sql = self.dialect(
            "select sequence, salt from log_salt where sequence in (select value from json_each($1))",
            "select sequence, salt from log_salt \
             where sequence in (select cast(jsonb_array_elements_text(cast($1 as jsonb)) as bigint))",
        );
        let mut salts: BTreeMap<i64, Vec<u8>> = fetch_all!(self, SaltRow, sql, list(sequences))
            .into_iter()
            .map(|row| (row.sequence, row.salt))
            .collect();
        Ok(entries
            .into_iter()
            .filter_map(|row| {
                let salt = salts.remove(&row.sequence)?;
                Some((row.into(), salt))
            })
            .collect())
    }

    /// Keeps a signed head.
    pub async fn keep_signed_head(&mut self, head: &SignedHead) -> Result<(), StorageError> {
        let kept = execute!(
            self,
            "insert into signed_head (sequence, digest, occasion, signature, checkpoint, signed_at) \
             values ($1, $2, $3, $4, $5, $6) on conflict (sequence, occasion) do nothing",
            head.sequence,
            &head.digest,
            &head.occasion,
            &head.signature,
            &head.checkpoint,
            head.signed_at,
        );
        execute!(
            self,
            "update log_tree set n_heads = n_heads + $1 where id = 1",
            i64::try_from(kept).unwrap_or_default()
        );
        Ok(())
    }

    /// Signed heads after this one, oldest first, at most `limit`.
    pub async fn signed_heads_after(
        &mut self,
        sequence: i64,
        occasion: &str,
        limit: i64,
    ) -> Result<Vec<SignedHead>, StorageError> {
        Ok(fetch_all!(
            self,
            SignedHead,
            "select sequence, digest, occasion, signature, checkpoint, signed_at from signed_head \
             where (sequence, occasion) > ($1, $2) order by sequence, occasion limit $3",
            sequence,
            occasion,
            limit,
        ))
    }

    /// The newest head of the tree that was signed.
    pub async fn newest_checkpoint(&mut self) -> Result<Option<SignedHead>, StorageError> {
        Ok(fetch_optional!(
            self,
            SignedHead,
            "select sequence, digest, occasion, signature, checkpoint, signed_at from signed_head \
             where checkpoint is not null order by sequence desc, occasion desc limit 1"
        ))
    }

    /// The first head of the tree that was signed over this entry and those before it.
    pub async fn checkpoint_over(
        &mut self,
        sequence: i64,
    ) -> Result<Option<SignedHead>, StorageError> {
        Ok(fetch_optional!(
            self,
            SignedHead,
            "select sequence, digest, occasion, signature, checkpoint, signed_at from signed_head \
             where checkpoint is not null and sequence >= $1 order by sequence, occasion limit 1",
            sequence,
        ))
    }

    /// The sign-offs of a review: the numbers of their entries, and the digests of what was signed.
    pub async fn sign_off_entries(
        &mut self,
        review: &ReviewId,
    ) -> Result<Vec<(i64, String)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            log_sequence: i64,
            digest: String,
        }
        let rows = fetch_all!(
            self,
            Row,
            "select log_sequence, digest from sign_off where review_id = $1",
            review.as_str(),
        );
        Ok(rows
            .into_iter()
            .map(|row| (row.log_sequence, row.digest))
            .collect())
    }

    /// How many entries the heads of the tree have that were signed before this one: the newest, at most `limit`.
    pub async fn checkpoints_before(
        &mut self,
        sequence: i64,
        limit: i64,
    ) -> Result<Vec<i64>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            sequence: i64,
        }
        let rows = fetch_all!(
            self,
            Row,
            "select distinct sequence from signed_head where checkpoint is not null and sequence < $1 \
             order by sequence desc limit $2",
            sequence,
            limit,
        );
        Ok(rows.into_iter().map(|row| row.sequence).collect())
    }
}
