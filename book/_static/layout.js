// What is wider than the page scrolls, and the side on which there is more of it fades (custom.css).
(() => {
  const wide = "mjx-container, pre, .scrolls, .explore .frame, .pst-scrollable-table-container";

  const mark = (box) => {
    const hidden = box.scrollWidth - box.clientWidth;
    const sides = [box.scrollLeft > 1 && "left", hidden - box.scrollLeft > 1 && "right"].filter(Boolean);
    if (hidden > 1 && box.clientWidth) {
      box.dataset.more = sides.join(" ");
      box.tabIndex = 0; // or no key could scroll it
    } else {
      delete box.dataset.more;
      box.removeAttribute("tabindex");
    }
  };

  const sizes = new ResizeObserver((changes) => changes.forEach(({ target }) => mark(target)));
  const watch = () => document.querySelectorAll(`article :is(${wide})`).forEach((box) => sizes.observe(box));
  document.addEventListener("scroll", ({ target }) => target.matches?.(wide) && mark(target), { capture: true });
  document.addEventListener("DOMContentLoaded", watch);
  addEventListener("load", () => window.MathJax?.startup?.promise.then(watch)); // formulas are set after that

  // Paper is white.
  const root = document.documentElement;
  let theme;
  addEventListener("beforeprint", () => {
    theme = root.dataset.theme;
    root.dataset.theme = "light";
  });
  addEventListener("afterprint", () => { root.dataset.theme = theme; });
})();
