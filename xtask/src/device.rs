//! `cargo xtask device`: the device's own program, for flash.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::shell::{Outcome, cargo, root, run, target_dir};

/// What flash has to have room for.
const BUDGET: u64 = 2_500_000;

/// Builds `muster-device` and shows its size.
pub(crate) fn device(_: &[String]) -> Outcome {
    run(build())?;
    let path = path();
    println!("{}: {} bytes, at most {BUDGET}", path.display(), size(&path)?);
    Ok(())
}

/// Builds it without a warning and compares with the budget.
pub(crate) fn check() -> Outcome<PathBuf> {
    quietly(build())?;
    let path = path();
    let bytes = size(&path)?;
    println!("muster-device: {bytes} bytes, at most {BUDGET}");
    if bytes > BUDGET {
        return Err(format!("muster-device is {} bytes too large", bytes - BUDGET));
    }
    Ok(path)
}

fn build() -> Command {
    let mut build = cargo(&["rustc", "--locked", "-p", "muster-host", "--bin", "muster-device"]);
    build.args(["--no-default-features", "--features", "small", "--profile", "device"]);
    if cfg!(target_os = "linux") {
        let script = root().join("host").join("device.ld");
        build.arg("--").arg(format!("-Clink-arg=-Wl,-T,{}", script.display()));
        build.arg("-Clink-arg=-Wl,--no-eh-frame-hdr");
        // A twentieth of the size for addresses that the loader moves: glibc 2.36 and musl 1.2.4 read them.
        build.arg("-Clink-arg=-Wl,-z,pack-relative-relocs");
    }
    build
}

/// Fails if our own crates have warnings. What this build leaves out is seen by no other check: a second one would cost
/// as much as the build, and cargo repeats warnings of what it built before.
fn quietly(mut build: Command) -> Outcome {
    let failed = |e: std::io::Error| format!("cargo could not be run: {e}");
    let mut child = build.stderr(Stdio::piped()).spawn().map_err(failed)?;
    let mut warned = false;
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            warned |= line.starts_with("warning: `muster");
            eprintln!("{line}");
        }
    }
    match child.wait().map_err(failed)? {
        status if !status.success() => Err(format!("muster-device does not build ({status})")),
        _ if warned => Err("the small build has warnings".into()),
        _ => Ok(()),
    }
}

fn path() -> PathBuf {
    target_dir().join("device").join("muster-device")
}

fn size(path: &Path) -> Outcome<u64> {
    Ok(fs::metadata(path).map_err(|e| format!("{}: {e}", path.display()))?.len())
}
