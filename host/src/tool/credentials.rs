//! `muster tool credentials`.

use muster::alibaba::credentials::{
    AuthType, Device, FIXED_TIMESTAMP, MqttCredential, SecureMode, SignMethod, Style,
    login_connect, registration_connect, registration_form, token_connect,
};
use muster::{Agent, Command, Config, Now, Output, PlatformName, Secret, Settings, Stored};
use serde_json::{Value, json};

use super::{Answer, unusable};
use crate::exit::Exit;

/// Make the login (ClientID, user name, password) that a device uses.
///
/// ucloud dynamic: product_sn, product_secret, device_sn; ucloud static: product_sn, device_sn, device_secret.
/// krtyun dynamic: product_id, product_secret, device_id; krtyun static: product_id, device_id, device_secret.
/// alibaba dynamic-mqtt (also regnwl): product_key, product_secret, device_name, random
/// [, auth_type, secure_mode, sign_method, instance_id]; alibaba dynamic-http: the same, gives the form body;
/// alibaba static: product_key, device_name, device_secret [, timestamp, secure_mode, sign_method, style];
/// alibaba token: product_key, device_name, client_id, device_token.
/// cmcc has no MQTT: dynamic gives the body of secret/info, static that of a report's credentials.
/// The spelling of a key does not matter: product_sn, ProductSN and productSn are one.
#[derive(Debug, clap::Args)]
pub(super) struct Credentials {
    /// ucloud, cmcc, krtyun or alibaba.
    #[arg(long)]
    platform: String,
    /// dynamic (register with the product's secret), static (log in with the device's own), for alibaba also
    /// dynamic-mqtt, dynamic-http, regnwl, token.
    #[arg(long)]
    mode: String,
    /// KEY=VALUE, any number of times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
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

/// The values given, found by a key's letters alone.
struct Given(Vec<(String, String)>);

impl Given {
    fn parse(set: &[String]) -> Result<Self, Exit> {
        let pair = |text: &String| {
            let (key, value) =
                text.split_once('=').ok_or_else(|| unusable("--set", "write it as KEY=VALUE"))?;
            Ok((letters(key), value.to_owned()))
        };
        set.iter().map(pair).collect::<Result<_, _>>().map(Self)
    }

    fn get(&self, key: &str) -> Option<&str> {
        let key = letters(key);
        self.0.iter().rev().find(|(k, _)| *k == key).map(|(_, value)| value.as_str())
    }

    fn need(&self, key: &str) -> Result<&str, Exit> {
        self.get(key).ok_or_else(|| unusable("--set", format!("`{key}` is missing")))
    }

    fn known(&self, known: &[&str]) -> Result<(), Exit> {
        match self.0.iter().find(|(key, _)| !known.iter().any(|k| letters(k) == *key)) {
            Some((key, _)) => Err(unusable(
                "--set",
                format!("`{key}` is not used here; known are {}", known.join(", ")),
            )),
            None => Ok(()),
        }
    }
}

fn letters(key: &str) -> String {
    key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

impl Credentials {
    pub(super) fn answer(self) -> Result<Answer, Exit> {
        let platform: PlatformName =
            self.platform.parse().map_err(|e| unusable("--platform", e))?;
        let mode = Mode::parse(&self.mode).ok_or_else(|| {
            unusable(
                "--mode",
                "has to be dynamic or static; for alibaba also dynamic-http, regnwl or token",
            )
        })?;
        let given = Given::parse(&self.set)?;
        match (platform, mode) {
            (PlatformName::Alibaba, mode) => alibaba(mode, &given),
            (PlatformName::Cmcc, Mode::Dynamic | Mode::Static) => cmcc(mode, &given),
            (PlatformName::Ucloud | PlatformName::Krtyun, Mode::Dynamic | Mode::Static) => {
                shown_by_agent(platform, mode, &given)
            }
            _ => Err(unusable("--mode", "this platform has dynamic and static")),
        }
    }
}

fn answer(credential: &MqttCredential, why: &str) -> Answer {
    let (client_id, username, password) =
        (&credential.client_id, &credential.username, credential.password.expose());
    Answer {
        json: json!({ "client_id": client_id, "username": username, "password": password }),
        text: format!(
            "ClientID   {client_id}\nUser name  {username}\nPassword   {password}\n\n{why}"
        ),
    }
}

/// UCloud and krtyun: what the agent itself would send, so that there is one rule only.
fn shown_by_agent(platform: PlatformName, mode: Mode, given: &Given) -> Result<Answer, Exit> {
    let (names, product_secret) = match platform {
        PlatformName::Ucloud => (["product_sn", "device_sn"], "product_secret"),
        _ => (["product_id", "device_id"], "product_secret"),
    };
    let secret = if mode == Mode::Dynamic { product_secret } else { "device_secret" };
    given.known(&[names[0], names[1], "product_secret", "device_secret"])?;
    let mut settings = Settings::new().with("broker", "mqtt://127.0.0.1");
    for key in [names[0], names[1], secret] {
        settings.set(key, given.need(key)?);
    }
    let config = Config::from_settings(platform, &settings).map_err(|e| unusable("--set", e))?;
    let mut agent = Agent::new(config, Stored::empty(), [0; 32], Now::mono(0))
        .map_err(|e| unusable("--set", format!("{e:?}")))?;
    loop {
        match agent.poll_output() {
            Output::Command(Command::Connect(_, connect)) => {
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
                let credential = MqttCredential {
                    client_id: connect.client_id.clone(),
                    username: connect.username.clone(),
                    password: connect.password.clone(),
                };
                return Ok(answer(&credential, why));
            }
            Output::Timeout(_) => return Err(unusable("--set", "these settings lead to no login")),
            _ => {}
        }
    }
}

fn alibaba(mode: Mode, given: &Given) -> Result<Answer, Exit> {
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
        Some(name) => name.parse().map_err(|e| unusable("sign_method", e))?,
    };
    let secure_mode = match given.get("secure_mode") {
        None => None,
        Some("2") => Some(SecureMode::Tls),
        Some("3") => Some(SecureMode::Tcp),
        Some("-2") => Some(SecureMode::NoWhitelist),
        Some(_) => return Err(unusable("secure_mode", "has to be 2, 3 or -2")),
    };
    match mode {
        Mode::Dynamic | Mode::Regnwl => {
            let auth_type = match given.get("auth_type") {
                Some("regnwl") => AuthType::Regnwl,
                Some("register") => AuthType::Register,
                None if mode == Mode::Regnwl => AuthType::Regnwl,
                None => AuthType::Register,
                Some(_) => return Err(unusable("auth_type", "has to be register or regnwl")),
            };
            let credential = registration_connect(
                method,
                device,
                &Secret::from(given.need("product_secret")?),
                given.need("random")?,
                auth_type,
                secure_mode.unwrap_or(SecureMode::Tls),
                given.get("instance_id"),
            );
            Ok(answer(
                &credential,
                "The password is the HMAC by the ProductSecret of deviceName…productKey…random….",
            ))
        }
        Mode::DynamicHttp => {
            let secret = Secret::from(given.need("product_secret")?);
            let body = registration_form(method, device, &secret, given.need("random")?);
            let sign = muster::alibaba::credentials::registration_sign(
                method,
                device,
                &secret,
                given.need("random")?,
            );
            Ok(Answer {
                json: json!({
                    "client_id": Value::Null, "username": Value::Null, "password": Value::Null,
                    "sign": sign, "body": body,
                }),
                text: format!(
                    "POST /auth/register/device\nContent-Type: application/x-www-form-urlencoded\n\n{body}"
                ),
            })
        }
        Mode::Static => {
            let style = match given.get("style") {
                None | Some("muster") => Style::Muster,
                Some("c") => Style::LinkkitC,
                Some("python") => Style::LinkkitPython,
                Some("node") => Style::LinkkitNode,
                Some(_) => return Err(unusable("style", "has to be muster, c, python or node")),
            };
            let credential = login_connect(
                style,
                method,
                device,
                &Secret::from(given.need("device_secret")?),
                secure_mode.unwrap_or(SecureMode::Tls),
                given.get("timestamp").unwrap_or(FIXED_TIMESTAMP),
            );
            Ok(answer(
                &credential,
                "The password is the HMAC by the DeviceSecret of clientId…deviceName…productKey…timestamp….",
            ))
        }
        Mode::Token => {
            let token = Secret::from(given.need("device_token")?);
            let credential = token_connect(device, given.need("client_id")?, &token);
            Ok(answer(
                &credential,
                "The password is the token that registration without import gave.",
            ))
        }
    }
}

/// No MQTT here: the credential travels in each body.
fn cmcc(mode: Mode, given: &Given) -> Result<Answer, Exit> {
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
    let mut body = serde_json::Map::new();
    for (name, key) in keys {
        body.insert((*name).to_owned(), given.need(key)?.into());
    }
    let text = format!(
        "This platform has no MQTT login. The credential is part of the body of\n\n  POST {path}\n\n{}",
        serde_json::to_string_pretty(&body).unwrap_or_default()
    );
    let json = json!({
        "client_id": Value::Null, "username": Value::Null, "password": Value::Null, "path": path, "body": body,
    });
    Ok(Answer { json, text })
}
