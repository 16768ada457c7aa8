//! What the clouds share: reading an import, and keeping firmware.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::cbor::{Decode, Encode};

use super::{FirmwareView, OperationError, RejectedRow};
use crate::csv::{self, CsvError};

/// One image, without its bytes: those are the host's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Firmware {
    #[n(0)]
    pub(crate) module: Option<String>,
    #[n(1)]
    pub(crate) version: String,
    #[n(2)]
    pub(crate) url: String,
    #[n(3)]
    pub(crate) size: u64,
    #[n(4)]
    pub(crate) md5: String,
    #[n(5)]
    pub(crate) sha256: String,
}

impl Firmware {
    /// As operators see it: a module only where it is not the default one.
    pub(crate) fn view(&self) -> FirmwareView {
        let Self { module, version, url, size, md5, sha256 } = self;
        FirmwareView {
            module: module.clone().filter(|module| module != "default"),
            version: version.clone(),
            size: *size,
            md5: md5.clone(),
            sha256: sha256.clone(),
            url: url.clone(),
        }
    }
}

/// The rows of an import, each with its line number, columns picked by name.
#[derive(Debug)]
pub(crate) struct Import {
    columns: Vec<String>,
    rows: Vec<(u64, Vec<String>)>,
}

/// More rows than any vendor takes in one batch.
const MAX_ROWS: usize = 100_000;

impl Import {
    /// Reads CSV whose first row names the columns. A first row that names no column in `known` is data for the
    /// single column `known[0]`: people import bare lists of numbers.
    pub(crate) fn parse(csv: &str, known: &[&str]) -> Result<Self, OperationError> {
        let mut rows = read_rows(csv.trim_start_matches('\u{feff}'))?;
        let Some((_, first)) = rows.first() else {
            return Err(OperationError::invalid("the CSV has no rows"));
        };
        // The vendors spell names in their own ways: DeviceSN, deviceName, device_no.
        let column = |cell: &String| known.iter().find(|name| letters(name) == letters(cell));
        let columns = if first.iter().any(|cell| column(cell).is_some()) {
            if let Some(odd) = first.iter().find(|cell| column(cell).is_none()) {
                let message =
                    ["unknown column `", odd, "`; known are ", &known.join(", ")].concat();
                return Err(OperationError::invalid(&message));
            }
            let columns = first.iter().filter_map(column).map(|name| (*name).to_string()).collect();
            rows.remove(0);
            columns
        } else {
            known.iter().take(1).map(|name| (*name).to_string()).collect()
        };
        Ok(Self { columns, rows })
    }

    /// Calls `take` for each row with a look-up by column name; collects what it refuses.
    pub(crate) fn each(
        &self,
        mut take: impl FnMut(&dyn Fn(&str) -> Option<String>) -> Result<(), String>,
    ) -> Vec<RejectedRow> {
        let mut rejected = Vec::new();
        for (line, cells) in &self.rows {
            let column = |name: &str| {
                let index = self.columns.iter().position(|c| c == name)?;
                cells.get(index).map(|cell| cell.trim().to_string()).filter(|cell| !cell.is_empty())
            };
            if let Err(reason) = take(&column) {
                rejected.push(RejectedRow { line: *line, reason });
            }
        }
        rejected
    }
}

/// A column's name by its letters and digits alone, in lower case.
fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn read_rows(csv: &str) -> Result<Vec<csv::Row>, OperationError> {
    csv::rows(csv, 1024, MAX_ROWS).map_err(|error| match error {
        CsvError::NotUtf8 => OperationError::invalid("the CSV is not UTF-8"),
        CsvError::LongField => OperationError::invalid("a CSV field is longer than 1024 bytes"),
        CsvError::TooManyRows => OperationError::full("at most 100,000 rows in one import"),
    })
}
