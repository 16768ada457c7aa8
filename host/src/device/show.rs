//! What a person or a script sees: one line an event.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use muster::{Command, Event, Identity, Input, Now, PlatformName, Progress, UnixTime, Update};
use serde_json::{Map, Value, json};

use super::bar::Bar;
use super::clock::{self, local, rfc3339};
use super::policy::Refused;
use super::sandbox::Next;
use super::service::Service;
use crate::exit::Exit;
use crate::plugin::package::PackageError;
use crate::plugin::{Blame, PluginError};
use crate::text;

/// How an upgrade of the plugin moves on.
pub(super) enum Upgrade<'a> {
    /// It runs, on trial. `opened`: from what is stored; else it went on where the old one was.
    Trial {
        name: &'a str,
        opened: bool,
    },
    Confirmed {
        name: &'a str,
    },
    Reverted {
        name: &'a str,
        why: &'a str,
        opened: bool,
    },
    Refused {
        error: &'a PackageError,
    },
    /// What a slot holds was not started.
    PassedOver {
        slot: &'static str,
        error: &'a PackageError,
    },
    FellBack {
        name: &'a str,
        to: &'a str,
    },
}

/// One device of many: a board shows how all of them are.
pub(super) trait Member: Send {
    /// What lines about it bear.
    fn name(&self) -> String;
    /// What the device says of itself.
    fn event(&self, event: &Event);
    /// Something of the host.
    fn note(&self, text: &str);
}

/// Writes to stdout: for people, or as JSON.
pub(super) struct Show {
    json: bool,
    platform: PlatformName,
    bar: Option<Bar>,
    terminal: bool,
    /// The last quarter of a download that was told without a terminal.
    quarter: Option<u64>,
    /// Nobody reads any more.
    deaf: bool,
    /// One of many: they share a board, and their lines bear their names.
    member: Option<Box<dyn Member>>,
    /// Then nothing goes to stdout.
    service: Option<Box<Service>>,
}

impl Show {
    pub(super) fn new(json: bool, platform: PlatformName) -> Self {
        let terminal = Bar::EXISTS && !json && io::stdout().is_terminal();
        Self {
            json,
            platform,
            bar: None,
            terminal,
            quarter: None,
            deaf: false,
            member: None,
            service: None,
        }
    }

    /// Of one device of many: without `json` it says nothing but to the board.
    #[cfg(feature = "full")]
    pub(super) fn of_member(
        json: bool,
        platform: PlatformName,
        member: impl Member + 'static,
    ) -> Self {
        let mut show = Self::new(json, platform);
        show.terminal = false;
        show.member = Some(Box::new(member));
        show
    }

    /// From here on it is a service's log that is written.
    pub(super) fn serve(&mut self, service: Service) {
        (self.json, self.terminal) = (true, false);
        self.service = Some(Box::new(service));
    }

    /// Needs the runtime.
    pub(super) fn receive(&mut self) -> Result<(), Exit> {
        self.service.as_mut().map_or(Ok(()), |service| service.serve())
    }

    pub(super) fn is_service(&self) -> bool {
        self.service.is_some()
    }

    /// Whether stdout was closed: then nobody waits for us either.
    pub(super) fn is_deaf(&self) -> bool {
        self.deaf
    }

    /// The first line: who this is, and where it keeps what it knows.
    pub(super) fn device(
        &mut self,
        identity: &Identity,
        store: &str,
        settings: &str,
        plugin: &str,
    ) {
        if self.json {
            self.object(json!({
                "event": "device", "platform": identity.platform, "product": identity.product,
                "device": identity.device, "store": store, "settings": settings, "plugin": plugin,
            }));
        } else {
            let Identity { platform, product, device } = identity;
            self.line(&format!(
                "{platform} device {device} of product {product}\n  settings: {settings}\n  store:    {store}\n  \
                 plugin:   {plugin}"
            ));
        }
    }

    /// An event of the core.
    pub(super) fn event(&mut self, event: &Event, now: Now) {
        if let Some(member) = &self.member {
            member.event(event);
        }
        if let Some(service) = &mut self.service {
            return service.event(event, now);
        }
        if self.json {
            return self.object(serde_json::to_value(event).unwrap_or(Value::Null));
        }
        if let Event::Update { update } = event {
            if let Update::Downloading { received, total } = update {
                return self.download(*received, *total);
            }
            self.end_bar();
        }
        let Some(mut text) = text::event(event, self.platform) else { return };
        let (next, next_unix) = match event {
            Event::Heartbeat { next, next_unix, .. } => (*next, *next_unix),
            Event::Scheduled { next, next_unix, .. } => (Some(*next), *next_unix),
            _ => (None, None),
        };
        if let Some(next) = next {
            let wait = next.millis_since(now.mono);
            let unix = next_unix.unwrap_or(UnixTime(clock::unix().0.saturating_add(wait)));
            text.push_str(&format!(", at {} (in {})", local(unix).time(), text::wait(wait)));
        }
        self.stamped(&text);
    }

    /// Something of the host itself: why a connection failed, what a command did.
    pub(super) fn note(&mut self, text: &str) {
        if let Some(member) = &self.member {
            member.note(text);
        }
        if self.json {
            self.object(json!({ "event": "note", "text": text }));
        } else {
            self.stamped(&format!("  {text}"));
        }
    }

    /// The plugin failed. `of`: how often in a row it is started again at most.
    pub(super) fn plugin_failed(&mut self, error: &PluginError, next: Next, of: u32) {
        self.end_bar();
        let blame = match error.blame() {
            Blame::Host => "host",
            // The device's own requests are right: who refuses them is to blame.
            Blame::Plugin | Blame::Caller => "plugin",
        };
        if let Some(service) = &mut self.service {
            service.plugin_failed(blame, &error.to_string(), next != Next::End);
        }
        let millis = |wait: Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        if self.json {
            let mut line =
                json!({ "event": "plugin_failed", "blame": blame, "why": error.to_string() });
            let more = match next {
                Next::Again { after, nth } => {
                    json!({ "next": "again", "restart": nth, "of": of, "in_ms": millis(after) })
                }
                Next::LastGood { after } => {
                    json!({ "next": "last_good", "in_ms": millis(after) })
                }
                Next::End => json!({ "next": "end" }),
            };
            if let (Value::Object(line), Value::Object(more)) = (&mut line, more) {
                line.extend(more);
            }
            self.object(line);
        } else {
            let next = match next {
                Next::Again { after, nth } => format!(
                    "it starts again in {} from what is stored ({nth} of {of})",
                    text::wait(millis(after))
                ),
                Next::LastGood { after } => format!(
                    "the last good plugin takes its place in {}, from what is stored",
                    text::wait(millis(after))
                ),
                Next::End => "it is not started again".into(),
            };
            self.stamped(&format!("plugin failed, the {blame} is to blame: {error}; {next}"));
        }
    }

    /// The plugin asked for what the policy forbids. `violations`: so far, by the plugin's own fault.
    pub(super) fn refused(&mut self, refused: &Refused, violations: u32) {
        if let Some(service) = &mut self.service {
            service.refused(refused);
        }
        let Refused { rule, asked, plugins } = refused;
        if self.json {
            self.object(json!({
                "event": "refused", "rule": rule, "asked": asked,
                "blame": if *plugins { "plugin" } else { "cloud" }, "violations": violations,
            }));
        } else {
            self.stamped(&format!("refused by this device's policy ({rule}): {asked}"));
        }
    }

    /// The plugin asks for more than the device does in a minute.
    pub(super) fn held_back(&mut self, per_minute: u32) {
        if let Some(service) = &mut self.service {
            service.held_back();
        }
        if self.json {
            self.object(json!({ "event": "held_back", "per_minute": per_minute }));
        } else {
            self.stamped(&format!(
                "the plugin never rests: held back to {per_minute} commands a minute"
            ));
        }
    }

    /// An upgrade of the plugin.
    pub(super) fn upgrade(&mut self, upgrade: &Upgrade<'_>) {
        self.end_bar();
        if let Some(service) = &mut self.service {
            service.upgrade(upgrade);
        }
        let how = |opened: &bool| if *opened { "opened" } else { "went_on" };
        let on = |opened: &bool| match opened {
            true => "opened from what is stored",
            false => "went on with the same connection",
        };
        let failed = |stage: &str, error: &PackageError| {
            json!({ "event": "upgrade", "stage": stage, "code": error.code(), "blame": error.blame(),
                    "why": error.to_string(), "next": error.advice() })
        };
        let (object, text) = match upgrade {
            Upgrade::Trial { name, opened } => (
                json!({ "event": "upgrade", "stage": "trial", "plugin": name, "how": how(opened) }),
                format!("plugin {name} is on trial: it {}", on(opened)),
            ),
            Upgrade::Confirmed { name } => (
                json!({ "event": "upgrade", "stage": "confirmed", "plugin": name }),
                format!("plugin {name} is confirmed"),
            ),
            Upgrade::Reverted { name, why, opened } => (
                json!({ "event": "upgrade", "stage": "reverted", "plugin": name, "why": why,
                        "how": how(opened) }),
                format!("plugin {name} is reverted: {why}; the one before {}", on(opened)),
            ),
            Upgrade::Refused { error } => {
                let text = format!(
                    "the staged plugin is refused, the {} is to blame: {error}\n  next: {}",
                    error.blame(),
                    error.advice()
                );
                (failed("refused", error), text)
            }
            Upgrade::PassedOver { slot, error } => {
                let mut object = failed("passed_over", error);
                if let Value::Object(map) = &mut object {
                    map.insert("slot".into(), (*slot).into());
                }
                (object, format!("the plugin in slot {slot} is not started: {error}"))
            }
            Upgrade::FellBack { name, to } => (
                json!({ "event": "upgrade", "stage": "fell_back", "plugin": name, "to": to }),
                format!("plugin {name} keeps failing: back to {to}"),
            ),
        };
        if self.json { self.object(object) } else { self.stamped(&text) }
    }

    /// The last line of `--json`. People see the exit's own message.
    pub(super) fn end(&mut self, code: u8, why: &str) {
        self.end_bar();
        // What failed is told with its next move, in one line: see `last_words`.
        if self.is_service() && code != 0 {
            return;
        }
        if self.json {
            self.object(json!({ "event": "end", "code": code, "why": why }));
        } else if code == 0 {
            self.stamped(why);
        }
    }

    /// How far a download is, between two events.
    pub(super) fn progress(&mut self, progress: Progress) {
        if !self.json {
            self.download(progress.received, progress.total);
        }
    }

    /// A command of the plugin is about to be carried out.
    pub(super) fn command(&mut self, command: &Command) {
        if let Some(service) = &mut self.service {
            service.command(command);
        }
    }

    /// The plugin is about to be told.
    pub(super) fn input(&mut self, input: &Input) {
        if let Some(service) = &mut self.service {
            service.input(input);
        }
    }

    /// A call into the plugin is over.
    pub(super) fn called(&mut self, fuel: u64, took: Duration) {
        if let Some(service) = &mut self.service {
            service.called(fuel, took);
        }
    }

    /// The connection is given up, and what was under way is forgotten.
    pub(super) fn let_go(&mut self) {
        if let Some(service) = &mut self.service {
            service.let_go();
        }
    }

    /// The first instance runs.
    pub(super) fn started(&mut self, deadline: Option<Duration>) {
        if let Some(service) = &mut self.service {
            service.started(deadline);
        }
    }

    /// The driver's loop has come round.
    pub(super) fn turn(&mut self) {
        if let Some(service) = &mut self.service {
            service.turn();
        }
    }

    /// When it has to come round again.
    pub(super) fn wake_at(&self) -> Option<tokio::time::Instant> {
        self.service.as_ref().and_then(|service| service.wake_at())
    }

    /// The device begins to end.
    pub(super) fn stopping(&mut self) {
        if let Some(service) = &mut self.service {
            service.stopping();
        }
    }

    fn download(&mut self, received: u64, total: Option<u64>) {
        if !self.terminal {
            let total = total.unwrap_or(0);
            let quarter = (received * 4).checked_div(total);
            if quarter.is_some() && quarter != self.quarter {
                self.quarter = quarter;
                let text =
                    format!("downloading: {} of {}", text::bytes(received), text::bytes(total));
                self.stamped(&text);
            }
            return;
        }
        if self.bar.is_none() {
            self.bar = Bar::begin(total);
        }
        if let Some(bar) = &self.bar {
            bar.set(received, total);
        }
    }

    fn end_bar(&mut self) {
        self.quarter = None;
        if let Some(bar) = self.bar.take() {
            bar.end();
        }
    }

    fn stamped(&mut self, text: &str) {
        if self.member.is_some() {
            return;
        }
        let line = format!("{}  {}", local(clock::unix()).time(), text::harmless(text));
        match &self.bar {
            Some(bar) => bar.line(line),
            None => self.line(&line),
        }
    }

    fn object(&mut self, value: Value) {
        if let Some(service) = &mut self.service {
            return service.tell(value);
        }
        let unix = clock::unix();
        let mut line = Map::new();
        line.insert("time".into(), rfc3339(unix).into());
        if let Some(member) = &self.member {
            line.insert("device".into(), member.name().into());
        }
        match value {
            Value::Object(fields) => line.extend(fields),
            other => {
                line.insert("event".into(), other);
            }
        }
        self.line(&Value::Object(line).to_string());
    }

    fn line(&mut self, text: &str) {
        let mut out = io::stdout().lock();
        if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
            self.deaf = true;
        }
    }
}
