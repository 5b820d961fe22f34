//! Whether anything was kept while a request was answered. When something fails, only this tells "nothing was changed" from
//! "the first half was".

use std::sync::atomic::{AtomicBool, Ordering};

tokio::task_local! {
    static KEPT: AtomicBool;
}

/// Does some work and notes whether a unit of work is committed in it. Of tasks that the work begins nothing is known.
pub async fn watch<T>(work: impl Future<Output = T>) -> T {
    KEPT.scope(AtomicBool::new(false), work).await
}

/// Whether it is certain that nothing was committed since the watch began. Without a watch nothing is certain.
pub fn is_certain_that_none() -> bool {
    KEPT.try_with(|kept| !kept.load(Ordering::Relaxed))
        .unwrap_or(false)
}

pub(crate) fn note() {
    // Without a watch nobody asks.
    let _ = KEPT.try_with(|kept| kept.store(true, Ordering::Relaxed));
}
