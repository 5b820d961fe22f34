//! How far an import is, for people who wait for it, and how they stop it.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
};

use holdpoint_importers::{ReadSeek, Source};

use crate::ServiceError;

/// What an import does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportStage {
    /// For others that are read or stored.
    Waiting,
    Reading,
    Comparing,
    Storing,
    /// Somebody has cancelled it.
    Stopping,
}

impl ImportStage {
    /// A word for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Reading => "Reading",
            Self::Comparing => "Comparing",
            Self::Storing => "Storing",
            Self::Stopping => "Stopping",
        }
    }
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportProgress {
    pub stage: ImportStage,
    /// Bytes while it reads, findings while it stores.
    pub done: u64,
    pub total: u64,
    /// How many findings were read so far.
    pub findings: u64,
}

impl ImportProgress {
    /// From 0 to 100, within the stage.
    pub fn percent(&self) -> u64 {
        if self.total == 0 {
            return 0;
        }
        (self.done.min(self.total) * 100) / self.total
    }
}

/// One import, watched from outside: cheap to clone, all clones watch the same.
#[derive(Clone, Debug, Default)]
pub struct ImportWatch(Arc<State>);

#[derive(Debug, Default)]
struct State {
    stage: AtomicU8,
    done: AtomicU64,
    total: AtomicU64,
    findings: AtomicU64,
    /// What a packed file became when it was unpacked last.
    unpacked_bytes: AtomicU64,
    is_cancelled: AtomicBool,
}

impl ImportWatch {
    pub fn progress(&self) -> ImportProgress {
        let stage = match self.0.stage.load(Ordering::Relaxed) {
            _ if self.is_cancelled() => ImportStage::Stopping,
            1 => ImportStage::Reading,
            2 => ImportStage::Comparing,
            3 => ImportStage::Storing,
            _ => ImportStage::Waiting,
        };
        ImportProgress {
            stage,
            done: self.0.done.load(Ordering::Relaxed),
            total: self.0.total.load(Ordering::Relaxed),
            findings: self.0.findings.load(Ordering::Relaxed),
        }
    }

    /// Asks the import to stop; it does before its next step, and stores nothing.
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn begin(&self, stage: ImportStage, total: u64) {
        self.0.stage.store(stage as u8, Ordering::Relaxed);
        self.0.done.store(0, Ordering::Relaxed);
        self.0.total.store(total, Ordering::Relaxed);
    }

    pub(crate) fn add_done(&self, n: u64) {
        self.0.done.fetch_add(n, Ordering::Relaxed);
    }

    /// Of what is gone through in order, by whoever is furthest.
    pub(crate) fn has_come_to(&self, done: u64) {
        self.0.done.fetch_max(done, Ordering::Relaxed);
    }

    /// How many bytes were unpacked since this was asked last.
    pub(crate) fn take_unpacked_bytes(&self) -> u64 {
        self.0.unpacked_bytes.swap(0, Ordering::Relaxed)
    }

    pub(crate) fn add_findings(&self, n: u64) {
        self.0.findings.fetch_add(n, Ordering::Relaxed);
    }

    /// Refuses to go on once somebody has cancelled.
    pub(crate) fn check(&self) -> Result<(), ServiceError> {
        if self.is_cancelled() {
            Err(ServiceError::rejected(
                "file",
                "The import was cancelled. Nothing of it was stored.",
            ))
        } else {
            Ok(())
        }
    }
}

/// A file whose reading is watched.
pub(crate) struct WatchedFile {
    pub(crate) path: PathBuf,
    pub(crate) watch: ImportWatch,
}

impl Source for WatchedFile {
    fn open(&self) -> io::Result<Box<dyn ReadSeek + '_>> {
        let file = File::open(&self.path)?;
        // Each time it is gone through from the beginning, so is what people see.
        self.watch
            .begin(ImportStage::Reading, file.metadata().map_or(0, |m| m.len()));
        Ok(Box::new(WatchedReader {
            file,
            at: 0,
            watch: &self.watch,
        }))
    }

    fn has_unpacked(&self, n_bytes: u64) {
        // It is gone through several times, by two at once too, and is one file.
        let unpacked = &self.watch.0.unpacked_bytes;
        unpacked.fetch_max(n_bytes, Ordering::Relaxed);
    }
}

struct WatchedReader<'a> {
    file: File,
    at: u64,
    watch: &'a ImportWatch,
}

impl Read for WatchedReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.watch.is_cancelled() {
            return Err(io::Error::other("the import was cancelled"));
        }
        let n = self.file.read(buffer)?;
        self.at += n as u64;
        // Some formats are gone through by two at once, one of which counts lines.
        self.watch.has_come_to(self.at);
        Ok(n)
    }
}

impl Seek for WatchedReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_percent_of_its_stage() {
        let watch = ImportWatch::default();
        assert_eq!(watch.progress().percent(), 0);
        watch.begin(ImportStage::Storing, 200);
        watch.add_done(50);
        assert_eq!(
            (watch.progress().stage, watch.progress().percent()),
            (ImportStage::Storing, 25)
        );
        assert!(watch.check().is_ok());
        watch.clone().cancel();
        assert!(watch.check().is_err());
        assert_eq!(watch.progress().stage, ImportStage::Stopping);
    }
}
