//! Device onboarding as a protocol core without I/O.
//!
//! A device that is switched on for the first time has to register with its cloud, receive its secret exactly once,
//! log in, send heartbeats, take firmware updates and be bound to its owner. This crate is that logic for four
//! platforms and for all sides of each: the device ([`Agent`]), the owner's app ([`app`]) and the vendor's cloud
//! ([`cloud`]).
//!
//! # The loop
//!
//! Inputs go in, outputs come out; in these names a [`Command`] is for the host and an [`Event`] for a person.
//!
//! **Every [`Agent::handle_input`] (and the birth of an agent) must be followed by draining
//! [`Agent::poll_output`] until it returns [`Output::Timeout`], which is always the last.**
//!
//! The core asks for nothing: no clock, no randomness, no I/O, no globals. `now` comes with each call, one 32-byte
//! seed at birth, so `(config, stored, seed, inputs)` decides every output byte.
//!
//! # Three promises
//!
//! - Persist, then acknowledge: a secret that a cloud gives once goes out as [`Command::Store`], and only
//!   [`Input::Stored`] lets the flow confirm it or log in with it.
//! - A secret is never printed: see [`Secret`].
//! - Nothing registers a second time unless a person asks for it: see [`Intent::RegisterAgain`].
#![cfg_attr(not(feature = "ts"), no_std)]
#![deny(missing_docs)]
#![cfg_attr(
    not(all(any(feature = "plugin", feature = "web"), target_family = "wasm")),
    forbid(unsafe_code)
)]
// What platforms share is not all used by each alone; the build with all four looks for code that nobody uses.
#![cfg_attr(
    not(all(feature = "ucloud", feature = "cmcc", feature = "krtyun", feature = "alibaba")),
    allow(dead_code)
)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

extern crate alloc;
#[cfg(all(any(test, feature = "web"), not(feature = "ts")))]
extern crate std;

mod agent;
mod backoff;
pub mod cbor;
pub mod error;
mod hash;
pub mod hex;
pub mod http;
mod input;
pub mod json;
mod num;
mod output;
mod platform;
mod rng;
mod secret;
mod settings;
mod snapshot;
mod time;

#[cfg(feature = "cloud")]
pub mod cloud;
#[cfg(any(feature = "cloud", feature = "tool"))]
mod csv;
#[cfg(feature = "lab")]
pub mod faults;
#[cfg(test)]
#[path = "plugin/heap.rs"]
mod heap;
#[cfg(any(all(feature = "fleet", target_family = "wasm"), test))]
mod histogram;
#[cfg(feature = "mqtt")]
pub mod mqtt;
#[cfg(any(all(feature = "web", target_family = "wasm"), feature = "tool", feature = "ts"))]
pub mod page;
#[cfg(all(feature = "plugin", target_family = "wasm"))]
mod plugin;
#[cfg(feature = "lab")]
pub mod replay;
#[cfg(feature = "cloud")]
pub mod sim;
#[cfg(feature = "tool")]
pub mod tool;
#[cfg(all(feature = "mqtt", feature = "serde"))]
pub mod trace;
#[cfg(all(feature = "web", target_family = "wasm"))]
pub mod web;
pub mod wire;

/// The owner's side.
#[cfg(feature = "app")]
pub use platform::alibaba::app;

#[cfg(feature = "alibaba")]
pub use platform::alibaba;
#[cfg(feature = "cmcc")]
pub use platform::cmcc;
#[cfg(feature = "krtyun")]
pub use platform::krtyun;
#[cfg(feature = "ucloud")]
pub use platform::ucloud;

pub use agent::{Agent, SNAPSHOT_SCHEMA, Stored};
pub use error::{
    ApiMisuse, CodecError, ConfigError, Error, Failure, LocalFailure, PeerMisbehaved, Rejected,
};
pub use input::{Ack, Answer, Closed, Downloaded, Input, Intent, Message, Outcome, Progress};
pub use output::{
    Advice, Command, Connect, Download, Due, Event, Identity, Install, Output, Publish, QoS, Step,
    StoreKey, Subscribe, Token, Update, UpdateFailure, Warning,
};
pub use platform::{Config, PlatformName, Reach};
pub use secret::{Secret, SecretBytes};
pub use settings::Settings;
pub use time::{Instant, Now, Timer, UnixTime};
