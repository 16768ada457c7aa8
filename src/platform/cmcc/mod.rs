//! China Mobile 终端智能体服务管理平台 (terminal-agent service and management platform): two HTTP calls and a schedule.
//!
//! Source: the seed document 设备接入协议 V1.0 (2025-05-13); what lies beyond it is marked so in
//! `docs/protocols/cmcc.md`.
//!
//! # The protocol
//!
//! 1. The maker creates a product and imports device numbers (`SN`, `IMEI` or `CMEI`). That gives `productId` and
//!    `productKey`.
//! 2. `POST v2/customer/device/secret/info` with number, product and key gives `deviceId` and `deviceSecret`. The
//!    answer never changes, so a device asks once, and again only if its store was emptied or its number or product
//!    changed.
//! 3. `POST v2/customer/device/report` is the heartbeat: at the first start, then 12 hours ± 15 minutes after each
//!    accepted one (the document's strategy 2), or at the first use of a day (strategy 1). At least once in 24 hours
//!    while there is a network.
//!
//! Both answer `{"code":"200","message":"成功","success":true,"data":{…}}`; another code is a refusal.
//!
//! # What is deliberately absent
//!
//! - Firmware updates: the protocol has none. `firmware_version` is reported, and a changed one is seen at the next
//!   report.
//! - `X-AI-IP`: only a vendor's server that relays for devices sends it; a device never does.
//! - The platform's AI calls, which are signed and another document's matter.

pub mod cmei;
pub mod imei;

#[cfg(feature = "cloud")]
pub(crate) mod cloud;
mod config;
pub(crate) mod device;
mod ip;
mod schedule;
mod wire;

pub use config::{Config, DeviceNoType, Strategy};

/// Base URL of the production environment (正式环境), as the document gives it.
pub const PRODUCTION: &str = "https://ivs.chinamobiledevice.com:11443";
/// Base URL of the test environment (测试环境), as the document gives it.
pub const TEST: &str = "https://62b98tux.cxzfdm.com:30101";

/// Path below the base URL: get the device's id and secret.
pub const SECRET_INFO: &str = "v2/customer/device/secret/info";
/// Path below the base URL: report.
pub const REPORT: &str = "v2/customer/device/report";
