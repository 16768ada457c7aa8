//! UCloud UIoT Core: the device against the cloud, and each against peers of a test's own making.
#![cfg(all(feature = "ucloud", feature = "cloud"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

mod ucloud {
    mod support;

    mod a_device_registers_stores_and_only_then_logs_in;
}
