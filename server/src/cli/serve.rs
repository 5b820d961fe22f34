use std::sync::Arc;

use anyhow::{Context as _, bail};
use holdpoint_service::{Ids, KeyStore, Limits, Services, SystemClock};
use holdpoint_storage::{Database, FileStore, SessionStore};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    Answer,
    config::{Config, Flags, LogFormat},
};
use crate::web::{
    self, AppState,
    connections::{ConnectionLimits, Connections},
    shutdown,
};

/// Runs the server until it is told to stop.
pub(super) fn run(flags: Flags) -> anyhow::Result<Answer> {
    let config = Config::of_process(&flags)?;
    drop(flags);
    if config.base_url.is_none() && !config.listen.ip().is_loopback() {
        bail!(
            "the server listens on {}, which others reach, and does not know its own address: links and the protection of \
             forms need it. Set --base-url (HOLDPOINT_BASE_URL) to what people type, such as https://prr.example.org.",
            config.listen
        );
    }
    start_logging(&config);
    let runtime = super::runtime()?;
    let (database, answer) = runtime.block_on(async {
        let services = open_services(&config).await?;
        let database = services.database().clone();
        anyhow::Ok((database, serve(&config, services).await))
    })?;
    shutdown::end(runtime, async move { database.close().await });
    answer
}

/// Opens what the configuration names. Other commands that work on the database begin here too.
pub(crate) async fn open_services(config: &Config) -> anyhow::Result<Services> {
    holdpoint_storage::private::make_folder(&config.data).with_context(|| {
        format!("{}: the data folder cannot be made. Check its permissions, or name another with --data.", config.data.display())
    })?;
    let database = Database::open(&config.database)
        .await
        .with_context(|| format!("{} cannot be opened", config.database))?;
    let evidence = config.data.join("evidence");
    let files = FileStore::open(&evidence)
        .await
        .with_context(|| format!("{} cannot be used", evidence.display()))?;
    let services = Services::new(
        database,
        files,
        KeyStore::new(config.keys.clone(), config.ssh_agent.clone()),
        Arc::new(SystemClock),
        Ids::from_system(),
        Limits {
            uploads_per_hour: config.uploads_per_hour,
            upload_bytes_per_hour: config.upload_bytes_per_hour,
            ..Limits::default()
        },
    )
    .with_managers_inviting(config.managers_invite);
    if let Some(moved) = services.take_key_out_of_database().await? {
        super::say(&moved);
    }
    // A damaged log must still open, to be looked into.
    if let Err(error) = services.bind_old_sign_offs().await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the sign-offs of an older rule were not written into the activity log; they count for nothing until they are"
        );
    }
    if let Err(error) = services.grow_log_tree().await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the tree of the activity log did not grow; `holdpoint log verify` says what is wrong"
        );
    }
    Ok(services)
}

async fn serve(config: &Config, services: Services) -> anyhow::Result<Answer> {
    report_open_to_others(config);
    services
        .open_keys()
        .await
        .context("the signing keys are not as they should be")?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "{} cannot be listened on. Is another server running? Choose another with --listen.",
            config.listen
        )
    })?;
    let listening = listener
        .local_addr()
        .context("the listening address is unknown")?;

    let clock = services.clone();
    let sessions = SessionStore::new(services.database().clone(), move || clock.now());
    let stopping = CancellationToken::new();
    let state = AppState::new(services.clone(), config, listening, stopping.clone())?;
    let sweeping = tokio::spawn(sweep_sessions(
        sessions.clone(),
        services.clone(),
        stopping.clone(),
    ));
    let sweeping_files = tokio::spawn(sweep_files(services.clone(), stopping.clone()));
    let signing_heads = tokio::spawn(sign_log_heads(services.clone(), stopping.clone()));
    let address = state.address();
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let router = web::router(state, sessions, axum::Router::new());
    let limits = ConnectionLimits::new(affordable_connections(config.max_connections));
    tracing::info!(%listening, %address, database = %config.database, "Holdpoint {} is up", env!("CARGO_PKG_VERSION"));
    if let Some(token) = services.setup_link_token().await? {
        // Not through the log, which may be kept and shipped: this line is for whoever starts the server.
        super::say(&format!(
            "nobody administers this server yet. Set it up, once, at {address}{}",
            holdpoint_app::paths::set_up(&token)
        ));
    }

    let ended = shutdown::serve(
        Connections::new(listener, limits),
        router,
        stopping,
        shutdown::signals(),
        config
            .shutdown_deadline
            .saturating_sub(shutdown::AFTERWARDS),
    )
    .await;
    sweeping.abort();
    sweeping_files.abort();
    signing_heads.abort();
    match ended.context("the server stopped by itself")? {
        shutdown::Ended::Finished => tracing::info!("stopped: every request was answered"),
        shutdown::Ended::Deadline => {
            tracing::warn!("stopped at the deadline: some requests were cut off");
        }
        shutdown::Ended::SecondSignal => tracing::warn!("stopped at once by a second signal"),
    }
    Ok(Answer::Done)
}

/// Says which files others than the server's user can look into, of the database, what people uploaded, and keys.
fn report_open_to_others(config: &Config) {
    let open = match config.open_to_others() {
        Ok(open) => open,
        Err(error) => {
            tracing::warn!(%error, "the permissions of the data folder, the database or the signing keys cannot be read");
            return;
        }
    };
    if let Some((first, mode)) = open.first() {
        tracing::warn!(
            n_open = open.len(),
            first = %first.display(),
            mode = format!("{mode:o}"),
            "other users of this machine can look into the data, the database or the signing keys: `holdpoint doctor --fix` closes them"
        );
    }
}

/// No more connections than there are descriptors for them: each takes one for itself, and one for a file that it sends or
/// receives.
fn affordable_connections(wanted: usize) -> usize {
    /// For the database, the log, the listener and what the runtime has open.
    const OTHERWISE: usize = 64;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let Some(descriptors) = limit
        .current
        .and_then(|descriptors| usize::try_from(descriptors).ok())
    else {
        return wanted;
    };
    let affordable = (descriptors.saturating_sub(OTHERWISE) / 2).max(4);
    if affordable < wanted {
        tracing::warn!(
            descriptors,
            connections = affordable,
            "there are descriptors for fewer connections than max-connections: raise the limit with `ulimit -n`"
        );
    }
    affordable.min(wanted)
}

/// Deletes expired sessions and devices now and then. A failure is logged and the next round tries again.
async fn sweep_sessions(sessions: SessionStore, services: Services, stopping: CancellationToken) {
    let mut rounds = tokio::time::interval(std::time::Duration::from_mins(10));
    while stopping.run_until_cancelled(rounds.tick()).await.is_some() {
        match sessions.delete_expired().await {
            Ok(0) => {}
            Ok(n_deleted) => tracing::debug!(n_deleted, "expired sessions deleted"),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "expired sessions were not deleted"
            ),
        }
        if let Err(error) = services.forget_old_devices().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "devices of long ago were not forgotten"
            );
        }
    }
}

/// Signs the log's end when that is due, so that what is kept outside is never far behind. A failure is logged and the next
/// round tries again.
async fn sign_log_heads(services: Services, stopping: CancellationToken) {
    let mut rounds = tokio::time::interval(std::time::Duration::from_secs(30));
    let round = async |rounds: &mut tokio::time::Interval| {
        rounds.tick().await;
        services.sign_due_log_head().await
    };
    while let Some(signed) = stopping.run_until_cancelled(round(&mut rounds)).await {
        match signed {
            Ok(false) => {}
            Ok(true) => tracing::debug!("the end of the activity log was signed"),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the end of the activity log was not signed"
            ),
        }
    }
}

/// Deletes files that uploads left and nothing names, and answers to requests that do not come again, at the start and each
/// hour. A failure is logged and the next round tries again.
async fn sweep_files(services: Services, stopping: CancellationToken) {
    let mut rounds = tokio::time::interval(std::time::Duration::from_hours(1));
    let round = async |rounds: &mut tokio::time::Interval| {
        rounds.tick().await;
        services.forget_old_answers().await?;
        services.sweep_files().await
    };
    while let Some(swept) = stopping.run_until_cancelled(round(&mut rounds)).await {
        match swept {
            Ok(swept) if swept == holdpoint_storage::Swept::default() => {}
            Ok(swept) => tracing::info!(
                n_unclaimed = swept.n_unclaimed,
                n_incoming = swept.n_incoming,
                "uploaded files that nothing names were deleted"
            ),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "uploaded files that nothing names, and old answers, were not looked through"
            ),
        }
    }
}

fn start_logging(config: &Config) {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(&config.log)
        .with_writer(std::io::stderr)
        .with_target(config.log_format == LogFormat::Json);
    // Only a second server in one process could have set one before, and then that one serves both.
    drop(match config.log_format {
        LogFormat::Text => subscriber
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    });
}
