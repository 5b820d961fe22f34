//! The connections of the server, so that those who hold them without asking anything do not keep out who does.
//!
//! There are so many at the most. A connection on which nothing is asked for too long is closed; when all are taken, the one
//! that has waited longest makes room for a new one at once, and where none is without a request, the one whose body has not
//! gone on for longest; after them the one that takes least of its answer. A body that does not go on coming, and an answer
//! that is not read, end too.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
    serve::{IncomingStream, Listener},
};
use futures::FutureExt as _;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep},
};
use tower::Service;
use tower_http::timeout::TimeoutBody;

/// How many connections there may be, and how long each may keep the server waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionLimits {
    pub(crate) most: usize,
    /// For the head of the first request.
    pub(crate) head: Duration,
    /// From one answer to the head of the next request.
    pub(crate) between: Duration,
    /// From one piece of a body to the next, either way.
    pub(crate) body: Duration,
}

impl ConnectionLimits {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            head: Duration::from_secs(10),
            // Longer than proxies keep a connection, which would ask on one that is just being closed.
            between: Duration::from_secs(75),
            body: Duration::from_secs(30),
        }
    }
}

/// How long a new connection waits for the place of one before it takes another's.
const AGAIN: Duration = Duration::from_millis(100);

/// How long a connection has to ask something before it makes room for others sooner than half a body does.
const NEW: Duration = Duration::from_secs(1);

/// How long nothing of an answer was taken before its connection makes room.
const UNREAD: Duration = Duration::from_secs(1);

/// After this time what was taken of an answer counts half.
const HALF_LIFE: Duration = Duration::from_secs(10);

/// How much the system may hold that it has not sent yet. Without a limit it takes megabytes, and somebody slow who reads all
/// the time seems to read nothing for minutes.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 64 << 10;

/// A listener that gives out no more connections than are allowed.
pub(crate) struct Connections {
    listener: TcpListener,
    limits: ConnectionLimits,
    places: Arc<Semaphore>,
    waiting: Arc<Waiting>,
}

/// The connections that keep the server waiting, by how long that has been so.
#[derive(Debug, Default)]
struct Waiting {
    since: Mutex<Rows>,
    next: AtomicU64,
    /// Somebody began to wait, whose place could be taken.
    begun: Notify,
}

/// Those that wait, the longest first.
#[derive(Debug, Default)]
struct Rows {
    without_request: BTreeMap<u64, Waiter>,
    with_half_a_body: BTreeMap<u64, Waiter>,
    with_unread_answer: BTreeMap<u64, Waiter>,
}

#[derive(Debug)]
struct Waiter {
    since: Instant,
    /// What was taken of its answers until then.
    progress: Progress,
    dismissed: Arc<Notify>,
}

/// How many bytes were taken lately: each counts half as much after [`HALF_LIFE`].
#[derive(Clone, Copy, Debug)]
struct Progress {
    bytes: f64,
    at: Instant,
}

/// What a connection keeps the server waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WaitsFor {
    Request,
    /// Every request that is worked on waits for the rest of its body.
    Body,
    /// There is more to send than is taken.
    Reader,
}

/// One connection, as its socket and its requests see it.
#[derive(Debug)]
pub(crate) struct Connection {
    limits: ConnectionLimits,
    waiting: Arc<Waiting>,
    state: Mutex<State>,
    /// Told when its place is given to another.
    dismissed: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    n_requests: usize,
    /// How many of them have asked for more of their body, which has not come yet.
    n_half_bodies: usize,
    /// Nothing more can be sent until something was taken.
    is_full: bool,
    progress: Progress,
    /// What is waited for, and the number in the row of those who wait.
    waits: Option<(WaitsFor, u64)>,
    /// When the socket is closed, unless a request comes.
    closes: Instant,
}

/// A request that is being answered, until the last byte of its answer is handed over.
struct Answering(Arc<Connection>);

impl Connections {
    pub(crate) fn new(listener: TcpListener, limits: ConnectionLimits) -> Self {
        Self {
            listener,
            limits,
            places: Arc::new(Semaphore::new(limits.most)),
            waiting: Arc::default(),
        }
    }

    /// A place for one that has just come; somebody else's, if it must be.
    async fn place(&self) -> OwnedSemaphorePermit {
        loop {
            let begun = self.waiting.begun.notified();
            if let Ok(place) = self.places.clone().try_acquire_owned() {
                return place;
            }
            // One that was asked something at this very moment stays. When all are at work, the next that is not makes room.
            let has_dismissed = self.waiting.dismiss_longest();
            tokio::select! {
                place = self.places.clone().acquire_owned() => {
                    return place.expect("the places are never closed");
                }
                () = begun, if !has_dismissed => {}
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }
}

impl Waiting {
    fn begin(&self, what: WaitsFor, progress: Progress, dismissed: &Arc<Notify>) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let waiter = Waiter {
            since: Instant::now(),
            progress,
            dismissed: dismissed.clone(),
        };
        self.lock().row(what).insert(number, waiter);
        self.begun.notify_waiters();
        number
    }

    fn end(&self, what: WaitsFor, number: u64) {
        self.lock().row(what).remove(&number);
    }

    /// Says whether there was one.
    fn dismiss_longest(&self) -> bool {
        let longest = self.lock().take_longest();
        longest
            .inspect(|longest| longest.dismissed.notify_one())
            .is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Rows> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn row(&mut self, what: WaitsFor) -> &mut BTreeMap<u64, Waiter> {
        match what {
            WaitsFor::Request => &mut self.without_request,
            WaitsFor::Body => &mut self.with_half_a_body,
            WaitsFor::Reader => &mut self.with_unread_answer,
        }
    }

    /// Who makes room: whoever asks nothing, before half bodies, before answers that are not read. Only one that has just come
    /// has a moment to ask, and only one that takes nothing for a moment is cut off in its answer.
    fn take_longest(&mut self) -> Option<Waiter> {
        let is_nobody_else = self.with_half_a_body.is_empty() && self.with_unread_answer.is_empty();
        let idle = self.without_request.first_entry();
        if let Some(idle) = idle
            && (idle.get().since.elapsed() >= NEW || is_nobody_else)
        {
            return Some(idle.remove());
        }
        if let Some((_, waiter)) = self.with_half_a_body.pop_first() {
            return Some(waiter);
        }
        let now = Instant::now();
        let unread = self.with_unread_answer.iter();
        let (&number, _) = unread
            .filter(|(_, waiter)| now - waiter.since >= UNREAD)
            .min_by(|(_, one), (_, other)| {
                one.progress.at(now).total_cmp(&other.progress.at(now))
            })?;
        self.with_unread_answer.remove(&number)
    }
}

impl Progress {
    fn new() -> Self {
        Self {
            bytes: 0.0,
            at: Instant::now(),
        }
    }

    /// What it counts at a later moment.
    fn at(&self, now: Instant) -> f64 {
        let half_lives = (now - self.at).as_secs_f64() / HALF_LIFE.as_secs_f64();
        self.bytes * (-half_lives).exp2()
    }

    fn add(&mut self, n_bytes: usize) {
        let now = Instant::now();
        // No answer has so many bytes that it matters.
        #[expect(clippy::cast_precision_loss)]
        let added = n_bytes as f64;
        *self = Self {
            bytes: self.at(now) + added,
            at: now,
        };
    }
}

impl Connection {
    fn new(limits: ConnectionLimits, waiting: Arc<Waiting>) -> Arc<Self> {
        let dismissed = Arc::new(Notify::new());
        let progress = Progress::new();
        let number = waiting.begin(WaitsFor::Request, progress, &dismissed);
        Arc::new(Self {
            limits,
            waiting,
            state: Mutex::new(State {
                n_requests: 0,
                n_half_bodies: 0,
                is_full: false,
                progress,
                waits: Some((WaitsFor::Request, number)),
                closes: Instant::now() + limits.head,
            }),
            dismissed,
        })
    }

    fn begin(self: &Arc<Self>) -> Answering {
        self.change(|state| state.n_requests += 1);
        Answering(self.clone())
    }

    /// Changes what the requests are doing, and with that the row in which the connection waits.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let waits_for = match (state.n_requests, state.n_half_bodies) {
            _ if state.is_full => Some(WaitsFor::Reader),
            (0, _) => Some(WaitsFor::Request),
            (n_requests, n_half_bodies) if n_half_bodies >= n_requests => Some(WaitsFor::Body),
            _ => None,
        };
        if state.waits.map(|(what, _)| what) == waits_for {
            return;
        }
        if let Some((what, number)) = state.waits.take() {
            self.waiting.end(what, number);
        }
        if waits_for == Some(WaitsFor::Request) {
            state.closes = Instant::now() + self.limits.between;
        }
        let progress = state.progress;
        state.waits =
            waits_for.map(|what| (what, self.waiting.begin(what, progress, &self.dismissed)));
    }

    /// Nothing more can be sent.
    fn set_full(&self) {
        if !self.lock().is_full {
            self.change(|state| state.is_full = true);
        }
    }

    /// Room was made for so many bytes more. What goes without waiting for anybody is no progress.
    fn took(&self, n_bytes: usize) {
        if self.lock().is_full {
            self.change(|state| {
                state.is_full = false;
                state.progress.add(n_bytes);
            });
        }
    }

    /// What is waited for, and until when at the most.
    fn waits(&self) -> Option<(WaitsFor, Instant)> {
        let state = self.lock();
        state.waits.map(|(what, _)| (what, state.closes))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.change(|state| state.n_requests -= 1);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some((what, number)) = self.lock().waits {
            self.waiting.end(what, number);
        }
    }
}

/// The body of a request: while more of it is asked for and does not come, its connection waits.
struct Arriving {
    body: Body,
    connection: Arc<Connection>,
    is_awaited: bool,
}

impl Arriving {
    fn set_awaited(&mut self, is_awaited: bool) {
        if self.is_awaited != is_awaited {
            self.is_awaited = is_awaited;
            self.connection.change(|state| {
                if is_awaited {
                    state.n_half_bodies += 1;
                } else {
                    state.n_half_bodies -= 1;
                }
            });
        }
    }
}

impl HttpBody for Arriving {
    type Data = axum::body::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        self.set_awaited(polled.is_pending());
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.set_awaited(false);
    }
}

/// A connection's socket. It ends by itself when its time is over.
pub(crate) struct Socket {
    stream: TcpStream,
    connection: Arc<Connection>,
    dismissed: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_dismissed: bool,
    /// Until the head of a request.
    reading: Pin<Box<Sleep>>,
    /// Until what is being sent is taken; set while it is not.
    writing: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Socket {
    fn new(stream: TcpStream, connection: Arc<Connection>, place: OwnedSemaphorePermit) -> Self {
        let dismissed = connection.dismissed.clone();
        Self {
            stream,
            dismissed: Box::pin(async move { dismissed.notified().await }),
            is_dismissed: false,
            reading: Box::pin(tokio::time::sleep(connection.limits.head)),
            writing: None,
            connection,
            _place: place,
        }
    }

    /// An error once nobody asks anything here any more, or somebody else has its place.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if !self.is_dismissed && self.dismissed.poll_unpin(cx).is_ready() {
            self.is_dismissed = true;
        }
        let Some((waits_for, moment)) = self.connection.waits() else {
            // What is being answered is answered first.
            return Poll::Pending;
        };
        if self.is_dismissed {
            return Poll::Ready(io::ErrorKind::ConnectionAborted.into());
        }
        if waits_for != WaitsFor::Request {
            // They have limits of their own, from one piece to the next.
            return Poll::Pending;
        }
        if self.reading.deadline() != moment {
            self.reading.as_mut().reset(moment);
        }
        self.reading
            .poll_unpin(cx)
            .map(|()| io::ErrorKind::TimedOut.into())
    }

    fn sent(
        &mut self,
        cx: &mut Context<'_>,
        sent: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(sent) = sent {
            self.writing = None;
            if let Ok(n_bytes) = sent {
                self.connection.took(n_bytes);
            }
            return Poll::Ready(sent);
        }
        self.connection.set_full();
        // Nothing is read while an answer waits for its reader, so that this is the only place that hears of it.
        if let Poll::Ready(error) = self.poll_end(cx) {
            return Poll::Ready(Err(error));
        }
        let limit = self.connection.limits.body;
        let writing = self
            .writing
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(writing.poll_unpin(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(error) = self.poll_end(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.sent(cx, sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.sent(cx, sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Listener for Connections {
    type Io = Socket;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Socket, SocketAddr) {
        // axum's own listener waits and tries again when there are no descriptors, for instance.
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        #[cfg(target_os = "linux")]
        drop(socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT));
        let place = self.place().await;
        let connection = Connection::new(self.limits, self.waiting.clone());
        (Socket::new(stream, connection, place), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Makes the service of each connection: the router, which is told who asks, and a connection, which is told that it works.
#[derive(Clone, Debug)]
pub(crate) struct ByConnection(pub(super) Router);

#[derive(Clone, Debug)]
pub(crate) struct OfConnection {
    router: Router,
    peer: SocketAddr,
    connection: Arc<Connection>,
}

impl Service<IncomingStream<'_, Connections>> for ByConnection {
    type Response = OfConnection;
    type Error = Infallible;
    type Future = std::future::Ready<Result<OfConnection, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, stream: IncomingStream<'_, Connections>) -> Self::Future {
        std::future::ready(Ok(OfConnection {
            router: self.0.clone(),
            peer: *stream.remote_addr(),
            connection: stream.io().connection.clone(),
        }))
    }
}

impl Service<Request> for OfConnection {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let limit = self.connection.limits.body;
        let connection = &self.connection;
        let request = request.map(|body| {
            Body::new(Arriving {
                body: Body::new(TimeoutBody::new(limit, body)),
                connection: connection.clone(),
                is_awaited: false,
            })
        });
        let answering = self.connection.begin();
        let answer = self.router.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(answer.map(|body| {
                // What an error becomes is not the point: the closure lives as long as the body.
                Body::new(body.map_err(move |error| {
                    let _until_here = &answering;
                    error
                }))
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        task::JoinHandle,
    };

    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    /// More than the system holds of what was not read.
    const BIG: usize = 8 << 20;

    struct Running {
        address: SocketAddr,
        server: JoinHandle<()>,
    }

    impl Drop for Running {
        fn drop(&mut self) {
            self.server.abort();
        }
    }

    async fn start(limits: ConnectionLimits) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/", get(async || "here"))
            .route("/never", get(std::future::pending::<&str>))
            .route("/big", get(async || vec![b'x'; BIG]))
            .route(
                "/body",
                post(async |body: Result<String, _>| match body {
                    Ok(body) => body,
                    Err(error) => {
                        let error: axum::extract::rejection::StringRejection = error;
                        format!("broken: {error}")
                    }
                }),
            );
        let connections = Connections::new(listener, limits);
        let server = tokio::spawn(async move {
            axum::serve(connections, ByConnection(router))
                .await
                .unwrap();
        });
        Running { address, server }
    }

    async fn send(running: &Running, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    async fn whole_answer(mut stream: TcpStream) -> String {
        let mut answer = String::new();
        drop(stream.read_to_string(&mut answer).await);
        answer
    }

    const ASK: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    #[tokio::test]
    async fn half_requests_make_room_for_whole_ones() {
        let running = start(ConnectionLimits {
            most: 4,
            head: LONG,
            between: LONG,
            body: LONG,
        })
        .await;
        let mut halves = Vec::new();
        for _ in 0..20 {
            halves.push(send(&running, "GET / HTTP/1.1\r\nHost: ").await);
        }
        let answer = whole_answer(send(&running, ASK).await).await;
        assert!(answer.ends_with("here"), "{answer}");
        // The first ones were closed for it.
        assert_eq!(whole_answer(halves.swap_remove(0)).await, "");
    }

    #[tokio::test]
    async fn half_bodies_make_room_after_those_who_ask_nothing() {
        let running = start(ConnectionLimits {
            most: 4,
            head: LONG,
            between: LONG,
            body: LONG,
        })
        .await;
        let head =
            "POST /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhalf";
        let mut bodies = Vec::new();
        for _ in 0..3 {
            bodies.push(send(&running, head).await);
        }
        // They are being read when the fourth place is taken by one that asks nothing.
        let idle = send(&running, "").await;
        tokio::time::sleep(NEW).await;
        let answer = whole_answer(send(&running, ASK).await).await;
        assert!(answer.ends_with("here"), "{answer}");
        assert_eq!(whole_answer(idle).await, "");

        for _ in 0..3 {
            bodies.push(send(&running, head).await);
        }
        let answer = whole_answer(send(&running, ASK).await).await;
        assert!(answer.ends_with("here"), "{answer}");
        // Whoever goes on is heard to the end.
        let mut last = bodies.pop().unwrap();
        last.write_all(b"whole").await.unwrap();
        assert!(whole_answer(last).await.ends_with("halfwhole"));
        // The first was closed for another.
        assert!(!whole_answer(bodies.swap_remove(0)).await.contains("half"));
    }

    #[tokio::test]
    async fn who_is_being_answered_is_not_closed_for_another() {
        let running = start(ConnectionLimits {
            most: 2,
            head: LONG,
            between: LONG,
            body: LONG,
        })
        .await;
        let mut asked = send(&running, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n").await;
        for _ in 0..10 {
            let answer = whole_answer(send(&running, ASK).await).await;
            assert!(answer.ends_with("here"), "{answer}");
        }
        let mut byte = [0];
        let still = tokio::time::timeout(Duration::from_millis(50), asked.read(&mut byte)).await;
        assert!(still.is_err(), "the connection is open and has no answer");
    }

    #[tokio::test]
    async fn a_head_that_does_not_come_is_not_waited_for() {
        let running = start(ConnectionLimits {
            head: Duration::from_millis(50),
            ..ConnectionLimits::new(4)
        })
        .await;
        for text in ["", "GET / HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
            let stream = send(&running, text).await;
            // An HTTP/2 server says something first.
            assert!(!whole_answer(stream).await.contains("here"), "{text}");
        }
    }

    #[tokio::test]
    async fn a_connection_is_kept_between_requests_for_its_own_time() {
        let running = start(ConnectionLimits {
            head: LONG,
            between: Duration::from_millis(50),
            ..ConnectionLimits::new(4)
        })
        .await;
        let ask = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let mut stream = send(&running, ask).await;
        stream.write_all(ask.as_bytes()).await.unwrap();
        let answer = whole_answer(stream).await;
        assert_eq!(answer.matches("here").count(), 2, "{answer}");
    }

    #[tokio::test]
    async fn a_body_that_does_not_go_on_is_given_up() {
        let running = start(ConnectionLimits {
            body: Duration::from_millis(50),
            between: Duration::from_millis(50),
            ..ConnectionLimits::new(4)
        })
        .await;
        let head = "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf";
        let answer = whole_answer(send(&running, head).await).await;
        assert!(answer.contains("broken: "), "{answer}");
    }

    /// Somebody who takes little at once, and asks for a lot, several times.
    async fn ask_big(running: &Running) -> TcpStream {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        let mut stream = socket.connect(running.address).await.unwrap();
        let ask = "GET /big HTTP/1.1\r\nHost: x\r\n\r\n".repeat(4);
        stream.write_all(ask.as_bytes()).await.unwrap();
        stream
    }

    /// Reads on for a while, whatever there is.
    async fn read_for(stream: &mut TcpStream, time: Duration) -> io::Result<()> {
        let mut bytes = vec![0; 64 << 10];
        let until = Instant::now() + time;
        while Instant::now() < until {
            if stream.read(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    #[tokio::test]
    async fn answers_that_are_not_read_make_room_and_those_that_are_go_on() {
        let running = start(ConnectionLimits {
            most: 4,
            head: LONG,
            between: LONG,
            body: LONG,
        })
        .await;
        let mut slow = ask_big(&running).await;
        read_for(&mut slow, Duration::from_millis(100))
            .await
            .unwrap();
        let mut unread = Vec::new();
        for _ in 0..8 {
            unread.push(ask_big(&running).await);
        }
        let mut asked = send(&running, "").await;
        let reads = read_for(&mut slow, Duration::from_secs(8));
        let asks = async {
            asked.write_all(ASK.as_bytes()).await.unwrap();
            let answer = whole_answer(asked).await;
            assert!(answer.ends_with("here"), "{answer}");
        };
        let asks = tokio::time::timeout(Duration::from_secs(6), asks);
        let (reads, asks) = tokio::join!(reads, asks);
        asks.expect("those who do not read make room");
        reads.expect("whoever reads on is not cut off");
    }

    #[tokio::test]
    async fn an_answer_that_is_not_read_is_given_up() {
        let running = start(ConnectionLimits {
            body: Duration::from_millis(300),
            ..ConnectionLimits::new(4)
        })
        .await;
        let mut unread = ask_big(&running).await;
        let mut slow = ask_big(&running).await;
        read_for(&mut slow, Duration::from_secs(1))
            .await
            .expect("it makes progress");
        let mut answer = Vec::new();
        drop(unread.read_to_end(&mut answer).await);
        assert!(answer.len() < BIG, "{}", answer.len());
    }

    #[tokio::test]
    async fn whoever_takes_least_makes_room_first() {
        let mut rows = Rows::default();
        let long_ago = Instant::now().checked_sub(UNREAD).unwrap();
        let waiter = |bytes, since| Waiter {
            since,
            progress: Progress { bytes, at: since },
            dismissed: Arc::default(),
        };
        for (number, bytes) in [(1, 5000.0), (2, 0.0), (3, 100.0)] {
            rows.row(WaitsFor::Reader)
                .insert(number, waiter(bytes, long_ago));
        }
        rows.row(WaitsFor::Reader)
            .insert(4, waiter(0.0, Instant::now()));
        // It has not had the time to ask, and others are about to make room.
        rows.row(WaitsFor::Request)
            .insert(5, waiter(0.0, Instant::now()));
        let bytes = std::iter::from_fn(|| rows.take_longest()).map(|waiter| waiter.progress.bytes);
        let bytes: Vec<_> = bytes.map(|bytes| bytes.to_string()).collect();
        assert_eq!(bytes, ["0", "100", "5000"]);
    }
}
