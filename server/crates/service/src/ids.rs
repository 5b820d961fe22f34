use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use holdpoint_domain::Millis;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Makes ids and secrets. Seeded by the operating system, or by a number in tests, which then see the same ids each time.
pub struct Ids(Mutex<ChaCha20Rng>);

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

impl Ids {
    /// Randomness from the operating system.
    pub fn from_system() -> Self {
        Self(Mutex::new(ChaCha20Rng::from_os_rng()))
    }

    /// The same ids and secrets each time: for tests only.
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))
    }

    /// Fills bytes with randomness fit for keys.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(bytes);
    }

    /// A UUIDv7 as text: sorts by the moment it was made.
    pub fn uuid(&self, now: Millis) -> String {
        self.uuid_at(now).to_string()
    }

    /// So many UUIDv7 of one moment, ascending, so that rows with neighbouring ids are stored side by side.
    pub(crate) fn uuids(&self, now: Millis, n: usize) -> Vec<u128> {
        let mut ids: Vec<u128> = (0..n).map(|_| self.uuid_at(now).as_u128()).collect();
        ids.sort_unstable();
        ids
    }

    fn uuid_at(&self, now: Millis) -> uuid::Uuid {
        let mut random = [0; 10];
        self.fill(&mut random);
        let millis = u64::try_from(now).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// A secret of 256 bits, in 43 letters that are safe in a URL.
    pub fn secret(&self) -> String {
        let mut random = [0; 32];
        self.fill(&mut random);
        URL_SAFE_NO_PAD.encode(random)
    }
}
