//! Which slot runs, in one small file.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::disk;
use crate::exit::Exit;
use crate::plugin::package::{Manifest, PackageError};

const FILE: &str = "state.json";
const FORMAT: u32 = 1;

/// One of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Slot {
    A,
    B,
}

impl Slot {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    pub(crate) fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// What `state.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    format: u32,
    /// The slot that runs; without one, the plugin that came with the device.
    pub(crate) active: Option<Slot>,
    /// The one that was active before it and is still whole.
    pub(crate) before: Option<Slot>,
    /// Of the newest that was ever confirmed.
    pub(crate) counter: u64,
    pub(crate) trial: Option<Trial>,
    /// How the last upgrade ended.
    pub(crate) last: Option<Last>,
}

/// A package that has to prove itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trial {
    pub(crate) slot: Slot,
    pub(crate) version: String,
    pub(crate) counter: u64,
    /// How often it was begun.
    pub(crate) starts: u32,
}

/// How an upgrade ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Last {
    pub(crate) outcome: Outcome,
    pub(crate) version: Option<String>,
    pub(crate) counter: Option<u64>,
    /// In one word; empty if all is well.
    pub(crate) code: String,
    pub(crate) why: String,
}

/// The ways it may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Confirmed,
    Reverted,
    Refused,
    FellBack,
}

impl Default for State {
    fn default() -> Self {
        Self { format: FORMAT, active: None, before: None, counter: 0, trial: None, last: None }
    }
}

impl Outcome {
    /// What happened to the package.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Confirmed => "was confirmed",
            Self::Reverted => "was reverted",
            Self::Refused => "was refused",
            Self::FellBack => "gave way to the one before",
        }
    }
}

impl State {
    /// Of a device that may be running.
    pub(crate) fn of(device: &Path) -> Result<Self, Exit> {
        Self::read(&device.join("plugin"))
    }

    pub(super) fn read(dir: &Path) -> Result<Self, Exit> {
        let path = dir.join(FILE);
        let at = path.display();
        let next = "it was left as it is: restore it, or move it away; without it the device begins with its factory's \
                    plugin, and no longer knows which upgrades it has seen";
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(Exit::local(format!("cannot read {at}: {e}"), next)),
        };
        let state: Self = serde_json::from_slice(&bytes)
            .map_err(|e| Exit::local(format!("{at} is damaged: {e}"), next))?;
        if state.format != FORMAT {
            let why = format!("{at} has format {}, this host reads {FORMAT}", state.format);
            return Err(Exit::local(why, "start it with the host that wrote it, or a newer one"));
        }
        Ok(state)
    }

    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(io::Error::from)?;
        bytes.push(b'\n');
        disk::replace(dir, FILE, &bytes)
    }
}

impl Trial {
    pub(super) fn new(slot: Slot, manifest: &Manifest) -> Self {
        let Manifest { version, counter, .. } = manifest;
        Self { slot, version: version.clone(), counter: *counter, starts: 0 }
    }
}

impl Last {
    pub(super) fn of(outcome: Outcome, trial: &Trial, code: &str, why: &str) -> Self {
        let (version, counter) = (Some(trial.version.clone()), Some(trial.counter));
        Self { outcome, version, counter, code: code.into(), why: why.into() }
    }

    /// Nothing that an unverified package says is kept.
    pub(super) fn refused(error: &PackageError) -> Self {
        let (code, why) = (error.code().into(), error.to_string());
        Self { outcome: Outcome::Refused, version: None, counter: None, code, why }
    }
}
