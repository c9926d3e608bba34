// On the search page: statements whose number or name is asked for, above the results of the search in the texts.
// A number is that of the book or that of the paper: both Theorem 8.2 and Theorem 3.4 find the theorem on one step.
(() => {
  const kinds = { thm: "theorem", lem: "lemma", prop: "proposition", cor: "corollary", def: "definition", defn: "definition" };
  const most = 8; // statements shown
  const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
  const words = (text) => (plain(text).match(/[\p{L}\d]+(\.\d+)*/gu) ?? []).map((word) => kinds[word] ?? word);
  const sentence = (text) => words(text).join(" ");
  const numbered = (asked, name) => name && (sentence(name) === asked || sentence(name).split(" ").at(-1) === asked);

  // How well a statement fits what is asked for; 0: not at all.
  const fit = (asked, { name, title, says, paper, own }) => {
    if (numbered(asked, name)) return 6;
    if (numbered(asked, paper)) return own ? 4 : 5;
    if (/\d+\.\d+/.test(asked)) return 0;
    if (sentence(title) === asked) return 3;
    const among = (there) => asked.split(" ").every((word) => there.some((other) => other.startsWith(word)));
    if (among(words(title))) return 2;
    return among(words(`${name} ${title} ${says}`)) ? 1 : 0;
  };

  const find = (query) => {
    const asked = sentence(query);
    return asked === "" ? [] : window.statements
      .map((statement) => ({ statement, rank: fit(asked, statement) }))
      .filter(({ rank }) => rank > 0)
      .sort((one, other) => other.rank - one.rank) // stable: otherwise in the order of the book
      .slice(0, most)
      .map(({ statement }) => statement);
  };

  const item = ({ name, title, origin, page, address }) => {
    const line = document.createElement("li");
    const link = Object.assign(document.createElement("a"), { href: address, textContent: `${name} (${title})` });
    const where = Object.assign(document.createElement("small"), { textContent: `${origin} · in ${page}` });
    line.append(link, where);
    return line;
  };

  // The theme means to put the keyboard here, and finds another field; from here the statements are the next stop.
  document.querySelector(".bd-search-container input").focus({ preventScroll: true });

  const found = find(new URLSearchParams(location.search).get("q") ?? "");
  if (found.length === 0) return;
  const section = Object.assign(document.createElement("section"), { className: "statements-found" });
  section.setAttribute("aria-labelledby", "statements-found");
  const heading = Object.assign(document.createElement("h2"), { id: "statements-found", textContent: "Statements" });
  const list = document.createElement("ul");
  list.append(...found.map(item));
  section.append(heading, list);
  document.getElementById("search-results").before(section);
})();
