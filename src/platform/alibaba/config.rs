//! The device's settings.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::credentials::{AuthType, Device, SecureMode, SignMethod};
use crate::error::ConfigError;
use crate::secret::Secret;
use crate::settings::{Settings, problem};

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
    pub(super) bind_token_life: Duration,
    pub(super) gateway: bool,
    pub(super) keep_alive: u16,
    pub(super) reply_timeout: Duration,
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
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let mut s = settings.reader();
        let broker = s.url("broker", &["mqtt", "mqtts", "ws", "wss"], None)?;
        let product_key = name("product_key", s.required("product_key")?)?;
        let device_name = name("device_name", s.required("device_name")?)?;
        let secure_mode = match s.optional("secure_mode") {
            None if broker.starts_with("mqtts:") || broker.starts_with("wss:") => SecureMode::Tls,
            None => SecureMode::Tcp,
            Some(_) => s.choice(
                "secure_mode",
                &[("2", SecureMode::Tls), ("3", SecureMode::Tcp), ("-2", SecureMode::NoWhitelist)],
            )?,
        };
        let product_secret = s.secret("product_secret");
        let device_secret = s.secret("device_secret");
        let over_http = s.choice("registration", &[("http", true), ("mqtt", false)])?;
        let auth_type = s.choice(
            "auth_type",
            &[("register", AuthType::Register), ("regnwl", AuthType::Regnwl)],
        )?;
        let auth_url = match s.optional("auth_url") {
            Some(_) => Some(s.url("auth_url", &["http", "https"], None)?),
            None => None,
        };
        let instance_id =
            s.optional("instance_id").map(|id| name("instance_id", id)).transpose()?;
        let origin = match (device_secret, product_secret) {
            (Some(secret), _) => Origin::Configured(secret),
            (None, None) => {
                let why = "is missing: give it for dynamic registration, or give `device_secret`";
                return Err(problem("product_secret", why));
            }
            (None, Some(product_secret)) => {
                let way = match (over_http, auth_type, auth_url) {
                    (true, AuthType::Regnwl, _) => {
                        return Err(problem("auth_type", "regnwl needs `registration` = mqtt"));
                    }
                    (true, AuthType::Register, None) => {
                        let why = "is missing: registration over HTTP needs it, such as \
                                   https://iot-auth.cn-shanghai.aliyuncs.com";
                        return Err(problem("auth_url", why));
                    }
                    (true, AuthType::Register, Some(base)) => {
                        let base = base.trim_end_matches('/');
                        Way::Http { url: [base, super::wire::REGISTER_PATH].concat() }
                    }
                    (false, auth_type, _) => Way::Mqtt {
                        auth_type,
                        // Plain TCP is not documented for registration: it is 2, or -2 on newer instances.
                        secure_mode: match secure_mode {
                            SecureMode::NoWhitelist => SecureMode::NoWhitelist,
                            SecureMode::Tls | SecureMode::Tcp => SecureMode::Tls,
                        },
                        instance_id,
                    },
                };
                Origin::Registration(Registration { product_secret, way })
            }
        };
        let methods: Vec<(&str, SignMethod)> =
            SignMethod::ALL.iter().map(|&method| (method.as_str(), method)).collect();
        let config = Self {
            origin,
            secure_mode,
            sign_method: s.choice("sign_method", &methods)?,
            firmware_version: version(&s.text("firmware_version", "1.0.0"))?,
            firmware_max_size: s.number("firmware_max_size", 1..=1 << 40, 64 << 20)?,
            bind_token: s.flag("bind_token", true)?,
            bind_token_life: Duration::from_secs(s.number("bind_token_life_s", 1..=1800, 60)?),
            gateway: s.flag("gateway", true)?,
            keep_alive: u16::try_from(s.number("keep_alive", 30..=1200, 300)?).unwrap_or(300),
            reply_timeout: Duration::from_millis(s.number(
                "reply_timeout_ms",
                100..=600_000,
                10_000,
            )?),
            request_retries: u32::try_from(s.number("request_retries", 0..=20, 3)?).unwrap_or(3),
            broker,
            product_key,
            device_name,
        };
        s.finish()?;
        Ok(config)
    }

    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.product_key, &self.device_name)
    }

    pub(super) fn device(&self) -> Device<'_> {
        Device { product_key: &self.product_key, device_name: &self.device_name }
    }
}

/// Names stand in topics and client ids, so only the characters that the vendor allows can be let in.
fn name(key: &'static str, text: &str) -> Result<String, ConfigError> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"-_@.:".contains(&b);
    if text.len() <= 64 && text.bytes().all(good) {
        Ok(text.to_string())
    } else {
        Err(problem(key, "has to be 1 to 64 letters, digits and - _ @ . :"))
    }
}

fn version(text: &str) -> Result<String, ConfigError> {
    if text.len() <= 64 && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        Ok(text.to_string())
    } else {
        Err(problem("firmware_version", "has to be 1 to 64 printable ASCII characters"))
    }
}
