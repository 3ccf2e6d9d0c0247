//! Decompression that stops at a limit: what a body decompresses to is counted while it does.

use std::io::{BufRead, Read};

use flate2::bufread::{MultiGzDecoder, ZlibDecoder};

use super::body::{Budget, Held};
use super::reply::Failure;

/// Largest zstd window, as a power of two: 8 MiB, which RFC 8878 asks every decoder for. A larger one is memory that
/// a sender would make Clew allocate.
const ZSTD_WINDOW: u32 = 23;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 1950, which HTTP calls deflate.
    Zlib,
    /// RFC 8878.
    Zstd,
}

/// Decompresses `input` to at most `limit` bytes, reserved in `budget` as they come.
pub(super) fn inflate(
    compression: Compression,
    input: &[u8],
    limit: usize,
    budget: &Budget,
) -> Result<Held, Failure> {
    let mut rest = input;
    match compression {
        Compression::Gzip => drain(MultiGzDecoder::new(rest), limit, budget),
        Compression::Zlib => {
            let held = drain(ZlibDecoder::new(&mut rest), limit, budget)?;
            if rest.is_empty() {
                Ok(held)
            } else {
                Err(Failure::malformed(
                    "there are bytes behind the compressed body",
                ))
            }
        }
        Compression::Zstd => drain(zstd(rest)?, limit, budget),
    }
}

fn zstd<R: BufRead>(input: R) -> Result<impl Read, Failure> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(input).map_err(unreadable)?;
    decoder.window_log_max(ZSTD_WINDOW).map_err(unreadable)?;
    Ok(decoder)
}

fn drain(mut decoder: impl Read, limit: usize, budget: &Budget) -> Result<Held, Failure> {
    let mut held = Held::empty(budget);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let read = match decoder.read(&mut chunk) {
            Ok(0) => return Ok(held),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(error)),
        };
        held.append(chunk.get(..read).unwrap_or_default(), limit)?;
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what map_err hands over"
)]
fn unreadable(error: std::io::Error) -> Failure {
    // zstd names its errors only in words; this one is its `ZSTD_error_frameParameter_windowTooLarge`.
    if error.to_string().contains("requires too much memory") {
        Failure::too_large("the zstd window of the body is over 8 MiB")
    } else {
        Failure::malformed("cannot decompress the body")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const LIMIT: usize = 64 * 1024 * 1024;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("memory takes all");
        encoder.finish().expect("memory takes all")
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("memory takes all");
        encoder.finish().expect("memory takes all")
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 1).expect("memory takes all")
    }

    fn read(compression: Compression, input: &[u8]) -> Result<Vec<u8>, u16> {
        inflate(compression, input, LIMIT, &Budget::new(LIMIT * 2))
            .map(|held| held.bytes().to_vec())
            .map_err(|failure| failure.status().as_u16())
    }

    #[test]
    fn what_went_in_comes_out() {
        let text = b"spans ".repeat(50_000);
        assert_eq!(read(Compression::Gzip, &gzip(&text)).as_ref(), Ok(&text));
        assert_eq!(read(Compression::Zlib, &zlib(&text)).as_ref(), Ok(&text));
        assert_eq!(read(Compression::Zstd, &zstd(&text)).as_ref(), Ok(&text));
        let members = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(read(Compression::Gzip, &members), Ok(b"one two".to_vec()));
    }

    #[test]
    fn damage_is_the_senders_mistake() {
        let text = b"spans ".repeat(1_000);
        for (compression, good) in [
            (Compression::Gzip, gzip(&text)),
            (Compression::Zlib, zlib(&text)),
            (Compression::Zstd, zstd(&text)),
        ] {
            let cut = &good[..good.len() - 1];
            assert_eq!(read(compression, cut), Err(400), "{compression:?} cut");
            let trailing = [&good[..], b"x"].concat();
            assert_eq!(
                read(compression, &trailing),
                Err(400),
                "{compression:?} with bytes behind"
            );
            let mut flipped = good.clone();
            let middle = flipped.len() / 2;
            flipped[0] ^= 0xff;
            flipped[middle] ^= 0x55;
            assert_eq!(
                read(compression, &flipped),
                Err(400),
                "{compression:?} flipped"
            );
            assert_eq!(read(compression, &text), Err(400), "{compression:?} plain");
        }
        assert_eq!(read(Compression::Gzip, &zstd(&text)), Err(400));
        assert_eq!(read(Compression::Zstd, &gzip(&text)), Err(400));
    }

    #[test]
    fn the_limit_is_exact_and_bombs_stop_at_it() {
        for (compression, pack) in [
            (Compression::Gzip, gzip as fn(&[u8]) -> Vec<u8>),
            (Compression::Zlib, zlib),
            (Compression::Zstd, zstd),
        ] {
            let read = |size: usize| {
                inflate(
                    compression,
                    &pack(&vec![0; size]),
                    100_000,
                    &Budget::new(200_000),
                )
                .map(|held| held.bytes().len())
                .map_err(|failure| failure.status().as_u16())
            };
            assert_eq!(read(100_000), Ok(100_000), "{compression:?}");
            assert_eq!(read(100_001), Err(413), "{compression:?}");
            assert_eq!(read(50_000_000), Err(413), "{compression:?}");
        }
    }

    #[test]
    fn a_wide_zstd_window_is_refused() {
        let window = |log: u32| {
            let mut encoder =
                zstd::stream::write::Encoder::new(Vec::new(), 1).expect("memory takes all");
            encoder.window_log(log).expect("a window");
            encoder.write_all(b"spans").expect("memory takes all");
            encoder.finish().expect("memory takes all")
        };
        assert_eq!(read(Compression::Zstd, &window(23)), Ok(b"spans".to_vec()));
        assert_eq!(read(Compression::Zstd, &window(27)), Err(413));
    }

    #[test]
    fn the_budget_holds_while_decompressing() {
        let input = gzip(&vec![0; 4_000_000]);
        let budget = Budget::new(1_000_000);
        let refused = inflate(Compression::Gzip, &input, LIMIT, &budget).map(|_| ());
        assert_eq!(
            refused.map_err(|failure| failure.status().as_u16()),
            Err(429)
        );
        assert_eq!(budget.left(), 1_000_000, "what was reserved is given back");
    }
}
