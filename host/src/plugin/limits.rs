//! What one call may cost.

use std::time::Duration;

/// Bounds of an instance. The defaults are generous to an honest plugin and stop any other within a second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fuel of one call: about one unit an instruction, the same on every machine.
    pub fuel: u64,
    /// How long one call may take by the clock. Where it is absent no thread watches the clock: on a battery, fuel
    /// alone is enough, because a plugin without imports cannot wait.
    pub deadline: Option<Duration>,
    /// Linear memory, in pages of 64 KiB.
    pub memory_pages: u32,
    /// Bytes that one call may hand back.
    pub reply: usize,
    /// Outputs that one call may hand back.
    pub outputs: u32,
    /// Bytes of native stack.
    pub stack: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A response of 64 KiB, the longest that the core reads, takes some ten million.
            fuel: 100_000_000,
            deadline: Some(Duration::from_secs(2)),
            memory_pages: 32,
            reply: 256 * 1024,
            // Honest plugins stay below 16.
            outputs: 64,
            stack: 256 * 1024,
        }
    }
}
