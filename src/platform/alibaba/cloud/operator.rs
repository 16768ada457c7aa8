//! What an operator does in the vendor's console.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::CloudState;
use super::account::new_session;
use super::registration::{is_device_name, is_product_key};
use super::registry::{AppKey, Device, Key, Product, no_device, no_product};
use super::switches::{ProductSwitches, flag};
use crate::cloud::{
    Action, BindTokenView, CloudCx, DeviceView, Firmware, GatewayView, Import, MOST_LISTED,
    Operation, OperationError, OperationResult, OwnerView, PermitView, ProductView, ReportView,
    SubDeviceView, What, asked_for,
};
use crate::json::Document;
use crate::secret::Secret;

type Done = Result<OperationResult, OperationError>;

/// The vendor's own spelling, and the one that goes with the other platforms' imports.
const COLUMNS: [&str; 4] = ["DeviceName", "DeviceSecret", "device_name", "device_secret"];

impl CloudState {
    pub(super) fn operated(&mut self, operation: Operation, cx: &mut CloudCx<'_>) -> Done {
        let (name, only_looks) = (operation.action.name(), operation.action.only_looks());
        let subject = if only_looks { String::new() } else { operation.action.subject() };
        let done = self.act(operation.action, cx)?;
        if !only_looks {
            cx.log(What::Operated, subject, name);
        }
        Ok(done)
    }

    fn act(&mut self, action: Action, cx: &mut CloudCx<'_>) -> Done {
        match action {
            Action::CreateProduct { name, id, secret, switches } => {
                self.create_product(name, id, secret, &switches, cx)
            }
            Action::ListProducts { reveal } => {
                let items = self.registry.products();
                let items = items.map(|(key, product)| product_view(key, product, reveal));
                Ok(OperationResult::Products { items: items.collect() })
            }
            Action::ImportDevices { product, csv } => self.import(&product, &csv, cx),
            Action::ListDevices { product, after, limit, reveal } => {
                let found = self.registry.product(&product).ok_or_else(no_product)?;
                let total = found.devices;
                let limit = limit.unwrap_or(100).min(1_000);
                let names = self.registry.names(&product, after.as_deref()).take(limit);
                let items = names.map(|(key, device)| self.device_view(key, device, reveal));
                Ok(OperationResult::Devices { total, items: items.collect() })
            }
            Action::GetDevices { product, devices, reveal } => {
                let total = self.registry.product(&product).ok_or_else(no_product)?.devices;
                let names = asked_for(devices)?;
                let view = |name: &String| {
                    let key = Key::new(&product, name);
                    Some(self.device_view(&key, self.registry.device(&key)?, reveal))
                };
                let items = names.iter().filter_map(view).collect();
                Ok(OperationResult::Devices { total, items })
            }
            Action::Switch { product: Some(product), name, value } => {
                self.switch_product(&product, &name, &value, cx)
            }
            Action::Switch { product: None, name, value } => {
                self.switch_platform(&name, &value, cx)
            }
            Action::Disable { product, device, disabled } => {
                let key = self.existing(&product, &device)?;
                self.registry.edit_device(&key, cx, |device| device.disabled = disabled);
                if disabled {
                    self.close_session(&key, "disabled by the operator", cx);
                }
                Ok(OperationResult::Done)
            }
            Action::Reset { product, device, new_secret } => {
                let key = self.existing(&product, &device)?;
                self.unbind(&key, cx);
                let fresh = new_secret.then(|| Secret::new(cx.rng.hex::<16>()));
                self.registry.edit_device(&key, cx, |device| {
                    device.activated = None;
                    device.power_on = None;
                    device.token_login = None;
                    if let Some(secret) = fresh {
                        device.secret = secret;
                    }
                });
                self.close_session(&key, "reset by the operator", cx);
                Ok(OperationResult::Done)
            }
            Action::DeleteDevice { product, device } => {
                let key = self.existing(&product, &device)?;
                self.close_session(&key, "deleted by the operator", cx);
                self.discovery.forget(&key);
                self.registry.remove_device(&key, cx);
                Ok(OperationResult::Done)
            }
            Action::AddFirmware { product, module, version, url, size, md5, sha256 } => {
                let image = Firmware { module, version, url, size, md5, sha256 };
                self.add_firmware(&product, image, cx)
            }
            Action::ListFirmware { product } => {
                let found = self.registry.product(&product).ok_or_else(no_product)?;
                let items = found.firmware.iter().map(Firmware::view).collect();
                Ok(OperationResult::Firmware { items })
            }
            Action::PushUpgrade { product, module, version, devices } => {
                self.push_upgrade(&product, module.as_deref(), &version, devices, cx)
            }
            Action::CancelUpgrade { product, module, devices } => {
                self.cancel_upgrade(&product, module.as_deref(), devices, cx)
            }
            Action::ListUpgrades { product } => self.list_upgrades(&product),
            Action::SetProperties { product, device, json } => {
                self.set_properties(&product, &device, &json, cx)
            }
            Action::ListReports { product, device } => {
                let key = self.existing(&product, &device)?;
                let items = self.registry.reports(&key);
                let items = items.map(|r| ReportView { at: r.at, json: r.json.clone() }).collect();
                Ok(OperationResult::Reports { items })
            }
            Action::CreateOwner { identity } => self.create_owner(&identity, cx),
            Action::ListOwners { reveal } => {
                let items = self.registry.owners();
                let items = items.map(|(identity, _)| self.owner_view(identity, reveal));
                Ok(OperationResult::Owners { items: items.collect() })
            }
            Action::AddTopology { product, device, sub_product, sub_device } => {
                let gateway = Key::new(&product, &device);
                self.add_topology(&gateway, &Key::new(&sub_product, &sub_device), cx)?;
                Ok(OperationResult::Done)
            }
            Action::RemoveTopology { product, device, sub_product, sub_device } => {
                let gateway = self.existing(&product, &device)?;
                let sub = self.existing(&sub_product, &sub_device)?;
                self.take_from_gateway(&gateway, &sub, cx)?;
                Ok(OperationResult::Done)
            }
            Action::ListTopology => Ok(OperationResult::Topology { items: self.gateways(cx) }),
            Action::ListBindTokens { reveal } => {
                Ok(OperationResult::BindTokens { items: self.bind_tokens(reveal, cx) })
            }
            Action::Permit { product, device, sub_product, seconds } => {
                let gateway = self.existing(&product, &device)?;
                if !self.is_gateway(&gateway) {
                    return Err(OperationError::invalid(
                        "no gateway: its product's nodeType has to be 1",
                    ));
                }
                if seconds > 65_535 {
                    return Err(OperationError::invalid(
                        "seconds: 0 always, 1 to 65534, 65535 closed",
                    ));
                }
                if let Some(product) = &sub_product {
                    self.registry.product(product).ok_or_else(no_product)?;
                }
                self.set_permit(&gateway, sub_product.as_deref(), u64::from(seconds), cx);
                Ok(OperationResult::Done)
            }
        }
    }

    fn existing(&self, product: &str, device: &str) -> Result<Key, OperationError> {
        self.registry.product(product).ok_or_else(no_product)?;
        let key = Key::new(product, device);
        self.registry.device(&key).ok_or_else(no_device)?;
        Ok(key)
    }

    fn create_product(
        &mut self,
        name: String,
        id: Option<String>,
        secret: Option<String>,
        switches: &BTreeMap<String, String>,
        cx: &mut CloudCx<'_>,
    ) -> Done {
        if self.registry.products().len() >= cx.limits.products {
            return Err(OperationError::full("the platform has as many products as it may have"));
        }
        // The vendor's own keys begin with a1 and have 11 characters; its product secrets have 16.
        let key = id.unwrap_or_else(|| ["a1", &cx.rng.alphanumeric(9)].concat());
        if !is_product_key(&key) {
            return Err(OperationError::invalid("a ProductKey has 1 to 32 letters and digits"));
        }
        if self.registry.product(&key).is_some() {
            return Err(OperationError::exists("there is a product with this ProductKey"));
        }
        let secret = secret.unwrap_or_else(|| cx.rng.alphanumeric(16));
        if !is_secret(&secret) {
            return Err(OperationError::invalid("a secret has 1 to 64 printable characters"));
        }
        if name.len() > 128 || name.chars().any(char::is_control) {
            return Err(OperationError::invalid(
                "a name has at most 128 bytes, no control characters",
            ));
        }
        let mut set = ProductSwitches::new(&key);
        for (name, value) in switches {
            set.set(name, value)?;
        }
        self.free_product_id(&set.product_id)?;
        let name = if name.is_empty() { key.clone() } else { name };
        let product = Product {
            secret: Secret::new(secret),
            name,
            switches: set,
            firmware: Vec::new(),
            devices: 0,
        };
        let view = product_view(&key, &product, true);
        self.registry.add_product(&key, product, cx);
        Ok(OperationResult::Product(view))
    }

    fn free_product_id(&self, product_id: &str) -> Result<(), OperationError> {
        match self.registry.product_of_id(product_id) {
            Some(_) => Err(OperationError::exists("another product has this productId")),
            None => Ok(()),
        }
    }

    fn import(&mut self, product: &str, csv: &str, cx: &mut CloudCx<'_>) -> Done {
        self.registry.product(product).ok_or_else(no_product)?;
        let import = Import::parse(csv, &COLUMNS)?;
        let (mut added, mut existing) = (0, 0);
        let rejected = import.each(|column| {
            let either = |a, b| column(a).or_else(|| column(b));
            let name = either("DeviceName", "device_name").ok_or("DeviceName is missing")?;
            if !is_device_name(&name) {
                return Err("a DeviceName has 4 to 32 letters, digits and -_.@:".to_string());
            }
            let key = Key::new(product, &name);
            if self.registry.device(&key).is_some() {
                existing += 1;
                return Ok(());
            }
            let secret = either("DeviceSecret", "device_secret");
            let secret = secret.unwrap_or_else(|| cx.rng.hex::<16>());
            if !is_secret(&secret) {
                return Err("a secret has 1 to 64 printable characters".to_string());
            }
            let taken = self.registry.add_device(key, Secret::new(secret), cx);
            taken.map_err(|error| error.message)?;
            added += 1;
            Ok(())
        });
        Ok(OperationResult::Imported { added, existing, rejected })
    }

    fn switch_product(
        &mut self,
        product: &str,
        name: &str,
        value: &str,
        cx: &mut CloudCx<'_>,
    ) -> Done {
        self.registry.product(product).ok_or_else(no_product)?;
        if let Some(device) = name.strip_prefix("announce.") {
            let key = self.existing(product, device)?;
            let at = flag(value)?.then(|| cx.unix());
            self.registry.edit_device(&key, cx, |device| device.announced = at);
            return Ok(OperationResult::Done);
        }
        let mut set = match self.registry.product(product) {
            Some(found) => found.switches.clone(),
            None => return Err(no_product()),
        };
        let old_id = set.product_id.clone();
        set.set(name, value)?;
        if set.product_id != old_id {
            self.free_product_id(&set.product_id)?;
        }
        self.registry.edit_product(product, cx, |product| product.switches = set);
        Ok(OperationResult::Done)
    }

    fn switch_platform(&mut self, name: &str, value: &str, cx: &mut CloudCx<'_>) -> Done {
        let good_name = |name: &str| {
            (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic())
        };
        if let Some(key) = name.strip_prefix("app_secret.") {
            if !good_name(key) || !is_secret(value) {
                return Err(OperationError::invalid("an AppKey and its secret are printable text"));
            }
            let app_key = AppKey { secret: Secret::new(value), authorized: true };
            self.registry.put_app_key(key, app_key, cx)?;
        } else if let Some(key) = name.strip_prefix("app_authorized.") {
            let found = self.registry.app_key(key);
            let found = found.ok_or_else(|| OperationError::not_found("no such AppKey"))?;
            let app_key = AppKey { secret: found.secret.clone(), authorized: flag(value)? };
            self.registry.put_app_key(key, app_key, cx)?;
        } else if let Some(identity) = name.strip_prefix("iot_token.") {
            if !(8..=128).contains(&value.len()) || !is_graphic(value) {
                return Err(OperationError::invalid("a token has 8 to 128 printable characters"));
            }
            if self.registry.owner_of_iot_token(value).is_some_and(|owner| owner != identity) {
                return Err(OperationError::exists("another owner has this token"));
            }
            let life = self.registry.settings.iot_token_seconds.saturating_mul(1_000);
            let until = cx.unix().saturating_add(life);
            self.edit_owner(identity, cx, |owner| {
                owner.iot_token = Secret::new(value);
                owner.iot_token_until = until;
            })?;
        } else if let Some(identity) = name.strip_prefix("auth_code.") {
            if !(4..=128).contains(&value.len()) || !is_graphic(value) {
                return Err(OperationError::invalid("a code has 4 to 128 printable characters"));
            }
            if self.registry.owner_of_auth_code(value).is_some_and(|owner| owner != identity) {
                return Err(OperationError::exists("another owner has this code"));
            }
            self.edit_owner(identity, cx, |owner| owner.auth_code = Some(Secret::new(value)))?;
        } else {
            self.registry.set(name, value, cx)?;
        }
        Ok(OperationResult::Done)
    }

    fn edit_owner(
        &mut self,
        identity: &str,
        cx: &mut CloudCx<'_>,
        edit: impl FnOnce(&mut super::registry::Owner),
    ) -> Result<(), OperationError> {
        let edited = self.registry.edit_owner(identity, cx, edit);
        edited.ok_or_else(|| OperationError::not_found("no such owner: create_owner first"))
    }

    fn set_properties(
        &self,
        product: &str,
        device: &str,
        json: &str,
        cx: &mut CloudCx<'_>,
    ) -> Done {
        let key = self.existing(product, device)?;
        let document = Document::parse(json.as_bytes());
        let object = document.as_ref().ok().and_then(|document| document.object().ok());
        let object = object.ok_or_else(|| {
            OperationError::invalid("json has to be an object of identifier and value")
        })?;
        let (suffix, method) = ("thing/service/property/set", "thing.service.property.set");
        if self.downlink(&key, suffix, method, object.raw(), cx) {
            Ok(OperationResult::Done)
        } else {
            Err(OperationError::invalid("the device is offline: properties are set online"))
        }
    }

    /// For an owner that is there already this is a new log-in: new tokens, the same home.
    fn create_owner(&mut self, identity: &str, cx: &mut CloudCx<'_>) -> Done {
        if !(1..=64).contains(&identity.len()) || !is_graphic(identity) {
            return Err(OperationError::invalid("an identity has 1 to 64 printable characters"));
        }
        let known = self.registry.owner(identity).map(|owner| owner.home.clone());
        if known.is_none() && self.registry.owners().len() >= cx.limits.remembered {
            return Err(OperationError::full("the platform has as many owners as it may have"));
        }
        let mut owner = new_session(&self.registry.settings, cx);
        owner.home = known.unwrap_or_else(|| cx.rng.hex::<16>());
        self.registry.put_owner(identity, owner, cx);
        Ok(OperationResult::Owners { items: Vec::from([self.owner_view(identity, true)]) })
    }

    fn owner_view(&self, identity: &str, reveal: bool) -> OwnerView {
        let owner = self.registry.owner(identity);
        let shown = owner.filter(|_| reveal);
        OwnerView {
            identity: identity.to_string(),
            home_id: owner.map(|owner| owner.home.clone()).unwrap_or_default(),
            iot_token: shown.map(|owner| owner.iot_token.expose().to_string()),
            refresh_token: shown.map(|owner| owner.refresh_token.expose().to_string()),
            iot_token_until: owner.map_or(0, |owner| owner.iot_token_until),
            refresh_token_until: owner.map_or(0, |owner| owner.refresh_token_until),
            devices: self.registry.bound(identity).map(Key::to_string).collect(),
        }
    }

    /// Gateways with who may join them and their sub-devices.
    fn gateways(&self, cx: &CloudCx<'_>) -> Vec<GatewayView> {
        let now = cx.unix();
        let state = |key: &Key, device: &Device| self.device_state(key, device).to_string();
        let sub = |key: &Key| {
            let state = state(key, self.registry.device(key)?);
            let (product, device) = (key.product().to_string(), key.device().to_string());
            Some(SubDeviceView { product, device, state })
        };
        let gateway = |(key, device): (&Key, &Device)| GatewayView {
            product: key.product().to_string(),
            device: key.device().to_string(),
            state: state(key, device),
            owner: device.owner.clone(),
            permit: device
                .permit
                .as_ref()
                .filter(|permit| permit.until.is_none_or(|until| now < until))
                .map(|permit| PermitView { product: permit.product.clone(), until: permit.until }),
            subs: self.registry.subs(key).take(MOST_LISTED).filter_map(sub).collect(),
        };
        let products = self.registry.products();
        let products = products.filter(|(_, product)| product.switches.node_type == 1);
        let devices = products.flat_map(|(product, _)| self.registry.names(product, None));
        devices.take(MOST_LISTED).map(gateway).collect()
    }

    /// Devices that wait for an owner.
    fn bind_tokens(&self, reveal: bool, cx: &CloudCx<'_>) -> Vec<BindTokenView> {
        let now = cx.unix();
        let settings = &self.registry.settings;
        let token_life = settings.token_seconds.saturating_mul(1_000);
        let window = settings.window_seconds.saturating_mul(1_000);
        let view = |(_, key, device): (u64, &Key, &Device)| {
            let token = device.token.as_ref();
            let until = token.map(|token| token.reported.saturating_add(token_life));
            let until = until.filter(|until| now < *until);
            let shown = token.filter(|_| reveal && until.is_some());
            let window_until = device.power_on.map(|at| at.saturating_add(window));
            BindTokenView {
                product: key.product().to_string(),
                device: key.device().to_string(),
                token: shown.map(|token| token.text().to_string()),
                token_until: until,
                window_until: window_until.filter(|until| now < *until),
                announced: device.announced.is_some(),
            }
        };
        self.registry.waiting(now).take(MOST_LISTED).map(view).collect()
    }

    fn device_state(&self, key: &Key, device: &Device) -> &'static str {
        if device.disabled {
            "disabled"
        } else if self.sessions.of(key).is_some() {
            "online"
        } else if device.activated.is_some() {
            "offline"
        } else {
            "inactive"
        }
    }

    fn device_view(&self, key: &Key, device: &Device, reveal: bool) -> DeviceView {
        let gateway = device.gateway.as_ref().map(Key::to_string);
        let more = [
            ("iotId", Some(device.iot_id.clone())),
            ("owner", device.owner.clone()),
            ("homeId", device.home.clone()),
            ("gateway", gateway),
            ("announced", device.announced.map(|_| "true".to_string())),
            ("activated", device.activated.map(|at| at.to_string())),
        ];
        DeviceView {
            name: key.device().to_string(),
            state: self.device_state(key, device).to_string(),
            secret: reveal.then(|| device.secret.expose().to_string()),
            version: device.versions.get("default").cloned(),
            last_active: device.last_active,
            more: more.into_iter().filter_map(|(k, v)| Some((k.to_string(), v?))).collect(),
        }
    }
}

fn product_view(key: &str, product: &Product, reveal: bool) -> ProductView {
    ProductView {
        id: key.to_string(),
        name: product.name.clone(),
        secret: reveal.then(|| product.secret.expose().to_string()),
        switches: product.switches.to_map(),
        devices: product.devices,
        firmware: product.firmware.iter().map(|image| image.version.clone()).collect(),
    }
}

fn is_graphic(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_secret(text: &str) -> bool {
    (1..=64).contains(&text.len()) && is_graphic(text)
}
