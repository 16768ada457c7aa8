//! `cargo xtask test`: every check there is, the fast ones first.

use std::fs;
use std::time::{Duration, Instant};

use crate::shell::{Outcome, cargo, command, run, target_dir};
use crate::{device, needs, npm as package, wasm, web};

/// A step: its name on the command line, what it is for, and how it runs.
struct Step {
    name: &'static str,
    what: &'static str,
    run: fn() -> Outcome,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", what: "formatting", run: fmt },
    Step { name: "core", what: "the core's tests, and each platform alone", run: core },
    Step { name: "clippy", what: "lints: native and plugin", run: clippy },
    Step { name: "types", what: "TypeScript types are those of the Rust declarations", run: types },
    Step { name: "doc", what: "documentation without warnings", run: doc },
    Step { name: "web", what: "the browser's module and the console's own tests", run: web },
    Step { name: "npm", what: "the npm package, installed from its tarball", run: npm },
    Step {
        name: "size",
        what: "the plugin's bytes, with all platforms and with each alone",
        run: size,
    },
    Step { name: "device", what: "the small build for devices, and its bytes", run: small },
    Step { name: "host", what: "plugin, host, local clouds and real peers", run: host },
    Step {
        name: "browser",
        what: "the console in Chromium, against the local clouds",
        run: browser,
    },
    Step { name: "xtask", what: "the build's own tests", run: xtask },
];

/// Runs all steps, or those that are named.
pub(crate) fn test(names: &[String]) -> Outcome {
    if let Some(unknown) = names.iter().find(|n| !STEPS.iter().any(|s| s.name == n.as_str())) {
        let known: Vec<&str> = STEPS.iter().map(|s| s.name).collect();
        return Err(format!("no step `{unknown}`; there are {}", known.join(", ")));
    }
    let mut times = Vec::new();
    for step in STEPS.iter().filter(|s| names.is_empty() || names.iter().any(|n| n == s.name)) {
        eprintln!("\n== {}: {}", step.name, step.what);
        let begin = Instant::now();
        let outcome = (step.run)();
        times.push((step.name, begin.elapsed()));
        if outcome.is_err() {
            tell(&times);
            return outcome;
        }
    }
    tell(&times);
    println!("{} passed, 0 failed", times.len());
    Ok(())
}

/// How long each step took: of a run that failed too, for it is the long ones that are looked for.
fn tell(times: &[(&str, Duration)]) {
    eprintln!();
    for (name, time) in times {
        eprintln!("{name:8} {:6.1} s", time.as_secs_f64());
    }
}

fn fmt() -> Outcome {
    run(cargo(&["fmt", "--all", "--check"]))
}

fn core() -> Outcome {
    run(cargo(&["test", "--locked", "-p", "muster"]))?;
    // A plugin for one cloud carries that cloud alone: each has to stand without the others.
    for platform in ["ucloud", "cmcc", "krtyun", "alibaba"] {
        for features in [platform.to_owned(), format!("{platform},cloud")] {
            let mut check = cargo(&["check", "--locked", "--profile", "lint", "-p", "muster"]);
            check.args(["--no-default-features", "--features", &features]);
            run(check)?;
        }
    }
    Ok(())
}

fn clippy() -> Outcome {
    let clippy = || cargo(&["clippy", "--locked", "--profile", "lint"]);
    let mut native = clippy();
    native.args(["--workspace", "--all-targets", "--", "-D", "warnings"]);
    run(native)?;
    let target = wasm::ensure_target()?;
    let mut plugin = clippy();
    plugin.args(["-p", "muster", "--no-default-features", "--features"]);
    plugin.arg("plugin,ucloud,cmcc,krtyun,alibaba");
    target.apply(&mut plugin);
    plugin.args(["--", "-D", "warnings"]);
    run(plugin)
}

fn types() -> Outcome {
    crate::types::check()
}

fn doc() -> Outcome {
    let mut doc = cargo(&["doc", "--locked", "--profile", "lint", "--workspace", "--no-deps"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    run(doc)
}

fn web() -> Outcome {
    web::build()?;
    web::clippy()?;
    run(web::npm(&["run", "--silent", "typecheck"]))?;
    run(web::npm(&["test", "--silent"]))
}

fn npm() -> Outcome {
    package::test()
}

fn browser() -> Outcome {
    let chromium = needs::browser()?;
    web::build()?;
    run(cargo(&["build", "--locked", "--release", "-p", "muster-host"]))?;
    let folder = web::www().join("tests");
    web::packages(&folder)?;
    let tarball = package::build()?;
    let mut files: Vec<_> = fs::read_dir(&folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".test.js"))
        .collect();
    files.sort();
    if let Some(gone) = MEASURING.iter().find(|name| !files.iter().any(|file| file == *name)) {
        return Err(format!("www/tests has no `{gone}`, which measures time"));
    }
    let (measuring, others): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| MEASURING.contains(&file.as_str()));
    for (at_once, files) in [("1", measuring), ("2", others)] {
        let mut tests = command("node", &["--test", "--test-reporter=spec"]);
        tests.arg(format!("--test-concurrency={at_once}")).args(files).current_dir(&folder);
        tests.env("MUSTER_CHROMIUM", &chromium);
        tests.env("MUSTER_BIN", target_dir().join("release/muster"));
        tests.env("MUSTER_NPM", &tarball).env_remove("MUSTER_CONSOLE");
        run(tests)?;
    }
    Ok(())
}

/// What holds the console to limits of time has the machine to itself; of the others, two run at once.
const MEASURING: &[&str] = &[
    "a_fleet_and_devices_share_eight_handshakes.test.js",
    "a_fleet_fills_the_tab_in_seconds.test.js",
    "a_hundred_thousand_entries_stay_smooth.test.js",
    "ten_thousand_devices_are_scrolled.test.js",
    "ten_thousand_devices_live_in_the_tab.test.js",
    "the_first_paint_is_small_and_fast.test.js",
];

fn size() -> Outcome {
    crate::plugin::sizes()
}

fn small() -> Outcome {
    device::check().map(drop)
}

fn host() -> Outcome {
    wasm::ensure_target()?;
    let mut tests = cargo(&["test", "--locked", "--release", "-p", "muster-host"]);
    for (name, value) in needs::prepare()? {
        tests.env(name, value);
    }
    tests.env("MUSTER_SMALL", device::check()?);
    // Many of them wait most of the time: for a peer, for a clock, for a process to end.
    tests.env("RUST_TEST_THREADS", "4");
    run(tests)
}

fn xtask() -> Outcome {
    run(cargo(&[
        "test",
        "--locked",
        "-p",
        "xtask",
        "--profile",
        "xtask",
        "--target-dir",
        "target/xtask",
    ]))
}
