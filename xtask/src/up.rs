//! `cargo xtask up`: everything needed to see it run.

use std::os::unix::process::CommandExt;

use crate::shell::{Outcome, cargo, command, run, target_dir};
use crate::{needs, wasm, web};

/// Builds the host with the plugin and the console in it, and becomes `muster up`.
pub(crate) fn up(args: &[String]) -> Outcome {
    wasm::ensure_target()?;
    // The clouds are of use without the console too, so a machine without Node gets them.
    match needs::node() {
        Ok(()) => web::build()?,
        Err(missing) => eprintln!("warning: {missing}\nthe clouds run without it meanwhile"),
    }
    run(cargo(&["build", "--locked", "--release", "-p", "muster-host"]))?;
    let muster = target_dir().join("release/muster");
    let mut up = command(&muster.to_string_lossy(), &["up"]);
    up.args(args);
    // Ctrl-C then reaches the clouds themselves, which end cleanly.
    Err(format!("{} could not be started: {}", muster.display(), up.exec()))
}
