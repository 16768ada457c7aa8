//! `examples/embed/python`, with two runtimes.

use super::support::{hold, installed, plugin, workspace};

#[test]
fn on_wasmtime() {
    on("wasmtime");
}

#[test]
fn on_wasm3() {
    on("wasm3");
}

fn on(engine: &str) {
    let python = installed("MUSTER_RUNTIMES_PYTHON");
    let host = workspace("examples/embed/python/host.py");
    hold(&python, &python, &[host.as_os_str(), engine.as_ref(), plugin().as_os_str()]);
}
