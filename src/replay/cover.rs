//! A recording that may leave this machine.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::{Discriminant, discriminant};

use super::player::{ReplayError, Runner, known, text_of};
use super::stand_in::StandIns;
use super::{Draws, Recorded, Recording, Said, Start};
use crate::agent::Stored;
use crate::cbor;
use crate::hex;
use crate::output::{Command, Event, Output};
use crate::secret::SecretBytes;
use crate::settings::Settings;
use crate::time::Instant;
use crate::trace::{Mask, is_secret_setting, value_of};
use crate::wire::Seed;

/// A recording without secrets.
#[derive(Clone, Debug)]
pub struct Covered {
    /// Stand-ins are where secrets were, what was drawn where the seed was, and what the agent says to that where the
    /// digest of its words was.
    pub recording: Recording,
    /// How many secrets it had.
    pub secrets: usize,
    /// The first step at which the stand-ins lead elsewhere: other commands, other events, other times. `None` unless a
    /// secret happened to be a word of the protocol, or something was computed from one and compared.
    pub strays: Option<usize>,
}

/// A secret that is searched for after all was covered. Shorter ones are in everything.
const TELLING: usize = 6;

impl Recording {
    /// Covers it. `seed` decides the stand-ins: from an entropy source, new each time.
    pub fn cover(&self, seed: [u8; 32]) -> Result<Covered, ReplayError> {
        let mask = known(self);
        let mut secrets = StandIns::new(seed);
        let first = self.learn(&mask, &mut secrets);
        let (mut runner, heard) = Runner::start(self)?;
        for secret in runner.agent.secrets() {
            secrets.learn(secret.expose());
        }

        // Once as it was: what is made on the way, and what is drawn.
        let from = match self.start {
            Start::Birth(_) => 0,
            Start::Snapshot(_) => runner.agent.rng().count(),
        };
        let mut tokens = BTreeSet::new();
        let mut course = alloc::vec![kinds(&heard.outputs)];
        made(&heard.outputs, &mask, &mut secrets, &mut tokens);
        for recorded in &self.inputs {
            let heard = runner.step(recorded);
            made(&heard.outputs, &mask, &mut secrets, &mut tokens);
            course.push(kinds(&heard.outputs));
        }
        for secret in runner.agent.secrets() {
            secrets.learn(secret.expose());
        }
        let rng = runner.agent.rng();
        let blocks = (from..rng.count()).map(|n| draw(rng.nth(n), &tokens, &secrets)).collect();

        // Once as it will be told.
        let mut told = Self {
            settings: self.settings(&secrets),
            seed: Seed::new([0; 32]),
            start: self.start(&mask, &secrets),
            first: Said::Unknown,
            inputs: self.inputs.iter().map(|recorded| input(recorded, &mask, &secrets)).collect(),
            draws: Some(Draws { from, blocks }),
            ..self.clone()
        };
        let (mut runner, heard) = Runner::start(&told)?;
        let mut strays = (course.first() != Some(&kinds(&heard.outputs))).then_some(0);
        told.first = match self.start {
            Start::Birth(_) => Said::Words(SecretBytes::new(heard.words)),
            Start::Snapshot(_) => Said::Unknown,
        };
        for (i, recorded) in told.inputs.iter_mut().enumerate() {
            let heard = runner.step(recorded);
            if strays.is_none() && course.get(i + 1) != Some(&kinds(&heard.outputs)) {
                strays = Some(i + 1);
            }
            recorded.said = Said::Words(SecretBytes::new(heard.words));
        }
        if leaks(&told, &secrets, first) {
            return Err(ReplayError::SecretLeft);
        }
        Ok(Covered { recording: told, secrets: secrets.count(), strays })
    }

    /// Learns what the recording itself says is secret. The seed, as a snapshot has it.
    fn learn(&self, mask: &Mask, secrets: &mut StandIns) -> [u8; 32] {
        for key in self.settings.keys() {
            let value = self.settings.get(key).unwrap_or_default();
            if is_secret_setting(self.platform, key) {
                secrets.learn(value);
            }
            for right in rights(value) {
                secrets.learn(right);
            }
        }
        match &self.start {
            Start::Birth(stored) => {
                for (_, value) in stored.iter() {
                    learn_from(value.expose(), mask, secrets);
                }
            }
            // The message that brought an address may be gone; here the address stands alone.
            Start::Snapshot(snapshot) => addresses(snapshot.expose(), secrets),
        }
        for recorded in &self.inputs {
            addresses(recorded.input.expose(), secrets);
            if let Some(input) = recorded.input()
                && let Some(text) = text_of(&input)
            {
                learn_from(text, mask, secrets);
            }
        }
        self.seed.expose()
    }

    fn settings(&self, secrets: &StandIns) -> Settings {
        let mut settings = Settings::new();
        for key in self.settings.keys() {
            let value = self.settings.get(key).unwrap_or_default();
            match secrets.get(value) {
                Some(stand_in) if is_secret_setting(self.platform, key) => {
                    settings.set(key, stand_in);
                }
                _ => {
                    let mut bytes = value.as_bytes().to_vec();
                    secrets.apply(&mut bytes);
                    settings.set(key, &String::from_utf8_lossy(&bytes));
                }
            }
        }
        settings
    }

    fn start(&self, mask: &Mask, secrets: &StandIns) -> Start {
        match &self.start {
            Start::Birth(stored) => {
                let mut covered = Stored::empty();
                for (key, value) in stored.iter() {
                    let mut bytes = value.expose().to_vec();
                    replace(&mut bytes, mask, secrets);
                    covered.insert(key, SecretBytes::new(bytes));
                }
                Start::Birth(covered)
            }
            Start::Snapshot(snapshot) => {
                let seed = self.seed.expose();
                let mut bytes = snapshot.expose().to_vec();
                strings(&mut bytes, &mut |text| {
                    if *text == seed {
                        text.fill(0);
                    }
                    replace(text, mask, secrets);
                });
                Start::Snapshot(SecretBytes::new(bytes))
            }
        }
    }
}

fn input(recorded: &Recorded, mask: &Mask, secrets: &StandIns) -> Recorded {
    let mut bytes = recorded.input.expose().to_vec();
    strings(&mut bytes, &mut |text| replace(text, mask, secrets));
    Recorded { input: SecretBytes::new(bytes), said: Said::Unknown, ..recorded.clone() }
}

/// Learns from the addresses among the texts of CBOR.
fn addresses(bytes: &[u8], secrets: &mut StandIns) {
    let mut copy = bytes.to_vec();
    strings(&mut copy, &mut |text| {
        let alone = !text.iter().any(|byte| matches!(byte, b'"' | ..=b' '));
        if alone && let Ok(text) = core::str::from_utf8(text) {
            rights(text).for_each(|right| secrets.learn(right));
        }
    });
}

fn learn_from(text: &[u8], mask: &Mask, secrets: &mut StandIns) {
    for (from, to) in mask.secret_values(text) {
        if let Some(Ok(value)) = text.get(from..to).map(core::str::from_utf8) {
            secrets.learn(value);
        }
    }
}

/// Secrets that the agent makes or computes: what it logs in with, and the tokens by which a device can be bound.
fn made(outputs: &[Output], mask: &Mask, secrets: &mut StandIns, tokens: &mut BTreeSet<String>) {
    for output in outputs {
        match output {
            Output::Event(Event::BindToken { token, .. }) => {
                secrets.learn(token);
                tokens.insert(token.clone());
            }
            Output::Command(Command::Connect(_, connect)) => {
                secrets.learn(connect.password.expose());
            }
            Output::Command(Command::Download(_, download)) => {
                rights(&download.url).for_each(|right| secrets.learn(right));
            }
            Output::Command(Command::Publish(_, publish)) => {
                let payload = publish.payload.expose();
                learn_from(payload, mask, secrets);
                if let Some((from, to)) = value_of(payload, "token")
                    && let Some(Ok(token)) = payload.get(from..to).map(core::str::from_utf8)
                {
                    secrets.learn(token);
                    tokens.insert(token.into());
                }
            }
            Output::Command(Command::Store(_, _, value)) => {
                learn_from(value.expose(), mask, secrets);
            }
            _ => {}
        }
    }
}

/// A block as it was drawn, unless it became a token: then one that becomes the token's stand-in.
fn draw(block: [u8; 32], tokens: &BTreeSet<String>, secrets: &StandIns) -> Seed {
    let mut block = block;
    let token = hex::upper(&block[..16]);
    if tokens.contains(&token)
        && let Some(bytes) = secrets.get(&token).and_then(hex::decode)
        && let Some(half) = block.get_mut(..bytes.len())
    {
        half.copy_from_slice(&bytes);
    }
    Seed::new(block)
}

/// Rights of access in an address: who logs in, and its query.
fn rights(value: &str) -> impl Iterator<Item = &str> {
    let address = value.split_once("://").map(|(_, rest)| rest);
    let who =
        address.and_then(|rest| rest.split('/').next()).and_then(|host| host.rsplit_once('@'));
    let query = address.and_then(|rest| rest.split_once('?')).map(|(_, query)| query);
    who.map(|(who, _)| who).into_iter().chain(query)
}

fn replace(text: &mut [u8], mask: &Mask, secrets: &StandIns) {
    // Those that are too short to be searched for are where their field is.
    for (from, to) in mask.secret_values(text) {
        let Some(place) = text.get_mut(from..to) else { continue };
        if let Ok(value) = core::str::from_utf8(place)
            && value.len() < 4
            && let Some(stand_in) = secrets.get(value)
            && stand_in.len() == place.len()
        {
            let stand_in = stand_in.as_bytes().to_vec();
            place.copy_from_slice(&stand_in);
        }
    }
    secrets.apply(text);
}

/// Every text and every byte string of CBOR, in place.
fn strings(bytes: &mut [u8], each: &mut impl FnMut(&mut [u8])) {
    let mut at = 0;
    while let Some(&head) = bytes.get(at) {
        at += 1;
        let more = match head & 0x1f {
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => 0,
        };
        let mut length = u64::from(head & 0x1f);
        if more > 0 {
            let Some(digits) = bytes.get(at..at + more) else { return };
            length = digits.iter().fold(0, |n, digit| n << 8 | u64::from(*digit));
            at += more;
        }
        // Of everything else the head is all, or what is in it follows.
        if matches!(head >> 5, 2 | 3) {
            let end = usize::try_from(length).ok().and_then(|length| at.checked_add(length));
            let Some(text) = end.and_then(|end| bytes.get_mut(at..end)) else { return };
            each(text);
            at += text.len();
        }
    }
}

/// What an agent did, whatever it said to whom.
fn kinds(outputs: &[Output]) -> Vec<Kind> {
    let kind = |output: &Output| match output {
        Output::Command(command) => Kind::Command(discriminant(command)),
        Output::Event(event) => Kind::Event(discriminant(event)),
        Output::Timeout(at) => Kind::Timeout(*at),
    };
    outputs.iter().map(kind).collect()
}

#[derive(PartialEq)]
enum Kind {
    Command(Discriminant<Command>),
    Event(Discriminant<Event>),
    Timeout(Option<Instant>),
}

/// Looks once more, at the bytes that leave.
fn leaks(told: &Recording, secrets: &StandIns, seed: [u8; 32]) -> bool {
    let bytes = cbor::encode(told);
    let seed_left = bytes.windows(seed.len()).any(|window| window == seed);
    seed_left && seed != [0; 32] || secrets.is_in(&bytes, TELLING)
}
