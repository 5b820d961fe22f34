//! Imports that go on by themselves, so that a large one does not hold up the page that began it: how far they are, what
//! came of them, and how they are stopped. They live in this process; one that is cut off has stored nothing.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use holdpoint_domain::{Digest, PersonId, ServiceId, person::Action};
use holdpoint_storage::Failure;
use tokio::sync::watch;

use crate::{
    Actor, ServiceError, Services,
    scans::{ImportOutcome, ScanRequest},
    watch::{ImportProgress, ImportWatch},
};

/// So many are remembered, the newest ones: what came of an import is also in the list of scans.
const MOST_REMEMBERED: usize = 200;

/// A file that is being imported, and what came of it.
#[derive(Clone, Debug)]
pub struct RunningImport {
    pub file_name: String,
    pub file: Digest,
    pub progress: ImportProgress,
    pub state: ImportState,
}

/// What came of an import so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportState {
    Waiting,
    Running,
    Done(Box<ImportOutcome>),
    /// Why nothing of it was stored; another preview is needed where the series has changed since the last.
    Refused {
        why: String,
        is_conflict: bool,
    },
}

/// The files that one person imports at once, one after the other.
#[derive(Clone, Debug)]
pub struct RunningImports {
    pub id: String,
    /// What their person calls the upload that the files came with.
    pub upload: String,
    pub files: Vec<RunningImport>,
    pub is_over: bool,
}

impl RunningImports {
    /// Whether the file of this digest is imported.
    pub fn has_done(&self, sha256: &str) -> bool {
        self.files
            .iter()
            .any(|file| file.file.as_str() == sha256 && matches!(file.state, ImportState::Done(_)))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<VecDeque<Arc<Batch>>>);

#[derive(Debug)]
struct Batch {
    id: String,
    upload: String,
    person: PersonId,
    service: ServiceId,
    files: Vec<File>,
    is_over: watch::Sender<bool>,
}

#[derive(Debug)]
struct File {
    name: String,
    sha256: Digest,
    watch: ImportWatch,
    state: Mutex<ImportState>,
}

impl File {
    fn set(&self, state: ImportState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

impl Batch {
    /// Nobody waits for ever: what came to no end, because the work on it broke off, is refused.
    fn end_with(&self, is_whole: bool) {
        for file in self.files.iter().filter(|_| !is_whole) {
            let mut state = file.state.lock().unwrap_or_else(PoisonError::into_inner);
            if matches!(*state, ImportState::Waiting | ImportState::Running) {
                *state = ImportState::Refused {
                    why: "The work on this file broke off. Nothing of it was stored; import it again."
                        .to_owned(),
                    is_conflict: false,
                };
            }
        }
        self.is_over.send_replace(true);
    }

    fn now(&self) -> RunningImports {
        RunningImports {
            id: self.id.clone(),
            upload: self.upload.clone(),
            files: self
                .files
                .iter()
                .map(|file| RunningImport {
                    file_name: file.name.clone(),
                    file: file.sha256.clone(),
                    progress: file.watch.progress(),
                    state: file
                        .state
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .clone(),
                })
                .collect(),
            is_over: *self.is_over.borrow(),
        }
    }
}

impl Remembered {
    fn find(&self, actor: &Actor, id: &str) -> Option<Arc<Batch>> {
        self.of(actor, |batch| batch.id == id).pop()
    }

    fn of(&self, actor: &Actor, fits: impl Fn(&Batch) -> bool) -> Vec<Arc<Batch>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .filter(|batch| batch.person == actor.id && fits(batch))
            .cloned()
            .collect()
    }

    fn remember(&self, batch: Arc<Batch>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_back(batch);
        // What still runs is not forgotten.
        while all.len() > MOST_REMEMBERED
            && let Some(over) = all.iter().position(|batch| *batch.is_over.borrow())
        {
            all.remove(over);
        }
    }
}

impl Services {
    /// Begins to import files that a person has seen previews of, one after the other; each over the ground that its
    /// preview stood on. The first that is refused ends it, and what was imported before stays. Waits so long for the
    /// end, which most imports reach before.
    pub async fn start_imports(
        &self,
        actor: &Actor,
        service: &ServiceId,
        upload: &str,
        files: Vec<(ScanRequest, Digest)>,
        patience: Duration,
    ) -> Result<RunningImports, ServiceError> {
        let mut tx = self.database().read().await?;
        self.allow(&mut tx, actor, service, Action::ImportScans)
            .await?;
        drop(tx);
        let batch = Arc::new(Batch {
            id: self.ids().uuid(self.now()),
            upload: upload.to_owned(),
            person: actor.id.clone(),
            service: service.clone(),
            files: files
                .iter()
                .map(|(request, _)| File {
                    name: request.file_name.clone(),
                    sha256: request.file.sha256.clone(),
                    watch: request.watch.clone(),
                    state: Mutex::new(ImportState::Waiting),
                })
                .collect(),
            is_over: watch::Sender::new(false),
        });
        self.inner.running.remember(batch.clone());
        let (services, actor, service) = (self.clone(), actor.clone(), service.clone());
        let running = batch.clone();
        let run = tokio::spawn(async move {
            services
                .run_imports(&actor, &service, files, &running)
                .await;
        });
        let watched = batch.clone();
        tokio::spawn(async move { watched.end_with(run.await.is_ok()) });
        let mut is_over = batch.is_over.subscribe();
        // Not over in time is an answer too: the page that shows the progress has it.
        let _ = tokio::time::timeout(patience, is_over.wait_for(|is_over| *is_over)).await;
        Ok(batch.now())
    }

    async fn run_imports(
        &self,
        actor: &Actor,
        service: &ServiceId,
        files: Vec<(ScanRequest, Digest)>,
        batch: &Batch,
    ) {
        for ((request, ground), file) in files.into_iter().zip(&batch.files) {
            file.set(ImportState::Running);
            let imported = match file.watch.check() {
                Ok(()) => {
                    self.import_previewed_scan(actor, service, request, &ground)
                        .await
                }
                Err(cancelled) => Err(cancelled),
            };
            match imported {
                Ok(outcome) => file.set(ImportState::Done(Box::new(outcome))),
                Err(error) => {
                    if let ServiceError::Unavailable(cause) = &error {
                        tracing::error!(
                            cause = &**cause as &dyn std::error::Error,
                            "an import failed"
                        );
                    }
                    file.set(ImportState::Refused {
                        why: why(&error),
                        is_conflict: matches!(error, ServiceError::Conflict(_)),
                    });
                    return;
                }
            }
        }
    }

    /// How far imports are that this person has begun.
    pub async fn running_imports(
        &self,
        actor: &Actor,
        id: &str,
    ) -> Result<RunningImports, ServiceError> {
        let batch = self
            .inner
            .running
            .find(actor, id)
            .ok_or(ServiceError::NotFound("This import"))?;
        // A role may have been taken away since.
        let mut tx = self.database().read().await?;
        self.allow(&mut tx, actor, &batch.service, Action::Read)
            .await?;
        Ok(batch.now())
    }

    /// Every import that this person has begun of the files of one upload, as far as it is remembered and they may see it.
    pub async fn imports_of_upload(
        &self,
        actor: &Actor,
        upload: &str,
    ) -> Result<Vec<RunningImports>, ServiceError> {
        let mut imports = Vec::new();
        for batch in self.inner.running.of(actor, |batch| batch.upload == upload) {
            let mut tx = self.database().read().await?;
            let may = self.allow(&mut tx, actor, &batch.service, Action::Read);
            if may.await.is_ok() {
                imports.push(batch.now());
            }
        }
        Ok(imports)
    }

    /// Stops imports that this person has begun. What is imported already stays; undo takes it back.
    pub fn cancel_imports(&self, actor: &Actor, id: &str) -> Result<(), ServiceError> {
        let batch = self
            .inner
            .running
            .find(actor, id)
            .ok_or(ServiceError::NotFound("This import"))?;
        for file in &batch.files {
            file.watch.cancel();
        }
        Ok(())
    }
}

/// Why an import was not done, for the person who began it.
fn why(error: &ServiceError) -> String {
    let ServiceError::Unavailable(cause) = error else {
        return error.to_string();
    };
    let why = match Failure::of(&**cause) {
        Failure::Full => {
            "There is no room on the server's disk, and nothing of this file was imported."
        }
        Failure::Away => {
            "The database could not be reached, and nothing of this file was imported."
        }
        Failure::Busy => {
            "The database was busy for too long, and nothing of this file was imported."
        }
        Failure::Unanswered => {
            "The database was lost while it kept this import. Look among the scans whether it is there."
        }
        Failure::Damaged | Failure::Other => return error.to_string(),
    };
    why.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_broke_off_is_over_and_refused_and_what_was_told_before_stays() {
        let refused = |why: &str| ImportState::Refused {
            why: why.to_owned(),
            is_conflict: true,
        };
        let batch = |states: [ImportState; 3]| Batch {
            id: "1".to_owned(),
            upload: String::new(),
            person: PersonId::parse("0199aa00-0000-7000-8000-000000000001").unwrap(),
            service: ServiceId::parse("0199aa00-0000-7000-8000-000000000002").unwrap(),
            files: states
                .map(|state| File {
                    name: "a.sarif".to_owned(),
                    sha256: Digest::of(b"a"),
                    watch: ImportWatch::default(),
                    state: Mutex::new(state),
                })
                .into(),
            is_over: watch::Sender::new(false),
        };
        let states = || {
            [
                refused("before"),
                ImportState::Running,
                ImportState::Waiting,
            ]
        };
        let ended = |is_whole: bool| {
            let batch = batch(states());
            batch.end_with(is_whole);
            let now = batch.now();
            assert!(now.is_over);
            let states = now.files.into_iter().map(|file| file.state);
            states.collect::<Vec<_>>()
        };
        assert_eq!(ended(true), states());
        let broken = ended(false);
        assert_eq!(broken[0], refused("before"));
        for state in &broken[1..] {
            assert!(matches!(
                state,
                ImportState::Refused { why, is_conflict: false } if why.contains("broke off")
            ));
        }
    }
}
