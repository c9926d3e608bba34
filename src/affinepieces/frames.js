// Explorations in a page without a kernel: a slider shows one of the frames that lie in the page.
// What was chosen last stands in the address, behind #explore?
(() => {
  const mark = "#explore?";

  function mount(root) {
    const sliders = [...root.querySelectorAll("input")];
    const frames = [...root.querySelectorAll(".frame")];
    const said = root.querySelector(".said");
    const place = () => `${[...document.querySelectorAll(".explore.frames")].indexOf(root) + 1}`;

    const show = () => {
      const at = sliders.reduce((index, slider) => index * (Number(slider.max) + 1) + Number(slider.value), 0);
      frames.forEach((frame, k) => { frame.hidden = k !== at; });
      for (const slider of sliders) {
        const words = JSON.parse(slider.dataset.values)[slider.value];
        slider.setAttribute("aria-valuetext", words);
        slider.previousElementSibling.textContent = words;
      }
      return frames[at].querySelector("svg").getAttribute("aria-label");
    };

    // Once a slider is let go: browsers allow few changes of the address in a second, and less is read out.
    const settle = () => {
      said.textContent = show();
      const chosen = sliders.map((slider) => [slider.name, slider.value]);
      history.replaceState(null, "", `${mark}${new URLSearchParams([["figure", place()], ...chosen])}`);
    };

    // What the address says about this figure; values that are none of a slider's are passed over.
    const open = () => {
      const search = new URLSearchParams(location.hash.startsWith(mark) ? location.hash.slice(mark.length) : "");
      if (search.get("figure") === place()) {
        for (const slider of sliders) {
          const value = search.get(slider.name) ?? "";
          if (/^\d+$/.test(value) && Number(value) <= Number(slider.max)) slider.value = value;
        }
        root.scrollIntoView({ block: "center" });
      }
      show();
    };

    for (const slider of sliders) [slider.oninput, slider.onchange] = [show, settle];
    addEventListener("hashchange", open);
    open();
  }

  for (const root of document.querySelectorAll(".explore.frames")) {
    if (!root.mounted) mount(root);
    root.mounted = true;
  }
})();
