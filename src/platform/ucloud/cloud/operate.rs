//! What operators do.
//!
//! Switches of a product: `DynamicRegister` (default false), `PreRegister` (default true). Those of the platform are
//! in [`switches`](super::switches). Columns of an import: `device_sn` and `device_secret` (generated if absent).

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Bound::{Excluded, Unbounded};

use super::records::{self, Device, DeviceRecord, Product, ProductRecord, Upgrade, UpgradeState};
use super::switches::flag;
use super::{CloudState, Session, down, ota, property, subject};
use crate::cloud::{
    Action, CloudCx, ConnectionId, DeviceView, Firmware, Import, OperationError, OperationResult,
    ProductView, ReportView, UpgradeView, What, asked_for,
};
use crate::platform::ucloud::wire::{self, AuthMode};
use crate::secret::Secret;

type Done = Result<OperationResult, OperationError>;

pub(super) fn operate(state: &mut CloudState, action: Action, cx: &mut CloudCx<'_>) -> Done {
    match action {
        Action::CreateProduct { name, id, secret, switches } => {
            create_product(state, name, id, secret, &switches, cx)
        }
        Action::ListProducts { reveal } => Ok(list_products(state, reveal)),
        Action::ImportDevices { product, csv } => import(state, &product, &csv, cx),
        Action::ListDevices { product, after, limit, reveal } => {
            list_devices(state, &product, after.as_deref(), limit, reveal)
        }
        Action::GetDevices { product, devices, reveal } => {
            let known = &find(state, &product)?.devices;
            let names = asked_for(devices)?;
            let view = |name: &String| Some(device_view(name, known.get(name)?, reveal));
            let items = names.iter().filter_map(view).collect();
            Ok(OperationResult::Devices { total: known.len(), items })
        }
        Action::Switch { product: Some(product), name, value } => {
            let record = &mut find(state, &product)?.record;
            switch(record, &name, &value)?;
            cx.put(records::PRODUCT, &product, record);
            cx.log(What::Operated, product, [&name, " = ", &value].concat());
            Ok(OperationResult::Done)
        }
        Action::Switch { product: None, name, value } => {
            state.switches.set(&name, &value)?;
            cx.put(records::SWITCH, &name, &value);
            cx.log(What::Operated, "", [&name, " = ", &value].concat());
            Ok(OperationResult::Done)
        }
        Action::Disable { product, device, disabled } => {
            disable(state, &product, &device, disabled, cx)
        }
        Action::Reset { product, device, new_secret } => {
            reset(state, &product, &device, new_secret, cx)
        }
        Action::DeleteDevice { product, device } => delete(state, &product, &device, cx),
        Action::AddFirmware { product, module, version, url, size, md5, sha256 } => {
            let image = ota::image(module, version, url, size, &md5, &sha256)
                .map_err(OperationError::invalid)?;
            add_firmware(find(state, &product)?, &product, image, cx)
        }
        Action::ListFirmware { product } => {
            let items = find(state, &product)?.firmware.values().map(Firmware::view).collect();
            Ok(OperationResult::Firmware { items })
        }
        Action::PushUpgrade { product, module, version, devices } => {
            push(state, &product, &module_of(module), &version, devices, cx)
        }
        Action::CancelUpgrade { product, module, devices } => {
            cancel(state, &product, &module_of(module), devices, cx)
        }
        Action::ListUpgrades { product } => list_upgrades(find(state, &product)?),
        Action::SetProperties { product, device, json } => {
            set_properties(state, &product, &device, &json, cx)
        }
        Action::ListReports { product, device } => {
            let device = find_device(find(state, &product)?, &device)?;
            let view =
                |report: &records::Report| ReportView { at: report.at, json: report.json.clone() };
            Ok(OperationResult::Reports { items: device.reports().map(view).collect() })
        }
        other => {
            let message = ["UCloud's cloud knows no action ", other.name()].concat();
            Err(OperationError::unsupported(&message))
        }
    }
}

fn find<'a>(state: &'a mut CloudState, product: &str) -> Result<&'a mut Product, OperationError> {
    let found = state.products.get_mut(product).filter(|product| product.exists());
    found.ok_or_else(|| OperationError::not_found("no such product; list the products to see them"))
}

fn find_device<'a>(
    product: &'a mut Product,
    device: &str,
) -> Result<&'a mut Device, OperationError> {
    let missing = "no such device in this product; import it first";
    product.devices.get_mut(device).ok_or_else(|| OperationError::not_found(missing))
}

fn module_of(module: Option<String>) -> String {
    module.unwrap_or_else(|| wire::DEFAULT_MODULE.to_string())
}

fn switch(record: &mut ProductRecord, name: &str, value: &str) -> Result<(), OperationError> {
    match name {
        "DynamicRegister" => record.dynamic_register = flag(value)?,
        "PreRegister" => record.pre_register = flag(value)?,
        _ => {
            let message = "no such switch of a product; there are DynamicRegister and PreRegister";
            return Err(OperationError::not_found(message));
        }
    }
    Ok(())
}

fn create_product(
    state: &mut CloudState,
    name: String,
    id: Option<String>,
    secret: Option<String>,
    switches: &BTreeMap<String, String>,
    cx: &mut CloudCx<'_>,
) -> Done {
    let id = id.unwrap_or_else(|| cx.rng.alphanumeric(16));
    if !wire::is_product_sn(&id) {
        return Err(OperationError::invalid("a ProductSN has 4 to 24 letters, digits, `-` or `_`"));
    }
    if state.products.get(&id).is_some_and(Product::exists) {
        return Err(OperationError::exists("there is a product with this ProductSN"));
    }
    if state.products.len() >= cx.limits.products {
        return Err(OperationError::full("there are as many products as there may be"));
    }
    let secret = Secret::new(secret.unwrap_or_else(|| cx.rng.alphanumeric(16)));
    if !is_issuable(secret.expose()) {
        return Err(OperationError::invalid(SECRET_SHAPE));
    }
    let name = name.chars().filter(|c| !c.is_control()).take(64).collect();
    let mut record = ProductRecord { name, secret, ..ProductRecord::default() };
    for (name, value) in switches {
        switch(&mut record, name, value)?;
    }
    cx.put(records::PRODUCT, &id, &record);
    cx.log(What::Operated, id.as_str(), "product created");
    let product = state.products.entry(id.clone()).or_default();
    product.record = record;
    Ok(OperationResult::Product(product_view(&id, product, true)))
}

const SECRET_SHAPE: &str = "a secret has 1 to 64 printable ASCII characters, no `\"` and no `\\` \
                            (the vendor's SDKs hold 16)";

/// The vendor's C SDK does not undo JSON's escapes.
fn is_issuable(secret: &str) -> bool {
    wire::is_secret(secret) && !secret.contains(['"', '\\'])
}

fn product_view(id: &str, product: &Product, reveal: bool) -> ProductView {
    let ProductRecord { name, secret, dynamic_register, pre_register } = &product.record;
    ProductView {
        id: id.to_string(),
        name: name.clone(),
        secret: reveal.then(|| secret.expose().to_string()),
        switches: BTreeMap::from([
            ("DynamicRegister".to_string(), dynamic_register.to_string()),
            ("PreRegister".to_string(), pre_register.to_string()),
        ]),
        devices: product.devices.len(),
        firmware: ota::versions(product),
    }
}

fn list_products(state: &CloudState, reveal: bool) -> OperationResult {
    let real = state.products.iter().filter(|(_, product)| product.exists());
    let items = real.map(|(id, product)| product_view(id, product, reveal)).collect();
    OperationResult::Products { items }
}

fn import(state: &mut CloudState, product_sn: &str, csv: &str, cx: &mut CloudCx<'_>) -> Done {
    let product = find(state, product_sn)?;
    let rows = Import::parse(csv, &["device_sn", "device_secret"])?;
    let (mut added, mut existing) = (0, 0);
    let rejected = rows.each(|column| {
        let name = column("device_sn").ok_or("device_sn is missing")?;
        if !wire::is_device_sn(&name) {
            return Err("device_sn has to be 4 to 64 letters, digits, `-`, `_`, `@`, `:`".into());
        }
        if product.devices.contains_key(&name) {
            existing += 1;
            return Ok(());
        }
        if product.devices.len() >= cx.limits.devices_per_product {
            return Err("the product has as many devices as it may have".into());
        }
        let secret = match column("device_secret") {
            Some(secret) if is_issuable(&secret) => secret,
            Some(_) => return Err(SECRET_SHAPE.into()),
            None => cx.rng.alphanumeric(16),
        };
        // The password exists from here on; whoever asks gets this one.
        let device = Device::new(DeviceRecord::new(Secret::new(secret)));
        device.put(product_sn, &name, cx);
        product.devices.insert(name, device);
        added += 1;
        Ok(())
    });
    cx.log(What::Operated, product_sn, [&added.to_string(), " devices imported"].concat());
    Ok(OperationResult::Imported { added, existing, rejected })
}

fn list_devices(
    state: &mut CloudState,
    product: &str,
    after: Option<&str>,
    limit: Option<usize>,
    reveal: bool,
) -> Done {
    let devices = &find(state, product)?.devices;
    let from = after.map_or(Unbounded, Excluded);
    let items = devices.range::<str, _>((from, Unbounded)).take(limit.unwrap_or(100).min(1000));
    let items = items.map(|(name, device)| device_view(name, device, reveal)).collect();
    Ok(OperationResult::Devices { total: devices.len(), items })
}

fn device_view(name: &str, device: &Device, reveal: bool) -> DeviceView {
    let record = &device.record;
    let state = match (record.disabled, record.activated, device.reachable()) {
        (true, _, _) => "disabled",
        (_, _, Some(_)) => "online",
        (_, false, None) => "inactive",
        (_, true, None) => "offline",
    };
    let mut more = BTreeMap::from([("activated".to_string(), record.activated.to_string())]);
    for (module, version) in &record.versions {
        more.insert(["version ", module].concat(), version.clone());
    }
    DeviceView {
        name: name.to_string(),
        state: state.to_string(),
        secret: reveal.then(|| record.secret.expose().to_string()),
        version: record.version(wire::DEFAULT_MODULE).map(str::to_string),
        last_active: Some(record.last_active).filter(|at| *at > 0),
        more,
    }
}

fn disable(
    state: &mut CloudState,
    product: &str,
    device: &str,
    disabled: bool,
    cx: &mut CloudCx<'_>,
) -> Done {
    let entry = find_device(find(state, product)?, device)?;
    entry.record.disabled = disabled;
    entry.put(product, device, cx);
    let online = entry.online.filter(|_| disabled);
    let what = if disabled { "disabled" } else { "enabled" };
    cx.log(What::Operated, subject(product, device), what);
    close(state, online, "the device was disabled", cx);
    Ok(OperationResult::Done)
}

fn reset(
    state: &mut CloudState,
    product: &str,
    device: &str,
    new_secret: bool,
    cx: &mut CloudCx<'_>,
) -> Done {
    let entry = find_device(find(state, product)?, device)?;
    entry.record.activated = false;
    if new_secret {
        entry.record.secret = Secret::new(cx.rng.alphanumeric(16));
    }
    entry.put(product, device, cx);
    // With the old secret still good, its session is too; a closed one would come back and activate the device again.
    let online = entry.online.filter(|_| new_secret);
    let what = if new_secret { "reset, with a new secret" } else { "reset" };
    cx.log(What::Operated, subject(product, device), what);
    close(state, online, "the device was reset", cx);
    Ok(OperationResult::Done)
}

fn delete(state: &mut CloudState, product_sn: &str, device: &str, cx: &mut CloudCx<'_>) -> Done {
    let product = find(state, product_sn)?;
    let entry = find_device(product, device)?;
    entry.delete(product_sn, device, cx);
    let online = entry.online;
    for upgrade in product.upgrades.remove(device).unwrap_or_default() {
        cx.delete(records::UPGRADE, [product_sn, "/", device, "/", &upgrade.module].concat());
    }
    product.devices.remove(device);
    cx.log(What::Operated, subject(product_sn, device), "deleted");
    close(state, online, "the device was deleted", cx);
    Ok(OperationResult::Done)
}

fn close(
    state: &mut CloudState,
    online: Option<(ConnectionId, AuthMode)>,
    why: &'static str,
    cx: &mut CloudCx<'_>,
) {
    if let Some((connection, _)) = online {
        state.close(connection, why, cx);
    }
}

fn add_firmware(
    product: &mut Product,
    product_sn: &str,
    image: Firmware,
    cx: &mut CloudCx<'_>,
) -> Done {
    let module = image.module.clone().unwrap_or_default();
    if product.image(&module, &image.version).is_some() {
        return Err(OperationError::exists("this version is known; give the image another one"));
    }
    if product.firmware.len() >= cx.limits.firmware {
        return Err(OperationError::full("the product has as many images as it may have"));
    }
    let key = [product_sn, "/", &module, "/", &image.version].concat();
    cx.put(records::FIRMWARE, &key, &image);
    cx.log(What::Operated, product_sn, ["firmware ", &image.version].concat());
    product.add_firmware(image);
    Ok(OperationResult::Done)
}

fn push(
    state: &mut CloudState,
    product_sn: &str,
    module: &str,
    version: &str,
    devices: Option<Vec<String>>,
    cx: &mut CloudCx<'_>,
) -> Done {
    let sessions = core::mem::take(&mut state.sessions);
    let result = find(state, product_sn).and_then(|product| {
        if product.image(module, version).is_none() {
            let message = "no such firmware in this product; add it first";
            return Err(OperationError::not_found(message));
        }
        let names = names(product, devices)?;
        let mut ordered = 0;
        for name in &names {
            ordered +=
                usize::from(order(product, product_sn, name, module, version, &sessions, cx));
        }
        let what = [&ordered.to_string(), " devices ordered to ", version].concat();
        cx.log(What::Operated, product_sn, what);
        Ok(OperationResult::Ordered { devices: ordered })
    });
    state.sessions = sessions;
    result
}

/// Those named, which all have to exist, or all there are.
fn names(
    product: &mut Product,
    devices: Option<Vec<String>>,
) -> Result<Vec<String>, OperationError> {
    match devices {
        Some(mut names) => {
            names.sort();
            names.dedup();
            for name in &names {
                find_device(product, name)?;
            }
            Ok(names)
        }
        None => Ok(product.devices.keys().cloned().collect()),
    }
}

/// Orders one device to update, at once if it is there; `false` if it runs that version.
fn order(
    product: &mut Product,
    product_sn: &str,
    name: &str,
    module: &str,
    version: &str,
    sessions: &BTreeMap<ConnectionId, Session>,
    cx: &mut CloudCx<'_>,
) -> bool {
    let Some(device) = product.devices.get(name) else { return false };
    if device.record.version(module) == Some(version) {
        return false;
    }
    let reachable = device.reachable();
    let upgrade = Upgrade {
        module: module.to_string(),
        version: version.to_string(),
        state: UpgradeState::Pending,
        detail: String::new(),
        untold: false,
    };
    upgrade.put(product_sn, name, cx);
    let known = product.upgrades.entry(name.to_string()).or_default();
    known.retain(|older| older.module != module);
    known.push(upgrade);
    if let Some((connection, session)) =
        reachable.and_then(|connection| Some((connection, sessions.get(&connection)?)))
    {
        ota::send_update(product, (connection, session), module, version, cx);
    }
    true
}

fn cancel(
    state: &mut CloudState,
    product_sn: &str,
    module: &str,
    devices: Option<Vec<String>>,
    cx: &mut CloudCx<'_>,
) -> Done {
    let sessions = core::mem::take(&mut state.sessions);
    let result = find(state, product_sn).and_then(|product| {
        let names = match devices {
            Some(_) => names(product, devices)?,
            None => product.upgrades.keys().cloned().collect(),
        };
        let mut cancelled = 0;
        for name in &names {
            cancelled += usize::from(take_back(product, product_sn, name, module, &sessions, cx));
        }
        Ok(OperationResult::Ordered { devices: cancelled })
    });
    state.sessions = sessions;
    result
}

/// Takes one device's order back; `false` if there is none, or it is over.
fn take_back(
    product: &mut Product,
    product_sn: &str,
    name: &str,
    module: &str,
    sessions: &BTreeMap<ConnectionId, Session>,
    cx: &mut CloudCx<'_>,
) -> bool {
    let reachable = product.devices.get(name).and_then(Device::reachable);
    let Some(upgrade) = product.upgrade(name, module) else { return false };
    if upgrade.state.is_over() {
        return false;
    }
    let went_out = upgrade.state != UpgradeState::Pending;
    upgrade.state = UpgradeState::Cancelled;
    upgrade.detail.clear();
    let session = reachable.and_then(|connection| Some((connection, sessions.get(&connection)?)));
    let told = session.is_some_and(|(connection, session)| {
        went_out && down(connection, session, wire::OTA_DOWN, ota::cancel_body(upgrade), cx)
    });
    upgrade.untold = went_out && !told;
    upgrade.put(product_sn, name, cx);
    cx.log(What::Update, subject(product_sn, name), "cancelled");
    true
}

fn list_upgrades(product: &mut Product) -> Done {
    let mut items = Vec::new();
    for (device, upgrades) in &product.upgrades {
        items.extend(upgrades.iter().map(|upgrade| UpgradeView {
            device: device.clone(),
            module: Some(upgrade.module.clone()),
            version: upgrade.version.clone(),
            state: upgrade.state.name().to_string(),
            detail: upgrade.detail.clone(),
        }));
    }
    Ok(OperationResult::Upgrades { items })
}

fn set_properties(
    state: &mut CloudState,
    product: &str,
    device: &str,
    json: &str,
    cx: &mut CloudCx<'_>,
) -> Done {
    let online = find_device(find(state, product)?, device)?.reachable();
    state.next_request = state.next_request.wrapping_add(1);
    let body = property::set_body(&state.next_request.to_string(), json)
        .ok_or_else(|| OperationError::invalid("properties have to be a JSON object"))?;
    let offline = "the device is not online; it has to be to have properties set";
    let connection = online.ok_or_else(|| OperationError::invalid(offline))?;
    let session = state.sessions.get(&connection);
    let session = session.ok_or_else(|| OperationError::invalid(offline))?;
    if down(connection, session, wire::SET, body, cx) {
        cx.log(What::Operated, subject(product, device), "properties set");
        return Ok(OperationResult::Done);
    }
    let message = "the device does not listen to tmodel/property/set, or it would be more than \
                   2048 bytes";
    Err(OperationError::invalid(message))
}
