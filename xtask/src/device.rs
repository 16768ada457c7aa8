//! `cargo xtask device`: the device's own program, for flash.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::{Outcome, cargo, root, run, target_dir};

/// What flash has to have room for.
const BUDGET: u64 = 2_500_000;

/// Builds `muster-device` and shows its size.
pub(crate) fn device(_: &[String]) -> Outcome {
    let path = build()?;
    println!("{}: {} bytes, at most {BUDGET}", path.display(), size(&path)?);
    Ok(())
}

/// Builds it and compares with the budget.
pub(crate) fn check() -> Outcome<PathBuf> {
    let path = build()?;
    let bytes = size(&path)?;
    println!("muster-device: {bytes} bytes, at most {BUDGET}");
    if bytes > BUDGET {
        return Err(format!("muster-device is {} bytes too large", bytes - BUDGET));
    }
    Ok(path)
}

fn build() -> Outcome<PathBuf> {
    let mut build = cargo(&["rustc", "--locked", "-p", "muster-host", "--bin", "muster-device"]);
    build.args(["--no-default-features", "--features", "small", "--profile", "device"]);
    if cfg!(target_os = "linux") {
        let script = root().join("host").join("device.ld");
        build.arg("--").arg(format!("-Clink-arg=-Wl,-T,{}", script.display()));
        build.arg("-Clink-arg=-Wl,--no-eh-frame-hdr");
        // A twentieth of the size for addresses that the loader moves: glibc 2.36 and musl 1.2.4 read them.
        build.arg("-Clink-arg=-Wl,-z,pack-relative-relocs");
    }
    run(build)?;
    Ok(target_dir().join("device").join("muster-device"))
}

fn size(path: &Path) -> Outcome<u64> {
    Ok(fs::metadata(path).map_err(|e| format!("{}: {e}", path.display()))?.len())
}
