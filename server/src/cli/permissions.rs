//! Who may look into what an instance keeps on this machine.

use std::{
    io,
    path::{Path, PathBuf},
};

use holdpoint_storage::{DatabaseUrl, private};

use super::config::Config;

impl Config {
    /// What others than its owner may look into, with its mode: in the data folder, and where the configuration puts the
    /// database or the signing keys elsewhere, there.
    pub(crate) fn open_to_others(&self) -> io::Result<Vec<(PathBuf, u32)>> {
        let mut places = vec![self.data.clone(), self.keys.clone()];
        if let DatabaseUrl::Sqlite(file) = &self.database {
            places.push(file.clone());
            for beside in ["-wal", "-shm"] {
                let mut name = file.as_os_str().to_owned();
                name.push(beside);
                places.push(name.into());
            }
        }
        let mut open = Vec::new();
        for place in places.iter().filter_map(|place| whole(place)) {
            open.extend(private::open_to_others(&place)?);
        }
        // Most lie in the data folder.
        open.sort();
        open.dedup();
        Ok(open)
    }
}

/// The path from the root, without links; none where nothing is.
fn whole(place: &Path) -> Option<PathBuf> {
    place.canonicalize().ok()
}
