// Export requests as protobuf, made once and sent many times under fresh ids: the sender must cost less than Clew.

import { randomFillSync, randomInt } from "node:crypto";

const field = (number, type) => Buffer.from([(number << 3) | type]);

function varint(value) {
  const bytes = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(bytes);
}

const bytes = (number, content) => Buffer.concat([field(number, 2), varint(content.length), content]);
const text = (number, content) => bytes(number, Buffer.from(content));

function fixed64(number, value) {
  const content = Buffer.alloc(8);
  content.writeBigUInt64LE(value);
  return Buffer.concat([field(number, 1), content]);
}

const attribute = (number, key, value) => {
  const any = typeof value === "number" ? Buffer.concat([field(3, 0), varint(value)]) : text(1, value);
  return bytes(number, Buffer.concat([text(1, key), bytes(2, any)]));
};

const WORDS = "order shipped refund the a customer asked for delivery on address confirm please number status we can not yet found".split(" ");

/** Words at random, as compressible as prose. */
function prose(length) {
  let out = "";
  while (out.length < length) out += `${WORDS[randomInt(WORDS.length)]}${randomInt(7) === 0 ? randomInt(9_999) : ""} `;
  return out.slice(0, length);
}

/** A request of `count` model calls of about `size` bytes each, `perTrace` to a trace. */
export class Request {
  constructor(count, size, perTrace = 8) {
    const now = BigInt(Date.now()) * 1_000_000n;
    const spans = Array.from({ length: count }, (_, index) => {
      const ids = Buffer.concat([bytes(1, Buffer.alloc(16)), bytes(2, Buffer.alloc(8))]);
      const message = (role, length) => JSON.stringify([{ role, parts: [{ type: "text", content: prose(length) }] }]);
      const rest = [
        text(5, "chat gpt-4o"),
        Buffer.concat([field(6, 0), varint(3)]),
        fixed64(7, now + BigInt(index)),
        fixed64(8, now + 1_000_000_000n + BigInt(index)),
        attribute(9, "gen_ai.operation.name", "chat"),
        attribute(9, "gen_ai.provider.name", "openai"),
        attribute(9, "gen_ai.request.model", "gpt-4o"),
        attribute(9, "gen_ai.usage.input_tokens", 1_200),
        attribute(9, "gen_ai.usage.output_tokens", 140),
        attribute(9, "gen_ai.input.messages", message("user", Math.max(0, size - 1_100))),
        attribute(9, "gen_ai.output.messages", message("assistant", 600)),
      ];
      return Buffer.concat([ids, ...rest]);
    });
    const scope = Buffer.concat([bytes(1, text(1, "bench")), ...spans.map((span) => bytes(2, span))]);
    const resource = bytes(1, attribute(1, "service.name", "bench"));
    this.body = bytes(1, Buffer.concat([resource, bytes(2, scope)]));
    this.perTrace = perTrace;
    this.size = spans[0].length;
    // Where the ids stand: a span begins with its two id fields.
    this.places = [];
    for (let at = 0; (at = this.body.indexOf(Buffer.concat([Buffer.from([0x0a, 0x10]), Buffer.alloc(16), Buffer.from([0x12, 0x08])]), at)) >= 0; at += 28)
      this.places.push(at);
    if (this.places.length !== count) throw new Error(`${this.places.length} of ${count} ids found`);
  }

  /** The bytes, under ids that nobody had before. */
  fresh() {
    const body = Buffer.from(this.body);
    let trace = Buffer.alloc(16);
    this.places.forEach((at, index) => {
      if (index % this.perTrace === 0) trace = randomFillSync(Buffer.alloc(16));
      trace.copy(body, at + 2);
      randomFillSync(body, at + 20, 8);
    });
    return body;
  }
}
