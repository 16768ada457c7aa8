//! `muster device` as people run it: the built binary, real sockets, local clouds and a real Mosquitto.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod device {
    pub mod clouds;
    pub mod hostile;
    pub mod mosquitto;
    pub mod process;
    pub mod scripted;

    mod a_broker_over_tcp_tls_and_websocket;
    mod a_device_outlives_a_failure_of_its_plugin;
    mod a_fleet_comes_to_life_in_one_process;
    mod a_hostile_plugin_is_contained;
    mod a_killed_broker_is_found_again;
    mod a_killed_device_comes_back_with_the_same_secret;
    mod an_update_pushed_by_an_operator_is_installed_in_a_slot;
    mod commands_and_signals_reach_the_device;
    mod each_failure_has_its_exit_code_and_its_next_move;
    mod every_platform_comes_to_life_and_registers_once;
    mod keep_alive_and_qos_1_on_the_wire;
    mod tls_is_verified_and_a_refusal_says_why;
}
