//! Firmware: versions that devices report, orders to update, and how they went.
//!
//! Source: help.aliyun.com "OTA, data formats". An order goes out when the operator gives it to a device that is online,
//! and whenever a device reports another version than the one it is to have; it succeeds when the device reports that
//! version, and no earlier.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::CloudState;
use super::registry::{DEFAULT_MODULE as DEFAULT, Key, Upgrade, UpgradeState, no_product};
use crate::cloud::{CloudCx, Firmware, OperationError, OperationResult, UpgradeView, What};
use crate::json::{Object, Value};
use crate::output::QoS;

/// Modules of one device.
const MAX_MODULES: usize = 10;

impl CloudState {
    /// `/ota/device/inform`.
    pub(super) fn inform(
        &mut self,
        key: &Key,
        message: Value<'_>,
        cx: &mut CloudCx<'_>,
    ) -> Option<()> {
        let params = message.get("params")?;
        let version = params.text("version")?;
        let module = params.text("module").unwrap_or(DEFAULT.into());
        if version.is_empty() || version.len() > 64 || module.is_empty() || module.len() > 64 {
            return None;
        }
        let now = cx.unix();
        let state = self.registry.try_edit_device(key, cx, |device| {
            if device.versions.get(&module).is_none() && device.versions.len() >= MAX_MODULES {
                return Err(());
            }
            device.versions.insert(&module, &version);
            device.last_active = Some(now);
            let Some(order) = device.upgrades.get_mut(&*module) else { return Ok(None) };
            if order.version == version && !matches!(order.state, UpgradeState::Cancelled) {
                order.state = UpgradeState::Succeeded;
                order.detail = String::new();
            }
            Ok(Some(order.state))
        });
        let state = state?.ok()?;
        cx.log(What::Reported, key, "its version");
        match state {
            Some(UpgradeState::Succeeded) => cx.log(What::Update, key, "runs its new version"),
            Some(state) if !state.is_over() => self.send_upgrade(key, &module, cx),
            _ => {}
        }
        Some(())
    }

    /// `/ota/device/progress`: percent, or −1 failed, −2 download, −3 digest, −4 installing.
    pub(super) fn progress(
        &mut self,
        key: &Key,
        message: Value<'_>,
        cx: &mut CloudCx<'_>,
    ) -> Option<()> {
        let params = message.get("params")?;
        let step = params.get("step")?.as_i64()?;
        let module = params.text("module").unwrap_or(DEFAULT.into());
        let told: String = params.text("desc").unwrap_or_default().chars().take(100).collect();
        let state = match step {
            0..=99 => UpgradeState::Downloading,
            100 => UpgradeState::Upgrading,
            -4..=-1 => UpgradeState::Failed,
            _ => return None,
        };
        let order = self.registry.device(key).and_then(|device| device.upgrades.get(&*module));
        if order.is_none_or(|order| order.state.is_over()) {
            return Some(());
        }
        let detail = if step < 0 { format!("{step} {told}") } else { format!("{step} %") };
        let detail = detail.trim().to_string();
        cx.log(What::Update, key, detail.clone());
        self.registry.edit_device(key, cx, |device| {
            if let Some(order) = device.upgrades.get_mut(&*module) {
                order.state = state;
                order.detail = detail;
            }
        });
        Some(())
    }

    /// `thing/ota/firmware/get`: the order in hand, or nothing.
    pub(super) fn pending_upgrade(
        &mut self,
        key: &Key,
        params: Option<Value<'_>>,
        cx: &mut CloudCx<'_>,
    ) -> String {
        let module = params.and_then(|params| params.text("module")).unwrap_or(DEFAULT.into());
        let data = self.upgrade_data(key, &module);
        if data.is_some() {
            self.mark_sent(key, &module, cx);
        }
        data.unwrap_or_else(|| "{}".to_string())
    }

    fn send_upgrade(&mut self, key: &Key, module: &str, cx: &mut CloudCx<'_>) {
        let Some(connection) = self.sessions.of(key) else { return };
        let Some(data) = self.upgrade_data(key, module) else { return };
        self.mark_sent(key, module, cx);
        let payload = Object::new()
            .string("code", "1000")
            .raw("data", &data)
            .raw("id", &cx.unix().to_string())
            .string("message", "success")
            .bytes();
        cx.publish(connection, key.topic("/ota/device/upgrade/", ""), QoS::AtLeastOnce, payload);
    }

    fn mark_sent(&mut self, key: &Key, module: &str, cx: &mut CloudCx<'_>) {
        self.registry.edit_device(key, cx, |device| {
            if let Some(order) = device.upgrades.get_mut(module)
                && order.state == UpgradeState::Pending
            {
                order.state = UpgradeState::Sent;
            }
        });
    }

    /// The `data` of an order that is not over.
    fn upgrade_data(&self, key: &Key, module: &str) -> Option<String> {
        let order = self.registry.device(key)?.upgrades.get(module)?;
        if order.state.is_over() {
            return None;
        }
        let product = self.registry.product(key.product())?;
        let image = find(&product.firmware, module, &order.version)?;
        let data = Object::new()
            .raw("size", &image.size.to_string())
            .string("version", &image.version)
            .string("url", &image.url);
        let data = if product.switches.ota_md5 {
            data.string("sign", &image.md5).string("signMethod", "Md5").string("md5", &image.md5)
        } else {
            data.string("sign", &image.sha256).string("signMethod", "SHA256")
        };
        Some(data.maybe("module", Some(module).filter(|&module| module != DEFAULT)).end())
    }

    pub(super) fn add_firmware(
        &mut self,
        product: &str,
        image: Firmware,
        cx: &mut CloudCx<'_>,
    ) -> Result<OperationResult, OperationError> {
        let full = cx.limits.firmware;
        let found = self.registry.product(product).ok_or_else(no_product)?;
        let fits = |text: &str| !text.is_empty() && text.len() <= 64;
        if !fits(&image.version) || image.module.as_deref().is_some_and(|module| !fits(module)) {
            return Err(OperationError::invalid("version and module have 1 to 64 bytes"));
        }
        let module = image.module.as_deref().unwrap_or(DEFAULT);
        if find(&found.firmware, module, &image.version).is_some() {
            return Err(OperationError::exists("this version of the module is known already"));
        }
        if found.firmware.len() >= full {
            return Err(OperationError::full("the product has as many images as it may have"));
        }
        self.registry.edit_product(product, cx, |product| product.firmware.push(image));
        Ok(OperationResult::Done)
    }

    pub(super) fn push_upgrade(
        &mut self,
        product: &str,
        module: Option<&str>,
        version: &str,
        devices: Option<Vec<String>>,
        cx: &mut CloudCx<'_>,
    ) -> Result<OperationResult, OperationError> {
        let module = module.unwrap_or(DEFAULT);
        let found = self.registry.product(product).ok_or_else(no_product)?;
        find(&found.firmware, module, version)
            .ok_or_else(|| OperationError::not_found("no such image: add_firmware first"))?;
        let keys = self.targets(product, devices)?;
        let mut ordered = 0;
        for key in &keys {
            let taken = self.registry.edit_device(key, cx, |device| {
                let room =
                    device.upgrades.contains_key(module) || device.upgrades.len() < MAX_MODULES;
                let runs = device.versions.get(module).is_some_and(|runs| runs == version);
                if !room || runs {
                    return false;
                }
                let order = Upgrade {
                    version: version.to_string(),
                    state: UpgradeState::Pending,
                    detail: String::new(),
                };
                device.upgrades.insert(module.to_string(), order);
                true
            });
            if taken == Some(true) {
                ordered += 1;
                self.send_upgrade(key, module, cx);
                cx.log(What::Update, key, "ordered");
            }
        }
        Ok(OperationResult::Ordered { devices: ordered })
    }

    pub(super) fn cancel_upgrade(
        &mut self,
        product: &str,
        module: Option<&str>,
        devices: Option<Vec<String>>,
        cx: &mut CloudCx<'_>,
    ) -> Result<OperationResult, OperationError> {
        let module = module.unwrap_or(DEFAULT);
        self.registry.product(product).ok_or_else(no_product)?;
        let keys = self.targets(product, devices)?;
        let mut cancelled = 0;
        for key in &keys {
            let order = self.registry.device(key).and_then(|device| device.upgrades.get(module));
            if order.is_none_or(|order| order.state.is_over()) {
                continue;
            }
            cancelled += 1;
            self.registry.edit_device(key, cx, |device| {
                if let Some(order) = device.upgrades.get_mut(module) {
                    order.state = UpgradeState::Cancelled;
                }
            });
            cx.log(What::Update, key, "cancelled");
        }
        Ok(OperationResult::Ordered { devices: cancelled })
    }

    fn targets(
        &self,
        product: &str,
        devices: Option<Vec<String>>,
    ) -> Result<Vec<Key>, OperationError> {
        let Some(devices) = devices else {
            return Ok(self.registry.names(product, None).map(|(key, _)| key.clone()).collect());
        };
        devices
            .iter()
            .map(|device| {
                let key = Key::new(product, device);
                self.registry.device(&key).ok_or_else(super::registry::no_device)?;
                Ok(key)
            })
            .collect()
    }

    pub(super) fn list_upgrades(&self, product: &str) -> Result<OperationResult, OperationError> {
        self.registry.product(product).ok_or_else(no_product)?;
        let items = self.registry.names(product, None).flat_map(|(key, device)| {
            device.upgrades.iter().map(|(module, order)| UpgradeView {
                device: key.device().to_string(),
                module: Some(module.clone()).filter(|module| module != DEFAULT),
                version: order.version.clone(),
                state: order.state.name().to_string(),
                detail: order.detail.clone(),
            })
        });
        Ok(OperationResult::Upgrades { items: items.collect() })
    }
}

fn find<'a>(firmware: &'a [Firmware], module: &str, version: &str) -> Option<&'a Firmware> {
    firmware.iter().find(|image| {
        image.version == version && image.module.as_deref().unwrap_or(DEFAULT) == module
    })
}
