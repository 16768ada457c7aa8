//! The device's settings.

use alloc::string::String;
use core::fmt;

use super::credentials::{AuthType, Device, SecureMode, SignMethod};
use crate::num;
use crate::secret::Secret;
use crate::settings::{Reader, Shape};
use crate::time::Millis;

/// Configuration of one device.
///
/// | key | meaning |
/// | --- | --- |
/// | `broker` | `mqtt://`, `mqtts://`, `ws://` or `wss://` URL |
/// | `product_key`, `device_name` | who it is |
/// | `product_secret` | for dynamic registration |
/// | `device_secret` | known beforehand: no registration, and it wins over a stored one |
/// | `registration` | `http` (default) or `mqtt` |
/// | `auth_url` | base URL of dynamic registration over HTTP |
/// | `auth_type` | over MQTT: `register` (default) or `regnwl` |
/// | `instance_id` | Enterprise instance, named in registrations over MQTT |
/// | `sign_method` | `hmacsha256` (default), `hmacsha1` or `hmacmd5` |
/// | `secure_mode` | `2` TLS, `3` plain, `-2`; by default what `broker` says |
/// | `firmware_version` | what runs; default 1.0.0 |
/// | `firmware_max_size` | bytes; default 64 MiB |
/// | `bind_token` | report a bind token after each login; default true |
/// | `bind_token_life_s` | how long the device stands by one; default 60 |
/// | `gateway` | take the gateway's messages (joining, topology); default true |
/// | `keep_alive` | seconds, 30 to 1200; default 300 |
/// | `reply_timeout_ms` | default 10000 |
/// | `request_retries` | of one-shot steps; default 3 |
#[derive(Clone)]
pub struct Config {
    pub(super) broker: String,
    pub(super) product_key: String,
    pub(super) device_name: String,
    pub(super) origin: Origin,
    pub(super) sign_method: SignMethod,
    pub(super) secure_mode: SecureMode,
    pub(super) firmware_version: String,
    pub(super) firmware_max_size: u64,
    pub(super) bind_token: bool,
    pub(super) bind_token_life: Millis,
    pub(super) gateway: bool,
    pub(super) keep_alive: u16,
    pub(super) reply_timeout: Millis,
    pub(super) request_retries: u32,
}

/// Where the device's own secret comes from, if none is stored.
#[derive(Clone)]
pub(super) enum Origin {
    /// From the settings.
    Configured(Secret),
    /// From the cloud.
    Registration(Registration),
}

#[derive(Clone)]
pub(super) struct Registration {
    pub(super) product_secret: Secret,
    pub(super) way: Way,
}

/// How a dynamic registration is made.
#[derive(Clone)]
pub(super) enum Way {
    Http { url: String },
    Mqtt { auth_type: AuthType, secure_mode: SecureMode, instance_id: Option<String> },
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "alibaba::Config({}/{})", self.product_key, self.device_name)
    }
}

impl Config {
    pub(crate) fn read(s: &mut Reader<'_>) -> Self {
        let product_key = s.shaped("product_key", None, NAME).into();
        let device_name = s.shaped("device_name", None, NAME).into();
        let firmware_version = s.shaped("firmware_version", Some("1.0.0"), VERSION).into();
        let methods = SignMethod::ALL.map(SignMethod::as_str);
        let sign_method = SignMethod::ALL.get(s.choice("sign_method", &methods)).copied();
        let chosen_mode = match s.optional("secure_mode") {
            None => 0,
            Some(_) => 1 + s.choice("secure_mode", &["2", "3", "-2"]),
        };
        let over_http = s.choice("registration", &["http", "mqtt"]) == 0;
        let regnwl = s.choice("auth_type", &["register", "regnwl"]) == 1;
        let instance_id = s.shaped("instance_id", Some(""), NAME);
        let product_secret = s.secret("product_secret", ANYTHING);
        let device_secret = s.secret("device_secret", ANYTHING);
        let mut auth_url = String::new();
        if s.optional("auth_url").is_some() {
            auth_url = s.base_url("auth_url", &["http", "https"], None);
        }
        if device_secret.is_none() {
            if product_secret.is_none() {
                let why = "is missing: give it for dynamic registration, or give `device_secret`";
                s.fail("product_secret", why);
            }
            if over_http && regnwl {
                s.fail("auth_type", "regnwl needs `registration` = mqtt");
            }
            if over_http && auth_url.is_empty() {
                let why = "is missing: registration over HTTP needs it, such as \
                           https://iot-auth.cn-shanghai.aliyuncs.com";
                s.fail("auth_url", why);
            }
        }
        let broker = s.broker();
        let tls = broker.starts_with("mqtts:") || broker.starts_with("wss:");
        let secure_mode = match chosen_mode {
            0 if tls => SecureMode::Tls,
            1 => SecureMode::Tls,
            3 => SecureMode::NoWhitelist,
            _ => SecureMode::Tcp,
        };
        let origin = match device_secret {
            Some(secret) => Origin::Configured(secret),
            None => Origin::Registration(Registration {
                product_secret: product_secret.unwrap_or_default(),
                way: if over_http {
                    auth_url.push_str(super::wire::REGISTER_PATH);
                    Way::Http { url: auth_url }
                } else {
                    Way::Mqtt {
                        auth_type: if regnwl { AuthType::Regnwl } else { AuthType::Register },
                        // Plain TCP is not documented for registration: it is 2, or -2 on newer instances.
                        secure_mode: match secure_mode {
                            SecureMode::NoWhitelist => SecureMode::NoWhitelist,
                            SecureMode::Tls | SecureMode::Tcp => SecureMode::Tls,
                        },
                        instance_id: (!instance_id.is_empty()).then(|| instance_id.into()),
                    }
                },
            }),
        };
        Self {
            broker,
            product_key,
            device_name,
            origin,
            sign_method: sign_method.unwrap_or_default(),
            secure_mode,
            firmware_version,
            firmware_max_size: s.number("firmware_max_size", 1, 1 << 40, 64 << 20),
            bind_token: s.flag("bind_token", true),
            bind_token_life: Millis::of_secs(s.number("bind_token_life_s", 1, 1800, 60)),
            gateway: s.flag("gateway", true),
            keep_alive: s.number("keep_alive", 30, 1200, 300) as u16,
            reply_timeout: Millis(s.number("reply_timeout_ms", 100, 600_000, 10_000)),
            request_retries: s.number("request_retries", 0, 20, 3) as u32,
        }
    }

    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.product_key, &self.device_name)
    }

    pub(crate) fn reach(&self) -> crate::Reach<'_> {
        let http = match &self.origin {
            Origin::Registration(Registration { way: Way::Http { url }, .. }) => Some(url.as_str()),
            _ => None,
        };
        crate::Reach {
            broker: Some(&self.broker),
            http,
            // What answers a registration over MQTT comes without a subscription.
            topics: &["/sys/{product}/{device}/#", "/ota/device/+/{product}/{device}"],
            store: &[crate::StoreKey::Credential, crate::StoreKey::Firmware],
            // OSS, whose hosts are named for bucket and region.
            firmware_hosts: &["*.aliyuncs.com"],
            firmware_max_size: Some(self.firmware_max_size),
        }
    }

    pub(super) fn device(&self) -> Device<'_> {
        Device { product_key: &self.product_key, device_name: &self.device_name }
    }
}

/// Names stand in topics and client ids, so only the characters that the vendor allows can be let in.
const NAME: Shape = (is_name, "has to be 1 to 64 letters, digits and - _ @ . :");
const VERSION: Shape = (is_version, "has to be 1 to 64 printable ASCII characters");
const ANYTHING: Shape = (|_| true, "");

fn is_name(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'@' | b'.' | b':');
    text.len() <= 64 && text.bytes().all(good)
}

fn is_version(text: &str) -> bool {
    num::is_printable(text, 64)
}
