//! HTTP requests and responses as values. Sockets, TLS and the HTTP syntax belong to the host.

use alloc::string::String;
use alloc::vec::Vec;

use crate::cbor::{Decode, Encode};

/// A request that the host has to send.
///
/// `Debug` shows neither headers nor body: both may hold a secret or a signature.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Request {
    /// `GET`, `POST`, …
    #[n(0)]
    pub method: String,
    /// Absolute URL, query included.
    #[n(1)]
    pub url: String,
    /// Name and value, in the order to send; names as they were signed.
    #[n(2)]
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    #[cbor(n(3), with = "crate::cbor::bytes")]
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Response {
    /// Status code.
    #[n(0)]
    pub status: u16,
    /// Name and value.
    #[n(1)]
    pub headers: Vec<(String, String)>,
    /// At most [`MAX_BODY`] bytes; a host cuts a longer one off and says [`Failure::TooLarge`](crate::Failure).
    #[cbor(n(2), with = "crate::cbor::bytes")]
    pub body: Vec<u8>,
}

/// The longest response body that the core reads.
pub const MAX_BODY: usize = 64 * 1024;

/// The value of the first header called `name`, whatever its case.
pub fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
}

impl Response {
    /// A JSON answer with HTTP status 200, the way all vendors send theirs.
    #[cfg(feature = "cloud")]
    pub(crate) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: alloc::vec![("Content-Type".into(), "application/json; charset=utf-8".into())],
            body: body.into(),
        }
    }
}

impl core::fmt::Debug for Request {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // A query may hold a signature too.
        let path = self.url.split('?').next().unwrap_or_default();
        write!(f, "Request({} {path}, {} bytes)", self.method, self.body.len())
    }
}

impl core::fmt::Debug for Response {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}
