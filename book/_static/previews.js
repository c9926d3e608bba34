// Shows what a link within the book leads to, beside the link, while the pointer or the keyboard rests on it.
// Escape closes it; a finger on the screen follows the link, as ever.
(() => {
  const { mathjax } = document.currentScript.dataset;
  const statics = `${document.documentElement.dataset.content_root}_static/`;
  const article = document.querySelector("article");
  if (!article) return;
  const wait = { show: 250, hide: 250 }; // milliseconds: passing over a link shows nothing, a way to the box is given
  const margin = 8; // pixels between the link, the box and the edges of the window

  const box = document.createElement("div");
  Object.assign(box, { id: "link-preview", className: "link-preview", role: "tooltip", hidden: true });
  article.append(box);
  let link = null; // the one that is looked at
  let timer;

  const script = (source) => new Promise((done) => {
    const element = Object.assign(document.createElement("script"), { src: source, onload: done, onerror: done });
    document.head.append(element);
  });

  let loaded;
  const contents = async () => {
    loaded ??= script(`${statics}previews/${DOCUMENTATION_OPTIONS.pagename}.js`);
    await loaded;
    return window.previews ?? {};
  };

  let mathjaxLoaded;
  const typeset = async () => {
    if (!box.querySelector(".math")) return;
    if (!window.MathJax) { // a page without mathematics does not bring it along
      window.MathJax = { startup: { typeset: false } };
      mathjaxLoaded = script(statics + mathjax);
    }
    await mathjaxLoaded;
    await MathJax.startup?.promise;
    await MathJax.typesetPromise?.([box]);
  };

  const place = () => {
    const at = [...link.getClientRects()].at(0);
    const origin = box.offsetParent.getBoundingClientRect();
    const above = at.top - 2 * margin;
    const below = window.innerHeight - at.bottom - 2 * margin;
    box.style.maxHeight = `${Math.max(above, below)}px`;
    const { width, height } = box.getBoundingClientRect();
    const under = height <= below || below >= above;
    const right = document.documentElement.clientWidth - width - margin;
    box.style.left = `${Math.max(margin, Math.min(at.left, right)) - origin.left}px`;
    box.style.top = `${(under ? at.bottom + margin : at.top - height - margin) - origin.top}px`;
  };

  const hide = () => {
    clearTimeout(timer);
    link?.removeAttribute("aria-describedby");
    link = null;
    box.hidden = true;
    window.MathJax?.typesetClear?.([box]);
    box.replaceChildren();
  };

  const show = async (wanted) => {
    const html = (await contents())[wanted.getAttribute("href")];
    if (!html || link !== wanted) return;
    wanted.removeAttribute("title"); // the browser's own box would lie over this one
    box.innerHTML = html;
    box.style.visibility = "hidden"; // until it has its size
    box.hidden = false;
    await typeset();
    if (link !== wanted) return;
    place();
    box.style.visibility = "";
    wanted.setAttribute("aria-describedby", box.id);
    for (const image of box.querySelectorAll("img")) image.addEventListener("load", () => link === wanted && place());
  };

  const later = (what, milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(what, milliseconds);
  };
  const look = (wanted) => {
    if (wanted === link) return clearTimeout(timer);
    hide();
    link = wanted;
    later(() => show(wanted), wait.show);
  };
  const linkOf = (event) => event.target.closest('a.reference.internal[href*="#"]');

  article.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    if (box.contains(event.target)) return clearTimeout(timer);
    if (linkOf(event)) look(linkOf(event));
  });
  article.addEventListener("pointerout", (event) => {
    if (event.pointerType !== "touch" && (linkOf(event) || box.contains(event.target))) later(hide, wait.hide);
  });
  article.addEventListener("focusin", (event) => {
    if (linkOf(event)?.matches(":focus-visible")) look(linkOf(event));
  });
  article.addEventListener("focusout", (event) => linkOf(event) && hide());
  article.addEventListener("click", (event) => linkOf(event) && hide());
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
})();
