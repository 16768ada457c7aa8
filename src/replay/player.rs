//! Lives a recorded life again, step by step, in both directions.

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::state::{self, State};
use super::view::{self, ReplayCheck, ReplayField, ReplayInput, ReplayMark, ReplayOutput};
use super::view::{ReplayPlace, Shown};
use super::{RECORDING_SCHEMA, Recorded, Recording, Said, Start, digest, words};
use crate::agent::Agent;
use crate::cbor::{self, Decoder, Fault};
use crate::error::ApiMisuse;
use crate::input::{Answer, Input, Intent};
use crate::output::Output;
use crate::platform::Config;
use crate::rng::Drawn;
use crate::secret::SecretBytes;
use crate::time::Now;
use crate::trace::Mask;

/// So many steps are between two snapshots: going back is that many steps forward at most.
const EVERY: usize = 64;

/// Why a recording cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayError {
    /// It is no recording.
    Unreadable,
    /// It is of a newer layout.
    Newer(u32),
    /// It is of a platform, or has a part, that this build does not know.
    Unknown,
    /// The agent does not begin with what it begins with.
    Misuse(ApiMisuse),
    /// After all was covered, a secret was left.
    SecretLeft,
}

/// A recorded life, at one of its steps. Step 0 is what the agent says before the first input.
#[derive(Debug)]
pub struct Player {
    recording: Recording,
    mask: Mask,
    runner: Runner,
    at: usize,
    heard: Heard,
    before: State,
    after: State,
    /// The agent after a step, for coming back.
    marks: BTreeMap<usize, SecretBytes>,
}

/// An agent on its way through a recording.
#[derive(Debug)]
pub(super) struct Runner {
    config: Config,
    drawn: Drawn,
    pub(super) agent: Agent,
}

/// What an agent said to one input.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) outputs: Vec<Output>,
    /// As [`Said::Words`] has them.
    pub(super) words: Vec<u8>,
    refused: Option<ApiMisuse>,
}

impl Recording {
    /// Reads what [`Recording::to_bytes`] wrote.
    pub fn read(bytes: &[u8]) -> Result<Self, ReplayError> {
        let schema = |bytes| -> Result<u32, Fault> {
            let mut d = Decoder::new(bytes);
            let schema = cbor::Map::start(&mut d).field(&mut d, 0);
            d.fault().map_or(Ok(schema), Err)
        };
        match schema(bytes) {
            Ok(0) | Err(_) => return Err(ReplayError::Unreadable),
            Ok(newer) if newer > RECORDING_SCHEMA => return Err(ReplayError::Newer(newer)),
            Ok(_) => {}
        }
        cbor::decode(bytes).map_err(|fault| match fault {
            Fault::Malformed => ReplayError::Unreadable,
            Fault::Unknown => ReplayError::Unknown,
        })
    }
}

impl Player {
    /// Begins at step 0.
    pub fn new(recording: Recording) -> Result<Self, ReplayError> {
        let (mut runner, heard) = Runner::start(&recording)?;
        let mut mask = known(&recording);
        for secret in runner.agent.secrets() {
            mask.learn(secret.expose());
        }
        let after = state::of(&runner.agent);
        let mut player = Self {
            recording,
            mask,
            runner,
            at: 0,
            heard,
            before: State::new(),
            after,
            marks: BTreeMap::new(),
        };
        player.mark();
        Ok(player)
    }

    /// How many inputs there are; the last step.
    pub fn length(&self) -> usize {
        self.recording.inputs.len()
    }

    /// At which step it is.
    pub fn at(&self) -> usize {
        self.at
    }

    /// One step forward; `false` at the end.
    pub fn step(&mut self) -> bool {
        let Some(recorded) = self.recording.inputs.get(self.at) else { return false };
        self.heard = self.runner.step(recorded);
        self.at += 1;
        let after = state::of(&self.runner.agent);
        self.before = core::mem::replace(&mut self.after, after);
        if self.at.is_multiple_of(EVERY) {
            self.mark();
        }
        true
    }

    /// One step back; `false` at the beginning.
    pub fn back(&mut self) -> bool {
        match self.at.checked_sub(1) {
            Some(before) => {
                self.go_to(before);
                true
            }
            None => false,
        }
    }

    /// To this step, or the last one.
    pub fn go_to(&mut self, step: usize) {
        let step = step.min(self.length());
        if step == self.at {
            return;
        }
        // What a step said is heard by taking it: from a moment before it.
        let from = self.marks.range(..step).next_back().map(|(at, _)| *at);
        match from {
            Some(from) if step < self.at || from > self.at => self.restore(from),
            None if step < self.at => self.restart(),
            _ => {}
        }
        while self.at < step && self.step() {}
    }

    /// The step that it is at.
    pub fn place(&self) -> ReplayPlace {
        let recorded = self.at.checked_sub(1).and_then(|i| self.recording.inputs.get(i));
        let now = recorded.map_or(self.recording.born, |recorded| recorded.now);
        let said = recorded.map_or(&self.recording.first, |recorded| &recorded.said);
        let shown = Shown(&self.mask);
        let why = self.runner.agent.timeout_reason().map(Into::into);
        let same = self.heard.is(said);
        ReplayPlace {
            at: self.at,
            mono: now.mono.0,
            unix: now.unix.map(|unix| unix.0),
            input: match recorded {
                Some(recorded) => shown.input(recorded.input().as_ref()),
                None => self.beginning(),
            },
            refused: self.heard.refused.as_ref().map(ToString::to_string),
            outputs: self.heard.outputs.iter().map(|output| shown.output(output, why)).collect(),
            same,
            recorded: match said {
                Said::Words(words) if same == Some(false) => Some(spoken(words.expose(), shown)),
                _ => None,
            },
            word: state::word(&self.after),
            state: self.changes(),
        }
    }

    /// All steps but the beginning, in few words.
    pub fn marks(&self) -> Vec<ReplayMark> {
        let mark = |recorded: &Recorded| ReplayMark {
            mono: recorded.now.mono.0,
            seq: recorded.seq,
            input: view::kind(recorded.input().as_ref()).into(),
        };
        self.recording.inputs.iter().map(mark).collect()
    }

    /// Runs all of it, and says where this build says something else than was recorded.
    pub fn check(&self) -> Result<ReplayCheck, ReplayError> {
        let (mut runner, heard) = Runner::start(&self.recording)?;
        let (mut differs, mut unknown) = (None, 0);
        let mut look = |at, heard: &Heard, said| match heard.is(said) {
            Some(true) => {}
            Some(false) => differs = differs.or(Some(at)),
            None => unknown += 1,
        };
        look(0, &heard, &self.recording.first);
        for (i, recorded) in self.recording.inputs.iter().enumerate() {
            look(i + 1, &runner.step(recorded), &recorded.said);
        }
        Ok(ReplayCheck {
            platform: self.recording.platform,
            core: self.recording.core.clone(),
            this: env!("CARGO_PKG_VERSION").into(),
            covered: self.recording.draws.is_some(),
            dropped: self.recording.dropped,
            length: self.length(),
            differs,
            unknown,
        })
    }

    /// What it plays.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    fn mark(&mut self) {
        let agent = &mut self.runner.agent;
        self.marks.entry(self.at).or_insert_with(|| agent.save());
    }

    fn restart(&mut self) {
        // It began once.
        let Ok((runner, heard)) = Runner::start(&self.recording) else { return };
        (self.runner, self.heard, self.at) = (runner, heard, 0);
        self.before = State::new();
        self.after = state::of(&self.runner.agent);
    }

    fn restore(&mut self, at: usize) {
        let now = at.checked_sub(1).and_then(|i| self.recording.inputs.get(i));
        let now = now.map_or(self.recording.born, |recorded| recorded.now);
        let Some(snapshot) = self.marks.get(&at) else { return };
        // It was saved by this very agent.
        if self.runner.restore(snapshot, now).is_ok() {
            self.at = at;
            self.after = state::of(&self.runner.agent);
        }
    }

    fn beginning(&self) -> ReplayInput {
        match &self.recording.start {
            Start::Birth(stored) => {
                ReplayInput::Birth { stored: stored.iter().map(|(key, _)| key).collect() }
            }
            Start::Snapshot(_) => ReplayInput::Snapshot,
        }
    }

    fn changes(&self) -> Vec<ReplayField> {
        let old = |name: &str| self.before.iter().find(|(other, _)| other == name);
        let hide = |value: &str| self.mask.hide(value);
        let mut fields: Vec<ReplayField> = Vec::new();
        for (name, value) in &self.after {
            let before = old(name).map(|(_, value)| value);
            let changed = !self.before.is_empty() && before != Some(value);
            fields.push(ReplayField {
                name: name.clone(),
                value: Some(hide(value)),
                changed,
                before: before.filter(|_| changed).map(|value| hide(value)),
            });
        }
        for (name, value) in &self.before {
            if !self.after.iter().any(|(other, _)| other == name) {
                fields.push(ReplayField {
                    name: name.clone(),
                    value: None,
                    changed: true,
                    before: Some(hide(value)),
                });
            }
        }
        fields
    }
}

impl Runner {
    pub(super) fn start(recording: &Recording) -> Result<(Self, Heard), ReplayError> {
        let Recording { platform, settings, seed, start, born, draws, .. } = recording;
        let config = Config::from_settings(*platform, settings)
            .map_err(|error| ReplayError::Misuse(error.into()))?;
        let drawn = Drawn(draws.clone().map(Arc::new));
        let agent = match start {
            Start::Birth(stored) => {
                let seed = seed.expose();
                Agent::drawing(config.clone(), stored.clone(), seed, drawn.clone(), *born)
            }
            Start::Snapshot(snapshot) => {
                Agent::restore(config.clone(), snapshot, *born).map(|mut agent| {
                    agent.draw_from(drawn.clone());
                    agent
                })
            }
        };
        let mut runner = Self { config, drawn, agent: agent.map_err(ReplayError::Misuse)? };
        let heard = runner.hear(None);
        Ok((runner, heard))
    }

    pub(super) fn step(&mut self, recorded: &Recorded) -> Heard {
        let refused = match recorded.input() {
            Some(input) => self.agent.handle_input(input, recorded.now).err(),
            None => {
                self.agent.ignore_input(recorded.now);
                None
            }
        };
        self.hear(refused)
    }

    fn restore(&mut self, snapshot: &SecretBytes, now: Now) -> Result<(), ApiMisuse> {
        self.agent = Agent::restore(self.config.clone(), snapshot, now)?;
        self.agent.draw_from(self.drawn.clone());
        Ok(())
    }

    fn hear(&mut self, refused: Option<ApiMisuse>) -> Heard {
        let words = words(&self.agent);
        let mut outputs = Vec::new();
        loop {
            let output = self.agent.poll_output();
            let last = matches!(output, Output::Timeout(_));
            outputs.push(output);
            if last {
                return Heard { outputs, words, refused };
            }
        }
    }
}

impl Heard {
    /// Whether it is what was said then.
    fn is(&self, said: &Said) -> Option<bool> {
        match said {
            Said::Unknown => None,
            Said::Digest(_) => Some(digest(&self.words) == *said),
            Said::Words(words) => Some(self.words == words.expose()),
        }
    }
}

impl Recorded {
    /// `None`: of a kind that this build does not know, or not an input at all.
    pub(super) fn input(&self) -> Option<Input> {
        cbor::decode(self.input.expose()).ok()
    }
}

/// What a timeline of this life would cover.
pub(super) fn known(recording: &Recording) -> Mask {
    let nothing = crate::Stored::empty();
    let stored = match &recording.start {
        Start::Birth(stored) => stored,
        Start::Snapshot(_) => &nothing,
    };
    let mut mask = Mask::of(recording.platform, &recording.settings, stored);
    for recorded in &recording.inputs {
        if let Some(input) = recorded.input()
            && let Some(text) = text_of(&input)
        {
            mask.learn_from(text);
        }
    }
    mask
}

/// The part of an input that may bring a secret.
pub(super) fn text_of(input: &Input) -> Option<&[u8]> {
    match input {
        Input::Message(message) => Some(message.payload.expose()),
        Input::Response(_, Answer::Response(response)) => Some(&response.body),
        Input::User(Intent::PostProperties { json }) => Some(json.as_bytes()),
        _ => None,
    }
}

/// What was said then. An output that this build does not know is one of an unknown kind.
fn spoken(words: &[u8], shown: Shown<'_>) -> Vec<ReplayOutput> {
    let mut d = Decoder::new(words);
    let mut outputs = Vec::new();
    let mut map = cbor::Map::start(&mut d);
    map.next(&mut d, 0, false);
    for _ in 0..d.array() {
        let one = d.skip();
        if d.fault().is_some() {
            break;
        }
        outputs.push(match cbor::decode::<Output>(one) {
            Ok(output) => shown.output(&output, None),
            Err(_) => ReplayOutput::Unknown,
        });
    }
    outputs
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("this is no recording of a device's life"),
            Self::Newer(schema) => write!(f, "the recording is of the newer layout {schema}"),
            Self::Unknown => f.write_str(
                "the recording has a platform, or a part, that this build does not know",
            ),
            Self::Misuse(misuse) => write!(f, "the device cannot begin as recorded: {misuse}"),
            Self::SecretLeft => {
                f.write_str("not every secret could be covered, so the recording is left out")
            }
        }
    }
}

impl core::error::Error for ReplayError {}
