//! What a guest answers.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use minicbor::decode::Decoder;
use minicbor::{Decode, Encode};

use super::request::more;
use crate::error::ApiMisuse;
use crate::{Output, SecretBytes};

/// The answer to `open`, `restore` and `handle`.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub(super) enum Reply {
    #[n(0)]
    Drained(#[n(0)] Drain),
    #[n(1)]
    Refused(#[n(0)] Refusal),
}

/// The answer to `save`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) enum SaveReply {
    #[n(0)]
    Saved(#[n(0)] SecretBytes),
    #[n(1)]
    Refused(#[n(0)] Refusal),
}

/// What one input led to.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
#[cbor(map)]
pub struct Drain {
    /// [`Output::Timeout`] is there once, and last.
    #[n(0)]
    pub outputs: Vec<Output>,
    /// How many inputs this agent has ignored: answers that nobody waited for, and kinds that it does not know.
    #[n(1)]
    pub stray: u64,
    /// How many events this host has skipped in this reply because it does not know them.
    #[cbor(skip)]
    pub skipped: u32,
}

/// The answer to `save`, as its reader sees it.
pub type Saved = Result<SecretBytes, Refusal>;

/// The answer to `describe`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cbor(map)]
pub struct Describe {
    /// The newest schema of the bytes that the plugin reads and writes.
    #[n(0)]
    pub schema: u32,
    /// The oldest.
    #[n(1)]
    pub oldest_schema: u32,
    /// The schema of its snapshots: it restores these and no others.
    #[n(2)]
    pub snapshot_schema: u32,
    /// The platforms in it, by name.
    #[n(3)]
    pub platforms: Vec<String>,
    /// The version of the code.
    #[n(4)]
    pub version: String,
    /// What it can take.
    #[n(5)]
    pub limits: GuestLimits,
}

/// What a plugin can take.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cbor(map)]
pub struct GuestLimits {
    /// The longest request, in bytes.
    #[n(0)]
    pub request: u32,
    /// The longest body of an HTTP response, in bytes.
    #[n(1)]
    pub body: u32,
}

/// A guest that could not do what it was asked to. It is as it was before the call.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[non_exhaustive]
pub enum Refusal {
    /// The agent says why.
    #[n(0)]
    Misuse(#[n(0)] ApiMisuse),
    /// The request is not what the schema says.
    #[n(1)]
    Malformed,
    /// The schema of the request is none that the guest reads.
    #[n(2)]
    Schema {
        /// The oldest that it reads.
        #[n(0)]
        oldest: u32,
        /// The newest that it reads.
        #[n(1)]
        newest: u32,
    },
    /// The request is longer than [`Describe`] allows.
    #[n(3)]
    TooLong,
    /// `open` or `restore` for the second time.
    #[n(4)]
    AlreadyOpen,
    /// `handle` or `save` before `open`.
    #[n(5)]
    NotOpen,
}

/// Bytes from a guest that break the contract: the plugin is to blame, or it is newer than this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyError {
    /// Not what the schema says.
    Malformed,
    /// A command of a kind, or with a part, that this host does not know.
    UnknownCommand(u32),
    /// An output that is neither command, event nor time-out.
    UnknownOutput,
    /// The last output is not the time-out, or there is another one before it.
    NotDrained,
    /// A reason for a refusal that this host does not know.
    UnknownRefusal,
}

/// Reads the answer to `open`, `restore` and `handle`.
pub fn drained(bytes: &[u8]) -> Result<Result<Drain, Refusal>, ReplyError> {
    let mut d = Decoder::new(bytes);
    match variant(&mut d)? {
        0 => drain(&mut d).map(Ok),
        1 => d.decode().map(Err).map_err(refusal_error),
        _ => Err(ReplyError::Malformed),
    }
}

/// Reads the answer to `save`.
pub fn saved(bytes: &[u8]) -> Result<Saved, ReplyError> {
    match minicbor::decode(bytes) {
        Ok(SaveReply::Saved(snapshot)) => Ok(Ok(snapshot)),
        Ok(SaveReply::Refused(refusal)) => Ok(Err(refusal)),
        Err(error) => Err(refusal_error(error)),
    }
}

impl Describe {
    /// Reads the answer to `describe`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReplyError> {
        minicbor::decode(bytes).map_err(|_| ReplyError::Malformed)
    }

    /// Whether this host and the plugin have a schema in common.
    pub fn fits(&self) -> bool {
        self.oldest_schema <= super::SCHEMA && super::OLDEST_SCHEMA <= self.schema
    }
}

fn refusal_error(error: minicbor::decode::Error) -> ReplyError {
    if error.is_unknown_variant() { ReplyError::UnknownRefusal } else { ReplyError::Malformed }
}

/// Reads up to the one field of an enum's variant.
fn variant(d: &mut Decoder<'_>) -> Result<u32, ReplyError> {
    let two = d.array().map_err(malformed)?;
    let index = d.u32().map_err(malformed)?;
    let one = d.array().map_err(malformed)?;
    if two == Some(2) && one != Some(0) { Ok(index) } else { Err(ReplyError::Malformed) }
}

fn drain(d: &mut Decoder<'_>) -> Result<Drain, ReplyError> {
    let mut drain = Drain { outputs: Vec::new(), stray: 0, skipped: 0 };
    let mut left = d.map().map_err(malformed)?;
    while more(&mut left, d).map_err(malformed)? {
        match d.u32().map_err(malformed)? {
            0 => outputs(d, &mut drain)?,
            1 => drain.stray = d.u64().map_err(malformed)?,
            _ => d.skip().map_err(malformed)?,
        }
    }
    let timeouts = drain.outputs.iter().filter(|output| matches!(output, Output::Timeout(_)));
    if timeouts.count() == 1 && matches!(drain.outputs.last(), Some(Output::Timeout(_))) {
        Ok(drain)
    } else {
        Err(ReplyError::NotDrained)
    }
}

fn outputs(d: &mut Decoder<'_>, drain: &mut Drain) -> Result<(), ReplyError> {
    let mut left = d.array().map_err(malformed)?;
    while more(&mut left, d).map_err(malformed)? {
        let start = d.position();
        d.skip().map_err(malformed)?;
        let one = d.input().get(start..d.position()).ok_or(ReplyError::Malformed)?;
        match minicbor::decode(one) {
            Ok(output) => drain.outputs.push(output),
            Err(error) if error.is_unknown_variant() => match kind(one) {
                Some((0, command)) => return Err(ReplyError::UnknownCommand(command)),
                Some((1, _)) => drain.skipped = drain.skipped.saturating_add(1),
                _ => return Err(ReplyError::UnknownOutput),
            },
            Err(_) => return Err(ReplyError::Malformed),
        }
    }
    Ok(())
}

/// The numbers of an output and of the command or event in it.
fn kind(output: &[u8]) -> Option<(u32, u32)> {
    let mut d = Decoder::new(output);
    let outer = variant(&mut d).ok()?;
    d.array().ok()?;
    Some((outer, d.u32().unwrap_or(u32::MAX)))
}

fn malformed(_: minicbor::decode::Error) -> ReplyError {
    ReplyError::Malformed
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("its reply is not what the schema says"),
            Self::UnknownCommand(n) => write!(f, "it asks for command {n}, unknown to this host"),
            Self::UnknownOutput => f.write_str("its reply holds an output unknown to this host"),
            Self::NotDrained => f.write_str("its reply does not end with the one time-out"),
            Self::UnknownRefusal => f.write_str("it refuses for a reason unknown to this host"),
        }
    }
}

impl core::error::Error for ReplyError {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misuse(misuse) => misuse.fmt(f),
            Self::Malformed => f.write_str("the request is not what the schema says"),
            Self::Schema { oldest, newest } => {
                write!(f, "the plugin reads schemas {oldest} to {newest} only")
            }
            Self::TooLong => f.write_str("the request is too long"),
            Self::AlreadyOpen => f.write_str("the instance is open already"),
            Self::NotOpen => f.write_str("the instance is not open"),
        }
    }
}

impl core::error::Error for Refusal {}
