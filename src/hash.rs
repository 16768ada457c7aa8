//! The hashes that the device's side needs.
//!
//! Natively they are those of the RustCrypto crates, which are fast. In the plugin they are loops: the crates' unrolled
//! rounds and block buffers are 8 KB there (`sha1` and `md-5` have no compact form), and a device hashes a few hundred
//! bytes a day. The tests compare both.

#![cfg_attr(not(all(feature = "plugin", target_family = "wasm")), allow(dead_code))]

/// The hash of parts in a row; one shorter than 32 bytes has zeros behind it.
pub(crate) type Hash = fn(&[&[u8]]) -> [u8; 32];

#[cfg(all(feature = "plugin", target_family = "wasm"))]
pub(crate) use small::*;

#[cfg(not(all(feature = "plugin", target_family = "wasm")))]
mod fast {
    use sha2::Digest;

    fn hash<D: Digest>(parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = D::new();
        parts.iter().for_each(|part| hash.update(part));
        let mut out = [0; 32];
        let digest = hash.finalize();
        out[..digest.len()].copy_from_slice(&digest);
        out
    }

    pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        hash::<sha2::Sha256>(parts)
    }

    #[cfg(feature = "alibaba")]
    pub(crate) fn sha1(parts: &[&[u8]]) -> [u8; 32] {
        hash::<sha1::Sha1>(parts)
    }

    #[cfg(feature = "alibaba")]
    pub(crate) fn md5(parts: &[&[u8]]) -> [u8; 32] {
        hash::<md5::Md5>(parts)
    }
}

#[cfg(not(all(feature = "plugin", target_family = "wasm")))]
pub(crate) use fast::*;

/// FIPS 180-4 and RFC 1321, as loops.
mod small {
    const BLOCK: usize = 64;

    /// Where SHA-1 begins, and MD5 without the last.
    #[cfg(feature = "alibaba")]
    const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

    /// The rounds over one block of sixteen words.
    type Rounds = fn(&mut [u32; 8], &[u32; 16]);

    /// What the three have in common: blocks of 64 bytes, padded with a one, zeros and the length in bits.
    struct Blocks {
        state: [u32; 8],
        block: [u32; 16],
        /// Bytes so far.
        length: usize,
        big: bool,
        rounds: Rounds,
    }

    impl Blocks {
        #[inline(never)]
        fn take(&mut self, bytes: &[u8]) {
            for &byte in bytes {
                let at = self.length % BLOCK;
                let place = if self.big { 24 - at % 4 * 8 } else { at % 4 * 8 };
                self.block[at / 4] |= u32::from(byte) << place;
                self.length += 1;
                if at == BLOCK - 1 {
                    (self.rounds)(&mut self.state, &self.block);
                    self.block = [0; 16];
                }
            }
        }
    }

    #[inline(never)]
    fn digest(parts: &[&[u8]], big: bool, start: &[u32], rounds: Rounds) -> [u8; 32] {
        let mut blocks = Blocks { state: [0; 8], block: [0; 16], length: 0, big, rounds };
        blocks.state.iter_mut().zip(start).for_each(|(to, &from)| *to = from);
        for part in parts {
            blocks.take(part);
        }
        let bits = (blocks.length as u64) << 3;
        blocks.take(&[0x80]);
        while blocks.length % BLOCK != BLOCK - 8 {
            blocks.take(&[0]);
        }
        blocks.take(&if big { bits.to_be_bytes() } else { bits.to_le_bytes() });
        let mut out = [0; 32];
        for (at, to) in out.iter_mut().take(4 * start.len()).enumerate() {
            let place = if big { 24 - at % 4 * 8 } else { at % 4 * 8 };
            *to = (blocks.state[at / 4] >> place) as u8;
        }
        out
    }

    pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        const START: [u32; 8] = [
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ];
        digest(parts, true, &START, |state, block| {
            let mut words = [0; 64];
            words[..16].copy_from_slice(block);
            for i in 16..64 {
                let (early, late): (u32, u32) = (words[i - 15], words[i - 2]);
                let early = early.rotate_right(7) ^ early.rotate_right(18) ^ early >> 3;
                let late = late.rotate_right(17) ^ late.rotate_right(19) ^ late >> 10;
                words[i] =
                    words[i - 16].wrapping_add(early).wrapping_add(words[i - 7]).wrapping_add(late);
            }
            let old = *state;
            for (word, k) in words.iter().zip(&K256) {
                let [a, b, c, d, e, f, g, h] = *state;
                let sigma = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
                let first = h
                    .wrapping_add(sigma)
                    .wrapping_add(e & f ^ !e & g)
                    .wrapping_add(*k)
                    .wrapping_add(*word);
                let sigma = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
                let second = sigma.wrapping_add(a & b ^ a & c ^ b & c);
                *state = [first.wrapping_add(second), a, b, c, d.wrapping_add(first), e, f, g];
            }
            add(state, &old);
        })
    }

    #[cfg(feature = "alibaba")]
    pub(crate) fn sha1(parts: &[&[u8]]) -> [u8; 32] {
        digest(parts, true, &START, |state, block| {
            let mut words = *block;
            let old = *state;
            for i in 0..80 {
                if i >= 16 {
                    let mixed = words[(i + 13) % 16] ^ words[(i + 8) % 16] ^ words[(i + 2) % 16];
                    words[i % 16] = (words[i % 16] ^ mixed).rotate_left(1);
                }
                let [a, b, c, d, e, ..] = *state;
                let (f, k) = match i / 20 {
                    0 => (b & c | !b & d, 0x5a82_7999),
                    1 => (b ^ c ^ d, 0x6ed9_eba1),
                    2 => (b & c | b & d | c & d, 0x8f1b_bcdc),
                    _ => (b ^ c ^ d, 0xca62_c1d6_u32),
                };
                let next = a
                    .rotate_left(5)
                    .wrapping_add(f)
                    .wrapping_add(e)
                    .wrapping_add(k)
                    .wrapping_add(words[i % 16]);
                *state = [next, a, b.rotate_left(30), c, d, 0, 0, 0];
            }
            add(state, &old);
        })
    }

    #[cfg(feature = "alibaba")]
    pub(crate) fn md5(parts: &[&[u8]]) -> [u8; 32] {
        const TURNS: [[u32; 4]; 4] =
            [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
        digest(parts, false, &START[..4], |state, block| {
            let old = *state;
            for (i, k) in KMD5.iter().enumerate() {
                let [a, b, c, d, ..] = *state;
                let (f, word) = match i / 16 {
                    0 => (b & c | !b & d, i),
                    1 => (d & b | !d & c, 5 * i + 1),
                    2 => (b ^ c ^ d, 3 * i + 5),
                    _ => (c ^ (b | !d), 7 * i),
                };
                let sum = a.wrapping_add(f).wrapping_add(*k).wrapping_add(block[word % 16]);
                let next = b.wrapping_add(sum.rotate_left(TURNS[i / 16][i % 4]));
                *state = [d, next, b, c, 0, 0, 0, 0];
            }
            add(state, &old);
        })
    }

    fn add(state: &mut [u32; 8], old: &[u32; 8]) {
        state.iter_mut().zip(old).for_each(|(word, old)| *word = word.wrapping_add(*old));
    }

    /// The first 32 bits behind the point of the cube roots of the first 64 primes.
    static K256: [u32; 64] = [
        0x428a_2f98,
        0x7137_4491,
        0xb5c0_fbcf,
        0xe9b5_dba5,
        0x3956_c25b,
        0x59f1_11f1,
        0x923f_82a4,
        0xab1c_5ed5,
        0xd807_aa98,
        0x1283_5b01,
        0x2431_85be,
        0x550c_7dc3,
        0x72be_5d74,
        0x80de_b1fe,
        0x9bdc_06a7,
        0xc19b_f174,
        0xe49b_69c1,
        0xefbe_4786,
        0x0fc1_9dc6,
        0x240c_a1cc,
        0x2de9_2c6f,
        0x4a74_84aa,
        0x5cb0_a9dc,
        0x76f9_88da,
        0x983e_5152,
        0xa831_c66d,
        0xb003_27c8,
        0xbf59_7fc7,
        0xc6e0_0bf3,
        0xd5a7_9147,
        0x06ca_6351,
        0x1429_2967,
        0x27b7_0a85,
        0x2e1b_2138,
        0x4d2c_6dfc,
        0x5338_0d13,
        0x650a_7354,
        0x766a_0abb,
        0x81c2_c92e,
        0x9272_2c85,
        0xa2bf_e8a1,
        0xa81a_664b,
        0xc24b_8b70,
        0xc76c_51a3,
        0xd192_e819,
        0xd699_0624,
        0xf40e_3585,
        0x106a_a070,
        0x19a4_c116,
        0x1e37_6c08,
        0x2748_774c,
        0x34b0_bcb5,
        0x391c_0cb3,
        0x4ed8_aa4a,
        0x5b9c_ca4f,
        0x682e_6ff3,
        0x748f_82ee,
        0x78a5_636f,
        0x84c8_7814,
        0x8cc7_0208,
        0x90be_fffa,
        0xa450_6ceb,
        0xbef9_a3f7,
        0xc671_78f2,
    ];

    /// The first 32 bits behind the point of the sines of 1 to 64.
    #[cfg(feature = "alibaba")]
    static KMD5: [u32; 64] = [
        0xd76a_a478,
        0xe8c7_b756,
        0x2420_70db,
        0xc1bd_ceee,
        0xf57c_0faf,
        0x4787_c62a,
        0xa830_4613,
        0xfd46_9501,
        0x6980_98d8,
        0x8b44_f7af,
        0xffff_5bb1,
        0x895c_d7be,
        0x6b90_1122,
        0xfd98_7193,
        0xa679_438e,
        0x49b4_0821,
        0xf61e_2562,
        0xc040_b340,
        0x265e_5a51,
        0xe9b6_c7aa,
        0xd62f_105d,
        0x0244_1453,
        0xd8a1_e681,
        0xe7d3_fbc8,
        0x21e1_cde6,
        0xc337_07d6,
        0xf4d5_0d87,
        0x455a_14ed,
        0xa9e3_e905,
        0xfcef_a3f8,
        0x676f_02d9,
        0x8d2a_4c8a,
        0xfffa_3942,
        0x8771_f681,
        0x6d9d_6122,
        0xfde5_380c,
        0xa4be_ea44,
        0x4bde_cfa9,
        0xf6bb_4b60,
        0xbebf_bc70,
        0x289b_7ec6,
        0xeaa1_27fa,
        0xd4ef_3085,
        0x0488_1d05,
        0xd9d4_d039,
        0xe6db_99e5,
        0x1fa2_7cf8,
        0xc4ac_5665,
        0xf429_2244,
        0x432a_ff97,
        0xab94_23a7,
        0xfc93_a039,
        0x655b_59c3,
        0x8f0c_cc92,
        0xffef_f47d,
        0x8584_5dd1,
        0x6fa8_7e4f,
        0xfe2c_e6e0,
        0xa301_4314,
        0x4e08_11a1,
        0xf753_7e82,
        0xbd3a_f235,
        0x2ad7_d2bb,
        0xeb86_d391,
    ];
}

#[cfg(all(test, feature = "alibaba"))]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_loops_and_the_crates_agree() {
        let bytes: Vec<u8> = (0..300_u32).map(|i| (i * 7 + i / 5) as u8).collect();
        let pairs: [(Hash, Hash); 3] =
            [(small::sha256, fast::sha256), (small::sha1, fast::sha1), (small::md5, fast::md5)];
        for (small, fast) in pairs {
            for length in 0..=bytes.len() {
                let bytes = &bytes[..length];
                let (first, second) = bytes.split_at(length / 3);
                assert_eq!(small(&[first, second]), fast(&[bytes]), "{length} bytes");
            }
        }
    }
}
