// Waterfalls for tests, written as trees.
import { type Operation, type Run, type Waterfall, operations } from "../../generated/api.ts";

/** A span of a test's trace; times in nanoseconds. */
export interface Node {
  name: string;
  operation?: Operation;
  id?: number;
  start?: number;
  duration?: number;
  ttft?: number;
  failed?: boolean;
  /** The rows below; five or more of one name in a row are given as a run, as the engine does. */
  below?: Node[];
}

/** Packs a forest as the engine does: rows in pre-order. */
export function waterfallOf(roots: Node[]): Waterfall {
  const rows: { node: Node; parent: number; depth: number; descendants: number }[] = [];
  const walk = (node: Node, parent: number, depth: number): number => {
    const at = rows.push({ node, parent, depth, descendants: 0 }) - 1;
    for (const child of node.below ?? []) rows[at]!.descendants += walk(child, at, depth + 1);
    return rows[at]!.descendants + 1;
  };
  roots.forEach((root) => walk(root, -1, 0));
  const strings = ["", ...new Set(rows.map(({ node }) => node.name))];
  const stated = (): Float64Array => new Float64Array(rows.length).fill(-1);
  // Ids come from what a span is, not from where it stands, so that two answers of one trace agree.
  const seen = new Map<string, number>();
  const ids = rows.map(({ node }) => {
    const turn = (seen.get(node.name) ?? 0) + 1;
    seen.set(node.name, turn);
    return (
      node.id ?? [...node.name].reduce((sum, each) => sum * 31 + each.charCodeAt(0), turn) % 4_294_967_296
    );
  });
  return {
    cachedShare: null,
    fullest: null,
    spanHigh: new Uint32Array(rows.length).fill(7),
    spanLow: Uint32Array.from(ids),
    parent: Int32Array.from(rows, ({ parent }) => parent),
    depth: Uint16Array.from(rows, ({ depth }) => depth),
    descendants: Uint32Array.from(rows, ({ descendants }) => descendants),
    start: Float64Array.from(rows, ({ node }) => node.start ?? 0),
    duration: Float64Array.from(rows, ({ node }) => node.duration ?? 10),
    ttft: Float64Array.from(rows, ({ node }) => node.ttft ?? -1),
    name: Uint32Array.from(rows, ({ node }) => strings.indexOf(node.name)),
    service: new Uint32Array(rows.length),
    model: new Uint32Array(rows.length),
    modelFrom: new Int32Array(rows.length).fill(-1),
    error: new Uint32Array(rows.length),
    operation: Uint8Array.from(rows, ({ node }) => operations.indexOf(node.operation ?? "chain")),
    status: Uint8Array.from(rows, ({ node }) => (node.failed ? 2 : 0)),
    flags: new Uint16Array(rows.length),
    inputTokens: stated(),
    outputTokens: stated(),
    cachedTokens: stated(),
    cost: stated(),
    inputBelow: stated(),
    outputBelow: stated(),
    costBelow: stated(),
    documents: new Uint16Array(rows.length),
    summary: {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      source: 0,
      name: roots[0]?.name ?? "",
      operation: "chain",
      service: "",
      startMicros: 0,
      durationNanos: 100,
      state: "complete",
      spanCount: rows.length,
      errorCount: 0,
      callCount: 0,
      models: [],
      inputTokens: null,
      outputTokens: null,
      cachedTokens: null,
      costUsd: null,
      costNanos: null,
      unpricedTokens: 0,
      unstatedCalls: 0,
      estimated: null,
      ttftNanos: null,
      session: null,
      user: null,
      inputPreview: null,
      outputPreview: null,
      findings: [],
      receivedMicros: 0,
    },
    originNanos: "0",
    extentNanos: 100,
    strings,
    runs: rows.flatMap(({ node, parent }, row) => runAt(row, node, parent)),
    idle: [],
    idleNanos: 0,
    idleShare: 0,
    criticalNanos: 0,
    criticalRow: new Uint32Array(),
    criticalFrom: new Float64Array(),
    criticalTo: new Float64Array(),
  };

  function runAt(row: number, node: Node, parent: number): Run[] {
    const same = (at: number): boolean => rows[at]?.node.name === node.name && rows[at]?.parent === parent;
    if (same(row - 1)) return [];
    let end = row;
    while (same(end)) end += 1;
    const members = end - row;
    return members < 5 ? [] : [{ row, end, members, durationNanos: members * 10, errors: 0 }];
  }
}
