use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use holdpoint_domain::Millis;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Makes ids and secrets. Seeded by the operating system, or by a number in tests, which then see the same ids each time.
pub struct Ids {
    ids: Mutex<ChaCha20Rng>,
    /// For what is made beside ids, however often: so that tests see the same ids all the same.
    salts: Mutex<ChaCha20Rng>,
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

impl Ids {
    /// Randomness from the operating system.
    pub fn from_system() -> Self {
        Self {
            ids: Mutex::new(ChaCha20Rng::from_os_rng()),
            salts: Mutex::new(ChaCha20Rng::from_os_rng()),
        }
    }

    /// The same ids and secrets each time: for tests only.
    pub fn seeded(seed: u64) -> Self {
        let mut salts = ChaCha20Rng::seed_from_u64(seed);
        salts.set_stream(1);
        Self {
            ids: Mutex::new(ChaCha20Rng::seed_from_u64(seed)),
            salts: Mutex::new(salts),
        }
    }

    /// Fills bytes with randomness fit for keys.
    pub fn fill(&self, bytes: &mut [u8]) {
        fill(&self.ids, bytes);
    }

    /// A salt for what is published only as a digest.
    pub(crate) fn salt<const N: usize>(&self) -> [u8; N] {
        let mut salt = [0; N];
        fill(&self.salts, &mut salt);
        salt
    }

    /// A UUIDv7 as text: sorts by the moment it was made.
    pub fn uuid(&self, now: Millis) -> String {
        let UuidsInARow { millis, random } = self.uuids_in_a_row(now);
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &random);
        uuid.into_uuid().to_string()
    }

    /// UUIDv7 of one moment in a row, as numbers: so rows with neighbouring ids are stored side by side.
    pub(crate) fn uuids_in_a_row(&self, now: Millis) -> UuidsInARow {
        let mut random = [0; 10];
        self.fill(&mut random);
        UuidsInARow {
            millis: u64::try_from(now).unwrap_or_default(),
            random,
        }
    }

    /// A secret of 256 bits, in 43 letters that are safe in a URL.
    pub fn secret(&self) -> String {
        let mut random = [0; 32];
        self.fill(&mut random);
        URL_SAFE_NO_PAD.encode(random)
    }
}

fn fill(random: &Mutex<ChaCha20Rng>, bytes: &mut [u8]) {
    random
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .fill_bytes(bytes);
}

/// See [`Ids::uuids_in_a_row`].
pub(crate) struct UuidsInARow {
    millis: u64,
    random: [u8; 10],
}

impl UuidsInARow {
    /// The one at this place from 0: greater than those before it. What is left of chance, 42 bits, tells rows apart.
    pub(crate) fn nth(&self, place: usize) -> u128 {
        let mut bytes = self.random;
        let counter = u32::try_from(place).expect("a scan has fewer findings");
        bytes[3..7].copy_from_slice(&counter.to_be_bytes());
        let uuid = uuid::Builder::from_unix_timestamp_millis(self.millis, &bytes);
        uuid.into_uuid().as_u128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_in_a_row_ascend_and_are_told_from_those_of_another_row() {
        let ids = Ids::seeded(7);
        let (one, other) = (ids.uuids_in_a_row(1_000), ids.uuids_in_a_row(1_000));
        let places = [0, 1, 255, 256, 65_536, 16_777_216, u32::MAX as usize];
        let row = places.map(|place| one.nth(place));
        assert!(row.is_sorted_by(|one, next| one < next), "{row:x?}");
        for (place, id) in places.into_iter().zip(row) {
            assert_ne!(id, other.nth(place));
            let uuid = uuid::Uuid::from_u128(id);
            assert_eq!(uuid.get_version_num(), 7);
            assert_eq!(uuid.get_timestamp().map(|at| at.to_unix()), Some((1, 0)));
        }
    }
}
