//! What the cloud keeps: products, devices, owners, app keys, and the indices over them.
//!
//! Every change goes through `edit_…`, which keeps the indices right and puts the record out to be persisted, so that
//! no caller can forget either. Tables: `product`, `device` (key `pk/dn`), `owner` (key identity), `app_key`,
//! `setting`, `report` (key `pk/dn/slot`).

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::convert::Infallible;
use core::fmt;
use core::ops::Bound;

use crate::cbor::{Decode, Decoder, Encode, Encoder};
use sha2::{Digest, Sha256};

use super::switches::{ProductSwitches, Settings};
use crate::cloud::{CloudCx, Firmware, OperationError, Text, decode};
use crate::secret::Secret;

/// A device's name in the whole platform: `pk/dn`, in one piece that is cheap to copy, because every index holds it.
///
/// Neither part can hold a slash, and a ProductKey holds nothing that sorts below one, so the order of the texts is
/// that of products, then of devices.
#[derive(Clone, Debug)]
pub(super) struct Key {
    path: Arc<str>,
    /// Where the slash is.
    slash: usize,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct KeptKey {
    #[n(0)]
    product: String,
    #[n(1)]
    device: String,
}

impl Key {
    pub(super) fn new(product: &str, device: &str) -> Self {
        Self { path: [product, "/", device].concat().into(), slash: product.len() }
    }

    /// `pk/dn`.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The ProductKey.
    pub(super) fn product(&self) -> &str {
        self.path.get(..self.slash).unwrap_or_default()
    }

    /// The DeviceName.
    pub(super) fn device(&self) -> &str {
        self.path.get(self.slash + 1..).unwrap_or_default()
    }

    /// The topic `{before}{pk}/{dn}{after}`.
    pub(super) fn topic(&self, before: &str, after: &str) -> String {
        [before, &self.path, after].concat()
    }

    /// What follows `{before}{pk}/{dn}` in a topic.
    pub(super) fn after<'a>(&self, before: &str, topic: &'a str) -> Option<&'a str> {
        topic.strip_prefix(before)?.strip_prefix(&*self.path)
    }

    fn parse(path: &str) -> Option<Self> {
        path.split_once('/').map(|(product, device)| Self::new(product, device))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.path.cmp(&other.path)
    }
}

impl From<&Key> for Text {
    fn from(key: &Key) -> Self {
        key.path.clone().into()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

impl Encode for Key {
    fn encode(&self, e: &mut Encoder) {
        let (product, device) = (self.product().to_string(), self.device().to_string());
        KeptKey { product, device }.encode(e);
    }
}

impl Decode for Key {
    fn decode(d: &mut Decoder<'_>) -> Self {
        let KeptKey { product, device } = KeptKey::decode(d);
        Self::new(&product, &device)
    }
}

#[derive(Debug)]
pub(super) struct Product {
    pub(super) secret: Secret,
    pub(super) name: String,
    pub(super) switches: ProductSwitches,
    pub(super) firmware: Vec<Firmware>,
    /// How many devices there are: counted, not kept.
    pub(super) devices: usize,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct KeptProduct {
    #[n(0)]
    secret: Secret,
    #[n(1)]
    name: String,
    #[n(2)]
    switches: BTreeMap<String, String>,
    #[n(3)]
    firmware: Vec<Firmware>,
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Device {
    #[n(0)]
    pub(super) iot_id: String,
    #[n(1)]
    pub(super) secret: Secret,
    /// When it first logged in, Unix milliseconds. Before that each dynamic registration replaces the secret.
    #[n(2)]
    pub(super) activated: Option<u64>,
    #[n(3)]
    pub(super) disabled: bool,
    /// The owner's identity.
    #[n(4)]
    pub(super) owner: Option<String>,
    #[n(5)]
    pub(super) home: Option<String>,
    #[n(6)]
    pub(super) token: Option<BindToken>,
    /// When it last connected: the power-on that the time window counts from.
    #[n(7)]
    pub(super) power_on: Option<u64>,
    #[n(8)]
    pub(super) last_active: Option<u64>,
    /// Firmware versions by module.
    #[n(9)]
    pub(super) versions: Versions,
    /// Orders to update by module.
    #[n(10)]
    pub(super) upgrades: BTreeMap<String, Upgrade>,
    /// The gateway that it is under.
    #[n(11)]
    pub(super) gateway: Option<Key>,
    /// Announced by the operator as waiting to be provisioned.
    #[n(12)]
    pub(super) announced: Option<u64>,
    /// Client id and token of a registration without whitelist.
    #[n(13)]
    pub(super) token_login: Option<TokenLogin>,
    /// Whether sub-devices may join this gateway.
    #[n(14)]
    pub(super) permit: Option<Permit>,
}

/// Versions by module, kept as a map. A device has one, seldom a few: a list takes a tenth of a map's memory.
#[derive(Debug, Default)]
pub(super) struct Versions(Vec<(Module, String)>);

/// A module's name, which is almost always [`DEFAULT_MODULE`].
type Module = Cow<'static, str>;

/// What a missing `module` means in the vendor's messages.
pub(super) const DEFAULT_MODULE: &str = "default";

fn module_name(name: &str) -> Module {
    if name == DEFAULT_MODULE { DEFAULT_MODULE.into() } else { name.to_string().into() }
}

impl Versions {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, module: &str) -> Option<&String> {
        self.0.iter().find(|(name, _)| name == module).map(|(_, version)| version)
    }

    pub(super) fn insert(&mut self, module: &str, version: &str) {
        match self.0.binary_search_by(|(name, _)| (**name).cmp(module)) {
            Ok(at) => {
                if let Some((_, old)) = self.0.get_mut(at) {
                    *old = version.to_string();
                }
            }
            Err(at) => {
                self.0.reserve_exact(1);
                self.0.insert(at, (module_name(module), version.to_string()));
            }
        }
    }
}

impl Encode for Versions {
    fn encode(&self, e: &mut Encoder) {
        e.map(self.0.len() as u32);
        for (module, version) in &self.0 {
            (**module).encode(e);
            version.encode(e);
        }
    }
}

impl Decode for Versions {
    fn decode(d: &mut Decoder<'_>) -> Self {
        let kept: BTreeMap<String, String> = BTreeMap::decode(d);
        Self(kept.into_iter().map(|(module, version)| (module_name(&module), version)).collect())
    }
}

/// What of a device the indices know, beside its iotId.
struct Indexed {
    /// Its mark, with the time of its report.
    token: Option<(u64, u64)>,
    owner: Option<String>,
    gateway: Option<Key>,
    announced: bool,
}

impl Indexed {
    fn of(device: &Device) -> Self {
        Self {
            token: device.token.as_ref().map(BindToken::indexed),
            owner: device.owner.clone(),
            gateway: device.gateway.clone(),
            announced: device.announced.is_some(),
        }
    }

    fn is_of(&self, device: &Device) -> bool {
        self.token == device.token.as_ref().map(BindToken::indexed)
            && self.owner == device.owner
            && self.gateway == device.gateway
            && self.announced == device.announced.is_some()
    }
}

#[derive(Debug)]
pub(super) struct BindToken {
    token: String,
    /// Worked out once: every change of a device asks whether its indices still hold.
    mark: u64,
    pub(super) reported: u64,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct KeptToken {
    #[n(0)]
    token: String,
    #[n(1)]
    reported: u64,
}

impl BindToken {
    pub(super) fn new(token: String, reported: u64) -> Self {
        Self { mark: mark(&token), token, reported }
    }

    /// For the operator who asked.
    pub(super) fn text(&self) -> &str {
        &self.token
    }

    pub(super) fn is(&self, token: &str) -> bool {
        self.token == token
    }

    fn indexed(&self) -> (u64, u64) {
        (self.mark, self.reported)
    }
}

impl Encode for BindToken {
    fn encode(&self, e: &mut Encoder) {
        KeptToken { token: self.token.clone(), reported: self.reported }.encode(e);
    }
}

impl Decode for BindToken {
    fn decode(d: &mut Decoder<'_>) -> Self {
        let KeptToken { token, reported } = KeptToken::decode(d);
        Self::new(token, reported)
    }
}

#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub(super) struct TokenLogin {
    #[n(0)]
    pub(super) client_id: String,
    #[n(1)]
    pub(super) token: Secret,
}

#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub(super) struct Permit {
    #[n(0)]
    pub(super) product: Option<String>,
    /// Unix milliseconds; `None` is for ever.
    #[n(1)]
    pub(super) until: Option<u64>,
}

#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub(super) struct Upgrade {
    #[n(0)]
    pub(super) version: String,
    #[n(1)]
    pub(super) state: UpgradeState,
    #[n(2)]
    pub(super) detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(super) enum UpgradeState {
    #[n(0)]
    Pending,
    #[n(1)]
    Sent,
    #[n(2)]
    Downloading,
    #[n(3)]
    Upgrading,
    #[n(4)]
    Succeeded,
    #[n(5)]
    Failed,
    #[n(6)]
    Cancelled,
}

impl UpgradeState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Downloading => "downloading",
            Self::Upgrading => "upgrading",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(super) fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Owner {
    #[n(0)]
    pub(super) home: String,
    #[n(1)]
    pub(super) iot_token: Secret,
    #[n(2)]
    pub(super) iot_token_until: u64,
    #[n(3)]
    pub(super) refresh_token: Secret,
    #[n(4)]
    pub(super) refresh_token_until: u64,
    /// For `/account/createSessionByAuthCode`, good once.
    #[n(5)]
    pub(super) auth_code: Option<Secret>,
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct AppKey {
    #[n(0)]
    pub(super) secret: Secret,
    #[n(1)]
    pub(super) authorized: bool,
}

/// Something a device reported. It is shown to operators, so secrets are masked before it gets here.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub(super) struct Report {
    #[n(0)]
    pub(super) sequence: u64,
    #[n(1)]
    pub(super) at: u64,
    #[n(2)]
    pub(super) json: String,
}

/// Tokens are looked up by their hash: so neither `Debug` nor the time that a search takes tells one.
type Hash = [u8; 32];

pub(super) fn hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

/// Bind tokens are short-lived and many: their index holds eight bytes of the hash in place of texts that lie elsewhere.
fn mark(token: &str) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = hash(token);
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[derive(Debug, Default)]
pub(super) struct Registry {
    pub(super) settings: Settings,
    products: BTreeMap<String, Product>,
    devices: BTreeMap<Key, Device>,
    owners: BTreeMap<String, Owner>,
    app_keys: BTreeMap<String, AppKey>,
    reports: BTreeMap<Key, VecDeque<Report>>,
    by_iot_id: BTreeMap<String, Key>,
    by_product_id: BTreeMap<String, String>,
    /// By [`mark`].
    by_bind_token: BTreeSet<(u64, Key)>,
    by_iot_token: BTreeMap<Hash, String>,
    by_refresh_token: BTreeMap<Hash, String>,
    by_auth_code: BTreeMap<Hash, String>,
    /// Owner and device.
    bound: BTreeSet<(String, Key)>,
    /// Gateway and sub-device.
    under: BTreeSet<(Key, Key)>,
    /// Devices without an owner, by the time when they reported their bind token.
    waiting: BTreeSet<(u64, Key)>,
    /// Devices without an owner that the operator announced.
    announced: BTreeSet<Key>,
}

impl Registry {
    pub(super) fn load(
        &mut self,
        table: &str,
        key: &str,
        value: &[u8],
    ) -> Result<(), crate::cbor::Fault> {
        let misnamed = || crate::cbor::Fault::Malformed;
        match table {
            "product" => {
                let kept: KeptProduct = decode(value)?;
                let mut switches = ProductSwitches::new(key);
                for (name, value) in &kept.switches {
                    // A switch of another version is not this one's business.
                    let _ = switches.set(name, value);
                }
                let devices = self.names(key, None).count();
                let product = Product {
                    secret: kept.secret,
                    name: kept.name,
                    switches,
                    firmware: kept.firmware,
                    devices,
                };
                self.by_product_id.insert(product.switches.product_id.clone(), key.to_string());
                self.products.insert(key.to_string(), product);
            }
            "device" => {
                let device: Device = decode(value)?;
                let key = Key::parse(key).ok_or_else(misnamed)?;
                self.take_in(key, device);
            }
            "owner" => {
                let owner: Owner = decode(value)?;
                self.index_owner(key, &owner);
                self.owners.insert(key.to_string(), owner);
            }
            "app_key" => {
                self.app_keys.insert(key.to_string(), decode(value)?);
            }
            "setting" => {
                let value: String = decode(value)?;
                let _ = self.settings.set(key, &value);
            }
            "report" => {
                let report: Report = decode(value)?;
                let (device, _) = key.rsplit_once('/').ok_or_else(misnamed)?;
                let key = Key::parse(device).ok_or_else(misnamed)?;
                let reports = self.reports.entry(key).or_default();
                let at = reports.partition_point(|r| r.sequence < report.sequence);
                reports.insert(at, report);
            }
            _ => {}
        }
        Ok(())
    }

    // Settings and app keys

    pub(super) fn set(
        &mut self,
        name: &str,
        value: &str,
        cx: &mut CloudCx<'_>,
    ) -> Result<(), OperationError> {
        self.settings.set(name, value)?;
        cx.put("setting", name, &value.to_string());
        Ok(())
    }

    pub(super) fn app_key(&self, key: &str) -> Option<&AppKey> {
        self.app_keys.get(key)
    }

    pub(super) fn put_app_key(
        &mut self,
        key: &str,
        app_key: AppKey,
        cx: &mut CloudCx<'_>,
    ) -> Result<(), OperationError> {
        if self.app_keys.len() >= MAX_APP_KEYS && !self.app_keys.contains_key(key) {
            return Err(OperationError::full("at most 1,000 app keys"));
        }
        cx.put("app_key", key, &app_key);
        self.app_keys.insert(key.to_string(), app_key);
        Ok(())
    }

    // Products

    pub(super) fn product(&self, product: &str) -> Option<&Product> {
        self.products.get(product)
    }

    pub(super) fn products(&self) -> impl ExactSizeIterator<Item = (&String, &Product)> {
        self.products.iter()
    }

    /// The ProductKey of a productId, in whatever case.
    pub(super) fn product_of_id(&self, product_id: &str) -> Option<&str> {
        self.by_product_id.get(&product_id.to_ascii_lowercase()).map(String::as_str)
    }

    pub(super) fn add_product(&mut self, key: &str, product: Product, cx: &mut CloudCx<'_>) {
        cx.put("product", key, &kept(&product));
        self.by_product_id.insert(product.switches.product_id.clone(), key.to_string());
        self.products.insert(key.to_string(), product);
    }

    pub(super) fn edit_product<R>(
        &mut self,
        key: &str,
        cx: &mut CloudCx<'_>,
        edit: impl FnOnce(&mut Product) -> R,
    ) -> Option<R> {
        let product = self.products.get_mut(key)?;
        self.by_product_id.remove(&product.switches.product_id);
        let result = edit(product);
        self.by_product_id.insert(product.switches.product_id.clone(), key.to_string());
        cx.put("product", key, &kept(product));
        Some(result)
    }

    // Devices

    pub(super) fn device(&self, key: &Key) -> Option<&Device> {
        self.devices.get(key)
    }

    pub(super) fn by_iot_id(&self, iot_id: &str) -> Option<(&Key, &Device)> {
        let key = self.by_iot_id.get(iot_id)?;
        Some((key, self.devices.get(key)?))
    }

    /// Names of a product's devices, in order.
    pub(super) fn names(
        &self,
        product: &str,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&Key, &Device)> {
        let start = match after {
            Some(after) => Bound::Excluded(Key::new(product, after)),
            None => Bound::Included(Key::new(product, "")),
        };
        let product = product.to_string();
        self.devices
            .range((start, Bound::Unbounded))
            .take_while(move |(key, _)| key.product() == product)
    }

    pub(super) fn add_device(
        &mut self,
        key: Key,
        secret: Secret,
        cx: &mut CloudCx<'_>,
    ) -> Result<(), OperationError> {
        let full = cx.limits.devices_per_product;
        let product = self.products.get(key.product()).ok_or_else(no_product)?;
        if product.devices >= full {
            return Err(OperationError::full("the product has as many devices as it may have"));
        }
        let device = Device {
            iot_id: new_iot_id(cx),
            secret,
            activated: None,
            disabled: false,
            owner: None,
            home: None,
            token: None,
            power_on: None,
            last_active: None,
            versions: Versions::default(),
            upgrades: BTreeMap::new(),
            gateway: None,
            announced: None,
            token_login: None,
            permit: None,
        };
        cx.put("device", &key, &device);
        self.take_in(key, device);
        Ok(())
    }

    fn take_in(&mut self, key: Key, device: Device) {
        if let Some(product) = self.products.get_mut(key.product()) {
            product.devices += 1;
        }
        self.by_iot_id.insert(device.iot_id.clone(), key.clone());
        self.index(&key, &Indexed::of(&device));
        self.devices.insert(key, device);
    }

    /// An edit may change everything but the iotId. It happens in its place, and touches only indices that it changes:
    /// most edits change none.
    pub(super) fn edit_device<R>(
        &mut self,
        key: &Key,
        cx: &mut CloudCx<'_>,
        edit: impl FnOnce(&mut Device) -> R,
    ) -> Option<R> {
        self.try_edit_device(key, cx, |device| Ok::<R, Infallible>(edit(device)))?.ok()
    }

    /// An edit that looks at the device first, and leaves it as it is if there is an error.
    pub(super) fn try_edit_device<R, E>(
        &mut self,
        key: &Key,
        cx: &mut CloudCx<'_>,
        edit: impl FnOnce(&mut Device) -> Result<R, E>,
    ) -> Option<Result<R, E>> {
        let device = self.devices.get_mut(key)?;
        let before = Indexed::of(device);
        let result = match edit(device) {
            Ok(result) => result,
            Err(error) => return Some(Err(error)),
        };
        cx.put("device", key, device);
        if !before.is_of(device) {
            let after = Indexed::of(device);
            self.unindex(key, &before);
            self.index(key, &after);
        }
        Some(Ok(result))
    }

    /// Deletes a device, its reports, and its ties to gateways and sub-devices.
    pub(super) fn remove_device(&mut self, key: &Key, cx: &mut CloudCx<'_>) -> Option<Device> {
        let subs: Vec<Key> = self.subs(key).cloned().collect();
        for sub in subs {
            self.edit_device(&sub, cx, |sub| sub.gateway = None);
        }
        let device = self.devices.remove(key)?;
        self.by_iot_id.remove(&device.iot_id);
        self.unindex(key, &Indexed::of(&device));
        if let Some(product) = self.products.get_mut(key.product()) {
            product.devices = product.devices.saturating_sub(1);
        }
        cx.delete("device", key);
        for report in self.reports.remove(key).unwrap_or_default() {
            cx.delete("report", slot(key, report.sequence, cx.limits.reports_per_device));
        }
        Some(device)
    }

    fn index(&mut self, key: &Key, indexed: &Indexed) {
        if let Some((mark, _)) = indexed.token {
            self.by_bind_token.insert((mark, key.clone()));
        }
        if let Some(owner) = &indexed.owner {
            self.bound.insert((owner.clone(), key.clone()));
        }
        if let Some(gateway) = &indexed.gateway {
            self.under.insert((gateway.clone(), key.clone()));
        }
        if indexed.owner.is_none() {
            if let Some((_, reported)) = indexed.token {
                self.waiting.insert((reported, key.clone()));
            }
            if indexed.announced {
                self.announced.insert(key.clone());
            }
        }
    }

    fn unindex(&mut self, key: &Key, indexed: &Indexed) {
        if let Some((mark, reported)) = indexed.token {
            self.by_bind_token.remove(&(mark, key.clone()));
            self.waiting.remove(&(reported, key.clone()));
        }
        if let Some(owner) = &indexed.owner {
            self.bound.remove(&(owner.clone(), key.clone()));
        }
        if let Some(gateway) = &indexed.gateway {
            self.under.remove(&(gateway.clone(), key.clone()));
        }
        self.announced.remove(key);
    }

    /// Devices that reported this bind token and still stand by it.
    pub(super) fn holders(&self, token: &str, now: u64) -> impl Iterator<Item = (&Key, &Device)> {
        let life = self.settings.token_seconds.saturating_mul(1_000);
        let (mark, token) = (mark(token), token.to_string());
        self.by_bind_token
            .range((mark, Key::new("", ""))..)
            .take_while(move |(other, _)| *other == mark)
            .filter_map(|(_, key)| Some((key, self.devices.get(key)?)))
            .filter(move |(_, device)| {
                let live = |t: &BindToken| t.is(&token) && now < t.reported.saturating_add(life);
                device.token.as_ref().is_some_and(live)
            })
    }

    /// Devices that wait for an owner: announced ones in the order of their names, then those with a live bind token,
    /// the earliest first. With each the time since when.
    pub(super) fn waiting(&self, now: u64) -> impl Iterator<Item = (u64, &Key, &Device)> {
        let life = self.settings.token_seconds.saturating_mul(1_000);
        let oldest = now.saturating_sub(life).saturating_add(1);
        let announced = self.announced.iter().filter_map(|key| {
            let device = self.devices.get(key)?;
            Some((device.announced?, key, device))
        });
        let reported = self.waiting.range((oldest, Key::new("", ""))..).filter_map(|(at, key)| {
            let device = self.devices.get(key)?;
            device.announced.is_none().then_some((*at, key, device))
        });
        announced.chain(reported)
    }

    /// The devices of an owner.
    pub(super) fn bound(&self, identity: &str) -> impl Iterator<Item = &Key> {
        let identity = identity.to_string();
        self.bound
            .range((identity.clone(), Key::new("", ""))..)
            .take_while(move |(owner, _)| *owner == identity)
            .map(|(_, key)| key)
    }

    /// The sub-devices of a gateway.
    pub(super) fn subs(&self, gateway: &Key) -> impl Iterator<Item = &Key> {
        let gateway = gateway.clone();
        self.under
            .range((gateway.clone(), Key::new("", ""))..)
            .take_while(move |(g, _)| *g == gateway)
            .map(|(_, key)| key)
    }

    pub(super) fn report(&mut self, key: &Key, json: String, cx: &mut CloudCx<'_>) {
        let kept = cx.limits.reports_per_device.max(1);
        let reports = self.reports.entry(key.clone()).or_default();
        let sequence = reports.back().map_or(0, |last| last.sequence.saturating_add(1));
        let report = Report { sequence, at: cx.unix(), json };
        cx.put("report", slot(key, sequence, kept), &report);
        reports.push_back(report);
        if reports.len() > kept {
            reports.pop_front();
        }
    }

    /// Latest first.
    pub(super) fn reports(&self, key: &Key) -> impl Iterator<Item = &Report> {
        self.reports.get(key).into_iter().flat_map(|reports| reports.iter().rev())
    }

    // Owners

    pub(super) fn owner(&self, identity: &str) -> Option<&Owner> {
        self.owners.get(identity)
    }

    pub(super) fn owners(&self) -> impl ExactSizeIterator<Item = (&String, &Owner)> {
        self.owners.iter()
    }

    pub(super) fn owner_of_iot_token(&self, token: &str) -> Option<&str> {
        self.by_iot_token.get(&hash(token)).map(String::as_str)
    }

    pub(super) fn owner_of_refresh_token(&self, token: &str) -> Option<&str> {
        self.by_refresh_token.get(&hash(token)).map(String::as_str)
    }

    pub(super) fn owner_of_auth_code(&self, code: &str) -> Option<&str> {
        self.by_auth_code.get(&hash(code)).map(String::as_str)
    }

    pub(super) fn put_owner(&mut self, identity: &str, owner: Owner, cx: &mut CloudCx<'_>) {
        if let Some(old) = self.owners.remove(identity) {
            self.unindex_owner(&old);
        }
        self.index_owner(identity, &owner);
        cx.put("owner", identity, &owner);
        self.owners.insert(identity.to_string(), owner);
    }

    pub(super) fn edit_owner<R>(
        &mut self,
        identity: &str,
        cx: &mut CloudCx<'_>,
        edit: impl FnOnce(&mut Owner) -> R,
    ) -> Option<R> {
        let mut owner = self.owners.remove(identity)?;
        self.unindex_owner(&owner);
        let result = edit(&mut owner);
        self.index_owner(identity, &owner);
        cx.put("owner", identity, &owner);
        self.owners.insert(identity.to_string(), owner);
        Some(result)
    }

    fn index_owner(&mut self, identity: &str, owner: &Owner) {
        self.by_iot_token.insert(hash(owner.iot_token.expose()), identity.to_string());
        self.by_refresh_token.insert(hash(owner.refresh_token.expose()), identity.to_string());
        if let Some(code) = &owner.auth_code {
            self.by_auth_code.insert(hash(code.expose()), identity.to_string());
        }
    }

    fn unindex_owner(&mut self, owner: &Owner) {
        self.by_iot_token.remove(&hash(owner.iot_token.expose()));
        self.by_refresh_token.remove(&hash(owner.refresh_token.expose()));
        if let Some(code) = &owner.auth_code {
            self.by_auth_code.remove(&hash(code.expose()));
        }
    }
}

/// As many as anybody needs; a bound because operators type, and scripts loop.
const MAX_APP_KEYS: usize = 1_000;

fn kept(product: &Product) -> KeptProduct {
    KeptProduct {
        secret: product.secret.clone(),
        name: product.name.clone(),
        switches: product.switches.to_map(),
        firmware: product.firmware.clone(),
    }
}

fn slot(key: &Key, sequence: u64, kept: usize) -> String {
    [key.path(), "/", &(sequence % (kept.max(1) as u64)).to_string()].concat()
}

/// 32 characters: the vendor's own are opaque and of about this length.
fn new_iot_id(cx: &mut CloudCx<'_>) -> String {
    cx.rng.alphanumeric(32)
}

pub(super) fn no_product() -> OperationError {
    OperationError::not_found("no such product: list_products shows them")
}

pub(super) fn no_device() -> OperationError {
    OperationError::not_found("no such device: list_devices shows them")
}
