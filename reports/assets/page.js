"use strict";
// Sorting and filtering of tables marked data-sortable / data-filter. Without this script the page loses nothing else.
(() => {
  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.sort ?? cell.textContent.trim();
  };
  const compare = (a, b, sign) => {
    if (a === "" || b === "") return (a === "") - (b === ""); // empty cells last, either way
    const numbers = [Number(a), Number(b)];
    return sign * (numbers.every(Number.isFinite) ? numbers[0] - numbers[1] : a.localeCompare(b, undefined, { numeric: true }));
  };
  const sort = (table, head, column) => {
    const numeric = head.classList.contains("num");
    const now = head.getAttribute("aria-sort");
    const next = now === "none" ? (numeric ? "descending" : "ascending") : now === "ascending" ? "descending" : "ascending";
    for (const other of head.parentNode.cells) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", next);
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row, i) => ({ row, i, key: key(row, column) }));
    rows.sort((a, b) => compare(a.key, b.key, next === "ascending" ? 1 : -1) || a.i - b.i);
    body.append(...rows.map((one) => one.row));
  };
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (head.dataset.fixed !== undefined) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sort(table, head, column));
    });
  }
  for (const tools of document.querySelectorAll(".tools")) {
    const table = document.getElementById(tools.dataset.for);
    const [text, choice, said] = ["input", "select", "output"].map((name) => tools.querySelector(name));
    const filter = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      const rows = [...table.tBodies[0].rows];
      for (const row of rows) {
        const content = row.textContent.toLowerCase();
        const fits = words.every((word) => content.includes(word)) && (!choice?.value || row.dataset.verdict === choice.value);
        row.hidden = !fits;
      }
      said.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
    };
    tools.hidden = false;
    text.addEventListener("input", filter);
    choice?.addEventListener("change", filter);
    filter();
  }
  const reach = () => { // what scrolls sideways must be reachable by keyboard
    for (const box of document.querySelectorAll(".scroll")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  addEventListener("resize", reach);
  document.addEventListener("toggle", reach, true);
  reach();
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const cell = target && target.closest("details");
    if (cell) cell.open = true;
  };
  addEventListener("hashchange", open);
  open();
  const contents = document.querySelector("nav details");
  const wide = matchMedia("(min-width: 74rem)");
  const fit = () => { if (contents) contents.open = wide.matches; };
  wide.addEventListener("change", fit);
  fit();
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
})();
