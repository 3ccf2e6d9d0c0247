import { describe, expect, it } from "vitest";
import { unpack } from "./packed.ts";

/** Writes the layout of clew-core/src/packed.rs by hand. */
function pack(
  value: object,
  columns: { name: string; type: string; bytes: Uint8Array; length: number }[],
): ArrayBuffer {
  let offset = 0;
  const placed = columns.map((column) => {
    offset = Math.ceil(offset / 8) * 8;
    const at = offset;
    offset += column.bytes.length;
    return { ...column, offset: at };
  });
  const header = new TextEncoder().encode(
    JSON.stringify({
      value,
      columns: placed.map(({ name, type, offset, length }) => ({ name, type, offset, length })),
    }),
  );
  const body = Math.ceil((4 + header.length) / 8) * 8;
  const buffer = new ArrayBuffer(body + offset);
  new DataView(buffer).setUint32(0, header.length, true);
  new Uint8Array(buffer).set(header, 4);
  for (const column of placed) new Uint8Array(buffer).set(column.bytes, body + column.offset);
  return buffer;
}

const raw = (numbers: { buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(numbers.buffer);

describe("packed answers", () => {
  it("joins the value with typed columns of every kind", () => {
    const buffer = pack({ originNanos: "5", strings: ["", "é"] }, [
      { name: "status", type: "u8", bytes: raw(Uint8Array.of(1, 2, 0)), length: 3 },
      { name: "start", type: "f64", bytes: raw(Float64Array.of(0, 1.5)), length: 2 },
      { name: "parent", type: "i32", bytes: raw(Int32Array.of(-1, 0)), length: 2 },
      { name: "depth", type: "u16", bytes: raw(Uint16Array.of(7)), length: 1 },
      { name: "spanHigh", type: "u32", bytes: raw(Uint32Array.of(4_294_967_295)), length: 1 },
    ]);
    expect(unpack(buffer)).toEqual({
      originNanos: "5",
      strings: ["", "é"],
      status: Uint8Array.of(1, 2, 0),
      start: Float64Array.of(0, 1.5),
      parent: Int32Array.of(-1, 0),
      depth: Uint16Array.of(7),
      spanHigh: Uint32Array.of(4_294_967_295),
    });
  });

  it("reads an answer without rows", () => {
    const buffer = pack({ strings: [""] }, [
      { name: "start", type: "f64", bytes: new Uint8Array(0), length: 0 },
    ]);
    expect(unpack(buffer)).toEqual({ strings: [""], start: new Float64Array(0) });
  });

  it("refuses a column that it does not know, and a cut answer", () => {
    expect(() => unpack(pack({}, [{ name: "x", type: "i64", bytes: new Uint8Array(8), length: 1 }]))).toThrow(
      /i64/,
    );
    const whole = pack({ a: 1 }, [{ name: "start", type: "f64", bytes: new Uint8Array(16), length: 2 }]);
    expect(() => unpack(whole.slice(0, whole.byteLength - 8))).toThrow();
  });
});
