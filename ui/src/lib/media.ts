// Content that a span carries in base64, decoded when asked for and never before.

/** The bytes, of either alphabet of base64, with white space or without; `undefined` where it is none. */
export function bytesOf(data: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const plain = data.replace(/\s+/g, "").replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
    const binary = atob(plain);
    const bytes = new Uint8Array(binary.length);
    for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
    return bytes;
  } catch {
    return undefined;
  }
}

/** The text that it holds; what is not UTF-8 is replaced. */
export function textOf(data: string): string | undefined {
  const bytes = bytesOf(data);
  return bytes && new TextDecoder().decode(bytes);
}
