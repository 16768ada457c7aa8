//! The one thread that owns the clouds.
//!
//! Inputs come through a bounded queue, from connections, requests and operators. A batch of them is handled, all
//! changes of the batch go into one transaction, and **only when that is on the disk are the batch's answers let go**:
//! the clouds acknowledge nothing that they have not kept. While one batch is being written the next one gathers, so
//! that many devices share the price of one write.
//!
//! If a commit fails, nothing of the batch is answered, every connection is closed, and the clouds are built again
//! from what the disk holds, as after a power cut. Until that succeeds every door says no.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use muster::cloud::{
    Change, Cloud, CloudConfig, CloudInput, CloudOutput, ConnectPacket, ConnectionId, HttpRequest,
    Operation, OperationError, OperationResult, Packet, RequestId,
};
use muster::http::Response;
use muster::{Now, PlatformName, UnixTime};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::firmware;
use super::journal::Journal;
use super::store::Store;
use crate::exit::Exit;

/// Inputs on their way to the engine. A full queue makes doors wait, and their clients with them.
const QUEUE: usize = 4_096;
/// Inputs whose changes share a transaction at most.
const BATCH: usize = 1_024;
/// Outputs on their way to one connection. A client that reads so slowly that this is full is cut off.
pub(crate) const CONNECTION_QUEUE: usize = 256;
/// The resolution of the clouds' clock.
const TICK: Duration = Duration::from_millis(1);
/// How long to wait before the database is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What the doors tell the engine.
enum Job {
    Connect {
        connection: ConnectionId,
        platform: PlatformName,
        connect: ConnectPacket,
        sink: mpsc::Sender<CloudOutput>,
    },
    Packet {
        connection: ConnectionId,
        packet: Packet,
    },
    Lost {
        connection: ConnectionId,
    },
    Request {
        request: HttpRequest,
        reply: oneshot::Sender<Response>,
    },
    Operate {
        operation: Operation,
        reply: oneshot::Sender<Result<OperationResult, OperationError>>,
    },
    Status {
        reply: oneshot::Sender<Status>,
    },
    Stop {
        reply: oneshot::Sender<()>,
    },
}

/// How the engine is doing.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Status {
    /// Whether the database takes changes.
    pub(crate) storing: bool,
    /// Transactions committed since the start.
    pub(crate) commits: u64,
    /// Values put or deleted since the start.
    pub(crate) changes: u64,
    /// Inputs handled since the start.
    pub(crate) inputs: u64,
    /// Failed commits since the start.
    pub(crate) failures: u64,
    /// Connections cut because they read too slowly.
    pub(crate) slow_readers: u64,
    /// Logged-in connections by platform.
    pub(crate) connections: HashMap<PlatformName, usize>,
}

/// The engine is gone or cannot store: nothing was done, or it is not known to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unavailable;

/// The doors' way to the engine.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    jobs: mpsc::Sender<Job>,
    next_connection: Arc<AtomicU64>,
}

impl Engine {
    /// A name that no connection had before.
    pub(crate) fn connection_id(&self) -> ConnectionId {
        ConnectionId(self.next_connection.fetch_add(1, Ordering::Relaxed))
    }

    /// Hands over CONNECT; answers come through `sink`, which closes when the connection has to.
    pub(crate) async fn connect(
        &self,
        connection: ConnectionId,
        platform: PlatformName,
        connect: ConnectPacket,
        sink: mpsc::Sender<CloudOutput>,
    ) -> Result<(), Unavailable> {
        self.send(Job::Connect { connection, platform, connect, sink }).await
    }

    /// Hands over a later packet.
    pub(crate) async fn packet(
        &self,
        connection: ConnectionId,
        packet: Packet,
    ) -> Result<(), Unavailable> {
        self.send(Job::Packet { connection, packet }).await
    }

    /// Says that a connection is gone.
    pub(crate) async fn lost(&self, connection: ConnectionId) {
        let _ = self.send(Job::Lost { connection }).await;
    }

    /// Asks an HTTP platform.
    pub(crate) async fn request(&self, request: HttpRequest) -> Result<Response, Unavailable> {
        self.ask(|reply| Job::Request { request, reply }).await
    }

    /// Does what an operator wants.
    pub(crate) async fn operate(
        &self,
        operation: Operation,
    ) -> Result<Result<OperationResult, OperationError>, Unavailable> {
        self.ask(|reply| Job::Operate { operation, reply }).await
    }

    pub(crate) async fn status(&self) -> Result<Status, Unavailable> {
        self.ask(|reply| Job::Status { reply }).await
    }

    /// Lets the engine finish what it was given, and end.
    pub(crate) async fn stop(&self) {
        let _ = self.ask(|reply| Job::Stop { reply }).await;
    }

    async fn send(&self, job: Job) -> Result<(), Unavailable> {
        self.jobs.send(job).await.map_err(|_| Unavailable)
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<T, Unavailable> {
        let (reply, answer) = oneshot::channel();
        self.send(job(reply)).await?;
        answer.await.map_err(|_| Unavailable)
    }
}

/// The clouds and what belongs to them, before they start and while they run.
#[derive(Debug)]
pub(crate) struct Keeper {
    cloud: Cloud,
    config: CloudConfig,
    store: Store,
    journal: Arc<Journal>,
    clock: Clock,
    firmware_base: String,
    deadline: Option<muster::Instant>,
    sinks: HashMap<ConnectionId, (PlatformName, mpsc::Sender<CloudOutput>)>,
    requests: HashMap<RequestId, oneshot::Sender<Response>>,
    operations: HashMap<RequestId, oneshot::Sender<Result<OperationResult, OperationError>>>,
    changes: Vec<Change>,
    held: Vec<CloudOutput>,
    lost: Vec<ConnectionId>,
    next_request: u64,
    status: Status,
}

impl Keeper {
    /// Builds the clouds from what is kept.
    pub(crate) fn new(
        store: Store,
        config: CloudConfig,
        journal: Arc<Journal>,
        clock: Clock,
        firmware_base: String,
    ) -> Result<Self, Exit> {
        let cloud = build(&store, &config, clock)?;
        let status = Status {
            storing: true,
            commits: 0,
            changes: 0,
            inputs: 0,
            failures: 0,
            slow_readers: 0,
            connections: HashMap::new(),
        };
        Ok(Self {
            cloud,
            config,
            store,
            journal,
            clock,
            firmware_base,
            deadline: None,
            sinks: HashMap::new(),
            requests: HashMap::new(),
            operations: HashMap::new(),
            changes: Vec::new(),
            held: Vec::new(),
            lost: Vec::new(),
            next_request: 1,
            status,
        })
    }

    /// The database, before the engine starts.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Does one operation before the engine starts. Its changes wait for [`Keeper::commit`].
    pub(crate) fn operate(
        &mut self,
        operation: Operation,
    ) -> Result<OperationResult, OperationError> {
        let (reply, mut answer) = oneshot::channel();
        let id = self.request_id();
        self.operations.insert(id, reply);
        self.input(CloudInput::Operate { id, operation });
        // The answer is taken out of the held outputs: nobody but this caller sees it before the commit.
        let (mine, others) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|output| matches!(output, CloudOutput::Operated { .. }));
        self.held = others;
        self.release(mine);
        answer.try_recv().unwrap_or_else(|_| {
            Err(OperationError {
                kind: muster::cloud::OperationErrorKind::Unsupported,
                message: "the cloud did not answer".into(),
            })
        })
    }

    /// Puts the changes so far on the disk, together with notes of the host's own.
    pub(crate) fn commit(&mut self, meta: &[(&str, &str)]) -> rusqlite::Result<()> {
        self.store.commit(&self.changes, meta)?;
        self.status.commits += 1;
        self.status.changes += self.changes.len() as u64;
        self.changes.clear();
        let held = std::mem::take(&mut self.held);
        self.release(held);
        Ok(())
    }

    /// Starts the thread.
    pub(crate) fn start(self) -> std::io::Result<Engine> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        std::thread::Builder::new()
            .name("clouds".into())
            .spawn(move || runtime.block_on(self.run(queue)))?;
        Ok(Engine { jobs, next_connection: Arc::new(AtomicU64::new(1)) })
    }

    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH);
        // Some platforms have something to do right after a start, such as timers of what was kept.
        self.input(CloudInput::Timeout);
        self.settle();
        loop {
            if !self.status.storing && self.rebuild().is_err() {
                // Whatever comes in meanwhile is turned away, by dropping it.
                tokio::select! {
                    _ = tokio::time::sleep(RETRY) => {}
                    n = queue.recv_many(&mut batch, BATCH) => if n == 0 { return },
                }
                for job in batch.drain(..) {
                    match job {
                        Job::Status { reply } => drop(reply.send(self.status())),
                        Job::Stop { reply } => return self.end(reply),
                        _ => {}
                    }
                }
                continue;
            }
            if self.lost.is_empty() {
                // At least a tick, so that a platform which asks to be woken at once cannot starve the doors.
                let wait = self.until_deadline().map(|wait| wait.max(TICK));
                tokio::select! {
                    biased;
                    n = queue.recv_many(&mut batch, BATCH) => if n == 0 { break },
                    () = sleep(wait) => {}
                }
            }
            for connection in std::mem::take(&mut self.lost) {
                self.input(CloudInput::Lost { connection });
            }
            if self.until_deadline() == Some(Duration::ZERO) {
                self.input(CloudInput::Timeout);
            }
            let mut stop = None;
            for job in batch.drain(..) {
                match job {
                    Job::Stop { reply } => stop = Some(reply),
                    job => self.take(job),
                }
            }
            self.settle();
            if let Some(reply) = stop {
                return self.end(reply);
            }
        }
        self.store.tidy();
    }

    /// Closes the database before it says that it did.
    fn end(self, reply: oneshot::Sender<()>) {
        self.store.tidy();
        drop(self);
        let _ = reply.send(());
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Connect { connection, platform, connect, sink } => {
                self.sinks.insert(connection, (platform, sink));
                self.input(CloudInput::Connect { connection, platform, connect });
            }
            Job::Packet { connection, packet } => {
                self.input(CloudInput::Packet { connection, packet })
            }
            Job::Lost { connection } => {
                self.sinks.remove(&connection);
                self.input(CloudInput::Lost { connection });
            }
            Job::Request { request, reply } => {
                let id = self.request_id();
                self.requests.insert(id, reply);
                self.input(CloudInput::Request { id, request });
            }
            Job::Operate { operation, reply } => {
                let id = self.request_id();
                self.operations.insert(id, reply);
                self.input(CloudInput::Operate { id, operation });
            }
            Job::Status { reply } => drop(reply.send(self.status())),
            Job::Stop { .. } => {}
        }
    }

    fn request_id(&mut self) -> RequestId {
        self.next_request += 1;
        RequestId(self.next_request)
    }

    /// One input, and the drain that has to follow.
    fn input(&mut self, input: CloudInput) {
        self.status.inputs += 1;
        self.cloud.handle_input(input, self.clock.now());
        loop {
            match self.cloud.poll_output() {
                CloudOutput::Persist(change) => self.changes.push(change),
                CloudOutput::Timeout(at) => {
                    self.deadline = at;
                    return;
                }
                output => self.held.push(output),
            }
        }
    }

    /// Commits the batch's changes, then lets its outputs go.
    fn settle(&mut self) {
        if !self.changes.is_empty() {
            if let Err(error) = self.store.commit(&self.changes, &[]) {
                self.fail(&error);
                return;
            }
            self.status.commits += 1;
            self.status.changes += self.changes.len() as u64;
            self.changes.clear();
        }
        let held = std::mem::take(&mut self.held);
        self.release(held);
    }

    /// Carries out what waited for the commit.
    fn release(&mut self, held: Vec<CloudOutput>) {
        for output in held {
            match output {
                CloudOutput::Persist(_) | CloudOutput::Timeout(_) => {}
                CloudOutput::ConnAck { connection, .. }
                | CloudOutput::SubAck { connection, .. }
                | CloudOutput::UnsubAck { connection, .. }
                | CloudOutput::PubAck { connection, .. } => self.tell(connection, output),
                CloudOutput::Publish { connection, token, topic, qos, payload } => {
                    let payload = firmware::with_base(payload, &self.firmware_base);
                    let output = CloudOutput::Publish { connection, token, topic, qos, payload };
                    self.tell(connection, output);
                }
                CloudOutput::Close { connection } => {
                    self.tell(connection, output);
                    self.sinks.remove(&connection);
                }
                CloudOutput::Response { id, response } => {
                    if let Some(reply) = self.requests.remove(&id) {
                        let _ = reply.send(response);
                    }
                }
                CloudOutput::Operated { id, result } => {
                    if let Some(reply) = self.operations.remove(&id) {
                        let _ = reply.send(result);
                    }
                }
                CloudOutput::Log(entry) => self.journal.push(unix_millis(), entry),
            }
        }
    }

    fn tell(&mut self, connection: ConnectionId, what: CloudOutput) {
        let Some((_, sink)) = self.sinks.get(&connection) else { return };
        match sink.try_send(what) {
            Ok(()) => {}
            Err(error) => {
                // Gone, or too slow to read what it asked for. Dropping the sink closes the connection.
                if matches!(error, mpsc::error::TrySendError::Full(_)) {
                    self.status.slow_readers += 1;
                }
                self.sinks.remove(&connection);
                self.lost.push(connection);
            }
        }
    }

    /// Nothing of this batch happened, as far as anybody outside is told.
    fn fail(&mut self, error: &rusqlite::Error) {
        self.status.failures += 1;
        self.status.storing = false;
        eprintln!(
            "error: the clouds cannot store: {error}\n  \
             {} changes were refused, none of them was acknowledged, and all connections are closed.\n  \
             next: free some space, or check the disk; the clouds come back on their own",
            self.changes.len()
        );
        self.changes.clear();
        self.held.clear();
        self.lost.clear();
        self.sinks.clear();
        self.requests.clear();
        self.operations.clear();
    }

    /// Starts the clouds again from the disk, in place.
    fn rebuild(&mut self) -> Result<(), ()> {
        self.store.reopen().map_err(drop)?;
        // Reading may work on a full disk; what counts is whether the next change can be kept.
        let probe = unix_millis().to_string();
        self.store.commit(&[], &[("recovered", &probe)]).map_err(drop)?;
        self.cloud = build(&self.store, &self.config, self.clock).map_err(drop)?;
        self.deadline = None;
        self.status.storing = true;
        self.input(CloudInput::Timeout);
        self.settle();
        if !self.status.storing {
            return Err(());
        }
        eprintln!("the clouds are back, with what the disk holds");
        Ok(())
    }

    fn until_deadline(&self) -> Option<Duration> {
        self.deadline.map(|at| self.clock.until(at))
    }

    fn status(&self) -> Status {
        let mut status = self.status.clone();
        for (platform, _) in self.sinks.values() {
            *status.connections.entry(*platform).or_default() += 1;
        }
        status
    }
}

fn build(store: &Store, config: &CloudConfig, clock: Clock) -> Result<Cloud, Exit> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| {
        Exit::local(format!("the system gives no random numbers: {e}"), "check /dev/urandom")
    })?;
    let mut cloud = Cloud::new(config.clone(), seed, clock.now());
    store.load(&mut cloud)?;
    Ok(cloud)
}

/// Both clocks. The monotonic one starts with the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }

    pub(crate) fn now(self) -> Now {
        Now { mono: self.mono(), unix: Some(UnixTime(unix_millis())) }
    }

    pub(crate) fn mono(self) -> muster::Instant {
        muster::Instant(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// From now to `at`; zero if that is past.
    pub(crate) fn until(self, at: muster::Instant) -> Duration {
        Duration::from_millis(at.millis_since(self.mono()))
    }
}

/// The wall clock.
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
