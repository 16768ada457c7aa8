//! One device, as JavaScript sees it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::string::String;
#[cfg(feature = "lab")]
use std::vec::Vec;

use futures_channel::mpsc;
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::clock::Clock;
#[cfg(feature = "lab")]
use super::driver::Packet;
use super::driver::{Driver, Harm, VERSION, Word};
use super::fetch;
use super::hooks::DeviceHooks;
use super::read::{Members, need};
use super::record::Record;
use super::relay::Route;
#[cfg(feature = "lab")]
use super::rules;
#[cfg(feature = "cloud")]
use super::tab::Cloud;
use super::tab::Door;
use super::values;
use crate::agent::{Agent, Stored};
use crate::input::Intent;
use crate::output::StoreKey;
#[cfg(feature = "lab")]
use crate::output::{Publish, QoS, Subscribe};
use crate::platform::Config;
#[cfg(feature = "lab")]
use crate::platform::PlatformName;
#[cfg(feature = "lab")]
use crate::replay::{KEPT_BYTES, Recorder};
use crate::secret::SecretBytes;
use crate::settings::Settings;
use crate::trace::{Seen, Trace};

/// A simulated device. It lives from its construction to [`stop`](Self::stop).
#[wasm_bindgen]
#[derive(Debug)]
pub struct Device {
    #[cfg(feature = "lab")]
    platform: PlatformName,
    words: mpsc::UnboundedSender<Word>,
    trace: Rc<RefCell<Trace>>,
    cut: Rc<Cell<bool>>,
    record: Record,
}

#[wasm_bindgen]
impl Device {
    /// Brings a device to life on the network. `options` is a `DeviceOptions`; throws a `MusterError` if the settings
    /// or what is stored cannot be used.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue, hooks: DeviceHooks) -> Result<Device, JsValue> {
        Self::start(options, hooks, None)
    }

    /// Brings a device to life against a cloud in this tab.
    #[cfg(feature = "cloud")]
    #[wasm_bindgen(js_name = inTab)]
    pub fn in_tab(options: JsValue, hooks: DeviceHooks, cloud: &Cloud) -> Result<Device, JsValue> {
        Self::start(options, hooks, Some(cloud.door()))
    }

    /// Tells the device what a person wants. Rejects if this platform has no such thing.
    pub fn intend(&self, intent: JsValue) -> Promise {
        values::promise(|reply| match read_intent(intent) {
            Ok(intent) => self.send(Word::Intent(intent, reply)),
            Err(error) => reply.give(Err(error)),
        })
    }

    /// One packet with its bytes, its secrets covered unless `reveal`: `{ entry, bytes }`, or undefined if it is no
    /// packet or is not kept any more.
    pub fn packet(&self, seq: u32, reveal: bool) -> JsValue {
        seen(self.trace.borrow().packet(seq, reveal))
    }

    /// Its life so far for a `Replay`, secrets and all; undefined if it is not recorded. There is one after its end too.
    #[cfg(feature = "lab")]
    pub fn recording(&self) -> Option<Vec<u8>> {
        let recorder = self.record.0.as_ref()?;
        Some(recorder.borrow().recording().to_bytes().into_inner())
    }

    /// Cuts the connection without a word, as a network does that fails.
    #[wasm_bindgen(js_name = dropNetwork)]
    pub fn drop_network(&self) {
        let _ = self.words.unbounded_send(Word::DropNetwork);
    }

    /// Changes the faults that are armed: `{ clear, disarm, arm }` in, an array of `Armed` out.
    #[cfg(feature = "lab")]
    pub fn faults(&self, change: JsValue) -> Promise {
        values::promise(|reply| match rules::read_change(change, self.platform) {
            Ok(change) => self.send(Word::Faults(change, reply)),
            Err(error) => reply.give(Err(error)),
        })
    }

    /// Publishes beside the core: resolves when it is acknowledged, or, of QoS 0, when it has left.
    #[cfg(feature = "lab")]
    pub fn publish(&self, topic: String, payload: Vec<u8>, qos: u8) -> Promise {
        self.raw(qos, &topic.clone(), |qos| {
            Packet::Publish(Publish { topic, qos, payload: SecretBytes::new(payload) })
        })
    }

    /// Subscribes beside the core. What comes is in the timeline.
    #[cfg(feature = "lab")]
    pub fn subscribe(&self, topic: String, qos: u8) -> Promise {
        self.raw(qos, &topic.clone(), |qos| Packet::Subscribe(Subscribe { topic, qos }))
    }

    /// Logs out and ends. Resolves when everything is closed and stored.
    pub fn stop(&self) -> Promise {
        values::promise(|reply| self.send(Word::Stop(reply)))
    }

    /// Ends at once, without a word to anybody: a power cut. What was not stored is lost.
    #[wasm_bindgen(js_name = cutPower)]
    pub fn cut_power(&self) {
        self.cut.set(true);
        self.words.close_channel();
    }
}

impl Device {
    #[cfg(feature = "lab")]
    fn raw(&self, qos: u8, topic: &str, packet: impl FnOnce(QoS) -> Packet) -> Promise {
        values::promise(|reply| {
            let qos = match qos {
                0 => QoS::AtMostOnce,
                1 => QoS::AtLeastOnce,
                _ => return reply.give(Err(values::invalid("qos", "has to be 0 or 1"))),
            };
            if topic.is_empty() || topic.len() > 256 || topic.contains(['+', '#', '\0']) {
                let problem = "has to have 1 to 256 bytes, without + and #";
                return reply.give(Err(values::invalid("topic", problem)));
            }
            self.send(Word::Raw(packet(qos), reply));
        })
    }

    fn send(&self, word: Word) {
        // What comes too late is answered at once.
        if let Err(error) = self.words.unbounded_send(word) {
            error.into_inner().refuse();
        }
    }

    fn start(options: JsValue, hooks: DeviceHooks, tab: Option<Door>) -> Result<Self, JsValue> {
        let options = Members::of("options", options)?;
        let platform = options.platform("platform")?;
        let mut settings = settings(&options.map("settings")?);
        let mut stored = Stored::empty();
        for (name, value) in options.bytes_by_name("stored")? {
            if let Some(key) = StoreKey::ALL.into_iter().find(|key| key.name() == name) {
                stored.insert(key, SecretBytes::new(value));
            } else if let (VERSION, Ok(version)) = (&*name, core::str::from_utf8(&value)) {
                // What was installed is what runs.
                settings.set("firmware_version", version);
            }
        }
        let route = Route::read(&options)?;
        #[cfg(feature = "lab")]
        let (mut harm, record) = (
            Harm::new(platform, rules::read_rules(options.list("faults")?, platform)?),
            options.flag("record")?,
        );
        #[cfg(not(feature = "lab"))]
        let mut harm = Harm;
        options.finish()?;
        let config =
            Config::from_settings(platform, &settings).map_err(|error| values::config(&error))?;
        let mut trace = Trace::new(platform, &settings, &stored);
        if route.is_relay() && tab.is_none() {
            trace.go_by_relay();
        }
        let trace = Rc::new(RefCell::new(trace));
        let mut clock = Clock::start();
        harm.wind(&mut clock);
        let (seed, now) = (fetch::seed()?, clock.now());
        #[cfg(feature = "lab")]
        let recorder = record
            .then(|| Recorder::new(platform, settings, stored.clone(), seed, now, KEPT_BYTES));
        let agent =
            Agent::new(config, stored, seed, now).map_err(|error| values::misuse(&error))?;
        #[cfg(feature = "lab")]
        let record = Record(recorder.map(|mut recorder| {
            recorder.said(&agent);
            Rc::new(RefCell::new(recorder))
        }));
        #[cfg(not(feature = "lab"))]
        let record = Record;
        let (words, inbox) = mpsc::unbounded();
        let cut = Rc::new(Cell::new(false));
        let driver = Driver::new(
            platform,
            agent,
            record.clone(),
            Rc::clone(&trace),
            hooks,
            tab,
            route,
            clock,
            words.clone(),
            Rc::clone(&cut),
            harm,
        );
        spawn_local(driver.live(inbox));
        Ok(Self {
            #[cfg(feature = "lab")]
            platform,
            words,
            trace,
            cut,
            record,
        })
    }
}

pub(super) fn settings(given: &BTreeMap<String, String>) -> Settings {
    let mut settings = Settings::new();
    for (key, value) in given {
        settings.set(key, value);
    }
    settings
}

fn read_intent(value: JsValue) -> Result<Intent, JsValue> {
    let members = Members::of("intent", value)?;
    let intent = match &*members.text("intent")? {
        "try_again" => Intent::TryAgain,
        "register_again" => Intent::RegisterAgain,
        "use" => Intent::Use { date: need(members.maybe_number("date")?, "date")? },
        "report" => Intent::Report,
        "post_properties" => Intent::PostProperties { json: members.text("json")? },
        "new_bind_token" => Intent::NewBindToken,
        "request_firmware" => Intent::RequestFirmware,
        _ => return Err(values::invalid("intent", "is nothing that a device knows")),
    };
    members.finish()?;
    Ok(intent)
}

/// `{ entry, bytes }`.
pub(super) fn seen(seen: Option<Seen>) -> JsValue {
    let Some(seen) = seen else { return JsValue::UNDEFINED };
    let bytes = Uint8Array::from(seen.bytes.expose());
    values::object(&[("entry", values::js(&seen.entry)), ("bytes", bytes.into())])
}
