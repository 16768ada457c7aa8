//! Devices and clouds in one process, on simulated time: what tests, benchmarks and the cloud in a browser tab run.
//!
//! A [`World`] carries out an agent's commands against a [`Cloud`] without packets: it is the network, the storage and
//! the clock. Faults are a [`Fault`] for each message that crosses the link, and a power cut after any output.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use sha2::{Digest, Sha256};

use crate::cloud::{
    Cloud, CloudConfig, CloudInput, CloudOutput, ConnectPacket, ConnectionId, HttpRequest,
    LogEntry, Operation, OperationError, OperationResult, Packet, RequestId,
};
use crate::error::{ApiMisuse, Failure, LocalFailure};
use crate::http::Request;
use crate::input::{Ack, Answer, Closed, Downloaded, Input, Intent, Message, Outcome, Progress};
use crate::output::{Command, Event, Output, QoS, StoreKey, Token};
use crate::platform::{Config, PlatformName};
use crate::secret::SecretBytes;
use crate::time::{Instant, Now, UnixTime};
use crate::{Agent, Stored, hex};

/// Names a device of a [`World`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceId(pub usize);

/// What crosses the link, for a fault to look at or to rewrite.
#[derive(Debug)]
#[non_exhaustive]
pub enum Crossing<'a> {
    /// PUBLISH from the device.
    Up {
        /// Topic name.
        topic: &'a str,
        /// Payload.
        payload: &'a mut Vec<u8>,
    },
    /// PUBLISH to the device.
    Down {
        /// Topic name.
        topic: &'a str,
        /// Payload.
        payload: &'a mut Vec<u8>,
    },
    /// CONNECT.
    Connect,
    /// CONNACK, with its code.
    ConnAck(&'a mut u8),
    /// PUBACK or SUBACK to the device.
    Ack,
    /// HTTP request from the device: its path and body.
    Request {
        /// URL.
        url: &'a str,
        /// Body.
        body: &'a mut Vec<u8>,
    },
    /// HTTP response to the device.
    Response {
        /// Status.
        status: &'a mut u16,
        /// Body.
        body: &'a mut Vec<u8>,
    },
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It arrives.
    None,
    /// It does not.
    Lose,
    /// It arrives twice.
    Duplicate,
    /// It arrives later by this much.
    Delay(Duration),
}

type FaultFn = Box<dyn FnMut(DeviceId, Crossing<'_>) -> Fault>;

/// Clouds, devices, and time.
pub struct World {
    /// The clouds.
    pub cloud: Cloud,
    /// What the clouds logged.
    pub log: Vec<LogEntry>,
    /// What the clouds persisted, as a host's database would hold it.
    pub kept: BTreeMap<(PlatformName, &'static str, String), SecretBytes>,
    /// Images by URL.
    pub images: BTreeMap<String, Vec<u8>>,
    devices: Vec<Device>,
    now: Now,
    latency: Duration,
    queue: BTreeMap<(Instant, u64), Arrival>,
    sequence: u64,
    cloud_deadline: Option<Instant>,
    fault: Option<FaultFn>,
    connections: BTreeMap<ConnectionId, (DeviceId, Token)>,
    requests: BTreeMap<RequestId, Caller>,
    acks: BTreeMap<(ConnectionId, u16), Token>,
    next_id: u64,
    operated: BTreeMap<RequestId, Result<OperationResult, OperationError>>,
    responses: BTreeMap<RequestId, crate::http::Response>,
    record: bool,
}

/// Who waits for an HTTP response.
enum Caller {
    Device(DeviceId, u64, Token),
    Outside,
}

/// One device and what it has on its storage.
struct Device {
    config: Config,
    stored: Stored,
    agent: Option<Agent>,
    /// Counts power-ups: answers to an earlier life are not delivered.
    life: u64,
    connection: Option<(ConnectionId, Token)>,
    deadline: Option<Instant>,
    events: Vec<(Instant, Event)>,
    outputs: u64,
    cut_after: Option<u64>,
    stores_fail: bool,
    staged: Option<(String, Vec<u8>)>,
    installed: Vec<String>,
    downloads: BTreeMap<Token, ()>,
    recording: Option<Recording>,
}

/// Everything that decided what a device did in one life, for playing it to another executor of the same code.
#[derive(Clone, Debug)]
pub struct Recording {
    /// What was stored when it was switched on.
    pub stored: Stored,
    /// Its seed.
    pub seed: [u8; 32],
    /// When it was switched on.
    pub born: Now,
    /// Its inputs, each with its time.
    pub inputs: Vec<(Now, Input)>,
}

/// Something on its way.
enum Arrival {
    ToCloud(CloudInput),
    ToDevice(DeviceId, u64, Input),
}

impl core::fmt::Debug for World {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now)
            .field("devices", &self.devices.len())
            .finish_non_exhaustive()
    }
}

/// The wall clock at which a world begins: 2026-01-01T00:00:00Z.
pub const EPOCH_MS: u64 = 1_767_225_600_000;

impl World {
    /// An empty cloud and no devices. `latency` is what every crossing takes.
    pub fn new(latency: Duration) -> Self {
        let now = Now::new(0, EPOCH_MS);
        Self {
            cloud: Cloud::new(CloudConfig::default(), [7; 32], now),
            log: Vec::new(),
            kept: BTreeMap::new(),
            images: BTreeMap::new(),
            devices: Vec::new(),
            now,
            latency,
            queue: BTreeMap::new(),
            sequence: 0,
            cloud_deadline: None,
            fault: None,
            connections: BTreeMap::new(),
            requests: BTreeMap::new(),
            acks: BTreeMap::new(),
            next_id: 1,
            operated: BTreeMap::new(),
            responses: BTreeMap::new(),
            record: false,
        }
    }

    /// The time.
    pub fn now(&self) -> Now {
        self.now
    }

    /// Sets the wall clock without moving the monotonic one, as an owner or NTP may.
    pub fn jump_wall_clock(&mut self, unix_ms: u64) {
        self.now.unix = Some(UnixTime(unix_ms));
    }

    /// Takes the wall clock away: devices and clouds know the monotonic one alone.
    pub fn forget_wall_clock(&mut self) {
        self.now.unix = None;
    }

    /// Looks at (and may spoil) every crossing from now on.
    pub fn set_fault(&mut self, fault: impl FnMut(DeviceId, Crossing<'_>) -> Fault + 'static) {
        self.fault = Some(Box::new(fault));
    }

    /// Lets everything cross again.
    pub fn clear_fault(&mut self) {
        self.fault = None;
    }

    /// Adds a device and switches it on.
    pub fn add(&mut self, config: Config, stored: Stored) -> Result<DeviceId, ApiMisuse> {
        let id = DeviceId(self.devices.len());
        self.devices.push(Device {
            config,
            stored,
            agent: None,
            life: 0,
            connection: None,
            deadline: None,
            events: Vec::new(),
            outputs: 0,
            cut_after: None,
            stores_fail: false,
            staged: None,
            installed: Vec::new(),
            downloads: BTreeMap::new(),
            recording: None,
        });
        self.power_on(id)?;
        Ok(id)
    }

    /// Switches a device on, with a configuration of its own choice from now on.
    pub fn power_on_with(&mut self, id: DeviceId, config: Config) -> Result<(), ApiMisuse> {
        self.devices[id.0].config = config;
        self.power_on(id)
    }

    /// Switches a device on: it starts from what it stored.
    pub fn power_on(&mut self, id: DeviceId) -> Result<(), ApiMisuse> {
        let now = self.now;
        let device = &mut self.devices[id.0];
        device.life += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&(id.0 as u64).to_le_bytes());
        seed[8..16].copy_from_slice(&device.life.to_le_bytes());
        device.agent = Some(Agent::new(device.config.clone(), device.stored.clone(), seed, now)?);
        if self.record {
            let stored = device.stored.clone();
            device.recording = Some(Recording { stored, seed, born: now, inputs: Vec::new() });
        }
        self.drain(id);
        Ok(())
    }

    /// Cuts a device's power. Its connection breaks; what it stored stays.
    pub fn cut_power(&mut self, id: DeviceId) {
        let device = &mut self.devices[id.0];
        device.agent = None;
        device.life += 1;
        device.deadline = None;
        device.downloads.clear();
        if let Some((connection, _)) = device.connection.take() {
            self.connections.remove(&connection);
            self.reach_cloud(CloudInput::Lost { connection }, Duration::ZERO);
        }
    }

    /// Cuts a device's power right after its `n`th output from now was carried out.
    pub fn cut_power_after(&mut self, id: DeviceId, n: u64) {
        let device = &mut self.devices[id.0];
        device.cut_after = Some(device.outputs + n);
    }

    /// Whether the device is on.
    pub fn is_on(&self, id: DeviceId) -> bool {
        self.devices[id.0].agent.is_some()
    }

    /// How many outputs a device has made, over all its lives.
    pub fn outputs(&self, id: DeviceId) -> u64 {
        self.devices[id.0].outputs
    }

    /// Makes a device's stores fail, or work again.
    pub fn fail_stores(&mut self, id: DeviceId, fail: bool) {
        self.devices[id.0].stores_fail = fail;
    }

    /// Breaks a device's connection, as a network does.
    pub fn break_connection(&mut self, id: DeviceId) {
        let life = self.devices[id.0].life;
        if let Some((connection, token)) = self.devices[id.0].connection.take() {
            self.connections.remove(&connection);
            self.reach_cloud(CloudInput::Lost { connection }, Duration::ZERO);
            let lost = Input::Closed(token, Closed::Failed(Failure::Lost));
            self.reach_device(id, life, lost, Duration::ZERO);
        }
    }

    /// What a device has on its storage.
    pub fn stored(&self, id: DeviceId) -> &Stored {
        &self.devices[id.0].stored
    }

    /// What a device told people, with the time of each.
    pub fn events(&self, id: DeviceId) -> &[(Instant, Event)] {
        &self.devices[id.0].events
    }

    /// Forgets the events so far.
    pub fn clear_events(&mut self, id: DeviceId) {
        self.devices[id.0].events.clear();
    }

    /// Versions that a device installed, in order.
    pub fn installed(&self, id: DeviceId) -> &[String] {
        &self.devices[id.0].installed
    }

    /// A running agent.
    pub fn agent(&self, id: DeviceId) -> Option<&Agent> {
        self.devices[id.0].agent.as_ref()
    }

    /// A running agent, to look into its snapshot.
    pub fn agent_mut(&mut self, id: DeviceId) -> Option<&mut Agent> {
        self.devices[id.0].agent.as_mut()
    }

    /// Replaces a running agent by one restored from its own snapshot.
    pub fn swap_agent(&mut self, id: DeviceId) -> Result<(), ApiMisuse> {
        let now = self.now;
        let device = &mut self.devices[id.0];
        if let Some(agent) = &mut device.agent {
            device.agent = Some(Agent::restore(device.config.clone(), &agent.save(), now)?);
        }
        Ok(())
    }

    /// Gives an input to a device now.
    pub fn input(&mut self, id: DeviceId, input: Input) -> Result<(), ApiMisuse> {
        let now = self.now;
        let device = &mut self.devices[id.0];
        let Some(agent) = device.agent.as_mut() else { return Ok(()) };
        if let Some(recording) = &mut device.recording {
            recording.inputs.push((now, input.clone()));
        }
        let result = agent.handle_input(input, now);
        self.drain(id);
        result
    }

    /// Records devices from their next power-up on.
    pub fn record(&mut self) {
        self.record = true;
    }

    /// The recording of a device's latest life.
    pub fn recording(&self, id: DeviceId) -> Option<&Recording> {
        self.devices[id.0].recording.as_ref()
    }

    /// What a person wants of a device.
    pub fn intent(&mut self, id: DeviceId, intent: Intent) -> Result<(), ApiMisuse> {
        self.input(id, Input::User(intent))
    }

    /// An operator's action, answered at once.
    pub fn operate(&mut self, operation: Operation) -> Result<OperationResult, OperationError> {
        let id = self.fresh_request();
        self.cloud_input(CloudInput::Operate { id, operation });
        self.operated
            .remove(&id)
            .unwrap_or_else(|| Err(OperationError::unsupported("the cloud did not answer")))
    }

    /// An HTTP request from outside (an app, a test), answered at once.
    pub fn http(&mut self, request: HttpRequest) -> Option<crate::http::Response> {
        let id = self.fresh_request();
        self.requests.insert(id, Caller::Outside);
        self.cloud_input(CloudInput::Request { id, request });
        self.responses.remove(&id)
    }

    /// Hands an input straight to the cloud, as a client of a test's own making.
    pub fn cloud_input(&mut self, input: CloudInput) {
        let now = self.now;
        self.cloud.handle_input(input, now);
        self.drain_cloud();
    }

    /// Does the next thing that is due, moving time to it. `false`: nothing will ever happen again.
    pub fn step(&mut self) -> bool {
        let arrival = self.queue.first_key_value().map(|(&(at, _), _)| at);
        let device =
            self.devices.iter().enumerate().filter_map(|(i, d)| d.deadline.map(|at| (at, i))).min();
        let earliest =
            [arrival, device.map(|(at, _)| at), self.cloud_deadline].into_iter().flatten().min();
        let Some(at) = earliest else { return false };
        self.move_to(at);
        if arrival == Some(at) {
            if let Some((_, arrival)) = self.queue.pop_first() {
                self.arrive(arrival);
            }
        } else if let Some((when, i)) = device.filter(|&(when, _)| when == at) {
            debug_assert_eq!(when, at);
            self.devices[i].deadline = None;
            let _ = self.input(DeviceId(i), Input::Timeout);
        } else {
            self.cloud_deadline = None;
            self.cloud_input(CloudInput::Timeout);
        }
        true
    }

    /// Steps until `done`, for at most `limit` of simulated time. Returns whether it was.
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&World) -> bool) -> bool {
        let end = self.now.mono + limit;
        // A flow that goes round in one instant is a bug; this guard turns it into a failing test.
        let mut steps_without_time = 0u32;
        loop {
            if done(self) {
                return true;
            }
            let before = self.now.mono;
            let next = self.next_due();
            if next.is_none_or(|at| at > end) {
                self.move_to(end);
                return done(self);
            }
            self.step();
            steps_without_time = if self.now.mono == before { steps_without_time + 1 } else { 0 };
            if steps_without_time > 100_000 {
                return false;
            }
        }
    }

    /// Lets time pass.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    fn next_due(&self) -> Option<Instant> {
        let arrival = self.queue.first_key_value().map(|(&(at, _), _)| at);
        let device = self.devices.iter().filter_map(|d| d.deadline).min();
        [arrival, device, self.cloud_deadline].into_iter().flatten().min()
    }

    fn move_to(&mut self, at: Instant) {
        let passed = at.millis_since(self.now.mono);
        self.now.mono = self.now.mono.max(at);
        self.now.unix = self.now.unix.map(|UnixTime(ms)| UnixTime(ms + passed));
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::ToCloud(input) => self.cloud_input(input),
            Arrival::ToDevice(id, life, input) => {
                if self.devices[id.0].life == life {
                    let _ = self.input(id, input);
                }
            }
        }
    }

    fn schedule(&mut self, arrival: Arrival, after: Duration) {
        self.sequence += 1;
        self.queue.insert((self.now.mono + after, self.sequence), arrival);
    }

    fn reach_cloud(&mut self, input: CloudInput, more: Duration) {
        self.schedule(Arrival::ToCloud(input), self.latency + more);
    }

    fn reach_device(&mut self, id: DeviceId, life: u64, input: Input, more: Duration) {
        self.schedule(Arrival::ToDevice(id, life, input), self.latency + more);
    }

    fn fault(&mut self, id: DeviceId, crossing: Crossing<'_>) -> Fault {
        self.fault.as_mut().map_or(Fault::None, |fault| fault(id, crossing))
    }

    fn fresh_request(&mut self) -> RequestId {
        self.next_id += 1;
        RequestId(self.next_id)
    }

    /// Carries out what an agent wants.
    fn drain(&mut self, id: DeviceId) {
        loop {
            let device = &mut self.devices[id.0];
            let Some(agent) = device.agent.as_mut() else { return };
            let output = agent.poll_output();
            match output {
                Output::Timeout(at) => {
                    device.deadline = at;
                    return;
                }
                Output::Event(event) => device.events.push((self.now.mono, event)),
                Output::Command(command) => self.carry_out(id, command),
            }
            let device = &mut self.devices[id.0];
            device.outputs += 1;
            if device.cut_after == Some(device.outputs) {
                device.cut_after = None;
                self.cut_power(id);
                return;
            }
        }
    }

    fn carry_out(&mut self, id: DeviceId, command: Command) {
        let life = self.devices[id.0].life;
        match command {
            Command::Connect(token, connect) => {
                self.next_id += 1;
                let connection = ConnectionId(self.next_id);
                self.devices[id.0].connection = Some((connection, token));
                self.connections.insert(connection, (id, token));
                let fault = self.fault(id, Crossing::Connect);
                let input = CloudInput::Connect {
                    connection,
                    platform: self.devices[id.0].config.identity().platform,
                    connect: ConnectPacket {
                        protocol_level: 4,
                        client_id: connect.client_id,
                        username: Some(connect.username),
                        password: Some(connect.password),
                        keep_alive: connect.keep_alive,
                        clean_session: true,
                        will: false,
                    },
                };
                if fault == Fault::Lose {
                    self.devices[id.0].connection = None;
                    self.connections.remove(&connection);
                    let failed = Input::Closed(token, Closed::Failed(Failure::Unreachable));
                    self.reach_device(id, life, failed, Duration::ZERO);
                } else {
                    self.reach_cloud(input, delay(fault));
                }
            }
            Command::Close(token) => {
                if let Some((connection, _)) =
                    self.devices[id.0].connection.take_if(|(_, t)| *t == token)
                {
                    self.connections.remove(&connection);
                    let packet = Packet::Disconnect;
                    self.reach_cloud(CloudInput::Packet { connection, packet }, Duration::ZERO);
                    self.reach_cloud(CloudInput::Lost { connection }, Duration::ZERO);
                }
                self.reach_device(
                    id,
                    life,
                    Input::Closed(token, Closed::Requested),
                    Duration::ZERO,
                );
            }
            Command::Subscribe(token, subscribe) => {
                if let Some((connection, _)) = self.devices[id.0].connection {
                    let packet_id = self.packet_id(connection, token);
                    let filters = alloc::vec![(subscribe.topic, subscribe.qos as u8)];
                    let packet = Packet::Subscribe { packet_id, filters };
                    self.reach_cloud(CloudInput::Packet { connection, packet }, Duration::ZERO);
                }
            }
            Command::Publish(token, publish) => {
                let Some((connection, _)) = self.devices[id.0].connection else { return };
                let mut payload = publish.payload.expose().to_vec();
                let fault =
                    self.fault(id, Crossing::Up { topic: &publish.topic, payload: &mut payload });
                let packet_id = match publish.qos {
                    QoS::AtMostOnce => {
                        let acked = Input::Acked(token, Ack::Published);
                        self.reach_device(id, life, acked, Duration::ZERO);
                        None
                    }
                    QoS::AtLeastOnce => Some(self.packet_id(connection, token)),
                };
                let copies = copies(fault);
                for _ in 0..copies {
                    let packet = Packet::Publish {
                        packet_id,
                        topic: publish.topic.clone(),
                        qos: publish.qos as u8,
                        retain: false,
                        payload: SecretBytes::new(payload.clone()),
                    };
                    self.reach_cloud(CloudInput::Packet { connection, packet }, delay(fault));
                }
            }
            Command::Request(token, request) => {
                let mut request = request;
                let (url, body) = (&request.url, &mut request.body);
                let fault = self.fault(id, Crossing::Request { url, body });
                for _ in 0..copies(fault) {
                    let request_id = self.fresh_request();
                    self.requests.insert(request_id, Caller::Device(id, life, token));
                    let request = to_server(request.clone());
                    self.reach_cloud(CloudInput::Request { id: request_id, request }, delay(fault));
                }
            }
            Command::Store(token, key, value) => self.store(id, life, token, key, Some(value)),
            Command::Erase(token, key) => self.store(id, life, token, key, None),
            Command::Download(token, download) => self.fetch(id, life, token, &download),
            Command::CancelDownload(token) => {
                self.devices[id.0].downloads.remove(&token);
            }
            Command::Install(token, install) => {
                let device = &mut self.devices[id.0];
                let staged = device.staged.take().filter(|(sha256, _)| *sha256 == install.sha256);
                let outcome = if staged.is_some() {
                    device.installed.push(install.version);
                    Outcome::Done
                } else {
                    Outcome::Failed(LocalFailure::Install)
                };
                self.schedule(
                    Arrival::ToDevice(id, life, Input::Installed(token, outcome)),
                    Duration::ZERO,
                );
            }
        }
    }

    fn packet_id(&mut self, connection: ConnectionId, token: Token) -> u16 {
        // 65,535 unacknowledged packets of one connection do not happen in a simulation.
        let packet_id = (token.0 % 65_535) as u16 + 1;
        self.acks.insert((connection, packet_id), token);
        packet_id
    }

    fn store(
        &mut self,
        id: DeviceId,
        life: u64,
        token: Token,
        key: StoreKey,
        value: Option<SecretBytes>,
    ) {
        let device = &mut self.devices[id.0];
        let outcome = if device.stores_fail {
            Outcome::Failed(LocalFailure::Store)
        } else {
            match value {
                Some(value) => device.stored.insert(key, value),
                None => device.stored.remove(key),
            }
            Outcome::Done
        };
        self.schedule(Arrival::ToDevice(id, life, Input::Stored(token, outcome)), Duration::ZERO);
    }

    fn fetch(&mut self, id: DeviceId, life: u64, token: Token, download: &crate::output::Download) {
        // A signature in the query is the server's matter, and this server is generous.
        let bare = download.url.split('?').next().unwrap_or_default();
        let end = match self.images.get(&download.url).or_else(|| self.images.get(bare)) {
            None => Downloaded::Failed(Failure::Status(404)),
            Some(image) if image.len() as u64 > download.max_size => {
                Downloaded::Failed(Failure::TooLarge)
            }
            Some(image) => {
                let sha256 = hex::lower(&Sha256::digest(image));
                let size = image.len() as u64;
                let md5 = md5_hex(image);
                self.devices[id.0].staged = Some((sha256.clone(), image.clone()));
                for half in [size / 2, size] {
                    let progress = Progress { received: half, total: Some(size) };
                    self.reach_device(id, life, Input::Progress(token, progress), Duration::ZERO);
                }
                Downloaded::Complete { size, md5, sha256 }
            }
        };
        self.reach_device(id, life, Input::Downloaded(token, end), Duration::from_millis(1));
    }

    /// Carries out what the cloud wants: changes are kept first, as in a host's transaction.
    fn drain_cloud(&mut self) {
        loop {
            match self.cloud.poll_output() {
                CloudOutput::Persist(change) => {
                    let key = (change.platform, change.table, change.key.into());
                    match change.value {
                        Some(value) => self.kept.insert(key, value),
                        None => self.kept.remove(&key),
                    };
                }
                CloudOutput::Timeout(at) => {
                    self.cloud_deadline = at;
                    return;
                }
                CloudOutput::Log(entry) => self.log.push(entry),
                CloudOutput::Operated { id, result } => {
                    self.operated.insert(id, result);
                }
                CloudOutput::Response { id, response } => self.answer(id, response),
                CloudOutput::ConnAck { connection, code, .. } => {
                    if let Some(&(id, token)) = self.connections.get(&connection) {
                        let mut code = code;
                        let fault = self.fault(id, Crossing::ConnAck(&mut code));
                        if fault == Fault::Lose {
                            continue;
                        }
                        let input = if code == 0 {
                            Input::Connected(token)
                        } else {
                            self.devices[id.0].connection.take_if(|(c, _)| *c == connection);
                            self.connections.remove(&connection);
                            Input::Closed(token, Closed::Refused(code))
                        };
                        self.reach_device(id, self.devices[id.0].life, input, delay(fault));
                    }
                }
                CloudOutput::SubAck { connection, packet_id, codes } => {
                    let ack = match codes.first() {
                        Some(0) => Ack::Subscribed(QoS::AtMostOnce),
                        Some(1) => Ack::Subscribed(QoS::AtLeastOnce),
                        _ => Ack::SubscribeRefused,
                    };
                    self.ack(connection, packet_id, ack);
                }
                CloudOutput::UnsubAck { .. } => {}
                CloudOutput::PubAck { connection, packet_id } => {
                    self.ack(connection, packet_id, Ack::Published);
                }
                CloudOutput::Publish { connection, token, topic, qos, payload } => {
                    if let Some(&(id, _)) = self.connections.get(&connection) {
                        let mut payload = payload.expose().to_vec();
                        let fault =
                            self.fault(id, Crossing::Down { topic: &topic, payload: &mut payload });
                        let life = self.devices[id.0].life;
                        for _ in 0..copies(fault) {
                            let payload = SecretBytes::new(payload.clone());
                            let message = Input::Message(Message { topic: topic.clone(), payload });
                            self.reach_device(id, life, message, delay(fault));
                        }
                        if qos == QoS::AtLeastOnce && fault != Fault::Lose {
                            let packet = Packet::Acked { token };
                            self.reach_cloud(
                                CloudInput::Packet { connection, packet },
                                self.latency,
                            );
                        }
                    }
                }
                CloudOutput::Close { connection } => {
                    if let Some((id, token)) = self.connections.remove(&connection) {
                        self.devices[id.0].connection.take_if(|(c, _)| *c == connection);
                        let closed = Input::Closed(token, Closed::Failed(Failure::Lost));
                        self.reach_device(id, self.devices[id.0].life, closed, Duration::ZERO);
                    }
                }
            }
        }
    }

    fn ack(&mut self, connection: ConnectionId, packet_id: u16, ack: Ack) {
        let Some(token) = self.acks.remove(&(connection, packet_id)) else { return };
        let Some(&(id, _)) = self.connections.get(&connection) else { return };
        let fault = self.fault(id, Crossing::Ack);
        for _ in 0..copies(fault) {
            self.reach_device(id, self.devices[id.0].life, Input::Acked(token, ack), delay(fault));
        }
    }

    fn answer(&mut self, request: RequestId, mut response: crate::http::Response) {
        match self.requests.remove(&request) {
            Some(Caller::Device(id, life, token)) => {
                let (status, body) = (&mut response.status, &mut response.body);
                let fault = self.fault(id, Crossing::Response { status, body });
                for _ in 0..copies(fault) {
                    let answer = Input::Response(token, Answer::Response(response.clone()));
                    self.reach_device(id, life, answer, delay(fault));
                }
            }
            Some(Caller::Outside) => {
                self.responses.insert(request, response);
            }
            None => {}
        }
    }
}

/// A client's request as the server sees it.
pub fn to_server(request: Request) -> HttpRequest {
    let Request { method, url, headers, body } = request;
    let rest = url.split_once("://").map_or(&*url, |(_, rest)| rest);
    let path_and_query = rest.find(['/', '?']).map_or("/", |at| &rest[at..]);
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let query = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key.to_string(), value.to_string())
        })
        .collect();
    HttpRequest { method, path: path.to_string(), query, headers, body }
}

fn copies(fault: Fault) -> usize {
    match fault {
        Fault::Lose => 0,
        Fault::None | Fault::Delay(_) => 1,
        Fault::Duplicate => 2,
    }
}

fn delay(fault: Fault) -> Duration {
    match fault {
        Fault::Delay(by) => by,
        _ => Duration::ZERO,
    }
}

fn md5_hex(bytes: &[u8]) -> String {
    use md5::{Digest as _, Md5};
    hex::lower(&Md5::digest(bytes))
}
