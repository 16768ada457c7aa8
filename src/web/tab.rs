//! The four clouds in this tab: no server, no network, and the same strict protocols.
//!
//! As in the host, one task owns them, and nothing is acknowledged that is not kept: what a batch changed goes to the
//! page's storage first, its answers after it. If that fails, the clouds stop, and say so.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::string::{String, ToString};
use std::vec::Vec;

use futures_channel::{mpsc, oneshot};
use futures_util::StreamExt;
use gloo_timers::callback::Timeout;
use js_sys::{Array, Promise, Uint8Array};
use sha2::{Digest, Sha256};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::clock::Clock;
use super::driver::reason;
use super::fetch::{self, Aborter, Broken, Image};
use super::hooks::CloudHooks;
use super::link::{Listener, News, Order, Wire};
use super::read::Members;
use super::spoil::{self, Fault, Pour};
use super::values::{self, Reply, invalid};
use crate::cloud::{
    Action, Change, Cloud as Core, CloudConfig, CloudInput, CloudOutput, ConnectionId, HttpRequest,
    Operation, OperationResult, RequestId, demo,
};
use crate::error::Failure;
use crate::hex;
use crate::http::{Request, Response};
use crate::input::{Answer, Progress};
use crate::mqtt::{ServerEvent, ServerLimits, ServerSession};
use crate::output::Download;
use crate::page::LogLine;
use crate::platform::PlatformName;
use crate::secret::SecretBytes;
use crate::time::Instant;

/// Where the clouds of a tab say they are. The name is reserved: nothing is ever sent there.
const HTTP: &str = "http://tab.invalid";
const FIRMWARE: &str = "http://tab.invalid/firmware/";
/// Jobs that are done before what they changed is kept.
const BATCH: usize = 256;
/// Lines of the log that are kept.
const LOG: usize = 1_000;
/// The largest image that is taken.
const MAX_IMAGE: usize = 64 * 1024 * 1024;
/// Names of what is kept that is not the clouds' own.
const IMAGE: &str = "image/";
const APP_SECRET: &str = "demo/app_secret";

enum Job {
    Open {
        platform: PlatformName,
        connection: ConnectionId,
        listener: Listener,
    },
    Bytes(ConnectionId, Vec<u8>),
    /// The device is gone.
    Gone(ConnectionId),
    Request(HttpRequest, oneshot::Sender<Response>),
    Operate(Operation, Reply),
    Firmware(NewImage, Vec<u8>, Reply),
    Demo(Reply),
    Timer,
    Stop,
}

/// The clouds of four vendors, with their demo products.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Cloud {
    door: Door,
    log: Rc<RefCell<Log>>,
}

/// A firmware image, without its bytes.
struct NewImage {
    platform: PlatformName,
    product: String,
    version: String,
    module: Option<String>,
}

#[derive(Debug, Default)]
struct Log {
    next: u32,
    lines: VecDeque<LogLine>,
    /// Whether anybody reads it: telling each line is most of the work of a cloud with thousands of devices.
    read: bool,
}

#[wasm_bindgen]
impl Cloud {
    /// Starts the clouds, from what they kept (`options.kept`) or with their demo products.
    #[wasm_bindgen(js_name = start)]
    pub fn begin(options: JsValue, hooks: CloudHooks) -> Promise {
        values::promise(|reply| {
            let kept = Members::of("options", options).and_then(|options| {
                let kept = options.bytes_by_name("kept")?;
                options.finish()?;
                Ok(kept)
            });
            match kept.and_then(|kept| Keeper::build(kept, hooks)) {
                Ok((keeper, inbox, cloud)) => {
                    spawn_local(keeper.live(inbox, cloud, reply));
                }
                Err(error) => reply.give(Err(error)),
            }
        })
    }

    /// Does what an operator wants: an `Operation` in, an `OperationResult` out.
    pub fn operate(&self, operation: JsValue) -> Promise {
        values::promise(|reply| match read_operation(operation) {
            Ok(operation) => self.door.send(Job::Operate(operation, reply)),
            Err(error) => reply.give(Err(error)),
        })
    }

    /// Keeps an image's bytes and makes it known.
    #[wasm_bindgen(js_name = addFirmware)]
    pub fn add_firmware(&self, image: JsValue, bytes: Vec<u8>) -> Promise {
        values::promise(|reply| match read_image(image) {
            Ok(_) if bytes.is_empty() || bytes.len() > MAX_IMAGE => {
                let text = "an image has 1 byte to 64 MiB";
                reply.give(Err(values::fault("invalid", text, None, JsValue::NULL)));
            }
            Ok(image) => self.door.send(Job::Firmware(image, bytes, reply)),
            Err(error) => reply.give(Err(error)),
        })
    }

    /// Complete settings of a demo device for each platform, and of the demo app, with their secrets: a `Demo`.
    pub fn demo(&self) -> Promise {
        values::promise(|reply| self.door.send(Job::Demo(reply)))
    }

    /// The last lines of the log: an array of `LogLine`. From here on new ones are told, until
    /// [`log_read`](Self::log_read) says that nobody reads them.
    #[wasm_bindgen(js_name = logLines)]
    pub fn log_lines(&self) -> JsValue {
        let mut log = self.log.borrow_mut();
        log.read = true;
        values::js(&log.lines.iter().collect::<Vec<_>>())
    }

    /// Nobody reads the log any more.
    #[wasm_bindgen(js_name = logRead)]
    pub fn log_read(&self) {
        self.log.borrow_mut().read = false;
    }

    /// Ends them. Devices see their connections break.
    pub fn stop(&self) {
        let _ = self.door.jobs.unbounded_send(Job::Stop);
    }
}

impl Cloud {
    pub(super) fn door(&self) -> Door {
        self.door.clone()
    }
}

fn load(cloud: &mut Core, name: &str, value: &[u8]) -> Result<(), JsValue> {
    let unreadable = || {
        let text = std::format!("what the cloud kept as `{name}` cannot be read");
        let next = "start with an empty storage";
        values::fault("stored_unreadable", &text, Some(next), JsValue::NULL)
    };
    let mut parts = name.splitn(3, '/');
    let (Some(platform), Some(table), Some(key)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(unreadable());
    };
    let platform = platform.parse().map_err(|_| unreadable())?;
    cloud.load(platform, table, key, value).map_err(|_| unreadable())
}

/// The way in, for devices, apps and operators of this tab.
#[derive(Clone, Debug)]
pub(super) struct Door {
    jobs: mpsc::UnboundedSender<Job>,
    ids: Rc<RefCell<u64>>,
    images: Rc<RefCell<BTreeMap<String, Rc<Vec<u8>>>>>,
}

impl Door {
    /// Connects a device to its platform's broker.
    pub(super) fn connect(&self, platform: PlatformName, listener: Listener) -> Wire {
        let (orders, mut inbox) = mpsc::unbounded();
        let (connection, door) = (self.open(platform, listener), self.clone());
        spawn_local(async move {
            while let Some(order) = inbox.next().await {
                match order {
                    Order::Bytes(bytes) => door.bytes(connection, bytes),
                    Order::Close => break,
                }
            }
            door.gone(connection);
        });
        Wire::to(orders)
    }

    /// The same for who needs no task of his own for each connection: see [`Self::bytes`], [`Self::gone`].
    pub(super) fn open(&self, platform: PlatformName, listener: Listener) -> ConnectionId {
        let connection = {
            let mut last = self.ids.borrow_mut();
            *last += 1;
            ConnectionId(*last)
        };
        self.send(Job::Open { platform, connection, listener });
        connection
    }

    /// Bytes of the device's.
    pub(super) fn bytes(&self, connection: ConnectionId, bytes: Vec<u8>) {
        let _ = self.jobs.unbounded_send(Job::Bytes(connection, bytes));
    }

    /// The device is gone.
    pub(super) fn gone(&self, connection: ConnectionId) {
        let _ = self.jobs.unbounded_send(Job::Gone(connection));
    }

    /// Sends an HTTP request, whatever its host is.
    pub(super) async fn request(&self, request: &Request) -> Answer {
        let (path, query) = split(&request.url);
        let mut headers = request.headers.clone();
        let has = |headers: &[(String, String)], name| crate::http::header(headers, name).is_some();
        if !has(&headers, "host") {
            headers.push(("Host".into(), "tab.invalid".into()));
        }
        let request = HttpRequest {
            method: request.method.clone(),
            path,
            query,
            headers,
            body: request.body.clone(),
        };
        let (reply, answer) = oneshot::channel();
        if self.jobs.unbounded_send(Job::Request(request, reply)).is_err() {
            return Answer::Failed(Failure::Unreachable);
        }
        match answer.await {
            Ok(response) => Answer::Response(response),
            Err(_) => Answer::Failed(Failure::Lost),
        }
    }

    /// Hands out an image, in pieces with a breath between them, so that its progress can be seen.
    pub(super) async fn download(
        &self,
        download: &Download,
        aborter: &Aborter,
        fault: Option<Fault>,
        progress: &mut impl FnMut(Progress),
    ) -> Result<Image, Broken> {
        spoil::refusal(fault.as_ref())?;
        let path = download.url.strip_prefix(FIRMWARE).unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default();
        let Some(bytes) = self.images.borrow().get(path).cloned() else {
            return Err(Broken { failure: Failure::Status(404), trouble: None });
        };
        let size = Some(bytes.len() as u64);
        let mut pour = Pour::new(download, size, fault, aborter, progress);
        for piece in bytes.chunks((bytes.len() / 20).clamp(4 * 1024, 1024 * 1024)) {
            let taken = pour.take(piece).await;
            if !taken.map_err(|failure| Broken { failure, trouble: None })? {
                break;
            }
            gloo_timers::future::TimeoutFuture::new(20).await;
        }
        Ok(pour.end())
    }

    fn send(&self, job: Job) {
        if let Err(error) = self.jobs.unbounded_send(job) {
            refuse(error.into_inner());
        }
    }
}

/// What comes too late is answered at once.
fn refuse(job: Job) {
    match job {
        Job::Operate(_, reply) | Job::Firmware(_, _, reply) | Job::Demo(reply) => {
            reply.give(Err(values::stopped()));
        }
        Job::Open { listener, .. } => {
            spawn_local(async move { listener(News::Gone(Failure::Unreachable, None)) });
        }
        // Whoever sent a request sees its answer dropped.
        Job::Bytes(..) | Job::Gone(_) | Job::Request(..) | Job::Timer | Job::Stop => {}
    }
}

fn pairs(settings: &[demo::Setting]) -> JsValue {
    let members: Vec<(&str, JsValue)> =
        settings.iter().map(|(key, value)| (*key, JsValue::from_str(value))).collect();
    values::object(&members)
}

fn read_image(value: JsValue) -> Result<NewImage, JsValue> {
    let of = Members::of("image", value)?;
    let image = NewImage {
        platform: of.platform("platform")?,
        product: of.text("product")?,
        version: of.text("version")?,
        module: of.maybe_text("module")?,
    };
    of.finish()?;
    Ok(image)
}

/// An operator's action, by the names of [`Action`].
fn read_operation(value: JsValue) -> Result<Operation, JsValue> {
    let of = Members::of("operation", value)?;
    let platform = of.platform("platform")?;
    let product = || of.text("product");
    let device = || of.text("device");
    let module = || of.maybe_text("module");
    let action = match &*of.text("action")? {
        "create_product" => Action::CreateProduct {
            name: of.text_or_empty("name")?,
            id: of.maybe_text("id")?,
            secret: of.maybe_text("secret")?,
            switches: of.map("switches")?,
        },
        "list_products" => Action::ListProducts { reveal: of.flag("reveal")? },
        "import_devices" => Action::ImportDevices { product: product()?, csv: of.text("csv")? },
        "list_devices" => Action::ListDevices {
            product: product()?,
            after: of.maybe_text("after")?,
            limit: of.maybe_number("limit")?.map(|limit| limit as usize),
            reveal: of.flag("reveal")?,
        },
        "get_devices" => Action::GetDevices {
            product: product()?,
            devices: of.maybe_texts("devices")?.unwrap_or_default(),
            reveal: of.flag("reveal")?,
        },
        "switch" => Action::Switch {
            product: of.maybe_text("product")?,
            name: of.text("name")?,
            value: of.text("value")?,
        },
        "disable" => Action::Disable {
            product: product()?,
            device: device()?,
            disabled: of.flag("disabled")?,
        },
        "reset" => Action::Reset {
            product: product()?,
            device: device()?,
            new_secret: of.flag("new_secret")?,
        },
        "delete_device" => Action::DeleteDevice { product: product()?, device: device()? },
        "list_firmware" => Action::ListFirmware { product: product()? },
        "push_upgrade" => Action::PushUpgrade {
            product: product()?,
            module: module()?,
            version: of.text("version")?,
            devices: of.maybe_texts("devices")?,
        },
        "cancel_upgrade" => Action::CancelUpgrade {
            product: product()?,
            module: module()?,
            devices: of.maybe_texts("devices")?,
        },
        "list_upgrades" => Action::ListUpgrades { product: product()? },
        "set_properties" => {
            Action::SetProperties { product: product()?, device: device()?, json: of.text("json")? }
        }
        "list_reports" => Action::ListReports { product: product()?, device: device()? },
        "create_owner" => Action::CreateOwner { identity: of.text("identity")? },
        "list_owners" => Action::ListOwners { reveal: of.flag("reveal")? },
        "add_topology" => Action::AddTopology {
            product: product()?,
            device: device()?,
            sub_product: of.text("sub_product")?,
            sub_device: of.text("sub_device")?,
        },
        "remove_topology" => Action::RemoveTopology {
            product: product()?,
            device: device()?,
            sub_product: of.text("sub_product")?,
            sub_device: of.text("sub_device")?,
        },
        "list_topology" => Action::ListTopology,
        "list_bind_tokens" => Action::ListBindTokens { reveal: of.flag("reveal")? },
        "permit" => Action::Permit {
            product: product()?,
            device: device()?,
            sub_product: of.maybe_text("sub_product")?,
            seconds: of.number("seconds")?,
        },
        "add_firmware" => {
            return Err(invalid("action", "takes the image's bytes: use addFirmware"));
        }
        _ => return Err(invalid("action", "is nothing that an operator can do")),
    };
    of.finish()?;
    Ok(Operation { platform, action })
}

/// Path and query, percent-decoded by the browser's own rules.
fn split(url: &str) -> (String, Vec<(String, String)>) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let decode = |text: &str| {
        js_sys::decode_uri_component(text).map_or_else(|_| text.to_string(), String::from)
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(&key.replace('+', " ")), decode(&value.replace('+', " ")))
    });
    (decode(path), pairs.collect())
}

struct Connection {
    platform: PlatformName,
    session: ServerSession,
    listener: Listener,
    /// Whether the cloud has heard of it.
    known: bool,
}

/// The task that owns the clouds.
struct Keeper {
    cloud: Core,
    hooks: CloudHooks,
    clock: Clock,
    connections: BTreeMap<ConnectionId, Connection>,
    requests: BTreeMap<RequestId, oneshot::Sender<Response>>,
    operations: BTreeMap<RequestId, Reply>,
    app_secret: String,
    fresh: bool,
    next_request: u64,
    changes: Vec<Change>,
    /// What is kept in one transaction with `changes`, and is not the clouds' own.
    beside: Vec<Array>,
    held: Vec<CloudOutput>,
    /// Answers of our own, for when it is kept.
    done: Vec<(Reply, Result<JsValue, JsValue>)>,
    told: Vec<LogLine>,
    log: Rc<RefCell<Log>>,
    images: Rc<RefCell<BTreeMap<String, Rc<Vec<u8>>>>>,
    due: Option<Instant>,
    /// Those whose sessions may have something to say: looking at all of them each time would not do for thousands.
    touched: BTreeSet<ConnectionId>,
    /// No session has to be woken before.
    sessions_due: Option<Instant>,
    timer: Option<(Instant, Timeout)>,
    jobs: mpsc::UnboundedSender<Job>,
}

impl Keeper {
    fn build(
        kept: Vec<(String, Vec<u8>)>,
        hooks: CloudHooks,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Job>, Cloud), JsValue> {
        let clock = Clock::start();
        let mut cloud = Core::new(CloudConfig::default(), fetch::seed()?, clock.now());
        let (mut images, mut app_secret, mut fresh) = (BTreeMap::new(), None, true);
        for (name, value) in kept {
            if let Some(path) = name.strip_prefix(IMAGE) {
                images.insert(path.to_string(), Rc::new(value));
            } else if name == APP_SECRET {
                app_secret = String::from_utf8(value).ok();
            } else {
                fresh = false;
                load(&mut cloud, &name, &value)?;
            }
        }
        let app_secret = match app_secret {
            Some(secret) => secret,
            None => hex::lower(fetch::seed()?.get(..16).unwrap_or_default()),
        };
        let (jobs, inbox) = mpsc::unbounded();
        let images = Rc::new(RefCell::new(images));
        let door = Door { jobs: jobs.clone(), ids: Rc::new(RefCell::new(0)), images };
        let log = Rc::new(RefCell::new(Log::default()));
        let keeper = Keeper {
            cloud,
            hooks,
            clock,
            connections: BTreeMap::new(),
            requests: BTreeMap::new(),
            operations: BTreeMap::new(),
            app_secret,
            fresh,
            next_request: 0,
            changes: Vec::new(),
            beside: Vec::new(),
            held: Vec::new(),
            done: Vec::new(),
            told: Vec::new(),
            log: Rc::clone(&log),
            images: Rc::clone(&door.images),
            due: None,
            touched: BTreeSet::new(),
            sessions_due: None,
            timer: None,
            jobs,
        };
        Ok((keeper, inbox, Cloud { door, log }))
    }

    async fn live(mut self, mut inbox: mpsc::UnboundedReceiver<Job>, cloud: Cloud, started: Reply) {
        if self.fresh
            && let Err(error) = self.seed().await
        {
            return started.give(Err(error));
        }
        started.give(Ok(cloud.into()));
        'life: while let Some(first) = inbox.next().await {
            // What is there already is kept together: one transaction for all of it.
            let more = core::iter::from_fn(|| inbox.try_recv().ok());
            for job in core::iter::once(first).chain(more).take(BATCH) {
                if matches!(job, Job::Stop) {
                    break 'life;
                }
                self.take(job);
            }
            if !self.settle().await {
                break;
            }
        }
        // What stands behind the end is answered as what comes too late.
        inbox.close();
        while let Ok(job) = inbox.try_recv() {
            refuse(job);
        }
        for (reply, _) in self.done {
            reply.give(Err(values::stopped()));
        }
        for connection in self.connections.into_values() {
            (connection.listener)(News::Gone(Failure::Lost, None));
        }
        for reply in self.operations.into_values() {
            reply.give(Err(values::stopped()));
        }
    }

    /// The demo products, and the demo app's secret.
    async fn seed(&mut self) -> Result<(), JsValue> {
        self.keep(APP_SECRET, self.app_secret.as_bytes()).await?;
        for demo in &demo::DEMOS {
            for action in demo.actions(&self.app_secret) {
                self.own(demo.platform, action)?;
            }
        }
        if self.settle().await { Ok(()) } else { Err(values::stopped()) }
    }

    /// An operation of our own, its answer ahead of the storing of what it changed.
    fn own(&mut self, platform: PlatformName, action: Action) -> Result<OperationResult, JsValue> {
        let id = self.request_id();
        self.input(CloudInput::Operate { id, operation: Operation { platform, action } });
        let at = self
            .held
            .iter()
            .position(|output| matches!(output, CloudOutput::Operated { id: of, .. } if *of == id));
        match at.map(|at| self.held.remove(at)) {
            Some(CloudOutput::Operated { result, .. }) => {
                result.map_err(|error| values::refused(&error))
            }
            _ => Err(values::stopped()),
        }
    }

    /// Its bytes are kept in one transaction with its record: what is announced is there, and what is refused is not.
    fn add_firmware(&mut self, image: NewImage, bytes: Vec<u8>) -> Result<JsValue, JsValue> {
        let sha256: [u8; 32] = Sha256::digest(&bytes).into();
        let md5: [u8; 16] = md5::Md5::digest(&bytes).into();
        let sha256 = hex::lower(&sha256);
        let name = |text: &str| -> String {
            let good = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            text.chars().filter(good).take(64).collect()
        };
        let path = [&*sha256, "/", &name(&image.product), "-", &name(&image.version), ".bin"];
        let path = path.concat();
        let action = Action::AddFirmware {
            product: image.product,
            module: image.module,
            version: image.version,
            url: [FIRMWARE, path.as_str()].concat(),
            size: bytes.len() as u64,
            md5: hex::lower(&md5),
            sha256,
        };
        self.own(image.platform, action)?;
        self.beside.push(pair(&[IMAGE, path.as_str()].concat(), Some(&bytes)));
        self.images.borrow_mut().insert(path, Rc::new(bytes));
        Ok(JsValue::UNDEFINED)
    }

    fn demo(&mut self) -> Result<JsValue, JsValue> {
        let mut all = Vec::new();
        for demo in &demo::DEMOS {
            all.push((demo.platform.as_str(), self.demo_device(demo)?));
        }
        let platform = PlatformName::Alibaba;
        let mut app = JsValue::NULL;
        if let OperationResult::Owners { items } =
            self.own(platform, Action::ListOwners { reveal: true })?
            && let Some(owner) = items.into_iter().find(|owner| owner.identity == demo::OWNER)
        {
            if let Some(action) = demo::renew(&owner) {
                self.own(platform, action)?;
            }
            let settings = demo::app_settings(&owner, &self.app_secret, HTTP);
            app = values::object(&[("settings", pairs(&settings))]);
        }
        all.push(("alibaba_app", app));
        Ok(values::object(&all))
    }

    fn demo_device(&mut self, demo: &demo::Demo) -> Result<JsValue, JsValue> {
        let platform = demo.platform;
        let OperationResult::Products { items } =
            self.own(platform, Action::ListProducts { reveal: true })?
        else {
            return Ok(JsValue::NULL);
        };
        let broker = ["ws://tab.invalid/mqtt/", platform.as_str()].concat();
        let product = items.iter().find(|product| product.id == demo.product);
        let Some(settings) = product.and_then(|product| demo.settings(product, &broker, HTTP))
        else {
            return Ok(JsValue::NULL);
        };
        let action = Action::ListDevices {
            product: demo.product.into(),
            after: None,
            limit: Some(20),
            reveal: false,
        };
        let names: Vec<String> = match self.own(platform, action)? {
            OperationResult::Devices { items, .. } => {
                items.into_iter().map(|device| device.name).collect()
            }
            _ => Vec::new(),
        };
        Ok(values::object(&[("settings", pairs(&settings)), ("devices", values::js(&names))]))
    }

    fn take(&mut self, job: Job) {
        let now = self.clock.now().mono;
        match job {
            Job::Open { platform, connection, listener } => {
                listener(News::Open);
                let session = ServerSession::new(ServerLimits::default(), now);
                let entry = Connection { platform, session, listener, known: false };
                self.connections.insert(connection, entry);
                self.touched.insert(connection);
            }
            Job::Bytes(id, bytes) => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.session.receive(&bytes, now);
                    self.touched.insert(id);
                }
            }
            Job::Gone(id) => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.session.connection_lost();
                    self.touched.insert(id);
                }
            }
            Job::Request(request, reply) => {
                let id = self.request_id();
                self.requests.insert(id, reply);
                self.input(CloudInput::Request { id, request });
            }
            Job::Operate(operation, reply) => {
                let id = self.request_id();
                self.operations.insert(id, reply);
                self.input(CloudInput::Operate { id, operation });
            }
            Job::Timer => {
                self.timer = None;
                if self.due.is_some_and(|at| at <= now) {
                    self.input(CloudInput::Timeout);
                }
                if self.sessions_due.is_some_and(|at| at <= now) {
                    self.sessions_due = None;
                    for (id, connection) in &mut self.connections {
                        connection.session.handle_timeout(now);
                        self.touched.insert(*id);
                    }
                }
            }
            Job::Firmware(image, bytes, reply) => {
                let done = self.add_firmware(image, bytes);
                self.done.push((reply, done));
            }
            Job::Demo(reply) => {
                let demo = self.demo();
                self.done.push((reply, demo));
            }
            Job::Stop => {}
        }
    }

    fn request_id(&mut self) -> RequestId {
        self.next_request += 1;
        RequestId(self.next_request)
    }

    /// One input, and the drain that has to follow.
    fn input(&mut self, input: CloudInput) {
        self.cloud.handle_input(input, self.clock.now());
        loop {
            match self.cloud.poll_output() {
                CloudOutput::Persist(change) => self.changes.push(change),
                CloudOutput::Timeout(at) => {
                    self.due = at;
                    return;
                }
                output => self.held.push(output),
            }
        }
    }

    /// Goes on until nothing follows from anything: keeps what changed, then lets the answers go. False if nothing can
    /// be kept any more.
    async fn settle(&mut self) -> bool {
        loop {
            self.events();
            if self.changes.is_empty() && self.held.is_empty() {
                // Nothing is touched any more either: events come before.
                break;
            }
            if !self.changes.is_empty() {
                let changes: Array = self.beside.drain(..).collect();
                for change in self.changes.drain(..) {
                    let name = std::format!("{}/{}/{}", change.platform, change.table, change.key);
                    changes.push(&pair(&name, change.value.as_ref().map(SecretBytes::expose)));
                }
                if let Err(reason) = self.persist(changes).await {
                    self.fail(&reason);
                    return false;
                }
            }
            for output in core::mem::take(&mut self.held) {
                self.release(output);
            }
        }
        for (reply, done) in self.done.drain(..) {
            reply.give(done);
        }
        self.set_timer();
        if !self.told.is_empty() {
            let lines = Array::new();
            for line in self.told.drain(..) {
                lines.push(&values::js(&line));
            }
            self.hooks.log(lines);
        }
        true
    }

    async fn persist(&self, changes: Array) -> Result<(), String> {
        let promise = self.hooks.persist(changes).map_err(|error| reason(&error))?;
        JsFuture::from(promise).await.map(drop).map_err(|error| reason(&error))
    }

    /// A note of ours.
    async fn keep(&self, name: &str, bytes: &[u8]) -> Result<(), JsValue> {
        let done = self.persist(Array::of1(&pair(name, Some(bytes)))).await;
        done.map_err(|reason| values::fault("storage", &reason, None, JsValue::NULL))
    }

    /// Nothing of this batch is done: the callers are told that the clouds have stopped.
    fn fail(&mut self, reason: &str) {
        self.held.clear();
        self.requests.clear();
        super::hooks::log_error(&std::format!("the clouds of this tab cannot store: {reason}"));
    }

    /// What the sessions have for the cloud.
    fn events(&mut self) {
        while let Some(id) = self.touched.pop_first() {
            while let Some(connection) = self.connections.get_mut(&id) {
                let input = match connection.session.poll_event() {
                    Some(ServerEvent::Connect(connect)) => {
                        connection.known = true;
                        let platform = connection.platform;
                        CloudInput::Connect { connection: id, platform, connect }
                    }
                    Some(ServerEvent::Packet(packet)) => {
                        CloudInput::Packet { connection: id, packet }
                    }
                    Some(ServerEvent::Lost(_)) | None => {
                        self.transmit(id);
                        break;
                    }
                };
                self.input(input);
            }
        }
    }

    /// Sends what a session has to send, and ends it if it is over.
    fn transmit(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        while let Some(bytes) = connection.session.poll_transmit() {
            (connection.listener)(News::Bytes(bytes));
        }
        if connection.session.wants_close() {
            (connection.listener)(News::Gone(Failure::Lost, None));
            let known = connection.known;
            self.connections.remove(&id);
            if known {
                self.input(CloudInput::Lost { connection: id });
            }
        } else if let Some(at) = connection.session.poll_timeout() {
            self.sessions_due = Some(self.sessions_due.map_or(at, |due| due.min(at)));
        }
    }

    fn release(&mut self, output: CloudOutput) {
        match output {
            CloudOutput::Persist(_) | CloudOutput::Timeout(_) => {}
            CloudOutput::ConnAck { connection, .. }
            | CloudOutput::SubAck { connection, .. }
            | CloudOutput::UnsubAck { connection, .. }
            | CloudOutput::PubAck { connection, .. }
            | CloudOutput::Publish { connection, .. }
            | CloudOutput::Close { connection } => {
                if let Some(entry) = self.connections.get_mut(&connection) {
                    entry.session.apply(&output);
                    self.touched.insert(connection);
                }
            }
            CloudOutput::Response { id, response } => {
                if let Some(reply) = self.requests.remove(&id) {
                    let _ = reply.send(response);
                }
            }
            CloudOutput::Operated { id, result } => {
                if let Some(reply) = self.operations.remove(&id) {
                    reply.give(match result {
                        Ok(result) => Ok(values::js(&result)),
                        Err(error) => Err(values::refused(&error)),
                    });
                }
            }
            CloudOutput::Log(entry) => {
                let mut log = self.log.borrow_mut();
                log.next += 1;
                let line = LogLine { seq: log.next, unix: js_sys::Date::now(), entry };
                if log.read {
                    self.told.push(line.clone());
                }
                log.lines.push_back(line);
                if log.lines.len() > LOG {
                    log.lines.pop_front();
                }
            }
        }
    }

    fn set_timer(&mut self) {
        let at = self.due.into_iter().chain(self.sessions_due).min();
        if self.timer.as_ref().map(|(at, _)| *at) == at {
            return;
        }
        self.timer = at.map(|at| {
            let jobs = self.jobs.clone();
            let timeout = self.clock.call_at(at, move || {
                let _ = jobs.unbounded_send(Job::Timer);
            });
            (at, timeout)
        });
    }
}

fn pair(name: &str, value: Option<&[u8]>) -> Array {
    let value = value.map_or(JsValue::UNDEFINED, |bytes| Uint8Array::from(bytes).into());
    Array::of2(&JsValue::from_str(name), &value)
}
