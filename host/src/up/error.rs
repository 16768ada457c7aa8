//! How the operator API says no: a status code, and JSON with the kind, the message and the next move.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use muster::cloud::{OperationError, OperationErrorKind};
use serde::Serialize;

use super::engine::Unavailable;

/// A refusal.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ApiError {
    #[serde(skip)]
    status: StatusCode,
    kind: &'static str,
    message: String,
    next: String,
}

impl ApiError {
    pub(crate) fn new(
        status: StatusCode,
        kind: &'static str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { status, kind, message: message.into(), next: next.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message, next)
    }

    pub(crate) fn forbidden(message: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message, next)
    }

    /// The disk, not the caller.
    pub(crate) fn storage(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "storage",
            message,
            "free some space on the disk of the data folder, then try again",
        )
    }

    pub(crate) fn too_large(message: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message, next)
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl From<Unavailable> for ApiError {
    fn from(_: Unavailable) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the clouds could not keep this, so nothing was done",
            "look at what `muster up` prints (a full disk is the usual cause), then try again",
        )
    }
}

impl From<OperationError> for ApiError {
    fn from(error: OperationError) -> Self {
        use OperationErrorKind::{Exists, Full, Invalid, NotFound, Unsupported};
        let (status, kind, next) = match error.kind {
            NotFound => (
                StatusCode::NOT_FOUND,
                "not_found",
                "list what there is: GET /api/products, /api/devices",
            ),
            Exists => {
                (StatusCode::CONFLICT, "exists", "use the one that is there, or another name")
            }
            Invalid => (StatusCode::BAD_REQUEST, "invalid", "correct the value, then try again"),
            Full => (
                StatusCode::CONFLICT,
                "full",
                "delete something, or start with a fresh --data folder",
            ),
            Unsupported => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "unsupported",
                "see docs/local-clouds.md for what each platform offers",
            ),
        };
        Self::new(status, kind, error.message, next)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response =
            (self.status, axum::body::Body::from(super::json(&self))).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        response
    }
}
