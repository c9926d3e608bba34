// A box in a page that checks certificates: CHECKER, the text of check.js, runs in a worker, so the page stays alive.
(() => {
  const served = `${CHECKER}
    let told = 0;
    const progress = (done, all) => {
      if (Date.now() < told + 100) return;
      told = Date.now();
      postMessage([done, all]);
    };
    onmessage = ({ data }) => postMessage(check(data, progress));`;

  function mount(root) {
    const [said, input] = [root.querySelector(".said"), root.querySelector("input")];
    const address = URL.createObjectURL(new Blob([served], { type: "text/javascript" }));
    let worker = null;

    const say = (words, kind) => {
      said.textContent = words;
      said.className = `said ${kind}`;
    };

    const check = (name, text) => {
      worker?.terminate();
      worker = new Worker(address);
      worker.onmessage = ({ data }) => {
        if (Array.isArray(data)) say(`${name}: ${data[0]} of ${data[1]} regions`, "running");
        else say(`${name}: ${data}`, data.startsWith("accepted") ? "accepted" : "rejected");
      };
      worker.onerror = ({ message }) => say(`${name} was not checked: ${message}`, "rejected");
      say(`${name}: reading`, "running");
      worker.postMessage(text);
    };

    const read = async (file) => { if (file) check(file.name, await file.text()); };
    input.onchange = () => { read(input.files[0]).finally(() => { input.value = ""; }); };
    const right = root.querySelector("script")?.textContent;
    const [one, other] = root.querySelectorAll("button");
    const along = root.querySelector("a");
    if (along) along.href = URL.createObjectURL(new Blob([right], { type: "application/json" }));
    if (one) one.onclick = () => check("The certificate of this page", right);
    const changed = () => right.replace(/"kink":(true|false)/, (all, kink) => `"kink":${kink !== "true"}`);
    if (other) other.onclick = () => check("The changed certificate", changed());
    root.ondragover = (event) => { event.preventDefault(); root.classList.add("over"); };
    root.ondragleave = () => root.classList.remove("over");
    root.ondrop = (event) => {
      event.preventDefault();
      root.classList.remove("over");
      read(event.dataTransfer.files[0]);
    };
  }

  for (const root of document.querySelectorAll(".certificate")) {
    if (!root.mounted) mount(root);
    root.mounted = true;
  }
})();
