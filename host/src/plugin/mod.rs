//! The plugin under wasmtime: load, verify, call, and never trust.
//!
//! ```text
//! Engine ── load ──> Plugin ── instantiate ──> Instance ── open, handle, save, restore
//! ```
//!
//! A plugin imports nothing, so all it can do is compute. [`Limits`] bound how long, how much memory and how many
//! bytes; what it hands back is checked before it is read. An [`Instance`] that trapped is poisoned: the host throws
//! it away and starts another from what is stored, which always works, because nothing is acknowledged before it is
//! stored.
//!
//! Deliberately absent: any function that the plugin could call. Carrying out its commands is the device's driver's
//! task, and so is the decision which of them are allowed.

#[cfg(feature = "full")]
mod command;
#[cfg(feature = "full")]
mod embedded;
mod engine;
mod error;
mod instance;
mod limits;
pub mod package;
mod pool;
#[cfg(feature = "full")]
mod sign;
mod verify;

#[cfg(feature = "full")]
pub use command::{Args, run};
#[cfg(feature = "full")]
pub use embedded::{embedded, embedded_bytes};
pub use engine::{Engine, Plugin};
pub use error::{Blame, PluginError, Trap};
pub use instance::Instance;
pub use limits::Limits;
pub use pool::Allocation;
pub use verify::Shape;
