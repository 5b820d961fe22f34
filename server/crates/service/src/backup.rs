//! Backups: the rows of every table, the files and the keys in one archive, made while others write, checked after it was
//! made and before anything is restored from it.
//!
//! The rows are those of one moment. They are written as JSON, a line each, so that a backup of either database can be
//! restored into either, and one of an older version into this one: its rows go into the tables of their own time, which
//! are then brought up to date. See decision 0016.
//!
//! These functions write and read on the thread that polls them: they are for a command, not for a server.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, BufRead as _, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use holdpoint_domain::{Digest, Millis};
use holdpoint_storage::{
    Database, DatabaseUrl, FileStore, StorageError, private,
    tables::{Cell, LEFT_OUT, Table},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

/// The version of the archive, in its manifest's field `format`.
pub const BACKUP_FORMAT: &str = "holdpoint-backup@v1";

const MANIFEST: &str = "manifest.json";
const MOST_MANIFEST_BYTES: u64 = 256 * 1024 * 1024;
const PIECE: usize = 64 * 1024;
/// So many rows are held at a time.
const ROWS_AT_ONCE: usize = 500;

/// What an archive holds, with the digest of each part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupManifest {
    pub format: String,
    /// Of the Holdpoint that made it.
    pub version: String,
    pub made_at: Millis,
    /// `sqlite` or `postgres`.
    pub database: String,
    /// The steps that made the tables.
    pub steps: Vec<i64>,
    /// The activity log's length and the digest of its last entry.
    pub log: BackupLog,
    pub tables: Vec<BackupTable>,
    /// Evidence, scans and patches.
    pub files: Vec<BackupMember>,
    pub keys: Vec<BackupMember>,
    /// Files that the rows name and that could not be had.
    pub missing: Vec<MissingFile>,
    /// Tables without their rows.
    pub left_out: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupLog {
    pub length: i64,
    pub head: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupTable {
    pub name: String,
    pub columns: Vec<String>,
    pub n_rows: u64,
    #[serde(flatten)]
    pub member: BackupMember,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupMember {
    pub path: String,
    pub sha256: String,
    pub size_bytes: u64,
}

/// A stored file that is not as it was, or not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingFile {
    pub sha256: String,
    pub is_damaged: bool,
    /// What names it, for people.
    pub used_by: Vec<String>,
}

/// What going through the stored files found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FilesVerification {
    pub n_files: u64,
    pub size_bytes: u64,
    pub missing: Vec<MissingFile>,
}

/// Why a backup was not made or not restored.
#[derive(Debug, Error)]
pub enum BackupError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{path} cannot be read or written")]
    File {
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("this is no backup of Holdpoint: {0}")]
    NotABackup(String),
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    #[error("{0} is not empty: name another folder, or empty this one first")]
    NotEmpty(String),
}

fn at(path: impl Into<String>) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.into();
    move |source| BackupError::File { path, source }
}

fn damaged(what: impl Into<String>) -> BackupError {
    BackupError::Damaged(what.into())
}

impl MissingFile {
    /// One line for people.
    pub fn line(&self) -> String {
        let state = if self.is_damaged {
            "DAMAGED"
        } else {
            "MISSING"
        };
        let used_by = if self.used_by.is_empty() {
            "nothing".to_owned()
        } else {
            self.used_by.join(", ")
        };
        format!("{state}  {}  used by {used_by}", self.sha256)
    }
}

/// Compares every file that is named with its digest.
pub async fn verify_files(
    database: &Database,
    files: &FileStore,
) -> Result<FilesVerification, StorageError> {
    let stored = database.read_at_leisure().await?.stored_files().await?;
    let mut verification = FilesVerification::default();
    for file in stored {
        verification.n_files += 1;
        verification.size_bytes += u64::try_from(file.size_bytes).unwrap_or_default();
        if let Some(missing) = missing(database, files, &file.sha256).await? {
            verification.missing.push(missing);
        }
    }
    Ok(verification)
}

/// What is wrong with a file, if anything is.
async fn missing(
    database: &Database,
    files: &FileStore,
    sha256: &Digest,
) -> Result<Option<MissingFile>, StorageError> {
    let is_damaged = match files.verify(sha256).await {
        Ok(true) => return Ok(None),
        Ok(false) => false,
        // A disk that does not give the bytes has lost them as well.
        Err(StorageError::Damaged(_) | StorageError::Io(_)) => true,
        Err(error) => return Err(error),
    };
    Ok(Some(MissingFile {
        sha256: sha256.to_string(),
        is_damaged,
        used_by: database.read().await?.users_of_file(sha256).await?,
    }))
}

/// Writes a backup into an empty file. What could not be had is in the manifest's list `missing`; the rest is there.
pub async fn back_up(
    database: &Database,
    files: &FileStore,
    keys: &Path,
    out: File,
    now: Millis,
) -> Result<BackupManifest, BackupError> {
    let mut archive = Archive::new(out);
    let mut tx = database.read_at_leisure().await?;
    let steps = tx.steps().await?;
    if steps.is_empty() {
        return Err(StorageError::Address("it has no tables of Holdpoint".to_owned()).into());
    }
    let (length, head) = tx.activity_head().await?;
    let stored = tx.stored_files().await?;
    let mut tables = Vec::new();
    for table in tx.tables().await? {
        if LEFT_OUT.contains(&table.name.as_str()) {
            continue;
        }
        archive.begin(
            &format!("tables/{}.jsonl", table.name),
            CompressionMethod::Deflated,
        )?;
        let mut n_rows = 0;
        tx.each_row(&table, |row| {
            n_rows += 1;
            serde_json::to_writer(&mut archive, &row)?;
            archive.write_all(b"\n")
        })
        .await?;
        tables.push(BackupTable {
            n_rows,
            columns: columns_of(&table),
            name: table.name,
            member: archive.end(),
        });
    }
    // Files come before the rows that name them, so all are there; and what is named is not deleted for a while.
    drop(tx);
    let mut manifest = BackupManifest {
        format: BACKUP_FORMAT.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now,
        database: database.kind().to_owned(),
        steps,
        log: BackupLog { length, head },
        tables,
        files: Vec::new(),
        keys: Vec::new(),
        missing: Vec::new(),
        left_out: LEFT_OUT.map(str::to_owned).to_vec(),
    };
    for file in stored {
        if let Some(missing) = missing(database, files, &file.sha256).await? {
            manifest.missing.push(missing);
            continue;
        }
        let member = archive.copy(&path_of_file(&file.sha256), &files.path(&file.sha256))?;
        if member.sha256 != file.sha256.as_str() {
            return Err(damaged(format!(
                "{} changed while it was read",
                file.sha256
            )));
        }
        manifest.files.push(member);
    }
    for (name, path) in files_below(keys)? {
        // What editors and mounts leave there is nothing of Holdpoint's.
        if !name.split('/').all(is_plain) {
            continue;
        }
        let member = archive.copy(&format!("keys/{name}"), &path)?;
        manifest.keys.push(member);
    }
    archive.finish(&manifest)?;
    Ok(manifest)
}

fn columns_of(table: &Table) -> Vec<String> {
    table
        .columns
        .iter()
        .map(|column| column.name.clone())
        .collect()
}

fn path_of_file(sha256: &Digest) -> String {
    let (head, rest) = sha256.as_str().split_at(2);
    format!("evidence/{head}/{rest}")
}

/// Plain files in a folder and those within, by their path there with `/`; nothing where there is no folder.
fn files_below(folder: &Path) -> Result<BTreeMap<String, PathBuf>, BackupError> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = folders.pop() {
        let shown = folder.display().to_string();
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other.map_err(at(&*shown))?,
        };
        for entry in entries {
            let entry = entry.map_err(at(&*shown))?;
            let kind = entry.file_type().map_err(at(&*shown))?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if kind.is_dir() {
                folders.push((format!("{name}/"), entry.path()));
            // A key may be a link to where it is mounted.
            } else if entry.path().is_file() {
                found.insert(name, entry.path());
            }
        }
    }
    Ok(found)
}

/// Whether a name is of the kind that Holdpoint gives, which leads nowhere else.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        && !name.starts_with('.')
}

/// An archive that is being written, with the digest of its part at hand.
struct Archive {
    zip: ZipWriter<BufWriter<File>>,
    path: String,
    hasher: Sha256,
    size_bytes: u64,
}

impl Archive {
    fn new(out: File) -> Self {
        Self {
            zip: ZipWriter::new(BufWriter::with_capacity(1024 * 1024, out)),
            path: String::new(),
            hasher: Sha256::new(),
            size_bytes: 0,
        }
    }

    fn begin(&mut self, path: &str, method: CompressionMethod) -> Result<(), BackupError> {
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .large_file(true)
            .unix_permissions(0o600);
        path.clone_into(&mut self.path);
        self.hasher = Sha256::new();
        self.size_bytes = 0;
        self.zip
            .start_file(path, options)
            .map_err(|error| at(path)(error.into()))
    }

    fn end(&mut self) -> BackupMember {
        BackupMember {
            path: std::mem::take(&mut self.path),
            sha256: Digest::finish(std::mem::take(&mut self.hasher)).to_string(),
            size_bytes: self.size_bytes,
        }
    }

    fn copy(&mut self, path: &str, from: &Path) -> Result<BackupMember, BackupError> {
        // Most of what people keep is compressed already.
        self.begin(path, CompressionMethod::Stored)?;
        let shown = from.display().to_string();
        let mut file = File::open(from).map_err(at(&*shown))?;
        io::copy(&mut file, self).map_err(at(shown))?;
        Ok(self.end())
    }

    fn finish(mut self, manifest: &BackupManifest) -> Result<(), BackupError> {
        self.begin(MANIFEST, CompressionMethod::Deflated)?;
        let text = serde_json::to_vec_pretty(manifest).expect("a manifest is plain values");
        self.write_all(&text).map_err(at(MANIFEST))?;
        let file = self
            .zip
            .finish()
            .map_err(|error| at(MANIFEST)(error.into()))?;
        let file = file
            .into_inner()
            .map_err(|error| at(MANIFEST)(error.into_error()))?;
        file.sync_all().map_err(at(MANIFEST))
    }
}

impl Write for Archive {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.zip.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        self.size_bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}

/// Reads a backup through: every part is there, is as the manifest says, and there is nothing else.
pub fn verify_backup(path: &Path) -> Result<BackupManifest, BackupError> {
    let mut zip = open_archive(path)?;
    let manifest = read_manifest(&mut zip)?;
    let mut expected = BTreeMap::new();
    for member in manifest.members() {
        if expected.insert(member.path.as_str(), member).is_some() {
            return Err(damaged(format!("{} is listed twice", member.path)));
        }
    }
    let names: BTreeSet<String> = zip.file_names().map(str::to_owned).collect();
    if let Some(name) = names
        .iter()
        .find(|name| *name != MANIFEST && !expected.contains_key(name.as_str()))
    {
        return Err(damaged(format!(
            "it holds {name}, which its list does not name"
        )));
    }
    for (name, member) in expected {
        let mut part = part(&mut zip, name)?;
        let mut hasher = Sha256::new();
        let mut size_bytes = 0;
        read_pieces(&mut part, member.size_bytes, |piece| {
            size_bytes += piece.len() as u64;
            hasher.update(piece);
        })
        .map_err(|error| damaged(format!("{name}: {error}")))?;
        let digest = Digest::finish(hasher);
        if size_bytes != member.size_bytes || digest.as_str() != member.sha256 {
            return Err(damaged(format!("{name} is not what its list says")));
        }
    }
    Ok(manifest)
}

impl BackupManifest {
    fn members(&self) -> impl Iterator<Item = &BackupMember> {
        self.tables
            .iter()
            .map(|table| &table.member)
            .chain(&self.files)
            .chain(&self.keys)
    }

    /// Paths lead nowhere but where they belong.
    fn check(&self) -> Result<(), BackupError> {
        if self.format != BACKUP_FORMAT {
            return Err(BackupError::NotABackup(format!(
                "its format is {:?}, and this version reads {BACKUP_FORMAT:?}",
                self.format
            )));
        }
        let table = |table: &BackupTable| {
            is_plain(&table.name) && table.member.path == format!("tables/{}.jsonl", table.name)
        };
        let file = |file: &BackupMember| {
            Digest::parse(&file.sha256).is_some_and(|sha256| file.path == path_of_file(&sha256))
        };
        let key = |key: &BackupMember| {
            key.path
                .strip_prefix("keys/")
                .is_some_and(|name| name.split('/').all(is_plain))
        };
        if self.tables.iter().all(table) && self.files.iter().all(file) && self.keys.iter().all(key)
        {
            Ok(())
        } else {
            Err(damaged("its list names something that no backup holds"))
        }
    }
}

fn open_archive(path: &Path) -> Result<ZipArchive<BufReader<File>>, BackupError> {
    let file = File::open(path).map_err(at(path.display().to_string()))?;
    ZipArchive::new(BufReader::new(file)).map_err(|error| {
        BackupError::NotABackup(format!("it cannot be read as an archive ({error})"))
    })
}

fn read_manifest(zip: &mut ZipArchive<BufReader<File>>) -> Result<BackupManifest, BackupError> {
    let mut text = Vec::new();
    let entry = zip
        .by_name(MANIFEST)
        .map_err(|_| BackupError::NotABackup(format!("it has no {MANIFEST}")))?;
    entry
        .take(MOST_MANIFEST_BYTES)
        .read_to_end(&mut text)
        .map_err(|error| damaged(format!("{MANIFEST}: {error}")))?;
    let manifest: BackupManifest = serde_json::from_slice(&text)
        .map_err(|error| BackupError::NotABackup(format!("{MANIFEST}: {error}")))?;
    manifest.check()?;
    Ok(manifest)
}

fn part<'a>(
    zip: &'a mut ZipArchive<BufReader<File>>,
    name: &str,
) -> Result<impl Read + use<'a>, BackupError> {
    zip.by_name(name)
        .map_err(|error| damaged(format!("{name}: {error}")))
}

/// Reads to the end, or one byte beyond what was announced.
fn read_pieces(
    from: &mut impl Read,
    size_bytes: u64,
    mut take: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut from = from.take(size_bytes.saturating_add(1));
    let mut piece = vec![0; PIECE];
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(()),
            n => take(&piece[..n]),
        }
    }
}

/// Puts a backup into an empty database, an empty data folder and an empty folder of keys, and brings its tables up to date.
pub async fn restore(
    backup: &Path,
    url: &DatabaseUrl,
    data: &Path,
    keys: &Path,
) -> Result<BackupManifest, BackupError> {
    let manifest = verify_backup(backup)?;
    let evidence = data.join("evidence");
    for folder in [&*evidence, keys] {
        if !files_below(folder)?.is_empty() {
            return Err(BackupError::NotEmpty(folder.display().to_string()));
        }
    }
    private::make_folder(data).map_err(at(data.display().to_string()))?;
    // A file that is not whole never has the name of one that is.
    let aside = match url {
        DatabaseUrl::Sqlite(path) if path.exists() => {
            return Err(BackupError::NotEmpty(path.display().to_string()));
        }
        DatabaseUrl::Sqlite(path) => {
            let aside = path.with_added_extension("restoring");
            Some((aside, path.clone()))
        }
        DatabaseUrl::Postgres(_) => None,
    };
    let into = match &aside {
        Some((aside, _)) => DatabaseUrl::Sqlite(aside.clone()),
        None => url.clone(),
    };
    let database = Database::open_empty(&into, &manifest.steps).await?;
    let mut zip = open_archive(backup)?;
    let files = FileStore::open(&evidence).await?;
    for file in &manifest.files {
        let mut receiving = files.receive().await?;
        let mut from = part(&mut zip, &file.path)?;
        let mut piece = vec![0; PIECE];
        loop {
            let n = from
                .read(&mut piece)
                .map_err(|error| damaged(format!("{}: {error}", file.path)))?;
            if n == 0 {
                break;
            }
            receiving.write(&piece[..n]).await?;
        }
        let kept = receiving.keep().await?;
        if kept.sha256.as_str() != file.sha256 {
            return Err(damaged(format!("{} changed while it was read", file.path)));
        }
    }
    for key in &manifest.keys {
        restore_key(&mut zip, key, keys)?;
    }
    let restored = restore_rows(&database, &mut zip, &manifest).await;
    database.close().await;
    restored?;
    if let Some((aside, path)) = aside {
        let shown = path.display().to_string();
        fs::rename(&aside, &path).map_err(at(&*shown))?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        private::sync_folder(folder.unwrap_or(Path::new("."))).map_err(at(shown))?;
    }
    // Brings the tables up to date.
    Database::open(url).await?.close().await;
    Ok(manifest)
}

fn restore_key(
    zip: &mut ZipArchive<BufReader<File>>,
    key: &BackupMember,
    keys: &Path,
) -> Result<(), BackupError> {
    let path = key
        .path
        .split('/')
        .skip(1)
        .fold(keys.to_owned(), |path, name| path.join(name));
    let write = |mut from: Box<dyn Read + '_>| {
        private::make_folder(path.parent().unwrap_or(keys))?;
        private::make_file(&path)?;
        let mut file = File::options().write(true).open(&path)?;
        io::copy(&mut from, &mut file)?;
        file.sync_all()
    };
    write(Box::new(part(zip, &key.path)?)).map_err(at(path.display().to_string()))
}

async fn restore_rows(
    database: &Database,
    zip: &mut ZipArchive<BufReader<File>>,
    manifest: &BackupManifest,
) -> Result<(), BackupError> {
    let mut tx = database.write().await?;
    let tables = tx.tables().await?;
    let suspended = tx.suspend_references().await?;
    for table in &tables {
        tx.clear(table).await?;
        if LEFT_OUT.contains(&table.name.as_str()) {
            continue;
        }
        let stored = manifest
            .tables
            .iter()
            .find(|stored| stored.name == table.name)
            .ok_or_else(|| damaged(format!("it has no rows of {}", table.name)))?;
        let table = in_order(table, &stored.columns)?;
        let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(ROWS_AT_ONCE);
        let mut n_rows = 0;
        let lines = BufReader::new(part(zip, &stored.member.path)?).lines();
        for line in lines {
            let row = line
                .map_err(|error| error.to_string())
                .and_then(|line| serde_json::from_str(&line).map_err(|error| error.to_string()))
                .map_err(|error| damaged(format!("{}: {error}", stored.member.path)))?;
            rows.push(row);
            n_rows += 1;
            if rows.len() == ROWS_AT_ONCE {
                tx.insert_rows(&table, &rows).await?;
                rows.clear();
            }
        }
        tx.insert_rows(&table, &rows).await?;
        if n_rows != stored.n_rows {
            return Err(damaged(format!(
                "{} has not all its rows",
                stored.member.path
            )));
        }
    }
    if let Some(strange) = manifest
        .tables
        .iter()
        .find(|stored| tables.iter().all(|table| table.name != stored.name))
    {
        return Err(damaged(format!("there is no table {}", strange.name)));
    }
    tx.demand_references(suspended).await?;
    Ok(tx.commit().await?)
}

/// The table with its columns as the backup has them. All of them are there, and no others.
fn in_order(table: &Table, columns: &[String]) -> Result<Table, BackupError> {
    let ordered: Option<Vec<_>> = columns
        .iter()
        .map(|name| {
            table
                .columns
                .iter()
                .find(|column| column.name == *name)
                .cloned()
        })
        .collect();
    let distinct: BTreeSet<_> = columns.iter().collect();
    match ordered {
        Some(ordered)
            if ordered.len() == table.columns.len() && distinct.len() == columns.len() =>
        {
            Ok(Table {
                name: table.name.clone(),
                columns: ordered,
            })
        }
        _ => Err(damaged(format!("the columns of {} are others", table.name))),
    }
}
