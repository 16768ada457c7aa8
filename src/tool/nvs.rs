//! Images of an ESP32's NVS partition, byte for byte what Espressif's generator makes.
//!
//! Sources: the ESP-IDF programming guide, "Non-volatile storage library" (pages, entries, types, limits), and the
//! behaviour of the PyPI package `esp-idf-nvs-partition-gen` 0.3.0, which the tests compare with. Two formats: 1, where
//! a blob lies in one page, and 2, the default, where it may span pages.
//!
//! What that generator takes but no device could read is refused: a key twice in a namespace, entries before any
//! namespace, and a namespace that is opened a second time (its later entries would land in the last one).
//!
//! Deliberately absent: encrypted partitions, and the keys `ap.…` and `sta.…` of ESP-IDF's Wi-Fi, for which the
//! generator adds entries of its own.

mod page;
mod rows;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::ToolError;
use crate::secret::SecretBytes;
use page::{ENTRIES, PAGE, Page, SLOT};

pub use rows::nvs_rows;

/// What the bytes of a page begin with, and where blobs may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum NvsFormat {
    /// A blob lies in one page: for ESP-IDF before 3.2.
    One,
    /// A blob may span pages.
    #[default]
    Two,
}

impl NvsFormat {
    /// From its number, 1 or 2.
    pub fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            _ => None,
        }
    }
}

/// One value under a key of a namespace.
#[derive(Clone, PartialEq, Eq)]
pub struct NvsEntry {
    /// At most 15 bytes.
    pub namespace: String,
    /// At most 15 bytes.
    pub key: String,
    /// What is kept under it.
    pub value: NvsValue,
}

impl NvsEntry {
    /// A text in `namespace`, as credentials are.
    pub fn text(namespace: &str, key: &str, text: &str) -> Self {
        let value = NvsValue::Text(text.to_string());
        Self { namespace: namespace.to_string(), key: key.to_string(), value }
    }
}

/// A value with its type.
#[derive(Clone, PartialEq, Eq)]
pub enum NvsValue {
    /// `u8`.
    U8(u8),
    /// `i8`.
    I8(i8),
    /// `u16`.
    U16(u16),
    /// `i16`.
    I16(i16),
    /// `u32`.
    U32(u32),
    /// `i32`.
    I32(i32),
    /// `u64`.
    U64(u64),
    /// `i64`.
    I64(i64),
    /// `string`: kept with a zero behind it.
    Text(String),
    /// `hex2bin`, `base64` and `binary`.
    Blob(Vec<u8>),
}

opaque!(NvsEntry, NvsValue);

/// What is written where, for a person: no values.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
pub struct NvsPlace {
    /// Page, from 0.
    pub page: u32,
    /// Entry in the page, from 0.
    pub entry: u32,
    /// Where its first byte lies in the image.
    pub offset: u32,
    /// How many entries of 32 bytes it takes.
    pub span: u32,
    /// Empty for the entry of a namespace itself.
    pub namespace: String,
    /// Key, or the name of the namespace.
    pub key: String,
    /// `namespace`, `u8`, …, `string`, `blob`, `blob_data`, `blob_index`.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub kind: &'static str,
    /// Bytes of the value; of a string with the zero behind it.
    pub bytes: u32,
}

/// An image, and what is where in it.
pub struct NvsImage {
    /// The bytes, as they are flashed at the partition's offset.
    pub bytes: SecretBytes,
    /// In the order of their places.
    pub places: Vec<NvsPlace>,
    /// Pages that hold entries.
    pub pages_used: u32,
    /// Whether the partition is so small (below 12 KiB) that ESP-IDF can only read it: its table must say `readonly`,
    /// and the image is only as long as what it holds.
    pub read_only: bool,
}

opaque!(NvsImage);

/// The longest text, without the zero behind it: the generator puts no text into a page's last entry.
const MAX_TEXT: usize = 3_967;
/// The longest value of format 1.
const MAX_ONE_PAGE: usize = 1_984;
/// Namespaces are numbered in a byte; 0 and 255 are taken.
const MAX_NAMESPACES: usize = 254;
const MAX_NAME: usize = 15;
/// As large as any partition table has room for.
const MAX_SIZE: u32 = 16 << 20;

/// Makes the image of a partition of `size` bytes.
pub fn nvs_image(
    entries: &[NvsEntry],
    size: u32,
    format: NvsFormat,
) -> Result<NvsImage, ToolError> {
    let page = PAGE as u32;
    if size == 0 || !size.is_multiple_of(page) || size > MAX_SIZE {
        let problem = "has to be a multiple of 4096 (0x1000), at most 16 MiB; usual is 0x6000";
        return Err(ToolError::new("size", problem));
    }
    // ESP-IDF needs three pages to write, one of them always empty.
    let read_only = size < 3 * page;
    let usable = if read_only { size } else { size - page } / page;
    let mut writer = Writer {
        format,
        usable: usable as usize,
        pages: Vec::from([Page::new(0, format)]),
        places: Vec::new(),
    };
    let mut namespaces: BTreeMap<&str, u8> = BTreeMap::new();
    let mut keys = BTreeSet::new();
    for entry in in_namespaces(entries) {
        check_name("namespace", &entry.namespace)?;
        check_name("key", &entry.key)?;
        if !keys.insert((&entry.namespace, &entry.key)) {
            let problem = format!("{} is in the namespace {} twice", entry.key, entry.namespace);
            return Err(ToolError::new("key", problem));
        }
        let number = match namespaces.get(&*entry.namespace) {
            Some(number) => *number,
            None => {
                let number = u8::try_from(namespaces.len() + 1).unwrap_or(u8::MAX);
                if usize::from(number) > MAX_NAMESPACES {
                    let problem = format!("more than {MAX_NAMESPACES}");
                    return Err(ToolError::new("namespaces", problem));
                }
                namespaces.insert(&entry.namespace, number);
                writer.plain(0, "", &entry.namespace, "namespace", 0x01, &[number])?;
                number
            }
        };
        writer.value(number, entry)?;
    }
    Ok(writer.finish(size as usize, read_only))
}

/// Those of a namespace one after the other, the namespaces in the order in which they come up.
fn in_namespaces(entries: &[NvsEntry]) -> impl Iterator<Item = &NvsEntry> {
    let mut first = BTreeMap::new();
    for entry in entries {
        let next = first.len();
        first.entry(&*entry.namespace).or_insert(next);
    }
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by_key(|entry| first.get(&*entry.namespace).copied());
    sorted.into_iter()
}

fn check_name(what: &str, name: &str) -> Result<(), ToolError> {
    let plain = name.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    if name.is_empty() || name.len() > MAX_NAME || !plain {
        let problem = format!("{name:?} has to be 1 to {MAX_NAME} ASCII characters");
        return Err(ToolError::new(what, problem));
    }
    if what == "key" && (name.starts_with("ap.") || name.starts_with("sta.")) {
        let problem = format!("{name} belongs to ESP-IDF's Wi-Fi, which needs more entries for it");
        return Err(ToolError::new(what, problem));
    }
    Ok(())
}

struct Writer {
    format: NvsFormat,
    /// Pages that may hold entries.
    usable: usize,
    pages: Vec<Page>,
    places: Vec<NvsPlace>,
}

/// What the eight bytes at the end of an entry's head say of a value that lies behind it.
struct Head<'a> {
    namespace: u8,
    kind: u8,
    span: u8,
    chunk: u8,
    key: &'a str,
    data: [u8; 8],
}

impl Head<'_> {
    fn bytes(&self) -> [u8; SLOT] {
        let mut slot = [0xff; SLOT];
        let (fixed, rest) = slot.split_at_mut(8);
        fixed.copy_from_slice(&[
            self.namespace,
            self.kind,
            self.span,
            self.chunk,
            0xff,
            0xff,
            0xff,
            0xff,
        ]);
        let (key, data) = rest.split_at_mut(16);
        key.fill(0);
        key.iter_mut().zip(self.key.bytes()).for_each(|(to, byte)| *to = byte);
        data.copy_from_slice(&self.data);
        page::seal(&mut slot);
        slot
    }
}

/// Size and checksum of what lies behind a head.
fn behind(bytes: &[u8]) -> [u8; 8] {
    let mut data = [0xff; 8];
    let (size, crc) = data.split_at_mut(4);
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes();
    size.iter_mut().zip(length).for_each(|(to, byte)| *to = byte);
    crc.copy_from_slice(&page::crc(bytes).to_le_bytes());
    data
}

impl Writer {
    fn value(&mut self, namespace: u8, entry: &NvsEntry) -> Result<(), ToolError> {
        let (space, key) = (&*entry.namespace, &*entry.key);
        let mut plain =
            |name, kind, bytes: &[u8]| self.plain(namespace, space, key, name, kind, bytes);
        match &entry.value {
            NvsValue::U8(n) => plain("u8", 0x01, &n.to_le_bytes()),
            NvsValue::I8(n) => plain("i8", 0x11, &n.to_le_bytes()),
            NvsValue::U16(n) => plain("u16", 0x02, &n.to_le_bytes()),
            NvsValue::I16(n) => plain("i16", 0x12, &n.to_le_bytes()),
            NvsValue::U32(n) => plain("u32", 0x04, &n.to_le_bytes()),
            NvsValue::I32(n) => plain("i32", 0x14, &n.to_le_bytes()),
            NvsValue::U64(n) => plain("u64", 0x08, &n.to_le_bytes()),
            NvsValue::I64(n) => plain("i64", 0x18, &n.to_le_bytes()),
            NvsValue::Text(text) => {
                if text.contains('\0') {
                    return Err(ToolError::new(key, "a text cannot hold a zero"));
                }
                let limit = match self.format {
                    NvsFormat::One => MAX_ONE_PAGE - 1,
                    NvsFormat::Two => MAX_TEXT,
                };
                self.check_length(key, text.len(), limit)?;
                let bytes = SecretBytes::new([text.as_bytes(), &[0]].concat());
                self.whole(namespace, space, key, "string", 0x21, bytes.expose())
            }
            NvsValue::Blob(bytes) if self.format == NvsFormat::One => {
                self.check_length(key, bytes.len(), MAX_ONE_PAGE)?;
                self.whole(namespace, space, key, "blob", 0x41, bytes)
            }
            NvsValue::Blob(bytes) => self.chunks(namespace, space, key, bytes),
        }
    }

    fn check_length(&self, key: &str, length: usize, limit: usize) -> Result<(), ToolError> {
        if length <= limit {
            return Ok(());
        }
        let problem = format!("{length} bytes are more than the {limit} that fit");
        Err(ToolError::new(key, problem))
    }

    /// A value that fits into its head.
    fn plain(
        &mut self,
        namespace: u8,
        space: &str,
        key: &str,
        name: &'static str,
        kind: u8,
        value: &[u8],
    ) -> Result<(), ToolError> {
        if self.page().used() >= ENTRIES {
            self.next_page()?;
        }
        let mut data = [0xff; 8];
        data.iter_mut().zip(value).for_each(|(to, byte)| *to = *byte);
        let head = Head { namespace, kind, span: 1, chunk: 0xff, key, data };
        self.put(head, &[], space, name, value.len());
        Ok(())
    }

    /// A value behind its head in one page, of which it never takes the last entry.
    fn whole(
        &mut self,
        namespace: u8,
        space: &str,
        key: &str,
        name: &'static str,
        kind: u8,
        value: &[u8],
    ) -> Result<(), ToolError> {
        let span = value.len().div_ceil(SLOT) + 1;
        if self.page().used() + span >= ENTRIES {
            self.next_page()?;
        }
        let (span, data) = (u8::try_from(span).unwrap_or(u8::MAX), behind(value));
        let head = Head { namespace, kind, span, chunk: 0xff, key, data };
        self.put(head, value, space, name, value.len());
        Ok(())
    }

    /// A blob of format 2: pieces, each as long as its page has room, and an index behind them.
    fn chunks(
        &mut self,
        namespace: u8,
        space: &str,
        key: &str,
        value: &[u8],
    ) -> Result<(), ToolError> {
        // ESP-IDF: 508,000 bytes, which are fewer pieces than fit into their number.
        self.check_length(key, value.len(), 508_000)?;
        if self.page().used() >= ENTRIES {
            self.next_page()?;
        }
        let mut rest = value;
        let mut count = 0u8;
        loop {
            let room = ENTRIES.saturating_sub(self.page().used() + 1) * SLOT;
            let (piece, after) = rest.split_at(rest.len().min(room));
            rest = after;
            let span = u8::try_from(piece.len().div_ceil(SLOT) + 1).unwrap_or(u8::MAX);
            let head = Head { namespace, kind: 0x42, span, chunk: count, key, data: behind(piece) };
            self.put(head, piece, space, "blob_data", piece.len());
            count = count.saturating_add(1);
            if !rest.is_empty() || room - piece.len() < SLOT {
                self.next_page()?;
            }
            if rest.is_empty() {
                break;
            }
        }
        let mut data = [0xff; 8];
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes();
        let said = length.into_iter().chain([count, 0]);
        data.iter_mut().zip(said).for_each(|(to, byte)| *to = byte);
        let head = Head { namespace, kind: 0x48, span: 1, chunk: 0xff, key, data };
        self.put(head, &[], space, "blob_index", 0);
        Ok(())
    }

    fn put(&mut self, head: Head<'_>, value: &[u8], space: &str, kind: &'static str, bytes: usize) {
        let number = self.pages.len() - 1;
        let entry = self.page().used();
        self.places.push(NvsPlace {
            page: number as u32,
            entry: entry as u32,
            offset: (number * PAGE + page::offset(entry)) as u32,
            span: u32::from(head.span),
            namespace: space.to_string(),
            key: head.key.to_string(),
            kind,
            bytes: bytes as u32,
        });
        let slot = head.bytes();
        if let Some(page) = self.pages.last_mut() {
            page.push(&slot);
            value.chunks(SLOT).for_each(|part| page.push(part));
        }
    }

    fn page(&self) -> &Page {
        // There is one from the beginning.
        &self.pages[self.pages.len() - 1]
    }

    fn next_page(&mut self) -> Result<(), ToolError> {
        if self.pages.len() >= self.usable {
            let problem = format!("too small: more than {} pages are needed", self.usable);
            return Err(ToolError::new("size", problem));
        }
        if let Some(page) = self.pages.last_mut() {
            page.close();
        }
        self.pages.push(Page::new(self.pages.len() as u32, self.format));
        Ok(())
    }

    fn finish(self, size: usize, read_only: bool) -> NvsImage {
        let mut bytes = Vec::with_capacity(size);
        self.pages.iter().for_each(|page| bytes.extend_from_slice(page.bytes()));
        if !read_only {
            bytes.resize(size, 0xff);
        }
        NvsImage {
            bytes: SecretBytes::new(bytes),
            places: self.places,
            pages_used: self.pages.len() as u32,
            read_only,
        }
    }
}
