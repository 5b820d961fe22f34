//! Stopping without cutting anybody off: no new connections, running requests finish, live streams end, a deadline holds.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How the server came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Every request was answered.
    Finished,
    /// Some were not, and the deadline came.
    Deadline,
    /// Somebody insisted.
    SecondSignal,
}

/// Tells the server to stop: each call waits for the next signal.
pub(crate) trait Signals: Send {
    fn next(&mut self) -> impl Future<Output = ()> + Send;
}

/// SIGTERM and SIGINT.
pub(crate) struct ProcessSignals {
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

pub(crate) fn signals() -> ProcessSignals {
    ProcessSignals {
        #[cfg(unix)]
        terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok(),
    }
}

impl Signals for ProcessSignals {
    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(terminate) = &mut self.terminate {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
        drop(tokio::signal::ctrl_c().await);
    }
}

/// Serves until the first signal, then stops as gently as the deadline allows. A second signal drops what is left.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    stopping: CancellationToken,
    mut signals: impl Signals,
    deadline: Duration,
) -> io::Result<Ended> {
    let told = stopping.clone();
    let server = axum::serve(
        listener,
        router.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(async move { told.cancelled().await });
    let server = server.into_future();
    tokio::pin!(server);
    tokio::select! {
        ended = &mut server => return ended.map(|()| Ended::Finished),
        () = signals.next() => {}
    }
    tracing::info!(
        deadline_seconds = deadline.as_secs(),
        "stopping: running requests may finish"
    );
    stopping.cancel();
    tokio::select! {
        ended = &mut server => ended.map(|()| Ended::Finished),
        () = tokio::time::sleep(deadline) => Ok(Ended::Deadline),
        () = signals.next() => Ok(Ended::SecondSignal),
    }
}
