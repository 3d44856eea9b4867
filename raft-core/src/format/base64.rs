//! base64url without padding (RFC 4648 §5). Each text stands for one sequence of bytes, and each
//! sequence of bytes has one text.

use alloc::string::String;
use alloc::vec::Vec;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextError {
    /// A character that has no meaning, and its position among the characters, from 0.
    Character(usize, char),
    /// A length that no bytes have, or bits at the end that belong to no byte.
    End,
}

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut bits = 0;
        for place in 0..3 {
            bits = bits << 8 | u32::from(group.get(place).copied().unwrap_or(0));
        }
        for place in 0..=group.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

pub(super) fn decode(text: &str) -> Result<Vec<u8>, TextError> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0_u32, 0);
    for (position, character) in text.chars().enumerate() {
        let value = match character {
            'A'..='Z' => character as u32 - 'A' as u32,
            'a'..='z' => character as u32 - 'a' as u32 + 26,
            '0'..='9' => character as u32 - '0' as u32 + 52,
            '-' => 62,
            '_' => 63,
            _ => return Err(TextError::Character(position, character)),
        };
        (bits, count) = (bits << 6 | value, count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    // A single character beyond whole groups is no byte, and the unused bits of the last character
    // must be zero.
    if count == 6 || bits != 0 { Err(TextError::End) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_examples() {
        let table = [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE")];
        for (bytes, text) in table {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn all_bytes_of_all_lengths_come_back() {
        for length in 0..70_u32 {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 37 + length) as u8).collect();
            assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }
    }

    #[test]
    fn what_is_not_of_the_alphabet_is_named() {
        assert_eq!(decode("Zm+v"), Err(TextError::Character(2, '+')));
        assert_eq!(decode("Zg=="), Err(TextError::Character(2, '=')));
        assert_eq!(decode("é"), Err(TextError::Character(0, 'é')));
        assert_eq!(decode("Zm9vY"), Err(TextError::End), "five characters");
        assert_eq!(decode("Zh"), Err(TextError::End), "a bit that belongs to no byte");
    }
}
