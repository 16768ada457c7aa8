//! The generator is PyPI's `esp-idf-nvs-partition-gen`. Every case is CSV that both read; where the generator makes an
//! image, ours is the same, byte for byte; where it fails, ours is refused.

use std::fmt::Write;
use std::fs;

use muster::tool::{NvsFormat, nvs_image, nvs_rows};
use serde_json::json;

use crate::support::peer;

const CASES: usize = 1_000;

#[test]
fn nvs_images_are_those_of_espressifs_generator_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let at = |case: usize, end: &str| folder.path().join(format!("{case}.{end}"));
    let cases: Vec<Case> = (0..CASES).map(Case::new).collect();
    for (i, case) in cases.iter().enumerate() {
        fs::write(at(i, "csv"), &case.csv).unwrap();
        let partition = json!({ "size": case.size, "format": case.format });
        fs::write(at(i, "json"), partition.to_string()).unwrap();
    }
    let told = peer("esp_nvs.py", &json!({ "folder": folder.path(), "cases": CASES }));
    let refused: Vec<usize> =
        told["refused"].as_array().unwrap().iter().map(|i| i.as_u64().unwrap() as usize).collect();
    let mut same = 0;
    for (i, case) in cases.iter().enumerate() {
        let entries = nvs_rows(&case.csv, |file| Err(file.to_owned())).unwrap();
        let format = NvsFormat::from_number(case.format).unwrap();
        let ours = nvs_image(&entries, case.size, format);
        if refused.contains(&i) {
            assert!(ours.is_err(), "case {i}: the generator makes none\n{}", case.csv);
            continue;
        }
        let ours = ours.unwrap_or_else(|e| panic!("case {i}: {e}\n{}", case.csv));
        let theirs = fs::read(at(i, "bin")).unwrap();
        let first = ours.bytes.expose().iter().zip(&theirs).position(|(a, b)| a != b);
        assert_eq!(first, None, "case {i} differs at this byte\n{}", case.csv);
        assert_eq!(ours.bytes.expose().len(), theirs.len(), "case {i}");
        same += 1;
    }
    assert!(same >= 500, "only {same} of {CASES} cases are images");
    assert!(!refused.is_empty(), "what does not fit is among the cases");
}

/// Input that depends on its number alone.
struct Case {
    csv: String,
    size: u32,
    format: u32,
}

impl Case {
    fn new(number: usize) -> Self {
        let mut random = Random(number as u64 + 1);
        let format = 1 + (number % 2) as u32;
        let size = [0x1000, 0x2000, 0x3000, 0x4000, 0x6000, 0x10000][random.below(6)];
        let mut csv = String::from("key,type,encoding,value\n");
        for space in 0..=random.below(4) {
            writeln!(csv, "space{space},namespace,,").unwrap();
            if random.below(5) == 0 {
                csv.push_str("# between two entries\n");
            }
            let entries = [1, 3, 10, 40, 130][random.below(5)];
            for entry in 0..random.below(entries) + 1 {
                let key = format!("k{entry}{}", &"_long_key_names"[..random.below(10)]);
                let (encoding, value) = value(&mut random, format);
                writeln!(csv, "{key},data,{encoding},{value}").unwrap();
            }
        }
        Self { csv, size, format }
    }
}

fn value(random: &mut Random, format: u32) -> (&'static str, String) {
    let n = random.next();
    match random.below(14) {
        0 => ("u8", (n as u8).to_string()),
        1 => ("i8", (n as i8).to_string()),
        2 => ("u16", (n as u16).to_string()),
        3 => ("i16", (n as i16).to_string()),
        4 => ("u32", (n as u32).to_string()),
        5 => ("i32", (n as i32).to_string()),
        6 => ("u64", n.to_string()),
        7 => ("i64", (n as i64).to_string()),
        8 | 9 => ("string", text(random, 40)),
        // Around what fits into entries and into a page.
        10 => {
            let most = if format == 1 { 1_990 } else { 3_980 };
            let near = [31, 32, 33, 63, 64, 1_983, 1_984, 3_935, 3_967, 3_968][random.below(10)];
            let length = if random.below(4) == 0 { near.min(most) } else { random.below(300) };
            ("string", "x".repeat(length))
        }
        11 => ("base64", base64(random)),
        _ => {
            let most = if format == 1 { 2_000 } else { 9_000 };
            let length = match random.below(6) {
                0 => random.below(most),
                1 => [0, 1, 31, 32, 33, 1_984, 3_968, 4_000, 4_032][random.below(9)].min(most),
                _ => random.below(200),
            };
            ("hex2bin", (0..length).map(|_| format!("{:02x}", random.next() as u8)).collect())
        }
    }
}

fn text(random: &mut Random, most: usize) -> String {
    let letters = ["a", "Z", "9", " ", "é", "密", "{", "}", "=", "/", "+", "\"\"", ","];
    let text: String =
        (0..random.below(most)).map(|_| letters[random.below(letters.len())]).collect();
    format!("\"{text}\"")
}

fn base64(random: &mut Random) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..4 * random.below(60)).map(|_| char::from(LETTERS[random.below(64)])).collect()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}
