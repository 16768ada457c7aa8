//! `cargo xtask bench`: our figures beside limits and peers.

use std::path::PathBuf;
use std::process::Command;

use crate::shell::{Outcome, cargo, command, printed, printed_and_ended, run, target_dir};
use crate::wasm::{Effort, Toolchain};
use crate::{needs, wasm, web};

/// The group that is measured in Chromium.
const BROWSER: &str = "browser";

/// Builds and runs the benchmark; its arguments are passed on. The browser's figures come last, or alone; if one of them
/// misses its limit, that is said and the benchmark fails.
pub(crate) fn bench(args: &[String]) -> Outcome {
    let (in_browser, others): (Vec<_>, Vec<_>) = args.iter().partition(|arg| *arg == BROWSER);
    let json = others.iter().any(|arg| *arg == "--json");
    let all = args.iter().all(|arg| arg.starts_with("--"));
    let others: Vec<String> = others.into_iter().cloned().collect();
    let host = all || others.iter().any(|arg| !arg.starts_with("--"));
    let browser = all || !in_browser.is_empty();
    match (host, browser) {
        (true, true) if json => {
            // One list of both.
            let one = printed(figures(&others)?)?;
            let (other, ended) = printed_and_ended(browser_figures(json)?)?;
            let one = one.trim_end().trim_end_matches(']').trim_end();
            println!("{one},{}", other.trim_start().trim_start_matches('['));
            ended
        }
        (host, browser) => {
            if host {
                run(figures(&others)?)?;
            }
            if browser {
                run(browser_figures(json)?)?;
            }
            Ok(())
        }
    }
}

/// The console in Chromium, as the tests have it.
fn browser_figures(json: bool) -> Outcome<Command> {
    let chromium = needs::browser()?;
    web::build()?;
    run(cargo(&["build", "--locked", "--release", "-p", "muster-host"]))?;
    let folder = web::www().join("tests");
    web::packages(&folder)?;
    let mut figures = command("node", &["figures.js"]);
    if json {
        figures.arg("--json");
    }
    figures.current_dir(folder);
    figures.env("MUSTER_CHROMIUM", chromium).env("MUSTER_BIN", target_dir().join("release/muster"));
    figures.env_remove("MUSTER_CONSOLE");
    Ok(figures)
}

fn figures(args: &[String]) -> Outcome<Command> {
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
    Ok(bench)
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
