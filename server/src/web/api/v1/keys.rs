use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use holdpoint_service::Services;
use http::header;

use crate::web::{WebError, address::ClientAddress};

/// The instance's public keys, as `allowed_signers` lines: for anybody who checks a report.
pub(super) async fn public(
    State(services): State<Services>,
    ClientAddress(client): ClientAddress,
) -> Result<Response, WebError> {
    services.ask_openly(&client.to_string())?;
    let lines = services.allowed_signers().await?;
    Ok(shared("text/plain; charset=utf-8", lines))
}

/// The same keys as PEM, for tools other than OpenSSH.
pub(super) async fn public_pem(
    State(services): State<Services>,
    ClientAddress(client): ClientAddress,
) -> Result<Response, WebError> {
    services.ask_openly(&client.to_string())?;
    let pem = services.public_keys_pem().await?;
    Ok(shared("application/x-pem-file", pem))
}

/// The signed lists by which each key introduced its successor.
pub(super) async fn public_lists(
    State(services): State<Services>,
    ClientAddress(client): ClientAddress,
) -> Result<Response, WebError> {
    services.ask_openly(&client.to_string())?;
    let lists = services.key_lists().await?;
    let lists = serde_json::json!({ "lists": lists }).to_string();
    Ok(shared("application/json", lists))
}

fn shared(media: &'static str, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, body).into_response()
}
