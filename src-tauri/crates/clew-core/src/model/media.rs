//! What the beginning of embedded content tells of it. Nothing is decoded but that beginning.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Largest content that is shown, in bytes.
const MAX_BYTES: u64 = 20_000_000;
/// Most pixels of a picture that is shown: a small file may unfold to gigabytes.
const MAX_PIXELS: u64 = 64_000_000;
/// Characters of base64 whose content is looked at: a JPEG states its size after what cameras and editors write.
const HEAD: usize = 1024 * 1024;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// Content that a span carries in base64, by its length and its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Embedded {
    /// Bytes of the content; `null` where it is not base64.
    pub bytes: Option<u64>,
    /// The media type that its first bytes tell, of PNG, JPEG, GIF, WebP and AVIF.
    pub format: Option<String>,
    /// Pixels from left to right, where the first bytes tell.
    pub width: Option<u32>,
    /// Pixels from top to bottom.
    pub height: Option<u32>,
    /// How it can be shown when asked; `null` where it is only told of.
    pub view: Option<MediaView>,
    /// Why it cannot be shown, in a sentence.
    pub reason: Option<String>,
}

/// How embedded content can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum MediaView {
    /// As a picture.
    Picture,
    /// As its text. SVG is one: as a document it could hold programs.
    Text,
}

impl Embedded {
    /// Looks at the content of a part with its stated media type, without a `data:` address around it.
    #[must_use]
    pub fn of(data: &str, mime_type: Option<&str>) -> Self {
        let nothing = Self {
            bytes: None,
            format: None,
            width: None,
            height: None,
            view: None,
            reason: None,
        };
        let Some((digits, head)) = beginning(data) else {
            return Self {
                reason: Some("It is not base64, so it may be cut or redacted.".to_owned()),
                ..nothing
            };
        };
        // Four digits are three bytes; a last group of two is one, of three two.
        let bytes = digits / 4 * 3 + (digits % 4) * 3 / 4;
        let format = format(&head);
        let size = format.and_then(|format| dimensions(format, &head));
        let pixels = size.map(|(width, height)| u64::from(width) * u64::from(height));
        let is_text = mime_type.is_some_and(is_text);
        let (view, reason) = if bytes > MAX_BYTES {
            (None, Some("It is larger than 20 MB."))
        } else if format.is_some() {
            match pixels {
                Some(pixels) if pixels > MAX_PIXELS => {
                    (None, Some("It has more than 64 million pixels."))
                }
                Some(_) => (Some(MediaView::Picture), None),
                None => (
                    None,
                    Some("Its beginning does not tell its size in pixels."),
                ),
            }
        } else if is_text {
            (Some(MediaView::Text), None)
        } else if mime_type.is_some_and(|mime| mime.trim().starts_with("image/")) {
            let known = "Its first bytes are not those of PNG, JPEG, GIF, WebP or AVIF.";
            (None, Some(known))
        } else {
            (None, None)
        };
        Self {
            bytes: Some(bytes),
            format: format.map(|format| format.mime().to_owned()),
            width: size.map(|(width, _)| width),
            height: size.map(|(_, height)| height),
            view,
            reason: reason.map(ToOwned::to_owned),
        }
    }
}

/// Whether content of this type is read as text.
fn is_text(mime: &str) -> bool {
    let mime = mime.split(';').next().unwrap_or(mime).trim();
    let mime = mime.to_ascii_lowercase();
    mime.starts_with("text/")
        || mime == "image/svg+xml"
        || mime == "application/json"
        || mime == "application/xml"
}

/// How many digits of base64 a text has, of either alphabet, and what the first of them hold; `None` where it is none.
fn beginning(data: &str) -> Option<(u64, Vec<u8>)> {
    let mut digits: u64 = 0;
    let mut head = String::new();
    let mut ended = false;
    for byte in data.bytes() {
        let digit = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => byte,
            b'-' => b'+',
            b'_' => b'/',
            b'=' => {
                ended = true;
                continue;
            }
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            _ => return None,
        };
        if ended {
            return None;
        }
        if head.len() < HEAD {
            head.push(char::from(digit));
        }
        digits += 1;
    }
    if digits == 0 || digits % 4 == 1 {
        return None;
    }
    Some((digits, STANDARD.decode(head).ok()?))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Png,
    Jpeg,
    Gif,
    WebP,
    Avif,
}

impl Format {
    const fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
            Self::Avif => "image/avif",
        }
    }
}

fn format(head: &[u8]) -> Option<Format> {
    let at = |from: usize, text: &[u8]| head.get(from..from + text.len()) == Some(text);
    if at(0, b"\x89PNG\r\n\x1a\n") {
        Some(Format::Png)
    } else if at(0, b"\xff\xd8\xff") {
        Some(Format::Jpeg)
    } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
        Some(Format::Gif)
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some(Format::WebP)
    } else if at(4, b"ftypavif") || at(4, b"ftypavis") {
        Some(Format::Avif)
    } else {
        None
    }
}

/// Width and height in pixels; `None` where the head does not tell them, or one is none.
fn dimensions(format: Format, head: &[u8]) -> Option<(u32, u32)> {
    let size = match format {
        // PNG 3, 11.2.1: IHDR comes first.
        Format::Png => Some((big(head, 16, 4)?, big(head, 20, 4)?)),
        Format::Gif => gif(head),
        Format::Jpeg => jpeg(head),
        Format::WebP => webp(head),
        Format::Avif => avif(head),
    };
    size.filter(|&(width, height)| width > 0 && height > 0)
}

/// GIF89a, 18 to 20 and 24 to 26: the logical screen, or the first picture where that reaches beyond it: browsers make
/// room for it.
fn gif(head: &[u8]) -> Option<(u32, u32)> {
    let (width, height) = (little(head, 6, 2)?, little(head, 8, 2)?);
    let packed = *head.get(10)?;
    let colours = if packed & 0x80 == 0 {
        0
    } else {
        3 << ((packed & 7) + 1)
    };
    let mut at: usize = 13 + colours;
    loop {
        match *head.get(at)? {
            0x2c => {
                let right = little(head, at + 1, 2)? + little(head, at + 5, 2)?;
                let bottom = little(head, at + 3, 2)? + little(head, at + 7, 2)?;
                return Some((width.max(right), height.max(bottom)));
            }
            // An extension: blocks, each with its length before it, up to an empty one.
            0x21 => {
                at += 2;
                loop {
                    let length = usize::from(*head.get(at)?);
                    at += 1 + length;
                    if length == 0 {
                        break;
                    }
                }
            }
            _ => return None,
        }
    }
}

/// ITU T.81, B.2.2: the frame header, past all segments before it.
fn jpeg(head: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        if *head.get(at)? != 0xff {
            return None;
        }
        match *head.get(at + 1)? {
            // Filling.
            0xff => at += 1,
            // Marks that stand alone.
            0x01 | 0xd0..=0xd7 => at += 2,
            // SOF0 to SOF15; between them are tables.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Some((big(head, at + 7, 2)?, big(head, at + 5, 2)?));
            }
            // The picture begins, or ends, without a frame.
            0xd8..=0xda => return None,
            _ => at = at.checked_add(2 + usize::try_from(big(head, at + 2, 2)?).ok()?)?,
        }
    }
}

/// RFC 9649, 2.5 to 2.7: lossy, lossless and extended files.
fn webp(head: &[u8]) -> Option<(u32, u32)> {
    match head.get(12..16)? {
        b"VP8 " => Some((little(head, 26, 2)? & 0x3fff, little(head, 28, 2)? & 0x3fff)),
        b"VP8L" => {
            let bits = little(head, 21, 4)?;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => Some((little(head, 24, 3)? + 1, little(head, 27, 3)? + 1)),
        _ => None,
    }
}

/// ISO/IEC 23008-12, 6.5.3: the first box `ispe`; of several the largest, as thumbnails have one too.
fn avif(head: &[u8]) -> Option<(u32, u32)> {
    let boxes = head
        .windows(4)
        .enumerate()
        .filter(|(_, name)| name == b"ispe");
    let sizes = boxes.filter_map(|(at, _)| Some((big(head, at + 8, 4)?, big(head, at + 12, 4)?)));
    sizes.max_by_key(|&(width, height)| u64::from(width) * u64::from(height))
}

fn big(head: &[u8], from: usize, bytes: usize) -> Option<u32> {
    let bytes = head.get(from..from.checked_add(bytes)?)?;
    Some(
        bytes
            .iter()
            .fold(0, |number, &byte| number << 8 | u32::from(byte)),
    )
}

fn little(head: &[u8], from: usize, bytes: usize) -> Option<u32> {
    let bytes = head.get(from..from.checked_add(bytes)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | u32::from(byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(bytes: &[u8], mime: &str) -> Embedded {
        Embedded::of(&STANDARD.encode(bytes), Some(mime))
    }

    fn size(bytes: &[u8]) -> (Option<String>, Option<u32>, Option<u32>) {
        let found = looked(bytes, "image/x");
        (found.format, found.width, found.height)
    }

    fn at(mut bytes: Vec<u8>, place: usize, text: &[u8]) -> Vec<u8> {
        bytes.resize(bytes.len().max(place + text.len()), 0);
        bytes[place..place + text.len()].copy_from_slice(text);
        bytes
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes
    }

    /// With a table of two colours and an extension before the first picture.
    fn gif(screen: (u16, u16), place: (u16, u16), picture: (u16, u16)) -> Vec<u8> {
        let mut bytes = b"GIF89a".to_vec();
        for number in [screen.0, screen.1] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend([0x80, 0, 0, 0, 0, 0, 255, 255, 255]);
        bytes.extend(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0\x2c");
        for number in [place.0, place.1, picture.0, picture.1] {
            bytes.extend(number.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn the_first_bytes_tell_format_and_size() {
        let expect = |mime: &str| (Some(mime.to_owned()), Some(640), Some(480));
        assert_eq!(size(&png(640, 480)), expect("image/png"));
        assert_eq!(size(&gif((640, 480), (0, 0), (1, 1))), expect("image/gif"));
        // Browsers make room for a first picture that reaches beyond the screen.
        assert_eq!(size(&gif((1, 1), (0, 0), (640, 480))), expect("image/gif"));
        assert_eq!(
            size(&gif((640, 0), (40, 80), (600, 400))),
            expect("image/gif")
        );

        // Past a segment of an editor, a table and filling.
        let mut jpeg =
            b"\xff\xd8\xff\xe1\x00\x08Exif!!\xff\xc4\x00\x03x\xff\xff\xc2\x00\x11\x08".to_vec();
        jpeg.extend([1, 0xe0, 2, 0x80]);
        assert_eq!(size(&jpeg), expect("image/jpeg"));

        let webp = |kind: &[u8]| at(b"RIFF\0\0\0\0WEBP".to_vec(), 12, kind);
        let lossy = at(webp(b"VP8 "), 26, &[0x80, 2, 0xe0, 1]);
        assert_eq!(size(&lossy), expect("image/webp"));
        let bits: u32 = 639 | 479 << 14;
        let lossless = at(webp(b"VP8L"), 21, &bits.to_le_bytes());
        assert_eq!(size(&lossless), expect("image/webp"));
        let extended = at(at(webp(b"VP8X"), 24, &[0x7f, 2, 0]), 27, &[0xdf, 1, 0]);
        assert_eq!(size(&extended), expect("image/webp"));

        let mut avif = b"\0\0\0\x1cftypavif____ispe\0\0\0\0".to_vec();
        avif.extend([0, 0, 2, 0x80, 0, 0, 1, 0xe0]);
        assert_eq!(size(&avif), expect("image/avif"));
    }

    #[test]
    fn bytes_are_counted_in_either_alphabet_with_and_without_padding() {
        for (text, bytes) in [
            ("aGk=", 2),
            ("aGk", 2),
            ("aG\nkh", 3),
            ("-_-_", 3),
            ("YQ==", 1),
        ] {
            assert_eq!(Embedded::of(text, None).bytes, Some(bytes), "{text}");
        }
        for text in ["", "[REDACTED]", "a", "aGk=aGk=", "héllo"] {
            let found = Embedded::of(text, Some("image/png"));
            assert_eq!((found.bytes, found.view), (None, None), "{text}");
            assert!(found.reason.is_some_and(|reason| reason.contains("base64")));
        }
    }

    #[test]
    fn only_pictures_that_are_known_by_their_first_bytes_are_shown() {
        assert_eq!(
            looked(&png(2, 2), "image/png").view,
            Some(MediaView::Picture)
        );
        // What it is said to be does not count.
        assert_eq!(
            looked(&png(2, 2), "audio/wav").view,
            Some(MediaView::Picture)
        );
        assert_eq!(
            looked(b"<svg/>", "image/svg+xml").view,
            Some(MediaView::Text)
        );
        assert_eq!(
            looked(b"a,b", "text/csv; charset=utf-8").view,
            Some(MediaView::Text)
        );
        for (bytes, mime, reason) in [
            (b"<svg/>".to_vec(), "image/png", Some("not those of PNG")),
            (b"RIFF....WAVE".to_vec(), "audio/wav", None),
            (b"%PDF-1.7".to_vec(), "application/pdf", None),
            (png(9_000, 9_000), "image/png", Some("64 million pixels")),
            (
                gif((1, 1), (0, 0), (65_535, 65_535)),
                "image/gif",
                Some("64 million pixels"),
            ),
            // A height of 0 is told later in a JPEG, and nowhere in a PNG.
            (
                b"\xff\xd8\xff\xc0\0\x11\x08\0\0\xff\xff".to_vec(),
                "image/jpeg",
                Some("size in pixels"),
            ),
            (png(2, 0), "image/png", Some("size in pixels")),
            (
                b"GIF89a\x01\0\x01\0\0\0\0".to_vec(),
                "image/gif",
                Some("size in pixels"),
            ),
            (
                b"\x89PNG\r\n\x1a\n".to_vec(),
                "image/png",
                Some("size in pixels"),
            ),
        ] {
            let found = looked(&bytes, mime);
            assert_eq!(found.view, None, "{mime}");
            let told = found.reason.unwrap_or_default();
            assert!(
                reason.map_or(told.is_empty(), |reason| told.contains(reason)),
                "{told}"
            );
        }
        let mut large = png(2, 2);
        large.resize(20_000_001, 0);
        let found = looked(&large, "image/png");
        assert_eq!((found.bytes, found.view), (Some(20_000_001), None));
    }

    #[test]
    fn a_beginning_that_breaks_off_does_no_harm() {
        for whole in [
            png(2, 2),
            b"\xff\xd8\xff\xe1\xff\xff".to_vec(),
            b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\0".to_vec(),
            gif((2, 2), (0, 0), (2, 2)),
            b"\0\0\0\x1cftypavif____ispe\0\0\0\0\0".to_vec(),
        ] {
            for length in 1..=whole.len() {
                let found = looked(&whole[..length], "image/png");
                assert_eq!(found.bytes, Some(length as u64));
            }
        }
    }
}
