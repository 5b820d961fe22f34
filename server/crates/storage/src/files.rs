use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use holdpoint_domain::{Digest, Millis};
use sha2::{Digest as _, Sha256};
use tokio::{
    fs::{self, File},
    io::{AsyncReadExt, AsyncWriteExt},
};

use crate::{
    StorageError, Tx, fetch_all,
    private::{self, in_background},
};

/// Files kept by the SHA-256 of their bytes, in a local folder: `ab/cdef…`. The same bytes are kept once.
#[derive(Clone, Debug)]
pub struct FileStore {
    folder: PathBuf,
}

/// A file that is in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    pub sha256: Digest,
    pub size_bytes: i64,
}

/// How many files a sweep deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Whole files that nothing names.
    pub n_unclaimed: u64,
    /// What broken-off uploads left behind.
    pub n_incoming: u64,
}

/// A file that is being received, piece by piece. Dropped without [`Receiving::keep`], nothing of it stays.
#[derive(Debug)]
pub struct Receiving {
    file: File,
    temporary: tempfile::TempPath,
    hasher: Sha256,
    size_bytes: i64,
    folder: PathBuf,
}

impl FileStore {
    /// Opens the folder, and makes it if it is not there.
    pub async fn open(folder: &Path) -> Result<Self, StorageError> {
        let incoming = folder.join("incoming");
        in_background(move || private::make_folder(&incoming)).await?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Where files are while they come in, and for other files that do not last.
    pub fn incoming(&self) -> PathBuf {
        self.folder.join("incoming")
    }

    /// Writes a small file and deletes it: whether the folder takes files can be known in no other way.
    pub async fn probe(&self) -> Result<(), StorageError> {
        let incoming = self.incoming();
        in_background(move || {
            let mut file = tempfile::NamedTempFile::new_in(incoming)?;
            std::io::Write::write_all(&mut file, &[b'.'; 4096])?;
            file.as_file().sync_all()
        })
        .await
    }

    /// Begins to receive a file of unknown length.
    pub async fn receive(&self) -> Result<Receiving, StorageError> {
        let incoming = self.incoming();
        let named = in_background(move || tempfile::NamedTempFile::new_in(incoming)).await?;
        let (file, temporary) = named.into_parts();
        Ok(Receiving {
            file: File::from_std(file),
            temporary,
            hasher: Sha256::new(),
            size_bytes: 0,
            folder: self.folder.clone(),
        })
    }

    /// Keeps bytes that are already in memory.
    pub async fn keep(&self, bytes: &[u8]) -> Result<StoredFile, StorageError> {
        let mut receiving = self.receive().await?;
        receiving.write(bytes).await?;
        receiving.keep().await
    }

    /// Where the bytes of a digest are, if the store has them. They are not checked: see [`FileStore::read`] and
    /// [`FileStore::verify`].
    pub fn path(&self, sha256: &Digest) -> PathBuf {
        path_in(&self.folder, sha256)
    }

    /// The whole file, checked against its digest. `None` when it is not there.
    pub async fn read(&self, sha256: &Digest) -> Result<Option<Vec<u8>>, StorageError> {
        match fs::read(self.path(sha256)).await {
            Ok(bytes) if Digest::of(&bytes) == *sha256 => Ok(Some(bytes)),
            Ok(_) => Err(damaged(sha256)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the file through and compares its digest, without holding it in memory. `Ok(false)` when it is not there.
    pub async fn verify(&self, sha256: &Digest) -> Result<bool, StorageError> {
        let mut file = match File::open(self.path(sha256)).await {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer).await? {
                0 => break,
                n => hasher.update(&buffer[..n]),
            }
        }
        if Digest::finish(hasher) == *sha256 {
            Ok(true)
        } else {
            Err(damaged(sha256))
        }
    }
}

/// Deleting what nobody keeps.
impl FileStore {
    /// The files in one of the 256 folders (`00` to `ff`) that came before a moment.
    pub async fn files_before(
        &self,
        folder: u8,
        before: Millis,
    ) -> Result<Vec<Digest>, StorageError> {
        let head = format!("{folder:02x}");
        let path = self.folder.join(&head);
        in_background(move || {
            let mut files = Vec::new();
            for entry in entries(&path)? {
                let entry = entry?;
                let name = entry.file_name();
                let digest = name
                    .to_str()
                    .and_then(|rest| Digest::parse(&format!("{head}{rest}")));
                if let Some(digest) = digest
                    && is_before(&entry.path(), before)?
                {
                    files.push(digest);
                }
            }
            Ok(files)
        })
        .await
    }

    /// Deletes a file that came before a moment; says whether it did.
    ///
    /// The same bytes may arrive again while this runs. So the file is taken out of its place first and its age is asked
    /// there: a file that has just been put in is put back, and one that is put in afterwards is another file.
    pub async fn discard(&self, sha256: &Digest, before: Millis) -> Result<bool, StorageError> {
        let place = path_in(&self.folder, sha256);
        let aside = self.folder.join("incoming").join(format!("swept-{sha256}"));
        in_background(move || {
            match std::fs::rename(&place, &aside) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
                other => other?,
            }
            if is_before(&aside, before)? {
                std::fs::remove_file(&aside)?;
                return Ok(true);
            }
            std::fs::rename(&aside, &place)?;
            Ok(false)
        })
        .await
    }

    /// Deletes what uploads left behind that were broken off before a moment, by a crash for instance.
    pub async fn discard_incoming(&self, before: Millis) -> Result<u64, StorageError> {
        let incoming = self.folder.join("incoming");
        in_background(move || {
            let mut n_deleted = 0;
            for entry in entries(&incoming)? {
                let path = entry?.path();
                if is_before(&path, before)? {
                    std::fs::remove_file(&path)?;
                    n_deleted += 1;
                }
            }
            Ok(n_deleted)
        })
        .await
    }
}

impl Tx {
    /// Which of these files something names: a scan, a patch, evidence.
    pub async fn files_named(
        &mut self,
        files: &[Digest],
    ) -> Result<BTreeSet<String>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            sha256: String,
        }
        let files: Vec<_> = files.iter().map(Digest::as_str).collect();
        let files = serde_json::to_string(&files).expect("digests are texts");
        let sql = self.dialect(
            "select sha256 from file where sha256 in (select value from json_each($1))",
            "select sha256 from file where sha256 in (select jsonb_array_elements_text(cast($1 as jsonb)))",
        );
        let rows = fetch_all!(self, Row, sql, files);
        Ok(rows.into_iter().map(|row| row.sha256).collect())
    }
}

impl Tx {
    /// Every file that something names.
    pub async fn stored_files(&mut self) -> Result<Vec<StoredFile>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            sha256: String,
            size_bytes: i64,
        }
        let rows = fetch_all!(
            self,
            Row,
            "select sha256, size_bytes from file order by sha256"
        );
        rows.into_iter()
            .map(|row| {
                Ok(StoredFile {
                    sha256: Digest::parse(&row.sha256)
                        .ok_or_else(|| StorageError::column("file", "sha256", &row.sha256))?,
                    size_bytes: row.size_bytes,
                })
            })
            .collect()
    }

    /// What names a file, in words; the first few.
    pub async fn users_of_file(&mut self, sha256: &Digest) -> Result<Vec<String>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            kind: String,
            id: String,
            name: String,
        }
        let rows = fetch_all!(
            self,
            Row,
            "select 'evidence' as kind, id, coalesce(file_name, title) as name from evidence where file_sha256 = $1 \
             union all select 'scan' as kind, id, file_name as name from scan where file_sha256 = $1 \
             union all select 'patch' as kind, id, title as name from patch where file_sha256 = $1 \
             union all select 'report of the decision' as kind, fixed_report.sign_off_id as id, review.title as name \
             from fixed_report join review on review.id = fixed_report.review_id where fixed_report.file_sha256 = $1 \
             order by kind, id limit 10",
            sha256.as_str(),
        );
        Ok(rows
            .into_iter()
            .map(|row| format!("{} {} ({})", row.kind, row.id, row.name))
            .collect())
    }
}

/// What is in a folder; nothing where there is none.
fn entries(
    folder: &Path,
) -> std::io::Result<impl Iterator<Item = std::io::Result<std::fs::DirEntry>> + use<>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(None.into_iter().flatten())
        }
        Err(error) => Err(error),
    }
}

/// Whether a file is older than a moment; one that is gone by now is not.
fn is_before(path: &Path, moment: Millis) -> std::io::Result<bool> {
    let moment = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(moment).unwrap_or(0));
    match std::fs::symlink_metadata(path) {
        Ok(found) => Ok(found.is_file() && found.modified()? < moment),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Receiving {
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.hasher.update(bytes);
        self.size_bytes += i64::try_from(bytes.len()).expect("no slice is longer than i64::MAX");
        self.file.write_all(bytes).await?;
        Ok(())
    }

    /// How many bytes have come so far.
    pub fn size_bytes(&self) -> i64 {
        self.size_bytes
    }

    /// Brings everything written so far to the file, for whoever reads it by its path before it is kept.
    pub async fn flush(&mut self) -> Result<(), StorageError> {
        self.file.flush().await?;
        Ok(())
    }

    /// Where the bytes are while they are being received, for readers that want a path: see [`Receiving::flush`].
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Puts the file in its place. Its bytes and its name are on the disk, synced, before this returns.
    pub async fn keep(mut self) -> Result<StoredFile, StorageError> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        let sha256 = Digest::finish(self.hasher);
        let path = path_in(&self.folder, &sha256);
        let temporary = self.temporary;
        in_background(move || {
            let folder = path.parent().expect("a file is in one of the folders");
            private::make_folder(folder)?;
            temporary.persist(&path).map_err(|error| error.error)?;
            private::sync_folder(folder)
        })
        .await?;
        Ok(StoredFile {
            sha256,
            size_bytes: self.size_bytes,
        })
    }
}

fn path_in(folder: &Path, sha256: &Digest) -> PathBuf {
    let (head, rest) = sha256.as_str().split_at(2);
    folder.join(head).join(rest)
}

fn damaged(sha256: &Digest) -> StorageError {
    StorageError::Damaged(format!(
        "the file with SHA-256 {sha256} does not have that digest any more"
    ))
}
