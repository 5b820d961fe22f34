//! Several steps as one transaction: what a request does, each step of which commits for itself, and the answer to it.
//!
//! A service function begins and commits its own unit of work. A request of the API is one such function, what is read for
//! its answer, and the answer itself, which is kept for the case that the request comes again. All of that is there or
//! nothing of it: [`Database::within`](crate::Database::within) makes every `read` and `write` after the first `write` a
//! step of one transaction, and [`Unit::commit`] is the only commit that the database sees.

use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use holdpoint_domain::{Digest, Millis};

use crate::{Database, StorageError, Tx, tx::Connection};

/// A request that can come again, as its caller names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    pub caller: String,
    pub key: String,
    /// Over everything that was asked.
    pub digest: Digest,
    pub at: Millis,
    /// Answers from before are forgotten.
    pub kept_since: Millis,
}

/// The transaction that the steps of a request share.
#[derive(Debug)]
pub struct Unit {
    key: Option<RequestKey>,
    state: Mutex<State>,
    /// Whether a step wrote so much that it is folded into the file once all is committed, see [`Database::commit_large`].
    is_large: AtomicBool,
}

#[derive(Debug)]
enum State {
    /// No step has written yet.
    Unused,
    /// Between two steps. A step that was left without a commit is rolled back before the next.
    Waiting {
        connection: Connection,
        is_left: bool,
    },
    /// A step has it.
    Lent,
    /// It broke off, or another request with the key was first: nothing of it is stored.
    Over { is_answered: bool },
}

/// How a step has the transaction.
#[derive(Debug)]
pub(crate) struct Lending {
    unit: Arc<Unit>,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The first that writes: left without a commit, the whole transaction goes, and needs no savepoint.
    First,
    Later,
    Read,
}

impl Unit {
    /// Nothing is begun before a step writes.
    pub fn new(key: Option<RequestKey>) -> Arc<Self> {
        Arc::new(Self {
            key,
            state: Mutex::new(State::Unused),
            is_large: AtomicBool::new(false),
        })
    }

    pub(crate) fn wrote_much(&self) {
        self.is_large.store(true, Ordering::Relaxed);
    }

    /// Whether another request with the same key was answered while this one was worked on.
    pub fn is_answered(&self) -> bool {
        matches!(*self.lock(), State::Over { is_answered: true })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.lock() = state;
    }

    /// The transaction between two steps, rid of what a step left; `None` where there is none yet, or a step has it.
    async fn take(&self) -> Result<Option<Connection>, StorageError> {
        let (connection, is_left) = {
            let mut state = self.lock();
            match mem::replace(&mut *state, State::Lent) {
                State::Waiting {
                    connection,
                    is_left,
                } => (connection, is_left),
                State::Over { is_answered } => {
                    *state = State::Over { is_answered };
                    return Err(StorageError::Conflict);
                }
                other => {
                    *state = other;
                    return Ok(None);
                }
            }
        };
        // Until a step has it, what breaks off here ends all.
        let mut tx = Tx::new(connection);
        let done = async {
            if is_left {
                execute(&mut tx, "rollback to savepoint step").await?;
                execute(&mut tx, "release savepoint step").await?;
            }
            Ok(())
        };
        match done.await {
            Ok(()) => Ok(tx.into_connection()),
            Err(error) => {
                self.set(State::Over { is_answered: false });
                Err(error)
            }
        }
    }

    /// A step that reads what the steps before it wrote.
    pub(crate) async fn read(self: &Arc<Self>) -> Result<Option<Tx>, StorageError> {
        let connection = self.take().await?;
        Ok(connection.map(|connection| Tx::lent(connection, self.lends(Step::Read))))
    }

    /// A step that writes.
    pub(crate) async fn write(self: &Arc<Self>, database: &Database) -> Result<Tx, StorageError> {
        if let Some(connection) = self.take().await? {
            let mut tx = Tx::lent(connection, self.lends(Step::Later));
            execute(&mut tx, "savepoint step").await?;
            return Ok(tx);
        }
        if matches!(*self.lock(), State::Lent) {
            let message = "a step of a request began while another was writing";
            return Err(StorageError::Damaged(message.to_owned()));
        }
        let connection = database.begin_writing().await?;
        self.set(State::Lent);
        let mut tx = Tx::lent(connection, self.lends(Step::First));
        if let Some(key) = &self.key
            && !tx.claim_key(key).await?
        {
            drop(tx);
            self.set(State::Over { is_answered: true });
            return Err(StorageError::Conflict);
        }
        Ok(tx)
    }

    fn lends(self: &Arc<Self>, step: Step) -> Lending {
        Lending {
            unit: self.clone(),
            step,
        }
    }

    /// Makes every step last, together with the answer to the request, if that has a key.
    pub async fn commit(
        self: &Arc<Self>,
        database: &Database,
        status: u16,
        body: &str,
    ) -> Result<(), StorageError> {
        let connection = match self.take().await? {
            Some(connection) => connection,
            // Nothing was written: only the answer is kept.
            None if self.key.is_some() => {
                let tx = self.write(database).await?;
                tx.commit().await?;
                let taken = self.take().await?;
                taken.ok_or_else(|| StorageError::Damaged("a step vanished".to_owned()))?
            }
            None => return Ok(()),
        };
        let mut tx = Tx::new(connection);
        self.set(State::Over { is_answered: false });
        if let Some(key) = &self.key {
            tx.keep_answer(key, status, body).await?;
        }
        let committed = tx.commit().await;
        if self.is_large.load(Ordering::Relaxed) {
            database.fold_log();
        }
        committed
    }
}

async fn execute(tx: &mut Tx, sql: &'static str) -> Result<(), StorageError> {
    crate::execute!(tx, sql);
    Ok(())
}

impl Lending {
    /// What the step did is part of the unit.
    pub(crate) async fn commit(self, connection: Connection) -> Result<(), StorageError> {
        let mut tx = Tx::new(connection);
        if self.step == Step::Later
            && let Err(error) = execute(&mut tx, "release savepoint step").await
        {
            self.unit.set(State::Over { is_answered: false });
            return Err(error);
        }
        if let Some(connection) = tx.into_connection() {
            self.unit.set(State::Waiting {
                connection,
                is_left: false,
            });
        }
        Ok(())
    }

    /// The step ended without a commit.
    pub(crate) fn leave(self, connection: Connection) {
        self.unit.set(match self.step {
            Step::First => State::Unused,
            step => State::Waiting {
                connection,
                is_left: step == Step::Later,
            },
        });
    }
}
