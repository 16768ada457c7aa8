//! `cargo xtask up`: everything needed to see it run.

use std::os::unix::process::CommandExt;

use crate::shell::{Outcome, cargo, command, run, target_dir};
use crate::wasm;

/// Builds the host with the plugin in it, and becomes `muster up`.
pub(crate) fn up(args: &[String]) -> Outcome {
    wasm::ensure_target()?;
    run(cargo(&["build", "--locked", "--release", "-p", "muster-host"]))?;
    let muster = target_dir().join("release/muster");
    let mut up = command(&muster.to_string_lossy(), &["up"]);
    up.args(args);
    // Ctrl-C then reaches the clouds themselves, which end cleanly.
    Err(format!("{} could not be started: {}", muster.display(), up.exec()))
}
