//! `muster tool credentials`.

use std::collections::BTreeMap;

use muster::PlatformName;
use muster::tool::{CredentialsInput, credentials};
use serde_json::{Value, json};

use super::{Answer, explained, refused, unusable};
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

impl Credentials {
    pub(super) fn answer(self) -> Result<Answer, Exit> {
        let platform: PlatformName =
            self.platform.parse().map_err(|e| unusable(format_args!("--platform: {e}")))?;
        let mut settings = BTreeMap::new();
        for text in &self.set {
            let (key, value) =
                text.split_once('=').ok_or_else(|| unusable("--set: write it as KEY=VALUE"))?;
            settings.insert(key.to_owned(), value.to_owned());
        }
        let login = credentials(&CredentialsInput { platform, mode: self.mode, settings })
            .map_err(refused)?;
        let mut text = String::new();
        for (name, value) in [
            ("ClientID ", &login.client_id),
            ("User name", &login.username),
            ("Password ", &login.password),
            ("POST     ", &login.path),
            ("Body     ", &login.body),
        ] {
            if let Some(value) = value {
                text.push_str(&format!("{name}  {value}\n"));
            }
        }
        text.push('\n');
        text.push_str(&explained(&login.steps));
        let mut json = json!({
            "client_id": login.client_id, "username": login.username, "password": login.password,
        });
        if let Some(path) = login.path {
            json["path"] = path.into();
        }
        if let Some(sign) = login.sign {
            json["sign"] = sign.into();
        }
        if let Some(body) = login.body {
            // JSON as JSON; a form as the text it is.
            json["body"] = serde_json::from_str(&body).unwrap_or(Value::String(body));
        }
        Ok(Answer { json, text })
    }
}
