use leptos::{
    prelude::FromServerFnError,
    server_fn::{codec::JsonEncoding, error::ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What nobody planned. Refusals are not errors: they are answered as the form with a message.
#[derive(Clone, Debug, Error, Serialize, Deserialize)]
pub enum ActionError {
    #[error("You are signed out. Sign in and send this again.")]
    SignedOut,
    #[error("Holdpoint could not answer. Look whether this was done before you send it again.")]
    Unavailable,
    #[error("The form could not be read: {0}")]
    Request(ServerFnErrorErr),
}

impl FromServerFnError for ActionError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::Request(error)
    }
}
