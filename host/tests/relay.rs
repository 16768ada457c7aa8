//! The relay of `muster up`: the built binary, a real Mosquitto, real clouds and a page that talks as a browser does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, dead_code)]

#[path = "up/support.rs"]
mod support;

#[path = "device/mosquitto.rs"]
mod mosquitto;
#[path = "device/process.rs"]
mod process;

mod relay {
    pub mod page;
    pub mod server;

    mod http_is_carried_and_china_mobile_hears_the_devices_address;
    mod it_goes_only_where_its_list_leads;
    mod it_is_off_unless_asked_for;
    mod mqtt_is_carried_over_tcp_and_tls;
    mod only_pages_of_this_server_use_it;
}
