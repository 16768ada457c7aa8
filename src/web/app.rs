//! One owner (Alibaba): the loop around the core's [`App`](crate::app::App).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::string::String;
use std::vec::Vec;

use futures_channel::mpsc;
use futures_util::StreamExt;
use gloo_timers::callback::Timeout;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::clock::Clock;
use super::device::{seen, settings};
use super::driver::take_entries;
use super::fetch::{self, Aborter};
use super::hooks::AppHooks;
use super::read::{Members, need};
use super::relay::Route;
#[cfg(feature = "cloud")]
use super::tab::Cloud;
use super::tab::Door;
use super::values::{self, Reply, invalid};
use crate::agent::Stored;
use crate::alibaba::cipher::{CipherType, Mac, Random};
use crate::app::{
    App as Core, AppConfig, AppInput, AppOutput, AppStep, BindBy, BindPlan, Call, CallId, CallName,
    CipherPlan, CipherRequest, DeviceName, HandOver, Wifi,
};
use crate::error::Error;
use crate::input::Answer;
use crate::output::Token;
use crate::platform::PlatformName;
use crate::secret::Secret;
use crate::time::Instant;
use crate::trace::{AppReply, CallResult, Trace, Trouble, What};

enum Word {
    Call(Call, Reply),
    Input(AppInput),
    Answer(Token, Answer, Option<Trouble>),
    Timer,
    Stop,
}

/// The owner's side of Alibaba Living Link: the eight calls, and the guided bind.
#[wasm_bindgen]
#[derive(Debug)]
pub struct App {
    words: mpsc::UnboundedSender<Word>,
    trace: Rc<RefCell<Trace>>,
    hand_over: Rc<RefCell<Option<HandOver>>>,
    home_id: Option<String>,
}

#[wasm_bindgen]
impl App {
    /// An app that calls the gateway in its settings. Throws a `MusterError` if they cannot be used.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue, hooks: AppHooks) -> Result<App, JsValue> {
        Self::start(options, hooks, None)
    }

    /// An app that calls a cloud in this tab.
    #[cfg(feature = "cloud")]
    #[wasm_bindgen(js_name = inTab)]
    pub fn in_tab(options: JsValue, hooks: AppHooks, cloud: &Cloud) -> Result<App, JsValue> {
        Self::start(options, hooks, Some(cloud.door()))
    }

    /// Makes one call: an `AppCall` in, an `AppReply` out.
    pub fn call(&self, call: JsValue) -> Promise {
        values::promise(|reply| match read_call(call, self.home_id.as_deref()) {
            Ok(call) => {
                let sent = self.words.unbounded_send(Word::Call(call, reply));
                if let Err(Word::Call(_, reply)) = sent.map_err(|error| error.into_inner()) {
                    reply.give(Err(values::stopped()));
                }
            }
            Err(error) => reply.give(Err(error)),
        })
    }

    /// Begins the guided bind, an `AppBindPlan`; one in hand is dropped. How it goes on is told in the timeline.
    pub fn bind(&self, plan: JsValue) -> Result<(), JsValue> {
        let of = Members::of("plan", plan)?;
        let from = of.maybe_text("from")?.as_deref().map(step_of).transpose()?;
        let plan = read_plan(of)?;
        self.input(match from {
            Some(step) => AppInput::BindFrom(step, plan),
            None => AppInput::Bind(plan),
        })
    }

    /// What the last guided bind has handed over to its device, a `HandOver`; undefined if there was nothing. Holds
    /// secrets: for the person who asks.
    #[wasm_bindgen(js_name = handOver)]
    pub fn hand_over(&self) -> JsValue {
        self.hand_over.borrow().as_ref().map_or(JsValue::UNDEFINED, told)
    }

    /// The device announced this token.
    #[wasm_bindgen(js_name = bindToken)]
    pub fn bind_token(&self, token: String) -> Result<(), JsValue> {
        self.input(AppInput::BindToken(token))
    }

    /// Stops the guided bind.
    pub fn cancel(&self) -> Result<(), JsValue> {
        self.input(AppInput::Cancel)
    }

    /// One request or response with its body; see [`Device::packet`](super::Device::packet).
    pub fn packet(&self, seq: u32, reveal: bool) -> JsValue {
        seen(self.trace.borrow().packet(seq, reveal))
    }

    /// Ends it.
    pub fn stop(&self) {
        let _ = self.words.unbounded_send(Word::Stop);
    }
}

impl App {
    fn start(options: JsValue, hooks: AppHooks, tab: Option<Door>) -> Result<Self, JsValue> {
        let options = Members::of("options", options)?;
        let settings = settings(&options.map("settings")?);
        let route = Route::read(&options)?;
        options.finish()?;
        let config = AppConfig::from_settings(&settings).map_err(|error| values::config(&error))?;
        let home_id = config.home_id().map(String::from);
        let mut trace = Trace::new(PlatformName::Alibaba, &settings, &Stored::empty());
        if route.is_relay() && tab.is_none() {
            trace.go_by_relay();
        }
        let trace = Rc::new(RefCell::new(trace));
        let clock = Clock::start();
        let app = Core::new(config, fetch::seed()?, clock.now());
        let (words, inbox) = mpsc::unbounded();
        let hand_over = Rc::default();
        let driver = Driver {
            app,
            trace: Rc::clone(&trace),
            hand_over: Rc::clone(&hand_over),
            hooks,
            tab,
            route,
            clock,
            calls: BTreeMap::new(),
            next_call: 0,
            requests: BTreeMap::new(),
            timer: None,
            words: words.clone(),
        };
        spawn_local(driver.live(inbox));
        Ok(Self { words, trace, hand_over, home_id })
    }

    fn input(&self, input: AppInput) -> Result<(), JsValue> {
        self.words.unbounded_send(Word::Input(input)).map_err(|_| values::stopped())
    }
}

struct Driver {
    app: Core,
    trace: Rc<RefCell<Trace>>,
    /// The last one, until another bind begins.
    hand_over: Rc<RefCell<Option<HandOver>>>,
    hooks: AppHooks,
    tab: Option<Door>,
    route: Route,
    clock: Clock,
    calls: BTreeMap<CallId, Reply>,
    next_call: u64,
    requests: BTreeMap<Token, Aborter>,
    timer: Option<(Instant, Timeout)>,
    words: mpsc::UnboundedSender<Word>,
}

impl Driver {
    async fn live(mut self, mut inbox: mpsc::UnboundedReceiver<Word>) {
        self.drain();
        while let Some(word) = inbox.next().await {
            let now = self.clock.now();
            match word {
                Word::Stop => break,
                Word::Call(call, reply) => {
                    self.next_call += 1;
                    let id = CallId(self.next_call);
                    self.calls.insert(id, reply);
                    self.app.handle_input(AppInput::Call(id, call), now);
                }
                Word::Input(input) => {
                    if matches!(input, AppInput::Bind(_) | AppInput::BindFrom(..)) {
                        self.hand_over.replace(None);
                    }
                    self.app.handle_input(input, now);
                }
                Word::Answer(token, answer, trouble) => {
                    if self.requests.remove(&token).is_none() {
                        continue;
                    }
                    let moment = self.clock.moment();
                    match &answer {
                        Answer::Response(response) => {
                            self.trace.borrow_mut().response(token, response, moment);
                        }
                        Answer::Failed(_) => {
                            self.trace.borrow_mut().no_response(token, trouble, moment);
                        }
                    }
                    self.app.handle_input(AppInput::Response(token, answer), now);
                }
                Word::Timer => {
                    self.timer = None;
                    self.app.handle_input(AppInput::Timeout, now);
                }
            }
            self.drain();
        }
        // Whoever has called meanwhile waits for an answer as well.
        inbox.close();
        while let Ok(word) = inbox.try_recv() {
            if let Word::Call(_, reply) = word {
                reply.give(Err(values::stopped()));
            }
        }
        for reply in self.calls.into_values() {
            reply.give(Err(values::stopped()));
        }
        for aborter in self.requests.into_values() {
            aborter.abort();
        }
    }

    fn drain(&mut self) {
        let due = loop {
            match self.app.poll_output() {
                AppOutput::Timeout(at) => break at,
                output => self.carry_out(output),
            }
        };
        if self.timer.as_ref().map(|(at, _)| *at) != due {
            self.timer = due.map(|at| {
                let words = self.words.clone();
                let timeout = self.clock.call_at(at, move || {
                    let _ = words.unbounded_send(Word::Timer);
                });
                (at, timeout)
            });
        }
        let entries = take_entries(&self.trace);
        if entries.length() > 0 {
            self.hooks.entries(entries);
        }
    }

    fn carry_out(&mut self, output: AppOutput) {
        let moment = self.clock.moment();
        match output {
            AppOutput::Request(token, request) => {
                self.trace.borrow_mut().request(token, &request, moment);
                let (words, tab) = (self.words.clone(), self.tab.clone());
                let (route, aborter) = (self.route, Aborter::new());
                self.requests.insert(token, aborter.clone());
                spawn_local(async move {
                    let (answer, trouble) = match tab {
                        Some(door) => (door.request(&request).await, None),
                        None => fetch::request(&request, route, &aborter).await,
                    };
                    let _ = words.unbounded_send(Word::Answer(token, answer, trouble));
                });
            }
            AppOutput::Replied { id, call, result } => {
                let result = result.map(AppReply::from);
                let told = match &result {
                    Ok(reply) => CallResult::Ok(reply.clone().covered()),
                    Err(error) => CallResult::Error(error.clone()),
                };
                self.trace.borrow_mut().push(What::Reply { call, result: told }, moment);
                if let Some(reply) = self.calls.remove(&id) {
                    reply.give(match result {
                        Ok(reply) => Ok(values::js(&reply)),
                        Err(error) => Err(call_failed(call, &error)),
                    });
                }
            }
            // Nobody is there to log in anew: the call fails with the cloud's own words.
            AppOutput::TokenNeeded => {
                self.app.handle_input(AppInput::NoIotToken, self.clock.now());
            }
            AppOutput::Session { iot_token, refresh_token } => {
                let mut trace = self.trace.borrow_mut();
                for token in [Some(iot_token), refresh_token].iter().flatten() {
                    trace.learn(Secret::expose(token));
                }
            }
            AppOutput::Event(event) => {
                self.trace.borrow_mut().push(What::AppEvent { event }, moment);
            }
            // In a simulator there is no air between phone and device: it is kept for the person who wants to see it.
            AppOutput::HandOver(hand_over) => {
                let mut trace = self.trace.borrow_mut();
                trace.learn(hand_over.key.hex().expose());
                if let Some(passwd) = &hand_over.passwd {
                    trace.learn(passwd.expose());
                }
                self.hand_over.replace(Some(hand_over));
            }
            AppOutput::Timeout(_) => {}
        }
    }
}

/// One of the owner's calls, for the configured home if it names none.
fn read_call(value: JsValue, home: Option<&str>) -> Result<Call, JsValue> {
    let of = Members::of("call", value)?;
    let device = || read_device(need(of.value("device"), "device")?);
    let home_id = of.maybe_text("home_id")?;
    let home = home_id.as_deref().or(home);
    let call = match &*of.text("call")? {
        "list" => Call::list(
            of.maybe_number("page_size")?.unwrap_or(20),
            of.maybe_number("page_num")?.unwrap_or(1),
        ),
        "filter" => Call::filter(&read_devices(of.list("devices")?)?, of.flag("scope_all")?),
        "token_check" => Call::token_check(
            &of.text("token")?,
            of.maybe_text("product_key")?.as_deref(),
            of.maybe_text("device_name")?.as_deref(),
        ),
        "token_bind" => Call::token_bind(home, &device()?, &of.text("token")?),
        "window_bind" => Call::window_bind(home, &device()?),
        "cipher" => Call::cipher(&CipherRequest {
            cipher: cipher_type(of.number("type")?)?,
            product_key: of.maybe_text("product_key")?,
            product_id: of.maybe_text("product_id")?,
            device_name: of.maybe_text("device_name")?,
            mac: of.maybe_text("mac")?.as_deref().map(mac_of).transpose()?,
            random: random_of(&of.text("random")?)?,
        }),
        "permit" => Call::permit(&of.text("iot_id")?, &of.text("product_key")?, of.number("time")?),
        "topo_remove" => Call::topo_remove(&of.text("iot_id")?, &of.text("sub_iot_id")?),
        _ => return Err(invalid("call", "is none of the owner's calls")),
    };
    of.finish()?;
    call.map_err(|error| invalid(error.parameter, error.problem))
}

/// A step of the guided bind by its name.
fn step_of(name: &str) -> Result<AppStep, JsValue> {
    Ok(match name {
        "list" => AppStep::List,
        "filter" => AppStep::Filter,
        "cipher" => AppStep::Cipher,
        "token" => AppStep::Token,
        "bind" => AppStep::Bind,
        _ => return Err(invalid("from", "has to be list, filter, cipher, token or bind")),
    })
}

/// What was handed over, as an object.
fn told(hand_over: &HandOver) -> JsValue {
    let object = js_sys::Object::new();
    let set = |name: &str, value: &JsValue| {
        let _ = js_sys::Reflect::set(&object, &name.into(), value);
    };
    set("device", &values::js(&hand_over.device));
    set("key", &hand_over.key.hex().expose().into());
    set("random", &crate::hex::upper(&hand_over.random.0).into());
    if let Some(ssid) = &hand_over.ssid {
        set("ssid", &ssid.into());
    }
    if let Some(passwd) = &hand_over.passwd {
        set("passwd", &passwd.expose().into());
    }
    object.into()
}

/// What is to be bound, and how.
fn read_plan(of: Members) -> Result<BindPlan, JsValue> {
    let token = of.maybe_text("token")?;
    let plan = BindPlan {
        devices: read_devices(of.list("devices")?)?,
        choose: of.value("choose").map(read_device).transpose()?,
        scope_all: of.flag("scope_all")?,
        cipher: of.maybe_members("cipher")?.map(read_cipher).transpose()?,
        by: match &*of.text("by")? {
            "token" => BindBy::Token(token),
            "window" => BindBy::Window,
            _ => return Err(invalid("by", "has to be token or window")),
        },
        home_id: of.maybe_text("home_id")?,
    };
    of.finish()?;
    Ok(plan)
}

fn read_cipher(of: Members) -> Result<CipherPlan, JsValue> {
    let password = Secret::new(of.text_or_empty("password")?);
    let random = of.maybe_text("random")?;
    let plan = CipherPlan {
        cipher: cipher_type(of.number("type")?)?,
        // As in the modes in which the device announces none.
        random: random_of(random.as_deref().unwrap_or("00000000000000000000000000000000"))?,
        mac: of.maybe_text("mac")?.as_deref().map(mac_of).transpose()?,
        product_id: of.maybe_text("product_id")?,
        wifi: of.maybe_text("ssid")?.map(|ssid| Wifi { ssid, password }),
    };
    of.finish()?;
    Ok(plan)
}

fn read_devices(values: Vec<JsValue>) -> Result<Vec<DeviceName>, JsValue> {
    values.into_iter().map(read_device).collect()
}

fn read_device(value: JsValue) -> Result<DeviceName, JsValue> {
    let of = Members::of("device", value)?;
    let (product_key, device_name) = (of.text("product_key")?, of.text("device_name")?);
    of.finish()?;
    Ok(DeviceName { product_key, device_name })
}

fn cipher_type(number: u32) -> Result<CipherType, JsValue> {
    CipherType::from_number(number.into()).ok_or_else(|| invalid("type", "has to be 3, 4, 6 or 7"))
}

fn mac_of(text: &str) -> Result<Mac, JsValue> {
    text.parse().map_err(|_| invalid("mac", "has to be a MAC address"))
}

fn random_of(text: &str) -> Result<Random, JsValue> {
    text.parse().map_err(|_| invalid("random", "has to be 32 hex characters"))
}

fn call_failed(call: CallName, error: &Error) -> JsValue {
    let text = [call.path(), " failed"].concat();
    values::fault("call_failed", &text, None, values::js(error))
}
