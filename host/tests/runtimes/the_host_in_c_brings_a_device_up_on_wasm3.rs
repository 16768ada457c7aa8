//! `examples/embed/c`, under the address and undefined-behaviour sanitizers.

use std::fs;

use super::support::{c_program, hold, host, plugin, workspace};

#[test]
fn with_the_recorded_bytes_and_no_secret_shown() {
    hold(host(), &c_program("replay"), &[plugin().as_os_str()]);
}

#[test]
fn in_two_hundred_lines_that_know_no_runtime() {
    let host = fs::read_to_string(workspace("examples/embed/c/host.c")).unwrap();
    assert!(host.lines().count() <= 200, "{} lines", host.lines().count());
    assert!(host.lines().all(|line| line.len() <= 120));
    for file in ["host.c", "replay.c", "muster_abi.h"] {
        let text = fs::read_to_string(workspace("examples/embed/c").join(file)).unwrap();
        for runtime in ["m3_", "wasm3", "wasm_runtime", "WAMR"] {
            assert!(!text.contains(runtime), "{file} speaks of {runtime}");
        }
    }
}
