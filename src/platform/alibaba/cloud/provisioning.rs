//! Filter, token check, the two binds, and keys: the seed's calls about a device that is not bound yet.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::CloudState;
use super::business::{Answer, No, Params};
use super::registry::{Key, Registry};
use crate::cloud::{CloudCx, What};
use crate::hex;
use crate::json::{self, Object};
use crate::platform::alibaba::cipher::{CipherType, Mac, Random, derive};
use crate::secret::Secret;

impl CloudState {
    /// `/awss/enrollee/product/filter`: of the devices that the app found, those that are known, of published
    /// products, and not bound to anybody.
    ///
    /// How `PRODUCT_SCOPE_ALL` travels is not in the document. (assumed) `params.productStatusEnv` = `dev`, the name a
    /// newer page has; or the switch `product_scope` for all calls.
    pub(super) fn filter(&self, params: Params<'_>) -> Answer {
        let list = params.0.get("iotDevices").filter(|list| list.is_array());
        let list = list.ok_or_else(|| No::param("iotDevices has to be a list"))?;
        let all = self.registry.settings.scope_all
            || params.maybe("productStatusEnv")?.is_some_and(|env| env == "dev");
        let mut found = Vec::new();
        for entry in list.elements() {
            if !entry.is_object() {
                return Err(No::param("iotDevices has to be a list of objects"));
            }
            let entry = Params(entry);
            let (pk, dn) = (entry.text("productKey")?, entry.text("deviceName")?);
            let Some(product) = self.registry.product(&pk) else { continue };
            let free = self
                .registry
                .device(&Key::new(&pk, &dn))
                .is_some_and(|device| device.owner.is_none() && !device.disabled);
            if free && (all || product.switches.published) {
                let switches = &product.switches;
                found.push(
                    Object::new()
                        .string("productKey", &pk)
                        .string("deviceName", &dn)
                        .string("productName", &product.name)
                        .raw("netType", &switches.net_type.to_string())
                        .raw("nodeType", &switches.node_type.to_string())
                        .string("categoryKey", &switches.category_key)
                        .string("categoryName", &switches.category_name)
                        .raw("categoryId", &switches.category_id.to_string())
                        .end(),
                );
            }
        }
        Ok(json::array(found))
    }

    /// `/awss/token/check`.
    pub(super) fn check_token(&self, params: Params<'_>, cx: &CloudCx<'_>) -> Answer {
        let token = params.text("token")?;
        let (product, device) = (params.maybe("productKey")?, params.maybe("deviceName")?);
        let product = match (&product, &device) {
            (None, Some(_)) => return Err(No::param("deviceName needs productKey")),
            (Some(product), Some(device)) => {
                self.known(product, device)?;
                Some(product)
            }
            (Some(product), None) => {
                self.registry.product(product).ok_or_else(|| No::code(5005))?;
                Some(product)
            }
            (None, None) => None,
        };
        let mut holders = self.registry.holders(&token, cx.unix());
        let holder = holders.find(|(key, _)| {
            product.is_none_or(|product| key.product() == &**product)
                && device.as_ref().is_none_or(|device| key.device() == &**device)
        });
        let (key, device) = holder.ok_or_else(|| No::code(6608))?;
        Ok(Object::new()
            .string("iotId", &device.iot_id)
            .string("productKey", key.product())
            .string("deviceName", key.device())
            .end())
    }

    /// `/awss/token/user/bind`.
    pub(super) fn bind_by_token(
        &mut self,
        who: &str,
        params: Params<'_>,
        cx: &mut CloudCx<'_>,
    ) -> Answer {
        let home = self.home(who, params)?;
        let token = params.text("token")?;
        let key = self.named(params)?;
        let holds = self.registry.holders(&token, cx.unix()).any(|(holder, _)| *holder == key);
        if !holds {
            return Err(No::code(6608));
        }
        self.bind(who, home, &key, cx)
    }

    /// `/awss/time/window/user/bind`: whoever asks in the first minutes after power-on gets the device.
    pub(super) fn bind_by_window(
        &mut self,
        who: &str,
        params: Params<'_>,
        cx: &mut CloudCx<'_>,
    ) -> Answer {
        let home = self.home(who, params)?;
        let key = self.named(params)?;
        let window = self.registry.settings.window_seconds.saturating_mul(1_000);
        let power_on = self.registry.device(&key).and_then(|device| device.power_on);
        let open = power_on.is_some_and(|at| cx.unix() < at.saturating_add(window));
        if !open {
            let code = self.registry.settings.window_expired_code;
            return Err(No::because(code, "the time window is not open"));
        }
        self.bind(who, home, &key, cx)
    }

    /// The home to bind to. One that is not the caller's is a bad parameter (assumed).
    fn home(&self, who: &str, params: Params<'_>) -> Result<String, No> {
        let own = self.registry.owner(who).ok_or_else(|| No::code(401))?;
        match params.maybe("homeId")? {
            Some(home) if home == own.home.as_str() => Ok(own.home.clone()),
            Some(_) => Err(No::param("homeId is no home of this user")),
            None if self.registry.settings.home_required => Err(No::param("homeId is missing")),
            None => Ok(own.home.clone()),
        }
    }

    /// Binding again to the same owner is a success, so that an app may ask again after a lost reply.
    fn bind(&mut self, who: &str, home: String, key: &Key, cx: &mut CloudCx<'_>) -> Answer {
        let device = self.registry.device(key).ok_or_else(|| No::code(6100))?;
        let iot_id = device.iot_id.clone();
        if device.disabled {
            return Err(No::code(6204));
        }
        let rebind = self.registry.product(key.product()).is_some_and(|p| p.switches.rebind);
        match device.owner.as_deref() {
            Some(owner) if owner == who => return Ok(self.bound_data(&iot_id, key.product())),
            Some(_) if !rebind => return Err(No::code(2066)),
            _ => {}
        }
        self.registry.edit_device(key, cx, |device| {
            device.owner = Some(who.to_string());
            device.home = Some(home);
            device.announced = None;
        });
        self.discovery.forget(key);
        cx.log(What::Bound, key, "bound to its owner");
        Ok(self.bound_data(&iot_id, key.product()))
    }

    fn bound_data(&self, iot_id: &str, product: &str) -> String {
        if !self.registry.settings.bind_data_object {
            return json::string(iot_id);
        }
        let category = self.registry.product(product).map(|p| p.switches.category_key.as_str());
        Object::new().string("iotId", iot_id).maybe("categoryKey", category).end()
    }

    /// `/awss/cipher/get`.
    pub(super) fn cipher(&mut self, params: Params<'_>, cx: &mut CloudCx<'_>) -> Answer {
        let info = params.object("deviceInfoForCipher")?;
        let cipher = match info.0.get("cipherType") {
            None => CipherType::default(),
            Some(value)
                if value.is_string() && value.as_str().is_some_and(|text| text.is_empty()) =>
            {
                CipherType::default()
            }
            Some(_) => CipherType::from_number(info.integer("cipherType", 3, 7)?)
                .ok_or_else(|| No::param("cipherType has to be 3, 4, 6 or 7"))?,
        };
        let random: Random = info
            .text("random")?
            .parse()
            .map_err(|_| No::param("random has to be 32 hex characters"))?;
        let more = info.object("params")?;
        let (product, mac) = if cipher.is_ble() {
            let id = info.text("productId")?;
            let mac: Mac = more
                .text("mac")?
                .parse()
                .map_err(|_| No::param("params.mac has to be 6 bytes of hex"))?;
            let product = self.registry.product_of_id(&id).ok_or_else(|| No::code(5005))?;
            (product.to_string(), Some(mac))
        } else {
            (info.text("productKey")?.to_string(), None)
        };
        let device = if cipher.is_per_device() {
            Some(info.text("deviceName")?)
        } else {
            info.maybe("deviceName")?
        };
        let secret = key_secret(&self.registry, cipher, &product, device.as_deref())?;
        let derived = derive(cipher, &secret, mac, random).map_err(|_| No::code(500))?;
        if let Some(device) = device {
            self.discovery.provisioning(Key::new(&product, &device), cx);
        }
        if self.registry.settings.cipher_length == 64 {
            Ok(json::string(&hex::upper(&derived.sha256)))
        } else {
            Ok(json::string(derived.key_hex().expose()))
        }
    }
}

/// The secret that a key is derived from.
pub(super) fn key_secret(
    registry: &Registry,
    cipher: CipherType,
    product: &str,
    device: Option<&str>,
) -> Result<Secret, No> {
    let found = registry.product(product).ok_or_else(|| No::code(5005))?;
    if !cipher.is_per_device() {
        return Ok(found.secret.clone());
    }
    let device = device.ok_or_else(|| No::param("deviceName is missing"))?;
    let device = registry.device(&Key::new(product, device)).ok_or_else(|| No::code(6100))?;
    Ok(device.secret.clone())
}
