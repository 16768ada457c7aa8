//! The vendor's side, as strict as it is documented.
//!
//! [`login`] decides about CONNECT, [`topics`] about what a session may do, [`password`], [`ota`] and [`property`]
//! answer messages, [`operate`] carries out what operators want, [`records`] is what is kept and [`switches`] what can
//! be changed. Every look-up is by key; nothing walks over all devices but an operator's action
//! on all devices.

mod login;
mod operate;
mod ota;
mod password;
mod property;
mod records;
mod switches;
mod topics;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::cloud::{
    CloudCx, CloudOutput, CloudSide, ConnectPacket, ConnectionId, HttpRequest, Operation,
    OperationError, OperationResult, Packet, RequestId, What, decode,
};
use crate::http::Response;
use crate::output::QoS;
use crate::platform::ucloud::wire::{self, AuthMode};
use crate::time::Instant;

use records::{Device, Product, Report};
use switches::{Refusal, Switches};
use topics::{MAX_PACKET, Publishable, Subscriptions, Window};

/// Every downlink stays below the vendor's C SDK's receive buffer.
const MAX_DOWNLINK: usize = 2048;

/// Everything UCloud's side knows.
#[derive(Debug, Default)]
pub(crate) struct CloudState {
    products: BTreeMap<String, Product>,
    sessions: BTreeMap<ConnectionId, Session>,
    switches: Switches,
    next_request: u32,
}

/// One accepted login.
#[derive(Debug)]
struct Session {
    product: String,
    device: String,
    mode: AuthMode,
    /// Where the platform was told to refuse by RetCode: why this session gets no password.
    refused: Option<Refusal>,
    subscriptions: Subscriptions,
    window: Window,
}

impl Session {
    fn subject(&self) -> String {
        subject(&self.product, &self.device)
    }
}

/// `product/device`, for logs and as a key.
fn subject(product: &str, device: &str) -> String {
    [product, "/", device].concat()
}

/// One message of a device that is logged in with its own secret, and what it may touch.
struct Visit<'a, 'b> {
    connection: ConnectionId,
    session: &'a Session,
    product: &'a mut Product,
    cx: &'a mut CloudCx<'b>,
}

impl Visit<'_, '_> {
    /// Sends a message down, if the device listens there.
    fn down(&mut self, name: &'static str, payload: String) -> bool {
        down(self.connection, self.session, name, payload, self.cx)
    }

    fn dropped(&mut self, why: &'static str) {
        self.cx.log(What::Dropped, self.session.subject(), why);
    }

    fn device(&mut self) -> Option<&mut Device> {
        self.product.devices.get_mut(&self.session.device)
    }
}

/// Sends a message to a session at the QoS that it subscribed with.
fn down(
    connection: ConnectionId,
    session: &Session,
    name: &'static str,
    payload: String,
    cx: &mut CloudCx<'_>,
) -> bool {
    let Some(qos) = session.subscriptions.granted(name) else {
        cx.log(What::Dropped, session.subject(), ["nobody listens on ", name].concat());
        return false;
    };
    let topic = wire::system_topic(&session.product, &session.device, name);
    // Fixed header, topic length and packet identifier are at most 9 bytes.
    if topic.len() + payload.len() + 9 >= MAX_DOWNLINK {
        cx.log(What::Dropped, session.subject(), ["too long for a device: ", name].concat());
        return false;
    }
    cx.publish(connection, topic, qos, payload);
    true
}

impl CloudState {
    /// Ends a session from the cloud's side.
    fn close(&mut self, connection: ConnectionId, why: &'static str, cx: &mut CloudCx<'_>) {
        if let Some(session) = self.sessions.remove(&connection) {
            self.forget(connection, &session);
            cx.log(What::Closed, session.subject(), why);
            cx.send(CloudOutput::Close { connection });
        }
    }

    /// The device is no longer to be found at this connection.
    fn forget(&mut self, connection: ConnectionId, session: &Session) {
        if let Some(product) = self.products.get_mut(&session.product)
            && let Some(device) = product.devices.get_mut(&session.device)
        {
            device.online.take_if(|(online, _)| *online == connection);
        }
    }

    fn publish(
        &mut self,
        connection: ConnectionId,
        packet_id: Option<u16>,
        topic: &str,
        payload: &[u8],
        cx: &mut CloudCx<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(&connection) else { return };
        if !session.window.admits(topic.len() + payload.len(), cx.now.mono) {
            // (assumed) More than the platform's limit: dropped, and not acknowledged.
            if session.window.first_drop() {
                cx.log(
                    What::Dropped,
                    session.subject(),
                    "more than 30 messages or 1024 KB in a second",
                );
            }
            return;
        }
        // MQTT 3.1.1 knows no negative answer: what is not permitted is acknowledged, dropped and logged.
        if let Some(packet_id) = packet_id {
            cx.send(CloudOutput::PubAck { connection, packet_id });
        }
        let session: &Session = session;
        let Some(product) = self.products.get_mut(&session.product) else { return };
        let publishable = topics::publishable(topic, session);
        let mut visit = Visit { connection, session, product, cx };
        match publishable {
            Ok(Publishable::Password) => password::asked(payload, &self.switches, &mut visit),
            Ok(topic) => topic.take(payload, &mut visit),
            Err(why) => visit.dropped(why),
        }
    }

    fn subscribe(
        &mut self,
        connection: ConnectionId,
        packet_id: u16,
        filters: Vec<(String, u8)>,
        cx: &mut CloudCx<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(&connection) else { return };
        let mut codes = Vec::with_capacity(filters.len());
        for (filter, qos) in filters {
            match topics::subscribable(&filter, session) {
                Ok(filter) => {
                    let added = session.subscriptions.add(filter, qos);
                    if !added {
                        cx.log(What::Refused, session.subject(), "more than 100 subscriptions");
                    }
                    codes.push(if added { qos.min(1) } else { 0x80 });
                }
                Err(why) => {
                    cx.log(What::Refused, session.subject(), why);
                    codes.push(0x80);
                }
            }
        }
        cx.send(CloudOutput::SubAck { connection, packet_id, codes });
    }

    fn unsubscribe(
        &mut self,
        connection: ConnectionId,
        packet_id: u16,
        filters: &[String],
        cx: &mut CloudCx<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(&connection) else { return };
        for filter in filters {
            if let Ok(filter) = topics::subscribable(filter, session) {
                session.subscriptions.remove(&filter);
            }
        }
        cx.send(CloudOutput::UnsubAck { connection, packet_id });
    }
}

impl CloudSide for CloudState {
    fn load(&mut self, table: &str, key: &str, value: &[u8]) -> Result<(), crate::cbor::Fault> {
        let unreadable = || crate::cbor::Fault::Malformed;
        let mut names = key.splitn(3, '/');
        let (first, second, third) = (names.next().unwrap_or_default(), names.next(), names.next());
        if table == records::SWITCH {
            let value: String = decode(value)?;
            // A switch of another version of this program is of no use, and does no harm.
            let _ = self.switches.set(first, &value);
            return Ok(());
        }
        // The order of tables is the host's: a device may come before its product.
        let product = self.products.entry(first.to_string()).or_default();
        match table {
            records::PRODUCT => product.record = decode(value)?,
            records::DEVICE => {
                let name = second.ok_or_else(unreadable)?;
                product.device_entry(name).record = decode(value)?;
            }
            records::FIRMWARE => {
                let image = decode(value)?;
                product.add_firmware(image);
            }
            records::UPGRADE => {
                let device = second.ok_or_else(unreadable)?;
                product.upgrades.entry(device.to_string()).or_default().push(decode(value)?);
            }
            records::REPORT => {
                let (device, _slot) = second.zip(third).ok_or_else(unreadable)?;
                let report: Report = decode(value)?;
                product.device_entry(device).extra().load_report(report);
            }
            records::PROPERTIES => {
                let device = second.ok_or_else(unreadable)?;
                product.device_entry(device).extra().properties = decode(value)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn connect(&mut self, connection: ConnectionId, connect: ConnectPacket, cx: &mut CloudCx<'_>) {
        login::connect(self, connection, &connect, cx);
    }

    fn packet(&mut self, connection: ConnectionId, packet: Packet, cx: &mut CloudCx<'_>) {
        match packet {
            Packet::Publish { retain: true, .. } => {
                self.close(connection, "retained messages are not supported", cx);
            }
            Packet::Publish { qos: 2.., .. } => {
                self.close(connection, "QoS 2 is not supported", cx);
            }
            Packet::Publish { packet_id, topic, payload, .. } => {
                let payload = payload.expose();
                if topic.len() + payload.len() + 9 > MAX_PACKET {
                    self.close(connection, "a packet of more than 256 KB", cx);
                } else {
                    self.publish(connection, packet_id, &topic, payload, cx);
                }
            }
            Packet::Subscribe { packet_id, filters } => {
                self.subscribe(connection, packet_id, filters, cx);
            }
            Packet::Unsubscribe { packet_id, filters } => {
                self.unsubscribe(connection, packet_id, &filters, cx);
            }
            // No message is kept to be sent again: a device that missed an order asks for it.
            Packet::Acked { .. } => {}
            Packet::Disconnect => {
                if let Some(session) = self.sessions.remove(&connection) {
                    self.forget(connection, &session);
                    cx.log(What::Offline, session.subject(), "the device disconnected");
                }
            }
        }
    }

    fn lost(&mut self, connection: ConnectionId, cx: &mut CloudCx<'_>) {
        if let Some(session) = self.sessions.remove(&connection) {
            self.forget(connection, &session);
            cx.log(What::Offline, session.subject(), "the connection is gone");
        }
    }

    fn serves(_path: &str) -> bool {
        // The vendor's HTTP door (`/auth`, `/topic/…`) is not built.
        false
    }

    fn request(&mut self, id: RequestId, _request: HttpRequest, cx: &mut CloudCx<'_>) {
        cx.respond(id, Response { status: 404, headers: Vec::new(), body: Vec::new() });
    }

    fn operate(
        &mut self,
        operation: Operation,
        cx: &mut CloudCx<'_>,
    ) -> Result<OperationResult, OperationError> {
        operate::operate(self, operation.action, cx)
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn expired(&mut self, _cx: &mut CloudCx<'_>) {}
}

/// The lower of what was asked for and what exists.
fn granted(qos: u8) -> QoS {
    if qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce }
}
