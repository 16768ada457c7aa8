//! The vendor's side: who may log in, who gets a secret, and which updates are under way.
//!
//! What the seed document leaves open is decided strictly here, each leniency being a named switch of the product:
//! see [`product::Rules`]. The records are in [`records`], what operators do in [`operate`].

mod operate;
mod product;
mod records;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use records::{Catalog, Device, Standing, UpgradeState};

use super::wire::{self, OtaPost, RegisterPost, Topic};
use crate::cloud::{
    CloudCx, CloudOutput, CloudSide, ConnectPacket, ConnectionId, HttpRequest, Operation,
    OperationError, OperationResult, Packet, RequestId, What,
};
use crate::http::Response;
use crate::output::QoS;
use crate::time::Instant;

/// CONNACK codes. 1, 4 and 5 for a missing name or password are those of the vendor's broker; 5 for what an operator
/// has to allow first is assumed.
const BAD_PROTOCOL: u8 = 1;
const BAD_PAIR: u8 = 4;
const NOT_AUTHORIZED: u8 = 5;
/// SUBACK for a topic that is not the device's.
const SUBSCRIBE_REFUSED: u8 = 0x80;
/// A device that was silent for this many keep alives is dropped (the vendor's broker).
const SILENCE: u32 = 4;
/// An order that was sent this often without success is a failure: the protocol has no other word for one.
const MAX_ORDERS: u32 = 10;

/// All krtyun products, devices and sessions.
#[derive(Debug, Default)]
pub(crate) struct CloudState {
    catalog: Catalog,
    sessions: BTreeMap<ConnectionId, Session>,
    /// When an issue that was not confirmed ends its session.
    confirm_by: BTreeSet<(Instant, ConnectionId)>,
}

/// One connection that was let in.
#[derive(Debug)]
struct Session {
    product: String,
    /// The user name: devices of a product share their ClientID.
    device: String,
    door: Door,
    /// The granted QoS, where subscribed. No other topic is ever published on, so no other has to be remembered.
    register_set: Option<QoS>,
    ota_set: Option<QoS>,
    confirm_by: Option<Instant>,
}

/// Which secret opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Product,
    Device,
}

impl CloudSide for CloudState {
    fn load(&mut self, table: &str, key: &str, value: &[u8]) -> Result<(), crate::cbor::Fault> {
        self.catalog.load(table, key, value)
    }

    fn connect(&mut self, connection: ConnectionId, connect: ConnectPacket, cx: &mut CloudCx<'_>) {
        let silence = match connect.keep_alive {
            0 => None,
            seconds => Some(Duration::from_secs(u64::from(seconds)) * SILENCE),
        };
        match self.admit(connect, cx) {
            Err(Refusal { code, subject, why }) => {
                cx.log(What::Refused, subject, why);
                cx.refuse(connection, code);
            }
            Ok(session) => {
                let subject = records::key(&session.product, &session.device);
                if let Some(device) = self.catalog.device_mut(&session.product, &session.device) {
                    device.last_active = Some(cx.unix());
                    // Its name is its identity: the older session goes.
                    if let Some(older) = device.online.replace(connection) {
                        self.forget(older);
                        cx.send(CloudOutput::Close { connection: older });
                        cx.log(What::Closed, subject.clone(), "the same user name logged in again");
                    }
                }
                cx.log(
                    What::Accepted,
                    subject,
                    match session.door {
                        Door::Product => "with the product's secret",
                        Door::Device => "with the device's secret",
                    },
                );
                self.sessions.insert(connection, session);
                cx.connack(connection, silence);
            }
        }
    }

    fn packet(&mut self, connection: ConnectionId, packet: Packet, cx: &mut CloudCx<'_>) {
        match packet {
            Packet::Publish { packet_id, topic, qos, payload, retain: _ } => {
                if qos > 1 {
                    // Neither the document nor any other of its kind uses QoS 2.
                    return self.expel(connection, "QoS 2 is not part of this platform", cx);
                }
                // Changes are kept ahead of every output, so the acknowledgement may be queued first: what the
                // message leads to follows it, as from the vendor's broker and the service behind it.
                if let Some(packet_id) = packet_id {
                    cx.send(CloudOutput::PubAck { connection, packet_id });
                }
                self.publish(connection, &topic, payload.expose(), cx);
            }
            Packet::Subscribe { packet_id, filters } => {
                self.subscribe(connection, packet_id, &filters, cx);
            }
            Packet::Unsubscribe { packet_id, filters } => {
                if let Some(session) = self.sessions.get_mut(&connection) {
                    for filter in &filters {
                        if let Some(slot) = session.slot(filter) {
                            *slot = None;
                        }
                    }
                }
                cx.send(CloudOutput::UnsubAck { connection, packet_id });
            }
            // Whether a device got an order shows in its answer.
            Packet::Acked { .. } => {}
            Packet::Disconnect => self.leave(connection, cx),
        }
    }

    fn lost(&mut self, connection: ConnectionId, cx: &mut CloudCx<'_>) {
        self.leave(connection, cx);
    }

    fn serves(_: &str) -> bool {
        false
    }

    fn request(&mut self, id: RequestId, _: HttpRequest, cx: &mut CloudCx<'_>) {
        cx.respond(id, Response { status: 404, headers: Vec::new(), body: Vec::new() });
    }

    fn operate(
        &mut self,
        operation: Operation,
        cx: &mut CloudCx<'_>,
    ) -> Result<OperationResult, OperationError> {
        self.act(operation.action, cx)
    }

    fn deadline(&self) -> Option<Instant> {
        self.confirm_by.first().map(|&(at, _)| at)
    }

    fn expired(&mut self, cx: &mut CloudCx<'_>) {
        while let Some(&(at, connection)) = self.confirm_by.first() {
            if at > cx.now.mono {
                break;
            }
            self.confirm_by.pop_first();
            self.expel(connection, "the secret was not confirmed in time", cx);
        }
    }
}

/// Why a login is refused.
struct Refusal {
    code: u8,
    subject: String,
    why: &'static str,
}

impl CloudState {
    /// Decides on a login. A device that may be created is created here, so that a full product refuses at the door.
    fn admit(&mut self, connect: ConnectPacket, cx: &mut CloudCx<'_>) -> Result<Session, Refusal> {
        let refusal = |code, subject, why| Err(Refusal { code, subject, why });
        if connect.protocol_level != 4 {
            return refusal(BAD_PROTOCOL, String::new(), "not MQTT 3.1.1");
        }
        let (product_id, device_id) = match (connect.username, &connect.password) {
            (Some(name), Some(password)) if !name.is_empty() && !password.is_empty() => {
                (connect.client_id, name)
            }
            _ => return refusal(NOT_AUTHORIZED, String::new(), "no user name or no password"),
        };
        let password = connect.password.as_ref().map(|p| p.expose()).unwrap_or_default();
        let Some(product) = self.catalog.products.get(&product_id) else {
            return refusal(BAD_PAIR, String::new(), "no such ProductID");
        };
        if !wire::is_name(&device_id) {
            return refusal(BAD_PAIR, product_id, "the user name can be no DeviceID");
        }
        let rules = &product.rules;
        let subject = || records::key(&product_id, &device_id);
        let by_product = password == product.secret.expose();
        let door = match self.catalog.devices.get(&product_id).and_then(|d| d.get(&device_id)) {
            Some(device) => {
                let by_device = password == device.secret.expose();
                if !by_device && !by_product {
                    return refusal(BAD_PAIR, subject(), "wrong secret");
                }
                if device.disabled {
                    return refusal(NOT_AUTHORIZED, subject(), "disabled");
                }
                match (by_device, &device.standing) {
                    (true, Standing::Issued { .. }) if !rules.login_confirms => {
                        return refusal(BAD_PAIR, subject(), "the secret is not confirmed yet");
                    }
                    (true, _) => Door::Device,
                    (false, _) if !rules.dynamic_register => {
                        return refusal(NOT_AUTHORIZED, subject(), "DynamicRegister is off");
                    }
                    (false, Standing::Active) if !rules.product_login_after_activation => {
                        return refusal(BAD_PAIR, subject(), "active: only its own secret counts");
                    }
                    (false, _) => Door::Product,
                }
            }
            None if !by_product => return refusal(BAD_PAIR, subject(), "wrong secret"),
            None if !rules.dynamic_register => {
                return refusal(NOT_AUTHORIZED, subject(), "DynamicRegister is off");
            }
            None if !rules.auto_create => {
                return refusal(NOT_AUTHORIZED, subject(), "not listed, and AutoCreate is off");
            }
            None => {
                let limit = rules.auto_create_limit;
                let devices = self.catalog.devices.get(&product_id);
                if devices.is_some_and(|d| {
                    d.auto_created() >= limit || d.len() >= cx.limits.devices_per_product
                }) || limit == 0
                {
                    return refusal(NOT_AUTHORIZED, subject(), "AutoCreateLimit is reached");
                }
                let device = Device::new(cx.rng.alphanumeric(records::SECRET_LEN), true);
                self.catalog.insert_device(&product_id, &device_id, device, cx);
                Door::Product
            }
        };
        if door == Door::Device {
            self.catalog.change_device(&product_id, &device_id, cx, |device, cx| {
                if device.standing == Standing::Active {
                    return false;
                }
                device.standing = Standing::Active;
                cx.log(What::Activated, records::key(&product_id, &device_id), "by its login");
                true
            });
        }
        Ok(Session {
            product: product_id,
            device: device_id,
            door,
            register_set: None,
            ota_set: None,
            confirm_by: None,
        })
    }

    fn subscribe(
        &mut self,
        connection: ConnectionId,
        packet_id: u16,
        filters: &[(String, u8)],
        cx: &mut CloudCx<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(&connection) else { return };
        let strict = self.catalog.rules(&session.product).check_topics;
        let mut codes = Vec::with_capacity(filters.len());
        let mut ota = false;
        for (filter, asked) in filters {
            let qos = if *asked == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
            if strict && !session.may_subscribe(filter) {
                cx.log(What::Refused, session.subject(), "a subscription beyond its own topics");
                codes.push(SUBSCRIBE_REFUSED);
                continue;
            }
            // There are no wildcards here, as in the vendor's broker: a filter matches the topic that it spells.
            if let Some(slot) = session.slot(filter) {
                *slot = Some(qos);
                ota |= session.door == Door::Device && session.is_ota_set(filter);
            }
            codes.push(qos as u8);
        }
        cx.send(CloudOutput::SubAck { connection, packet_id, codes });
        if ota {
            self.send_order(connection, cx);
        }
    }

    fn publish(
        &mut self,
        connection: ConnectionId,
        topic: &str,
        payload: &[u8],
        cx: &mut CloudCx<'_>,
    ) {
        let Some(session) = self.sessions.get(&connection) else { return };
        let door = session.door;
        let Some(own) = wire::own(topic, &session.product, &session.device) else {
            return cx.log(What::Dropped, session.subject(), "published on a topic of others");
        };
        match (Topic::parse(own), door) {
            (Some(Topic::RegisterPost), _) => self.register(connection, payload, cx),
            (Some(Topic::OtaPost), Door::Device) => self.ota(connection, payload, cx),
            (Some(Topic::OtaPost), Door::Product) => {
                cx.log(What::Dropped, session.subject(), "not registered yet");
            }
            _ => cx.log(What::Dropped, session.subject(), "nobody reads this topic"),
        }
    }

    fn register(&mut self, connection: ConnectionId, payload: &[u8], cx: &mut CloudCx<'_>) {
        let Self { catalog, sessions, confirm_by } = self;
        let Some(session) = sessions.get_mut(&connection) else { return };
        let (p, d) = (session.product.as_str(), session.device.as_str());
        let Some(product) = catalog.products.get(p) else { return };
        let (table, rules) = (&product.assumed, &product.rules);
        let post = match RegisterPost::parse(payload, table, rules.strict_register_body, (p, d)) {
            Ok(post) => post,
            Err(error) => {
                return cx.log(What::Dropped, session.subject(), records::explain(&error));
            }
        };
        let Some(device) = catalog.devices.get_mut(p).and_then(|all| all.get_mut(d)) else {
            return;
        };
        match (post, &device.standing) {
            // "后续收到设备鉴权命令将不再回复"
            (_, Standing::Active) => {
                cx.log(What::Dropped, session.subject(), "active already: no reply");
            }
            (_, _) if session.door == Door::Device => {}
            (RegisterPost::Request { id }, _) => {
                let Some(qos) = session.register_set else {
                    let why = "asked without a subscription to register/set: no reply";
                    return cx.log(What::Dropped, session.subject(), why);
                };
                if !rules.dynamic_register {
                    return cx.log(What::Dropped, session.subject(), "DynamicRegister is off");
                }
                let body = wire::issue(table, &id, &device.secret);
                device.standing = Standing::Issued { id };
                device.keep(p, d, cx);
                cx.log(What::SecretIssued, session.subject(), "");
                cx.publish(connection, Topic::RegisterSet.of(p, d), qos, body);
                if session.confirm_by.is_none() && rules.confirm_timeout_s > 0 {
                    let at = cx.now.mono + Duration::from_secs(rules.confirm_timeout_s);
                    session.confirm_by = Some(at);
                    confirm_by.insert((at, connection));
                }
            }
            (RegisterPost::Confirm { .. }, Standing::Inactive) => {
                cx.log(What::Dropped, session.subject(), "confirmed what was never issued");
            }
            (RegisterPost::Confirm { id: Some(id), .. }, Standing::Issued { id: issued })
                if id != *issued =>
            {
                cx.log(What::Dropped, session.subject(), "confirmed another ID");
            }
            (RegisterPost::Confirm { back, .. }, Standing::Issued { .. }) => {
                if back != wire::OK {
                    let why = "the device did not take the secret";
                    return self.expel(connection, why, cx);
                }
                device.standing = Standing::Active;
                device.keep(p, d, cx);
                cx.log(What::Activated, session.subject(), "");
                self.expel(connection, "registered: log in with the device's secret", cx);
            }
        }
    }

    fn ota(&mut self, connection: ConnectionId, payload: &[u8], cx: &mut CloudCx<'_>) {
        let Some(session) = self.sessions.get(&connection) else { return };
        let (p, d) = (session.product.as_str(), session.device.as_str());
        match OtaPost::parse(payload) {
            Err(error) => cx.log(What::Dropped, session.subject(), records::explain(&error)),
            Ok(OtaPost::Report { hardware, firmware }) => {
                cx.log(What::Reported, session.subject(), firmware.clone());
                self.catalog.reported(p, d, hardware, firmware, cx);
            }
            Ok(OtaPost::Back { id, back }) => {
                self.catalog.change_device(p, d, cx, |device, cx| {
                    let Some(upgrade) = device.upgrade.as_mut().filter(|u| u.id == id) else {
                        cx.log(What::Dropped, records::key(p, d), "answered an unknown order");
                        return false;
                    };
                    if upgrade.state != UpgradeState::Sent {
                        return false;
                    }
                    upgrade.answered(&back);
                    cx.log(What::Update, records::key(p, d), upgrade.state.name());
                    true
                });
            }
        }
    }

    /// Sends the order that a device has not fulfilled, now that it listens.
    fn send_order(&mut self, connection: ConnectionId, cx: &mut CloudCx<'_>) {
        let Some(session) = self.sessions.get(&connection) else { return };
        let (Some(qos), Door::Device) = (session.ota_set, session.door) else { return };
        let (p, d) = (session.product.as_str(), session.device.as_str());
        let Some(upgrade) = self.catalog.device(p, d).and_then(|d| d.upgrade.as_ref()) else {
            return;
        };
        let product = self.catalog.products.get(p);
        let image = product.and_then(|product| product.firmware(&upgrade.version));
        let url = image.map(|image| image.url.clone());
        self.catalog.change_device(p, d, cx, |device, cx| {
            let Some(upgrade) = device.upgrade.as_mut().filter(|u| u.state.is_open()) else {
                return false;
            };
            match url {
                Some(url) if upgrade.sent < MAX_ORDERS => {
                    upgrade.sent += 1;
                    upgrade.state = UpgradeState::Sent;
                    let body = wire::order(&upgrade.id, &url, &upgrade.version);
                    cx.publish(connection, Topic::OtaSet.of(p, d), qos, body);
                }
                Some(_) => upgrade.fail("ordered ten times, and never reported"),
                None => upgrade.fail("the image is not known any more"),
            }
            cx.log(What::Update, records::key(p, d), upgrade.state.name());
            true
        });
    }

    /// Closes a session from our side.
    fn expel(&mut self, connection: ConnectionId, why: &'static str, cx: &mut CloudCx<'_>) {
        if let Some(session) = self.sessions.get(&connection) {
            cx.log(What::Closed, session.subject(), why);
            self.leave(connection, cx);
            cx.send(CloudOutput::Close { connection });
        }
    }

    fn forget(&mut self, connection: ConnectionId) -> Option<Session> {
        let session = self.sessions.remove(&connection)?;
        if let Some(at) = session.confirm_by {
            self.confirm_by.remove(&(at, connection));
        }
        Some(session)
    }

    /// The session is over.
    fn leave(&mut self, connection: ConnectionId, cx: &mut CloudCx<'_>) {
        if let Some(session) = self.forget(connection) {
            cx.log(What::Offline, session.subject(), "");
            if let Some(device) = self.catalog.device_mut(&session.product, &session.device) {
                device.online.take_if(|online| *online == connection);
            }
        }
    }
}

impl Session {
    fn subject(&self) -> String {
        records::key(&self.product, &self.device)
    }

    /// Its own topics, spelled out; with the product's secret only those of the registration.
    fn may_subscribe(&self, filter: &str) -> bool {
        let Some(own) = wire::own(filter, &self.product, &self.device) else { return false };
        let allowed = match self.door {
            Door::Product => own.starts_with("thing/register/"),
            Door::Device => !own.is_empty(),
        };
        allowed && !own.contains(['+', '#'])
    }

    fn is_ota_set(&self, filter: &str) -> bool {
        wire::own(filter, &self.product, &self.device).and_then(Topic::parse) == Some(Topic::OtaSet)
    }

    /// Where the subscription to `filter` is remembered, if it is one that matters.
    fn slot(&mut self, filter: &str) -> Option<&mut Option<QoS>> {
        match Topic::parse(wire::own(filter, &self.product, &self.device)?)? {
            Topic::RegisterSet => Some(&mut self.register_set),
            Topic::OtaSet => Some(&mut self.ota_set),
            Topic::RegisterPost | Topic::OtaPost => None,
        }
    }
}
