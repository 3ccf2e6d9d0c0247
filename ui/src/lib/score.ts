/** A heuristic's score as text, with three decimals and no minus before nothing. */
export function score(value: number): string {
  const text = value.toFixed(3);
  return Number(text) === 0 ? "0" : text;
}
