//! MD5 as RFC 1321 has it, because the blob protocol checks bodies with it, and a keyed sum made of
//! it, by which the emulator knows its own SAS URLs again. Neither protects anything here.

/// How far each step rotates, by round.
const ROTATIONS: [[u32; 4]; 4] = [
    [7, 12, 17, 22],
    [5, 9, 14, 20],
    [4, 11, 16, 23],
    [6, 10, 15, 21],
];

const BLOCK: usize = 64;

pub(super) fn digest(message: &[u8]) -> [u8; 16] {
    // The RFC's table: the sine of 1 to 64 radians, in units of 2^-32.
    let table: Vec<u32> = (1..=64u32)
        .map(|step| (f64::from(step).sin().abs() * 4_294_967_296.0) as u32)
        .collect();
    let mut state: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let mut blocks = message.chunks_exact(BLOCK);
    for block in &mut blocks {
        step(&mut state, block, &table);
    }
    let mut tail = blocks.remainder().to_vec();
    tail.push(0x80);
    let room = if tail.len() > BLOCK - 8 {
        2 * BLOCK
    } else {
        BLOCK
    };
    tail.resize(room - 8, 0);
    let bits = (message.len() as u64).wrapping_mul(8);
    tail.extend_from_slice(&bits.to_le_bytes());
    for block in tail.chunks_exact(BLOCK) {
        step(&mut state, block, &table);
    }
    let mut digest = [0; 16];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    digest
}

fn step(state: &mut [u32; 4], block: &[u8], table: &[u32]) {
    let mut words = [0u32; 16];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    let [mut a, mut b, mut c, mut d] = *state;
    for (index, constant) in table.iter().enumerate() {
        let (mixed, word) = match index / 16 {
            0 => ((b & c) | (!b & d), index),
            1 => ((d & b) | (!d & c), 5 * index + 1),
            2 => (b ^ c ^ d, 3 * index + 5),
            _ => (c ^ (b | !d), 7 * index),
        };
        let sum = a
            .wrapping_add(mixed)
            .wrapping_add(*constant)
            .wrapping_add(words[word % 16]);
        a = d;
        d = c;
        c = b;
        b = b.wrapping_add(sum.rotate_left(ROTATIONS[index / 16][index % 4]));
    }
    for (word, add) in state.iter_mut().zip([a, b, c, d]) {
        *word = word.wrapping_add(add);
    }
}

/// HMAC with MD5 (RFC 2104).
pub(super) fn keyed(key: &[u8], message: &[u8]) -> [u8; 16] {
    let mut padded = [0; BLOCK];
    if key.len() > BLOCK {
        padded[..16].copy_from_slice(&digest(key));
    } else {
        padded[..key.len()].copy_from_slice(key);
    }
    let mut inner: Vec<u8> = padded.iter().map(|byte| byte ^ 0x36).collect();
    inner.extend_from_slice(message);
    let mut outer: Vec<u8> = padded.iter().map(|byte| byte ^ 0x5c).collect();
    outer.extend_from_slice(&digest(&inner));
    digest(&outer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: [u8; 16]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_suite_of_the_rfc_comes_out() {
        for (message, expected) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            (
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                "d174ab98d277d9f5a5611c2c9f419d9f",
            ),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
        ] {
            assert_eq!(hex(digest(message.as_bytes())), expected, "{message}");
        }
    }

    #[test]
    fn the_keyed_sum_is_that_of_rfc_2104() {
        assert_eq!(
            hex(keyed(b"Jefe", b"what do ya want for nothing?")),
            "750c783e6ab0b503eaa86e310a5db738"
        );
        assert_eq!(
            hex(keyed(
                &[0xaa; 80],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            )),
            "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"
        );
    }
}
