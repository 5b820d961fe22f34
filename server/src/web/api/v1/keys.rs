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
    let line = services.public_key_line().await?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    Ok((headers, format!("{line}\n")).into_response())
}
