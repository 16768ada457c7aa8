//! What comes out: commands for the host, events for people, and when to come back.

use alloc::string::String;

use crate::cbor::{Decode, Encode};
use crate::snapshot::{Kept, Walk};

use crate::error::Error;
use crate::http::Request;
use crate::secret::{Secret, SecretBytes};
use crate::time::{Instant, UnixTime};

/// Correlates a command and its answers.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Kept,
)]
#[cbor(transparent)]
pub struct Token(#[n(0)] pub u32);

/// One output. [`Output::Timeout`] is always the last of a drain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[must_use]
pub enum Output {
    /// Something the host has to do.
    #[n(0)]
    Command(#[n(0)] Command),
    /// Something a person wants to see.
    #[n(1)]
    Event(#[n(0)] Event),
    /// Nothing more for now. Come back with [`Input::Timeout`](crate::Input::Timeout) at this time, or earlier with
    /// any other input.
    #[n(2)]
    Timeout(#[n(0)] Option<Instant>),
}

/// Something the host has to do. A host that does not know a command must fail, not ignore it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[non_exhaustive]
pub enum Command {
    /// Open a connection and an MQTT 3.1.1 session with clean session. At most one exists at a time.
    #[n(0)]
    Connect(#[n(0)] Token, #[n(1)] Connect),
    /// Send DISCONNECT and close the connection with this token.
    #[n(1)]
    Close(#[n(0)] Token),
    /// Subscribe to one topic filter.
    #[n(2)]
    Subscribe(#[n(0)] Token, #[n(1)] Subscribe),
    /// Publish, not retained.
    #[n(3)]
    Publish(#[n(0)] Token, #[n(1)] Publish),
    /// Send an HTTP request.
    #[n(4)]
    Request(#[n(0)] Token, #[n(1)] Request),
    /// Put a value on stable storage, replacing the old one in one step, then say
    /// [`Stored`](crate::Input::Stored).
    #[n(5)]
    Store(#[n(0)] Token, #[n(1)] StoreKey, #[n(2)] SecretBytes),
    /// Remove a value from stable storage, then say [`Stored`](crate::Input::Stored).
    #[n(6)]
    Erase(#[n(0)] Token, #[n(1)] StoreKey),
    /// Stream an image into the staging slot.
    #[n(7)]
    Download(#[n(0)] Token, #[n(1)] Download),
    /// Stop a download; its [`Downloaded`](crate::Input::Downloaded) is not awaited any more.
    #[n(8)]
    CancelDownload(#[n(0)] Token),
    /// Make the staged image the one that runs.
    #[n(9)]
    Install(#[n(0)] Token, #[n(1)] Install),
}

/// CONNECT: MQTT 3.1.1, clean session.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Connect {
    /// `mqtt://`, `mqtts://`, `ws://` or `wss://`, as configured.
    #[n(0)]
    pub url: String,
    /// ClientID.
    #[n(1)]
    pub client_id: String,
    /// User name.
    #[n(2)]
    pub username: String,
    /// Password.
    #[n(3)]
    pub password: Secret,
    /// Keep alive, in seconds.
    #[n(4)]
    pub keep_alive: u16,
}

/// MQTT quality of service. No platform here takes 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum QoS {
    /// 0
    #[n(0)]
    AtMostOnce,
    /// 1
    #[n(1)]
    AtLeastOnce,
}

/// SUBSCRIBE with one topic filter.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Subscribe {
    /// Topic filter.
    #[n(0)]
    pub topic: String,
    /// Requested QoS.
    #[n(1)]
    pub qos: QoS,
}

/// PUBLISH.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Publish {
    /// Topic name.
    #[n(0)]
    pub topic: String,
    /// QoS.
    #[n(1)]
    pub qos: QoS,
    /// Payload.
    #[n(2)]
    pub payload: SecretBytes,
}

/// What the host keeps on stable storage, one value each. The values are JSON, readable by people and flashers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cbor(index_only)]
pub enum StoreKey {
    /// The secret, with the identity that it belongs to.
    #[n(0)]
    Credential,
    /// When the next heartbeat is due.
    #[n(1)]
    Schedule,
    /// The update that was under way.
    #[n(2)]
    Firmware,
}

impl StoreKey {
    /// All of them.
    pub const ALL: [StoreKey; 3] = [StoreKey::Credential, StoreKey::Schedule, StoreKey::Firmware];

    /// A name for files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Schedule => "schedule",
            Self::Firmware => "firmware",
        }
    }
}

/// An image to fetch. The host hashes it while it streams and answers with size and digests; the core compares.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Download {
    /// As the cloud gave it.
    #[n(0)]
    pub url: String,
    /// The size that the cloud announced.
    #[n(1)]
    pub size: Option<u64>,
    /// The version that it will be.
    #[n(2)]
    pub version: String,
    /// The host gives up beyond this many bytes.
    #[n(3)]
    pub max_size: u64,
}

impl core::fmt::Debug for Download {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The query may hold a signature that grants access.
        let path = self.url.split('?').next().unwrap_or_default();
        write!(f, "Download({path}, version {}, size {:?})", self.version, self.size)
    }
}

/// The staged image to make current.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Install {
    /// The version that it is.
    #[n(0)]
    pub version: String,
    /// SHA-256 of the staged image, lower-case hex: the host installs this one and no other.
    #[n(1)]
    pub sha256: String,
}

/// What a person wants to see. Never a secret.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(tag = "event", rename_all = "snake_case")
)]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Event {
    /// A step of the flow begins.
    #[n(0)]
    Step {
        /// Which.
        #[n(0)]
        step: Step,
    },
    /// The device has its own secret, and it is stored.
    #[n(1)]
    Registered {
        /// Who it is now.
        #[n(0)]
        identity: Identity,
    },
    /// Logged in with the device's own secret; where there is no session, reported with it, now or in an earlier life
    /// whose heartbeat still stands.
    #[n(2)]
    Ready,
    /// A heartbeat or version report was accepted.
    #[n(3)]
    Heartbeat {
        /// When the next one is due, by the monotonic clock.
        #[n(0)]
        next: Option<Instant>,
        /// The same by the wall clock.
        #[n(1)]
        next_unix: Option<UnixTime>,
        /// Why then.
        #[n(2)]
        why: Due,
    },
    /// A firmware update moves on.
    #[n(4)]
    Update {
        /// How.
        #[n(0)]
        update: Update,
    },
    /// Something failed, and will be tried again.
    #[n(5)]
    Retrying {
        /// What.
        #[n(0)]
        error: Error,
        /// How many tries have failed in a row.
        #[n(1)]
        failures: u32,
        /// When, from now.
        #[n(2)]
        in_ms: u64,
    },
    /// Something failed, and only a person can decide how to go on: see [`Intent`](crate::Intent).
    #[n(6)]
    Stopped {
        /// What.
        #[n(0)]
        error: Error,
        /// What a person may want to do about it.
        #[n(1)]
        advice: Advice,
    },
    /// Something is odd, and the flow goes on.
    #[n(7)]
    Warning {
        /// What.
        #[n(0)]
        warning: Warning,
    },
    /// The cloud set properties; the reply is on its way.
    #[n(8)]
    PropertiesSet {
        /// JSON object of identifier and value.
        #[n(0)]
        json: String,
    },
    /// The cloud accepted posted properties.
    #[n(9)]
    PropertiesPosted,
    /// A bind token for the owner's app. It is no secret: the device announces it on the local network.
    #[n(10)]
    BindToken {
        /// 32 upper-case hex characters.
        #[n(0)]
        token: String,
        /// How long the device stands by it.
        #[n(1)]
        for_ms: u64,
    },
    /// A gateway may (or may no longer) take in sub-devices.
    #[n(11)]
    Permit {
        /// Seconds: 0 always, 65535 closed.
        #[n(0)]
        seconds: u32,
        /// Only for this product.
        #[n(1)]
        product: Option<String>,
    },
    /// Sub-devices of this gateway changed.
    #[n(12)]
    Topology {
        /// 0 added, 1 removed, 2 enabled, 8 disabled.
        #[n(0)]
        status: u8,
        /// `productKey` and `deviceName`, joined by `/`.
        #[n(1)]
        devices: alloc::vec::Vec<String>,
    },
    /// The heartbeat of an earlier life still stands: nothing was sent, and the next one is due then.
    #[n(13)]
    Scheduled {
        /// By the monotonic clock.
        #[n(0)]
        next: Instant,
        /// The same by the wall clock.
        #[n(1)]
        next_unix: Option<UnixTime>,
        /// Why then.
        #[n(2)]
        why: Due,
    },
}

/// A step of a flow, in the order in which a device may meet them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[cbor(index_only)]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Step {
    /// Connecting with the product's credential.
    #[n(0)]
    ConnectToRegister,
    /// Subscribing to where the secret will come.
    #[n(1)]
    SubscribeForSecret,
    /// Asking for the secret, or for the device's information.
    #[n(2)]
    RequestSecret,
    /// Putting the secret on stable storage.
    #[n(3)]
    StoreSecret,
    /// Telling the cloud that the secret is stored.
    #[n(4)]
    ConfirmSecret,
    /// Leaving the product's session.
    #[n(5)]
    LeaveRegistration,
    /// Connecting with the device's own secret.
    #[n(6)]
    Login,
    /// Subscribing to the device's topics.
    #[n(7)]
    Subscribe,
    /// Reporting the firmware version.
    #[n(8)]
    ReportVersion,
    /// Sending a heartbeat.
    #[n(9)]
    Heartbeat,
    /// Reporting a bind token.
    #[n(10)]
    ReportToken,
    /// Fetching an image.
    #[n(11)]
    Download,
    /// Installing an image.
    #[n(12)]
    Install,
    /// Forgetting the stored credential, as a person asked.
    #[n(13)]
    EraseSecret,
    /// Posting properties.
    #[n(14)]
    PostProperties,
}

/// Why a heartbeat is due when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[cbor(index_only)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Due {
    /// A fixed period after the last one.
    #[n(0)]
    Period,
    /// A period with a random offset, so that a fleet does not report in one minute.
    #[n(1)]
    PeriodWithJitter,
    /// At the first use of the next day.
    #[n(2)]
    FirstUseOfDay,
    /// The platform's limit: at the latest then.
    #[n(3)]
    Limit,
    /// The MQTT keep alive stands in for it.
    #[n(4)]
    KeepAlive,
}

/// Who a device is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cbor(map)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Identity {
    /// The platform.
    #[n(0)]
    pub platform: crate::PlatformName,
    /// ProductSN, productId, ProductID or ProductKey.
    #[n(1)]
    pub product: String,
    /// DeviceSN, deviceNo, DeviceID or DeviceName.
    #[n(2)]
    pub device: String,
}

/// How a firmware update moves on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(tag = "phase", rename_all = "snake_case")
)]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Update {
    /// The cloud ordered an update.
    #[n(0)]
    Offered {
        /// What runs now.
        #[n(0)]
        from: String,
        /// What is to run.
        #[n(1)]
        to: String,
        /// Bytes, where announced.
        #[n(2)]
        size: Option<u64>,
    },
    /// Bytes arrive.
    #[n(1)]
    Downloading {
        /// So far.
        #[n(0)]
        received: u64,
        /// In all, where known.
        #[n(1)]
        total: Option<u64>,
    },
    /// Size and digest are what the cloud announced (or the cloud announced none).
    #[n(2)]
    Verified {
        /// Whether there was a digest to compare with.
        #[n(0)]
        digest: bool,
    },
    /// The image runs.
    #[n(3)]
    Installed {
        /// The version before.
        #[n(0)]
        from: String,
        /// The version now.
        #[n(1)]
        to: String,
    },
    /// The new version was reported to the cloud.
    #[n(4)]
    Reported {
        /// The version.
        #[n(0)]
        version: String,
    },
    /// The update came to nothing; the old version runs on.
    #[n(5)]
    Failed {
        /// Why.
        #[n(0)]
        reason: UpdateFailure,
    },
    /// The cloud took the order back.
    #[n(6)]
    Cancelled,
}

/// Why an update came to nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum UpdateFailure {
    /// The URL cannot be used: scheme, host, or the host's policy.
    #[default]
    #[n(0)]
    Url,
    /// The server refused: the signature in the URL has run out, or the file is gone.
    #[n(1)]
    Refused(#[n(0)] u16),
    /// The download broke or took too long.
    #[n(2)]
    Download(#[n(0)] crate::error::Failure),
    /// The size is not the announced one.
    #[n(3)]
    Size,
    /// The digest is not the announced one.
    #[n(4)]
    Digest,
    /// Installing failed, or the new image did not come up.
    #[n(5)]
    Install,
}

impl Kept for UpdateFailure {
    fn walk(&mut self, w: &mut Walk<'_>) {
        if w.reads {
            *self = Self::decode(&mut w.from);
        } else {
            self.encode(&mut w.to);
        }
    }
}

/// What a person may want to do after [`Event::Stopped`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[cbor(index_only)]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Advice {
    /// Check the product's credential, then try again.
    #[n(0)]
    CheckProductSecret,
    /// Have the cloud's operator register or import this device, or open dynamic registration, then try again.
    #[n(1)]
    ImportDevice,
    /// The cloud says this device has its secret already: put the secret into the settings, or have the operator
    /// reset the device and register again.
    #[n(2)]
    AlreadyRegistered,
    /// The stored secret is refused: the operator may have reset or disabled the device. Registering again is a
    /// person's decision.
    #[n(3)]
    CheckDevice,
    /// Make room or mend the storage, then try again: nothing was confirmed to the cloud.
    #[n(4)]
    CheckStorage,
    /// Check network and address, then try again.
    #[n(5)]
    CheckNetwork,
    /// The cloud does not behave as documented.
    #[n(6)]
    AskVendor,
}

/// Something odd that does not stop the flow.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(tag = "kind", rename_all = "snake_case")
)]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Warning {
    /// A message was ignored.
    #[n(0)]
    Ignored {
        /// Why.
        #[n(0)]
        error: Error,
    },
    /// The product id serves as device number; the vendor does not recommend it.
    #[n(1)]
    ProductIdAsDeviceNumber,
    /// The IMEI's check digit is wrong.
    #[n(2)]
    ImeiCheckDigit,
    /// The wall clock jumped; the schedule was kept.
    #[n(3)]
    ClockJumped,
    /// The image is protected by nothing: the protocol has no digest, and none was configured.
    #[n(4)]
    UnprotectedImage,
    /// A subscription was refused.
    #[n(5)]
    SubscribeRefused {
        /// Topic filter.
        #[n(0)]
        topic: String,
    },
    /// Registering again was asked for, but the settings hold the device's secret: they would beat a new one.
    #[n(6)]
    SecretConfigured,
}
