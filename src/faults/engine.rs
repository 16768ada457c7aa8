//! Which rule strikes, and what that does.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::mem;

use super::edit;
use super::{Armed, Fault, Kind, On, Rule, Times, When};
use crate::http::{Request, Response};
use crate::output::{Event, Step};
use crate::platform::PlatformName;
use crate::trace::{Direction, MqttPacket, PacketType, packet, path};

/// A rule struck.
#[derive(Clone, Debug, PartialEq)]
pub struct Strike {
    /// Which.
    pub rule: String,
    /// What is done.
    pub fault: Fault,
    /// What became what, in technical terms.
    pub detail: Option<String>,
}

/// What happens to a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed<T> {
    /// It is gone.
    Lose,
    /// It comes so many milliseconds later.
    Delay(u32),
    /// It comes twice.
    Duplicate,
    /// It comes after the next one.
    Reorder,
    /// This comes in its place.
    Change(T),
}

/// What happens because of a message.
#[derive(Debug, PartialEq)]
pub struct Verdict<T> {
    /// To the message; nothing if absent.
    pub deed: Option<(Strike, Deed<T>)>,
    /// Faults whose moment this is.
    pub then: Vec<Strike>,
}

/// What happens to a value that is to be stored.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreDeed {
    /// The device dies, before or after.
    Cut(Strike, When),
    /// The storage says no.
    Fail(Strike),
}

/// The rules of one device. See the [module](super).
#[derive(Debug)]
pub struct Faults {
    platform: PlatformName,
    rules: Vec<(Armed, Chance)>,
    /// A rule has met something since somebody asked.
    moved: bool,
}

/// What a rule looks at.
#[derive(Debug)]
pub enum Met<'a> {
    /// An MQTT packet, whole.
    Packet(Direction, &'a [u8]),
    /// An HTTP request.
    Request(&'a Request),
    /// The response to a request for this path.
    Response(&'a str, &'a Response),
    /// An event of the device's.
    Event(&'a Event),
}

impl Faults {
    /// Of a device of this platform, without rules.
    pub fn new(platform: PlatformName) -> Self {
        Self { platform, rules: Vec::new(), moved: false }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules, in their order.
    pub fn armed(&self) -> impl Iterator<Item = &Armed> {
        self.rules.iter().map(|(armed, _)| armed)
    }

    /// Whether a rule has met something, or struck, since this was last asked.
    pub fn take_moved(&mut self) -> bool {
        mem::take(&mut self.moved)
    }

    /// How many rules there would be after all were forgotten, or none; these were taken away; and those were armed.
    pub fn count_after(&self, clear: bool, disarm: &[String], arm: &[Armed]) -> usize {
        let stays = |id: &String| {
            !clear && !disarm.contains(id) && arm.iter().all(|other| other.rule.id != *id)
        };
        self.rules.iter().filter(|(armed, _)| stays(&armed.rule.id)).count() + arm.len()
    }

    /// Arms a rule, in the place of one with the same id.
    pub fn arm(&mut self, armed: Armed) {
        let mut chance = Chance::new(armed.rule.seed);
        // One that goes on where it was draws what it would have drawn.
        for _ in 0..armed.seen.min(1_000_000) {
            chance.draw();
        }
        match self.rules.iter_mut().find(|(other, _)| other.rule.id == armed.rule.id) {
            Some(other) => *other = (armed, chance),
            None => self.rules.push((armed, chance)),
        }
    }

    /// Takes rules away: these, or all.
    pub fn disarm(&mut self, ids: Option<&[String]>) {
        match ids {
            Some(ids) => self.rules.retain(|(armed, _)| !ids.contains(&armed.rule.id)),
            None => self.rules.clear(),
        }
    }

    /// Those that strike at the device's birth, without waiting for anything, and have not.
    pub fn at_birth(&mut self) -> Vec<Strike> {
        self.at_once(|_| true)
    }

    /// Those of these rules, just armed, that strike without waiting for anything, and have not.
    pub fn at_arming(&mut self, ids: &[String]) -> Vec<Strike> {
        self.at_once(|id| ids.contains(id))
    }

    fn at_once(&mut self, of: impl Fn(&String) -> bool) -> Vec<Strike> {
        let now = |rule: &Rule| {
            rule.on.is_none() && (rule.fault.is_of_moment() || rule.fault.is_of_clock())
        };
        let mut strikes = Vec::new();
        for (armed, chance) in &mut self.rules {
            // A clock that is wrong is wrong once, for as long as that.
            let again = armed.rule.fault.is_of_clock() && armed.struck > 0;
            if !now(&armed.rule) || again || !of(&armed.rule.id) {
                continue;
            }
            self.moved = true;
            if strikes_now(armed, chance) {
                strikes.push(strike(&armed.rule, None));
            }
        }
        strikes
    }

    /// By how many milliseconds the wall clock is wrong by the rules that hold, and whether there is one at all.
    pub fn wall(&self) -> (f64, bool) {
        let mut wrong = 0.0;
        let mut there = true;
        for (armed, _) in self.rules.iter().filter(|(armed, _)| armed.struck > 0) {
            match armed.rule.fault {
                Fault::ClockSkew { ms } => wrong += ms,
                Fault::NoClock => there = false,
                _ => {}
            }
        }
        (wrong, there)
    }

    /// A whole MQTT packet passes.
    pub fn packet(&mut self, direction: Direction, bytes: &[u8]) -> Verdict<Vec<u8>> {
        self.judge(&Met::Packet(direction, bytes), |platform, fault| {
            let changed = match fault {
                Fault::WrongId => edit::publish(bytes, |body| edit::wrong_id(platform, body)),
                Fault::VendorCode { code } => {
                    edit::publish(bytes, |body| edit::vendor_code(platform, body, code))
                }
                Fault::Refuse { code } => edit::refuse(bytes, *code),
                _ => None,
            };
            changed.map(|(bytes, detail)| (bytes, Some(detail)))
        })
    }

    /// An HTTP request goes out.
    pub fn request(&mut self, request: &Request) -> Verdict<Request> {
        self.judge(&Met::Request(request), |platform, fault| {
            let (body, detail) = body(platform, fault, &request.body)?;
            Some((Request { body, ..request.clone() }, Some(detail)))
        })
    }

    /// The response to a request for `path` comes.
    pub fn response(&mut self, path: &str, response: &Response) -> Verdict<Response> {
        self.judge(&Met::Response(path, response), |platform, fault| {
            if let Fault::Status { status, body } = fault {
                let detail = [response.status.to_string(), " → ".to_string(), status.to_string()];
                let body = body.clone().unwrap_or_default().into_bytes();
                let headers = response.headers.clone();
                return Some((Response { status: *status, headers, body }, Some(detail.concat())));
            }
            let (body, detail) = body(platform, fault, &response.body)?;
            Some((Response { body, ..response.clone() }, Some(detail)))
        })
    }

    /// Something happened to the device.
    pub fn event(&mut self, event: &Event) -> Vec<Strike> {
        self.judge::<()>(&Met::Event(event), |_, _| None).then
    }

    /// A value is to be stored under this name.
    pub fn store(&mut self, name: &str) -> Option<StoreDeed> {
        let mut deed = None;
        for (armed, chance) in &mut self.rules {
            let made = match armed.rule.fault {
                Fault::PowerCut { key: Some(key), when, .. } if key.name() == name => {
                    StoreDeed::Cut(strike(&armed.rule, None), when)
                }
                Fault::StoreFail { key } if key.name() == name => {
                    StoreDeed::Fail(strike(&armed.rule, None))
                }
                _ => continue,
            };
            self.moved = true;
            if deed.is_some() {
                armed.seen = armed.seen.saturating_add(1);
                chance.draw();
            } else if strikes_now(armed, chance) {
                deed = Some(made);
            }
        }
        deed
    }

    /// An image is about to be fetched.
    pub fn download(&mut self) -> Option<Strike> {
        let mut struck = None;
        for (armed, chance) in &mut self.rules {
            if !armed.rule.fault.is_of_download() {
                continue;
            }
            self.moved = true;
            if struck.is_some() {
                armed.seen = armed.seen.saturating_add(1);
                chance.draw();
            } else if strikes_now(armed, chance) {
                struck = Some(strike(&armed.rule, None));
            }
        }
        struck
    }

    /// Shows a message to every rule.
    fn judge<T>(
        &mut self,
        met: &Met<'_>,
        mut change: impl FnMut(PlatformName, &Fault) -> Option<(T, Option<String>)>,
    ) -> Verdict<T> {
        let mut verdict = Verdict { deed: None, then: Vec::new() };
        if self.rules.is_empty() {
            return verdict;
        }
        let view = View::of(met);
        for (armed, chance) in &mut self.rules {
            let Some(on) = &armed.rule.on else { continue };
            if !view.is(on) {
                continue;
            }
            if armed.rule.fault.is_of_moment() {
                self.moved = true;
                if strikes_now(armed, chance) {
                    verdict.then.push(strike(&armed.rule, None));
                }
                continue;
            }
            let made = match &armed.rule.fault {
                Fault::Lose => Some((Deed::Lose, None)),
                Fault::Delay { ms } => Some((Deed::Delay(*ms), None)),
                Fault::Duplicate => Some((Deed::Duplicate, None)),
                Fault::Reorder => Some((Deed::Reorder, None)),
                fault => change(self.platform, fault).map(|(it, text)| (Deed::Change(it), text)),
            };
            // What cannot be changed, because it has no such field, is none of this rule's.
            let Some((deed, detail)) = made else { continue };
            self.moved = true;
            if verdict.deed.is_some() {
                armed.seen = armed.seen.saturating_add(1);
                chance.draw();
            } else if strikes_now(armed, chance) {
                verdict.deed = Some((strike(&armed.rule, detail), deed));
            }
        }
        verdict
    }
}

fn body(platform: PlatformName, fault: &Fault, bytes: &[u8]) -> edit::Changed {
    match fault {
        Fault::WrongId => edit::wrong_id(platform, bytes),
        Fault::VendorCode { code } => edit::vendor_code(platform, bytes, code),
        _ => None,
    }
}

fn strike(rule: &Rule, detail: Option<String>) -> Strike {
    Strike { rule: rule.id.clone(), fault: rule.fault.clone(), detail }
}

/// Counts a meeting; whether the rule strikes.
fn strikes_now(armed: &mut Armed, chance: &mut Chance) -> bool {
    let Rule { nth, every, chance: odds, times, .. } = armed.rule;
    armed.seen = armed.seen.saturating_add(1);
    let drawn = chance.draw();
    let left = match times {
        Times::Count(count) => armed.struck < count,
        Times::Always => true,
    };
    let turn = armed.seen >= nth && (armed.seen - nth).is_multiple_of(every.max(1));
    let strikes = left && turn && (odds >= 1.0 || drawn < odds);
    armed.struck = armed.struck.saturating_add(u32::from(strikes));
    strikes
}

/// A message as rules look at it, read once for all of them.
struct View<'a> {
    kind: Option<Kind>,
    direction: Option<Direction>,
    packet: Option<MqttPacket>,
    path: &'a str,
    text: &'a [u8],
    event: &'static str,
    step: Option<Step>,
}

impl<'a> View<'a> {
    fn of(met: &Met<'a>) -> Self {
        let mut view = Self {
            kind: None,
            direction: None,
            packet: None,
            path: "",
            text: &[],
            event: "",
            step: None,
        };
        match met {
            Met::Packet(direction, bytes) => {
                let read = packet::read(bytes);
                view.kind = kind_of(read.r#type);
                view.direction = Some(*direction);
                if let Some((from, to)) = packet::payload(bytes) {
                    view.text = bytes.get(from..to).unwrap_or_default();
                }
                view.packet = Some(read);
            }
            Met::Request(request) => {
                view.kind = Some(Kind::Request);
                view.path = path(&request.url);
                view.text = &request.body;
            }
            Met::Response(path, response) => {
                view.kind = Some(Kind::Response);
                view.path = path;
                view.text = &response.body;
            }
            Met::Event(event) => {
                view.kind = Some(Kind::Event);
                view.event = event_name(event);
                if let Event::Step { step } = event {
                    view.step = Some(*step);
                }
            }
        }
        view
    }

    fn is(&self, on: &On) -> bool {
        if self.kind != Some(on.message) {
            return false;
        }
        if matches!(on.message, Kind::Publish | Kind::Puback)
            && self.direction != Some(on.direction.unwrap_or(Direction::Down))
        {
            return false;
        }
        let topic = self.packet.as_ref().and_then(|packet| packet.topic.as_deref());
        let part = |want: &Option<String>, have: &str| {
            want.as_ref().is_none_or(|want| have.contains(&**want))
        };
        let text = on.text.as_ref().is_none_or(|want| contains(self.text, want.as_bytes()));
        part(&on.topic, topic.unwrap_or_default())
            && part(&on.path, self.path)
            && text
            && on.event.as_ref().is_none_or(|want| {
                *want == self.event
                    || self
                        .step
                        .is_some_and(|step| want.strip_prefix("step:") == Some(step_name(&step)))
            })
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
}

fn kind_of(r#type: PacketType) -> Option<Kind> {
    Some(match r#type {
        PacketType::Connect => Kind::Connect,
        PacketType::Connack => Kind::Connack,
        PacketType::Publish => Kind::Publish,
        PacketType::Puback => Kind::Puback,
        PacketType::Subscribe => Kind::Subscribe,
        PacketType::Suback => Kind::Suback,
        PacketType::Pingreq => Kind::Pingreq,
        PacketType::Pingresp => Kind::Pingresp,
        PacketType::Unsubscribe
        | PacketType::Unsuback
        | PacketType::Disconnect
        | PacketType::Other => return None,
    })
}

/// Whether a rule may wait for this: an event, or `step:` and a step.
pub(super) fn is_event(name: &str) -> bool {
    match name.strip_prefix("step:") {
        Some(step) => STEPS.contains(&step),
        None => EVENTS.contains(&name),
    }
}

/// Names, once for what has them and once as a list.
macro_rules! names {
    ($name:ident of $type:ty, all in $all:ident: $($pattern:pat => $text:literal,)*) => {
        /// As it crosses into JavaScript.
        fn $name(it: &$type) -> &'static str {
            match it {
                $($pattern => $text,)*
            }
        }

        const $all: &[&str] = &[$($text),*];
    };
}

names! { event_name of Event, all in EVENTS:
    Event::Step { .. } => "step",
    Event::Registered { .. } => "registered",
    Event::Ready => "ready",
    Event::Heartbeat { .. } => "heartbeat",
    Event::Update { .. } => "update",
    Event::Retrying { .. } => "retrying",
    Event::Stopped { .. } => "stopped",
    Event::Warning { .. } => "warning",
    Event::PropertiesSet { .. } => "properties_set",
    Event::PropertiesPosted => "properties_posted",
    Event::BindToken { .. } => "bind_token",
    Event::Permit { .. } => "permit",
    Event::Topology { .. } => "topology",
    Event::Scheduled { .. } => "scheduled",
}

names! { step_name of Step, all in STEPS:
    Step::ConnectToRegister => "connect_to_register",
    Step::SubscribeForSecret => "subscribe_for_secret",
    Step::RequestSecret => "request_secret",
    Step::StoreSecret => "store_secret",
    Step::ConfirmSecret => "confirm_secret",
    Step::LeaveRegistration => "leave_registration",
    Step::Login => "login",
    Step::Subscribe => "subscribe",
    Step::ReportVersion => "report_version",
    Step::Heartbeat => "heartbeat",
    Step::ReportToken => "report_token",
    Step::Download => "download",
    Step::Install => "install",
    Step::EraseSecret => "erase_secret",
    Step::PostProperties => "post_properties",
}

/// Chances from a seed: SplitMix64, which any language can repeat.
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    fn new(seed: u32) -> Self {
        Self(u64::from(seed))
    }

    /// Uniform in 0 to 1, 1 not included.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^= word >> 31;
        (word >> 11) as f64 / (1u64 << 53) as f64
    }
}
