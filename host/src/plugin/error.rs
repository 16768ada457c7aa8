//! What can go wrong with a plugin, and who is to blame.

use std::fmt;

use muster::wire::{Refusal, ReplyError};

/// A plugin that cannot be loaded, or a call that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PluginError {
    /// Not a core module of WebAssembly, or one that this host cannot compile.
    NotAModule(String),
    /// A component: the core module that it was made from is what a host runs.
    IsAComponent,
    /// Machine code that was made by another build, for other settings, or for other machines.
    Foreign(String),
    /// This build compiles for no such machine.
    NoSuchTarget(String),
    /// This build has no compiler: it runs machine code that was made for it.
    NoCompiler,
    /// It asks for something from outside. A plugin of this kind asks for nothing.
    Imports(Vec<String>),
    /// Its exports are not those of the contract.
    Exports {
        /// In the contract, but absent or of another type.
        missing: Vec<String>,
        /// There, but not in the contract.
        unknown: Vec<String>,
    },
    /// The schema of its bytes is none that this host speaks.
    Schema {
        /// The oldest that it reads.
        oldest: u32,
        /// The newest.
        newest: u32,
    },
    /// A call did not return.
    Trapped {
        /// The export.
        export: &'static str,
        /// How it ended.
        trap: Trap,
    },
    /// It named memory that it does not have.
    Pointer {
        /// The export.
        export: &'static str,
        /// Address.
        address: u32,
        /// Length.
        length: u32,
    },
    /// It handed back more than the limit.
    ReplyTooLong {
        /// The export.
        export: &'static str,
        /// Bytes.
        length: u32,
        /// The limit.
        limit: usize,
    },
    /// What it handed back breaks the schema.
    Reply {
        /// The export.
        export: &'static str,
        /// How.
        error: ReplyError,
    },
    /// It answered a command that was never given, or gave two at a time the same token.
    Token {
        /// The command.
        command: &'static str,
        /// The token.
        token: u32,
    },
    /// It kept asking for what the device's policy forbids.
    Forbidden {
        /// How often.
        times: u32,
        /// What it asked for last.
        last: String,
    },
    /// It kept asking for more than the device does in a minute.
    Restless {
        /// Commands and immediate time-outs a minute.
        per_minute: u32,
    },
    /// It will not do what it was asked to, for a reason. The instance is as it was.
    Refused(Refusal),
    /// An earlier call ended in an error that leaves the instance in an unknown state.
    Poisoned,
    /// All places of an engine for many are taken.
    Full {
        /// How many it has.
        room: u32,
    },
    /// wasmtime itself, or this machine, failed.
    Host(String),
}

/// Why a call did not return.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trap {
    /// Its fuel ran out.
    OutOfFuel,
    /// Its time ran out.
    OutOfTime,
    /// Its stack ran out.
    OutOfStack,
    /// It gave up by itself: a panic, or memory that it could not get.
    Unreachable,
    /// Anything else, in wasmtime's words.
    Other(String),
}

/// Who has to mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Whoever built or chose the plugin.
    Plugin,
    /// Whoever called it: settings, storage, a request out of order.
    Caller,
    /// This host or its machine.
    Host,
}

impl PluginError {
    /// Who has to mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Refused(_)
            | Self::Poisoned
            | Self::Foreign(_)
            | Self::NoSuchTarget(_)
            | Self::NoCompiler => Blame::Caller,
            Self::Full { .. } | Self::Host(_) => Blame::Host,
            _ => Blame::Plugin,
        }
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAModule(why) => write!(f, "the file is no plugin: {why}"),
            Self::IsAComponent => f.write_str(
                "the file is a component; a host runs the core module that it was made from",
            ),
            Self::Foreign(why) => write!(f, "the machine code does not fit this build: {why}"),
            Self::NoSuchTarget(why) => write!(f, "this build cannot compile for {why}"),
            Self::NoCompiler => f.write_str(
                "this build has no compiler: it runs no WebAssembly, but what was compiled for it",
            ),
            Self::Imports(imports) => {
                write!(f, "the plugin imports {}; it may import nothing", imports.join(", "))
            }
            Self::Exports { missing, unknown } => {
                f.write_str("the plugin's exports are not those of the contract:")?;
                for name in missing {
                    write!(f, " `{name}` is missing or of another type;")?;
                }
                for name in unknown {
                    write!(f, " `{name}` is unknown;")?;
                }
                Ok(())
            }
            Self::Schema { oldest, newest } => write!(
                f,
                "the plugin speaks schemas {oldest} to {newest}, this host {} to {}",
                muster::wire::OLDEST_SCHEMA,
                muster::wire::SCHEMA
            ),
            Self::Trapped { export, trap } => write!(f, "the plugin failed in `{export}`: {trap}"),
            Self::Pointer { export, address, length } => write!(
                f,
                "the plugin broke the contract in `{export}`: {length} bytes at {address:#x} are \
                 outside of its memory"
            ),
            Self::ReplyTooLong { export, length, limit } => write!(
                f,
                "the plugin broke the contract in `{export}`: {length} bytes are more than the \
                 {limit} that this host takes"
            ),
            Self::Reply { export, error } => {
                write!(f, "the plugin broke the contract in `{export}`: {error}")
            }
            Self::Token { command, token } => write!(
                f,
                "the plugin broke the contract: its {command} bears token {token}, which is none that it may use"
            ),
            Self::Forbidden { times, last } => write!(
                f,
                "the plugin asked {times} times for what this device's policy forbids, at last for {last}"
            ),
            Self::Restless { per_minute } => write!(
                f,
                "the plugin never rests: it asks for more than {per_minute} commands and calls a minute"
            ),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Poisoned => {
                f.write_str("the instance failed before and cannot be used; start another")
            }
            Self::Full { room } => {
                write!(
                    f,
                    "this host has room for {room} instances of plugins, and all of it is taken"
                )
            }
            Self::Host(why) => write!(f, "this host cannot run plugins: {why}"),
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfFuel => f.write_str("its fuel ran out"),
            Self::OutOfTime => f.write_str("its time ran out"),
            Self::OutOfStack => f.write_str("its stack ran out"),
            Self::Unreachable => f.write_str("it gave up (a panic, or memory beyond its limit)"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for PluginError {}
