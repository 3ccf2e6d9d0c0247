//! The hash by which content is known.

/// First 8 bytes, big-endian, of BLAKE3 over the parts, each behind its length as a little-endian `u64`, so that no two
/// lists of parts run together.
#[must_use]
pub fn content_hash(parts: &[&[u8]]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(part);
    }
    let hash = hasher.finalize();
    hash.as_bytes()
        .first_chunk::<8>()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
