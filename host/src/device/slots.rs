//! Upgrades of the plugin: two slots, of which the one that runs is never written to.
//!
//! ```text
//! plugin/staged/          a package that waits to be taken (`muster plugin stage`)
//! plugin/a/, plugin/b/    packages: plugin.wasm, plugin.wasm.manifest, plugin.wasm.sig
//! plugin/state.json       which slot runs, the trial, the highest counter; replaced in one step
//! plugin/lock             held by who stages and who takes
//! ```
//!
//! ```text
//!  staged ── take ──> trial ── confirm ──> active
//!     │                 │                    │ keeps failing
//!     └─ refused        └─ revert            └─ fall back ──> the one before
//! ```
//!
//! A slot without a mention in the state is free. It is filled, synced, and only then mentioned; so a process that is
//! killed at any moment leaves the old plugin active, or the old one with a whole new one on trial. Every package is
//! verified again whenever it is loaded: what the state says is only which.
//!
//! The counter is raised when a trial is confirmed, and never lowered: not by [`Slots::reset`] either.

mod disk;
mod state;

use std::io;
use std::path::{Path, PathBuf};

use muster::PlatformName;

pub(crate) use state::{Last, Outcome, Slot, State, Trial};

use crate::exit::Exit;
use crate::plugin::package::{Manifest, Package, PackageError, PublicKey, Verified, Wanted};
use crate::plugin::{Engine, Plugin};

/// A trial that was begun so often without an end is over.
pub(crate) const MOST_STARTS: u32 = 3;

const WASM: &str = "plugin.wasm";

/// What the profile says about upgrades.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pinned {
    pub(crate) keys: Vec<PublicKey>,
    pub(crate) name: String,
    /// Counters below are never run, whatever the state says: it holds where the folder was removed.
    pub(crate) lowest: u64,
    /// Whether machine code is run, if it is well signed.
    pub(crate) machine_code: bool,
}

impl Pinned {
    /// What is asked of a package whose counter is `lowest` or higher.
    pub(crate) fn wanted(&self, lowest: u64) -> Wanted {
        Wanted {
            name: self.name.clone(),
            counter: lowest.max(self.lowest),
            machine_code: self.machine_code,
        }
    }
}

/// What a plugin has to be for this device.
#[derive(Clone, Debug)]
pub(crate) struct Need {
    pub(crate) pinned: Pinned,
    /// Not known to who only stages.
    pub(crate) platform: Option<PlatformName>,
}

/// A package that was verified and compiled.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) slot: Slot,
    pub(crate) manifest: Manifest,
    pub(crate) plugin: Plugin,
}

/// What to start with.
#[derive(Debug)]
pub(crate) enum Start {
    /// The plugin that came with the device.
    Factory,
    /// A confirmed one.
    Active(Box<Candidate>),
    /// One on trial; this start is counted already.
    Trial(Box<Candidate>),
}

/// Why a staged package did not become a trial.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// It is refused, and gone.
    Refused(PackageError),
    /// Nothing was decided: the disk failed.
    Disk(io::Error),
}

/// The folder of one device's plugins. One process uses it: the one that holds the device's lock.
#[derive(Debug)]
pub(crate) struct Slots {
    dir: PathBuf,
    state: State,
}

impl Slots {
    /// Reads the state; a device without one has none of this yet.
    pub(crate) fn open(device: &Path) -> Result<Self, Exit> {
        let dir = device.join("plugin");
        let state = State::read(&dir)?;
        let slots = Self { dir, state };
        // Left by a stager that was killed. If one works just now, it is not left over.
        if let Ok(Some(lock)) = disk::try_lock(&slots.dir) {
            let _ = slots.tidy(&lock);
        }
        Ok(slots)
    }

    fn tidy(&self, lock: &disk::Locked) -> io::Result<()> {
        disk::clean(&self.dir)?;
        if let Some(trial) = &self.state.trial {
            let slot = self.dir.join(trial.slot.name());
            // Taken, and killed before it was gone.
            if disk::is_same(&disk::staged(&self.dir), &slot, WASM) {
                disk::unstage(lock)?;
            }
        }
        Ok(())
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Decides what to start with. Whatever was passed over is told to `passed`. A disk that cannot be written to is no
    /// reason not to start: then nothing is on trial.
    pub(crate) fn start(
        &mut self,
        engine: &Engine,
        need: &Need,
        passed: &mut dyn FnMut(Slot, &PackageError),
    ) -> (Start, Option<io::Error>) {
        let mut disk = None;
        if let Some(trial) = self.state.trial.clone() {
            let done = match self.load(trial.slot, engine, need) {
                Ok(_) if trial.starts >= MOST_STARTS => self.revert(
                    "not_confirmed",
                    &format!("the device was started {MOST_STARTS} times without a confirmation"),
                ),
                Ok(candidate) => match self.count_start() {
                    Ok(()) => return (Start::Trial(Box::new(candidate)), None),
                    Err(e) => Err(e),
                },
                Err(error) => {
                    passed(trial.slot, &error);
                    self.revert(error.code(), &error.to_string())
                }
            };
            disk = done.err();
        }
        for slot in [self.state.active, self.state.before].into_iter().flatten() {
            match self.load(slot, engine, need) {
                Ok(candidate) => return (Start::Active(Box::new(candidate)), disk),
                Err(error) => passed(slot, &error),
            }
        }
        (Start::Factory, disk)
    }

    /// Whether a package waits and may be taken: one at a time is on trial.
    pub(crate) fn wants_to_take(&self) -> bool {
        self.state.trial.is_none() && disk::staged(&self.dir).is_dir()
    }

    /// Verifies the staged package and makes it the trial, in the slot that does not run. Nothing if another process
    /// is staging just now. Blocks: it compiles.
    pub(crate) fn take(
        &mut self,
        running: Option<Slot>,
        engine: &Engine,
        need: &Need,
    ) -> Result<Option<Candidate>, NotTaken> {
        let Some(lock) = disk::try_lock(&self.dir).map_err(NotTaken::Disk)? else {
            return Ok(None);
        };
        let staged = disk::staged(&self.dir);
        if !self.wants_to_take() {
            return Ok(None);
        }
        let lowest = self.state.counter.saturating_add(1);
        let read = Package::read(&staged.join(WASM));
        let looked = read.and_then(|package| look(package, lowest, engine, need));
        let (verified, plugin) = match looked {
            Ok(looked) => looked,
            Err(error) => {
                let mut next = self.state.clone();
                next.last = Some(Last::refused(&error));
                self.write(next).and_then(|()| disk::unstage(&lock)).map_err(NotTaken::Disk)?;
                return Err(NotTaken::Refused(error));
            }
        };
        let manifest = verified.manifest().clone();
        let slot = running.map_or(Slot::A, Slot::other);
        self.fill(slot, running, &verified).map_err(NotTaken::Disk)?;
        disk::unstage(&lock).map_err(NotTaken::Disk)?;
        Ok(Some(Candidate { slot, manifest, plugin }))
    }

    fn fill(&mut self, slot: Slot, running: Option<Slot>, verified: &Verified) -> io::Result<()> {
        let mut next = self.state.clone();
        // What runs is what a revert goes back to, and the slot is free from here on.
        next.active = running;
        next.before = next.before.filter(|&before| before != slot && Some(before) != running);
        if next != self.state {
            self.write(next.clone())?;
        }
        disk::fill(&self.dir, &self.dir.join(slot.name()), WASM, verified.package())?;
        next.trial = Some(Trial::new(slot, verified.manifest()));
        self.write(next)
    }

    /// The trial is about to run: counted before it does.
    pub(crate) fn count_start(&mut self) -> io::Result<()> {
        let mut next = self.state.clone();
        if let Some(trial) = &mut next.trial {
            trial.starts += 1;
        }
        self.write(next)
    }

    /// The trial has proven itself: it is the active one, and its counter the lowest from now on.
    pub(crate) fn confirm(&mut self) -> io::Result<()> {
        let mut next = self.state.clone();
        let Some(trial) = next.trial.take() else { return Ok(()) };
        next.last = Some(Last::of(Outcome::Confirmed, &trial, "", ""));
        next.before = next.active;
        next.active = Some(trial.slot);
        next.counter = next.counter.max(trial.counter);
        self.write(next)
    }

    /// The trial is over, and what was active still is.
    pub(crate) fn revert(&mut self, code: &str, why: &str) -> io::Result<()> {
        let mut next = self.state.clone();
        let Some(trial) = next.trial.take() else { return Ok(()) };
        next.last = Some(Last::of(Outcome::Reverted, &trial, code, why));
        self.write_or_not(next)
    }

    /// The active one keeps failing: back to the one that was active before it, or to the factory's.
    pub(crate) fn fall_back(&mut self, failing: &Candidate, why: &str) -> io::Result<()> {
        let mut next = self.state.clone();
        let failed = Trial::new(failing.slot, &failing.manifest);
        next.last = Some(Last::of(Outcome::FellBack, &failed, "failed", why));
        next.active = next.before.take().filter(|&before| before != failing.slot);
        self.write_or_not(next)
    }

    /// Back to the factory's plugin. The counter stays.
    pub(crate) fn reset(&mut self) -> io::Result<()> {
        let lock = disk::wait_lock(&self.dir)?;
        let mut next = State::default();
        next.counter = self.state.counter;
        self.write(next)?;
        disk::unstage(&lock)?;
        for slot in [Slot::A, Slot::B] {
            disk::remove_dir(&self.dir.join(slot.name()))?;
        }
        Ok(())
    }

    /// Verifies and compiles what a slot holds.
    pub(crate) fn load(
        &self,
        slot: Slot,
        engine: &Engine,
        need: &Need,
    ) -> Result<Candidate, PackageError> {
        let package = Package::read(&self.dir.join(slot.name()).join(WASM))?;
        let (verified, plugin) = look(package, need.pinned.lowest, engine, need)?;
        let manifest = verified.manifest().clone();
        Ok(Candidate { slot, manifest, plugin })
    }

    /// What is over is over, if not on the disk: there the starts are counted.
    fn write_or_not(&mut self, next: State) -> io::Result<()> {
        let written = next.write(&self.dir);
        self.state = next;
        written
    }

    fn write(&mut self, next: State) -> io::Result<()> {
        next.write(&self.dir)?;
        self.state = next;
        Ok(())
    }
}

/// Puts a package where the device finds it, in place of one that it has not found yet.
pub(crate) fn stage(device: &Path, package: &Package) -> io::Result<()> {
    let lock = disk::wait_lock(&device.join("plugin"))?;
    disk::stage(&lock, WASM, package)
}

/// Whether a package waits for the device.
pub(crate) fn waits(device: &Path) -> bool {
    disk::staged(&device.join("plugin")).is_dir()
}

/// What a slot of a device that may be running holds: its name, and the plugin.
#[cfg(feature = "full")]
pub(crate) fn check(
    device: &Path,
    slot: Slot,
    engine: &Engine,
    need: &Need,
) -> Result<(String, Plugin), PackageError> {
    let slots = Slots { dir: device.join("plugin"), state: State::default() };
    let candidate = slots.load(slot, engine, need)?;
    Ok((candidate.name(), candidate.plugin))
}

/// Everything that can be known of a package before it runs.
pub(crate) fn look(
    package: Package,
    lowest: u64,
    engine: &Engine,
    need: &Need,
) -> Result<(Verified, Plugin), PackageError> {
    let verified = package.verify(&need.pinned.keys, &need.pinned.wanted(lowest))?;
    let (plugin, describe) = verified.load(engine)?;
    if let Some(platform) = need.platform
        && !describe.platforms.iter().any(|name| name == platform.as_str())
    {
        return Err(PackageError::Platform(platform.to_string()));
    }
    Ok((verified, plugin))
}

#[cfg(test)]
mod tests;
