//! CSV as rows of texts, over [`csv_core`].

use alloc::string::String;
use alloc::vec::Vec;

use csv_core::{ReadFieldResult, Reader};

/// A row with the number of the line on which it begins.
pub(crate) type Row = (u64, Vec<String>);

/// What is wrong with a file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CsvError {
    NotUtf8,
    /// A field is longer than the limit.
    LongField,
    /// More rows than the limit.
    TooManyRows,
}

/// All rows but the empty ones.
pub(crate) fn rows(csv: &str, max_field: usize, max_rows: usize) -> Result<Vec<Row>, CsvError> {
    let mut reader = Reader::new();
    let mut input = csv.as_bytes();
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), Vec::new());
    let mut line = 1;
    loop {
        let mut chunk = [0; 256];
        let (result, read, written) = reader.read_field(input, &mut chunk);
        input = &input[read..];
        field.extend_from_slice(&chunk[..written]);
        if field.len() > max_field {
            return Err(CsvError::LongField);
        }
        match result {
            ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
            ReadFieldResult::Field { record_end } => {
                let text = String::from_utf8(core::mem::take(&mut field));
                row.push(text.map_err(|_| CsvError::NotUtf8)?);
                if record_end {
                    let cells: Vec<String> = core::mem::take(&mut row);
                    if cells.iter().any(|cell| !cell.trim().is_empty()) {
                        rows.push((line, cells));
                    }
                    line = reader.line();
                    if rows.len() > max_rows {
                        return Err(CsvError::TooManyRows);
                    }
                }
            }
            ReadFieldResult::End => return Ok(rows),
        }
    }
}
