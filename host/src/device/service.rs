//! `--service`: a device that nobody watches, run by systemd or the like.
//!
//! What happens goes to stderr as JSON, one object a line ([`log`]); how the device is can be asked at a Unix socket
//! ([`socket`]): as JSON for people and probes, as text for Prometheus ([`metrics`]). systemd hears when it has begun,
//! that its loop turns, and when it ends ([`notify`]).
//!
//! Nothing here decides anything, and none of it may hold the device up: the status is a few numbers behind a lock
//! that is held for microseconds, and whoever asks slowly, much or nonsense is cut off. No secret gets here, and what is
//! known to be one is blotted out of whatever is said.

mod log;
mod metrics;
mod notify;
mod socket;
mod status;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use muster::{Command, Event, Identity, Input, Now, StoreKey};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::policy::Refused;
use super::show::Upgrade;
use crate::exit::Exit;
use crate::text;
use log::Log;
#[cfg(feature = "full")]
pub(super) use log::is_secret;
pub(super) use log::{Hidden, Level, last_words};
use notify::Notify;
use socket::Door;
pub(super) use status::State;
use status::{Moment, Status};

/// The socket's name in a folder.
pub(super) const SOCKET: &str = "health.sock";

/// `[service]` in the profile.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ServiceKeys {
    log_level: Option<String>,
    socket: Option<String>,
    socket_mode: Option<String>,
    unhealthy_after_s: Option<u64>,
}

/// The same, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) level: Level,
    /// `None`: where the service manager has a place for it, else in the device's folder.
    socket: Option<PathBuf>,
    pub(super) has_socket: bool,
    pub(super) mode: u32,
    pub(super) unhealthy_after: Duration,
}

impl ServiceKeys {
    /// The error is for a person.
    pub(super) fn options(&self) -> Result<Options, String> {
        let level = match self.log_level.as_deref() {
            None => Level::Info,
            Some(word) => Level::parse(word)
                .ok_or("[service]: `log_level` has to be one of error, warning, info, debug")?,
        };
        let mode = match self.socket_mode.as_deref() {
            None | Some("0600") => 0o600,
            Some("0660") => 0o660,
            Some(_) => return Err("[service]: `socket_mode` has to be \"0600\" or \"0660\"".into()),
        };
        let after = self.unhealthy_after_s.unwrap_or(300);
        if !(10..=86_400).contains(&after) {
            return Err("[service]: `unhealthy_after_s` has to be a number from 10 to 86400".into());
        }
        let has_socket = self.socket.as_deref() != Some("none");
        let socket = self.socket.as_ref().filter(|_| has_socket).map(PathBuf::from);
        if socket.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            return Err("[service]: `socket` has to be a path, or \"none\"".into());
        }
        Ok(Options { level, socket, has_socket, mode, unhealthy_after: Duration::from_secs(after) })
    }
}

impl Options {
    /// Where the socket is; a path that is not absolute is one in the device's folder.
    pub(super) fn socket(&self, folder: &Path) -> Option<PathBuf> {
        if !self.has_socket {
            return None;
        }
        Some(match &self.socket {
            Some(path) => folder.join(path),
            None => match std::env::var("RUNTIME_DIRECTORY") {
                // A unit may have several, joined by colons.
                Ok(dirs) if !dirs.is_empty() => {
                    Path::new(dirs.split(':').next().unwrap_or_default()).join(SOCKET)
                }
                _ => folder.join(SOCKET),
            },
        })
    }
}

/// A status that the driver writes and the socket reads.
#[derive(Clone)]
struct Board(Arc<Mutex<Status>>);

impl Board {
    fn lock(&self) -> MutexGuard<'_, Status> {
        // Plain numbers: they are right even after a panic elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One device's service.
pub(super) struct Service {
    log: Log,
    board: Board,
    notify: Notify,
    door: Option<Door>,
    /// The state that systemd is told of.
    told: Option<State>,
}

impl Service {
    /// Takes the socket; nothing is served before [`Service::serve`].
    pub(super) fn begin(
        options: &Options,
        identity: &Identity,
        folder: &Path,
        plugin: &str,
        registered: bool,
        hidden: Hidden,
    ) -> Result<Self, Exit> {
        let door = options.socket(folder).map(|path| Door::open(path, options.mode)).transpose()?;
        let status = Status::new(identity.clone(), plugin, registered, options.unhealthy_after);
        Ok(Self {
            log: Log::new(options.level, Some(identity), hidden),
            board: Board(Arc::new(Mutex::new(status))),
            notify: Notify::from_environment(),
            door,
            told: None,
        })
    }

    /// Answers from now on. Needs the runtime.
    pub(super) fn serve(&mut self) -> Result<(), Exit> {
        match &mut self.door {
            Some(door) => door.serve(self.board.clone()),
            None => Ok(()),
        }
    }

    /// The first instance runs.
    pub(super) fn started(&mut self, deadline: Option<Duration>) {
        self.notify.begun();
        if let (Some(watchdog), Some(deadline)) = (self.notify.watchdog(), deadline)
            && watchdog < deadline * 2
        {
            let text = "WatchdogSec is shorter than two calls of `deadline_ms`: a slow call may end the service";
            self.write(Level::Warning, json!({ "event": "note", "text": text }));
        }
    }

    /// The driver's loop has come round.
    pub(super) fn turn(&mut self) {
        let state = {
            let mut status = self.board.lock();
            status.rests();
            status.state()
        };
        if self.told != Some(state) {
            self.told = Some(state);
            self.notify.state(state.sentence());
        }
        self.notify.turn();
    }

    /// When the loop has to come round again.
    pub(super) fn wake_at(&self) -> Option<tokio::time::Instant> {
        self.notify.wake_at()
    }

    /// It begins to end.
    pub(super) fn stopping(&mut self) {
        self.notify.stopping(State::Ending.sentence());
        self.board.lock().ends();
    }

    /// An upgrade of the plugin moves on.
    pub(super) fn upgrade(&mut self, upgrade: &Upgrade<'_>) {
        let mut status = self.board.lock();
        let stage = match upgrade {
            Upgrade::Trial { name, .. } => {
                status.plugin.on_trial(name);
                "trial"
            }
            Upgrade::Confirmed { name } => {
                status.plugin.confirmed(name);
                "confirmed"
            }
            Upgrade::Reverted { .. } => {
                status.plugin.reverted();
                "reverted"
            }
            Upgrade::FellBack { to, .. } => {
                status.plugin.confirmed(to);
                "fell_back"
            }
            Upgrade::Refused { .. } => "refused",
            Upgrade::PassedOver { .. } => "passed_over",
        };
        status.counters.upgrade(stage);
    }

    pub(super) fn command(&mut self, command: &Command) {
        if let Command::Store(_, StoreKey::Credential, value) = command {
            self.log.hidden.learn(value.expose());
        }
        self.board.lock().counters.command(command);
        #[cfg(feature = "full")]
        if self.log.wants(Level::Debug) {
            self.write(Level::Debug, log::of_command(command));
        }
    }

    pub(super) fn input(&mut self, input: &Input) {
        self.board.lock().input(input);
        #[cfg(feature = "full")]
        if self.log.wants(Level::Debug) {
            self.write(Level::Debug, log::of_input(input));
        }
    }

    pub(super) fn called(&mut self, fuel: u64, took: Duration) {
        self.board.lock().counters.called(fuel, took);
    }

    pub(super) fn event(&mut self, event: &Event, now: Now) {
        let platform = {
            let mut status = self.board.lock();
            status.event(event, now, Moment::now(), |text| self.log.hidden.clean(text));
            status.identity.platform
        };
        let level = log::level_of(event);
        if self.log.wants(level) {
            let mut object = log::of_event(event);
            if let Some(message) = log::says_itself(event).then(|| text::event(event, platform)) {
                object.insert("message".into(), message.into());
            }
            self.write(level, Value::Object(object));
        }
    }

    /// `blame`: of [`text`]'s words.
    pub(super) fn plugin_failed(&mut self, blame: &'static str, why: &str, restarts: bool) {
        let why = self.log.hidden.clean(why);
        self.board.lock().plugin_failed(blame, &why, restarts, Moment::now());
    }

    pub(super) fn refused(&mut self, refused: &Refused) {
        self.board.lock().counters.refused(refused.rule, refused.plugins);
    }

    pub(super) fn held_back(&mut self) {
        self.board.lock().counters.held_back += 1;
    }

    pub(super) fn let_go(&mut self) {
        self.board.lock().let_go();
    }

    /// Something that the host says.
    pub(super) fn tell(&mut self, object: Value) {
        let word = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
        let level = match word("event") {
            "note" => {
                let text = self.log.hidden.clean(word("text"));
                self.board.lock().note(&text);
                Level::Info
            }
            "plugin_failed" => Level::Error,
            "refused" | "held_back" => Level::Warning,
            "upgrade" if !matches!(word("stage"), "trial" | "confirmed") => Level::Warning,
            _ => Level::Info,
        };
        self.write(level, object);
    }

    fn write(&mut self, level: Level, object: Value) {
        let fields = match object {
            Value::Object(fields) => fields,
            other => Map::from_iter([("event".to_owned(), other)]),
        };
        self.log.write(level, fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(value: Value) -> Result<Options, String> {
        serde_json::from_value::<ServiceKeys>(value).map_err(|e| e.to_string())?.options()
    }

    #[test]
    fn a_setting_that_cannot_be_meant_is_an_error() {
        for (bad, says) in [
            (json!({ "log_level": "loud" }), "error, warning, info, debug"),
            (json!({ "socket_mode": "0666" }), "0600"),
            (json!({ "unhealthy_after_s": 0 }), "from 10"),
            (json!({ "socket": "" }), "a path"),
            (json!({ "sockets": "a" }), "sockets"),
        ] {
            let error = keys(bad.clone()).unwrap_err();
            assert!(error.contains(says), "{bad}: {error}");
        }
    }

    #[test]
    fn the_socket_is_in_the_devices_folder_unless_told_otherwise() {
        let folder = Path::new("/d");
        let at = |value| keys(value).unwrap().socket(folder);
        assert_eq!(at(json!({ "socket": "none" })), None);
        assert_eq!(at(json!({ "socket": "s" })), Some("/d/s".into()));
        assert_eq!(at(json!({ "socket": "/run/s" })), Some("/run/s".into()));
        // Tests run without a service manager.
        assert_eq!(at(json!({})), Some("/d/health.sock".into()));
    }
}
