//! Faults that a person injects into one device, as values: which message is met, and what is done to it.
//!
//! A [`Rule`] names a [`Fault`], what it is [`On`], and how often it strikes. [`Faults`] holds the rules of one device,
//! is shown everything that passes, and says what happens to it; whoever carries the bytes carries that out. Sans-IO and
//! deterministic like the rest: a chance comes from the rule's own seed, so the same messages meet the same faults.
//!
//! All of it happens at the device's end. A lost reply was sent by the cloud and never reaches the device; a refused login
//! is one whose answer was changed on the way. So a vendor's cloud is never harmed, and does not know.
//!
//! | kind | faults |
//! | --- | --- |
//! | messages | `lose`, `delay`, `duplicate`, `reorder`, `wrong_id`, `refuse`, `vendor_code`, `status` |
//! | clock | `clock_skew`, `clock_jump`, `no_clock` |
//! | network | `network_loss`, `broker_restart` |
//! | power and storage | `power_cut`, `store_fail` |
//! | images | `download_corrupt`, `download_truncate`, `download_break`, `download_stall`, `download_slow`, `download_status` |
//!
//! Of several rules that meet the same message the first one acts; the others have seen it. Deliberately absent: faults
//! below the packet (half a packet, a flipped bit in a header): TCP and TLS do not let those through.

mod edit;
mod engine;

use alloc::string::String;

pub use engine::{Deed, Faults, Met, StoreDeed, Strike, Verdict};

use crate::platform::PlatformName;
use crate::trace::Direction;

/// So many rules at most are armed at a device: more than anybody keeps an eye on, and each looks at each message.
pub const MOST_RULES: usize = 64;

/// What is done.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// The message does not arrive.
    Lose,
    /// The message arrives later; those after it may overtake it.
    Delay {
        /// Milliseconds.
        ms: u32,
    },
    /// The message arrives twice. Of HTTP: the request.
    Duplicate,
    /// The message arrives after the next one that goes the same way, or after 5 s if none does. MQTT alone.
    Reorder,
    /// The id by which a reply names its request is another one.
    WrongId,
    /// CONNACK carries this return code, SUBACK 0x80.
    Refuse {
        /// 1 to 5; of SUBACK 128.
        code: u8,
    },
    /// The reply carries this code of the vendor's (`code`, `RetCode`).
    VendorCode {
        /// As the vendor writes it.
        code: String,
    },
    /// The HTTP response has this status.
    Status {
        /// 100 to 599.
        status: u16,
        /// And this body; none if absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<String>,
    },
    /// The wall clock is wrong by this, as long as the rule is armed. The monotonic clock is not.
    ClockSkew {
        /// Milliseconds; below zero it is slow.
        ms: f64,
    },
    /// The wall clock jumps by this, and stays there for the rest of this life.
    ClockJump {
        /// Milliseconds; below zero it jumps back.
        ms: f64,
    },
    /// There is no wall clock, as on a board without a battery before it has asked for the time.
    NoClock,
    /// Connections break and new ones fail, MQTT and HTTP alike.
    NetworkLoss {
        /// For so many milliseconds.
        ms: u32,
    },
    /// The broker closes the connection, forgets the session, and takes no new one meanwhile. HTTP goes on.
    BrokerRestart {
        /// For so many milliseconds.
        ms: u32,
    },
    /// The device dies at once: what was not stored is lost.
    PowerCut {
        /// When a value is stored under this name, instead of at a message.
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<Kept>,
        /// Just before it is stored, or just after, when the device has not heard of it yet.
        when: When,
        /// The power is back after so many milliseconds; it stays away if absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        restart_ms: Option<u32>,
    },
    /// The storage says that it could not keep the value.
    StoreFail {
        /// Under which name.
        key: Kept,
    },
    /// Bytes of the image arrive inverted.
    DownloadCorrupt {
        /// How many.
        bytes: u32,
        /// After so many that are right.
        after: u32,
    },
    /// The image ends early, as if it were complete.
    DownloadTruncate {
        /// After so many bytes.
        after: u32,
    },
    /// The connection breaks.
    DownloadBreak {
        /// After so many bytes.
        after: u32,
    },
    /// Nothing comes for a while. A download that brings nothing for 30 s is given up.
    DownloadStall {
        /// After so many bytes.
        after: u32,
        /// Milliseconds.
        ms: u32,
    },
    /// The image comes slowly.
    DownloadSlow {
        /// Bytes a second.
        bytes_per_s: u32,
    },
    /// The server answers with this status instead of the image.
    DownloadStatus {
        /// 300 to 599.
        status: u16,
    },
}

/// Names of what a device keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "FaultKey"))]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// The secret.
    Credential,
    /// The next heartbeat.
    Schedule,
    /// The update under way.
    Firmware,
    /// Which image runs.
    Version,
}

impl Kept {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Credential, Self::Schedule, Self::Firmware, Self::Version];

    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Schedule => "schedule",
            Self::Firmware => "firmware",
            Self::Version => "version",
        }
    }
}

/// On which side of the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "FaultWhen"))]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// It has not happened.
    Before,
    /// It has happened, and nobody was told.
    After,
}

/// Which message, or which moment. What is absent does not matter.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "FaultMatch", optional_fields))]
pub struct On {
    /// Its kind.
    pub message: Kind,
    /// Of `publish` and `puback`: which way; down if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Of `publish`, `subscribe`: a part of the topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Of `request`, `response`: a part of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A part of the payload or the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Of `event`: its name, such as `ready`; or, of a step, the step's, such as `step:store_secret`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

/// The kinds of messages and moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "FaultMessage"))]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Kind {
    Connect,
    Connack,
    Publish,
    Puback,
    Subscribe,
    Suback,
    Pingreq,
    Pingresp,
    /// Of HTTP.
    Request,
    /// Of HTTP.
    Response,
    /// Of the device's own.
    Event,
}

impl Kind {
    /// All of them, with their names.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::Connect, "connect"),
        (Self::Connack, "connack"),
        (Self::Publish, "publish"),
        (Self::Puback, "puback"),
        (Self::Subscribe, "subscribe"),
        (Self::Suback, "suback"),
        (Self::Pingreq, "pingreq"),
        (Self::Pingresp, "pingresp"),
        (Self::Request, "request"),
        (Self::Response, "response"),
        (Self::Event, "event"),
    ];

    /// Which way such a message goes; of `None` there are both, or it goes nowhere.
    pub fn direction(self) -> Option<Direction> {
        match self {
            Self::Connect | Self::Subscribe | Self::Pingreq | Self::Request => Some(Direction::Up),
            Self::Connack | Self::Suback | Self::Pingresp | Self::Response => Some(Direction::Down),
            Self::Publish | Self::Puback | Self::Event => None,
        }
    }
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "ts", ts(rename = "FaultTimes", type = "number | \"always\""))]
pub enum Times {
    /// So many times.
    Count(u32),
    /// As long as the rule is armed.
    Always,
}

impl serde::Serialize for Times {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => serializer.serialize_u32(*count),
            Self::Always => serializer.serialize_str("always"),
        }
    }
}

/// One fault, and when it strikes: at the `nth` message that is met and every `every`th after it, with this chance, so
/// many times.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "WholeFaultRule", optional_fields))]
pub struct Rule {
    /// Of the rules of a device, each has its own.
    pub id: String,
    /// What is done.
    #[serde(flatten)]
    pub fault: Fault,
    /// To what, or when. Absent: to whatever the fault is about, or at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<On>,
    /// From 1.
    pub nth: u32,
    /// From 1.
    pub every: u32,
    /// 0 to 1.
    pub chance: f64,
    /// Of the chance.
    pub seed: u32,
    /// How often.
    pub times: Times,
}

/// A rule that is armed, and how far it is.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "ArmedFault"))]
pub struct Armed {
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// How many messages or moments it has met.
    pub seen: u32,
    /// How often it struck.
    pub struck: u32,
}

impl Fault {
    /// Whether it needs a message to be done to.
    pub fn is_of_message(&self) -> bool {
        matches!(
            self,
            Self::Lose
                | Self::Delay { .. }
                | Self::Duplicate
                | Self::Reorder
                | Self::WrongId
                | Self::Refuse { .. }
                | Self::VendorCode { .. }
                | Self::Status { .. }
        )
    }

    /// Whether it strikes at a moment, which may be at once.
    pub fn is_of_moment(&self) -> bool {
        match self {
            Self::PowerCut { key, .. } => key.is_none(),
            Self::ClockJump { .. } | Self::NetworkLoss { .. } | Self::BrokerRestart { .. } => true,
            _ => false,
        }
    }

    /// Whether it strikes when an image is fetched.
    pub fn is_of_download(&self) -> bool {
        matches!(
            self,
            Self::DownloadCorrupt { .. }
                | Self::DownloadTruncate { .. }
                | Self::DownloadBreak { .. }
                | Self::DownloadStall { .. }
                | Self::DownloadSlow { .. }
                | Self::DownloadStatus { .. }
        )
    }

    /// Whether it holds as long as the rule is armed.
    pub fn is_of_clock(&self) -> bool {
        matches!(self, Self::ClockSkew { .. } | Self::NoClock)
    }
}

impl Rule {
    /// What is wrong with this rule as a whole, at a device of this platform: the member, and the problem. Each member
    /// alone is looked at by who reads it.
    ///
    /// # Errors
    ///
    /// If it says two things at once, or it can be told beforehand that such a rule would never strike there. Whether a
    /// topic, a path or a text ever comes nobody can tell.
    pub fn check(&self, platform: PlatformName) -> Result<(), (&'static str, &'static str)> {
        let on = self.on.as_ref();
        match (&self.fault, on) {
            (fault, None) if fault.is_of_message() => {
                return Err(("on", "is missing: which message"));
            }
            (fault, Some(_)) if !fault.is_of_message() && !fault.is_of_moment() => {
                return Err(("on", "does not go with this fault"));
            }
            (fault, Some(on)) if fault.is_of_message() && on.message == Kind::Event => {
                return Err(("message", "has to be a message: nothing can be done to an event"));
            }
            (Fault::Reorder, Some(on)) if matches!(on.message, Kind::Request | Kind::Response) => {
                return Err(("message", "has to be of MQTT: HTTP has no order"));
            }
            (Fault::Duplicate, Some(on)) if on.message == Kind::Response => {
                return Err(("message", "has to be request: HTTP takes one response"));
            }
            (Fault::Duplicate, Some(on)) if on.message == Kind::Connect => {
                return Err(("message", "cannot be connect: a broker closes a second one"));
            }
            (Fault::Refuse { code }, Some(on)) => match (on.message, *code) {
                (Kind::Connack, 1..=5) | (Kind::Suback, 0x80) => {}
                (Kind::Connack, _) => return Err(("code", "has to be 1 to 5")),
                (Kind::Suback, _) => return Err(("code", "has to be 128")),
                _ => return Err(("message", "has to be connack or suback")),
            },
            (Fault::WrongId | Fault::VendorCode { .. }, Some(on))
                if !matches!(on.message, Kind::Publish | Kind::Request | Kind::Response) =>
            {
                return Err(("message", "has to be publish, request or response"));
            }
            (Fault::Status { .. }, Some(on)) if on.message != Kind::Response => {
                return Err(("message", "has to be response"));
            }
            _ => {}
        }
        on.map_or(Ok(()), On::check)?;
        self.check_count()?;
        self.check_platform(platform)
    }

    /// Without a message or a moment to count, the one moment is when it is armed.
    fn check_count(&self) -> Result<(), (&'static str, &'static str)> {
        if self.chance <= 0.0 {
            return Err(("chance", "has to be more than 0"));
        }
        if self.on.is_some() || !(self.fault.is_of_moment() || self.fault.is_of_clock()) {
            return Ok(());
        }
        if self.nth != 1 {
            return Err(("nth", "goes with on: without it the fault strikes at once"));
        }
        if self.fault.is_of_moment() && self.every != 1 {
            return Err(("every", "goes with on: without it the fault strikes at once"));
        }
        if self.fault.is_of_moment() && self.times != Times::Count(1) {
            return Err(("times", "goes with on: without it the fault strikes once"));
        }
        Ok(())
    }

    /// What this platform's devices never do.
    fn check_platform(&self, platform: PlatformName) -> Result<(), (&'static str, &'static str)> {
        use PlatformName::{Alibaba, Cmcc, Krtyun};
        let cmcc = platform == Cmcc;
        match &self.fault {
            Fault::VendorCode { .. } if platform == Krtyun => {
                return Err(("fault", "does not go with krtyun: its replies have no code"));
            }
            Fault::BrokerRestart { .. } if cmcc => {
                return Err(("fault", "does not go with cmcc: there is no broker"));
            }
            fault if fault.is_of_download() && cmcc => {
                return Err(("fault", "does not go with cmcc: it sends no images"));
            }
            Fault::PowerCut { key: Some(key), .. } | Fault::StoreFail { key } => {
                let kept = match key {
                    Kept::Credential => true,
                    Kept::Schedule => cmcc,
                    Kept::Firmware | Kept::Version => !cmcc,
                };
                if !kept {
                    return Err(("key", "is of what this platform's devices do not keep"));
                }
            }
            _ => {}
        }
        match self.on.as_ref().map(|on| on.message) {
            None | Some(Kind::Event) => Ok(()),
            Some(Kind::Request | Kind::Response) if !cmcc && platform != Alibaba => {
                Err(("message", "is of HTTP, and this platform's devices speak MQTT"))
            }
            Some(Kind::Request | Kind::Response) => Ok(()),
            Some(_) if cmcc => {
                Err(("message", "is of MQTT, and this platform's devices speak HTTP"))
            }
            Some(_) => Ok(()),
        }
    }
}

impl On {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let http = matches!(self.message, Kind::Request | Kind::Response);
        let topics = matches!(self.message, Kind::Publish | Kind::Subscribe);
        if self.direction.is_some() && self.message.direction().is_some() {
            return Err(("direction", "is known of such a message: leave it out"));
        }
        if self.direction.is_some() && self.message == Kind::Event {
            return Err(("direction", "does not go with an event"));
        }
        if self.topic.is_some() && !topics {
            return Err(("topic", "goes with publish and subscribe alone"));
        }
        if self.path.is_some() && !http {
            return Err(("path", "goes with request and response alone"));
        }
        if self.text.is_some() && !http && self.message != Kind::Publish {
            return Err(("text", "goes with publish, request and response alone"));
        }
        match (&self.event, self.message) {
            (None, Kind::Event) => Err(("event", "is missing: which event")),
            (Some(_), kind) if kind != Kind::Event => Err(("event", "goes with event alone")),
            (Some(name), _) if !engine::is_event(name) => {
                Err(("event", "is no event, and no step such as step:store_secret"))
            }
            _ => Ok(()),
        }
    }
}
