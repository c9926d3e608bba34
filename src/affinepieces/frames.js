// Explorations in a page without a kernel: a slider shows one of the frames that lie in the page.
// What was chosen last stands in the address, behind #explore?
(() => {
  const mark = "#explore?";
  const search = new URLSearchParams(location.hash.startsWith(mark) ? location.hash.slice(mark.length) : "");

  function mount(root, place) {
    const sliders = [...root.querySelectorAll("input")];
    const frames = [...root.querySelectorAll(".frame")];
    const said = root.querySelector(".said");

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

    const changed = () => {
      said.textContent = show();
      const chosen = sliders.map((slider) => [slider.name, slider.value]);
      history.replaceState(null, "", `${mark}${new URLSearchParams([["figure", place], ...chosen])}`);
    };

    sliders.forEach((slider) => { slider.oninput = changed; });
    if (search.get("figure") === `${place}`) {
      sliders.forEach((slider) => { slider.value = search.get(slider.name) ?? slider.value; });
      root.scrollIntoView({ block: "center" });
    }
    show();
  }

  [...document.querySelectorAll(".explore.frames")].forEach((root, k) => {
    if (root.dataset.ready === undefined) mount(root, k + 1);
    root.dataset.ready = "";
  });
})();
