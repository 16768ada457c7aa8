//! The recorded calls of `tests/conformance/`: the native code gives the very bytes that are written there.
//!
//! Every other runtime is held to the same files: wasmtime, the component and wasmi by `host/tests/plugin/`, and
//! wasm3, Python, Node and jco by `host/tests/runtimes.rs`. `MUSTER_UPDATE=1 cargo test --test conformance` records
//! them anew, which is right after a change of what the device does, and wrong as an answer to a surprise.
#![cfg(all(
    feature = "ucloud",
    feature = "cmcc",
    feature = "krtyun",
    feature = "alibaba",
    feature = "cloud"
))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conformance {
    // The host's tests read all of it.
    #[allow(dead_code)]
    mod lives;
    mod transcript;

    mod every_kind_of_message_has_an_example;
    mod the_native_code_gives_the_recorded_bytes;
}
