//! The instance's signing key.

use holdpoint_report::signing::SigningKey;
use holdpoint_storage::StorageError;

use crate::{ServiceError, Services};

const KEY: &str = "signing_key";

impl Services {
    /// The instance's key; made at the first use, and the same on every node.
    pub(crate) async fn signing_key(&self) -> Result<SigningKey, ServiceError> {
        let mut tx = self.database().read().await?;
        let stored = tx.setting(KEY).await?;
        drop(tx);
        let pem = match stored {
            Some(pem) => pem,
            None => {
                let mut seed = [0; 32];
                self.ids().fill(&mut seed);
                let pem = SigningKey::from_seed(&seed, "holdpoint").to_openssh();
                let mut tx = self.database().write().await?;
                let pem = tx.setting_or_insert(KEY, &pem).await?;
                tx.commit().await?;
                pem
            }
        };
        SigningKey::from_openssh(&pem)
            .map_err(|error| StorageError::Damaged(format!("the signing key: {error}")).into())
    }

    /// The instance's public key as a line of OpenSSH's `allowed_signers`.
    pub async fn public_key_line(&self) -> Result<String, ServiceError> {
        Ok(self.signing_key().await?.public_line())
    }
}
