//! What goes in: what happened, in the host's words.

use alloc::string::String;

use crate::cbor::{Decode, Encode};

use crate::error::{Failure, LocalFailure};
use crate::http::Response;
use crate::output::{QoS, Token};

/// One thing that happened. Each answer carries the token of the command that it answers; an unknown or repeated
/// token is ignored and counted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[non_exhaustive]
pub enum Input {
    /// The time of the last [`Output::Timeout`](crate::Output::Timeout) has come.
    #[n(0)]
    Timeout,
    /// CONNACK with return code 0.
    #[n(1)]
    Connected(#[n(0)] Token),
    /// The connection could not be made, was refused, or ended. After [`Command::Close`](crate::Command::Close) the
    /// host says so too.
    #[n(2)]
    Closed(#[n(0)] Token, #[n(1)] Closed),
    /// PUBLISH from the server.
    #[n(3)]
    Message(#[n(0)] Message),
    /// PUBACK, SUBACK; for QoS 0: the packet has left.
    #[n(4)]
    Acked(#[n(0)] Token, #[n(1)] Ack),
    /// The answer to a request.
    #[n(5)]
    Response(#[n(0)] Token, #[n(1)] Answer),
    /// The value is on stable storage (or erased from it), or it is not.
    #[n(6)]
    Stored(#[n(0)] Token, #[n(1)] Outcome),
    /// A download goes on.
    #[n(7)]
    Progress(#[n(0)] Token, #[n(1)] Progress),
    /// A download ended.
    #[n(8)]
    Downloaded(#[n(0)] Token, #[n(1)] Downloaded),
    /// An image is installed and will be (or is) what runs, or it is not.
    #[n(9)]
    Installed(#[n(0)] Token, #[n(1)] Outcome),
    /// What a person, or the firmware around us, wants.
    #[n(10)]
    User(#[n(0)] Intent),
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Closed {
    /// CONNACK with another return code.
    #[n(0)]
    Refused(#[n(0)] u8),
    /// The network, TLS or the MQTT session failed.
    #[n(1)]
    Failed(#[n(0)] Failure),
    /// We asked for it.
    #[n(2)]
    Requested,
}

/// PUBLISH as received.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Message {
    /// Topic name.
    #[n(0)]
    pub topic: String,
    /// Payload: it may carry a secret.
    #[n(1)]
    pub payload: crate::SecretBytes,
}

impl core::fmt::Debug for Message {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Message({}, {:?})", self.topic, self.payload)
    }
}

/// What the server acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Ack {
    /// A publish.
    #[n(0)]
    Published,
    /// A subscription, with the granted QoS.
    #[n(1)]
    Subscribed(#[n(0)] QoS),
    /// A subscription that the server refused (0x80).
    #[n(2)]
    SubscribeRefused,
}

/// The end of an HTTP request.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    /// A response came.
    #[n(0)]
    Response(#[n(0)] Response),
    /// None came.
    #[n(1)]
    Failed(#[n(0)] Failure),
}

/// The end of something the host did on its own machine.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// Done, and durable.
    #[n(0)]
    Done,
    /// Not done.
    #[n(1)]
    Failed(#[n(0)] LocalFailure),
}

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Progress {
    /// Bytes received.
    #[n(0)]
    pub received: u64,
    /// Bytes in all, where known.
    #[n(1)]
    pub total: Option<u64>,
}

/// The end of a download.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Downloaded {
    /// The image is in the staging slot, on stable storage.
    #[n(0)]
    Complete {
        /// Bytes.
        #[n(0)]
        size: u64,
        /// MD5 of the bytes, lower-case hex.
        #[n(1)]
        md5: String,
        /// SHA-256 of the bytes, lower-case hex.
        #[n(2)]
        sha256: String,
    },
    /// It did not arrive.
    #[n(1)]
    Failed(#[n(0)] Failure),
}

/// What a person, or the firmware around us, wants.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
// As pages write it; `web::device` reads it by hand, and a test of the console compares.
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(tag = "intent", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Intent {
    /// Go on after [`Event::Stopped`](crate::Event::Stopped), without waiting; also cuts a back-off short.
    #[n(0)]
    TryAgain,
    /// Forget the stored credential and register anew. Only a person may decide this: it can void the secret of a
    /// device in the field.
    #[n(1)]
    RegisterAgain,
    /// The device is used on this local date (`yyyymmdd`): China Mobile's strategy 1 reports on the first use of a
    /// day. Only the host knows the local date.
    #[n(2)]
    Use {
        /// `yyyymmdd`.
        #[n(0)]
        date: u32,
    },
    /// Send the heartbeat or version report now.
    #[n(3)]
    Report,
    /// Post properties: a JSON object of identifier and value.
    #[n(4)]
    PostProperties {
        /// JSON object.
        #[n(0)]
        json: String,
    },
    /// Make a new bind token and report it (Alibaba).
    #[n(5)]
    NewBindToken,
    /// Ask whether an update is pending (UCloud `request_firmware`).
    #[n(6)]
    RequestFirmware,
}

impl core::fmt::Debug for Intent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::TryAgain => "TryAgain",
            Self::RegisterAgain => "RegisterAgain",
            Self::Use { .. } => "Use",
            Self::Report => "Report",
            Self::PostProperties { .. } => "PostProperties",
            Self::NewBindToken => "NewBindToken",
            Self::RequestFirmware => "RequestFirmware",
        })
    }
}
