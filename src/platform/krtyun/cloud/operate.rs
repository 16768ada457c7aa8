//! What operators do on krtyun's console.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::wire;
use super::product::Product;
use super::records::{self, Device, Standing, Upgrade, UpgradeState};
use super::{CloudState, Door, MAX_ORDERS};
use crate::cloud::{
    Action, CloudCx, DeviceView, Firmware, Import, MOST_LISTED, OperationError, OperationResult,
    ProductView, UpgradeView, What, asked_for,
};
use crate::secret::Secret;

/// An import's columns, in our spelling and in the document's.
const COLUMNS: [&str; 4] = ["device_id", "device_secret", "DeviceID", "DeviceSecret"];
/// How many devices one list shows.
const LISTED: usize = 100;

type Result<T = OperationResult> = core::result::Result<T, OperationError>;

impl CloudState {
    pub(super) fn act(&mut self, action: Action, cx: &mut CloudCx<'_>) -> Result {
        match action {
            Action::CreateProduct { name, id, secret, switches } => {
                self.create_product(name, id, secret, &switches, cx)
            }
            Action::ListProducts { reveal } => {
                let items = self.catalog.products.iter();
                let items = items.map(|(id, product)| self.view(id, product, reveal)).collect();
                Ok(OperationResult::Products { items })
            }
            Action::ImportDevices { product, csv } => self.import(&product, &csv, cx),
            Action::ListDevices { product, after, limit, reveal } => {
                self.list_devices(&product, after.as_deref(), limit, reveal)
            }
            Action::GetDevices { product, devices, reveal } => {
                self.known_product(&product)?;
                let names = asked_for(devices)?;
                let view = |name: &String| {
                    let device = self.catalog.device(&product, name)?;
                    Some(self.device_view(name, device, reveal))
                };
                let items = names.iter().filter_map(view).collect();
                let total = self.catalog.devices.get(&product).map_or(0, |all| all.len());
                Ok(OperationResult::Devices { total, items })
            }
            Action::Switch { product, name, value } => {
                let id = product.ok_or_else(|| {
                    OperationError::invalid("krtyun's switches belong to a product: name one")
                })?;
                let product = self.product_mut(&id)?;
                product.switch(&name, &value).map_err(|why| OperationError::invalid(&why))?;
                self.catalog.keep_product(&id, cx);
                cx.log(What::Operated, id, format!("{name} = {value}"));
                Ok(OperationResult::Done)
            }
            Action::Disable { product, device, disabled } => {
                self.change(&product, &device, cx, |d| d.disabled = disabled)?;
                if disabled {
                    self.expel_device(&product, &device, "disabled", cx);
                } else {
                    cx.log(What::Operated, records::key(&product, &device), "allowed again");
                }
                Ok(OperationResult::Done)
            }
            Action::Reset { product, device, new_secret } => {
                let secret = new_secret.then(|| cx.rng.alphanumeric(records::SECRET_LEN));
                self.change(&product, &device, cx, |d| {
                    d.standing = Standing::Inactive;
                    if let Some(secret) = secret {
                        d.secret = Secret::new(secret);
                    }
                })?;
                self.expel_device(&product, &device, "reset", cx);
                Ok(OperationResult::Done)
            }
            Action::DeleteDevice { product, device } => {
                self.known_device(&product, &device)?;
                self.expel_device(&product, &device, "deleted", cx);
                self.catalog.remove_device(&product, &device, cx);
                Ok(OperationResult::Done)
            }
            Action::AddFirmware { product, module, version, url, size, md5, sha256 } => {
                no_module(module.as_deref())?;
                let image = Firmware { module: None, version, url, size, md5, sha256 };
                self.add_firmware(&product, image, cx)
            }
            Action::ListFirmware { product } => {
                let images = &self.known_product(&product)?.firmware;
                let items = images.iter().map(Firmware::view).collect();
                Ok(OperationResult::Firmware { items })
            }
            Action::PushUpgrade { product, module, version, devices } => {
                no_module(module.as_deref())?;
                self.push_upgrade(&product, &version, devices, cx)
            }
            Action::CancelUpgrade { product, module, devices } => {
                no_module(module.as_deref())?;
                self.cancel_upgrade(&product, devices, cx)
            }
            Action::ListUpgrades { product } => self.list_upgrades(&product),
            Action::ListReports { product, device } => {
                self.known_device(&product, &device)?;
                Ok(OperationResult::Reports { items: self.catalog.reports(&product, &device) })
            }
            other => Err(OperationError::unsupported(&format!(
                "krtyun knows no `{}`; it has products, devices, switches and upgrades",
                other.name()
            ))),
        }
    }

    fn create_product(
        &mut self,
        name: String,
        id: Option<String>,
        secret: Option<String>,
        switches: &BTreeMap<String, String>,
        cx: &mut CloudCx<'_>,
    ) -> Result {
        if self.catalog.products.len() >= cx.limits.products {
            return Err(OperationError::full("no more products: the limit is reached"));
        }
        // The vendor's ids are numbers.
        let id = id.unwrap_or_else(|| cx.rng.between(1_000_000_000, 9_999_999_999).to_string());
        if !wire::is_name(&id) {
            return Err(OperationError::invalid(&["the ProductID ", wire::NAME_RULE].concat()));
        }
        let secret = secret.unwrap_or_else(|| cx.rng.alphanumeric(records::SECRET_LEN));
        if !wire::is_secret(&secret) {
            let message = ["the ProductSecret ", wire::SECRET_RULE].concat();
            return Err(OperationError::invalid(&message));
        }
        if self.catalog.products.contains_key(&id) {
            return Err(OperationError::exists("there is a product with this id"));
        }
        if name.len() > 256 {
            return Err(OperationError::invalid("the name is longer than 256 bytes"));
        }
        let mut product = Product::new(name, secret);
        for (name, value) in switches {
            product.switch(name, value).map_err(|why| OperationError::invalid(&why))?;
        }
        let view = self.view(&id, &product, true);
        self.catalog.products.insert(id.clone(), product);
        self.catalog.keep_product(&id, cx);
        cx.log(What::Operated, id, "product created");
        Ok(OperationResult::Product(view))
    }

    fn import(&mut self, product: &str, csv: &str, cx: &mut CloudCx<'_>) -> Result {
        let product_secret = self.known_product(product)?.secret.clone();
        let import = Import::parse(csv, &COLUMNS)?;
        let (mut added, mut existing) = (0, 0);
        let rejected = import.each(|column| {
            let name = column("device_id").or_else(|| column("DeviceID"));
            let name = name.ok_or("device_id is empty")?;
            if !wire::is_name(&name) {
                return Err(["device_id ", wire::NAME_RULE].concat());
            }
            let secret = column("device_secret").or_else(|| column("DeviceSecret"));
            if secret.as_deref().is_some_and(|s| !wire::is_secret(s)) {
                return Err(["device_secret ", wire::SECRET_RULE].concat());
            }
            if secret.as_deref() == Some(product_secret.expose()) {
                return Err("device_secret is the ProductSecret".to_string());
            }
            if self.catalog.device(product, &name).is_some() {
                existing += 1;
                return Ok(());
            }
            let count = self.catalog.devices.get(product).map_or(0, |all| all.len());
            if count >= cx.limits.devices_per_product {
                return Err("the product is full".to_string());
            }
            let secret = secret.unwrap_or_else(|| cx.rng.alphanumeric(records::SECRET_LEN));
            self.catalog.insert_device(product, &name, Device::new(secret, false), cx);
            added += 1;
            Ok(())
        });
        cx.log(What::Operated, product, format!("{added} devices imported"));
        Ok(OperationResult::Imported { added, existing, rejected })
    }

    fn list_devices(
        &self,
        product: &str,
        after: Option<&str>,
        limit: Option<usize>,
        reveal: bool,
    ) -> Result {
        self.known_product(product)?;
        let Some(all) = self.catalog.devices.get(product) else {
            return Ok(OperationResult::Devices { total: 0, items: Vec::new() });
        };
        let limit = limit.unwrap_or(LISTED).min(MOST_LISTED);
        let view = |(name, device): (&String, &Device)| self.device_view(name, device, reveal);
        let items = all.after(after.unwrap_or_default()).take(limit).map(view).collect();
        Ok(OperationResult::Devices { total: all.len(), items })
    }

    fn device_view(&self, name: &str, device: &Device, reveal: bool) -> DeviceView {
        DeviceView {
            name: name.to_string(),
            state: self.state(device).to_string(),
            secret: reveal.then(|| device.secret.expose().to_string()),
            version: device.firmware.clone(),
            last_active: device.last_active,
            more: more(device),
        }
    }

    fn add_firmware(&mut self, id: &str, image: Firmware, cx: &mut CloudCx<'_>) -> Result {
        let most = cx.limits.firmware;
        let product = self.product_mut(id)?;
        if !wire::is_version(&image.version) {
            return Err(OperationError::invalid(&["the version ", wire::VERSION_RULE].concat()));
        }
        if !wire::is_firmware_url(&image.url) {
            return Err(OperationError::invalid(
                "the URL has to begin with http:// (the vendor's document allows no other)",
            ));
        }
        if product.firmware(&image.version).is_some() {
            return Err(OperationError::exists("there is an image of this version"));
        }
        if product.firmware.len() >= most {
            return Err(OperationError::full("no more images: the limit is reached"));
        }
        cx.log(What::Operated, id, ["firmware ", &image.version].concat());
        product.firmware.push(image);
        self.catalog.keep_product(id, cx);
        Ok(OperationResult::Done)
    }

    fn push_upgrade(
        &mut self,
        product: &str,
        version: &str,
        devices: Option<Vec<String>>,
        cx: &mut CloudCx<'_>,
    ) -> Result {
        if self.known_product(product)?.firmware(version).is_none() {
            return Err(OperationError::not_found("no image of this version: add it first"));
        }
        let names = self.targets(product, devices)?;
        let mut ordered = 0;
        for name in &names {
            let id = cx.rng.alphanumeric(12).to_ascii_uppercase();
            self.catalog.change_device(product, name, cx, |device, _| {
                let runs = device.firmware.as_deref() == Some(version);
                let (state, detail) = if runs {
                    (UpgradeState::Succeeded, "it runs this version already".to_string())
                } else {
                    (UpgradeState::Pending, String::new())
                };
                ordered += usize::from(!runs);
                let version = version.to_string();
                device.upgrade = Some(Upgrade { id, version, state, detail, sent: 0 });
                true
            });
            if let Some(connection) = self.catalog.device(product, name).and_then(|d| d.online) {
                self.send_order(connection, cx);
            }
        }
        cx.log(What::Operated, product, format!("{ordered} devices ordered to {version}"));
        Ok(OperationResult::Ordered { devices: ordered })
    }

    /// Takes orders back. The protocol has no word for it: a device that answered already may update all the same.
    fn cancel_upgrade(
        &mut self,
        product: &str,
        devices: Option<Vec<String>>,
        cx: &mut CloudCx<'_>,
    ) -> Result {
        let names = self.targets(product, devices)?;
        let mut cancelled = 0;
        for name in &names {
            self.catalog.change_device(product, name, cx, |device, _| {
                let Some(upgrade) = device.upgrade.as_mut().filter(|u| u.state.is_open()) else {
                    return false;
                };
                if upgrade.state != UpgradeState::Pending {
                    upgrade.detail = "sent before: the device may still follow it".to_string();
                }
                upgrade.state = UpgradeState::Cancelled;
                cancelled += 1;
                true
            });
        }
        cx.log(What::Operated, product, format!("{cancelled} orders taken back"));
        Ok(OperationResult::Ordered { devices: cancelled })
    }

    fn list_upgrades(&self, product: &str) -> Result {
        self.known_product(product)?;
        let devices = self.catalog.devices.get(product);
        let view = |(name, device): (&String, &Device)| {
            let upgrade = device.upgrade.as_ref()?;
            Some(UpgradeView {
                device: name.clone(),
                module: None,
                version: upgrade.version.clone(),
                state: upgrade.state.name().to_string(),
                detail: upgrade.detail.clone(),
            })
        };
        let items = devices.into_iter().flat_map(|all| all.iter()).filter_map(view).collect();
        Ok(OperationResult::Upgrades { items })
    }

    /// The devices that an order is for: all of them have to exist.
    fn targets(&self, product: &str, devices: Option<Vec<String>>) -> Result<Vec<String>> {
        self.known_product(product)?;
        let Some(names) = devices else {
            let all = self.catalog.devices.get(product);
            return Ok(all
                .into_iter()
                .flat_map(|all| all.iter())
                .map(|(n, _)| n.clone())
                .collect());
        };
        for name in &names {
            self.known_device(product, name)?;
        }
        Ok(names)
    }

    fn change(
        &mut self,
        product: &str,
        device: &str,
        cx: &mut CloudCx<'_>,
        change: impl FnOnce(&mut Device),
    ) -> Result<()> {
        self.known_device(product, device)?;
        self.catalog.change_device(product, device, cx, |device, _| {
            change(device);
            true
        });
        Ok(())
    }

    fn expel_device(
        &mut self,
        product: &str,
        device: &str,
        why: &'static str,
        cx: &mut CloudCx<'_>,
    ) {
        cx.log(What::Operated, records::key(product, device), why);
        if let Some(connection) = self.catalog.device(product, device).and_then(|d| d.online) {
            self.expel(connection, why, cx);
        }
    }

    fn known_product(&self, id: &str) -> Result<&Product> {
        self.catalog.products.get(id).ok_or_else(no_product)
    }

    fn product_mut(&mut self, id: &str) -> Result<&mut Product> {
        self.catalog.products.get_mut(id).ok_or_else(no_product)
    }

    fn known_device(&self, product: &str, device: &str) -> Result<&Device> {
        self.known_product(product)?;
        self.catalog.device(product, device).ok_or_else(|| {
            OperationError::not_found("no such device in this product: import it, or list devices")
        })
    }

    /// Online is who is there with its own secret.
    fn state(&self, device: &Device) -> &'static str {
        let session = device.online.and_then(|connection| self.sessions.get(&connection));
        match device.standing {
            _ if device.disabled => "disabled",
            Standing::Inactive | Standing::Issued { .. } => "inactive",
            Standing::Active if session.is_some_and(|s| s.door == Door::Device) => "online",
            Standing::Active => "offline",
        }
    }

    fn view(&self, id: &str, product: &Product, reveal: bool) -> ProductView {
        ProductView {
            id: id.to_string(),
            name: product.name.clone(),
            secret: reveal.then(|| product.secret.expose().to_string()),
            switches: product.switches(),
            devices: self.catalog.devices.get(id).map_or(0, |all| all.len()),
            firmware: product.firmware.iter().map(|f| f.version.clone()).collect(),
        }
    }
}

fn no_product() -> OperationError {
    OperationError::not_found("no such product: create it, or list products")
}

/// Images have no modules here.
fn no_module(module: Option<&str>) -> Result<()> {
    match module {
        None | Some("" | "default") => Ok(()),
        Some(_) => Err(OperationError::invalid("krtyun's firmware has no modules")),
    }
}

fn more(device: &Device) -> BTreeMap<String, String> {
    let mut more = BTreeMap::new();
    let mut tell = |name: &str, value: &str| more.insert(name.to_string(), value.to_string());
    tell("created", if device.auto { "by its first login" } else { "by import" });
    tell(
        "registration",
        match device.standing {
            Standing::Inactive => "none yet",
            Standing::Issued { .. } => "secret issued, not confirmed",
            Standing::Active => "done",
        },
    );
    if let Some(hardware) = &device.hardware {
        tell("hardware_version", hardware);
    }
    if let Some(upgrade) = device.upgrade.as_ref().filter(|u| u.sent > 0) {
        tell("orders_sent", &format!("{} of {MAX_ORDERS}", upgrade.sent));
    }
    more
}
