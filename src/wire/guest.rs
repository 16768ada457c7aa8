//! The plugin's end: one agent behind five functions of bytes.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroize;

use super::reply::{Describe, Drain, GuestLimits, Refusal, Reply, SaveReply};
use super::request::{Handle, NowOf, Open, Restore, SchemaOf, bytes};
use super::{MAX_REQUEST, OLDEST_SCHEMA, SCHEMA};
use crate::cbor::{self, Fault};
use crate::error::ApiMisuse;
use crate::{Agent, Config, Output, PlatformName, SNAPSHOT_SCHEMA};

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
        let describe = Describe {
            schema: SCHEMA,
            oldest_schema: OLDEST_SCHEMA,
            snapshot_schema: SNAPSHOT_SCHEMA,
            platforms: PlatformName::BUILT.iter().map(|name| name.as_str().into()).collect(),
            version: String::from(env!("CARGO_PKG_VERSION")),
            limits: GuestLimits { request: MAX_REQUEST as u32, body: crate::http::MAX_BODY as u32 },
        };
        bytes(&describe).into_inner()
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
    pub fn save(&self) -> Vec<u8> {
        let reply = match &self.agent {
            Some(agent) => SaveReply::Saved(agent.save()),
            None => SaveReply::Refused(Refusal::NotOpen),
        };
        bytes(&reply).into_inner()
    }

    fn try_open(&mut self, request: &[u8]) -> Result<(), Refusal> {
        self.may_open(request)?;
        let open: Open = cbor::decode(request).map_err(unreadable)?;
        let config = Config::from_settings(open.platform, &open.settings).map_err(misuse)?;
        let agent =
            Agent::new(config, open.stored, open.seed.expose(), open.now).map_err(misuse)?;
        self.agent = Some(Box::new(agent));
        Ok(())
    }

    fn try_restore(&mut self, request: &[u8]) -> Result<(), Refusal> {
        self.may_open(request)?;
        let restore: Restore = cbor::decode(request).map_err(unreadable)?;
        let config = Config::from_settings(restore.platform, &restore.settings).map_err(misuse)?;
        let agent = Agent::restore(config, &restore.snapshot, restore.now).map_err(misuse)?;
        self.agent = Some(Box::new(agent));
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
    fn reply(&mut self, mut request: Vec<u8>, result: Result<(), Refusal>) -> Vec<u8> {
        request.zeroize();
        let reply = match (result, &mut self.agent) {
            (Ok(()), Some(agent)) => Reply::Drained(drain(agent)),
            (Ok(()), None) => Reply::Refused(Refusal::NotOpen),
            (Err(refusal), _) => Reply::Refused(refusal),
        };
        bytes(&reply).into_inner()
    }
}

fn drain(agent: &mut Agent) -> Drain {
    let mut outputs = Vec::new();
    loop {
        let output = agent.poll_output();
        let last = matches!(output, Output::Timeout(_));
        outputs.push(output);
        if last {
            return Drain { outputs, stray: agent.stray_inputs(), skipped: 0 };
        }
    }
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
