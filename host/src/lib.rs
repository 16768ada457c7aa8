//! Where the core meets the machine: wasmtime, sockets, storage, and the command line.
//!
//! The core decides; this crate carries out. Each subcommand of `muster` is a module with its own arguments.
#![warn(missing_docs)]

pub mod app;
pub mod cloud;
pub mod device;
pub mod exit;
pub mod local;
pub mod plugin;
pub mod text;
pub mod tool;
pub mod up;
