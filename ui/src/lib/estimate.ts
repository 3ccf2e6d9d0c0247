/** What calls state and what is estimated of those that state nothing, side by side and never added. */
import type { Estimated } from "../generated/api.ts";
import { cost, exact, NONE, tokens } from "./format.ts";

/** What a trace used, as its summary has it. */
interface Used {
  inputTokens: number | null;
  outputTokens: number | null;
  costUsd: number | null;
  estimated: Estimated | null;
}

/** "1.2k→340"; "~87→12" where that is estimated; "1.2k→340+" where more is. */
export function tokensOf(used: Used): string {
  return beside(tokens(used.inputTokens, used.outputTokens), guessedTokens(used.estimated));
}

/** "$0.0410"; "~$0.0003" where that is estimated; "$0.0410+" where more is. */
export function costOf(used: Used): string {
  return beside(cost(used.costUsd), guessedCost(used.estimated));
}

/** What calls may have used that state nothing, in a sentence; nothing where nothing was counted. */
export function guessed(estimated: Estimated | null): string | undefined {
  if (estimated === null) return undefined;
  const price = estimated.costNanos === null ? "" : `, ${exact(estimated.costNanos)}`;
  return `Estimated: ${guessedTokens(estimated)} tokens${price}, of calls that state none. In no total.`;
}

/** The tokens of an estimate: "87→12". */
export function guessedTokens(estimated: Estimated | null): string {
  return tokens(estimated?.inputTokens ?? null, estimated?.outputTokens ?? null);
}

/** Its cost at a glance: "$0.0003". */
export function guessedCost(estimated: Estimated | null): string {
  const nanos = estimated?.costNanos ?? null;
  return cost(nanos === null ? null : nanos / 1e9);
}

function beside(stated: string, estimated: string): string {
  if (estimated === NONE) return stated;
  return stated === NONE ? `~${estimated}` : `${stated}+`;
}
