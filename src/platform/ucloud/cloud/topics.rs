//! What a session may publish and subscribe, and how much of it. Sources: the vendor's pages `topic.md` and
//! `limitation.md`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Session, Visit, granted, ota, property};
use crate::cloud::What;
use crate::output::QoS;
use crate::platform::ucloud::wire::{self, AuthMode};
use crate::time::Instant;

/// The longest packet.
pub(super) const MAX_PACKET: usize = 256 * 1024;
const MAX_SUBSCRIPTIONS: usize = 100;
const MAX_TOPIC: usize = 128;
const MAX_SLASHES: usize = 7;
const PUBLISHES_PER_SECOND: u32 = 30;
const BYTES_PER_SECOND: usize = 1024 * 1024;

pub(super) const RESTORE_REPLY: &str = "tmodel/property/restore_reply";
pub(super) const EVENT_REPLY: &str = "tmodel/event/post_reply";

/// System topics that a device may subscribe to.
const SUBSCRIBE: [&str; 12] = [
    wire::PASSWORD_REPLY,
    wire::OTA_DOWN,
    wire::POST_REPLY,
    wire::SET,
    RESTORE_REPLY,
    EVENT_REPLY,
    "shadow/downstream",
    "shadow/get_reply",
    "tmodel/template/get_reply",
    "tmodel/property/desired/get_reply",
    "tmodel/property/desired/delete_reply",
    "tmodel/command",
];

/// System topics that a device may publish to and that nothing answers here.
const KEPT: [&str; 6] = [
    wire::SET_REPLY,
    "shadow/upstream",
    "shadow/get",
    "tmodel/template/get",
    "tmodel/property/desired/get",
    "tmodel/property/desired/delete",
];

/// A topic that a session may publish to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Publishable<'t> {
    Password,
    OtaUpstream,
    PropertyPost,
    PropertyRestore,
    EventPost,
    /// Kept as a report, not answered.
    Other(&'t str),
}

impl Publishable<'_> {
    /// Takes a message in, of a device that is logged in with its own secret.
    pub(super) fn take(self, payload: &[u8], visit: &mut Visit<'_, '_>) {
        match self {
            Self::Password => {}
            Self::OtaUpstream => ota::upstream(payload, visit),
            Self::PropertyPost => property::posted(payload, visit),
            Self::PropertyRestore => property::restore(payload, visit),
            Self::EventPost => property::event(payload, visit),
            Self::Other(topic) => {
                visit.report(topic, payload);
                visit.cx.log(What::Reported, visit.session.subject(), topic.to_string());
            }
        }
    }
}

fn within_limits(topic: &str) -> bool {
    topic.len() <= MAX_TOPIC && topic.bytes().filter(|&b| b == b'/').count() <= MAX_SLASHES
}

/// Whether the session may publish there, or why not.
pub(super) fn publishable<'t>(
    topic: &'t str,
    session: &Session,
) -> Result<Publishable<'t>, &'static str> {
    if !within_limits(topic) {
        return Err("a topic of more than 128 bytes or 7 slashes");
    }
    let system = wire::system_name(topic, &session.product, &session.device);
    if let Some(wire::PASSWORD) = system {
        return Ok(Publishable::Password);
    }
    if session.mode == AuthMode::Dynamic {
        return Err("until it is logged in with its own secret, a device may only ask for it");
    }
    match system {
        Some(wire::OTA_UP) => Ok(Publishable::OtaUpstream),
        Some(wire::POST) => Ok(Publishable::PropertyPost),
        Some("tmodel/property/restore") => Ok(Publishable::PropertyRestore),
        Some("tmodel/event/post") => Ok(Publishable::EventPost),
        Some(name) if KEPT.contains(&name) => Ok(Publishable::Other(name)),
        Some(name) if name.strip_prefix("tmodel/command_reply/").is_some_and(is_level) => {
            Ok(Publishable::Other(name))
        }
        None if is_custom(topic, session, false) => Ok(Publishable::Other(topic)),
        _ => Err("the device has no permission to publish there"),
    }
}

/// A filter that a session may subscribe to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// By its place in [`SUBSCRIBE`].
    System(&'static str),
    Custom(String),
}

/// Whether the session may subscribe there, or why not.
pub(super) fn subscribable(filter: &str, session: &Session) -> Result<Filter, &'static str> {
    if !within_limits(filter) {
        return Err("a topic of more than 128 bytes or 7 slashes");
    }
    let system = wire::system_name(filter, &session.product, &session.device)
        .and_then(|name| SUBSCRIBE.into_iter().find(|known| *known == name));
    match (session.mode, system) {
        (_, Some(wire::PASSWORD_REPLY)) => Ok(Filter::System(wire::PASSWORD_REPLY)),
        (AuthMode::Dynamic, _) => {
            Err("until it is logged in with its own secret, a device may only ask for it")
        }
        (AuthMode::Static, Some(name)) => Ok(Filter::System(name)),
        (AuthMode::Static, None) if is_custom(filter, session, true) => {
            Ok(Filter::Custom(filter.to_string()))
        }
        (AuthMode::Static, None) => Err("the device has no permission to subscribe there"),
    }
}

/// `/P/D/…`, or to listen to also `/P/$broadcast/…`: at most five levels behind it.
fn is_custom(topic: &str, session: &Session, subscribe: bool) -> bool {
    let own = || {
        let rest = topic.strip_prefix('/')?.strip_prefix(session.product.as_str())?;
        let rest = rest.strip_prefix('/')?;
        let broadcast = rest.strip_prefix("$broadcast/").filter(|_| subscribe);
        broadcast.or_else(|| rest.strip_prefix(session.device.as_str())?.strip_prefix('/'))
    };
    let Some(levels) = own() else { return false };
    let count = levels.split('/').count();
    count <= 5
        && levels.split('/').enumerate().all(|(i, level)| match level {
            "+" => subscribe,
            "#" => subscribe && i + 1 == count,
            level => is_level(level),
        })
}

fn is_level(level: &str) -> bool {
    (1..=64).contains(&level.len())
        && level.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_@:".contains(&b))
}

/// What a session listens to.
#[derive(Debug, Default)]
pub(super) struct Subscriptions(Vec<(Filter, QoS)>);

impl Subscriptions {
    /// `false`: there are too many already.
    pub(super) fn add(&mut self, filter: Filter, qos: u8) -> bool {
        let qos = granted(qos);
        if let Some((_, old)) = self.0.iter_mut().find(|(known, _)| *known == filter) {
            *old = qos;
            return true;
        }
        let fits = self.0.len() < MAX_SUBSCRIPTIONS;
        if fits {
            self.0.push((filter, qos));
        }
        fits
    }

    pub(super) fn remove(&mut self, filter: &Filter) {
        self.0.retain(|(known, _)| known != filter);
    }

    /// The QoS at which a system topic is listened to.
    pub(super) fn granted(&self, name: &'static str) -> Option<QoS> {
        self.0.iter().find(|(filter, _)| *filter == Filter::System(name)).map(|&(_, qos)| qos)
    }
}

/// How much a session published in the second that began with its first message.
#[derive(Debug, Default)]
pub(super) struct Window {
    since: Instant,
    messages: u32,
    bytes: usize,
    dropped: u32,
}

impl Window {
    pub(super) fn admits(&mut self, bytes: usize, now: Instant) -> bool {
        if now.millis_since(self.since) >= 1000 {
            *self = Self { since: now, ..Self::default() };
        }
        let fits = self.messages < PUBLISHES_PER_SECOND && self.bytes + bytes <= BYTES_PER_SECOND;
        if fits {
            self.messages += 1;
            self.bytes += bytes;
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
        fits
    }

    /// Whether the message just dropped was the first in this second: one line in the log is enough.
    pub(super) fn first_drop(&self) -> bool {
        self.dropped == 1
    }
}
