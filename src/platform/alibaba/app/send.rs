//! A call as an HTTP request: body, signature, headers.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::AppConfig;
use super::call::{Call, envelope, signed_path};
use crate::http::Request;
use crate::platform::alibaba::sign::{
    Algorithm, JsonPost, SignedRequest, content_md5, default_signed_headers, json_post_headers,
    signature, string_to_sign,
};
use crate::rng::Rng;
use crate::secret::Secret;
use crate::time::{Now, UnixTime};

/// Every try has an id and a nonce of its own: the gateway takes a nonce once.
pub(super) fn request(
    call: &Call,
    config: &AppConfig,
    iot_token: Option<&Secret>,
    refresh_token: Option<&Secret>,
    rng: &mut Rng,
    now: Now,
) -> Request {
    let path = signed_path(&config.base_url, call.name);
    let url = format!("{}{}", config.base_url, call.name.path());
    let (iot, refresh) = (iot_token.map(Secret::expose), refresh_token.map(Secret::expose));
    let body = envelope(call, config, iot, refresh, &rng.uuid());
    let nonce = rng.uuid();
    let post = JsonPost {
        path: &path,
        body: &body,
        app_key: &config.app_key,
        app_secret: &config.app_secret,
        algorithm: config.algorithm,
        nonce: &nonce,
        timestamp_ms: now.unix.map(|UnixTime(ms)| ms),
        date: None,
        stage: Some(config.stage.as_str()),
    };
    let (url, headers) = match config.algorithm {
        Algorithm::HmacSha256 => (url, json_post_headers(&post)),
        Algorithm::HmacSha1 => {
            let request_id = rng.uuid();
            let headers = phone_headers(&post, &request_id, now);
            (format!("{url}?x-ca-request-id={request_id}"), headers)
        }
    };
    Request { method: "POST".to_string(), url, headers, body }
}

/// As the phone's SDK does: HmacSHA1, lower-case names, the stage only if it is not RELEASE, a `ca_version` that is not
/// signed, and a request id in the query that is.
fn phone_headers(post: &JsonPost<'_>, request_id: &str, now: Now) -> Vec<(String, String)> {
    let timestamp = post.timestamp_ms.map(|ms| ms.to_string());
    let date = now.unix.map(|UnixTime(ms)| http_date(ms));
    let md5 = content_md5(post.body);
    let mut headers: Vec<(String, String)> = [
        ("accept", Some("application/json; charset=utf-8")),
        ("content-type", Some("application/octet-stream; charset=utf-8")),
        ("content-md5", md5.as_deref()),
        ("date", date.as_deref()),
        ("ca_version", Some("1")),
        ("x-ca-key", Some(post.app_key)),
        ("x-ca-nonce", Some(post.nonce)),
        ("x-ca-timestamp", timestamp.as_deref()),
        ("x-ca-signature-method", Some(post.algorithm.as_str())),
        ("x-ca-stage", post.stage.filter(|&stage| stage != "RELEASE")),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_string(), value?.to_string())))
    .collect();
    let names = default_signed_headers(&headers);
    let query = [("x-ca-request-id".to_string(), request_id.to_string())];
    let string = string_to_sign(&SignedRequest {
        method: "POST",
        path: post.path,
        query: &query,
        form: &[],
        headers: &headers,
        signed_headers: Some(&names),
    });
    let signature = signature(post.algorithm, post.app_secret, &string);
    headers.push(("x-ca-signature-headers".to_string(), names.join(",")));
    headers.push(("x-ca-signature".to_string(), signature));
    headers
}

/// RFC 1123, such as `Tue, 05 Jun 2018 04:18:33 GMT`. The calendar is the civil-from-days rule on 400-year eras.
fn http_date(unix_ms: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = unix_ms / 1_000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01, so that a leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    // March is 0 in this count; January and February belong to the year after.
    let (month, carry) = if month < 10 { (month + 2, 0) } else { (month - 10, 1) };
    let year = era * 400 + year_of_era + carry;
    let name = |names: &[&'static str], n: u64| {
        usize::try_from(n).ok().and_then(|n| names.get(n).copied()).unwrap_or_default()
    };
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        name(&DAYS, days % 7),
        name(&MONTHS, month),
        second / 3_600,
        second / 60 % 60,
        second % 60,
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates_are_those_of_the_vectors_and_of_leap_days() {
        for (ms, date) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_528_172_313_487, "Tue, 05 Jun 2018 04:18:33 GMT"),
            (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_251_199_999, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (1_767_225_600_000, "Thu, 01 Jan 2026 00:00:00 GMT"),
            (4_107_542_400_000, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] {
            assert_eq!(super::http_date(ms), date);
        }
    }
}
