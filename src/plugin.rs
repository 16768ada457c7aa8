//! The exports: the canonical ABI's names around a [`Guest`]. The only `unsafe` of the crate is here and in what
//! `wit-bindgen` generates.
//!
//! One instance is one device. Nothing is imported, so nothing in here can block, and the host alone decides how
//! long a call may take. A panic is a trap; the host throws the instance away and starts from what is stored.

mod heap;
mod mem;

use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, memory_size};
use core::cell::{RefCell, UnsafeCell};

use crate::wire::Guest;
use heap::{Heap, Words};

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
        DEVICE.0.borrow_mut().save()
    }

    fn restore(request: Vec<u8>) -> Vec<u8> {
        DEVICE.0.borrow_mut().restore(request)
    }
}

/// All of the memory behind the stack and the constants.
struct Memory {
    begun: bool,
}

const PAGE: usize = 65_536;

impl Words for Memory {
    fn read(&self, at: usize) -> usize {
        // SAFETY: `at` is in a free block, which is inside the memory and nobody else's.
        unsafe { *(at as *const usize) }
    }

    fn write(&mut self, at: usize, word: usize) {
        // SAFETY: as above.
        unsafe { *(at as *mut usize) = word };
    }

    fn more(&mut self, bytes: usize) -> Option<(usize, usize)> {
        unsafe extern "C" {
            static __heap_base: u8;
        }
        if !self.begun {
            self.begun = true;
            // What the linker left of the first page.
            let base = (&raw const __heap_base as usize).next_multiple_of(8);
            return Some((base, memory_size(0) * PAGE - base));
        }
        let pages = bytes.div_ceil(PAGE);
        let at = memory_grow(0, pages);
        (at != usize::MAX).then(|| (at * PAGE, pages * PAGE))
    }
}

struct Allocator(UnsafeCell<Heap<Memory>>);

// SAFETY: one instance never has two threads.
unsafe impl Sync for Allocator {}

// SAFETY: blocks are whole, apart from each other, and stay where they are until they come back.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        debug_assert!(layout.align() <= 8, "no type here is aligned to more");
        // SAFETY: the heap calls nobody who could come back here.
        unsafe { (*self.0.get()).take(layout.size()) as *mut u8 }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { (*self.0.get()).give_back(at as usize, layout.size()) };
    }
}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator(UnsafeCell::new(Heap::new(Memory { begun: false })));

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
