import { afterEach, describe, expect, it, vi } from "vitest";
import { available, everyAction, hint, listenToKeys, match, note, register, type Action } from "./actions.ts";

const action = (id: string, keys: string[], more: Partial<Action> = {}): Action => ({
  id,
  title: id,
  group: "Test",
  keys,
  run: () => {},
  ...more,
});

let ends: (() => void)[] = [];
const add = (...actions: Action[]): void => void ends.push(register(actions));
afterEach(() => {
  ends.forEach((end) => end());
  ends = [];
});

describe("the registry", () => {
  it("lists what can be done now, and forgets what is taken out", () => {
    let ready = false;
    add(action("a", []), action("b", [], { when: () => ready }));
    expect(available().map(({ id }) => id)).toEqual(["a"]);
    expect(everyAction()).toHaveLength(2);
    ready = true;
    expect(available()).toHaveLength(2);
    ends.pop()?.();
    expect(available()).toHaveLength(0);
  });

  it("keeps a later action of the same id when the earlier is taken out", () => {
    add(action("a", [], { title: "old" }));
    add(action("a", [], { title: "new" }));
    ends.shift()?.();
    expect(available().map(({ title }) => title)).toEqual(["new"]);
  });
});

describe("keys", () => {
  it("finds the newest of two actions with one key", () => {
    add(action("frame", ["j"]));
    add(action("view", ["j"]));
    expect(match("j", "", false)).toMatchObject({ id: "view" });
  });

  it("waits for the second key of a sequence", () => {
    add(action("go", ["g l"]));
    expect(match("g", "", false)).toBe(true);
    expect(match("l", "g", false)).toMatchObject({ id: "go" });
    expect(match("x", "g", false)).toBe(false);
  });

  it("leaves single keys to a text field, but not chords", () => {
    add(action("next", ["j"]), action("palette", ["Ctrl+K"]));
    expect(match("j", "", true)).toBe(false);
    expect(match("Ctrl+K", "", true)).toMatchObject({ id: "palette" });
  });

  it("leaves what is pressed in a popover or a menu to it", () => {
    const run = vi.fn();
    add(action("remove", ["Delete"], { run }));
    ends.push(listenToKeys(window));
    document.body.innerHTML = `<div role="dialog"><a>in</a></div><div role="menu"><a>in</a></div><p>page</p>`;
    const press = (element: Element): boolean =>
      element.dispatchEvent(new KeyboardEvent("keydown", { key: "Delete", bubbles: true }));
    document.querySelectorAll("a").forEach(press);
    expect(run).not.toHaveBeenCalled();
    press(document.querySelector("p")!);
    expect(run).toHaveBeenCalledOnce();
  });
});

describe("tooltips", () => {
  it("name the key that is registered now, and none where there is none", () => {
    expect(hint("view.pause", "Pause")).toBe("Pause");
    add(action("view.pause", ["p", "Space"]), action("view.open", ["Ctrl+O"]), action("view.theme", []));
    expect(hint("view.pause", "Pause")).toBe("Pause (p)");
    expect(note("view.open")).toMatch(/^(Ctrl|⌘) O$/);
    expect(hint("view.theme", "Theme")).toBe("Theme");
  });
});
