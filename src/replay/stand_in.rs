//! What stands where a secret was: another text of its length and of its alphabet.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::rng::Rng;
use crate::secret::Secret;
use crate::{hash, hex};

/// A shorter secret is not searched for: it would be found in the middle of everything.
const SHORTEST: usize = 4;
/// How often a stand-in is made anew because it happens to be a secret itself.
const TRIES: usize = 64;

/// Which text stands for which secret. The same everywhere, and nobody can tell the secret from it: it is drawn, not
/// computed.
pub(super) struct StandIns {
    rng: Rng,
    pairs: BTreeMap<Vec<u8>, Secret>,
    /// By how they begin: those that are searched for, the longest first.
    index: BTreeMap<[u8; SHORTEST], Vec<Vec<u8>>>,
    /// How many secrets there are, beside what was computed from them.
    count: usize,
}

impl core::fmt::Debug for StandIns {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "StandIns({})", self.count)
    }
}

impl StandIns {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { rng: Rng::new(seed), pairs: BTreeMap::new(), index: BTreeMap::new(), count: 0 }
    }

    /// How many secrets there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// This text is a secret: as it is, as JSON writes it, and as its digest (UCloud's `supersedes`).
    pub(super) fn learn(&mut self, secret: &str) {
        if secret.is_empty() || self.pairs.contains_key(secret.as_bytes()) {
            return;
        }
        let stand_in = self.make(secret);
        self.count += 1;
        if secret.contains('\\') {
            self.pair(&unescaped(secret), &unescaped(&stand_in));
        }
        let digest = |text: &str| hex::lower(&hash::sha256(&[text.as_bytes()]));
        self.pair(&digest(secret), &digest(&stand_in));
        self.pair(secret, &stand_in);
    }

    /// What stands for this secret, if it is one.
    pub(super) fn get(&self, secret: &str) -> Option<&str> {
        self.pairs.get(secret.as_bytes()).map(Secret::expose)
    }

    /// Puts stand-ins into these bytes, in place.
    pub(super) fn apply(&self, bytes: &mut [u8]) {
        let mut at = 0;
        while let Some(rest) = bytes.get_mut(at..).filter(|rest| rest.len() >= SHORTEST) {
            at += match self.at(rest) {
                Some((length, stand_in)) => {
                    if let Some(place) = rest.get_mut(..length) {
                        place.copy_from_slice(stand_in.as_bytes());
                    }
                    length
                }
                None => 1,
            };
        }
    }

    /// Whether one of these secrets, of so many bytes at least, is anywhere in there.
    pub(super) fn is_in(&self, bytes: &[u8], least: usize) -> bool {
        let starts = (0..bytes.len()).filter_map(|at| bytes.get(at..));
        let mut found = starts.filter_map(|rest| self.at(rest));
        found.any(|(length, _)| length >= least)
    }

    /// The secret that these bytes begin with: its length, and what stands for it.
    fn at(&self, bytes: &[u8]) -> Option<(usize, &str)> {
        let those = self.index.get(bytes.first_chunk::<SHORTEST>()?)?;
        let secret = those.iter().find(|secret| bytes.starts_with(secret))?;
        let stand_in = self.pairs.get(secret)?.expose();
        (stand_in.len() == secret.len()).then_some((secret.len(), stand_in))
    }

    fn pair(&mut self, secret: &str, stand_in: &str) {
        let bytes = secret.as_bytes().to_vec();
        if secret.len() != stand_in.len() || self.pairs.contains_key(&bytes) {
            return;
        }
        if let Some(first) = bytes.first_chunk::<SHORTEST>() {
            let those = self.index.entry(*first).or_default();
            let at = those.partition_point(|other| other.len() >= bytes.len());
            those.insert(at, bytes.clone());
        }
        self.pairs.insert(bytes, Secret::new(stand_in));
    }

    /// Another one than the secret, and than any other stand-in, as far as its alphabet has one.
    fn make(&mut self, secret: &str) -> String {
        let mut made = self.draw(secret);
        for _ in 0..TRIES {
            let taken = made == secret
                || self.pairs.contains_key(made.as_bytes())
                || self.pairs.values().any(|other| other.expose() == made);
            if !taken {
                break;
            }
            made = self.draw(secret);
        }
        made
    }

    fn draw(&mut self, secret: &str) -> String {
        let is = |of: fn(&u8) -> bool| {
            secret.bytes().filter(u8::is_ascii_alphanumeric).all(|byte| of(&byte))
        };
        let lower_hex = is(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let upper_hex = is(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
        let digits = is(u8::is_ascii_digit);
        let mut kept = 0_u32;
        let mut first = true;
        let mut made = String::with_capacity(secret.len());
        for char in secret.chars() {
            if kept > 0 {
                // The rest of an escape of JSON's.
                kept = if char == 'u' && kept == 1 { 4 } else { kept - 1 };
                made.push(char);
                continue;
            }
            if char == '\\' {
                kept = 1;
            }
            // A number does not begin with a zero if it did not.
            let low = u64::from(first && digits && char != '0');
            made.push(match char {
                '0' if first && digits => '0',
                '0'..='9' | 'a'..='f' if lower_hex && !digits => self.hex(b'a'),
                '0'..='9' | 'A'..='F' if upper_hex && !digits => self.hex(b'A'),
                '0'..='9' => self.within(u64::from(b'0') + low, b'9'.into()),
                'a'..='z' => self.within(b'a'.into(), b'z'.into()),
                'A'..='Z' => self.within(b'A'.into(), b'Z'.into()),
                // Letters of two, three and four bytes.
                '\u{a0}'..='\u{7ff}' => self.within(0xc0, 0x24f),
                '\u{800}'..='\u{ffff}' => self.within(0x4e00, 0x9fa5),
                '\u{10000}'.. => self.within(0x20000, 0x2a6d6),
                other => other,
            });
            first = false;
        }
        made
    }

    fn hex(&mut self, letter: u8) -> char {
        let n = self.rng.between(0, 15) as u8;
        char::from(if n < 10 { b'0' + n } else { letter + n - 10 })
    }

    fn within(&mut self, low: u64, high: u64) -> char {
        u32::try_from(self.rng.between(low, high)).ok().and_then(char::from_u32).unwrap_or('x')
    }
}

/// A text in JSON's quotes as it is meant. What stands for a letter by its number is left as it is.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some('r') => plain.push('\r'),
                Some('u') => plain.push_str("\\u"),
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn made(secret: &str) -> String {
        let mut all = StandIns::new([3; 32]);
        all.learn(secret);
        all.get(secret).unwrap().to_string()
    }

    #[test]
    fn a_stand_in_has_the_secrets_length_and_alphabet() {
        let like = |secret: &str, of: fn(char) -> bool| {
            let made = made(secret);
            assert_ne!(made, secret);
            assert_eq!(made.len(), secret.len());
            assert!(made.chars().all(of), "{secret} became {made}");
        };
        like("0123456789", |c| c.is_ascii_digit());
        like("9f86d081884c7d65", |c| matches!(c, '0'..='9' | 'a'..='f'));
        like("9F86D081884C7D65", |c| matches!(c, '0'..='9' | 'A'..='F'));
        like("nlPUFvnD7EUHlhLB0MGAkZ6YRGQ+QaKu==", |c| {
            c.is_ascii_alphanumeric() || "+/=".contains(c)
        });
        like("密码密码", |c| c.len_utf8() == 3);
        assert!(made("p@ss:w0rd").contains(['@', ':']));
        assert!(made("0123456").starts_with('0') && !made("9123456").starts_with('0'));
    }

    #[test]
    fn it_stands_everywhere_and_the_longest_secret_counts() {
        let mut all = StandIns::new([4; 32]);
        all.learn("abcdef");
        all.learn("abcdefgh");
        let mut text = *b"abcdefgh abcdef abcde";
        all.apply(&mut text);
        let long = all.get("abcdefgh").unwrap().as_bytes();
        let short = all.get("abcdef").unwrap().as_bytes();
        assert_eq!(text, *[long, b" ", short, b" abcde"].concat());
    }

    #[test]
    fn what_json_writes_in_its_own_way_is_the_same_secret() {
        let mut all = StandIns::new([5; 32]);
        all.learn(r#"ab\"cd\/ef"#);
        let escaped = all.get(r#"ab\"cd\/ef"#).unwrap();
        assert_eq!(all.get(r#"ab"cd/ef"#), Some(&*unescaped(escaped)));
        let mut digest = hex::lower(&hash::sha256(&[br#"ab\"cd\/ef"#])).into_bytes();
        let before = digest.clone();
        all.apply(&mut digest);
        assert_ne!(digest, before);
    }

    #[test]
    fn another_seed_gives_other_stand_ins() {
        let mut all = StandIns::new([6; 32]);
        all.learn("thesecret");
        assert_ne!(all.get("thesecret"), Some(&*made("thesecret")));
    }
}
