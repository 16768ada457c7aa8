//! The device's settings.

use alloc::string::String;
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

/// Key, lowest, highest and default.
static NUMBERS: [(&str, u64, u64, u64); 5] = [
    ("firmware_max_size", 1, 1 << 40, 64 << 20),
    ("bind_token_life_s", 1, 1800, 60),
    ("keep_alive", 30, 1200, 300),
    ("reply_timeout_ms", 100, 600_000, 10_000),
    ("request_retries", 0, 20, 3),
];

impl Config {
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        // Nothing is copied out of the settings before all of them are known to be good.
        let mut s = settings.reader();
        let product_key = name("product_key", s.required("product_key")?)?;
        let device_name = name("device_name", s.required("device_name")?)?;
        let firmware_version = version(s.optional("firmware_version").unwrap_or("1.0.0"))?;
        let mut numbers = [0; NUMBERS.len()];
        for (number, &(key, low, high, default)) in numbers.iter_mut().zip(&NUMBERS) {
            *number = s.number(key, low..=high, default)?;
        }
        let [firmware_max_size, bind_token_life, keep_alive, reply_timeout, request_retries] =
            numbers;
        let bind_token = s.flag("bind_token", true)?;
        let gateway = s.flag("gateway", true)?;
        let sign_method =
            s.choice("sign_method", &SignMethod::ALL.map(|method| (method.as_str(), method)))?;
        let chosen_mode = match s.optional("secure_mode") {
            None => None,
            Some(_) => Some(s.choice(
                "secure_mode",
                &[("2", SecureMode::Tls), ("3", SecureMode::Tcp), ("-2", SecureMode::NoWhitelist)],
            )?),
        };
        let over_http = s.choice("registration", &[("http", true), ("mqtt", false)])?;
        let auth_type = s.choice(
            "auth_type",
            &[("register", AuthType::Register), ("regnwl", AuthType::Regnwl)],
        )?;
        let instance_id = match s.optional("instance_id") {
            None => None,
            Some(id) => Some(name("instance_id", id)?),
        };
        let product_secret = s.optional("product_secret");
        let device_secret = s.optional("device_secret");
        let auth_url = s.optional("auth_url");
        if auth_url.is_some() {
            s.url("auth_url", &["http", "https"], None)?;
        }
        if device_secret.is_none() {
            if product_secret.is_none() {
                let why = "is missing: give it for dynamic registration, or give `device_secret`";
                return Err(problem("product_secret", why));
            }
            if over_http && auth_type == AuthType::Regnwl {
                return Err(problem("auth_type", "regnwl needs `registration` = mqtt"));
            }
            if over_http && auth_url.is_none() {
                let why = "is missing: registration over HTTP needs it, such as \
                           https://iot-auth.cn-shanghai.aliyuncs.com";
                return Err(problem("auth_url", why));
            }
        }
        let broker = s.url("broker", &["mqtt", "mqtts", "ws", "wss"], None)?;
        s.finish()?;
        let secure_mode = chosen_mode.unwrap_or_else(|| {
            let tls = broker.starts_with("mqtts:") || broker.starts_with("wss:");
            if tls { SecureMode::Tls } else { SecureMode::Tcp }
        });
        let origin = match device_secret {
            Some(secret) => Origin::Configured(secret.into()),
            None => Origin::Registration(Registration {
                product_secret: product_secret.unwrap_or_default().into(),
                way: if over_http {
                    let base = auth_url.unwrap_or_default().trim_end_matches('/');
                    Way::Http { url: [base, super::wire::REGISTER_PATH].concat() }
                } else {
                    Way::Mqtt {
                        auth_type,
                        // Plain TCP is not documented for registration: it is 2, or -2 on newer instances.
                        secure_mode: match secure_mode {
                            SecureMode::NoWhitelist => SecureMode::NoWhitelist,
                            SecureMode::Tls | SecureMode::Tcp => SecureMode::Tls,
                        },
                        instance_id: instance_id.map(String::from),
                    }
                },
            }),
        };
        Ok(Self {
            broker,
            product_key: product_key.into(),
            device_name: device_name.into(),
            origin,
            sign_method,
            secure_mode,
            firmware_version: firmware_version.into(),
            firmware_max_size,
            bind_token,
            bind_token_life: Duration::from_secs(bind_token_life),
            gateway,
            keep_alive: u16::try_from(keep_alive).unwrap_or(300),
            reply_timeout: Duration::from_millis(reply_timeout),
            request_retries: u32::try_from(request_retries).unwrap_or(3),
        })
    }

    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.product_key, &self.device_name)
    }

    pub(super) fn device(&self) -> Device<'_> {
        Device { product_key: &self.product_key, device_name: &self.device_name }
    }
}

/// Names stand in topics and client ids, so only the characters that the vendor allows can be let in.
fn name<'a>(key: &'static str, text: &'a str) -> Result<&'a str, ConfigError> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"-_@.:".contains(&b);
    if text.len() <= 64 && text.bytes().all(good) {
        Ok(text)
    } else {
        Err(problem(key, "has to be 1 to 64 letters, digits and - _ @ . :"))
    }
}

fn version(text: &str) -> Result<&str, ConfigError> {
    if text.len() <= 64 && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        Ok(text)
    } else {
        Err(problem("firmware_version", "has to be 1 to 64 printable ASCII characters"))
    }
}
