//! In a module without the lab, nobody sends packets beside the core.

use super::Driver;
use crate::input::Ack;
use crate::output::{Event, Token};
use crate::web::values::Reply;

/// Nothing is under way.
pub(super) struct Raw;

impl Raw {
    pub(super) fn new() -> Self {
        Self
    }
}

/// There is none.
pub(in crate::web) enum Packet {}

#[expect(clippy::unused_self, reason = "as of the one with packets of scripts")]
impl Driver {
    pub(super) fn send_raw(&mut self, packet: Packet, _: Reply) {
        match packet {}
    }

    pub(super) fn acked_raw(&mut self, _: Token, _: Ack) -> bool {
        false
    }

    pub(super) fn is_raw_topic(&self, _: &str) -> bool {
        false
    }

    pub(super) fn note_ready(&mut self, _: &Event) {}

    pub(super) fn end_raw(&mut self) {}
}
