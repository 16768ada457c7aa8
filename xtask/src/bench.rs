//! `cargo xtask bench`: our figures beside limits and peers.

use std::path::PathBuf;

use crate::shell::{Outcome, cargo, run, target_dir};
use crate::wasm::{Effort, Toolchain};
use crate::{needs, wasm, web};

/// Builds and runs the benchmark; its arguments are passed on.
pub(crate) fn bench(args: &[String]) -> Outcome {
    wasm::ensure_target()?;
    let mut bench = cargo(&["bench", "--locked", "-p", "muster-host", "--bench", "figures", "--"]);
    bench.args(args);
    for (name, value) in needs::prepare()? {
        bench.env(name, value);
    }
    match extism() {
        Ok((host, guest)) => {
            bench.env("MUSTER_EXTISM_HOST", host).env("MUSTER_EXTISM_GUEST", guest);
        }
        // The other figures need no extism.
        Err(why) => {
            bench.env("MUSTER_EXTISM_MISSING", why);
        }
    }
    run(bench)
}

/// extism and the agent as its guest: `tests/peers/extism`, which only this builds.
fn extism() -> Outcome<(PathBuf, PathBuf)> {
    let manifest = "tests/peers/extism/Cargo.toml";
    let target = target_dir().join("peers/extism");
    // Not `--locked`: what the guest has of the core goes with the core.
    let mut host = cargo(&["build", "--release", "--manifest-path", manifest, "--package", "peer"]);
    host.arg("--target-dir").arg(&target);
    run(host)?;
    let toolchain = Toolchain::find(&web::BROWSER, &crate::shell::root(), Effort::Packages)?;
    let mut guest = toolchain.cargo();
    guest
        .current_dir(crate::shell::root())
        .args(["build", "--profile", "guest", "--manifest-path", manifest, "--package", "guest"])
        .arg("--target-dir")
        .arg(&target);
    toolchain.apply(&mut guest);
    run(guest)?;
    let folder = target.join(web::BROWSER.triple).join("guest");
    Ok((target.join("release/peer"), folder.join("guest.wasm")))
}
