//! `muster tool nvs` and `muster tool handover`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use muster::tool::{
    HandoverForm, HandoverInput, NvsFormat, NvsPlace, handover, nvs_image, nvs_rows,
};
use muster::{PlatformName, SecretBytes};
use serde_json::json;

use super::{Answer, refused, unusable};
use crate::exit::Exit;

/// Make the image of an ESP32's NVS partition from Espressif's CSV (key,type,encoding,value).
///
/// Byte for byte what Espressif's nvs_partition_gen makes. The answer shows what is written where, and no values.
#[derive(Debug, clap::Args)]
pub(super) struct Nvs {
    /// The CSV file. Files that its rows name are looked for beside it.
    #[arg(value_name = "FILE.csv")]
    csv: PathBuf,
    /// Size of the partition, such as 0x6000: a multiple of 4096.
    #[arg(long, value_parser = size)]
    size: u32,
    /// Format of blobs: 2 (any ESP-IDF since 3.2) or 1.
    #[arg(long, default_value_t = 2)]
    format: u32,
    /// The image; a file that is there already is not replaced.
    #[arg(long, value_name = "FILE.bin")]
    out: PathBuf,
}

/// Hand a registered device's credentials on: as JSON, as a C header, as Espressif's CSV or as an NVS image.
#[derive(Debug, clap::Args)]
pub(super) struct Handover {
    /// ucloud, cmcc, krtyun or alibaba.
    #[arg(long, value_parser = platform)]
    platform: PlatformName,
    /// The device's folder, as given to `muster device --store`.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// json, header, csv or nvs.
    #[arg(long = "as", value_name = "FORM")]
    form: String,
    /// Namespace of CSV and NVS.
    #[arg(long)]
    namespace: Option<String>,
    /// Size of the NVS partition.
    #[arg(long, value_parser = size)]
    size: Option<u32>,
    /// Format of the NVS partition: 2 or 1.
    #[arg(long, default_value_t = 2)]
    format: u32,
    /// The file; one that is there already is not replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Nvs {
    pub(super) fn answer(self) -> Result<Answer, Exit> {
        let csv = read(&self.csv)?;
        let csv = String::from_utf8(csv)
            .map_err(|_| unusable(format_args!("{} is not UTF-8", self.csv.display())))?;
        let beside = self.csv.parent().unwrap_or(Path::new(""));
        let entries =
            nvs_rows(&csv, |file| fs::read(beside.join(file)).map_err(|error| error.to_string()))
                .map_err(refused)?;
        let image = nvs_image(&entries, self.size, format(self.format)?).map_err(refused)?;
        write(&self.out, &image.bytes)?;
        let read_only = if image.read_only {
            "\nBelow 0x3000 bytes ESP-IDF can only read a partition: flag it as readonly in the table.\n"
        } else {
            ""
        };
        let text = format!(
            "{}{read_only}\n{} bytes in {} of {} pages: {}",
            table(&image.places),
            image.bytes.expose().len(),
            image.pages_used,
            self.size / 4096,
            self.out.display(),
        );
        let json = json!({
            "file": self.out, "bytes": image.bytes.expose().len(), "pages_used": image.pages_used,
            "read_only": image.read_only, "places": image.places,
        });
        Ok(Answer { json, text })
    }
}

impl Handover {
    pub(super) fn answer(self) -> Result<Answer, Exit> {
        let form = HandoverForm::from_name(&self.form)
            .ok_or_else(|| unusable("--as: has to be json, header, csv or nvs"))?;
        let input = HandoverInput {
            platform: self.platform,
            credential: SecretBytes::new(read(&self.store.join("credential.json"))?),
            form,
            namespace: self.namespace,
            size: self.size,
            format: format(self.format)?,
        };
        let made = handover(&input).map_err(refused)?;
        write(&self.out, &made.bytes)?;
        let mut text = format!("{}: {}\n", self.out.display(), made.names.join(", "));
        if !made.places.is_empty() {
            text.push('\n');
            text.push_str(&table(&made.places));
        }
        for note in &made.notes {
            text.push_str(&format!("\n{}: {}", note.name, note.value));
        }
        text.push_str("\nIt holds the device's secret: keep it as one.");
        let json = json!({
            "file": self.out, "media_type": made.media_type, "names": made.names,
            "places": made.places, "bytes": made.bytes.expose().len(),
        });
        Ok(Answer { json, text })
    }
}

fn platform(text: &str) -> Result<PlatformName, String> {
    text.parse().map_err(|error: muster::ConfigError| error.to_string())
}

fn format(number: u32) -> Result<NvsFormat, Exit> {
    NvsFormat::from_number(number).ok_or_else(|| unusable("--format: has to be 1 or 2"))
}

/// Decimal, or hexadecimal after `0x`, as in partition tables; `K` and `M` as there.
fn size(text: &str) -> Result<u32, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    let number = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    };
    number
        .and_then(|number: u32| number.checked_mul(unit))
        .ok_or_else(|| "has to be a number of bytes such as 0x6000 or 24K".to_owned())
}

fn table(places: &[NvsPlace]) -> String {
    let mut text = String::from(
        "page entry   offset  span  kind        namespace        key              bytes\n",
    );
    for p in places {
        text.push_str(&format!(
            "{:>4} {:>5} {:#8x} {:>5}  {:<10}  {:<15}  {:<15} {:>6}\n",
            p.page, p.entry, p.offset, p.span, p.kind, p.namespace, p.key, p.bytes
        ));
    }
    text
}

fn read(path: &Path) -> Result<Vec<u8>, Exit> {
    fs::read(path).map_err(|error| {
        Exit::local(format!("cannot read {}: {error}", path.display()), "check the path")
    })
}

/// For the owner alone, and durable: it may hold a secret.
fn write(path: &Path, bytes: &SecretBytes) -> Result<(), Exit> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes.expose())?;
        file.sync_all()
    });
    written.map_err(|error| {
        let next = match error.kind() {
            std::io::ErrorKind::AlreadyExists => "move it away, or choose another --out",
            _ => "choose another --out",
        };
        Exit::local(format!("cannot write {}: {error}", path.display()), next)
    })
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_read_as_in_partition_tables() {
        for (text, bytes) in [("0x6000", 24_576), ("24K", 24_576), ("1M", 1 << 20), ("4096", 4_096)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for bad in ["", "K", "0x", "-1", "6000h", "5000M", "é"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
