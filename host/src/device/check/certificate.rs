//! When a certificate is valid: the two times of RFC 5280, and nothing else of it.
//!
//! rustls checks dates when it meets a peer's certificate, and never its own side's; that is found by a refusal later, in
//! the field. A library that reads all of X.509 would be larger than all of this command.

use std::path::Path;

use muster::UnixTime;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::Report;
use crate::device::clock::rfc3339;
use crate::exit::Exit;

/// Warned of before it is over.
const SOON_MS: u64 = 30 * 86_400_000;

/// `own`: the device's own, which has to be valid; a CA that is not is only odd.
pub(super) fn look(path: &Path, own: bool, now: UnixTime, report: &mut Report) {
    // What cannot be read is told by whoever is going to use it.
    let Ok(certificates) = CertificateDer::pem_file_iter(path) else { return };
    for certificate in certificates.flatten() {
        let at = path.display();
        let Some((from, to)) = validity(&certificate) else {
            report.warn(
                format!("when the certificate in {at} is valid cannot be read"),
                "have it issued anew, if servers refuse it",
            );
            continue;
        };
        let next = "have a new one issued; check this machine's clock, too";
        let what = if now < from {
            format!("the certificate in {at} is not valid before {}", rfc3339(from))
        } else if now > to {
            format!("the certificate in {at} has expired at {}", rfc3339(to))
        } else {
            if to.0.saturating_sub(now.0) < SOON_MS {
                report.warn(
                    format!("the certificate in {at} expires at {}", rfc3339(to)),
                    "have a new one issued in time",
                );
            }
            continue;
        };
        match own {
            true => report.wrong(Exit::local(what, next)),
            false => report.warn(what, next),
        }
    }
}

/// `notBefore` and `notAfter`.
fn validity(der: &[u8]) -> Option<(UnixTime, UnixTime)> {
    let (certificate, _) = element(der, 0x30)?;
    let (tbs, _) = element(certificate, 0x30)?;
    // The version may be left out.
    let rest = element(tbs, 0xA0).map_or(tbs, |(_, rest)| rest);
    let (_serial, rest) = element(rest, 0x02)?;
    let (_algorithm, rest) = element(rest, 0x30)?;
    let (_issuer, rest) = element(rest, 0x30)?;
    let (validity, _) = element(rest, 0x30)?;
    let (from, rest) = time(validity)?;
    let (to, _) = time(rest)?;
    Some((from, to))
}

/// The content of one DER element with this tag, and what follows.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            (bytes.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`: RFC 5280 allows no other form.
fn time(der: &[u8]) -> Option<(UnixTime, &[u8])> {
    let (text, rest, short) = match element(der, 0x17) {
        Some((text, rest)) => (text, rest, true),
        None => element(der, 0x18).map(|(text, rest)| (text, rest, false))?,
    };
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) || text.len() != if short { 12 } else { 14 }
    {
        return None;
    }
    let (year, rest_of) = text.split_at_checked(if short { 2 } else { 4 })?;
    let year: u64 = year.parse().ok()?;
    let year = if !short {
        year
    } else if year < 50 {
        2000 + year
    } else {
        1900 + year
    };
    let mut parts = [0_u64; 5];
    for (at, part) in parts.iter_mut().enumerate() {
        *part = rest_of.get(2 * at..2 * at + 2)?.parse().ok()?;
    }
    let [month, day, hour, minute, second] = parts;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year < 1970 {
        return None;
    }
    // Days since 1970 by the rule of leap years; March begins the year.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + (day - 1);
    let seconds = days.checked_sub(719_468)? * 86_400 + hour * 3600 + minute * 60 + second;
    Some((UnixTime(seconds * 1000), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tag: u8, text: &str) -> Option<UnixTime> {
        let mut der = vec![tag, u8::try_from(text.len()).unwrap()];
        der.extend(text.as_bytes());
        time(&der).map(|(time, _)| time)
    }

    #[test]
    fn both_forms_of_time_are_read() {
        assert_eq!(at(0x17, "700101000000Z"), Some(UnixTime(0)));
        assert_eq!(at(0x17, "000229235959Z"), Some(UnixTime(951_868_799_000)));
        assert_eq!(at(0x18, "21000101000000Z"), Some(UnixTime(4_102_444_800_000)));
        for bad in ["", "Z", "7001010000Z", "701301000000Z", "70010100000+Z"] {
            assert_eq!(at(0x17, bad), None, "{bad}");
        }
    }

    #[test]
    fn a_real_certificate_is_read_and_no_prefix_of_it_panics() {
        let mut params = rcgen::CertificateParams::new(vec!["a".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 2, 29);
        params.not_after = rcgen::date_time_ymd(2055, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let (from, to) = validity(&der).unwrap();
        assert_eq!(rfc3339(from), "2020-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(to), "2055-01-01T00:00:00.000Z");
        for end in 0..der.len() {
            let _ = validity(der.get(..end).unwrap());
        }
    }
}
