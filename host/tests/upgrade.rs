//! Upgrades of the plugin as a maker and a device live them: the built binary, signed packages, real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, dead_code)]

mod upgrade {
    #[path = "../device/clouds.rs"]
    pub mod clouds;
    #[path = "../device/hostile.rs"]
    pub mod hostile;
    pub mod maker;
    #[path = "../device/process.rs"]
    pub mod process;
    #[path = "../device/scripted.rs"]
    pub mod scripted;

    mod a_maker_signs_and_a_device_takes;
    mod a_plugin_is_swapped_under_a_live_connection;
    mod a_trial_that_fails_is_reverted;
    mod killed_at_any_moment_a_device_comes_back;
    mod old_and_new_plugins_and_hosts_meet;
}
