//! How the relay says no, in words of its own: which kind it is, what happened, what to do.
//!
//! Over HTTP a refusal has the header `X-Relay: error`, so that nobody takes it for a cloud's answer; over a WebSocket
//! it is a text message, and a close code of 4000 and more.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

/// The kinds, which the console has words for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// There is no relay.
    Off,
    /// Not a page of this server.
    Page,
    /// Not the token of this relay.
    Token,
    /// Not a request of the relay's language.
    Invalid,
    /// The host is not on the list.
    Host,
    /// The name leads to an address where nobody goes by a name.
    Address,
    /// A redirect leads off the list.
    Redirect,
    /// The name cannot be resolved.
    Dns,
    /// Nobody listens, or there is no way.
    Refused,
    /// TLS failed.
    Tls,
    /// It took too long.
    TimedOut,
    /// Too many, or too large.
    Limit,
    /// Anything else on the way.
    Failed,
}

/// A refusal. Never a secret, never a query.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Refusal {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    pub(crate) next: String,
}

impl Refusal {
    pub(crate) fn new(kind: Kind, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { kind, message: message.into(), next: next.into() }
    }

    pub(crate) fn off() -> Self {
        Self::new(Kind::Off, "the relay is switched off", "start `muster up` with --relay")
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message, "see docs/console/relay.md for what the relay takes")
    }

    pub(crate) fn busy() -> Self {
        Self::new(
            Kind::Limit,
            "the relay has as many connections as it takes",
            "stop some devices, then try again",
        )
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self.kind {
            Kind::Off => StatusCode::NOT_FOUND,
            Kind::Page | Kind::Token | Kind::Host | Kind::Address | Kind::Redirect => {
                StatusCode::FORBIDDEN
            }
            Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::Limit => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Kind::Dns | Kind::Refused | Kind::Tls | Kind::Failed => StatusCode::BAD_GATEWAY,
        }
    }

    /// For the end of a WebSocket: codes from 4000 on are an application's own (RFC 6455, 7.4.2).
    pub(crate) fn close_code(&self) -> u16 {
        4000 + self.status().as_u16()
    }

    pub(crate) fn response(&self) -> Response {
        let mut response = Response::new(Body::from(crate::up::json(self)));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert("x-relay", HeaderValue::from_static("error"));
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // What was not read of the request is not read any more.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }
}
