//! Files and folders that are their owner's alone, whatever the umask; and folders that a crash does not lose.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::StorageError;

/// What others than the owner may do with a file or a folder: nothing.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

/// Makes a folder, and those above it that are missing. One that is there stays as it is.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folder(parent)?;
    }
    match private_folder().create(folder) {
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {
            return Ok(());
        }
        other => other?,
    }
    // A default ACL of the folder above gives more than the mode says.
    make_private(folder)?;
    sync_folder(parent.unwrap_or(Path::new(".")))
}

/// Makes an empty file where there is none. One that is there stays as it is.
pub fn make_file(path: &Path) -> io::Result<()> {
    match write_new_file(path, &[]) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Writes a file that is not there yet, and brings it to the disk with its name. Nobody else can open it at any moment.
pub fn write_new_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut made = private_file().open(path)?;
    make_private(path)?;
    made.write_all(bytes)?;
    made.sync_all()?;
    sync_folder(
        path.parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new(".")),
    )
}

/// Makes folders that are private from their first moment on, whatever the umask.
fn private_folder() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "modes are of Unix"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Opens new files that are private from their first moment on, whatever the umask.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Takes a file or a folder from everybody but its owner.
#[cfg(unix)]
pub fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Brings the names in a folder to the disk: a file that was renamed into it is there after a crash only then.
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Folders cannot be opened elsewhere.
#[cfg(not(unix))]
pub fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// What in a folder, itself included, others than its owner may look into, with its mode.
#[cfg(unix)]
pub fn open_to_others(folder: &Path) -> io::Result<Vec<(PathBuf, u32)>> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut open = Vec::new();
    let mut paths = vec![folder.to_owned()];
    while let Some(path) = paths.pop() {
        let about = match fs::symlink_metadata(&path) {
            // It went while this looked.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        // What a link leads to has its own permissions, and the link has none.
        if about.is_symlink() {
            continue;
        }
        let mode = about.permissions().mode() & 0o7777;
        if mode & OTHERS != 0 {
            open.push((path.clone(), mode));
        }
        if about.is_dir() {
            for entry in fs::read_dir(&path)? {
                paths.push(entry?.path());
            }
        }
    }
    open.sort();
    Ok(open)
}

#[cfg(not(unix))]
pub fn open_to_others(_: &Path) -> io::Result<Vec<(PathBuf, u32)>> {
    Ok(Vec::new())
}

pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StorageError> {
    Ok(tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| io::Error::other(error.to_string()))??)
}
