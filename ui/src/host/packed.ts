/**
 * Reads columns of numbers that came as bytes. The layout is that of `clew-core/src/packed.rs`: a `u32` length, a JSON
 * header, zero bytes up to a multiple of 8, then the columns at the offsets that the header names.
 */

interface ColumnHeader {
  name: string;
  type: string;
  offset: number;
  length: number;
}

interface Header {
  value: object;
  columns: ColumnHeader[];
}

type Column = Float64Array | Uint32Array | Int32Array | Uint16Array | Uint8Array;

function column(buffer: ArrayBuffer, at: number, { name, type, length }: ColumnHeader): Column {
  switch (type) {
    case "f64":
      return new Float64Array(buffer, at, length);
    case "u32":
      return new Uint32Array(buffer, at, length);
    case "i32":
      return new Int32Array(buffer, at, length);
    case "u16":
      return new Uint16Array(buffer, at, length);
    case "u8":
      return new Uint8Array(buffer, at, length);
    default:
      throw new TypeError(`column ${name} has the unknown type ${type}`);
  }
}

/** Joins the header's value with one typed array a column; the arrays are views of `buffer`, not copies. */
export function unpack(buffer: ArrayBuffer): object {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) as Header;
  const body = Math.ceil((4 + length) / 8) * 8;
  const columns = header.columns.map(
    (each) => [each.name, column(buffer, body + each.offset, each)] as const,
  );
  return { ...header.value, ...Object.fromEntries(columns) };
}
