//! `muster device --service`, `check` and `status` as a service manager, a probe and a person use them.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, dead_code)]

mod service {
    #[path = "../device/clouds.rs"]
    pub mod clouds;
    #[path = "../device/hostile.rs"]
    pub mod hostile;
    pub mod living;
    #[path = "../device/mosquitto.rs"]
    pub mod mosquitto;
    #[path = "../device/process.rs"]
    pub mod process;

    mod a_check_finds_what_is_wrong_and_changes_nothing;
    mod health_is_what_the_device_is;
    mod it_ends_in_order_when_told_to;
    mod no_secret_is_in_log_metrics_or_health;
    mod slow_and_hostile_guests_hold_nothing_up;
    mod systemd_is_told_and_its_unit_is_right;
}
