//! The plugin's instance, called beside the connection and not in its way.
//!
//! A call may take as long as `[limits]` says. It runs on a thread of its own, so that meanwhile the connection's task
//! sends what is to be sent and answers the server in time.

use std::time::Duration;

use muster::wire::{Open, Restore};
use muster::{Input, Now, Output, SecretBytes};
use tokio::time::Instant;

use crate::plugin::{Instance, Plugin, PluginError};

/// Waits between restarts grow up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// One that has run for so long is not the one that failed before.
const PROVEN_AFTER: Duration = Duration::from_secs(600);

/// A plugin and what runs of it.
pub(super) struct Sandbox {
    plugin: Plugin,
    /// What runs when that one has failed too often.
    last_good: Option<Plugin>,
    instance: Option<Instance>,
    born: Instant,
    failures: u32,
    restarts: u32,
    restart_after: Duration,
    /// Of the last call.
    fuel: u64,
}

/// What happens after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The same plugin is started again, for the how manieth time in a row.
    Again { after: Duration, nth: u32 },
    /// The last good one takes its place.
    LastGood { after: Duration },
    /// Nothing runs any more.
    End,
}

/// An instance between two inputs, and its plugin.
pub(super) struct Resting {
    plugin: Plugin,
    instance: Instance,
}

impl Resting {
    /// One input. Blocks.
    pub(super) fn handle(&mut self, input: &Input, now: Now) -> Result<Vec<Output>, PluginError> {
        self.instance.handle(input, now)
    }
}

impl Sandbox {
    /// Nothing runs yet. After a failure it is started again `restarts` times in a row; then comes `last_good`.
    pub(super) fn new(
        plugin: Plugin,
        last_good: Option<Plugin>,
        restarts: u32,
        restart_after: Duration,
    ) -> Self {
        let born = Instant::now();
        Self {
            plugin,
            last_good,
            instance: None,
            born,
            failures: 0,
            restarts,
            restart_after,
            fuel: 0,
        }
    }

    /// A fresh instance, opened.
    pub(super) async fn open(&mut self, open: Open) -> Result<Vec<Output>, PluginError> {
        self.instance = None;
        self.born = Instant::now();
        let plugin = self.plugin.clone();
        let (instance, result) = beside(move || {
            let mut instance = plugin.instantiate()?;
            let result = instance.open(&open);
            Ok((instance, result))
        })
        .await?;
        self.fuel = instance.fuel_used();
        self.instance = Some(instance);
        result
    }

    /// One input.
    pub(super) async fn handle(
        &mut self,
        input: Input,
        now: Now,
    ) -> Result<Vec<Output>, PluginError> {
        let Some(mut instance) = self.instance.take() else { return Err(PluginError::Poisoned) };
        let (instance, result) = beside(move || {
            let result = instance.handle(&input, now);
            Ok((instance, result))
        })
        .await?;
        self.fuel = instance.fuel_used();
        self.instance = Some(instance);
        result
    }

    /// An instance of another plugin goes on where this one is. This one comes back as it was; if the other refuses or
    /// fails, it stays.
    pub(super) async fn swap(
        &mut self,
        plugin: Plugin,
        restore: impl FnOnce(SecretBytes) -> Restore + Send + 'static,
    ) -> Result<(Vec<Output>, Resting), PluginError> {
        let Some(mut old) = self.instance.take() else { return Err(PluginError::Poisoned) };
        let new = plugin.clone();
        let (old, swapped) = beside(move || {
            let swapped = old.save().and_then(|snapshot| {
                let mut instance = new.instantiate()?;
                let outputs = instance.restore(&restore(snapshot))?;
                Ok((instance, outputs))
            });
            Ok((old, swapped))
        })
        .await?;
        // One that cannot save is no more use than one that is gone.
        let old = (!old.is_poisoned()).then_some(old);
        match swapped {
            Ok((instance, outputs)) => {
                let Some(old) = old else { return Err(PluginError::Poisoned) };
                let resting = Resting { plugin: self.plugin.clone(), instance: old };
                self.replace(plugin);
                self.instance = Some(instance);
                Ok((outputs, resting))
            }
            Err(error) => {
                let error = if old.is_none() { PluginError::Poisoned } else { error };
                self.instance = old;
                Err(error)
            }
        }
    }

    /// The one that rested goes on.
    pub(super) fn put_back(&mut self, resting: Resting) {
        self.replace(resting.plugin);
        self.instance = Some(resting.instance);
    }

    /// Another plugin from now on; nothing runs. It has not failed yet.
    pub(super) fn replace(&mut self, plugin: Plugin) {
        (self.plugin, self.instance) = (plugin, None);
        (self.failures, self.born) = (0, Instant::now());
    }

    /// Whether there is one to give inputs to.
    pub(super) fn lives(&self) -> bool {
        self.instance.is_some()
    }

    /// Throws the instance away, and decides what comes next: after the last restart the last good plugin, unless
    /// there is yet another before it.
    pub(super) fn failed(&mut self, is_last_good_next: bool) -> Next {
        self.instance = None;
        if self.born.elapsed() >= PROVEN_AFTER {
            self.failures = 0;
        }
        if self.failures < self.restarts {
            let after = self.restart_after.saturating_mul(1 << self.failures.min(16));
            self.failures += 1;
            return Next::Again { after: after.min(LONGEST_WAIT), nth: self.failures };
        }
        match self.last_good.take_if(|_| is_last_good_next) {
            Some(plugin) => {
                (self.plugin, self.failures) = (plugin, 0);
                Next::LastGood { after: self.restart_after }
            }
            None => Next::End,
        }
    }

    /// Whether there is another plugin to fall back on.
    pub(super) fn has_last_good(&self) -> bool {
        self.last_good.is_some()
    }

    /// Throws the instance away; another plugin takes over.
    pub(super) fn stop(&mut self) {
        self.instance = None;
    }

    /// What the last call took.
    pub(super) fn fuel(&self) -> u64 {
        self.fuel
    }

    pub(super) fn restarts(&self) -> u32 {
        self.restarts
    }
}

/// On a thread of the pool.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PluginError> + Send + 'static,
) -> Result<T, PluginError> {
    // A panic in the host's own code: the instance is lost with it.
    let died = |e: tokio::task::JoinError| PluginError::Host(e.to_string());
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(died(e)))
}
