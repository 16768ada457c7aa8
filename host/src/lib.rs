//! Where the core meets the machine: wasmtime, sockets, storage, and the command line.
//!
//! The core decides; this crate carries out. Each subcommand of `muster` is a module with its own arguments.
//!
//! With `full`, the default, it is the workstation's `muster`; without, what a device needs, and `small` makes
//! `muster-device` of it (docs/small.md).
#![warn(missing_docs)]

#[cfg(feature = "full")]
pub mod app;
#[cfg(feature = "full")]
pub mod cloud;
pub mod device;
pub mod exit;
#[cfg(feature = "full")]
pub mod local;
pub mod plugin;
pub mod text;
#[cfg(feature = "full")]
pub mod tool;
#[cfg(feature = "full")]
pub mod up;
