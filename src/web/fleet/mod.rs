//! Many devices in one Worker, without timelines.
//!
//! A device of a fleet is the device of everything else: the same agent, the same session, and nothing registers twice.
//! What it has not: a timeline, a task, a timer and listeners of its own. So it takes a few kilobytes, and a tab holds
//! as many as the browser has sockets, or ten thousand with the clouds in the tab.
//!
//! | module | what it does |
//! | --- | --- |
//! | `crowd` | all devices, the one task that drives them, and whose turn it is |
//! | `member` | one device |
//! | `means` | what they share: waiting for sockets and requests, deadlines, figures |
//! | `sockets` | WebSockets with three listeners for all of them |
//! | `causes` | failures by what caused them |
//!
//! Chromium holds 255 WebSockets in a tab, however many hosts they lead to, and opens one handshake at a time to an
//! address: 75 to 90 in a second. Both were measured; see `docs/console/fleet.md`.
//!
//! Deliberately absent: brokers by the relay, which would be tasks of their own for each device (HTTP goes by it); other
//! intents than reports and another try. Who wants to look at one device, or do something
//! with it, takes it out of the fleet.

mod causes;
mod crowd;
mod means;
mod member;
mod sockets;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::format;
use std::rc::Rc;
use std::string::{String, ToString};
use std::vec::Vec;

use futures_channel::mpsc;
use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use self::crowd::{Crowd, Query};
use self::means::{Bounds, Means};
use self::member::{Kept, Member};
use super::driver::VERSION;
use super::read::{Members, need};
use super::relay::Route;
use super::tab::{Cloud, Door};
use super::values;
use crate::output::StoreKey;
use crate::page::{FleetProblem, FleetState};
use crate::platform::{Config, PlatformName};
use crate::secret::SecretBytes;
use crate::settings::Settings;

/// Devices of one fleet.
const MOST: usize = 100_000;
/// Problems that are told at once.
const MOST_PROBLEMS: usize = 200;

#[wasm_bindgen]
extern "C" {
    /// What the JavaScript around a [`Fleet`] does for it.
    pub type FleetHooks;

    /// How the fleet is: a `FleetStatus`, a few times a second while it runs.
    #[wasm_bindgen(method)]
    fn tick(this: &FleetHooks, status: JsValue);

    /// Puts values under names, or erases them (`undefined`), all or nothing: an array of `[name, Uint8Array?]`. The
    /// promise settles when they will survive a power cut.
    #[wasm_bindgen(method, catch)]
    fn store(this: &FleetHooks, changes: Array) -> Result<Promise, JsValue>;
}

impl core::fmt::Debug for FleetHooks {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("FleetHooks")
    }
}

std::thread_local! {
    /// What devices of this Worker stored in earlier fleets: as a device's flash, it is there after a power cut.
    static SHELF: RefCell<BTreeMap<String, Kept>> = const { RefCell::new(BTreeMap::new()) };
}

/// Many devices. They live from [`run`](Self::run) to [`stop`](Self::stop).
#[wasm_bindgen]
pub struct Fleet {
    crowd: Rc<RefCell<Crowd>>,
    platform: PlatformName,
    /// Where what they stored goes when the fleet is let go; none: the page keeps it.
    shelf: Option<String>,
}

impl core::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Fleet({}, {} devices)", self.platform, self.crowd.borrow().members.len())
    }
}

#[wasm_bindgen]
impl Fleet {
    /// Reads the list, and starts nothing yet. Throws a `MusterError` of code `rows` whose data are the
    /// `FleetProblem`s if a row cannot be used. `options` is a `FleetOptions`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue, hooks: FleetHooks) -> Result<Fleet, JsValue> {
        Self::make(options, hooks, None)
    }

    /// The same against a cloud in this tab.
    #[wasm_bindgen(js_name = inTab)]
    pub fn in_tab(options: JsValue, hooks: FleetHooks, cloud: &Cloud) -> Result<Fleet, JsValue> {
        Self::make(options, hooks, Some(cloud.door()))
    }

    /// Sets bounds: a `FleetBounds`, of which any may be absent.
    pub fn set(&self, bounds: JsValue) -> Result<(), JsValue> {
        let mut crowd = self.crowd.borrow_mut();
        let bounds = read_bounds(Members::of("bounds", bounds)?, crowd.bounds_now())?;
        crowd.bounds(bounds);
        crowd.nudge();
        Ok(())
    }

    /// Starts the devices, each in its turn; after a pause, those that have not started.
    pub fn run(&self) {
        self.crowd.borrow_mut().run();
    }

    /// No other device starts; those that live go on.
    pub fn pause(&self) {
        self.crowd.borrow_mut().pause();
    }

    /// All log out. Resolves when everything is stored.
    pub fn stop(&self) -> Promise {
        values::promise(|reply| self.crowd.borrow_mut().stop(reply))
    }

    /// Those that gave up try again.
    #[wasm_bindgen(js_name = tryAgain)]
    pub fn try_again(&self) {
        self.crowd.borrow_mut().try_again();
    }

    /// How it is: a `FleetStatus`.
    pub fn status(&self) -> JsValue {
        values::js(&self.crowd.borrow_mut().status())
    }

    /// Some of its devices: a `FleetRows` for a `FleetQuery`.
    pub fn rows(&self, query: JsValue) -> Result<JsValue, JsValue> {
        let query = read_query(query)?;
        Ok(values::js(&self.crowd.borrow().rows(&query)))
    }

    /// What the devices stored of their registration: pairs of number and credential, the JSON that it is. **Secrets.**
    pub fn credentials(&self) -> Array {
        let crowd = self.crowd.borrow();
        let all = Array::new();
        for (n, member) in (0u32..).zip(&crowd.members) {
            let kept = member.kept.stored.get(StoreKey::Credential);
            if let Some(text) = kept.and_then(|kept| core::str::from_utf8(kept.expose()).ok()) {
                all.push(&Array::of2(&n.into(), &JsValue::from_str(text)));
            }
        }
        all
    }

    /// Takes a device out of the fleet, logged out: `{ settings, stored, key }`, with its secrets, once all that it had to
    /// keep is kept. What it stored stays here until [`taken`](Self::taken) says that it is kept elsewhere. Undefined:
    /// there is none of this number.
    pub fn take(&self, n: u32) -> Promise {
        values::promise(|reply| self.crowd.borrow_mut().take(n as usize, reply))
    }

    /// What the device of this number stored is kept elsewhere by now.
    pub fn taken(&self, n: u32) {
        let mut crowd = self.crowd.borrow_mut();
        if let Some(member) = crowd.members.get_mut(n as usize)
            && member.state == FleetState::Taken
        {
            member.kept = Kept::default();
        }
    }

    fn make(options: JsValue, hooks: FleetHooks, door: Option<Door>) -> Result<Fleet, JsValue> {
        let options = Members::of("options", options)?;
        let platform = options.platform("platform")?;
        let common = super::device::settings(&options.map("settings")?);
        let columns = options.maybe_texts("columns")?.unwrap_or_default();
        let rows = options.list("rows")?;
        let lines = options.list("lines")?;
        let scope = options.maybe_text("shelf")?;
        let kept = options.bytes_by_name("stored")?;
        let route = Route::of(options.flag("relay")?);
        let none = Bounds { sockets: 0, requests: 6, at_once: 64, rate: 0, report_every: 0 };
        let bounds = need(options.maybe_members("bounds")?, "bounds")?;
        let bounds = read_bounds(bounds, none)?;
        options.finish()?;
        if rows.len() > MOST {
            return Err(values::invalid("rows", "are more than 100,000"));
        }
        let mut members = read_rows(platform, &common, &columns, &rows, &lines)?;
        let shelf = scope.map(|scope| format!("{scope}/{platform}/"));
        match &shelf {
            Some(shelf) => from_shelf(shelf, &mut members),
            None => from_page(kept, &mut members)?,
        }
        let (words, inbox) = mpsc::unbounded();
        let means = Means::new(platform, bounds, door, route, words, shelf.is_none());
        let crowd = Rc::new(RefCell::new(Crowd::new(members, means, common, columns)));
        spawn_local(crowd::live(Rc::clone(&crowd), inbox, hooks));
        Ok(Self { crowd, platform, shelf })
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let Some(shelf) = &self.shelf else { return };
        let mut crowd = self.crowd.borrow_mut();
        SHELF.with_borrow_mut(|all| {
            for member in &mut crowd.members {
                let kept = core::mem::take(&mut member.kept);
                if !kept.is_empty() {
                    all.insert([shelf.as_str(), &member.key].concat(), kept);
                }
            }
        });
        // The task ends with its queue.
        crowd.means.words.close_channel();
    }
}

/// What goes with a device that leaves. **Secrets.**
fn handed_out(crowd: &Crowd, at: usize) -> JsValue {
    let Some(member) = crowd.members.get(at) else { return JsValue::UNDEFINED };
    let settings = crowd.settings(at);
    let kept = &member.kept;
    let stored = Array::new();
    for (key, value) in kept.stored.iter() {
        let bytes = Uint8Array::from(value.expose());
        stored.push(&Array::of2(&JsValue::from_str(key.name()), &bytes));
    }
    if let Some(version) = &kept.version {
        let bytes = Uint8Array::from(version.as_bytes());
        stored.push(&Array::of2(&JsValue::from_str(VERSION), &bytes));
    }
    let of: Vec<(&str, JsValue)> = settings
        .keys()
        .filter_map(|key| Some((key, JsValue::from_str(settings.get(key)?))))
        .collect();
    let key = JsValue::from_str(&member.key);
    values::object(&[("settings", values::object(&of)), ("stored", stored.into()), ("key", key)])
}

fn from_shelf(shelf: &str, members: &mut [Member]) {
    SHELF.with_borrow_mut(|all| {
        if all.is_empty() {
            return;
        }
        for member in members {
            if let Some(kept) = all.remove(&[shelf, &member.key].concat()) {
                member.kept = kept;
            }
        }
    });
}

fn from_page(kept: Vec<(String, Vec<u8>)>, members: &mut [Member]) -> Result<(), JsValue> {
    let places: HashMap<String, usize> =
        members.iter().enumerate().map(|(at, member)| (member.key.to_string(), at)).collect();
    for (name, value) in kept {
        let Some((device, key)) = name.rsplit_once('/') else { continue };
        let Some(member) = places.get(device).and_then(|at| members.get_mut(*at)) else { continue };
        if let Some(key) = StoreKey::ALL.into_iter().find(|of| of.name() == key) {
            member.kept.stored.insert(key, SecretBytes::new(value));
        } else if key == VERSION {
            member.kept.version = String::from_utf8(value).ok();
        }
    }
    Ok(())
}

/// Every row is read before anything begins; each that cannot be used is told with its line.
fn read_rows(
    platform: PlatformName,
    common: &Settings,
    columns: &[String],
    rows: &[JsValue],
    lines: &[JsValue],
) -> Result<Vec<Member>, JsValue> {
    let mut members: Vec<Member> = Vec::with_capacity(rows.len());
    let mut problems = Vec::new();
    let mut seen: HashMap<String, u32> = HashMap::with_capacity(rows.len());
    let mut wrong = 0u32;
    let mut tell = |line: u32, key: String, problem: String| {
        wrong += 1;
        if problems.len() < MOST_PROBLEMS {
            problems.push(FleetProblem { line, key, problem });
        }
    };
    for (at, row) in rows.iter().enumerate() {
        let line = lines.get(at).and_then(JsValue::as_f64).unwrap_or(0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "of a file")]
        let line = line as u32;
        let Some(fields) = row.dyn_ref::<Array>() else {
            return Err(values::invalid("rows", "have to be lists of texts"));
        };
        let mut settings = common.clone();
        let mut own = Vec::new();
        for (column, (key, value)) in columns.iter().zip(fields.iter()).enumerate() {
            let Some(value) = value.as_string() else {
                return Err(values::invalid("rows", "have to be lists of texts"));
            };
            // An empty field is no setting.
            if !value.is_empty() {
                settings.set(key, &value);
                own.extend(crowd::cell(column, &value));
            }
        }
        let identity = match Config::from_settings(platform, &settings) {
            Ok(config) => config.identity(),
            Err(error) => {
                tell(line, error.key, error.problem);
                continue;
            }
        };
        let key = [&*identity.product, "/", &identity.device].concat();
        if let Some(before) = seen.insert(key.clone(), line) {
            let problem = if before == 0 {
                format!("device {} is in the list already", identity.device)
            } else {
                format!("device {} is in line {before} already", identity.device)
            };
            tell(line, String::new(), problem);
            continue;
        }
        members.push(Member::new(identity.device, key, line, own));
    }
    if wrong > 0 {
        let text = format!("{wrong} rows cannot be used");
        let data = values::object(&[("count", wrong.into()), ("problems", values::js(&problems))]);
        return Err(values::fault("rows", &text, Some("mend the list and give it again"), data));
    }
    Ok(members)
}

fn read_bounds(of: Members, now: Bounds) -> Result<Bounds, JsValue> {
    let bounds = Bounds {
        sockets: of.maybe_number("sockets")?.unwrap_or(now.sockets),
        requests: of.maybe_number("requests")?.unwrap_or(now.requests).max(1),
        at_once: of.maybe_number("at_once")?.unwrap_or(now.at_once).max(1),
        rate: of.maybe_number("rate")?.unwrap_or(now.rate),
        report_every: of.maybe_number("report_every")?.unwrap_or(now.report_every),
    };
    of.finish()?;
    Ok(bounds)
}

fn read_query(value: JsValue) -> Result<Query, JsValue> {
    let of = Members::of("query", value)?;
    let names = of.maybe_texts("states")?;
    let states = names.map(|names| {
        let state = |name: &String| {
            let mut all = FleetState::ALL.into_iter();
            let state = all.find(|state| values::js(state).as_string().as_ref() == Some(name));
            state.ok_or_else(|| values::invalid("states", "has a state that no device is in"))
        };
        names.iter().map(state).collect::<Result<Vec<_>, _>>()
    });
    let query = Query {
        states: states.transpose()?,
        search: of.text_or_empty("search")?.to_lowercase(),
        from: of.number("from")? as usize,
        count: of.number("count")? as usize,
    };
    of.finish()?;
    Ok(query)
}
