//! The same bytes on other runtimes, driven by the hosts of `examples/embed/`: wasm3 from C and Python, wasmtime from
//! Python, V8 from Node, and the component through jco.
//!
//! `cargo xtask test` installs them and names them in `MUSTER_RUNTIMES_…`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../xtask/src/component.rs"]
#[allow(dead_code)]
mod component;

mod runtimes {
    mod support;

    mod a_device_in_python_registers_at_the_local_clouds;
    mod a_plugin_that_lies_is_caught_by_the_host_in_c;
    mod the_component_runs_in_node_through_jco;
    mod the_host_in_c_brings_a_device_up_on_wasm3;
    mod the_host_in_node_brings_a_device_up;
    mod the_host_in_python_brings_a_device_up;
    mod the_page_about_the_bytes_is_right;
}
