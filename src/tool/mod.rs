//! The pure computations, for the command line and for pages: keys, signatures, logins, device numbers.
//!
//! Each takes a plain value and gives one, with the steps in between for a person to follow. Inputs and results hold
//! secrets by their nature: they are what a person typed in to see computed, and are never kept.

/// Inputs and results may hold secrets: `Debug` shows nothing of them.
macro_rules! opaque {
    ($($Type:ident),*) => { $(
        impl core::fmt::Debug for $Type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($Type), "(…)"))
            }
        }
    )* };
}

mod cipher;
mod credentials;
mod handover;
mod numbers;
mod nvs;
mod sign;
mod wifi;

use alloc::string::{String, ToString};
use core::fmt;

pub use cipher::{CipherInput, CipherOutput, cipher};
pub use credentials::{
    CredentialMode, CredentialsInput, CredentialsOutput, credential_modes, credentials,
};
pub use handover::{HandoverForm, HandoverInput, HandoverOutput, handover};
pub use numbers::{
    CmeiBatch, CmeiBatchInput, CmeiBuildInput, CmeiCheck, ImeiCheck, Parts, cmei_batch, cmei_build,
    cmei_check, imei_check,
};
pub use nvs::{NvsEntry, NvsFormat, NvsImage, NvsPlace, NvsValue, nvs_image, nvs_rows};
pub use sign::{SignInput, SignOutput, sign};
pub use wifi::{WifiInput, WifiOutput, wifi};

/// A value on the way to a result.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ToolStep {
    /// What it is.
    pub name: String,
    /// It.
    pub value: String,
}

impl ToolStep {
    fn new(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.to_string(), value: value.into() }
    }
}

impl fmt::Debug for ToolStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ToolStep({})", self.name)
    }
}

/// An input that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolError {
    /// Which.
    pub input: String,
    /// What would be right.
    pub problem: String,
}

impl ToolError {
    fn new(input: &str, problem: impl fmt::Display) -> Self {
        Self { input: input.to_string(), problem: problem.to_string() }
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.input, self.problem)
    }
}

impl core::error::Error for ToolError {}

opaque!(
    CipherInput,
    CipherOutput,
    SignInput,
    SignOutput,
    CredentialsInput,
    CredentialsOutput,
    WifiInput,
    WifiOutput
);
