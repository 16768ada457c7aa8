//! In a module without faults, everything goes its way.

use wasm_bindgen::JsValue;

use super::Driver;
use crate::http::Request;
use crate::input::{Answer, Input};
use crate::output::{Connect, Event, Token};
use crate::trace::{Direction, Trouble};
use crate::web::clock::Clock;
use crate::web::fetch::Aborter;
use crate::web::spoil::Fault;

/// Nothing is armed.
#[derive(Debug, Default)]
pub(in crate::web) struct Harm;

/// There is nothing to change.
pub(in crate::web) enum Change {}

/// Nothing strikes.
pub(super) enum Strike {}

impl Harm {
    #[expect(clippy::unused_self, reason = "as of the one with faults")]
    pub(in crate::web) fn wind(&mut self, _: &mut Clock) {}

    #[expect(clippy::unused_self, reason = "as of the one with faults")]
    pub(super) fn meets_events(&self) -> bool {
        false
    }

    #[expect(clippy::unused_self, reason = "as of the one with faults")]
    pub(super) fn is_cut(&self) -> bool {
        false
    }
}

#[expect(clippy::unused_self, reason = "as of the one with faults")]
impl Driver {
    pub(super) fn first_faults(&mut self) {}

    pub(super) fn change_faults(&mut self, change: Change) -> Result<JsValue, JsValue> {
        match change {}
    }

    pub(super) fn tell_faults(&mut self) {}

    pub(super) fn strike(&mut self, strike: Strike) {
        match strike {}
    }

    pub(super) fn end_by_fault(&mut self) -> bool {
        false
    }

    pub(super) fn late(&mut self, _: u32) {}

    pub(super) fn drop_held(&mut self, _: Token) {}

    pub(super) fn came(&mut self, bytes: &[u8]) {
        let (moment, mono) = (self.clock.moment(), self.clock.now().mono);
        self.trace.borrow_mut().bytes(Direction::Down, bytes, moment);
        if let Some(session) = self.session() {
            session.receive(bytes, mono);
        }
    }

    pub(super) fn leave(&mut self, token: Token, bytes: &[u8]) {
        self.trace.borrow_mut().bytes(Direction::Up, bytes, self.clock.moment());
        if let Some(link) = self.link.as_mut().filter(|link| link.token == token) {
            link.wire.send(bytes.to_vec());
        }
    }

    pub(super) fn no_way(&mut self, _: Token, connect: Connect) -> Option<Connect> {
        Some(connect)
    }

    pub(super) fn ask(&mut self, token: Token, request: Request) {
        self.requests.insert(token, Aborter::new());
        self.send_request(token, request);
    }

    pub(super) fn answer(&mut self, token: Token, answer: Answer, trouble: Option<Trouble>) {
        if self.requests.remove(&token).is_none() {
            return;
        }
        let moment = self.clock.moment();
        match &answer {
            Answer::Response(response) => {
                self.trace.borrow_mut().response(token, response, moment);
            }
            Answer::Failed(_) => self.trace.borrow_mut().no_response(token, trouble, moment),
        }
        self.inputs.push_back(Input::Response(token, answer));
    }

    pub(super) fn happened(&mut self, _: &Event) {}

    pub(super) fn before_store(&mut self, _: &str) -> Storing {
        Storing::GoOn
    }

    pub(super) fn before_download(&mut self, _: Token) -> Option<Option<Fault>> {
        Some(None)
    }
}

/// How it goes on with a value that is to be stored.
pub(super) enum Storing {
    GoOn,
    Fail,
    Dead,
    ThenDie(Strike),
}
