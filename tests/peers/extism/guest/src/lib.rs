//! The plugin's five functions as extism has them: the same `Guest`, the same bytes, another way in and out.

use std::cell::RefCell;

use extism_pdk::{FnResult, plugin_fn};
use muster::wire::Guest;

thread_local! {
    static DEVICE: RefCell<Guest> = const { RefCell::new(Guest::new()) };
}

#[plugin_fn]
pub fn describe() -> FnResult<Vec<u8>> {
    Ok(DEVICE.with_borrow(Guest::describe))
}

#[plugin_fn]
pub fn open(request: Vec<u8>) -> FnResult<Vec<u8>> {
    Ok(DEVICE.with_borrow_mut(|device| device.open(request)))
}

#[plugin_fn]
pub fn handle(request: Vec<u8>) -> FnResult<Vec<u8>> {
    Ok(DEVICE.with_borrow_mut(|device| device.handle(request)))
}

#[plugin_fn]
pub fn save() -> FnResult<Vec<u8>> {
    Ok(DEVICE.with_borrow_mut(Guest::save))
}

#[plugin_fn]
pub fn restore(request: Vec<u8>) -> FnResult<Vec<u8>> {
    Ok(DEVICE.with_borrow_mut(|device| device.restore(request)))
}
