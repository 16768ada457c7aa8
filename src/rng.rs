//! Randomness as a value: one 32-byte seed at birth decides every number after it.

use alloc::string::String;

use crate::snapshot::Kept;
use zeroize::Zeroize;

use crate::{hash, hex};

/// A generator in counter mode over SHA-256: block `n` is `SHA-256(seed, n)`.
///
/// SHA-256 is in the core anyway, so this costs no bytes in the plugin. It serves nonces, tokens and jitter; its
/// strength is that of the seed, which has to come from the host's entropy source and be new at every boot.
#[derive(Clone, Kept)]
pub(crate) struct Rng {
    seed: [u8; 32],
    counter: u64,
    /// Only where lives are replayed.
    #[cfg(feature = "tool")]
    drawn: Drawn,
}

/// Blocks that were drawn from a seed that is not here any more. A snapshot does not keep them: they are handed over.
#[cfg(feature = "tool")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Drawn(pub(crate) Option<alloc::sync::Arc<crate::replay::Draws>>);

#[cfg(feature = "tool")]
impl Kept for Drawn {
    fn walk(&mut self, _: &mut crate::snapshot::Walk<'_>) {}
}

impl Rng {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            counter: 0,
            #[cfg(feature = "tool")]
            drawn: Drawn(None),
        }
    }

    /// The same numbers as were drawn once, and the seed's after those.
    #[cfg(feature = "tool")]
    pub(crate) fn draw_from(&mut self, drawn: Drawn) {
        self.drawn = drawn;
    }

    /// How many blocks were drawn.
    #[cfg(feature = "tool")]
    pub(crate) fn count(&self) -> u64 {
        self.counter
    }

    /// Block `n`, without drawing it.
    #[cfg(feature = "tool")]
    pub(crate) fn nth(&self, n: u64) -> [u8; 32] {
        if let Some(draws) = &self.drawn.0
            && let Some(at) = n.checked_sub(draws.from).and_then(|at| usize::try_from(at).ok())
            && let Some(block) = draws.blocks.get(at)
        {
            return block.expose();
        }
        hash::sha256(&[&self.seed, &n.to_le_bytes()])
    }

    #[inline(never)]
    fn block(&mut self) -> [u8; 32] {
        #[cfg(not(feature = "tool"))]
        let block = hash::sha256(&[&self.seed, &self.counter.to_le_bytes()]);
        #[cfg(feature = "tool")]
        let block = self.nth(self.counter);
        self.counter = self.counter.wrapping_add(1);
        block
    }

    /// At most 32.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= 32, "of one block") };
        let block = self.block();
        core::array::from_fn(|at| block[at])
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    /// Uniform in `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        let span = high.saturating_sub(low).saturating_add(1);
        // 64 random bits over spans of milliseconds: the modulo's bias is below 2^-30.
        low + if span == 0 { 0 } else { self.u64() % span }
    }

    /// `N` random bytes as lower-case hex.
    pub(crate) fn hex<const N: usize>(&mut self) -> String {
        const { assert!(N <= 32, "of one block") };
        hex::lower(&self.block()[..N])
    }

    /// `len` characters of `a-z0-9`, the alphabet the vendors' own secrets are printed in.
    #[cfg(feature = "cloud")]
    pub(crate) fn alphanumeric(&mut self, len: usize) -> String {
        const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let mut out = String::with_capacity(len);
        while out.len() < len {
            for byte in self.block() {
                // 252 = 7 * 36: throwing the rest away keeps the choice uniform.
                if byte < 252 && out.len() < len {
                    out.push(char::from(ALPHABET[usize::from(byte % 36)]));
                }
            }
        }
        out
    }

    #[cfg(any(feature = "cloud", feature = "app"))]
    /// A random UUID (version 4) in its usual spelling.
    pub(crate) fn uuid(&mut self) -> String {
        let mut bytes: [u8; 16] = self.bytes();
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = hex::lower(&bytes);
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }
}

impl Drop for Rng {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

impl core::fmt::Debug for Rng {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Rng(…)")
    }
}
