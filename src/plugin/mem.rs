//! `memcpy` and its kin, which the compiler calls: loops over eight bytes and one, where the ones that come with Rust
//! are unrolled for speed (3 KB of the plugin). WebAssembly reads words at any address.
//!
//! Volatile, because the compiler would see what such a loop is and put a call of the very function in its place.

use core::ffi::c_void;

/// Eight bytes at any address.
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Word(u64);

// SAFETY (all of this file): the callers answer for the ranges, as C has it.

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut c_void, from: *const c_void, n: usize) -> *mut c_void {
    let mut at = 0;
    unsafe {
        while n - at >= 8 {
            let word = from.byte_add(at).cast::<Word>().read_volatile();
            to.byte_add(at).cast::<Word>().write_volatile(word);
            at += 8;
        }
        while at < n {
            to.byte_add(at).cast::<u8>().write_volatile(from.byte_add(at).cast::<u8>().read());
            at += 1;
        }
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut c_void, from: *const c_void, n: usize) -> *mut c_void {
    // From the front, unless `to` begins inside of what is still to be read.
    if (to as usize).wrapping_sub(from as usize) >= n {
        return unsafe { memcpy(to, from, n) };
    }
    let mut at = n;
    unsafe {
        while at >= 8 {
            at -= 8;
            let word = from.byte_add(at).cast::<Word>().read_volatile();
            to.byte_add(at).cast::<Word>().write_volatile(word);
        }
        while at > 0 {
            at -= 1;
            to.byte_add(at).cast::<u8>().write_volatile(from.byte_add(at).cast::<u8>().read());
        }
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut c_void, byte: i32, n: usize) -> *mut c_void {
    let mut at = 0;
    unsafe {
        while at < n {
            to.byte_add(at).cast::<u8>().write_volatile(byte as u8);
            at += 1;
        }
    }
    to
}
