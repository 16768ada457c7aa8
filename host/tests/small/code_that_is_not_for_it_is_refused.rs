//! Each refusal has its reason, its exit code and its next move, and comes before anything is sent.

use std::fs;
use std::path::Path;

use super::mosquitto::free_ports;
use super::process::{Ended, write};
use super::support::{Maker, muster, run, said, small};

/// Nobody listens there.
fn settings() -> String {
    let [port] = free_ports();
    format!(
        "broker = \"mqtt://127.0.0.1:{port}\"\nproduct_id = \"20191210\"\ndevice_id = \"10001\"\n\
         device_secret = \"TheDeviceSecret\"\n"
    )
}

fn tried(maker: &Maker, profile: &str, code: &str) -> Ended {
    run("krtyun", &maker.dir.join("d"), &["--config", profile, "--plugin", code, "--for", "1s"])
}

fn refused(maker: &Maker, profile: &str, code: &str, exit: i32, says: &[&str]) {
    let ended = tried(maker, profile, code);
    assert_eq!(ended.code, Some(exit), "{}", ended.story());
    for text in says.iter().chain(&["\n  next: "]) {
        assert!(ended.stderr.contains(text), "no `{text}`: {}", ended.story());
    }
    assert!(ended.events.is_empty(), "{}", ended.story());
}

fn copy(from: &str, to: &Path) -> String {
    for ending in ["", ".manifest", ".sig"] {
        fs::copy(format!("{from}{ending}"), format!("{}{ending}", to.display())).unwrap();
    }
    to.display().to_string()
}

const PRECOMPILE: &str = "muster plugin precompile muster.wasm --config PROFILE";

#[test]
fn code_of_others_and_code_that_was_changed_never_runs() {
    let dir = tempfile::tempdir().unwrap();
    let maker = Maker::new(dir.path());
    let profile = maker.profile(&settings(), "", "");
    let good = maker.compile("good.cwasm", 1, &[]);
    // It does run: only nobody listens.
    let ended = tried(&maker, &profile, &good);
    assert!(ended.has_step("login"), "{}", ended.story());

    let bare = maker.at("bare.cwasm");
    assert!(said(&muster(&["plugin", "precompile", "--output", &bare])).contains("not signed"));
    refused(&maker, &profile, &bare, 4, &["bare.cwasm.manifest", "FILE.sig"]);

    let bytes = fs::read(&good).unwrap();
    for (name, changed) in [
        ("flipped.cwasm", {
            let mut bytes = bytes.clone();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            bytes
        }),
        ("cut.cwasm", bytes[..bytes.len() - 1].to_vec()),
        ("half.cwasm", bytes[..bytes.len() / 2].to_vec()),
        ("longer.cwasm", [bytes.as_slice(), b"\0"].concat()),
    ] {
        let file = copy(&good, &maker.dir.join(name));
        fs::write(&file, changed).unwrap();
        refused(&maker, &profile, &file, 1, &["the module is not the one that was signed"]);
    }
    for part in ["manifest", "sig"] {
        let file = copy(&good, &maker.dir.join(format!("{part}.cwasm")));
        let path = format!("{file}.{part}");
        let mut bytes = fs::read(&path).unwrap();
        bytes[20] ^= 1;
        fs::write(&path, bytes).unwrap();
        refused(&maker, &profile, &file, 1, &["the manifest is not the one that was signed"]);
    }

    let other = tempfile::tempdir().unwrap();
    let other = Maker::new(other.path());
    let theirs = other.compile("theirs.cwasm", 1, &[]);
    refused(&maker, &profile, &theirs, 1, &[&other.public, "which the profile does not pin"]);
    let trusting_nobody = write(dir.path(), "nobody.toml", &settings()).display().to_string();
    refused(&maker, &trusting_nobody, &good, 2, &["pins no key", "keys = ["]);
    let elsewhere = maker.profile(&settings(), "name = \"another\"", "");
    refused(&maker, &elsewhere, &good, 1, &["`muster`, this device runs `another`"]);
    let newer = maker.profile(&settings(), "min_counter = 2", "");
    refused(&maker, &newer, &good, 1, &["counter is 1; this device takes 2"]);
}

#[test]
fn code_that_does_not_fit_asks_for_what_would() {
    let dir = tempfile::tempdir().unwrap();
    let maker = Maker::new(dir.path());
    let good = maker.compile("good.cwasm", 1, &[]);
    for (limits, says) in [
        ("deadline_ms = 0", "with epoch interruption but it is not enabled"),
        ("memory_pages = 8", "memory reservation"),
    ] {
        let profile = maker.profile(&settings(), "", &format!("[limits]\n{limits}"));
        let all = ["does not fit this build", says, PRECOMPILE, env!("CARGO_PKG_VERSION")];
        refused(&maker, &profile, &good, 4, &all);
        // What it asks for fits.
        let fitting = maker.compile("fitting.cwasm", 1, &["--config", &profile]);
        let ended = tried(&maker, &profile, &fitting);
        assert!(ended.has_step("login"), "{}", ended.story());
    }
    let profile = maker.profile(&settings(), "", "");
    let elsewhere = maker.compile("bsd.cwasm", 1, &["--target", &super::support::elsewhere()]);
    refused(&maker, &profile, &elsewhere, 4, &["operating system 'freebsd'", PRECOMPILE]);
    // The module itself, signed or not.
    refused(&maker, &profile, &maker.at("muster.wasm"), 4, &["has no compiler", PRECOMPILE]);
}

#[test]
fn the_command_line_says_what_is_wrong_with_it() {
    for (args, says) in [
        (&["--config", "x"][..], "--platform is missing"),
        (&["--platform", "x"], "has to be one of ucloud"),
        (&["--platform", "cmcc", "--until", "later"], "registered, ready or updated"),
        (&["--platform", "cmcc", "--platform", "cmcc"], "given twice"),
        (&["--platform", "cmcc", "--for", "soon"], "has to be a number"),
        (&["--platform", "cmcc", "--cert", "x"], "--cert and --key"),
        (&["--platform", "cmcc", "--set", "hunter22"], "KEY=VALUE"),
        (&["--verbose"], "no option --verbose"),
        (&["device"], "device"),
        (&["stage", "--store", "x"], "FILE is missing"),
        (&["slots"], "--store is missing"),
        (&["slots", "--store", "/nowhere", "--json", "--wait", "1s"], "no option --wait"),
    ] {
        let output = small().args(args).output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(says) && text.contains("\n  next: "), "{args:?}: {text}");
        assert!(!text.contains("hunter22"), "{text}");
    }
    assert!(said(&small().arg("--help").output().unwrap()).contains("--plugin FILE"));
    let version = said(&small().arg("--version").output().unwrap());
    assert_eq!(version.trim(), concat!("muster-device ", env!("CARGO_PKG_VERSION")));
}
