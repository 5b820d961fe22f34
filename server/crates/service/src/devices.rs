//! Devices that an account is known on: browsers in which it was signed in before.
//!
//! Whoever tries passwords makes the account wait, wherever the tries come from; else guessing would never end. So that a stranger
//! does not lock the owner out by it, a browser in which the owner has signed in keeps a secret, and what is tried from there is
//! counted by itself.

use holdpoint_domain::{Digest, Millis, PersonId};

use crate::{ServiceError, Services};

/// How long a device is known after the last sign-in there.
pub const DEVICE_LASTS: Millis = 90 * 24 * 60 * 60 * 1_000;
/// The most devices of one account; the one used longest ago is forgotten.
const MAX_DEVICES: i64 = 20;
/// How long the secret of a device is, see [`crate::Ids::secret`].
const SECRET_BYTES: usize = 43;

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The network address.
    pub address: &'a str,
    /// The secret that the browser keeps since somebody signed in there.
    pub device: Option<&'a str>,
}

impl<'a> From<&'a str> for Client<'a> {
    fn from(address: &'a str) -> Self {
        Self {
            address,
            device: None,
        }
    }
}

impl Services {
    /// Remembers that somebody has just signed in with a device, and gives the secret that it keeps: its own if anybody is known
    /// there, else a new one. A secret that the server did not make is worth nothing.
    pub async fn remember_device(
        &self,
        person: &PersonId,
        device: Option<&str>,
    ) -> Result<String, ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        let own = match device.filter(|secret| secret.len() == SECRET_BYTES) {
            Some(secret) => {
                let people = tx
                    .people_known_on(&Digest::of(secret.as_bytes()), now)
                    .await?;
                Some(secret).filter(|_| !people.is_empty())
            }
            None => None,
        };
        let secret = own.map_or_else(|| self.ids().secret(), str::to_owned);
        tx.know_device(
            &Digest::of(secret.as_bytes()),
            person,
            now,
            now + DEVICE_LASTS,
            MAX_DEVICES,
        )
        .await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// Forgets the devices with which nobody has signed in for too long.
    pub async fn forget_old_devices(&self) -> Result<u64, ServiceError> {
        let mut tx = self.database().write().await?;
        let n_forgotten = tx.forget_old_devices(self.now()).await?;
        tx.commit().await?;
        Ok(n_forgotten)
    }

    /// The digest of a device's secret if the account with this address is known there.
    pub(crate) async fn known_device(
        &self,
        email: &str,
        secret: &str,
    ) -> Result<Option<Digest>, ServiceError> {
        if secret.len() != SECRET_BYTES {
            return Ok(None);
        }
        let digest = Digest::of(secret.as_bytes());
        let mut tx = self.database().read().await?;
        let people = tx.people_known_on(&digest, self.now()).await?;
        if people.is_empty() {
            return Ok(None);
        }
        let person = tx.person_by_email(email).await?;
        Ok(person
            .is_some_and(|person| people.contains(&person.id))
            .then_some(digest))
    }
}
