//! A page of 4 KiB: a head, two bits for each entry, 126 entries of 32 bytes.

use zeroize::Zeroize;

use alloc::boxed::Box;

use super::NvsFormat;

pub(super) const PAGE: usize = 4_096;
pub(super) const SLOT: usize = 32;
pub(super) const ENTRIES: usize = 126;

/// Flash is erased to ones, and bits are cleared as things happen.
const ACTIVE: u32 = 0xffff_fffe;
const FULL: u32 = 0xffff_fffc;

pub(super) struct Page {
    bytes: Box<[u8; PAGE]>,
    used: usize,
}

impl Page {
    pub(super) fn new(number: u32, format: NvsFormat) -> Self {
        let mut head = [0xff; SLOT];
        let version = match format {
            NvsFormat::One => 0xff,
            NvsFormat::Two => 0xfe,
        };
        head[..4].copy_from_slice(&ACTIVE.to_le_bytes());
        head[4..8].copy_from_slice(&number.to_le_bytes());
        head[8] = version;
        let crc = crc(&head[4..28]);
        head[28..].copy_from_slice(&crc.to_le_bytes());
        let mut bytes = Box::new([0xff; PAGE]);
        bytes[..SLOT].copy_from_slice(&head);
        Self { bytes, used: 0 }
    }

    /// Entries that are written.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// At most 32 bytes into the next entry; there has to be one.
    pub(super) fn push(&mut self, part: &[u8]) {
        let at = offset(self.used);
        if let Some(slot) = self.bytes.get_mut(at..at + part.len()) {
            slot.copy_from_slice(part);
            // Two bits an entry: 11 is empty, 10 written.
            let bit = self.used * 2;
            self.bytes[SLOT + bit / 8] &= !(1 << (bit % 8));
            self.used += 1;
        }
    }

    /// No entry will follow.
    pub(super) fn close(&mut self) {
        self.bytes[..4].copy_from_slice(&FULL.to_le_bytes());
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..]
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// Where an entry begins in its page.
pub(super) fn offset(entry: usize) -> usize {
    2 * SLOT + entry * SLOT
}

/// Puts the checksum over everything else into bytes 4 to 7 of an entry's head.
pub(super) fn seal(slot: &mut [u8; SLOT]) {
    let mut hasher = hasher();
    hasher.update(&slot[..4]);
    hasher.update(&slot[8..]);
    slot[4..8].copy_from_slice(&hasher.finalize().to_le_bytes());
}

/// CRC-32 as the ESP32's ROM computes it when it goes on from all ones.
pub(super) fn crc(bytes: &[u8]) -> u32 {
    let mut hasher = hasher();
    hasher.update(bytes);
    hasher.finalize()
}

fn hasher() -> crc32fast::Hasher {
    crc32fast::Hasher::new_with_initial(u32::MAX)
}
