use std::{future::Future, panic::resume_unwind, sync::Arc};

use holdpoint_service::ServiceError;
use leptos::{prelude::*, reactive::computed::ScopedFuture};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, oneshot},
    task::spawn_blocking,
};
use tracing::Instrument as _;

use super::PageError;

/// How many pages are made at once; others wait, until they are given up like any request that takes too long.
const AT_ONCE: usize = 64;

static PAGES: std::sync::LazyLock<Arc<Semaphore>> =
    std::sync::LazyLock::new(|| Arc::new(Semaphore::new(AT_ONCE)));

/// Waits for a page's content; what went wrong becomes an error page with its status.
///
/// ```text
/// page(async move {
///     let (visit, person) = Visit::signed_in()?;
///     let item = services().item(&person, &id).await?;
///     Ok(view! { <Frame title=item.title.clone()>…</Frame> })
/// })
/// ```
///
/// The content is made on a thread of its own: however long a text that somebody wrote takes to be shown, the threads that take
/// requests go on, so health checks and everything else are answered. Whoever gives the request up ends it at its next
/// question to the database.
pub fn page<V>(
    content: impl Future<Output = Result<V, PageError>> + Send + 'static,
) -> impl IntoView
where
    V: IntoView + 'static,
{
    let content = async move { content.await.map(IntoAny::into_any) };
    let content = async move {
        match on_a_thread_of_its_own(content).await.flatten() {
            Ok(content) => content,
            Err(error) => error.page().into_any(),
        }
    };
    view! { <Suspense>{Suspend::new(content)}</Suspense> }
}

/// Runs something to its end on a thread that may be busy with it, in the context of the page that asks.
async fn on_a_thread_of_its_own<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, PageError> {
    // It goes with the work: a page that is given up and still busy does not let another one start beside it.
    let permit = Arc::clone(&PAGES)
        .acquire_owned()
        .await
        .map_err(ServiceError::unavailable)?;
    let work = ScopedFuture::new(work).instrument(tracing::Span::current());
    let handle = Handle::current();
    let (asked_for, mut given_up) = oneshot::channel::<()>();
    let made = spawn_blocking(move || {
        let _permit = permit;
        handle.block_on(async {
            tokio::select! {
                biased;
                _ = &mut given_up => None,
                made = work => Some(made),
            }
        })
    })
    .await;
    drop(asked_for);
    match made {
        Ok(Some(made)) => Ok(made),
        Ok(None) => Err(ServiceError::unavailable("the page was given up").into()),
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        Err(error) => Err(ServiceError::unavailable(error).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    #[tokio::test]
    async fn a_page_that_is_busy_keeps_nothing_else_waiting() {
        let (go, gone) = mpsc::channel();
        let busy = on_a_thread_of_its_own(async move {
            // Blocks its thread until the other has run, as a text that takes long would.
            gone.recv_timeout(Duration::from_secs(20)).is_ok()
        });
        let other = async move { go.send(()).unwrap() };
        let (made, ()) = tokio::join!(busy, other);
        assert!(made.is_ok_and(|other_ran| other_ran));
    }

    #[tokio::test]
    async fn a_page_that_nobody_waits_for_ends_at_its_next_question() {
        let (begin, has_begun) = oneshot::channel();
        let (held, mut dropped) = oneshot::channel::<()>();
        let work = on_a_thread_of_its_own(async move {
            let _held = held;
            begin.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        {
            let mut work = std::pin::pin!(work);
            tokio::select! {
                _ = &mut work => panic!("it never ends by itself"),
                begun = has_begun => begun.unwrap(),
            }
            assert!(dropped.try_recv().is_err());
        }
        assert!(dropped.await.is_err());
    }

    #[tokio::test]
    async fn what_a_page_finds_in_its_context_it_finds_on_its_thread_too() {
        let owner = Owner::new();
        owner.set();
        provide_context(7_u8);
        let found = on_a_thread_of_its_own(async { use_context::<u8>() }).await;
        assert!(found.is_ok_and(|found| found == Some(7)));
    }
}
