//! What records a device's life for a `Replay`, where there is one.

use std::cell::RefCell;
#[cfg(feature = "lab")]
use std::rc::Rc;

use crate::agent::Agent;
use crate::input::Input;
#[cfg(feature = "lab")]
use crate::replay::Recorder;
use crate::time::Now;
use crate::trace::Trace;

/// Of one device; of a device that is not recorded, nothing.
#[cfg(feature = "lab")]
#[derive(Clone, Debug, Default)]
pub(super) struct Record(pub(super) Option<Rc<RefCell<Recorder>>>);

/// This module records nothing.
#[cfg(not(feature = "lab"))]
#[derive(Clone, Debug, Default)]
pub(super) struct Record;

#[cfg(feature = "lab")]
impl Record {
    /// Before the agent hears it.
    pub(super) fn input(&self, input: &Input, now: Now, trace: &RefCell<Trace>) {
        if let Some(recorder) = &self.0 {
            recorder.borrow_mut().input(input, now, trace.borrow().last());
        }
    }

    /// What it said to that, before it is taken.
    pub(super) fn said(&self, agent: &Agent) {
        if let Some(recorder) = &self.0 {
            recorder.borrow_mut().said(agent);
        }
    }

    /// It has said everything.
    pub(super) fn rest(&self, agent: &mut Agent) {
        if let Some(recorder) = &self.0 {
            recorder.borrow_mut().rest(agent);
        }
    }
}

#[cfg(not(feature = "lab"))]
#[expect(clippy::unused_self, reason = "as of the one that records")]
impl Record {
    pub(super) fn input(&self, _: &Input, _: Now, _: &RefCell<Trace>) {}
    pub(super) fn said(&self, _: &Agent) {}
    pub(super) fn rest(&self, _: &mut Agent) {}
}
