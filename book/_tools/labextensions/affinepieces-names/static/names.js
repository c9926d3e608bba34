/* JupyterLab shows a chapter by itself: it counts Theorem 1, 2 and knows no other page and no reference.
   This puts the book's own numbers and names in their place, shows captions, and folds the code that the page hides,
   on the screen only; the notebook stays as it is.
   The names come with the notebook, in its metadata: label -> [name, page or address]. */
(() => {
  const STYLE = `
    .myst .ap-named { color: var(--jp-content-link-color, #0068da); cursor: pointer; }
    .myst .ap-named svg, .myst .ap-uncounted { display: none; }
    .ap-caption { padding: 0.3em 0.8em 0.8em 0; color: var(--jp-ui-font-color1); }
    .jp-Cell:not(:has(.jp-OutputArea-child)) .ap-caption { display: none; }`;

  /* React keeps hold of its text nodes, so only their text may change. */
  const texts = (element) => [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
  const say = (element, name) => texts(element).forEach((node, i) => {
    const text = i ? "" : name;
    if (node.data !== text) node.data = text;
  });

  const references = (root, names) => root.querySelectorAll("span[title$='Not Found'], a.link").forEach((element) => {
    const label = texts(element).map((node) => node.data).join("").trim();
    if (!names[label]) return;
    element.dataset.label = label;
    element.classList.add("ap-named");
    element.removeAttribute("title");
    if (element.href) element.removeAttribute("href");
    say(element, names[label][0]);
  });

  const numbers = (root, names) => root.querySelectorAll("a[href^='#']").forEach((link) => {
    const name = names[link.getAttribute("href").slice(1)]?.[0];
    const counted = link.title.startsWith("Link to this") || /^(\w+\s)?\(?\d+\)?$/.test(link.textContent);
    if (name && counted) say(link, name);
    if (!name && link.title === "Link to this Equation") link.classList.add("ap-uncounted");
  });

  const captions = (notebook, names) => notebook.widgets.forEach((cell) => {
    const figure = cell.model.getMetadata("mystnb")?.figure;
    const place = cell.node.querySelector(".jp-Cell-outputWrapper");
    if (!figure?.caption || !place || place.querySelector(".ap-caption")) return;
    const caption = document.createElement("div");
    caption.className = "ap-caption";
    caption.textContent = `${names[figure.name]?.[0] ?? ""} ${figure.caption.replaceAll("$", "")}`;
    place.append(caption);
  });

  /* Once for each cell, so that what a reader unfolds stays open.  Without syncCollapse nothing is noted in the notebook. */
  const folded = new WeakSet();
  const fold = (notebook) => notebook.widgets.forEach((cell) => {
    const tags = cell.model.getMetadata("tags") ?? [];
    if (folded.has(cell) || cell.isPlaceholder() || !tags.some((tag) => /^(hide|remove)-input$/.test(tag))) return;
    folded.add(cell);
    cell.syncCollapse = false;
    cell.inputHidden = true;
  });

  const activate = (app) => {
    document.head.append(Object.assign(document.createElement("style"), { textContent: STYLE }));
    const panels = () => [...app.shell.widgets("main")].filter((panel) => panel.content?.model?.cells);
    const namesOf = (panel) => panel.content.model.getMetadata("affinepieces_names") ?? {};
    let waiting = false;
    const all = () => {
      waiting = false;
      for (const panel of panels()) {
        const names = namesOf(panel);
        references(panel.node, names);
        numbers(panel.node, names);
        captions(panel.content, names);
        fold(panel.content);
      }
    };
    new MutationObserver(() => {
      if (!waiting) requestAnimationFrame(all);
      waiting = true;
    }).observe(document.body, { childList: true, subtree: true, characterData: true });

    document.addEventListener("click", (event) => {
      const element = event.target.closest?.(".ap-named");
      const panel = element && panels().find(({ node }) => node.contains(element));
      const page = panel && namesOf(panel)[element.dataset.label]?.[1];
      if (page?.startsWith("https:")) window.open(page, "_blank", "noopener");
      else if (page) app.commands.execute("docmanager:open", { path: page });
    });
  };

  const plugin = { id: "affinepieces-names:plugin", autoStart: true, activate };
  (window._JUPYTERLAB ??= {})["affinepieces-names"] = {
    init: async () => {},
    get: async () => () => ({ __esModule: true, default: plugin }),
  };
})();
