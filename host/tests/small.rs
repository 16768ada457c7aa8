//! `muster-device`, the small build, as it is on a device: against local clouds, a real Mosquitto and a server of TLS.
//!
//! `cargo xtask test host` builds it and says where it is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, dead_code)]

mod small {
    #[path = "../device/clouds.rs"]
    pub mod clouds;
    #[path = "../device/mosquitto.rs"]
    pub mod mosquitto;
    #[path = "../device/process.rs"]
    pub mod process;
    pub mod support;

    mod code_that_does_not_fit_is_made_again_where_there_is_a_compiler;
    mod code_that_is_not_for_it_is_refused;
    mod it_takes_upgrades;
    mod what_the_full_build_compiles_it_runs;
}
