//! A device's life, recorded and lived again.
//!
//! `(settings, stored, seed, inputs)` decides every byte that an [`Agent`] says, so a life is written down as just that.
//! A [`Recorder`] sits where a host feeds its agent; what it gives is a [`Recording`], which this build or a later one
//! runs again with a `Player`, input by input, forwards and backwards, and compares with what was said then.
//!
//! Memory is bounded ([`KEPT_BYTES`]): of a long life the beginning goes, and the recording begins with the agent's
//! snapshot from there on.
//!
//! A recording holds secrets. To leave this machine it is covered: each secret becomes a stand-in of its own length and
//! alphabet, wherever it stands, so that messages parse as they did. The seed goes too. It is a secret where the agent
//! makes tokens from it (Alibaba's bind tokens, those of the future among them); what was drawn from it so far takes its
//! place ([`Draws`]), so that request numbers, jitter and therefore timers stay what they were.
//!
//! Deliberately absent: what the host did (packets, sockets, files). The timeline has that.

#[cfg(feature = "tool")]
mod cover;
#[cfg(feature = "tool")]
mod player;
mod recorder;
#[cfg(feature = "tool")]
mod stand_in;
#[cfg(feature = "tool")]
mod state;
#[cfg(feature = "tool")]
mod view;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use crate::agent::{Agent, Stored};
use crate::cbor::{self, Decode, Encode, Encoder};
use crate::hash;
use crate::platform::PlatformName;
use crate::secret::SecretBytes;
use crate::settings::Settings;
use crate::time::Now;
use crate::wire::Seed;

#[cfg(feature = "tool")]
pub use cover::Covered;
#[cfg(feature = "tool")]
pub use player::{Player, ReplayError};
pub use recorder::Recorder;
#[cfg(feature = "tool")]
pub use view::{
    ReplayCheck, ReplayField, ReplayInput, ReplayMark, ReplayOutput, ReplayPayload, ReplayPlace,
};

/// The layout of a [`Recording`].
pub const RECORDING_SCHEMA: u32 = 1;

/// How many bytes of inputs (and what goes with them) a [`Recorder`] keeps.
pub const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// Everything that decided what a device did in one life, and what it said then.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Recording {
    /// See [`RECORDING_SCHEMA`].
    #[n(0)]
    pub schema: u32,
    /// The version of the code that was recorded.
    #[n(1)]
    pub core: String,
    /// Which cloud.
    #[n(2)]
    pub platform: PlatformName,
    /// The settings as a person wrote them.
    #[n(3)]
    pub settings: Settings,
    /// What all randomness of this life came from; zeros in a covered recording.
    #[n(4)]
    pub seed: Seed,
    /// What it begins with.
    #[n(5)]
    pub start: Start,
    /// When.
    #[n(6)]
    pub born: Now,
    /// What the agent said before the first input.
    #[n(7)]
    pub first: Said,
    /// How many inputs came before, and were let go.
    #[n(8)]
    pub dropped: u64,
    /// The inputs, the oldest first.
    #[n(9)]
    pub inputs: VecDeque<Recorded>,
    /// Of a covered recording: what takes the seed's place.
    #[n(10)]
    pub draws: Option<Draws>,
}

/// What a recording begins with.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Start {
    /// The device was switched on, with this on its storage.
    #[n(0)]
    Birth(#[n(0)] Stored),
    /// The device was in the middle of its life: [`Agent::save`] between two inputs.
    #[n(1)]
    Snapshot(#[n(0)] SecretBytes),
}

/// One input, and what the agent said to it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Recorded {
    /// Both clocks.
    #[n(0)]
    pub now: Now,
    /// An [`Input`](crate::Input) as CBOR, so that one that a build does not know is kept all the same.
    #[n(1)]
    pub input: SecretBytes,
    /// The number of the timeline's last entry when it came; 0 if there is no timeline.
    #[n(2)]
    pub seq: u32,
    /// What the agent said.
    #[n(3)]
    pub said: Said,
}

/// What the agent said, as it is kept to compare with.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Said {
    /// Nobody kept it.
    #[n(0)]
    Unknown,
    /// The first 16 bytes of the SHA-256 of the words.
    #[n(1)]
    Digest(#[cbor(n(0), with = "crate::cbor::bytes")] [u8; 16]),
    /// The words: outputs and the count of stray inputs, as in the plugin's reply.
    #[n(2)]
    Words(#[n(0)] SecretBytes),
}

/// What was drawn from the seed, block by block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Draws {
    /// The number of the first one.
    #[n(0)]
    pub from: u64,
    /// The blocks.
    #[n(1)]
    pub blocks: Vec<Seed>,
}

impl Recording {
    /// As bytes. They hold every secret of the device, unless it is covered.
    pub fn to_bytes(&self) -> SecretBytes {
        SecretBytes::new(cbor::encode(self))
    }
}

/// What the agent says, before it is drained.
fn words(agent: &Agent) -> Vec<u8> {
    let mut e = Encoder::new();
    e.map(2);
    e.number(0);
    e.array(agent.outputs().len() as u32 + 1);
    for output in agent.outputs() {
        output.encode(&mut e);
    }
    agent.timeout().encode(&mut e);
    e.number(1);
    e.uint(agent.stray_inputs());
    e.into_bytes()
}

fn digest(words: &[u8]) -> Said {
    let all = hash::sha256(&[words]);
    let mut half = [0; 16];
    half.copy_from_slice(&all[..16]);
    Said::Digest(half)
}
