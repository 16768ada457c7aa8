//! The login of a device, for every platform and mode.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{ToolError, ToolStep};
use crate::agent::{Agent, Stored};
use crate::json;
use crate::output::{Command, Output};
use crate::platform::alibaba::credentials::{
    AuthType, Device, FIXED_TIMESTAMP, MqttCredential, SecureMode, SignMethod, Style,
    login_connect, registration_connect, registration_form, registration_sign, token_connect,
};
use crate::platform::{Config, PlatformName};
use crate::secret::Secret;
use crate::settings::Settings;
use crate::time::Now;

/// Whose login, and how it logs in.
#[derive(serde::Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CredentialsInput {
    /// The platform.
    pub platform: PlatformName,
    /// One of [`credential_modes`], or another name that the vendor's papers use for it.
    pub mode: String,
    /// By any spelling of their names: `product_sn`, `ProductSN` and `productSn` are one.
    pub settings: BTreeMap<String, String>,
}

/// A login. Where the platform has no MQTT, or the mode is a request, the request's body.
#[derive(serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
pub struct CredentialsOutput {
    /// ClientID.
    pub client_id: Option<String>,
    /// User name.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Where the body is posted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What the password or the signature is the HMAC of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_to_sign: Option<String>,
    /// The signature in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign: Option<String>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// How.
    pub steps: Vec<ToolStep>,
}

/// A mode, and what it needs.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct CredentialMode {
    /// Its name.
    pub mode: &'static str,
    /// Which settings it needs.
    pub settings: &'static [&'static str],
    /// Which it also takes.
    pub optional: &'static [&'static str],
}

const ALIBABA_MORE: &[&str] = &["secure_mode", "sign_method", "instance_id"];

/// What there is for a platform.
pub fn credential_modes(platform: PlatformName) -> &'static [CredentialMode] {
    const fn mode(
        mode: &'static str,
        settings: &'static [&'static str],
        optional: &'static [&'static str],
    ) -> CredentialMode {
        CredentialMode { mode, settings, optional }
    }
    const ALIBABA_REGISTER: &[&str] = &["product_key", "product_secret", "device_name", "random"];
    match platform {
        PlatformName::Ucloud => {
            const {
                &[
                    mode("dynamic", &["product_sn", "product_secret", "device_sn"], &[]),
                    mode("static", &["product_sn", "device_sn", "device_secret"], &[]),
                ]
            }
        }
        PlatformName::Krtyun => {
            const {
                &[
                    mode("dynamic", &["product_id", "product_secret", "device_id"], &[]),
                    mode("static", &["product_id", "device_id", "device_secret"], &[]),
                ]
            }
        }
        PlatformName::Cmcc => {
            const {
                &[
                    mode(
                        "dynamic",
                        &["device_no_type", "device_no", "product_id", "product_key"],
                        &[],
                    ),
                    mode(
                        "static",
                        &["device_id", "device_secret", "product_id", "product_key"],
                        &[],
                    ),
                ]
            }
        }
        PlatformName::Alibaba => {
            const {
                &[
                    mode("dynamic-mqtt", ALIBABA_REGISTER, ALIBABA_MORE),
                    mode("dynamic-http", ALIBABA_REGISTER, &["sign_method"]),
                    mode("regnwl", ALIBABA_REGISTER, ALIBABA_MORE),
                    mode(
                        "static",
                        &["product_key", "device_name", "device_secret"],
                        &["timestamp", "secure_mode", "sign_method", "style"],
                    ),
                    mode(
                        "token",
                        &["product_key", "device_name", "client_id", "device_token"],
                        &[],
                    ),
                ]
            }
        }
    }
}

/// The modes, by all the names that the vendors' papers use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Dynamic,
    DynamicHttp,
    Regnwl,
    Static,
    Token,
}

impl Mode {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().replace('_', "-").as_str() {
            "dynamic" | "dynamic-mqtt" | "dynreg" | "dynreg-mqtt" | "register" | "product"
            | "2" => Self::Dynamic,
            "dynamic-http" | "dynreg-http" | "register-http" => Self::DynamicHttp,
            "regnwl" | "dynamic-regnwl" => Self::Regnwl,
            "static" | "login" | "device" | "connect" | "mqtt" | "mqtt-connect" | "1" => {
                Self::Static
            }
            "token" | "connwl" => Self::Token,
            _ => return None,
        })
    }
}

/// Makes the login that a device uses.
pub fn credentials(input: &CredentialsInput) -> Result<CredentialsOutput, ToolError> {
    let platform = input.platform;
    let given = Given::new(&input.settings);
    match (platform, Mode::parse(&input.mode)) {
        (_, None) => Err(ToolError::new(
            "mode",
            "has to be dynamic or static; for alibaba also dynamic-http, regnwl or token",
        )),
        (PlatformName::Alibaba, Some(mode)) => alibaba(mode, &given),
        (PlatformName::Cmcc, Some(mode @ (Mode::Dynamic | Mode::Static))) => cmcc(mode, &given),
        (
            PlatformName::Ucloud | PlatformName::Krtyun,
            Some(mode @ (Mode::Dynamic | Mode::Static)),
        ) => shown_by_agent(platform, mode, &given),
        _ => Err(ToolError::new("mode", "this platform has dynamic and static")),
    }
}

/// The values given, found by a key's letters alone.
struct Given<'a>(Vec<(String, &'a str)>);

impl<'a> Given<'a> {
    fn new(settings: &'a BTreeMap<String, String>) -> Self {
        Self(settings.iter().map(|(key, value)| (letters(key), value.as_str())).collect())
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        let key = letters(key);
        let found = self.0.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
        found.filter(|value| !value.is_empty())
    }

    fn need(&self, key: &str) -> Result<&'a str, ToolError> {
        self.get(key).ok_or_else(|| ToolError::new(key, "is missing"))
    }

    fn known(&self, known: &[&str]) -> Result<(), ToolError> {
        match self.0.iter().find(|(key, _)| !known.iter().any(|k| letters(k) == *key)) {
            Some((key, _)) => {
                let text = ["is not used here; known are ", &known.join(", ")].concat();
                Err(ToolError::new(key, text))
            }
            None => Ok(()),
        }
    }
}

fn letters(key: &str) -> String {
    key.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

fn login(credential: &MqttCredential, why: &str) -> CredentialsOutput {
    CredentialsOutput {
        client_id: Some(credential.client_id.clone()),
        username: Some(credential.username.clone()),
        password: Some(credential.password.expose().to_string()),
        path: None,
        string_to_sign: None,
        sign: None,
        body: None,
        steps: Vec::from([ToolStep::new("rule", why)]),
    }
}

fn request(path: &str, sign: Option<String>, body: String, why: &str) -> CredentialsOutput {
    CredentialsOutput {
        client_id: None,
        username: None,
        password: None,
        path: Some(path.to_string()),
        string_to_sign: None,
        sign,
        body: Some(body),
        steps: Vec::from([ToolStep::new("rule", why)]),
    }
}

/// UCloud and krtyun: what the agent itself would send, so that there is one rule only.
fn shown_by_agent(
    platform: PlatformName,
    mode: Mode,
    given: &Given<'_>,
) -> Result<CredentialsOutput, ToolError> {
    let [product, device] = match platform {
        PlatformName::Ucloud => ["product_sn", "device_sn"],
        _ => ["product_id", "device_id"],
    };
    let secret = if mode == Mode::Dynamic { "product_secret" } else { "device_secret" };
    given.known(&[product, device, "product_secret", "device_secret"])?;
    let mut settings = Settings::new().with("broker", "mqtt://127.0.0.1");
    for key in [product, device, secret] {
        settings.set(key, given.need(key)?);
    }
    let config = Config::from_settings(platform, &settings)
        .map_err(|error| ToolError::new(&error.key, &error.problem))?;
    let mut agent = Agent::new(config, Stored::empty(), [0; 32], Now::mono(0))
        .map_err(|error| ToolError::new("settings", error))?;
    let why = match (platform, mode) {
        (PlatformName::Ucloud, Mode::Dynamic) => {
            "ClientID is ProductSN.DeviceSN; the user name ends in 2 (dynamic registration); the password is the ProductSecret."
        }
        (PlatformName::Ucloud, _) => {
            "ClientID is ProductSN.DeviceSN; the user name ends in 1 (static registration); the password is the device's own secret."
        }
        (_, Mode::Dynamic) => {
            "ClientID is the ProductID, the user name the DeviceID, the password the ProductSecret."
        }
        _ => {
            "ClientID is the ProductID, the user name the DeviceID, the password the device's own secret."
        }
    };
    loop {
        match agent.poll_output() {
            Output::Command(Command::Connect(_, connect)) => {
                let credential = MqttCredential {
                    client_id: connect.client_id.clone(),
                    username: connect.username.clone(),
                    password: connect.password.clone(),
                };
                return Ok(login(&credential, why));
            }
            Output::Timeout(_) => {
                return Err(ToolError::new("settings", "these lead to no login"));
            }
            _ => {}
        }
    }
}

fn alibaba(mode: Mode, given: &Given<'_>) -> Result<CredentialsOutput, ToolError> {
    given.known(&[
        "product_key",
        "product_secret",
        "device_name",
        "device_secret",
        "random",
        "auth_type",
        "secure_mode",
        "sign_method",
        "instance_id",
        "timestamp",
        "style",
        "client_id",
        "device_token",
    ])?;
    let device =
        Device { product_key: given.need("product_key")?, device_name: given.need("device_name")? };
    let method: SignMethod = match given.get("sign_method") {
        None => SignMethod::default(),
        Some(name) => name.parse().map_err(|e| ToolError::new("sign_method", e))?,
    };
    let secure_mode = match given.get("secure_mode") {
        None | Some("2") => SecureMode::Tls,
        Some("3") => SecureMode::Tcp,
        Some("-2") => SecureMode::NoWhitelist,
        Some(_) => return Err(ToolError::new("secure_mode", "has to be 2, 3 or -2")),
    };
    match mode {
        Mode::Dynamic | Mode::Regnwl => {
            let auth_type = match given.get("auth_type") {
                Some("regnwl") => AuthType::Regnwl,
                Some("register") => AuthType::Register,
                None if mode == Mode::Regnwl => AuthType::Regnwl,
                None => AuthType::Register,
                Some(_) => return Err(ToolError::new("auth_type", "has to be register or regnwl")),
            };
            let credential = registration_connect(
                method,
                device,
                &Secret::from(given.need("product_secret")?),
                given.need("random")?,
                auth_type,
                secure_mode,
                given.get("instance_id"),
            );
            let why =
                "The password is the HMAC by the ProductSecret of deviceName…productKey…random….";
            let text = registration_text(device, given.need("random")?);
            Ok(signed(login(&credential, why), text, method, "ProductSecret"))
        }
        Mode::DynamicHttp => {
            let secret = Secret::from(given.need("product_secret")?);
            let random = given.need("random")?;
            let body = registration_form(method, device, &secret, random);
            let sign = registration_sign(method, device, &secret, random);
            let why = "The sign is the HMAC by the ProductSecret of deviceName…productKey…random…; the body is a form.";
            let text = registration_text(device, random);
            let login = request("/auth/register/device", Some(sign), body, why);
            Ok(signed(login, text, method, "ProductSecret"))
        }
        Mode::Static => {
            let style = match given.get("style") {
                None | Some("muster") => Style::Muster,
                Some("c") => Style::LinkkitC,
                Some("python") => Style::LinkkitPython,
                Some("node") => Style::LinkkitNode,
                Some(_) => {
                    return Err(ToolError::new("style", "has to be muster, c, python or node"));
                }
            };
            let timestamp = given.get("timestamp").unwrap_or(FIXED_TIMESTAMP);
            let credential = login_connect(
                style,
                method,
                device,
                &Secret::from(given.need("device_secret")?),
                secure_mode,
                timestamp,
            );
            let why = "The password is the HMAC by the DeviceSecret of clientId…deviceName…productKey…timestamp….";
            // The part of the ClientID that is signed.
            let id = credential.client_id.split('|').next().unwrap_or_default();
            let (pk, dn) = (device.product_key, device.device_name);
            let text = ["clientId", id, "deviceName", dn, "productKey", pk, "timestamp", timestamp];
            Ok(signed(login(&credential, why), text.concat(), method, "DeviceSecret"))
        }
        Mode::Token => {
            let token = Secret::from(given.need("device_token")?);
            let credential = token_connect(device, given.need("client_id")?, &token);
            Ok(login(
                &credential,
                "The password is the token that registration without import gave.",
            ))
        }
    }
}

/// What a registration signs.
fn registration_text(device: Device<'_>, random: &str) -> String {
    let (pk, dn) = (device.product_key, device.device_name);
    ["deviceName", dn, "productKey", pk, "random", random].concat()
}

/// With the steps of an HMAC.
fn signed(
    login: CredentialsOutput,
    text: String,
    method: SignMethod,
    key: &str,
) -> CredentialsOutput {
    let mut login = login;
    let algorithm = match method {
        SignMethod::HmacSha256 => "HMAC-SHA256",
        SignMethod::HmacSha1 => "HMAC-SHA1",
        SignMethod::HmacMd5 => "HMAC-MD5",
    };
    let digest = login.sign.as_ref().or(login.password.as_ref()).cloned().unwrap_or_default();
    login.steps.extend([
        ToolStep::new("names and values, sorted, joined", text.as_str()),
        ToolStep::new("bytes to sign", text.len().to_string()),
        ToolStep::new("algorithm", algorithm),
        ToolStep::new("key", key),
        ToolStep::new("HMAC", digest),
    ]);
    login.string_to_sign = Some(text);
    login
}

/// No MQTT here: the credential travels in each body.
fn cmcc(mode: Mode, given: &Given<'_>) -> Result<CredentialsOutput, ToolError> {
    let (path, keys): (_, &[(&str, &str)]) = match mode {
        Mode::Dynamic => (
            "v2/customer/device/secret/info",
            &[
                ("deviceNoType", "device_no_type"),
                ("deviceNo", "device_no"),
                ("productId", "product_id"),
                ("productKey", "product_key"),
            ],
        ),
        _ => (
            "v2/customer/device/report",
            &[
                ("deviceId", "device_id"),
                ("deviceSecret", "device_secret"),
                ("productId", "product_id"),
                ("productKey", "product_key"),
            ],
        ),
    };
    given.known(&[
        "device_no_type",
        "device_no",
        "device_id",
        "device_secret",
        "product_id",
        "product_key",
    ])?;
    let mut body = json::Object::new();
    for (name, key) in keys {
        body = body.string(name, given.need(key)?);
    }
    let why = "This platform has no MQTT login. The credential is part of the body.";
    Ok(request(path, None, body.end(), why))
}
