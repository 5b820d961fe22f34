//! Deleting uploaded files that came to nothing: a refused upload, a preview that nobody confirmed.

use holdpoint_domain::Millis;
use holdpoint_storage::Swept;

use crate::{ServiceError, Services};

/// How long a preview can be confirmed. Its files have to outlive it: see [`UNCLAIMED_LASTS`].
pub const PREVIEW_LASTS: Millis = 24 * 60 * 60 * 1_000;

/// How long a file stays that nothing names. Twice as long as a preview lasts, so that no file is deleted while an upload
/// runs or a preview is being confirmed.
pub const UNCLAIMED_LASTS: Millis = 2 * PREVIEW_LASTS;

impl Services {
    /// Deletes the files that no scan, patch or evidence names and that are older than [`UNCLAIMED_LASTS`]. Done by the
    /// server itself now and then; breaking it off at any point does no harm.
    pub async fn sweep_files(&self) -> Result<Swept, ServiceError> {
        let before = self.now() - UNCLAIMED_LASTS;
        let files = self.files();
        let mut swept = Swept {
            n_incoming: files.discard_incoming(before).await?,
            ..Swept::default()
        };
        for folder in 0..=u8::MAX {
            for some in files.files_before(folder, before).await?.chunks(1_000) {
                let named = self.database().read().await?.files_named(some).await?;
                for sha256 in some {
                    if !named.contains(sha256.as_str()) && files.discard(sha256, before).await? {
                        swept.n_unclaimed += 1;
                    }
                }
            }
        }
        Ok(swept)
    }
}
