//! Failures, grouped by what caused them.

use std::string::String;
use std::vec::Vec;

use crate::error::{Error, Rejected};
use crate::output::Advice;
use crate::page::FleetCause;
use crate::trace::TroubleReason;

/// Kinds that are kept apart. A cloud may say no in any number of ways.
const MOST: usize = 50;

/// What holds a device up.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub(super) error: Error,
    pub(super) trouble: Option<TroubleReason>,
    pub(super) advice: Option<Advice>,
}

impl Cause {
    /// Whether a person would call it the same: what a vendor adds to a code may name the device.
    fn is(&self, other: &Self) -> bool {
        let same = match (&self.error, &other.error) {
            (Error::Rejected { by: one }, Error::Rejected { by: other }) => match (one, other) {
                (Rejected::Code { code: one, .. }, Rejected::Code { code: other, .. }) => {
                    one == other
                }
                (Rejected::Http { status: one, .. }, Rejected::Http { status: other, .. }) => {
                    one == other
                }
                (Rejected::Suback { .. }, Rejected::Suback { .. }) => true,
                (one, other) => one == other,
            },
            (one, other) => one == other,
        };
        same && self.trouble == other.trouble && self.advice == other.advice
    }
}

#[derive(Debug)]
struct Group {
    cause: Cause,
    devices: u32,
    times: u32,
    example: String,
    first: f64,
    last: f64,
}

/// All groups. A group's number stays its own until all are cleared.
#[derive(Debug, Default)]
pub(super) struct Causes {
    groups: Vec<Group>,
    others: u32,
}

impl Causes {
    /// It happened to this device, which is held up by it now. None: there are too many kinds to keep this one apart.
    pub(super) fn happened(&mut self, cause: &Cause, device: &str, unix: f64) -> Option<u16> {
        let at = self.groups.iter().position(|group| group.cause.is(cause)).or_else(|| {
            if self.groups.len() >= MOST {
                return None;
            }
            let (cause, example) = (cause.clone(), String::from(device));
            self.groups.push(Group {
                cause,
                devices: 0,
                times: 0,
                example,
                first: unix,
                last: unix,
            });
            Some(self.groups.len() - 1)
        });
        let Some(group) = at.and_then(|at| self.groups.get_mut(at)) else {
            self.others = self.others.saturating_add(1);
            return None;
        };
        group.devices += 1;
        group.times = group.times.saturating_add(1);
        group.last = unix;
        at.and_then(|at| u16::try_from(at).ok())
    }

    /// A device is not held up by it any more.
    pub(super) fn over(&mut self, cause: u16) {
        if let Some(group) = self.groups.get_mut(usize::from(cause)) {
            group.devices = group.devices.saturating_sub(1);
        }
    }

    pub(super) fn get(&self, cause: u16) -> Option<&Cause> {
        self.groups.get(usize::from(cause)).map(|group| &group.cause)
    }

    pub(super) fn others(&self) -> u32 {
        self.others
    }

    /// The most frequent first.
    pub(super) fn told(&self) -> Vec<FleetCause> {
        let told = |group: &Group| FleetCause {
            error: group.cause.error.clone(),
            trouble: group.cause.trouble,
            advice: group.cause.advice,
            devices: group.devices,
            times: group.times,
            example: group.example.clone(),
            first: group.first,
            last: group.last,
        };
        let mut all: Vec<_> = self.groups.iter().map(told).collect();
        all.sort_by_key(|cause| core::cmp::Reverse((cause.devices, cause.times)));
        all
    }
}
