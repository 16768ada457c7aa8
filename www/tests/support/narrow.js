// What does not fit: content that is wider than its room, lies beyond the screen, or below what can be scrolled to.

/** They scroll sideways by themselves: rows of links and buttons, tables, and text whose lines have to stay whole. */
const SCROLLS = ".table, .scroll-x, .tool-scroll, .tool-list, .parts, .seg, .bar-tools, .fault-groups, .hex, .script-text, .report, .topology";
/** They shorten what is told whole elsewhere: rows, whose entry opens. */
const SHORTENED = ".label, .phase em, .note span, .what-cell button, .trow > span, .grid-row > span, .open-row, .frow > span, .reports summary";

export const NARROW = { width: 360, height: 780 };

/** In words, what is cut off or has to be scrolled for sideways on the screen as it is. */
export function cut(page) {
  return page.evaluate(
    ([scrolls, shortened]) => {
      const found = new Set();
      const nameOf = (element) => `<${element.localName}${element.dataset.testid === undefined ? "" : ` ${element.dataset.testid}`}${[...element.classList].map((name) => `.${name}`).join("")}> “${element.textContent.trim().replace(/\s+/g, " ").slice(0, 60)}”`;
      const across = (element) => getComputedStyle(element).overflowX;
      const scrollsDown = (element) => /auto|scroll/.test(getComputedStyle(element).overflowY);
      /** Nearest first, up to where it is taken out of the flow. */
      const around = (element) => {
        const out = [];
        for (let one = element; one !== null; one = one.parentElement) {
          if (one !== element) out.push(one);
          if (getComputedStyle(one).position === "fixed") break;
        }
        return out;
      };
      if (document.documentElement.scrollWidth > innerWidth) found.add(`the page is ${document.documentElement.scrollWidth - innerWidth} px wider than the screen`);
      const root = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
      const view = document.querySelector(".view");
      for (const element of root.querySelectorAll("*")) {
        if (element.ownerSVGElement !== null && element.ownerSVGElement !== undefined) continue;
        if (!element.checkVisibility({ visibilityProperty: true }) || element.closest(".hidden, .skip, option, datalist") !== null) continue;
        const box = element.getBoundingClientRect();
        const style = getComputedStyle(element);
        if (box.width <= 1 || box.height <= 1 || style.clipPath !== "none") continue;
        const isField = element.matches("input, select, textarea, progress, meter");
        const over = element.scrollWidth - element.clientWidth;
        if (!isField && over > 1 && element.clientWidth > 0) {
          if (across(element) !== "visible") {
            const whole = element.matches(scrolls) || (element.matches(shortened) && style.textOverflow === "ellipsis");
            if (!whole) found.add(`${nameOf(element)} holds ${over} px more than it is wide`);
          } else if (element.matches("button, .btn, .chip, summary, label, legend, h1, h2, h3, h4, td, th, dt, dd, p, li") && element.closest(`${scrolls}, ${shortened}`) === null) {
            found.add(`${nameOf(element)}: its text is ${over} px wider than it`);
          }
        }
        if (!isField && /hidden|clip/.test(style.overflowY) && element.scrollHeight > element.clientHeight + 2 && element.clientHeight > 0) found.add(`${nameOf(element)} holds ${element.scrollHeight - element.clientHeight} px more than it is high`);
        if ((box.right > innerWidth + 1 || box.left < -1) && element.closest(`${scrolls}, ${shortened}`) === null) found.add(`${nameOf(element)} lies ${Math.round(Math.max(box.right - innerWidth, -box.left))} px beyond the screen`);
        const flow = around(element);
        if (!flow.some(scrollsDown) && !scrollsDown(element)) {
          const inView = flow.includes(view);
          const bottom = inView ? view.getBoundingClientRect().bottom : innerHeight;
          if (box.bottom > bottom + 1) found.add(`${nameOf(element)} ends ${Math.round(box.bottom - bottom)} px below what can be seen`);
        }
      }
      return [...found];
    },
    [SCROLLS, SHORTENED],
  );
}
