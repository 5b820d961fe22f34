//! The first start: one one-time link makes the first administrator.

use holdpoint_domain::{Digest, InstanceRole};
use holdpoint_storage::Person;

use crate::{
    ServiceError, Services,
    accounts::{CheckedAccount, NewAccount},
    attempts::Key,
};

/// Where the digest of the set-up link's secret is kept until it is used.
const KEY: &str = "set_up_token_sha256";

const USED: &str = "This link does not work any more. Where nobody administers this server yet, its log shows a new link after each start.";

impl Services {
    /// Whether somebody administers this instance.
    pub async fn is_set_up(&self) -> Result<bool, ServiceError> {
        let mut tx = self.database().read().await?;
        Ok(tx.has_admin().await?)
    }

    /// Makes the secret of a new set-up link, which replaces any made before; `None` when the instance is set up. Only a
    /// digest is stored, so it can be shown now and never again.
    pub async fn setup_link_token(&self) -> Result<Option<String>, ServiceError> {
        let mut tx = self.database().write().await?;
        if tx.has_admin().await? {
            return Ok(None);
        }
        let secret = self.ids().secret();
        tx.set_setting(KEY, Digest::of(secret.as_bytes()).as_str())
            .await?;
        let entry = self.about(
            crate::accounts::SYSTEM,
            "instance.set_up_link_made",
            "instance",
            "instance",
            "made a set-up link",
        );
        tx.append_activity(entry).await?;
        tx.commit().await?;
        Ok(Some(secret))
    }

    /// Whether a set-up link works now, so that its page shows the form. `address` is the network address that asks: one that
    /// guesses is made to wait.
    pub async fn is_setup_link(&self, secret: &str, address: &str) -> Result<bool, ServiceError> {
        let keys = [Key::of_link(address)];
        self.begin_attempt(&keys)?;
        let mut tx = self.database().read().await?;
        let kept = tx.setting(KEY).await?;
        let works = kept.as_deref() == Some(Digest::of(secret.as_bytes()).as_str())
            && !tx.has_admin().await?;
        if works {
            self.attempts().succeed(&keys);
        }
        Ok(works)
    }

    /// Makes the first administrator. Of two who use the link at once, one succeeds.
    pub async fn set_up(
        &self,
        secret: &str,
        name: &str,
        email: &str,
        password: &str,
        address: &str,
    ) -> Result<Person, ServiceError> {
        // Whoever has no link learns nothing, and costs no hashing.
        if !self.is_setup_link(secret, address).await? {
            return Err(ServiceError::rejected("", USED));
        }
        let new = NewAccount {
            email,
            name,
            password,
            instance_role: InstanceRole::Admin,
        };
        let digest = Digest::of(secret.as_bytes());
        self.make_account(CheckedAccount::of(new)?, "", None, async |tx, _| {
            if tx.take_setting(KEY, digest.as_str()).await? {
                Ok(())
            } else {
                Err(ServiceError::rejected("", USED))
            }
        })
        .await
    }
}
