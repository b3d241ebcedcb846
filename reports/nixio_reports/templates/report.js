(() => {
  "use strict";
  const form = document.querySelector(".filter");
  const boxes = [...form.querySelectorAll("input[type=checkbox]")];
  const search = form.querySelector("input[type=search]");
  const said = form.querySelector("output");
  const cells = [...document.querySelectorAll("details.cell")];
  const wasOpen = new Map(cells.map((cell) => [cell, cell.open]));
  const cases = [...document.querySelectorAll("[data-g]")].map((node) => {
    const clause = node.closest(".clause");
    const reason = node.closest("[data-reason]");
    const of = clause.querySelector("h4").textContent + " " + clause.querySelector(".req").textContent;
    const text = `${of} ${clause.closest(".cell").dataset.name} ${reason ? reason.textContent : node.textContent}`;
    return { node, clause, group: node.dataset.g, text: text.toLowerCase() };
  });
  const folds = [...document.querySelectorAll(".fold, .reason-group")];

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const groups = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const active = words.length > 0 || groups.size < boxes.length;
    const alive = new Set();
    let count = 0;
    for (const one of cases) {
      const show = groups.has(one.group) && words.every((word) => one.text.includes(word));
      one.node.hidden = !show;
      if (show) { count += 1; alive.add(one.clause); }
    }
    for (const fold of folds) fold.hidden = !fold.querySelector("[data-g]:not([hidden])");
    for (const clause of document.querySelectorAll(".clause")) clause.hidden = !alive.has(clause);
    for (const cell of cells) {
      cell.hidden = !cell.querySelector(".clause:not([hidden])");
      cell.open = active ? !cell.hidden && (count <= 300 || wasOpen.get(cell)) : wasOpen.get(cell);
    }
    for (const method of document.querySelectorAll(".method")) {
      method.hidden = !method.querySelector(".cell:not([hidden])");
    }
    said.textContent = active ? `${count} of ${cases.length} cases` : "";
  }

  function reveal() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest("[hidden]")) { form.reset(); apply(); }
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    target.scrollIntoView();
  }

  let timer = 0;
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(apply, 120); });
  addEventListener("hashchange", reveal);
  reveal();
})();
