//! Clients of others against the local clouds, over real sockets.
//!
//! `cargo xtask test` installs them and names them in `MUSTER_PEERS_NODE` and `MUSTER_PEERS_PYTHON`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "real_peers/support.rs"]
mod support;

#[path = "real_peers/a_tampered_or_unsigned_call_gets_the_gateways_own_error.rs"]
mod a_tampered_or_unsigned_call_gets_the_gateways_own_error;
#[path = "real_peers/api_gateway_clients_call_the_alibaba_cloud.rs"]
mod api_gateway_clients_call_the_alibaba_cloud;
#[path = "real_peers/mosquitto_clients_register_and_use_their_secret.rs"]
mod mosquitto_clients_register_and_use_their_secret;
#[path = "real_peers/npm_mqtt_registers_over_websocket.rs"]
mod npm_mqtt_registers_over_websocket;
#[path = "real_peers/nvs_images_are_those_of_espressifs_generator.rs"]
mod nvs_images_are_those_of_espressifs_generator;
#[path = "real_peers/paho_registers_over_tcp.rs"]
mod paho_registers_over_tcp;
#[cfg(unix)]
#[path = "real_peers/prometheus_reads_the_metrics_of_a_device.rs"]
mod prometheus_reads_the_metrics_of_a_device;
