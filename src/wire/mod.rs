//! The bytes that cross between a plugin and its host, and both ends of them.
//!
//! Five functions take and give bytes (`wit/world.wit`); the bytes are CBOR with numbered fields (`docs/abi.md`).
//! A [`Guest`] is the plugin's end without the exports, so that tests and other runtimes can use it natively; the
//! request and reply types are the host's end.
//!
//! Both ends live on while the other changes:
//! - a guest ignores and counts an input that it does not know, and skips fields that it does not know;
//! - a host skips an event that it does not know, and fails on a command that it does not know, because a command
//!   that is not carried out would leave the device waiting for ever.
//!
//! Deliberately absent: any way for the guest to call its host. What it wants is in its replies.

mod guest;
mod reply;
mod request;

pub use guest::Guest;
pub use reply::{
    Describe, Drain, GuestLimits, Refusal, ReplyError, Saved, drained, drained_up_to, saved,
};
pub use request::{Handle, Open, Restore, Seed};

/// The newest schema of the bytes that this build writes and reads.
pub const SCHEMA: u32 = 1;

/// The oldest schema that this build still reads.
pub const OLDEST_SCHEMA: u32 = 1;

/// The longest request that a guest reads: the longest response body, with room for headers and other fields.
pub const MAX_REQUEST: usize = crate::http::MAX_BODY + 16 * 1024;

/// The names of a core module's exports, as the canonical ABI has them.
pub mod names {
    /// The functions, without their interface.
    pub const FUNCTIONS: [&str; 5] = ["describe", "open", "handle", "save", "restore"];
    /// The interface, as a component exports it.
    pub const INTERFACE: &str = "muster:agent/agent@1.0.0";
    /// Comes before each function's name.
    pub const PREFIX: &str = "muster:agent/agent@1.0.0#";
    /// Comes before [`PREFIX`] in the name of the function that takes a result back.
    pub const POST: &str = "cabi_post_";
    /// Asks for memory to put arguments in.
    pub const REALLOC: &str = "cabi_realloc";
    /// The linear memory.
    pub const MEMORY: &str = "memory";
    /// Globals that small runtimes need to trim the memory.
    pub const GLOBALS: [&str; 2] = ["__data_end", "__heap_base"];
}
