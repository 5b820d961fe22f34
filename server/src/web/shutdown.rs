//! Stopping without cutting anybody off: no new connections, running requests finish, live streams end, a deadline holds.

use std::{future::Future, io, time::Duration};

use axum::Router;
use tokio_util::sync::CancellationToken;

use super::connections::{ByConnection, Connections};

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
    connections: Connections,
    router: Router,
    stopping: CancellationToken,
    mut signals: impl Signals,
    deadline: Duration,
) -> io::Result<Ended> {
    let told = stopping.clone();
    let server = axum::serve(connections, ByConnection(router))
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

/// What is left of the deadline for all that comes after the requests: closing the database, and threads that still work.
pub(crate) const AFTERWARDS: Duration = Duration::from_millis(500);

/// Does what comes last, for as long as there is time for it. Whatever does not end then ends with the process: a thread that
/// waits for a lock or computes cannot be told to stop.
pub(crate) fn end(runtime: tokio::runtime::Runtime, last: impl Future<Output = ()>) {
    runtime.block_on(async {
        if tokio::time::timeout(AFTERWARDS, last).await.is_err() {
            tracing::warn!("stopped without waiting for the database");
        }
    });
    runtime.shutdown_background();
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, sync::Arc};

    use axum::{body::Body, routing::get};
    use futures::StreamExt as _;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
        sync::{Notify, mpsc},
        task::JoinHandle,
    };

    use super::*;
    use crate::web::connections::ConnectionLimits;

    struct Told(mpsc::UnboundedReceiver<()>);

    impl Signals for Told {
        async fn next(&mut self) {
            if self.0.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        }
    }

    struct Running {
        address: SocketAddr,
        signal: mpsc::UnboundedSender<()>,
        stopping: CancellationToken,
        /// The handler of `/slow` has begun.
        begun: Arc<Notify>,
        /// Lets the handler of `/slow` end.
        release: Arc<Notify>,
        server: JoinHandle<io::Result<Ended>>,
    }

    async fn start(deadline: Duration) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (signal, told) = mpsc::unbounded_channel();
        let stopping = CancellationToken::new();
        let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (begins, released) = (begun.clone(), release.clone());
        let (live_begins, live_ends) = (begun.clone(), stopping.clone());
        let router = Router::new()
            .route(
                "/slow",
                get(async move || {
                    begins.notify_one();
                    released.notified().await;
                    "whole"
                }),
            )
            .route(
                "/live",
                get(async move || {
                    let first = futures::stream::once(async { Ok::<_, io::Error>("event\n") });
                    let forever = first.chain(futures::stream::pending());
                    live_begins.notify_one();
                    Body::from_stream(forever.take_until(live_ends.cancelled_owned()))
                }),
            );
        let server = tokio::spawn(serve(
            Connections::new(listener, ConnectionLimits::new(100)),
            router,
            stopping.clone(),
            Told(told),
            deadline,
        ));
        Running {
            address,
            signal,
            stopping,
            begun,
            release,
            server,
        }
    }

    /// Sends a request and leaves its answer to be read.
    async fn ask(running: &Running, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        running.begun.notified().await;
        stream
    }

    async fn read_to_end(mut stream: TcpStream) -> String {
        let mut answer = String::new();
        // A connection that is cut off is an answer too: an empty or partial one.
        drop(stream.read_to_string(&mut answer).await);
        answer
    }

    const LONG: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_running_request_is_answered_whole_and_new_ones_are_not_taken() {
        let running = start(LONG).await;
        let stream = ask(&running, "/slow").await;
        running.signal.send(()).unwrap();
        running.stopping.cancelled().await;
        running.release.notify_one();
        let answer = read_to_end(stream).await;
        assert!(answer.ends_with("whole"), "{answer}");
        assert_eq!(running.server.await.unwrap().unwrap(), Ended::Finished);
        assert!(TcpStream::connect(running.address).await.is_err());
    }

    #[tokio::test]
    async fn a_live_stream_does_not_hold_the_server_up() {
        let running = start(LONG).await;
        let stream = ask(&running, "/live").await;
        running.signal.send(()).unwrap();
        assert_eq!(running.server.await.unwrap().unwrap(), Ended::Finished);
        let answer = read_to_end(stream).await;
        assert!(answer.contains("event\n"), "{answer}");
    }

    #[tokio::test]
    async fn the_deadline_cuts_off_what_does_not_end() {
        let running = start(Duration::from_millis(50)).await;
        let stream = ask(&running, "/slow").await;
        running.signal.send(()).unwrap();
        assert_eq!(running.server.await.unwrap().unwrap(), Ended::Deadline);
        drop(stream);
    }

    #[tokio::test]
    async fn a_second_signal_ends_it_at_once() {
        let running = start(LONG).await;
        let stream = ask(&running, "/slow").await;
        running.signal.send(()).unwrap();
        running.stopping.cancelled().await;
        running.signal.send(()).unwrap();
        assert_eq!(running.server.await.unwrap().unwrap(), Ended::SecondSignal);
        drop(stream);
    }
}
