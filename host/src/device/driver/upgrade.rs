//! Upgrades of the plugin while the device lives.
//!
//! A staged package is taken between two inputs. The instance that runs saves, one of the new plugin restores, and goes
//! on with the same connection, the same tokens and the same requests under way. If the new one cannot restore (its
//! snapshots have another schema), the connection is closed and it opens from what is stored, like after a restart.
//!
//! Then it is on trial. It has proven itself when it was ready, or had a heartbeat accepted, and the time of the profile
//! has passed. Until then the old instance rests as it was, and every input since is kept beside the commands that came
//! of it. If the trial fails, the old instance is given these inputs. As long as it says the same commands, they were
//! carried out on its behalf, so it is where the new one was; then the input that the new one failed on is given to it,
//! and nobody outside has noticed anything. Where the two differ, or so much has happened that it was not kept, what the
//! new one did cannot be taken for what the old one would have done: the connection is closed, and the old plugin
//! opens from what is stored.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use muster::wire::Restore;
use muster::{Command, Event, Input, Intent, Message, Now, Output};
use tokio::time::Instant;

use super::super::factory::Factory;
use super::super::profile::Upgrades;
use super::super::sandbox::Resting;
use super::super::show::Upgrade as Told;
use super::super::slots::{Candidate, Need, NotTaken, Slots, Start};
use super::super::tokens::Tokens;
use super::{Driver, End};
use crate::plugin::package::PackageError;
use crate::plugin::{Engine, Plugin, PluginError};

/// How often it is looked whether a package is staged.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After a failure of the disk.
const LOOK_LATER: Duration = Duration::from_secs(60);
/// What is kept of a trial's inputs.
const MOST_INPUTS: usize = 1024;
const MOST_BYTES: usize = 512 * 1024;

/// What upgrades need, and how far one is.
pub(in super::super) struct Upgrade {
    slots: Arc<Mutex<Slots>>,
    engine: Engine,
    need: Need,
    factory: Factory,
    trial_for: Duration,
    trial_limit: Duration,
    /// What runs, if it is not the factory's.
    running: Option<Box<Candidate>>,
    trial: Option<Trial>,
    look_at: Option<Instant>,
}

struct Trial {
    candidate: Box<Candidate>,
    began: Instant,
    proven: bool,
    /// Why it is over already.
    condemned: Option<(&'static str, String)>,
    /// The plugin that ran before, as long as it can go on where the new one is.
    past: Option<Past>,
}

/// The instance that ran before, and what has happened since.
struct Past {
    resting: Resting,
    inputs: Vec<Kept>,
    bytes: usize,
}

/// An input, and what came of it.
struct Kept {
    input: Input,
    now: Now,
    /// Nothing yet if it is being handled, or was when the plugin failed.
    commands: Option<Vec<Command>>,
    /// What was under way before it.
    tokens: Tokens,
}

impl Upgrade {
    pub(in super::super) fn new(
        slots: Slots,
        engine: Engine,
        need: Need,
        factory: Factory,
        upgrades: &Upgrades,
        start: Start,
    ) -> Self {
        let now = Instant::now();
        let (running, trial) = match start {
            Start::Factory => (None, None),
            Start::Active(candidate) => (Some(candidate), None),
            Start::Trial(candidate) => {
                let trial =
                    Trial { candidate, began: now, proven: false, condemned: None, past: None };
                (None, Some(trial))
            }
        };
        Self {
            look_at: (!need.pinned.keys.is_empty() || slots.wants_to_take()).then_some(now),
            slots: Arc::new(Mutex::new(slots)),
            engine,
            need,
            factory,
            trial_for: upgrades.trial,
            trial_limit: upgrades.trial_limit,
            running,
            trial,
        }
    }

    #[cfg(feature = "full")]
    /// It stays with the plugin that it has, whatever is staged.
    pub(in super::super) fn never(mut self) -> Self {
        self.look_at = None;
        self
    }

    pub(super) fn is_on_trial(&self) -> bool {
        self.trial.is_some()
    }

    /// Whether the trial is over and has failed.
    pub(super) fn is_condemned(&self) -> bool {
        self.trial.as_ref().is_some_and(|trial| trial.condemned.is_some())
    }

    /// The one on trial has failed.
    pub(super) fn condemn(&mut self, error: &PluginError) {
        if let Some(trial) = &mut self.trial {
            trial.condemned.get_or_insert(("failed", error.to_string()));
        }
    }

    /// Whether there is another plugin than the one that runs.
    pub(super) fn may_fall_back(&self) -> bool {
        self.trial.is_none() && self.running.is_some()
    }

    /// When there is something to do about upgrades.
    pub(super) fn due(&self) -> Option<Instant> {
        let Some(trial) = &self.trial else { return self.look_at };
        Some(if trial.proven {
            // A disk that failed at the confirmation gets its time.
            (trial.began + self.trial_for).max(self.look_at.unwrap_or(trial.began))
        } else {
            trial.began + self.trial_limit
        })
    }

    /// An input is about to be handled.
    pub(super) fn keep(&mut self, input: &Input, now: Now, tokens: &Tokens) {
        let Some(trial) = &mut self.trial else { return };
        let Some(past) = &mut trial.past else { return };
        past.bytes += weight(input);
        if past.inputs.len() >= MOST_INPUTS || past.bytes > MOST_BYTES {
            trial.past = None;
            return;
        }
        let (input, tokens) = (input.clone(), tokens.clone());
        past.inputs.push(Kept { input, now, commands: None, tokens });
    }

    /// It was refused, and the plugin is as it was.
    pub(super) fn forget_last(&mut self) {
        if let Some(past) = self.trial.as_mut().and_then(|trial| trial.past.as_mut()) {
            past.inputs.pop();
        }
    }

    /// It was, and this is about to be carried out.
    pub(super) fn keep_outputs<'a>(&mut self, outputs: impl Iterator<Item = &'a Output>) {
        let Some(past) = self.trial.as_mut().and_then(|trial| trial.past.as_mut()) else { return };
        let commands: Vec<Command> = outputs.filter_map(command).collect();
        if let Some(kept) = past.inputs.last_mut() {
            kept.commands = Some(commands);
        }
    }

    /// Something that the plugin says has happened.
    pub(super) fn hear(&mut self, event: &Event) {
        if let Some(trial) = &mut self.trial {
            match event {
                Event::Ready | Event::Heartbeat { .. } => trial.proven = true,
                Event::Stopped { .. } => {
                    // It may well be the cloud's fault. The old one tells.
                    trial.condemned = Some(("stopped", "the device came to a stop".into()));
                    trial.past = None;
                }
                _ => {}
            }
        }
    }

    /// On a thread of its own: the disk, and the compiler.
    async fn with_slots<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Slots, &Engine, &Need) -> T + Send + 'static,
    ) -> Result<T, std::io::Error> {
        let (slots, engine, need) = (self.slots.clone(), self.engine.clone(), self.need.clone());
        let done = tokio::task::spawn_blocking(move || {
            let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut slots, &engine, &need)
        });
        done.await.map_err(std::io::Error::other)
    }

    /// The plugin to go back to.
    async fn choose(&mut self) -> Result<(Plugin, String), PluginError> {
        let started = self.with_slots(|slots, engine, need| {
            // On trial it is not, whatever the disk says.
            slots.start(engine, need, &mut |_, _| {}).0
        });
        match started.await {
            Ok(Start::Active(candidate) | Start::Trial(candidate)) => {
                let (plugin, name) = (candidate.plugin.clone(), candidate.name());
                self.running = Some(candidate);
                Ok((plugin, name))
            }
            Ok(Start::Factory) => {
                self.running = None;
                let (factory, engine) = (self.factory.clone(), self.engine.clone());
                let name = factory.name();
                let loaded = tokio::task::spawn_blocking(move || factory.load(&engine)).await;
                let loaded =
                    loaded.unwrap_or_else(|e| Err(PluginError::Host(e.to_string()).into()));
                match loaded {
                    Ok(loaded) => Ok((loaded.plugin, name)),
                    Err(PackageError::Plugin(error)) => Err(error),
                    Err(error) => Err(PluginError::NotAModule(error.to_string())),
                }
            }
            Err(e) => Err(PluginError::Host(e.to_string())),
        }
    }
}

impl Driver {
    /// Looks for a package, or decides about the one on trial.
    pub(super) async fn see_to_upgrade(&mut self) {
        let now = Instant::now();
        let Some(trial) = &self.upgrade.trial else { return self.look_for_package(now).await };
        if let Some((code, why)) = trial.condemned.clone() {
            self.revert(code, why).await;
        } else if trial.proven && now >= trial.began + self.upgrade.trial_for {
            self.confirm(now).await;
        } else if now >= trial.began + self.upgrade.trial_limit {
            let limit = self.upgrade.trial_limit.as_secs();
            let why = format!("it was not ready and had no heartbeat within {limit} seconds");
            self.revert("not_ready", why).await;
        }
    }

    async fn look_for_package(&mut self, now: Instant) {
        self.upgrade.look_at = Some(now + LOOK_EVERY);
        let waits = {
            let slots = self.upgrade.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.wants_to_take()
        };
        if !waits {
            return;
        }
        let running = self.upgrade.running.as_ref().map(|running| running.slot);
        let taken = self.upgrade.with_slots(move |slots, engine, need| {
            let taken = slots.take(running, engine, need)?;
            if taken.is_some() {
                slots.count_start().map_err(NotTaken::Disk)?;
            }
            Ok(taken)
        });
        match taken.await.unwrap_or_else(|e| Err(NotTaken::Disk(e))) {
            Ok(Some(candidate)) => self.swap(Box::new(candidate)).await,
            Ok(None) => {}
            Err(NotTaken::Refused(error)) => {
                self.parts.show.upgrade(&Told::Refused { error: &error });
            }
            Err(NotTaken::Disk(error)) => {
                self.upgrade.look_at = Some(Instant::now() + LOOK_LATER);
                let note = format!("the staged plugin cannot be taken: {error}");
                self.parts.show.note(&note);
            }
        }
    }

    /// Between two inputs.
    async fn swap(&mut self, candidate: Box<Candidate>) {
        let began = Instant::now();
        self.upgrade.look_at = None;
        let name = candidate.name();
        let plugin = candidate.plugin.clone();
        let (platform, settings) = (self.parts.platform, self.parts.settings.clone());
        let now = self.clock.now();
        let swapped = if self.sandbox.lives() {
            let restore = move |snapshot| Restore::new(platform, settings, snapshot, now);
            self.sandbox.swap(plugin.clone(), restore).await
        } else {
            // It failed, and waits for its restart: there is nothing to save.
            Err(PluginError::Poisoned)
        };
        let mut trial = Trial { candidate, began, proven: false, condemned: None, past: None };
        match swapped {
            Ok((outputs, resting)) => {
                self.parts.show.upgrade(&Told::Trial { name: &name, opened: false });
                trial.past = Some(Past { resting, inputs: Vec::new(), bytes: 0 });
                self.upgrade.trial = Some(trial);
                // Nothing but the time-out: the input before is not its own.
                self.carry_out(outputs).await;
                // What is accepted now is accepted of the new one.
                self.inputs.push_back(Input::User(Intent::Report));
            }
            Err(PluginError::Refused(_) | PluginError::Poisoned) => {
                self.parts.show.upgrade(&Told::Trial { name: &name, opened: true });
                self.upgrade.trial = Some(trial);
                self.open_with(plugin).await;
            }
            Err(error) => {
                // The old one is still there, and has not noticed.
                self.upgrade.trial = Some(trial);
                self.undo("failed", &error.to_string()).await;
                let why = error.to_string();
                let opened = !self.sandbox.lives();
                self.parts.show.upgrade(&Told::Reverted { name: &name, why: &why, opened });
                if opened {
                    self.let_go();
                    self.begin_again().await;
                }
            }
        }
    }

    async fn confirm(&mut self, now: Instant) {
        let confirmed = self.upgrade.with_slots(|slots, _, _| slots.confirm()).await;
        match confirmed.and_then(|confirmed| confirmed) {
            Ok(()) => {
                if let Some(trial) = self.upgrade.trial.take() {
                    let name = trial.candidate.name();
                    self.upgrade.running = Some(trial.candidate);
                    self.parts.show.upgrade(&Told::Confirmed { name: &name });
                }
                self.upgrade.look_at = Some(now + LOOK_EVERY);
            }
            Err(error) => {
                self.upgrade.look_at = Some(now + LOOK_LATER);
                let note = format!("the plugin on trial cannot be confirmed: {error}");
                self.parts.show.note(&note);
            }
        }
    }

    /// The trial's end, on the disk and in memory.
    async fn undo(&mut self, code: &str, why: &str) -> Option<Trial> {
        let trial = self.upgrade.trial.take();
        self.upgrade.look_at = Some(Instant::now() + LOOK_EVERY);
        let (code, why) = (code.to_owned(), why.to_owned());
        let reverted = self.upgrade.with_slots(move |slots, _, _| slots.revert(&code, &why)).await;
        if let Err(error) = reverted.and_then(|reverted| reverted) {
            // The next start counts it, and then no more.
            let note = format!("that the trial is over cannot be written: {error}");
            self.parts.show.note(&note);
        }
        trial
    }

    /// Back to the plugin that ran before the trial.
    pub(super) async fn revert(&mut self, code: &str, why: String) {
        let Some(trial) = self.undo(code, &why).await else { return };
        let name = trial.candidate.name();
        let went_on = match trial.past {
            Some(past) => self.go_on_with(past).await,
            None => false,
        };
        self.parts.show.upgrade(&Told::Reverted { name: &name, why: &why, opened: !went_on });
        if !went_on {
            match self.upgrade.choose().await {
                Ok((plugin, _)) => self.open_with(plugin).await,
                Err(error) => {
                    self.end.get_or_insert(End::Plugin(error));
                }
            }
        }
    }

    /// Brings the old instance to where the new one was. Whether that was possible.
    async fn go_on_with(&mut self, past: Past) -> bool {
        let Past { resting, mut inputs, .. } = past;
        let pending = inputs.pop_if(|last| last.commands.is_none());
        let Ok((resting, timer)) = replay(resting, inputs).await else { return false };
        self.sandbox.put_back(resting);
        if let Some(timer) = timer {
            self.timer = timer.map(|at| self.clock.at(at));
        }
        if let Some(Kept { input, tokens, .. }) = pending {
            self.tokens = tokens;
            self.inputs.push_front(input);
        }
        (self.violations, self.told_held) = (0, false);
        self.pace = super::pace(&self.parts.bounds);
        true
    }

    /// Another plugin, from what is stored.
    async fn open_with(&mut self, plugin: Plugin) {
        self.let_go();
        self.sandbox.replace(plugin);
        self.begin_again().await;
    }

    /// The confirmed plugin has failed too often: the one before it takes over. Whether there is one.
    pub(super) async fn fall_back(&mut self, error: &PluginError) -> bool {
        let Some(failing) = self.upgrade.running.take() else { return false };
        let (name, why) = (failing.name(), error.to_string());
        let fell = self.upgrade.with_slots(move |slots, _, _| slots.fall_back(&failing, &why));
        if let Err(error) = fell.await.and_then(|fell| fell) {
            let note = format!("the slots cannot be changed: {error}");
            self.parts.show.note(&note);
            return false;
        }
        match self.upgrade.choose().await {
            Ok((plugin, to)) => {
                self.parts.show.upgrade(&Told::FellBack { name: &name, to: &to });
                self.open_with(plugin).await;
                true
            }
            Err(_) => false,
        }
    }
}

/// Gives the inputs to the old instance. Its last time-out; an error where it says other commands than were carried out.
async fn replay(
    resting: Resting,
    inputs: Vec<Kept>,
) -> Result<(Resting, Option<Option<muster::Instant>>), ()> {
    let work = move || {
        let mut resting = resting;
        let mut timer = None;
        for Kept { input, now, commands, .. } in inputs {
            let outputs = resting.handle(&input, now).map_err(|_| ())?;
            let said: Vec<Command> = outputs.iter().filter_map(command).collect();
            if commands.as_ref() != Some(&said) {
                return Err(());
            }
            for output in outputs {
                if let Output::Timeout(at) = output {
                    timer = Some(at);
                }
            }
        }
        Ok((resting, timer))
    };
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(()))
}

fn command(output: &Output) -> Option<Command> {
    match output {
        Output::Command(command) => Some(command.clone()),
        _ => None,
    }
}

/// About the bytes that an input takes.
fn weight(input: &Input) -> usize {
    let long = match input {
        Input::Message(Message { topic, payload }) => topic.len() + payload.expose().len(),
        Input::Response(_, muster::Answer::Response(response)) => response.body.len(),
        _ => 0,
    };
    256 + long
}

/// For the first line of output, and for those who read what happened.
impl Candidate {
    pub(in super::super) fn name(&self) -> String {
        let (slot, manifest) = (self.slot.name(), &self.manifest);
        format!(
            "{} {} (counter {}, slot {slot})",
            manifest.name, manifest.version, manifest.counter
        )
    }
}
