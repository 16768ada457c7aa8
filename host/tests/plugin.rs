//! The plugin under wasmtime: what it may not do, what it costs, and that every executor gives the same bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../xtask/src/component.rs"]
#[allow(dead_code)]
mod component;

mod plugin {
    pub(crate) mod executors;
    #[path = "../../../tests/conformance/lives.rs"]
    pub(crate) mod lives;
    #[path = "../../../tests/conformance/transcript.rs"]
    #[allow(dead_code)]
    pub(crate) mod transcript;

    mod a_hostile_plugin_is_stopped_and_named;
    mod a_saved_device_goes_on_in_another_instance;
    mod every_executor_gives_the_same_bytes;
    mod machine_code_fits_one_build;
    mod malformed_requests_are_refused;
    mod many_devices_share_an_engine;
    mod only_a_plugin_is_loaded;
    mod recorded_lives_are_answered_alike;
    mod the_embedded_plugin_keeps_its_budgets;
}
