//! MQTT sessions over bytes, client against server in memory. Virtual time, no sockets.
#![cfg(all(feature = "mqtt", feature = "cloud"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod mqtt {
    mod common;

    mod a_client_and_a_server_understand_each_other_however_the_bytes_are_split;
    mod a_peer_that_does_not_read_or_acknowledge_costs_bounded_memory;
    mod a_server_reports_what_a_strict_cloud_must_see;
    mod breaches_of_mqtt_end_the_session_with_a_name;
    mod bytes_equal_what_real_sdks_send;
    mod hostile_bytes_never_panic;
    mod keep_alive_finds_a_dead_peer;
    mod nothing_reaches_the_cloud_before_connect_is_answered;
}
