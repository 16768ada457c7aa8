//! A world with one product, and an agent driven by hand.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use muster::cloud::{Action, HttpRequest, Operation, OperationError, OperationResult, What};
use muster::http::{Request, Response};
use muster::sim::{Crossing, DeviceId, Fault, World};
use muster::{
    Agent, Answer, Command, Config, Event, Failure, Input, Instant, Intent, Now, Outcome, Output,
    PlatformName, SecretBytes, Settings, StoreKey, Stored, Token,
};

pub(crate) const PRODUCT: &str = "1234567890123";
pub(crate) const KEY: &str = "product-key-0001";
/// A CMEI with a check digit.
pub(crate) const NUMBER: &str = "111234561234569";
pub(crate) const SECRET: &str = "device-secret-of-32-characters-0";

pub(crate) const HOUR: u64 = 3_600_000;
pub(crate) const DAY: u64 = 24 * HOUR;
/// 12 h ± 15 min
pub(crate) const EARLIEST: u64 = 12 * HOUR - 900_000;
pub(crate) const LATEST: u64 = 12 * HOUR + 900_000;

pub(crate) fn settings() -> Settings {
    Settings::new()
        .with("environment", "local")
        .with("base_url", "http://cloud.test")
        .with("product_id", PRODUCT)
        .with("product_key", KEY)
        .with("device_no_type", "CMEI")
        .with("device_no", NUMBER)
        .with("cmei", NUMBER)
}

pub(crate) fn read(settings: &Settings) -> Config {
    Config::from_settings(PlatformName::Cmcc, settings).unwrap()
}

pub(crate) fn config() -> Config {
    read(&settings())
}

/// A cloud with the product and the device's number, 20 ms away.
pub(crate) fn world() -> World {
    let mut world = World::new(Duration::from_millis(20));
    create_product(&mut world);
    import(
        &mut world,
        &format!("device_no_type,device_no,device_secret\nCMEI,{NUMBER},{SECRET}\n"),
    );
    world
}

pub(crate) fn create_product(world: &mut World) {
    operate(
        world,
        Action::CreateProduct {
            name: "Lamp".into(),
            id: Some(PRODUCT.into()),
            secret: Some(KEY.into()),
            switches: BTreeMap::new(),
        },
    )
    .unwrap();
}

pub(crate) fn import(world: &mut World, csv: &str) -> OperationResult {
    operate(world, Action::ImportDevices { product: PRODUCT.into(), csv: csv.into() }).unwrap()
}

pub(crate) fn operate(
    world: &mut World,
    action: Action,
) -> Result<OperationResult, OperationError> {
    world.operate(Operation { platform: PlatformName::Cmcc, action })
}

pub(crate) fn switch(world: &mut World, product: Option<&str>, name: &str, value: &str) {
    let action =
        Action::Switch { product: product.map(Into::into), name: name.into(), value: value.into() };
    operate(world, action).unwrap();
}

/// How many secrets were given out, and how many reports taken.
pub(crate) fn counts(world: &World) -> (usize, usize) {
    let count = |what| world.log.iter().filter(|entry| entry.what == what).count();
    (count(What::SecretIssued), count(What::Reported))
}

pub(crate) fn is_ready(world: &World, id: DeviceId) -> bool {
    world.events(id).iter().any(|(_, event)| *event == Event::Ready)
}

pub(crate) fn run_to_ready(world: &mut World, id: DeviceId) {
    assert!(
        world.run_until(Duration::from_secs(600), |w| is_ready(w, id)),
        "{:?}",
        world.events(id)
    );
}

pub(crate) fn hours(world: &mut World, hours: u64) {
    world.run_for(Duration::from_millis(hours * HOUR));
}

/// What a device told, without the times.
pub(crate) fn told(world: &World, id: DeviceId) -> Vec<Event> {
    world.events(id).iter().map(|(_, event)| event.clone()).collect()
}

/// Moments at which reports were accepted.
pub(crate) fn heartbeats(world: &World, id: DeviceId) -> Vec<u64> {
    let heartbeat = |event: &Event| matches!(event, Event::Heartbeat { .. });
    world.events(id).iter().filter(|(_, e)| heartbeat(e)).map(|(at, _)| at.0).collect()
}

/// Every request that a world's devices send: URL and body.
pub(crate) type Sent = Rc<RefCell<Vec<(String, String)>>>;

/// Watches all requests, and lets `fault` decide about every crossing.
pub(crate) fn watch(
    world: &mut World,
    mut fault: impl FnMut(&Crossing<'_>) -> Fault + 'static,
) -> Sent {
    let sent = Sent::default();
    let log = sent.clone();
    world.set_fault(move |_, crossing| {
        if let Crossing::Request { url, body } = &crossing {
            let body = String::from_utf8(body.to_vec()).unwrap();
            log.borrow_mut().push((url.to_string(), body));
        }
        fault(&crossing)
    });
    sent
}

/// How many of the requests went to `path`.
pub(crate) fn requests_to(sent: &Sent, path: &str) -> usize {
    sent.borrow().iter().filter(|(url, _)| url.ends_with(path)).count()
}

/// A request as the cloud receives it.
pub(crate) fn http(path: &str, body: &str) -> HttpRequest {
    HttpRequest {
        method: "POST".into(),
        path: path.into(),
        query: Vec::new(),
        headers: vec![("Content-Type".into(), "application/json".into())],
        body: body.into(),
    }
}

pub(crate) fn json(response: &Response) -> serde_json::Value {
    serde_json::from_slice(&response.body).unwrap()
}

pub(crate) fn stored_credential() -> Stored {
    let mut stored = Stored::empty();
    let json = format!(
        r#"{{"device_no":"{NUMBER}","device_no_type":"CMEI","product_id":"{PRODUCT}","device_id":"123456789","device_secret":"{SECRET}"}}"#
    );
    stored.insert(StoreKey::Credential, SecretBytes::new(json.into_bytes()));
    stored
}

/// One agent without a world: its owner answers it.
pub(crate) struct Hand {
    pub(crate) agent: Agent,
    pub(crate) now: Now,
    /// What came out of the last input.
    pub(crate) out: Vec<Output>,
    pub(crate) next: Option<Instant>,
}

impl Hand {
    pub(crate) fn new(config: Config, stored: Stored, now: Now) -> Self {
        let agent = Agent::new(config, stored, [3; 32], now).unwrap();
        let mut hand = Self { agent, now, out: Vec::new(), next: None };
        hand.drain();
        hand
    }

    fn drain(&mut self) {
        self.out.clear();
        loop {
            match self.agent.poll_output() {
                Output::Timeout(next) => {
                    self.next = next;
                    return;
                }
                output => self.out.push(output),
            }
        }
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.agent.handle_input(input, self.now).unwrap();
        self.drain();
    }

    pub(crate) fn intent(&mut self, intent: Intent) {
        self.input(Input::User(intent));
    }

    /// Lets both clocks run.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.now.mono.0 += ms;
        self.now.unix = self.now.unix.map(|unix| muster::UnixTime(unix.0 + ms));
        self.input(Input::Timeout);
    }

    /// Goes to the next timeout.
    pub(crate) fn wait(&mut self) {
        let next = self.next.expect("there is a timeout");
        self.pass(next.millis_since(self.now.mono));
    }

    pub(crate) fn request(&self) -> (Token, Request) {
        self.maybe_request().unwrap_or_else(|| panic!("no request in {:?}", self.out))
    }

    pub(crate) fn maybe_request(&self) -> Option<(Token, Request)> {
        self.out.iter().find_map(|output| match output {
            Output::Command(Command::Request(token, request)) => Some((*token, request.clone())),
            _ => None,
        })
    }

    pub(crate) fn store(&self) -> (Token, StoreKey, String) {
        let store = self.out.iter().find_map(|output| match output {
            Output::Command(Command::Store(token, key, value)) => {
                Some((*token, *key, String::from_utf8(value.expose().to_vec()).unwrap()))
            }
            _ => None,
        });
        store.unwrap_or_else(|| panic!("no store in {:?}", self.out))
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let event = |output: &Output| match output {
            Output::Event(event) => Some(event.clone()),
            _ => None,
        };
        self.out.iter().filter_map(event).collect()
    }

    /// Answers the request of the last output with HTTP status 200.
    pub(crate) fn reply(&mut self, body: impl Into<Vec<u8>>) {
        let (token, _) = self.request();
        self.reply_to(token, 200, body);
    }

    pub(crate) fn reply_to(&mut self, token: Token, status: u16, body: impl Into<Vec<u8>>) {
        let response = Response { status, headers: Vec::new(), body: body.into() };
        self.input(Input::Response(token, Answer::Response(response)));
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        let (token, _) = self.request();
        self.input(Input::Response(token, Answer::Failed(failure)));
    }

    pub(crate) fn stored(&mut self) {
        let (token, _, _) = self.store();
        self.input(Input::Stored(token, Outcome::Done));
    }
}

/// The answer of the document, with our values.
pub(crate) fn info_reply() -> String {
    format!(
        r#"{{"code":"200","message":"成功","success":true,"data":{{"deviceId":"123456789","deviceNo":"{NUMBER}","productId":"{PRODUCT}","deviceSecret":"{SECRET}"}}}}"#
    )
}

/// The answer of the document, with our values.
pub(crate) const REPORT_REPLY: &str = r#"{"code":"200","message":"成功","success":true,"data":{"deviceId":"123456789","protocolTypeTime":"1747100000000"}}"#;
