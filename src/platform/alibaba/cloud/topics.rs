//! What devices publish, by topic: Alink JSON `{id, version, params, method}`, answered on `…_reply` with
//! `{code, data, id, message, method, version}`.
//!
//! Sources: iotkit-embedded `dev_bind/impl` and `awss_cmp_mqtt.c` for the awss topics, help.aliyun.com "device
//! properties, events and services", "OTA" and "topological relationships" for the rest. What is not the device's own
//! topic is dropped and logged.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};

use super::CloudState;
use super::business::No;
use super::provisioning::key_secret;
use super::registration::message;
use super::registry::{BindToken, Key};
use crate::cloud::{CloudCx, What};
use crate::json::{self, Document, Object, Value};
use crate::output::QoS;
use crate::platform::alibaba::cipher::{CipherType, Random, derive};
use crate::secret::Secret;

/// Reports are for people: longer ones are cut.
const MAX_REPORT: usize = 4_096;

impl CloudState {
    pub(super) fn uplink(&mut self, key: &Key, topic: &str, payload: &[u8], cx: &mut CloudCx<'_>) {
        let document = Document::parse(payload);
        let object = document.as_ref().ok().and_then(|document| document.object().ok());
        if let Some(suffix) = key.after("/sys/", topic).and_then(|rest| rest.strip_prefix('/')) {
            let Some(message) = object else {
                return cx.log(What::Dropped, key, "not a JSON object");
            };
            self.alink(key, suffix, message, cx);
        } else if key.after("/ota/device/inform/", topic) == Some("") {
            if object.is_none_or(|message| self.inform(key, message, cx).is_none()) {
                cx.log(What::Dropped, key, "an inform without version");
            }
        } else if key.after("/ota/device/progress/", topic) == Some("") {
            if object.is_none_or(|message| self.progress(key, message, cx).is_none()) {
                cx.log(What::Dropped, key, "a progress without step");
            }
        } else if key.after("/", topic).is_some_and(|rest| rest.starts_with("/user/")) {
            self.keep_report(key, "user", &String::from_utf8_lossy(payload), cx);
        } else {
            let shown: String = topic.chars().filter(|c| !c.is_control()).take(128).collect();
            cx.log(What::Dropped, key, format!("no topic of this device: {shown}"));
        }
    }

    fn alink(&mut self, key: &Key, suffix: &str, alink: Value<'_>, cx: &mut CloudCx<'_>) {
        let empty = || Ok(Cow::Borrowed("{}"));
        let params = alink.get("params");
        let data: Result<Cow<'static, str>, u64> = match suffix {
            "thing/awss/enrollee/match" => self.take_token(key, params, cx).and_then(|()| empty()),
            "thing/awss/enrollee/found" => {
                params.and_then(|params| self.found(key, params, cx)).map(Cow::from).ok_or(460)
            }
            "thing/cipher/get" => {
                params.ok_or(460).and_then(|params| self.cipher_for(params, cx)).map(Cow::from)
            }
            "thing/reset" => {
                self.unbind(key, cx);
                empty()
            }
            "thing/topo/add" => {
                params.ok_or(460).and_then(|params| self.topo_add(key, params, cx)).map(Cow::from)
            }
            "thing/topo/delete" => params
                .ok_or(460)
                .and_then(|params| self.topo_delete(key, params, cx))
                .map(Cow::from),
            "thing/topo/get" => Ok(self.topo_get(key).into()),
            "thing/ota/firmware/get" => Ok(self.pending_upgrade(key, params, cx).into()),
            _ if suffix.ends_with("_reply") => {
                let code: String =
                    alink.text("code").map(|c| c.chars().take(16).collect()).unwrap_or_default();
                return cx.log(What::Reported, key, format!("{}: {code}", shown(suffix)));
            }
            _ if is_report(suffix) => match params {
                Some(params) if params.is_object() => {
                    self.keep_report(key, shown(suffix).as_str(), params.raw(), cx);
                    empty()
                }
                _ => Err(460),
            },
            _ => {
                let detail = format!("nothing is known under {}", shown(suffix));
                return cx.log(What::Dropped, key, detail);
            }
        };
        self.alink_reply(key, suffix, alink, data, cx);
    }

    fn alink_reply(
        &self,
        key: &Key,
        suffix: &str,
        alink: Value<'_>,
        data: Result<Cow<'static, str>, u64>,
        cx: &mut CloudCx<'_>,
    ) {
        let Some(connection) = self.sessions.of(key) else { return };
        let id = alink.get("id").filter(|id| id.as_text().is_some() && id.raw().len() <= 64);
        let id = id.map_or("\"\"", Value::raw);
        let (code, data, text) = match &data {
            Ok(data) => (200, &**data, "success"),
            Err(code) => (i64::try_from(*code).unwrap_or(500), "{}", message(*code)),
        };
        if code != 200 {
            cx.log(What::Refused, key, format!("{}: {code} {text}", shown(suffix)));
        }
        let payload = Object::new()
            .number("code", code)
            .raw("data", data)
            .raw("id", id)
            .string("message", text)
            .string("method", &suffix.replace('/', "."))
            .string("version", "1.0")
            .bytes();
        let topic = ["/sys/", key.path(), "/", suffix, "_reply"].concat();
        cx.publish(connection, topic, QoS::AtLeastOnce, payload);
    }

    /// A bind token: the device will announce it to the app on the local network. Told again, it does not grow younger.
    fn take_token(
        &mut self,
        key: &Key,
        params: Option<Value<'_>>,
        cx: &mut CloudCx<'_>,
    ) -> Result<(), u64> {
        let token = params.and_then(|params| params.get("token")).and_then(Value::as_str);
        let token = token.ok_or(460u64)?;
        let good = (1..=64).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !good {
            return Err(460);
        }
        let now = cx.unix();
        let life = self.registry.settings.token_seconds.saturating_mul(1_000);
        self.registry.edit_device(key, cx, |device| {
            let known = device
                .token
                .as_ref()
                .is_some_and(|t| t.is(&token) && now < t.reported.saturating_add(life));
            if !known {
                device.token = Some(BindToken::new(token.into_owned(), now));
            }
            device.last_active = Some(now);
        });
        cx.log(What::Reported, key, "a bind token");
        Ok(())
    }

    /// The MQTT twin of `/awss/cipher/get`, for a device that provisions its neighbour.
    fn cipher_for(&mut self, params: Value<'_>, cx: &mut CloudCx<'_>) -> Result<String, u64> {
        let product = params.text("productKey").ok_or(460u64)?;
        let device = params.text("deviceName").ok_or(460u64)?;
        let cipher = match params.get("cipherType") {
            None => CipherType::default(),
            Some(value) => value
                .as_u64()
                .and_then(CipherType::from_number)
                .filter(|c| !c.is_ble())
                .ok_or(460u64)?,
        };
        let random: Random =
            params.text("random").and_then(|random| random.parse().ok()).ok_or(460u64)?;
        let no = |no: No| no.code;
        let secret = key_secret(&self.registry, cipher, &product, Some(&device)).map_err(no)?;
        let enrollee = self.known(&product, &device).map_err(no)?;
        let derived = derive(cipher, &secret, None, random).map_err(|_| 500u64)?;
        self.discovery.provisioning(enrollee, cx);
        Ok(Object::new()
            .string("productKey", &product)
            .string("deviceName", &device)
            .string("secret", derived.key_hex().expose())
            .end())
    }

    /// `thing/reset`: the device was put back to factory settings by hand, and is nobody's again.
    pub(super) fn unbind(&mut self, key: &Key, cx: &mut CloudCx<'_>) {
        let had = self.registry.edit_device(key, cx, |device| {
            device.home = None;
            device.token = None;
            device.permit = None;
            device.owner.take().is_some()
        });
        if had == Some(true) {
            cx.log(What::Bound, key, "released from its owner");
        }
    }

    pub(super) fn keep_report(&mut self, key: &Key, what: &str, json: &str, cx: &mut CloudCx<'_>) {
        let now = cx.unix();
        let mut text: String = json.chars().take(MAX_REPORT).collect();
        if let Some(device) = self.registry.device(key) {
            text = mask(&text, &device.secret);
            if let Some(login) = &device.token_login {
                text = mask(&text, &login.token);
            }
        }
        if let Some(product) = self.registry.product(key.product()) {
            text = mask(&text, &product.secret);
        }
        let whole = Document::parse(text.as_bytes()).is_ok();
        let body = if whole { text } else { json::string(&text) };
        let report = Object::new().string("topic", what).raw("params", &body).end();
        self.registry.report(key, report, cx);
        self.registry.edit_device(key, cx, |device| device.last_active = Some(now));
        cx.log(What::Reported, key, what.to_string());
    }
}

/// Properties, events, and what else is told and not asked.
fn is_report(suffix: &str) -> bool {
    let event = suffix.strip_prefix("thing/event/").and_then(|rest| rest.strip_suffix("/post"));
    event.is_some_and(|name| !name.is_empty() && !name.contains('/'))
        || suffix == "thing/deviceinfo/update"
}

fn mask(text: &str, secret: &Secret) -> String {
    if secret.expose().len() < 4 { text.to_string() } else { text.replace(secret.expose(), "***") }
}

fn shown(suffix: &str) -> String {
    suffix.chars().filter(|c| !c.is_control()).take(100).collect()
}
