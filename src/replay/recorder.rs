//! Writes a life down while it is lived.

use alloc::collections::VecDeque;

use super::{RECORDING_SCHEMA, Recorded, Recording, Said, Start, digest, words};
use crate::agent::{Agent, Stored};
use crate::cbor;
use crate::input::Input;
use crate::platform::PlatformName;
use crate::secret::SecretBytes;
use crate::settings::Settings;
use crate::time::Now;
use crate::wire::Seed;

/// A snapshot is taken after so many parts of what is kept in all: that much at most is let go at once.
const MARKS: usize = 8;
/// What an input takes beside its bytes.
const OVERHEAD: usize = 96;

/// Sits where a host feeds its agent. For each input: [`Recorder::input`], then the agent, then [`Recorder::said`] before
/// its outputs are drained, and [`Recorder::rest`] afterwards.
#[derive(Debug)]
pub struct Recorder {
    recording: Recording,
    /// Where the recording may begin once it is too long, the earliest first.
    marks: VecDeque<Mark>,
    most: usize,
    bytes: usize,
    /// Since the last mark.
    fresh: usize,
}

#[derive(Debug)]
struct Mark {
    /// How many inputs there were, ever.
    after: u64,
    now: Now,
    snapshot: SecretBytes,
}

impl Recorder {
    /// Begins with what an agent is born from. `most`: how many bytes to keep, such as
    /// [`KEPT_BYTES`](super::KEPT_BYTES).
    pub fn new(
        platform: PlatformName,
        settings: Settings,
        stored: Stored,
        seed: [u8; 32],
        now: Now,
        most: usize,
    ) -> Self {
        let recording = Recording {
            schema: RECORDING_SCHEMA,
            core: env!("CARGO_PKG_VERSION").into(),
            platform,
            settings,
            seed: Seed::new(seed),
            start: Start::Birth(stored),
            born: now,
            first: Said::Unknown,
            dropped: 0,
            inputs: VecDeque::new(),
            draws: None,
        };
        Self { recording, marks: VecDeque::new(), most, bytes: 0, fresh: 0 }
    }

    /// An input that the agent is about to take. `seq`: the number of the timeline's last entry, or 0.
    pub fn input(&mut self, input: &Input, now: Now, seq: u32) {
        let input = SecretBytes::new(cbor::encode(input));
        let size = input.expose().len() + OVERHEAD;
        self.bytes += size;
        self.fresh += size;
        self.recording.inputs.push_back(Recorded { now, input, seq, said: Said::Unknown });
    }

    /// The agent has taken the last input, or was born, and is not drained yet.
    pub fn said(&mut self, agent: &Agent) {
        let said = digest(&words(agent));
        match self.recording.inputs.back_mut() {
            Some(last) => last.said = said,
            None => self.recording.first = said,
        }
    }

    /// The agent is drained: a moment from which it could go on elsewhere.
    pub fn rest(&mut self, agent: &mut Agent) {
        if self.fresh * MARKS >= self.most
            && let Some(last) = self.recording.inputs.back()
        {
            let after = self.recording.dropped + self.recording.inputs.len() as u64;
            self.marks.push_back(Mark { after, now: last.now, snapshot: agent.save() });
            self.fresh = 0;
        }
        while self.bytes > self.most {
            let Some(mark) = self.marks.pop_front() else { break };
            while self.recording.dropped < mark.after {
                let Some(gone) = self.recording.inputs.pop_front() else { break };
                self.bytes -= gone.input.expose().len() + OVERHEAD;
                self.recording.dropped += 1;
            }
            self.recording.start = Start::Snapshot(mark.snapshot);
            self.recording.born = mark.now;
            // What was said before this beginning is nothing that it could say.
            self.recording.first = Said::Unknown;
        }
    }

    /// What was recorded so far.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }
}
