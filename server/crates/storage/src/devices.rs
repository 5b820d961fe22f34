//! Browsers in which somebody has signed in.

use holdpoint_domain::{Digest, Millis, PersonId};

use crate::{StorageError, Tx, execute, fetch_all};

impl Tx {
    /// Who has signed in with this device, and not too long ago.
    pub async fn people_known_on(
        &mut self,
        secret: &Digest,
        now: Millis,
    ) -> Result<Vec<PersonId>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            person_id: String,
        }
        let rows = fetch_all!(
            self,
            Row,
            "select person_id from known_device where secret_sha256 = $1 and expires_at > $2 \
             order by last_used_at desc, person_id limit 100",
            secret.as_str(),
            now,
        );
        rows.into_iter()
            .map(|row| {
                PersonId::parse(&row.person_id)
                    .ok_or_else(|| StorageError::Damaged("a known device".to_owned()))
            })
            .collect()
    }

    /// Notes that a person signed in with a device, and forgets all but the newest `most` of their devices.
    pub async fn know_device(
        &mut self,
        secret: &Digest,
        person: &PersonId,
        now: Millis,
        expires_at: Millis,
        most: i64,
    ) -> Result<(), StorageError> {
        execute!(
            self,
            "insert into known_device (secret_sha256, person_id, created_at, last_used_at, expires_at) \
             values ($1, $2, $3, $3, $4) on conflict (secret_sha256, person_id) \
             do update set last_used_at = excluded.last_used_at, expires_at = excluded.expires_at",
            secret.as_str(),
            person.as_str(),
            now,
            expires_at,
        );
        execute!(
            self,
            "delete from known_device where person_id = $1 and secret_sha256 not in \
             (select secret_sha256 from known_device where person_id = $1 \
              order by last_used_at desc, secret_sha256 limit $2)",
            person.as_str(),
            most,
        );
        Ok(())
    }

    /// Forgets every device of a person but this one.
    pub async fn forget_devices(
        &mut self,
        person: &PersonId,
        but: Option<&Digest>,
    ) -> Result<(), StorageError> {
        execute!(
            self,
            "delete from known_device where person_id = $1 and secret_sha256 <> coalesce(cast($2 as text), '')",
            person.as_str(),
            but.map(Digest::as_str),
        );
        Ok(())
    }

    /// Forgets the devices with which nobody has signed in for too long; says how many.
    pub async fn forget_old_devices(&mut self, now: Millis) -> Result<u64, StorageError> {
        Ok(execute!(
            self,
            "delete from known_device where expires_at <= $1",
            now
        ))
    }
}
