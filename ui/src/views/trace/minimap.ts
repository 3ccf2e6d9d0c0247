// The whole trace in 30 pixels of height: rows share lanes, and what matters most wins a pixel.
import { type Operation, type Waterfall, operations } from "../../generated/api.ts";
import type { Axis } from "./axis.ts";
import { rowCount } from "./outline.ts";

/** Lanes of the map; each is two pixels high. */
const LANES = 15;
const LANE_HEIGHT = 2;
/** Operations as they win a pixel, least first. */
const RANKED = [
  "other",
  "chain",
  "agent",
  "guardrail",
  "evaluator",
  "reranker",
  "embedding",
  "retriever",
  "tool",
  "llm",
] as const satisfies readonly Operation[];
/** The index of errors, after all operations: they win over all. */
const ERROR = operations.length;
/** What wins a pixel, least first, as indexes. */
const ORDER = [...RANKED.map((operation) => operations.indexOf(operation)), ERROR];

/** One colour of the map. */
export interface MapPath {
  /** The token that holds its colour. */
  token: string;
  /** An SVG path. */
  path: string;
}

/** Draws the map as one SVG path a colour: counts by lane and pixel first, so that huge traces cost one pass. */
export function minimap(waterfall: Waterfall, width: number, elapsed: number, axis: Axis): MapPath[] {
  const pixels = Math.max(Math.floor(width), 1);
  const total = rowCount(waterfall);
  const lanes = Math.min(Math.max(total, 1), LANES);
  const stride = pixels + 1;
  const edges = new Int32Array(lanes * ORDER.length * stride);
  const scale = pixels / Math.max(axis.length, 1);
  for (let row = 0; row < total; row += 1) {
    const lane = total <= LANES ? row : Math.floor((row * lanes) / total);
    const kind = waterfall.status[row] === 2 ? ERROR : waterfall.operation[row]!;
    const nanos = waterfall.duration[row]! < 0 ? elapsed - waterfall.start[row]! : waterfall.duration[row]!;
    const start = waterfall.start[row]!;
    const from = Math.min(Math.max(Math.floor(axis.to(start) * scale), 0), pixels - 1);
    const to = Math.min(Math.max(Math.ceil(axis.to(start + nanos) * scale), from + 1), pixels);
    const base = (lane * ORDER.length + kind) * stride;
    edges[base + from]! += 1;
    edges[base + to]! -= 1;
  }
  const paths = ORDER.map(() => "");
  const depth = new Int32Array(ORDER.length);
  for (let lane = 0; lane < lanes; lane += 1) {
    depth.fill(0);
    const y = lane * LANE_HEIGHT;
    let kind = -1;
    let from = 0;
    for (let x = 0; x <= pixels; x += 1) {
      let top = -1;
      for (const each of ORDER) {
        depth[each]! += edges[(lane * ORDER.length + each) * stride + x]!;
        if (depth[each]! > 0) top = each;
      }
      if (x === pixels) top = -1;
      if (top === kind) continue;
      if (kind >= 0) paths[kind] += `M${from} ${y}h${x - from}v${LANE_HEIGHT - 0.5}h${from - x}z`;
      kind = top;
      from = x;
    }
  }
  return ORDER.map((kind) => ({
    token: kind === ERROR ? "--error" : `--kind-${operations[kind]}`,
    path: paths[kind]!,
  })).filter(({ path }) => path !== "");
}
