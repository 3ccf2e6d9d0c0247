// What a reader would call broken about a layout: a page that scrolls sideways, and things that stick out of it.
import { expect, type Page } from "@playwright/test";

/** What is cut off on the page as it stands, one line an element. */
export async function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const root = document.documentElement;
    if (root.scrollWidth > innerWidth) found.push(`the page is ${root.scrollWidth} px wide in ${innerWidth}`);
    if (root.scrollHeight > innerHeight) found.push(`the page is ${root.scrollHeight} px high in ${innerHeight}`);
    const name = (element: Element): string =>
      `${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""} “${(element.textContent ?? "").trim().slice(0, 40)}”`;
    // Whoever shortens a text with an ellipsis, lets it scroll or fades it says that there is more.
    const says = (element: Element): boolean => {
      const { overflowX, textOverflow } = getComputedStyle(element);
      return overflowX === "auto" || overflowX === "scroll" || textOverflow === "ellipsis";
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const parent = node.parentElement!;
      if ((node.textContent ?? "").trim() === "" || parent.clientWidth === 1 || parent.closest(".sr-only, svg, [aria-hidden=true], script, style")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        if (box.width < 1) continue;
        // From the text outwards: who cuts it first?
        for (let element: Element | null = parent; element !== null; element = element.parentElement) {
          if (says(element)) break;
          const style = getComputedStyle(element);
          const edge = element.getBoundingClientRect();
          // A line that wrapped out of sight is left out on purpose.
          if (box.bottom <= edge.top || box.top >= edge.bottom) break;
          const isEdge = element === document.body || style.overflowX !== "visible";
          if (isEdge && (box.right > edge.right + 1 || box.left < edge.left - 1)) {
            found.push(`${name(parent)} is cut by ${name(element).slice(0, 40)}`);
            break;
          }
          if (style.position === "fixed") break;
        }
      }
    }
    // Controls must lie within the window, or within something that scrolls to them.
    for (const control of document.querySelectorAll("button, a[href], input, select")) {
      const box = control.getBoundingClientRect();
      if (box.width === 0 || control.closest(".sr-only")) continue;
      let inside = box.left >= -1 && box.right <= innerWidth + 1;
      for (let element = control.parentElement; element !== null && !inside; element = element.parentElement)
        inside = ["auto", "scroll"].includes(getComputedStyle(element).overflowX) && element.scrollWidth > element.clientWidth;
      if (!inside) found.push(`${name(control)} lies outside of the window`);
    }
    return [...new Set(found)];
  });
}

/** Expects a page on which nothing is cut off. */
export async function expectWhole(page: Page, where: string): Promise<void> {
  await expect.poll(() => cutOff(page), { message: `cut off: ${where}` }).toEqual([]);
}
