//! Alibaba Cloud Living Link: device provisioning and binding.
//!
//! A device registers dynamically with its product's secret (over HTTP or MQTT), receives its own secret, logs in to
//! MQTT with a signature, reports its firmware version and a bind token. The owner's app finds it, hands it the Wi-Fi
//! password under a key that device and cloud derive alike, asks the cloud whether the token has arrived, and binds.
//!
//! ```text
//! device                         cloud                          app
//!   | POST /auth/register/device   |                              |
//!   |----------------------------->|                              |
//!   |<------- deviceSecret --------|   POST /awss/cipher/get      |
//!   |  (stored before it is used)  |<-----------------------------|
//!   | CONNECT, signed              |   POST /awss/token/check     |
//!   | …/enrollee/match {token}     |<-----------------------------|
//!   |----------------------------->|   POST /awss/token/user/bind |
//!   |<------ match_reply ----------|<-----------------------------|
//! ```
//!
//! Sources: seed document "Device provisioning service" for the app's calls and the keys; for the device's side, which
//! the seed leaves out, help.aliyun.com and the vendor's device SDKs. `docs/protocols/alibaba.md` names each fact's
//! source.

#[cfg(feature = "app")]
pub mod app;
pub mod cipher;
#[cfg(feature = "cloud")]
pub(crate) mod cloud;
mod config;
pub mod credentials;
pub(crate) mod device;
mod digest;
pub mod local;
pub mod sign;
pub(crate) mod wire;

pub use config::Config;
