import type { Action } from "./actions.ts";

/** The keys that walk a list: down and up by one. `what` names one of its entries ("finding"). */
export function walkActions(group: string, what: string, move: (by: number) => void): Action[] {
  const id = group.toLowerCase();
  return [
    {
      id: `${id}.down`,
      title: `Next ${what}`,
      group,
      keys: ["j", "ArrowDown"],
      quiet: true,
      run: () => move(1),
    },
    {
      id: `${id}.up`,
      title: `Previous ${what}`,
      group,
      keys: ["k", "ArrowUp"],
      quiet: true,
      run: () => move(-1),
    },
  ];
}
