//! 科睿特 krtyun: dynamic registration (一型一密) and firmware updates over MQTT 3.1.1.
//!
//! # The protocol
//!
//! Every device logs in with the ProductID as ClientID and its DeviceID as user name. The password is the
//! ProductSecret while it has no secret of its own, and its DeviceSecret ever after. Topics are
//! `/sys/{ProductID}/{DeviceID}/thing/{register|ota}/{post|set}`: `post` goes up, `set` comes down.
//!
//! 1. **Register.** Log in with the ProductSecret, subscribe `register/set`, ask on `register/post`. The platform
//!    issues the DeviceSecret on `register/set`, once. The device stores it, and only then confirms with `BACK` "OK"
//!    on `register/post`. The platform closes the socket, counts the device as active, and answers no later request.
//! 2. **Log in** with the DeviceSecret, subscribe `ota/set`, report the versions (`CMD` 10 on `ota/post`): at every
//!    login, and by a period.
//! 3. **Update.** `CMD` 11 on `ota/set` orders it; the device keeps the order, answers `BACK` "OK" on `ota/post`,
//!    fetches the image over plain HTTP, installs it, and reports again. The platform counts the update as done when
//!    the reported version is the ordered one.
//!
//! # Where this comes from
//!
//! The vendor's document of 2019-12-10 ("seed document"; its console is at <https://iot.krtyun.com/iot-center/login>)
//! gives the topics, the logins, the order of the steps and the bodies of `CMD` 10 and 11. Its pictures of the
//! registration bodies are missing, and no public code shows them: their `CMD` numbers and key names are **assumed**,
//! kept in one table (`wire::Assumed`), and replaceable by settings. Refusal codes and the four keep
//! alives come from two public repositories of 2019 that look like the vendor's own broker and console
//! (miaojuanfeng/mqtt-server, miaojuanfeng/iOtCeNTeR). `docs/protocols/krtyun.md` has the details and all choices.
//!
//! # What is not here
//!
//! Nothing in the protocol protects an image: no digest, no size, no signature, and HTTPS is ruled out. An operator can
//! configure a digest; without one the device warns. There is no message for progress or failure of an update, and
//! none that takes an order back. Data points, commands and infrared of other vendor papers are not part of it.

#[cfg(feature = "cloud")]
pub(crate) mod cloud;
mod config;
mod credential;
pub(crate) mod device;
mod wire;

pub use config::Config;
