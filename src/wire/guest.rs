//! The plugin's end: one agent behind five functions of bytes.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zeroize::Zeroize;

use super::reply::{GuestLimits, Refusal};
use super::request::{Handle, NowOf, Open, Restore, SchemaOf};
use super::{MAX_REQUEST, OLDEST_SCHEMA, SCHEMA};
use crate::cbor::{self, Encode, Encoder, Fault};
use crate::error::ApiMisuse;
use crate::{Agent, Config, PlatformName, SNAPSHOT_SCHEMA};

/// One device, or none yet.
#[derive(Debug, Default)]
pub struct Guest {
    agent: Option<Box<Agent>>,
}

impl Guest {
    /// A guest that waits for `open` or `restore`.
    pub const fn new() -> Self {
        Self { agent: None }
    }

    /// What this build is.
    pub fn describe(&self) -> Vec<u8> {
        // The fields of `Describe`.
        let mut e = Encoder::new();
        e.map(6);
        for number in [0, SCHEMA, 1, OLDEST_SCHEMA, 2, SNAPSHOT_SCHEMA] {
            e.number(number);
        }
        e.number(3);
        e.array(PlatformName::BUILT.len() as u32);
        for name in PlatformName::BUILT {
            e.text(name.as_str());
        }
        e.number(4);
        e.text(env!("CARGO_PKG_VERSION"));
        e.number(5);
        GuestLimits { request: MAX_REQUEST as u32, body: crate::http::MAX_BODY as u32 }
            .encode(&mut e);
        e.into_bytes()
    }

    /// Takes the bytes of an [`Open`].
    pub fn open(&mut self, request: Vec<u8>) -> Vec<u8> {
        let result = self.try_open(&request);
        self.reply(request, result)
    }

    /// Takes the bytes of a [`Restore`].
    pub fn restore(&mut self, request: Vec<u8>) -> Vec<u8> {
        let result = self.try_restore(&request);
        self.reply(request, result)
    }

    /// Takes the bytes of a [`Handle`].
    pub fn handle(&mut self, request: Vec<u8>) -> Vec<u8> {
        let result = self.try_handle(&request);
        self.reply(request, result)
    }

    /// The agent as it is between two inputs.
    pub fn save(&mut self) -> Vec<u8> {
        let Some(agent) = &mut self.agent else { return refused(&Refusal::NotOpen) };
        let mut e = Encoder::new();
        e.variant(0, 1);
        agent.save().encode(&mut e);
        e.into_bytes()
    }

    fn try_open(&mut self, request: &[u8]) -> Result<(), Refusal> {
        self.may_open(request)?;
        let open: Open = cbor::decode(request).map_err(unreadable)?;
        let config = Config::from_settings(open.platform, &open.settings).map_err(misuse)?;
        let agent = Agent::new(config, open.stored, open.seed.expose(), open.now);
        self.agent = Some(Box::new(agent.map_err(misuse)?));
        Ok(())
    }

    fn try_restore(&mut self, request: &[u8]) -> Result<(), Refusal> {
        self.may_open(request)?;
        let restore: Restore = cbor::decode(request).map_err(unreadable)?;
        let config = Config::from_settings(restore.platform, &restore.settings).map_err(misuse)?;
        let agent = Agent::restore(config, &restore.snapshot, restore.now);
        self.agent = Some(Box::new(agent.map_err(misuse)?));
        Ok(())
    }

    fn try_handle(&mut self, request: &[u8]) -> Result<(), Refusal> {
        fits(request)?;
        let agent = self.agent.as_mut().ok_or(Refusal::NotOpen)?;
        match cbor::decode::<Handle>(request) {
            Ok(Handle { now, input }) => agent.handle_input(input, now).map_err(misuse),
            Err(Fault::Unknown) => {
                let NowOf { now } = cbor::decode(request).map_err(|_| Refusal::Malformed)?;
                agent.ignore_input(now);
                Ok(())
            }
            Err(Fault::Malformed) => Err(Refusal::Malformed),
        }
    }

    /// Looks at what does not depend on the schema: a newer host may send fields that only its own schema has.
    fn may_open(&self, request: &[u8]) -> Result<(), Refusal> {
        fits(request)?;
        if self.agent.is_some() {
            return Err(Refusal::AlreadyOpen);
        }
        let SchemaOf { schema } = cbor::decode(request).map_err(|_| Refusal::Malformed)?;
        if (OLDEST_SCHEMA..=SCHEMA).contains(&schema) {
            Ok(())
        } else {
            Err(Refusal::Schema { oldest: OLDEST_SCHEMA, newest: SCHEMA })
        }
    }

    /// Drains the agent, and forgets the request: it may hold a secret.
    #[inline(never)]
    fn reply(&mut self, mut request: Vec<u8>, result: Result<(), Refusal>) -> Vec<u8> {
        request.zeroize();
        match (result, &mut self.agent) {
            (Ok(()), Some(agent)) => drained(agent),
            (Ok(()), None) => refused(&Refusal::NotOpen),
            (Err(refusal), _) => refused(&refusal),
        }
    }
}

/// A [`Drain`](super::Drain), written while it is drained.
fn drained(agent: &mut Agent) -> Vec<u8> {
    let mut e = Encoder::new();
    e.variant(0, 1);
    e.map(2);
    e.number(0);
    e.array(agent.outputs().len() as u32 + 1);
    for output in agent.outputs() {
        output.encode(&mut e);
    }
    agent.forget_outputs();
    agent.timeout().encode(&mut e);
    e.number(1);
    e.uint(agent.stray_inputs());
    e.into_bytes()
}

fn refused(refusal: &Refusal) -> Vec<u8> {
    let mut e = Encoder::new();
    e.variant(1, 1);
    refusal.encode(&mut e);
    e.into_bytes()
}

fn fits(request: &[u8]) -> Result<(), Refusal> {
    if request.len() <= MAX_REQUEST { Ok(()) } else { Err(Refusal::TooLong) }
}

/// The one thing in a request to open that can be unknown is the platform.
fn unreadable(fault: Fault) -> Refusal {
    match fault {
        Fault::Unknown => misuse(crate::settings::problem("platform", "is not part of this build")),
        Fault::Malformed => Refusal::Malformed,
    }
}

fn misuse(error: impl Into<ApiMisuse>) -> Refusal {
    Refusal::Misuse(error.into())
}
