//! Espressif's CSV: `key,type,encoding,value`, one entry a row, lines that begin with `#` left out.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{NvsEntry, NvsValue};
use crate::csv::{self, CsvError};
use crate::hex;
use crate::tool::ToolError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A partition is 16 MiB at most: neither can be reached by one that fits.
const MAX_FIELD: usize = 1 << 20;
const MAX_ROWS: usize = 100_000;

/// Reads a CSV file. `file` gives the contents of the files that rows of type `file` name.
///
/// Errors name the line.
pub fn nvs_rows(
    csv: &str,
    mut file: impl FnMut(&str) -> Result<Vec<u8>, String>,
) -> Result<Vec<NvsEntry>, ToolError> {
    let mut rows = records(csv)?.into_iter();
    let (_, head) = rows.next().unwrap_or_default();
    let column = |name: &str| {
        head.iter().position(|field| field == name).ok_or_else(|| {
            ToolError::new("line 1", format!("the head `key,type,encoding,value` lacks {name}"))
        })
    };
    let (key, kind, encoding, value) =
        (column("key")?, column("type")?, column("encoding")?, column("value")?);
    let mut namespace: Option<String> = None;
    let mut opened: Vec<String> = Vec::new();
    let mut entries = Vec::new();
    for (number, row) in rows {
        let field = |column: usize| row.get(column).map_or("", |field| field.as_str());
        let name = format!("line {number}");
        let wrong = |problem: &str| ToolError::new(&name, problem);
        let text = field(value);
        let value = match field(kind) {
            "namespace" => {
                let space = field(key).to_string();
                if opened.contains(&space) && namespace.as_ref() != Some(&space) {
                    return Err(wrong(
                        "this namespace was opened before: put its entries together",
                    ));
                }
                opened.push(space.clone());
                namespace = Some(space);
                continue;
            }
            "data" => read(field(encoding), text, text.as_bytes()),
            "file" => {
                let bytes = file(text).map_err(|why| wrong(&format!("the file {text}: {why}")))?;
                let content = core::str::from_utf8(&bytes);
                match (field(encoding), content) {
                    ("binary", _) => Ok(NvsValue::Blob(bytes)),
                    (encoding, Ok(text)) => read(encoding, text, text.as_bytes()),
                    (_, Err(_)) => Err("the file is no text in UTF-8".into()),
                }
            }
            other => Err(format!("the type {other:?} is none of namespace, data, file")),
        };
        let value = value.map_err(|problem| wrong(&problem))?;
        let Some(namespace) = namespace.clone() else {
            return Err(wrong("an entry before any namespace"));
        };
        entries.push(NvsEntry { namespace, key: field(key).to_string(), value });
    }
    Ok(entries)
}

fn read(encoding: &str, text: &str, bytes: &[u8]) -> Result<NvsValue, String> {
    Ok(match encoding {
        "u8" => NvsValue::U8(number(encoding, text)?),
        "i8" => NvsValue::I8(number(encoding, text)?),
        "u16" => NvsValue::U16(number(encoding, text)?),
        "i16" => NvsValue::I16(number(encoding, text)?),
        "u32" => NvsValue::U32(number(encoding, text)?),
        "i32" => NvsValue::I32(number(encoding, text)?),
        "u64" => NvsValue::U64(number(encoding, text)?),
        "i64" => NvsValue::I64(number(encoding, text)?),
        "string" => NvsValue::Text(text.to_string()),
        "hex2bin" => NvsValue::Blob(
            hex::decode(text.trim()).ok_or("hex2bin wants pairs of hexadecimal digits")?,
        ),
        "base64" => NvsValue::Blob(STANDARD.decode(text.trim()).map_err(|_| "this is not base64")?),
        "binary" => NvsValue::Blob(bytes.to_vec()),
        other => return Err(format!("the encoding {other:?} is unknown")),
    })
}

fn number<T: core::str::FromStr>(encoding: &str, text: &str) -> Result<T, String> {
    let problem = |_| format!("this is no decimal number that fits into {encoding}");
    text.trim().parse().map_err(problem)
}

/// Rows with their lines, without comments.
fn records(csv: &str) -> Result<Vec<(u64, Vec<String>)>, ToolError> {
    let (mut plain, mut lines) = (String::new(), Vec::new());
    for (line, text) in csv.trim_start_matches('\u{feff}').split_inclusive('\n').enumerate() {
        if !text.starts_with('#') {
            plain.push_str(text);
            lines.push(line as u64 + 1);
        }
    }
    let rows = csv::rows(&plain, MAX_FIELD, MAX_ROWS).map_err(|error| {
        ToolError::new(
            "csv",
            match error {
                CsvError::NotUtf8 => "is not UTF-8",
                CsvError::LongField => "a field is longer than 1 MiB",
                CsvError::TooManyRows => "more than 100,000 rows",
            },
        )
    })?;
    let line = |row: u64| {
        let index = usize::try_from(row).unwrap_or(usize::MAX).saturating_sub(1);
        lines.get(index).copied().unwrap_or(row)
    };
    Ok(rows.into_iter().map(|(row, cells)| (line(row), cells)).collect())
}
