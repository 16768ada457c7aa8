//! The exports: the canonical ABI's names around a [`Guest`]. The only `unsafe` of the crate is here and in what
//! `wit-bindgen` generates.
//!
//! One instance is one device. Nothing is imported, so nothing in here can block, and the host alone decides how
//! long a call may take. A panic is a trap; the host throws the instance away and starts from what is stored.

use alloc::vec::Vec;
use core::cell::RefCell;

use crate::wire::Guest;

mod bindings {
    #![allow(missing_docs, clippy::all, reason = "generated from wit/world.wit")]
    wit_bindgen::generate!({ path: "wit", world: "plugin" });

    use super::Plugin;
    export!(Plugin);
}

struct Plugin;

struct Device(RefCell<Guest>);

static DEVICE: Device = Device(RefCell::new(Guest::new()));

// SAFETY: the module neither imports nor shares a memory, so one instance never has two threads.
unsafe impl Sync for Device {}

impl bindings::exports::muster::agent::agent::Guest for Plugin {
    fn describe() -> Vec<u8> {
        DEVICE.0.borrow().describe()
    }

    fn open(request: Vec<u8>) -> Vec<u8> {
        DEVICE.0.borrow_mut().open(request)
    }

    fn handle(input: Vec<u8>) -> Vec<u8> {
        DEVICE.0.borrow_mut().handle(input)
    }

    fn save() -> Vec<u8> {
        DEVICE.0.borrow().save()
    }

    fn restore(request: Vec<u8>) -> Vec<u8> {
        DEVICE.0.borrow_mut().restore(request)
    }
}

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
