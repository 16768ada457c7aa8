//! What can go wrong, named by who is to blame.

use alloc::string::{String, ToString};
use core::fmt;

use crate::cbor::{Decode, Encode};

use crate::output::Step;
use crate::secret::Secret;

/// Why a step did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(tag = "blame", rename_all = "snake_case")
)]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Error {
    /// The peer's bytes could not be parsed.
    #[n(0)]
    Codec {
        /// What is wrong with them.
        #[n(0)]
        error: CodecError,
    },
    /// The peer's message parsed, but breaks the protocol.
    #[n(1)]
    PeerMisbehaved {
        /// How.
        #[n(0)]
        how: PeerMisbehaved,
    },
    /// An honest no.
    #[n(2)]
    Rejected {
        /// In the vendor's own code.
        #[n(0)]
        by: Rejected,
    },
    /// The network or the host's I/O failed.
    #[n(3)]
    Network {
        /// How.
        #[n(0)]
        failure: Failure,
    },
    /// Nothing came back in time.
    #[n(4)]
    NoReply {
        /// The step that waited.
        #[n(0)]
        step: Step,
    },
    /// The host could not keep or install something.
    #[n(5)]
    Local {
        /// What.
        #[n(0)]
        failure: LocalFailure,
    },
}

/// Bytes that could not be parsed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum CodecError {
    /// Not JSON.
    #[n(0)]
    NotJson,
    /// JSON, but no object.
    #[n(1)]
    NotAnObject,
    /// Not UTF-8.
    #[n(2)]
    NotUtf8,
    /// Longer than [`json::MAX_TEXT`](crate::json::MAX_TEXT).
    #[n(3)]
    TooLong,
    /// Nested deeper than [`json::MAX_DEPTH`](crate::json::MAX_DEPTH).
    #[n(4)]
    TooDeep,
    /// A field that has to be there is not.
    #[n(5)]
    Missing(#[n(0)] String),
    /// A field is there, but not what it has to be.
    #[n(6)]
    Invalid(#[n(0)] String),
}

impl CodecError {
    pub(crate) fn missing(field: &str) -> Self {
        Self::Missing(field.to_string())
    }

    pub(crate) fn invalid(field: &str) -> Self {
        Self::Invalid(field.to_string())
    }
}

/// A peer that parsed and still broke the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum PeerMisbehaved {
    /// A reply to a request that was never sent.
    #[n(0)]
    WrongRequestId,
    /// A secret that is empty, too long or not printable.
    #[n(1)]
    UnusableSecret,
    /// The reply speaks of another device or product.
    #[n(2)]
    WrongIdentity,
    /// A firmware URL with a scheme that the vendor's document does not allow.
    #[n(3)]
    ForbiddenUrl,
    /// The server closed the connection in the middle of the step.
    #[n(4)]
    ClosedEarly,
}

/// An honest no, in the vendor's own terms.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(tag = "how", rename_all = "snake_case")
)]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Rejected {
    /// MQTT CONNACK with a return code other than 0.
    #[n(0)]
    Connack {
        /// 1 protocol version, 2 identifier, 3 unavailable, 4 bad user name or password, 5 not authorized.
        #[n(0)]
        code: u8,
    },
    /// MQTT SUBACK with 0x80.
    #[n(1)]
    Suback {
        /// The topic filter that was refused.
        #[n(0)]
        topic: String,
    },
    /// The vendor's code in the body.
    #[n(2)]
    Code {
        /// As sent, number or string.
        #[n(0)]
        code: String,
        /// As sent, shortened, secrets masked.
        #[n(1)]
        message: String,
    },
    /// An HTTP status other than 200.
    #[n(3)]
    Http {
        /// The status code.
        #[n(0)]
        status: u16,
        /// The vendor's own text, if any, shortened, secrets masked.
        #[n(1)]
        message: String,
    },
}

impl Rejected {
    pub(crate) fn code(code: &str, message: &str, secrets: &[&Secret]) -> Self {
        Self::Code { code: vendor_text(code, secrets), message: vendor_text(message, secrets) }
    }

    pub(crate) fn http(status: u16, message: &str, secrets: &[&Secret]) -> Self {
        Self::Http { status, message: vendor_text(message, secrets) }
    }
}

/// Text from a peer for a person's eyes: at most 200 characters, no control characters, no secret of ours in it (a
/// server may well echo what it was sent).
pub(crate) fn vendor_text(text: &str, secrets: &[&Secret]) -> String {
    let mut out = text.to_string();
    for secret in secrets.iter().filter(|secret| secret.expose().len() >= 4) {
        out = masked(&out, secret.expose());
    }
    plain(&out, 200)
}

/// At most `max` characters of `text`, without those that control a terminal.
#[inline(never)]
pub(crate) fn plain(text: &str, max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(max).collect()
}

/// A plain search: the one of `str::replace` is fast, and two kilobytes of the plugin.
fn masked(text: &str, secret: &str) -> String {
    let (mut out, mut rest) = (String::new(), text.chars());
    loop {
        if let Some(behind) = rest.as_str().strip_prefix(secret) {
            out.push_str("***");
            rest = behind.chars();
        } else if let Some(c) = rest.next() {
            out.push(c);
        } else {
            return out;
        }
    }
}

/// Why a connection, a request or a download came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Failure {
    /// The host name could not be resolved.
    #[n(0)]
    Dns,
    /// Nobody listens there, or the network is down.
    #[n(1)]
    Unreachable,
    /// TLS could not be set up; the host's log says why.
    #[n(2)]
    Tls,
    /// No answer in the host's own time limit.
    #[n(3)]
    TimedOut,
    /// An open connection broke.
    #[n(4)]
    Lost,
    /// The answer does not follow MQTT or HTTP.
    #[n(5)]
    Protocol,
    /// The answer is larger than the core reads, or the image larger than allowed.
    #[n(6)]
    TooLarge,
    /// The host's policy forbids it.
    #[n(7)]
    Forbidden,
    /// An HTTP status other than 200 or 206, of a download.
    #[n(8)]
    Status(#[n(0)] u16),
}

/// What the host could not do on its own machine.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum LocalFailure {
    /// Storing or erasing failed.
    #[n(0)]
    Store,
    /// Installing failed.
    #[n(1)]
    Install,
    /// A setting is missing that this step needs.
    #[n(2)]
    MissingSetting(#[n(0)] String),
}

/// Our caller broke the contract of the API.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[non_exhaustive]
pub enum ApiMisuse {
    /// A setting is missing, unknown or out of range.
    #[n(0)]
    Config(#[n(0)] ConfigError),
    /// What is stored belongs to another device than the one configured.
    #[n(1)]
    StoredForAnotherDevice,
    /// What is stored under this key cannot be read.
    #[n(2)]
    StoredUnreadable(#[n(0)] crate::StoreKey),
    /// A snapshot of another schema, of another platform, or no snapshot at all.
    #[n(3)]
    SnapshotUnreadable,
    /// The intent means nothing on this platform.
    #[n(4)]
    IntentNotSupported,
}

impl fmt::Display for ApiMisuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::StoredForAnotherDevice => {
                f.write_str("what is stored belongs to another device than the one in the settings")
            }
            Self::StoredUnreadable(key) => {
                write!(f, "what is stored as `{}` cannot be read", key.name())
            }
            Self::SnapshotUnreadable => {
                f.write_str("the snapshot is of another schema or another platform")
            }
            Self::IntentNotSupported => f.write_str("this platform has no such thing to do"),
        }
    }
}

impl core::error::Error for ApiMisuse {}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ConfigError {
    /// Which setting.
    #[n(0)]
    pub key: String,
    /// What would be right, for a person to read.
    #[n(1)]
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "setting `{}`: {}", self.key, self.problem)
    }
}

impl From<ConfigError> for ApiMisuse {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<CodecError> for Error {
    fn from(error: CodecError) -> Self {
        Self::Codec { error }
    }
}

impl From<PeerMisbehaved> for Error {
    fn from(how: PeerMisbehaved) -> Self {
        Self::PeerMisbehaved { how }
    }
}

impl From<Rejected> for Error {
    fn from(by: Rejected) -> Self {
        Self::Rejected { by }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Network { failure }
    }
}
