//! The API's JSON as tables and sentences for people.

use serde_json::Value;

/// Columns as wide as they need to be.
struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|&name| name.to_owned()).collect()] }
    }

    fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn text(self) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let widths: Vec<usize> = (0..columns)
            .map(|i| {
                self.rows
                    .iter()
                    .filter_map(|row| row.get(i))
                    .map(|cell| width(cell))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, &wide) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.push_str(&" ".repeat(wide + 2 - width(cell).min(wide)));
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// Columns on a terminal: Chinese characters take two.
fn width(text: &str) -> usize {
    let wide = |c: char| matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x20000..=0x3fffd);
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

/// A value in a cell. Control characters stay out of the terminal.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return "-".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let clean: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if clean.is_empty() { "-".into() } else { clean }
}

fn items(value: &Value) -> &[Value] {
    value["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn pairs(value: &Value) -> String {
    let members = value.as_object();
    let all: Vec<String> = members
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{name}={}", cell(value)))
        .collect();
    if all.is_empty() { "-".into() } else { all.join(" ") }
}

fn list(value: &Value) -> String {
    let all: Vec<String> = value.as_array().into_iter().flatten().map(cell).collect();
    if all.is_empty() { "-".into() } else { all.join(", ") }
}

pub(super) fn done(_: &Value) -> String {
    "done\n".into()
}

pub(super) fn products(value: &Value) -> String {
    let revealed = items(value).iter().any(|item| !item["secret"].is_null());
    let mut head = vec!["PLATFORM", "PRODUCT", "NAME", "DEVICES", "FIRMWARE", "SWITCHES"];
    if revealed {
        head.insert(3, "SECRET");
    }
    let mut table = Table::new(&head);
    for item in items(value) {
        let mut row = vec![cell(&item["platform"]), cell(&item["id"]), cell(&item["name"])];
        row.extend(revealed.then(|| cell(&item["secret"])));
        row.extend([cell(&item["devices"]), list(&item["firmware"]), pairs(&item["switches"])]);
        table.row(row);
    }
    if items(value).is_empty() { "no products\n".into() } else { table.text() }
}

pub(super) fn product(value: &Value) -> String {
    format!(
        "product   {}\nsecret    {}\nswitches  {}\n",
        cell(&value["id"]),
        cell(&value["secret"]),
        pairs(&value["switches"])
    )
}

pub(super) fn devices(value: &Value) -> String {
    let all = items(value);
    let revealed = all.iter().any(|item| !item["secret"].is_null());
    let mut head = vec!["DEVICE", "STATE", "VERSION", "LAST ACTIVE (UTC)", "MORE"];
    if revealed {
        head.insert(1, "SECRET");
    }
    let mut table = Table::new(&head);
    for item in all {
        let mut row = vec![cell(&item["name"])];
        row.extend(revealed.then(|| cell(&item["secret"])));
        let active = item["last_active"].as_u64().map_or("-".into(), time);
        row.extend([cell(&item["state"]), cell(&item["version"]), active, pairs(&item["more"])]);
        table.row(row);
    }
    let total = value["total"].as_u64().unwrap_or_default();
    let mut out = if all.is_empty() { "no devices\n".into() } else { table.text() };
    if let Some(last) = all.last().filter(|_| total > all.len() as u64) {
        out.push_str(&format!(
            "{} of {total}; the next ones: --after {}\n",
            all.len(),
            cell(&last["name"])
        ));
    }
    out
}

pub(super) fn imported(value: &Value) -> String {
    let mut out = format!(
        "{} added, {} were there already\n",
        cell(&value["added"]),
        cell(&value["existing"])
    );
    for row in value["rejected"].as_array().into_iter().flatten() {
        out.push_str(&format!("line {} not taken: {}\n", cell(&row["line"]), cell(&row["reason"])));
    }
    out
}

pub(super) fn firmware(value: &Value) -> String {
    format!(
        "{} bytes at {}\nMD5     {}\nSHA-256 {}\nnext: muster cloud push --version …\n",
        cell(&value["size"]),
        cell(&value["url"]),
        cell(&value["md5"]),
        cell(&value["sha256"])
    )
}

pub(super) fn ordered(value: &Value) -> String {
    match value["devices"].as_u64() {
        Some(1) => "1 device\n".into(),
        Some(n) => format!("{n} devices\n"),
        None => done(value),
    }
}

pub(super) fn upgrades(value: &Value) -> String {
    let mut table = Table::new(&["DEVICE", "MODULE", "VERSION", "STATE", "DETAIL"]);
    for item in items(value) {
        table.row(
            ["device", "module", "version", "state", "detail"].map(|key| cell(&item[key])).to_vec(),
        );
    }
    if items(value).is_empty() { "no updates were ordered\n".into() } else { table.text() }
}

pub(super) fn reports(value: &Value) -> String {
    let lines: Vec<String> = items(value)
        .iter()
        .map(|item| {
            format!("{}  {}\n", item["at"].as_u64().map_or("-".into(), time), cell(&item["json"]))
        })
        .collect();
    if lines.is_empty() { "no reports\n".into() } else { lines.concat() }
}

/// Of those that were named; who is not there is left out by the cloud.
pub(super) fn found_devices(value: &Value) -> String {
    let mut only = value.clone();
    only["total"] = Value::Null;
    if items(value).is_empty() { "no such device\n".into() } else { devices(&only) }
}

pub(super) fn images(value: &Value) -> String {
    let mut table = Table::new(&["VERSION", "MODULE", "BYTES", "MD5", "SHA-256"]);
    for item in items(value) {
        let keys = ["version", "module", "size", "md5", "sha256"];
        table.row(keys.map(|key| cell(&item[key])).to_vec());
    }
    if items(value).is_empty() { "no images\n".into() } else { table.text() }
}

pub(super) fn bind_tokens(value: &Value) -> String {
    let revealed = items(value).iter().any(|item| !item["token"].is_null());
    let mut head = vec!["DEVICE", "TOKEN GOOD UNTIL (UTC)", "WINDOW UNTIL (UTC)", "ANNOUNCED"];
    if revealed {
        head.insert(1, "TOKEN");
    }
    let mut table = Table::new(&head);
    let until = |value: &Value| value.as_u64().map_or("-".into(), time);
    for item in items(value) {
        let mut row = vec![format!("{}/{}", cell(&item["product"]), cell(&item["device"]))];
        row.extend(revealed.then(|| cell(&item["token"])));
        row.extend([until(&item["token_until"]), until(&item["window_until"])]);
        row.push(if item["announced"] == true { "yes".into() } else { "-".into() });
        table.row(row);
    }
    if items(value).is_empty() { "no device waits for an owner\n".into() } else { table.text() }
}

pub(super) fn topology(value: &Value) -> String {
    let name = |item: &Value| format!("{}/{}", cell(&item["product"]), cell(&item["device"]));
    let mut out = String::new();
    for gateway in items(value) {
        let permit = &gateway["permit"];
        let joining = match permit["until"].as_u64() {
            _ if permit.is_null() => "joining closed".to_owned(),
            Some(until) => format!("joining open until {} (UTC)", time(until)),
            None => "joining open".to_owned(),
        };
        let only = match permit["product"].as_str() {
            Some(_) => format!(", for {} alone", cell(&permit["product"])),
            None => String::new(),
        };
        out.push_str(&format!("{}  {}, {joining}{only}\n", name(gateway), cell(&gateway["state"])));
        for sub in gateway["subs"].as_array().into_iter().flatten() {
            out.push_str(&format!("  {}  {}\n", name(sub), cell(&sub["state"])));
        }
    }
    if out.is_empty() { "no gateways: a gateway's product has nodeType 1\n".into() } else { out }
}

pub(super) fn owners(value: &Value) -> String {
    let revealed = items(value).iter().any(|item| !item["iot_token"].is_null());
    let mut head = vec!["OWNER", "HOME", "DEVICES"];
    if revealed {
        head.insert(2, "IOT TOKEN");
    }
    let mut table = Table::new(&head);
    for item in items(value) {
        let mut row = vec![cell(&item["identity"]), cell(&item["home_id"])];
        row.extend(revealed.then(|| cell(&item["iot_token"])));
        row.push(list(&item["devices"]));
        table.row(row);
    }
    if items(value).is_empty() { "no owners\n".into() } else { table.text() }
}

pub(super) fn status(value: &Value) -> String {
    let at = &value["addresses"];
    let engine = &value["engine"];
    let storing = if engine["storing"] == true {
        "takes changes"
    } else {
        "TAKES NO CHANGES: look at `muster up`"
    };
    let seconds = value["uptime_ms"].as_u64().unwrap_or_default() / 1000;
    format!(
        "HTTP         {}\nMQTT         {}\noperator API {}\ndata         {} ({storing}; {} commits)\nconnections  {}\nup for       {seconds} s\n",
        cell(&at["http"]),
        pairs(&at["mqtt"]),
        cell(&at["api"]),
        cell(&at["data"]),
        cell(&engine["commits"]),
        pairs(&engine["connections"]),
    )
}

pub(super) fn demo(value: &Value) -> String {
    let mut out = String::new();
    for (name, demo) in value.as_object().into_iter().flatten() {
        out.push_str(&format!("{name}\n"));
        match demo["settings"].as_object() {
            Some(settings) => {
                for (key, value) in settings {
                    out.push_str(&format!("  {key} = {}\n", cell(value)));
                }
            }
            None => out.push_str("  the demo product is gone\n"),
        }
    }
    out
}

pub(super) fn log_line(line: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(line) else { return String::new() };
    if let Some(missed) = value["missed"].as_u64() {
        return format!("… {missed} lines were too fast to follow\n");
    }
    let at = value["at"].as_u64().map_or("-".into(), time);
    let (platform, what) = (cell(&value["platform"]), cell(&value["what"]));
    let (subject, detail) = (cell(&value["subject"]), cell(&value["detail"]));
    format!("{at}  {platform:<7}  {what:<13}  {subject}  {detail}\n")
}

/// `2026-01-31 12:00:00`, in UTC: the standard library knows no time zones.
fn time(unix_ms: u64) -> String {
    let seconds = unix_ms / 1000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant's civil_from_days, for days after 1970.
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::{time, width};

    #[test]
    fn times_are_civil_dates() {
        assert_eq!(time(0), "1970-01-01 00:00:00");
        assert_eq!(time(951_827_696_000), "2000-02-29 12:34:56");
        assert_eq!(time(1_767_225_599_999), "2025-12-31 23:59:59");
    }

    #[test]
    fn chinese_takes_two_columns() {
        assert_eq!(width("科睿特 krtyun"), 13);
    }
}
