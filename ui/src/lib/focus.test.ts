import { beforeEach, describe, expect, it } from "vitest";
import { refocus } from "./focus.ts";

let table: HTMLElement;
beforeEach(() => {
  document.body.innerHTML = `<form><button data-remove id="a"></button><button data-remove id="b"></button>
    <input id="field" /></form><a href="#/" id="elsewhere"></a>`;
  table = document.querySelector("form")!;
});

describe("the keyboard of a table", () => {
  it("goes to what removes the next entry, else to the field", async () => {
    await refocus(table, 1);
    expect(document.activeElement?.id).toBe("b");
    (document.activeElement as HTMLElement).blur();
    await refocus(table, 2);
    expect(document.activeElement?.id).toBe("field");
  });

  it("leaves a button that is disabled", async () => {
    const button = document.querySelector<HTMLButtonElement>("#a")!;
    button.focus();
    button.disabled = true;
    await refocus(table);
    expect(document.activeElement?.id).toBe("field");
  });

  it("stays where it went meanwhile", async () => {
    document.querySelector<HTMLElement>("#elsewhere")!.focus();
    await refocus(table, 0);
    expect(document.activeElement?.id).toBe("elsewhere");
  });
});
