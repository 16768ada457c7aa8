//! The vendor's side: API Gateway, the business behind it, and the platform that devices connect to.
//!
//! Three layers, each in its own modules. [`gateway`] decides who calls; [`business`] with [`provisioning`],
//! [`discovery`], [`topology`] and [`account`] answers the owner's calls; [`registration`], [`mqtt`], [`topics`] and
//! [`upgrade`] speak with devices; [`operator`] is the console. [`registry`] keeps everything, [`switches`] names every
//! choice that the document leaves open.
//!
//! Sources: the seed document "Device provisioning service" for the eight calls; API Gateway pages 43906 and 143207;
//! help pages of the IoT Platform for what devices do. `docs/protocols/alibaba.md` lists what is assumed.

mod account;
mod business;
mod discovery;
mod gateway;
mod mqtt;
mod operator;
mod provisioning;
mod registration;
mod registry;
mod switches;
mod topics;
mod topology;
mod upgrade;

use crate::cloud::{
    CloudCx, CloudSide, ConnectPacket, ConnectionId, HttpRequest, Operation, OperationError,
    OperationResult, Packet, RequestId,
};
use crate::time::Instant;

/// The longest name, random or signature that a stranger may send.
const MAX_NAME: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct CloudState {
    registry: registry::Registry,
    gateway: gateway::Gateway,
    discovery: discovery::Discovery,
    sessions: mqtt::Sessions,
}

const REGISTER: &str = "/auth/register/device";

impl CloudSide for CloudState {
    fn load(&mut self, table: &str, key: &str, value: &[u8]) -> Result<(), crate::cbor::Fault> {
        self.registry.load(table, key, value)
    }

    fn connect(&mut self, connection: ConnectionId, connect: ConnectPacket, cx: &mut CloudCx<'_>) {
        self.accept(connection, &connect, cx);
    }

    fn packet(&mut self, connection: ConnectionId, packet: Packet, cx: &mut CloudCx<'_>) {
        self.handle_packet(connection, packet, cx);
    }

    fn lost(&mut self, connection: ConnectionId, cx: &mut CloudCx<'_>) {
        self.lost_session(connection, cx);
    }

    /// Signatures cover the path, so the vendor's own paths are at the root.
    fn serves(path: &str) -> bool {
        path == REGISTER
            || ["/awss/", "/thing/", "/account/", "/kit/", "/living/"]
                .iter()
                .any(|prefix| path.starts_with(prefix))
    }

    fn request(&mut self, id: RequestId, request: HttpRequest, cx: &mut CloudCx<'_>) {
        if request.path == REGISTER {
            self.register_over_http(id, &request, cx);
        } else {
            self.call(id, &request, cx);
        }
    }

    fn operate(
        &mut self,
        operation: Operation,
        cx: &mut CloudCx<'_>,
    ) -> Result<OperationResult, OperationError> {
        self.operated(operation, cx)
    }

    fn deadline(&self) -> Option<Instant> {
        self.sessions.deadline()
    }

    fn expired(&mut self, cx: &mut CloudCx<'_>) {
        self.close_expired(cx);
    }
}
