use holdpoint_storage::StorageError;
use thiserror::Error;

/// Why something was not done, in terms that the caller can act on.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// There is no such thing, or the caller may not know of it.
    #[error("{0} was not found")]
    NotFound(&'static str),
    /// The caller may see the thing but not do this with it. The message says who may.
    #[error("{0}")]
    Forbidden(String),
    /// What was asked cannot be done as it stands; `field` names the input, or is empty when it is about the whole.
    #[error("{message}")]
    Rejected {
        field: &'static str,
        message: String,
    },
    /// It was asked too often: the same may be asked again after so many seconds.
    #[error("{message}")]
    TooOften { message: String, seconds: i64 },
    /// Someone else changed the same thing first.
    #[error("{}", .0.message)]
    Conflict(Box<Conflict>),
    /// The service itself cannot do its work now. The cause is for the log, never for the caller.
    #[error("Holdpoint cannot do this now")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Two versions of one thing: nothing is overwritten in silence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflict {
    /// What happened, as one sentence.
    pub message: String,
    /// The version that is stored now.
    pub current_version: i64,
    /// Each field in which the two differ: name, what was sent, what is stored.
    pub fields: Vec<(String, String, String)>,
}

impl ServiceError {
    /// A refusal at a field.
    pub fn rejected(field: &'static str, message: impl Into<String>) -> Self {
        Self::Rejected {
            field,
            message: message.into(),
        }
    }

    /// Takes a text that was refused to the field it stood in.
    pub fn at<E: std::fmt::Display>(field: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::rejected(field, error.to_string())
    }

    /// Any other failure of something underneath.
    pub fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(cause.into())
    }
}

impl From<StorageError> for ServiceError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict => Self::Conflict(Box::new(Conflict {
                message: "Someone else changed this at the same moment. Look at it again, then repeat what you did.".to_owned(),
                ..Conflict::default()
            })),
            error => Self::Unavailable(Box::new(error)),
        }
    }
}
