//! What a guest answers.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::cbor::{self, Decode, Decoder, Encode, Fault};
use crate::error::ApiMisuse;
use crate::{Output, SecretBytes};

/// The answer to `save`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
enum SaveReply {
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
    /// More outputs than this host takes of one input.
    TooManyOutputs(u32),
    /// A reason for a refusal that this host does not know.
    UnknownRefusal,
}

/// Reads the answer to `open`, `restore` and `handle`, however many outputs it holds.
pub fn drained(bytes: &[u8]) -> Result<Result<Drain, Refusal>, ReplyError> {
    drained_up_to(bytes, u32::MAX)
}

/// Reads the answer to `open`, `restore` and `handle`, if it holds no more outputs than this: an output of three bytes
/// takes a hundred times that in memory.
pub fn drained_up_to(bytes: &[u8], most: u32) -> Result<Result<Drain, Refusal>, ReplyError> {
    let mut d = Decoder::new(bytes);
    let mut reply = cbor::Array::start(&mut d);
    let result = if reply.variant(&mut d, 2) == 0 {
        reply.next(&mut d, false);
        Ok(drain(&mut d, most)?)
    } else {
        Err(reply.field(&mut d))
    };
    reply.end(&mut d);
    d.finish().map_err(refusal)?;
    Ok(result)
}

/// Reads the answer to `save`.
pub fn saved(bytes: &[u8]) -> Result<Saved, ReplyError> {
    match cbor::decode(bytes).map_err(refusal)? {
        SaveReply::Saved(snapshot) => Ok(Ok(snapshot)),
        SaveReply::Refused(refusal) => Ok(Err(refusal)),
    }
}

impl Describe {
    /// Reads the answer to `describe`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReplyError> {
        Ok(cbor::decode(bytes)?)
    }

    /// Whether this host and the plugin have a schema in common.
    pub fn fits(&self) -> bool {
        self.oldest_schema <= super::SCHEMA && super::OLDEST_SCHEMA <= self.schema
    }
}

fn drain(d: &mut Decoder<'_>, most: u32) -> Result<Drain, ReplyError> {
    let mut drain = Drain { outputs: Vec::new(), stray: 0, skipped: 0 };
    let mut map = cbor::Map::start(d);
    map.next(d, 0, false);
    let outputs = d.array();
    if outputs > most && d.fault().is_none() {
        return Err(ReplyError::TooManyOutputs(outputs));
    }
    for _ in 0..outputs {
        let one = d.skip();
        match cbor::decode(one) {
            Ok(output) => drain.outputs.push(output),
            Err(Fault::Malformed) => return Err(ReplyError::Malformed),
            Err(Fault::Unknown) => match kind(one) {
                (0, command) => return Err(ReplyError::UnknownCommand(command)),
                (1, _) => drain.skipped = drain.skipped.saturating_add(1),
                _ => return Err(ReplyError::UnknownOutput),
            },
        }
    }
    drain.stray = map.field(d, 1);
    map.end(d);
    if d.fault().is_some() {
        return Err(ReplyError::Malformed);
    }
    let timeouts = drain.outputs.iter().filter(|output| matches!(output, Output::Timeout(_)));
    if timeouts.count() == 1 && matches!(drain.outputs.last(), Some(Output::Timeout(_))) {
        Ok(drain)
    } else {
        Err(ReplyError::NotDrained)
    }
}

/// The numbers of an output and of the command or event in it.
fn kind(output: &[u8]) -> (u32, u32) {
    let mut d = Decoder::new(output);
    let outer = cbor::Array::start(&mut d).variant(&mut d, u32::MAX);
    let inner = cbor::Array::start(&mut d).variant(&mut d, u32::MAX);
    (outer, inner)
}

fn refusal(fault: Fault) -> ReplyError {
    match fault {
        Fault::Malformed => ReplyError::Malformed,
        Fault::Unknown => ReplyError::UnknownRefusal,
    }
}

impl From<Fault> for ReplyError {
    fn from(_: Fault) -> Self {
        Self::Malformed
    }
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("its reply is not what the schema says"),
            Self::UnknownCommand(n) => write!(f, "it asks for command {n}, unknown to this host"),
            Self::UnknownOutput => f.write_str("its reply holds an output unknown to this host"),
            Self::NotDrained => f.write_str("its reply does not end with the one time-out"),
            Self::TooManyOutputs(n) => {
                write!(f, "{n} outputs for one input are more than this host takes")
            }
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
