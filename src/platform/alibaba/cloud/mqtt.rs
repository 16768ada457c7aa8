//! CONNECT, SUBSCRIBE and sessions of devices.
//!
//! Beyond the seed (help.aliyun.com "MQTT-TCP connection", "MQTT protocol specification"). The vendor says that its
//! platform knows QoS 0 and 1, and neither wills nor retained messages; it does not say what becomes of them. Here
//! (assumed) QoS 2 closes the connection, a will is never sent, and a retained message is taken as a plain one.
//! Commands reach a device whether it subscribed or not, as the vendor's newer SDKs rely on.
//!
//! Refusals (assumed): 1 any MQTT but 3.1.1; 2 a client id that is not `id|key=value,…|`, or keep alive outside 30…1200;
//! 4 wrong names or a wrong signature; 5 a registration that is not allowed, or a disabled device.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::registration::{Claim, credential, message, subject};
use super::registry::{Device, Key};
use super::{CloudState, MAX_NAME};
use crate::cloud::{CloudCx, CloudOutput, ConnectPacket, ConnectionId, Packet, What};
use crate::json::Object;
use crate::output::QoS;
use crate::platform::alibaba::credentials::{ClientId, Device as Name, SignMethod, login_sign};
use crate::secret::Secret;

/// Subscriptions of one device, and bytes of a topic (help.aliyun.com "limits").
const MAX_SUBSCRIPTIONS: usize = 100;
/// As many as a device has that subscribes to one topic after the other, like the vendor's SDKs.
const USUAL_SUBSCRIPTIONS: usize = 8;
const MAX_TOPIC: usize = 128;
/// Publishes of one device in a second.
const MAX_RATE: u32 = 30;
/// How long a registering device has to acknowledge its secret before the connection is closed.
const PUSH_LIFE: Duration = Duration::from_secs(5);

/// Connections that were accepted.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_connection: BTreeMap<ConnectionId, Session>,
    online: BTreeMap<Key, ConnectionId>,
    /// Registrations that wait for an acknowledgement, in the order of their ends.
    pushing: VecDeque<(crate::time::Instant, ConnectionId)>,
}

#[derive(Debug)]
enum Session {
    /// The secret was pushed; the publish with this token has to be acknowledged.
    Registering {
        token: u32,
    },
    Online(Online),
}

#[derive(Debug)]
struct Online {
    key: Key,
    /// Few enough to look through.
    subscriptions: Vec<String>,
    /// Publishes in the second in hand.
    rate: (u64, u32),
}

impl Sessions {
    pub(super) fn of(&self, key: &Key) -> Option<ConnectionId> {
        self.online.get(key).copied()
    }

    pub(super) fn deadline(&self) -> Option<crate::time::Instant> {
        self.pushing.front().map(|&(at, _)| at)
    }

    fn remove(&mut self, connection: ConnectionId) -> Option<Online> {
        match self.by_connection.remove(&connection)? {
            Session::Registering { .. } => None,
            Session::Online(online) => {
                // The device may be online again on another connection.
                if self.online.get(&online.key) == Some(&connection) {
                    self.online.remove(&online.key);
                }
                Some(online)
            }
        }
    }
}

impl CloudState {
    pub(super) fn accept(
        &mut self,
        connection: ConnectionId,
        connect: &ConnectPacket,
        cx: &mut CloudCx<'_>,
    ) {
        if let Err((code, who, why)) = self.try_accept(connection, connect, cx) {
            cx.log(What::Refused, who, why);
            cx.refuse(connection, code);
        }
    }

    fn try_accept(
        &mut self,
        connection: ConnectionId,
        connect: &ConnectPacket,
        cx: &mut CloudCx<'_>,
    ) -> Result<(), (u8, String, &'static str)> {
        let nobody = |code, why| (code, String::new(), why);
        if connect.protocol_level != 4 {
            return Err(nobody(1, "only MQTT 3.1.1"));
        }
        let client = Some(&connect.client_id).filter(|id| id.len() <= 2 * MAX_NAME);
        let client = client.and_then(|id| ClientId::parse(id));
        let client = client.ok_or(nobody(2, "the client id has to be id|key=value,…|"))?;
        if !(30..=1_200).contains(&connect.keep_alive) {
            return Err(nobody(2, "keep alive has to be 30 to 1200 seconds"));
        }
        let name = connect.username.as_deref().filter(|name| name.len() <= MAX_NAME);
        let (device, product) = name
            .and_then(|name| name.split_once('&'))
            .ok_or(nobody(4, "the user name has to be deviceName&productKey"))?;
        let key = Key::new(product, device);
        let password = connect.password.as_ref();
        let password = password.ok_or_else(|| (4, subject(&key), "no password"))?;
        let refused = |key: &Key, code: u64| {
            let connack = if matches!(code, 403 | 6100 | 6204 | 6289) { 5 } else { 4 };
            (connack, subject(key), message(code))
        };
        match client.field("authType") {
            Some(kind @ ("register" | "regnwl")) => {
                let random = client.field("random").ok_or_else(|| refused(&key, 460))?;
                let method = sign_method(&client).ok_or_else(|| refused(&key, 460))?;
                let claim = Claim { key, random, method, sign: password.expose() };
                let refused = |code| refused(&claim.key, code);
                self.check_claim(&claim).map_err(refused)?;
                let (topic, payload) = if kind == "register" {
                    let secret = self.issue_secret(&claim.key, cx).map_err(refused)?;
                    ("/ext/register", credential(&claim.key, "deviceSecret", &secret))
                } else {
                    let login = self.issue_token(&claim.key, cx).map_err(refused)?;
                    let payload = Object::new()
                        .string("productKey", claim.key.product())
                        .string("deviceName", claim.key.device())
                        .string("clientId", &login.client_id)
                        .string("deviceToken", login.token.expose());
                    ("/ext/regnwl", payload)
                };
                self.push_secret(connection, connect, topic, payload, cx);
                return Ok(());
            }
            None | Some("connwl") => {}
            Some(_) => return Err((4, subject(&key), "unknown authType")),
        }
        let now = cx.unix();
        let edited = self.registry.try_edit_device(&key, cx, |device| {
            if !proves(device, &key, &client, password) {
                return Err(None);
            }
            if device.disabled {
                return Err(Some(6204));
            }
            let first = device.activated.is_none();
            device.activated.get_or_insert(now);
            device.power_on = Some(now);
            device.last_active = Some(now);
            Ok(first)
        });
        match edited.unwrap_or(Err(None)) {
            Ok(first) => {
                self.log_in(connection, connect, key, first, cx);
                Ok(())
            }
            Err(Some(code)) => Err(refused(&key, code)),
            // One refusal for all that is wrong: a stranger learns nothing about which devices there are.
            Err(None) => Err((4, subject(&key), "wrong names or signature")),
        }
    }

    fn push_secret(
        &mut self,
        connection: ConnectionId,
        connect: &ConnectPacket,
        topic: &str,
        payload: Object,
        cx: &mut CloudCx<'_>,
    ) {
        cx.connack(connection, Some(silence(connect)));
        let token = cx.publish(connection, topic.to_string(), QoS::AtLeastOnce, payload.bytes());
        self.sessions.by_connection.insert(connection, Session::Registering { token });
        self.sessions.pushing.push_back((cx.now.mono + PUSH_LIFE, connection));
    }

    /// The device proved who it is, and its record says so already.
    fn log_in(
        &mut self,
        connection: ConnectionId,
        connect: &ConnectPacket,
        key: Key,
        first: bool,
        cx: &mut CloudCx<'_>,
    ) {
        if let Some(old) = self.sessions.of(&key) {
            self.sessions.remove(old);
            cx.send(CloudOutput::Close { connection: old });
            cx.log(What::Closed, &key, "the same device connected again");
        }
        if first {
            cx.log(What::Activated, &key, "first login");
        }
        if connect.will {
            cx.log(What::Dropped, &key, "wills are not supported");
        }
        cx.log(What::Accepted, &key, "login");
        cx.connack(connection, Some(silence(connect)));
        let online = Online { key: key.clone(), subscriptions: Vec::new(), rate: (0, 0) };
        self.sessions.by_connection.insert(connection, Session::Online(online));
        self.sessions.online.insert(key, connection);
    }

    pub(super) fn handle_packet(
        &mut self,
        connection: ConnectionId,
        packet: Packet,
        cx: &mut CloudCx<'_>,
    ) {
        let key = match self.sessions.by_connection.get(&connection) {
            Some(Session::Online(online)) => online.key.clone(),
            Some(Session::Registering { token }) => {
                let token = *token;
                return self.registering_packet(connection, token, packet, cx);
            }
            None => return,
        };
        match packet {
            Packet::Publish { packet_id, topic, qos, retain, payload } => {
                if qos > 1 {
                    cx.log(What::Closed, &key, "QoS 2 is not supported");
                    self.sessions.remove(connection);
                    return cx.send(CloudOutput::Close { connection });
                }
                if let Some(packet_id) = packet_id {
                    cx.send(CloudOutput::PubAck { connection, packet_id });
                }
                if retain {
                    cx.log(
                        What::Dropped,
                        &key,
                        "retained messages are not supported: taken as plain",
                    );
                }
                if self.too_fast(connection, cx) {
                    return cx.log(What::Dropped, &key, "more than 30 publishes in a second");
                }
                self.uplink(&key, &topic, payload.expose(), cx);
            }
            Packet::Subscribe { packet_id, filters } => {
                let mut hears_permits = false;
                let codes = filters.into_iter().map(|(filter, qos)| {
                    let hears = hears_permits_by(&key, &filter);
                    let code = self.subscribe(connection, &key, filter, qos, cx);
                    hears_permits |= hears && code <= 1;
                    code
                });
                let codes = codes.collect();
                cx.send(CloudOutput::SubAck { connection, packet_id, codes });
                if hears_permits {
                    self.tell_kept_permit(&key, cx);
                }
            }
            Packet::Unsubscribe { packet_id, filters } => {
                if let Some(Session::Online(online)) =
                    self.sessions.by_connection.get_mut(&connection)
                {
                    online.subscriptions.retain(|known| !filters.contains(known));
                }
                cx.send(CloudOutput::UnsubAck { connection, packet_id });
            }
            Packet::Acked { .. } => {}
            Packet::Disconnect => {
                self.lost_session(connection, cx);
                cx.send(CloudOutput::Close { connection });
            }
        }
    }

    /// A registering device may do nothing but take its secret.
    fn registering_packet(
        &mut self,
        connection: ConnectionId,
        awaited: u32,
        packet: Packet,
        cx: &mut CloudCx<'_>,
    ) {
        match packet {
            Packet::Acked { token } if token == awaited => self.end_registering(connection, cx),
            Packet::Disconnect => self.end_registering(connection, cx),
            Packet::Publish { packet_id: Some(packet_id), qos: 1, .. } => {
                cx.send(CloudOutput::PubAck { connection, packet_id });
            }
            Packet::Publish { qos: 2.., .. } => self.end_registering(connection, cx),
            Packet::Subscribe { packet_id, filters } => {
                let codes = filters.iter().map(|_| 0x80).collect();
                cx.send(CloudOutput::SubAck { connection, packet_id, codes });
            }
            Packet::Unsubscribe { packet_id, .. } => {
                cx.send(CloudOutput::UnsubAck { connection, packet_id });
            }
            Packet::Acked { .. } | Packet::Publish { .. } => {}
        }
    }

    fn end_registering(&mut self, connection: ConnectionId, cx: &mut CloudCx<'_>) {
        self.sessions.by_connection.remove(&connection);
        cx.send(CloudOutput::Close { connection });
    }

    /// Closes registrations whose secret was not acknowledged.
    pub(super) fn close_expired(&mut self, cx: &mut CloudCx<'_>) {
        while let Some(&(at, connection)) = self.sessions.pushing.front()
            && at <= cx.now.mono
        {
            self.sessions.pushing.pop_front();
            if let Some(Session::Registering { .. }) = self.sessions.by_connection.get(&connection)
            {
                self.end_registering(connection, cx);
            }
        }
    }

    fn subscribe(
        &mut self,
        connection: ConnectionId,
        key: &Key,
        filter: String,
        qos: u8,
        cx: &mut CloudCx<'_>,
    ) -> u8 {
        let own = own_filter(key, &filter);
        let Some(Session::Online(online)) = self.sessions.by_connection.get_mut(&connection) else {
            return 0x80;
        };
        let known = online.subscriptions.contains(&filter);
        if own && (known || online.subscriptions.len() < MAX_SUBSCRIPTIONS) {
            if !known {
                if online.subscriptions.is_empty() {
                    online.subscriptions.reserve_exact(USUAL_SUBSCRIPTIONS);
                }
                online.subscriptions.push(filter);
            }
            qos.min(1)
        } else {
            let shown: String =
                filter.chars().filter(|c| !c.is_control()).take(MAX_TOPIC).collect();
            cx.log(What::Refused, key, format!("subscription to {shown}"));
            0x80
        }
    }

    fn too_fast(&mut self, connection: ConnectionId, cx: &CloudCx<'_>) -> bool {
        let second = cx.now.mono.0 / 1_000;
        match self.sessions.by_connection.get_mut(&connection) {
            Some(Session::Online(online)) => {
                if online.rate.0 != second {
                    online.rate = (second, 0);
                }
                online.rate.1 = online.rate.1.saturating_add(1);
                online.rate.1 > MAX_RATE
            }
            _ => false,
        }
    }

    pub(super) fn lost_session(&mut self, connection: ConnectionId, cx: &mut CloudCx<'_>) {
        if let Some(online) = self.sessions.remove(connection) {
            let now = cx.unix();
            self.registry.edit_device(&online.key, cx, |device| device.last_active = Some(now));
            cx.log(What::Offline, &online.key, "connection gone");
        }
    }

    /// Closes a device's session, if it has one.
    pub(super) fn close_session(&mut self, key: &Key, why: &'static str, cx: &mut CloudCx<'_>) {
        if let Some(connection) = self.sessions.of(key) {
            self.sessions.remove(connection);
            cx.send(CloudOutput::Close { connection });
            cx.log(What::Closed, key, why);
        }
    }

    /// Sends a command `{id, version, params, method}` on `/sys/{pk}/{dn}/{suffix}`. `false`: the device is offline.
    pub(super) fn downlink(
        &self,
        key: &Key,
        suffix: &str,
        method: &str,
        params: &str,
        cx: &mut CloudCx<'_>,
    ) -> bool {
        let Some(connection) = self.sessions.of(key) else { return false };
        let id = cx.rng.between(1, u64::from(u32::MAX)).to_string();
        let payload = Object::new()
            .string("id", &id)
            .string("version", "1.0")
            .raw("params", params)
            .string("method", method)
            .bytes();
        let topic = key.topic("/sys/", &["/", suffix].concat());
        cx.publish(connection, topic, QoS::AtLeastOnce, payload);
        true
    }
}

/// Whether the password is the device's, by the rule that its client id names.
fn proves(device: &Device, key: &Key, client: &ClientId<'_>, password: &Secret) -> bool {
    if client.field("authType").is_some() {
        return device.token_login.as_ref().is_some_and(|login| {
            login.client_id == client.name
                && SignMethod::matches(login.token.expose(), password.expose())
                && login.token == *password
        });
    }
    let Some(method) = sign_method(client) else { return false };
    let name = Name { product_key: key.product(), device_name: key.device() };
    let timestamp = client.field("timestamp");
    let ours = login_sign(method, name, &device.secret, client.name, timestamp);
    SignMethod::matches(ours.expose(), password.expose())
}

fn sign_method(client: &ClientId<'_>) -> Option<SignMethod> {
    client.field("signmethod")?.parse().ok()
}

/// One and a half times keep alive, as MQTT says.
fn silence(connect: &ConnectPacket) -> Duration {
    Duration::from_millis(u64::from(connect.keep_alive) * 1_500)
}

/// Whether the filter matches the topic of permits.
fn hears_permits_by(key: &Key, filter: &str) -> bool {
    const PERMIT: &str = "/thing/gateway/permit";
    key.after("/sys/", filter) == Some(PERMIT)
        || has_wildcards(filter) && filter_matches(filter, &key.topic("/sys/", PERMIT))
}

fn has_wildcards(filter: &str) -> bool {
    // Without a way out in the middle, so that many are looked at at a time.
    filter.bytes().fold(false, |any, byte| any | matches!(byte, b'#' | b'+'))
}

/// Whether every topic that the filter matches is the device's own.
fn own_filter(key: &Key, filter: &str) -> bool {
    let slashes = filter.bytes().filter(|&byte| byte == b'/').count();
    if filter.is_empty() || filter.len() > MAX_TOPIC || slashes > 7 {
        return false;
    }
    let inside = |before: &str| {
        let rest = key.after(before, filter).and_then(|rest| rest.strip_prefix('/'));
        rest.is_some_and(|rest| !rest.is_empty() && well_formed(rest))
    };
    let is = |before: &str| key.after(before, filter) == Some("");
    ["/sys/", "/", "/ext/session/", "/ext/rrpc/", "/ext/error/", "/ext/ntp/"]
        .into_iter()
        .any(inside)
        || ["/ota/device/upgrade/", "/ota/device/inform/", "/ota/device/progress/", "/ext/error/"]
            .into_iter()
            .any(is)
}

/// `#` only as the last level, `+` only as a whole level.
fn well_formed(filter: &str) -> bool {
    if !has_wildcards(filter) {
        return true;
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let wild = level.contains(['#', '+']);
        if (level == "#" && levels.peek().is_some()) || (wild && level.len() > 1) {
            return false;
        }
    }
    true
}

fn filter_matches(filter: &str, topic: &str) -> bool {
    let mut topic = topic.split('/');
    for level in filter.split('/') {
        match (level, topic.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (level, Some(part)) if level == part => {}
            _ => return false,
        }
    }
    topic.next().is_none()
}
