//! CONNECT: who may come in, and with which code the others are sent away.

use core::time::Duration;

use super::switches::Refusal;
use super::{CloudState, Session, subject};
use crate::cloud::{CloudCx, ConnectPacket, ConnectionId, What};
use crate::platform::ucloud::wire::{self, AuthMode};
use crate::secret::Secret;

use super::records::{Device, DeviceRecord};

pub(super) fn connect(
    state: &mut CloudState,
    connection: ConnectionId,
    connect: &ConnectPacket,
    cx: &mut CloudCx<'_>,
) {
    if connect.will {
        // The vendor supports no will; it does not say how it shows.
        cx.log(What::Refused, connect.client_id.as_str(), "a will is not supported");
        cx.send(crate::cloud::CloudOutput::Close { connection });
        return;
    }
    match admit(state, connection, connect, cx) {
        Ok(()) => {
            // MQTT's own rule: one and a half keep-alive periods.
            let silence = Duration::from_millis(u64::from(connect.keep_alive) * 1500);
            cx.connack(connection, Some(silence));
        }
        Err(refusal) => {
            let who = match connect.client_id.len() {
                0..=128 => connect.client_id.as_str(),
                _ => "a ClientID of more than 128 bytes",
            };
            cx.log(What::Refused, who, refusal.reason());
            cx.refuse(connection, state.switches.connack(refusal));
        }
    }
}

fn admit(
    state: &mut CloudState,
    connection: ConnectionId,
    connect: &ConnectPacket,
    cx: &mut CloudCx<'_>,
) -> Result<(), Refusal> {
    if connect.protocol_level != 4 {
        return Err(Refusal::Protocol);
    }
    if !(30..=1200).contains(&connect.keep_alive) {
        return Err(Refusal::KeepAlive);
    }
    let username = connect.username.as_deref().ok_or(Refusal::Names)?;
    let (product, device, mode) =
        wire::parse_names(&connect.client_id, username).ok_or(Refusal::Names)?;
    if !wire::is_device_sn(device) {
        return Err(Refusal::DeviceSn);
    }
    let password = connect.password.as_ref().ok_or(Refusal::Secret)?;
    let refused = match mode {
        AuthMode::Static => log_in(state, product, device, password, cx).map(|()| None)?,
        AuthMode::Dynamic => match pre_authenticate(state, product, device, password, cx) {
            Ok(()) => None,
            Err(refusal) if state.switches.tells(refusal) => Some(refusal),
            Err(refusal) => return Err(refusal),
        },
    };
    if refused.is_none() {
        take_over(state, connection, product, device, mode, cx);
    }
    let detail = match (mode, refused) {
        (AuthMode::Static, _) => "logged in with its own secret",
        (AuthMode::Dynamic, None) => "pre-authenticated with the product's secret",
        (AuthMode::Dynamic, Some(_)) => "let in to be refused by RetCode",
    };
    cx.log(What::Accepted, subject(product, device), detail);
    let session = Session {
        product: product.into(),
        device: device.into(),
        mode,
        refused,
        subscriptions: Default::default(),
        window: Default::default(),
    };
    state.sessions.insert(connection, session);
    Ok(())
}

/// Mode 1. The first one activates the device.
fn log_in(
    state: &mut CloudState,
    product_sn: &str,
    device_sn: &str,
    password: &Secret,
    cx: &mut CloudCx<'_>,
) -> Result<(), Refusal> {
    let product = state.products.get_mut(product_sn).ok_or(Refusal::Secret)?;
    if !product.exists() {
        return Err(Refusal::Secret);
    }
    let device = product.devices.get_mut(device_sn).ok_or(Refusal::NotImported)?;
    if !same(&device.record.secret, password) {
        return Err(Refusal::Secret);
    }
    if device.record.disabled {
        return Err(Refusal::Disabled);
    }
    device.record.last_active = cx.unix();
    if !device.record.activated {
        device.record.activated = true;
        device.put(product_sn, device_sn, cx);
        cx.log(What::Activated, subject(product_sn, device_sn), "first login with its own secret");
    }
    Ok(())
}

/// Mode 2: whether the device may ask for its secret.
fn pre_authenticate(
    state: &mut CloudState,
    product_sn: &str,
    device_sn: &str,
    password: &Secret,
    cx: &mut CloudCx<'_>,
) -> Result<(), Refusal> {
    let product = state.products.get_mut(product_sn).ok_or(Refusal::Secret)?;
    if !product.exists() || !same(&product.record.secret, password) {
        return Err(Refusal::Secret);
    }
    if !product.record.dynamic_register {
        return Err(Refusal::DynamicOff);
    }
    let full = product.devices.len() >= cx.limits.devices_per_product;
    match product.devices.get_mut(device_sn) {
        Some(device) if device.record.disabled => Err(Refusal::Disabled),
        Some(device) if device.record.activated => Err(Refusal::Activated),
        Some(device) => {
            // Kept at once: whoever asks for the password may hold it from now on, also after a restart.
            device.record.last_active = cx.unix();
            device.put(product_sn, device_sn, cx);
            Ok(())
        }
        None if product.record.pre_register => Err(Refusal::NotImported),
        None if full => Err(Refusal::Full),
        None => {
            // Without pre-registration a device comes into being with its first word.
            let secret = Secret::new(cx.rng.alphanumeric(16));
            let record = DeviceRecord { last_active: cx.unix(), ..DeviceRecord::new(secret) };
            let device = Device::new(record);
            device.put(product_sn, device_sn, cx);
            product.devices.insert(device_sn.into(), device);
            Ok(())
        }
    }
}

/// One session for a credential: the newer one stays.
fn take_over(
    state: &mut CloudState,
    connection: ConnectionId,
    product: &str,
    device: &str,
    mode: AuthMode,
    cx: &mut CloudCx<'_>,
) {
    let entry = state.products.get_mut(product).and_then(|p| p.devices.get_mut(device));
    let older = entry.and_then(|entry| entry.online.replace((connection, mode)));
    if let Some((older, _)) = older {
        // `close` finds the newer connection in the device's record, and leaves it there.
        state.close(older, "the same credential logged in again", cx);
    }
}

/// Compares without telling by its time how much was right.
fn same(secret: &Secret, given: &Secret) -> bool {
    let (secret, given) = (secret.expose().as_bytes(), given.expose().as_bytes());
    let differences = secret.iter().zip(given).fold(0u8, |sum, (a, b)| sum | (a ^ b));
    !secret.is_empty() && secret.len() == given.len() && differences == 0
}
