//! Dynamic registration over HTTP: `POST /auth/register/device` with a form.
//!
//! Beyond the seed (help.aliyun.com "unique-certificate-per-product verification"). The rules that MQTT shares are here
//! too. Who was given a secret was heard of: an operator sees that there is a device behind the name. A registration
//! before the first login replaces the secret, and the last one counts; after it the answer is 6289. The reply is
//! compact and under 256 bytes, because the vendor's C reader wants it so.

use alloc::string::String;

use super::business::No;
use super::gateway::form_fields;
use super::registry::{Key, TokenLogin};
use super::{CloudState, MAX_NAME};
use crate::cloud::{CloudCx, HttpRequest, RequestId, What};
use crate::http::Response;
use crate::json::Object;
use crate::platform::alibaba::credentials::{Device as Name, SignMethod, registration_sign};
use crate::secret::Secret;

/// What a device says to be registered.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    pub(super) key: Key,
    pub(super) random: &'a str,
    pub(super) method: SignMethod,
    pub(super) sign: &'a str,
}

impl CloudState {
    pub(super) fn register_over_http(
        &mut self,
        id: RequestId,
        request: &HttpRequest,
        cx: &mut CloudCx<'_>,
    ) {
        let body = match self.registered(request, cx) {
            Ok((key, secret)) => Object::new()
                .number("code", 200)
                .object("data", credential(&key, "deviceSecret", &secret))
                .string("message", "success")
                .end(),
            Err((subject, code)) => {
                let message = message(code);
                cx.log(What::Refused, subject, message);
                Object::new()
                    .number("code", i64::try_from(code).unwrap_or(500))
                    .string("message", message)
                    .end()
            }
        };
        cx.respond(id, Response::json(body));
    }

    fn registered(
        &mut self,
        request: &HttpRequest,
        cx: &mut CloudCx<'_>,
    ) -> Result<(Key, Secret), (String, u64)> {
        let nobody = |code| (String::new(), code);
        if request.method != "POST" {
            return Err(nobody(400));
        }
        const FIELDS: [&str; 5] = ["productKey", "deviceName", "random", "signMethod", "sign"];
        let mut form = [const { None }; FIELDS.len()];
        for (name, value) in form_fields(&request.body) {
            // The first of several counts.
            if let Some((_, place)) =
                FIELDS.iter().zip(&mut form).find(|(known, _)| **known == name)
            {
                place.get_or_insert(value);
            }
        }
        let [product, device, random, method, sign] = form.each_ref().map(|value| {
            let value = value.as_deref().unwrap_or_default();
            Some(value).filter(|value| (1..=MAX_NAME).contains(&value.len())).ok_or(nobody(460))
        });
        let claim = Claim {
            key: Key::new(product?, device?),
            random: random?,
            method: method?.parse().map_err(|_| nobody(460))?,
            sign: sign?,
        };
        let refused = |code| (subject(&claim.key), code);
        self.check_claim(&claim).map_err(refused)?;
        let secret = self.issue_secret(&claim.key, cx).map_err(refused)?;
        Ok((claim.key, secret))
    }

    /// Whether the claim is signed with the product's secret.
    pub(super) fn check_claim(&self, claim: &Claim<'_>) -> Result<(), u64> {
        let product = self.registry.product(claim.key.product()).ok_or(5005u64)?;
        let name = Name { product_key: claim.key.product(), device_name: claim.key.device() };
        let ours = registration_sign(claim.method, name, &product.secret, claim.random);
        if SignMethod::matches(&ours, claim.sign) { Ok(()) } else { Err(401) }
    }

    /// A new secret for a device that was imported and never logged in.
    pub(super) fn issue_secret(&mut self, key: &Key, cx: &mut CloudCx<'_>) -> Result<Secret, u64> {
        let product = self.registry.product(key.product()).ok_or(5005u64)?;
        if !product.switches.dynamic_register {
            return Err(403);
        }
        let secret = Secret::new(cx.rng.hex::<16>());
        let now = cx.unix();
        let issued = self.registry.try_edit_device(key, cx, |device| {
            if device.disabled {
                return Err(6204);
            }
            if device.activated.is_some() {
                return Err(6289);
            }
            device.secret = secret.clone();
            device.last_active = Some(now);
            Ok(())
        });
        issued.unwrap_or(Err(6100u64))?;
        cx.log(What::SecretIssued, key, "dynamic registration");
        Ok(secret)
    }

    /// A client id and token for a device that need not have been imported.
    pub(super) fn issue_token(
        &mut self,
        key: &Key,
        cx: &mut CloudCx<'_>,
    ) -> Result<TokenLogin, u64> {
        let product = self.registry.product(key.product()).ok_or(5005u64)?;
        if !product.switches.without_whitelist {
            return Err(403);
        }
        if !is_device_name(key.device()) {
            return Err(460);
        }
        match self.registry.device(key) {
            None => {
                let secret = Secret::new(cx.rng.hex::<16>());
                self.registry.add_device(key.clone(), secret, cx).map_err(|_| 403u64)?;
            }
            Some(device) if device.disabled => return Err(6204),
            Some(device) if device.activated.is_some() => return Err(6289),
            Some(_) => {}
        }
        let login = TokenLogin {
            client_id: cx.rng.alphanumeric(32),
            token: Secret::new(cx.rng.alphanumeric(32)),
        };
        let (kept, now) = (login.clone(), cx.unix());
        self.registry.edit_device(key, cx, |device| {
            device.token_login = Some(kept);
            device.last_active = Some(now);
        });
        cx.log(What::SecretIssued, key, "registration without whitelist");
        Ok(login)
    }
}

/// `{productKey, deviceName, <name>: secret}`.
pub(super) fn credential(key: &Key, name: &str, secret: &Secret) -> Object {
    Object::new()
        .string("productKey", key.product())
        .string("deviceName", key.device())
        .string(name, secret.expose())
}

/// The text of a code in this protocol.
pub(super) fn message(code: u64) -> &'static str {
    match code {
        6289 => "device is already active",
        _ => No::code(code).english(),
    }
}

/// 4 to 32 letters, digits and `-_.@:`.
pub(super) fn is_device_name(name: &str) -> bool {
    (4..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@:".contains(&b))
}

/// 1 to 32 letters and digits; the vendor's own have 11.
pub(super) fn is_product_key(key: &str) -> bool {
    (1..=32).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A device's name for the log, even one that a stranger made up.
pub(super) fn subject(key: &Key) -> String {
    key.path().chars().filter(|c| !c.is_control()).take(80).collect()
}
