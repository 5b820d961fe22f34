//! Questions to SQLite end when nobody waits for their answer any more.
//!
//! A request that is given up drops its unit of work, but the thread that asks SQLite would go on to the end of the question
//! that it is at. So it looks now and then whether the unit of work is still there.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sqlx::sqlite::SqliteConnection;

/// After about so many instructions of SQLite's machine it looks: some hundred microseconds.
const INSTRUCTIONS: i32 = 10_000;

/// Held by whoever asks. Dropped, it ends what is still being asked.
#[derive(Debug)]
pub(crate) struct InterruptOnDrop(Arc<AtomicBool>);

impl InterruptOnDrop {
    /// Watches over a connection until another one does.
    pub(crate) async fn watch(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let is_gone = Arc::new(AtomicBool::new(false));
        let watched = is_gone.clone();
        connection
            .lock_handle()
            .await?
            .set_progress_handler(INSTRUCTIONS, move || !watched.load(Ordering::Relaxed));
        Ok(Self(is_gone))
    }
}

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
