
"use strict";
(() => {
  const texts = JSON.parse(document.getElementById("texts").textContent);
  const made = (name, parts, text = "") => Object.assign(document.createElement(name), parts, text ? { textContent: text } : {});
  const shown = (cell) => cell.textContent.trim();
  const scale = { m: 1e6, million: 1e6, k: 1e3, thousand: 1e3, bn: 1e9, billion: 1e9 };

  /** The number that a cell says, or nothing. */
  function number(text) {
    const found = text.replace(/[\u2212\u2013]/g, "-").match(/^[^\d-]*(-?)[^\d]*([\d,]*\.?\d+)\s*([a-z]*)/i);
    return found ? (found[1] ? -1 : 1) * Number(found[2].replaceAll(",", "")) * (scale[found[3].toLowerCase()] || 1) : null;
  }

  /** Each heading becomes a button: up, down, and as it was. */
  function sortable(table) {
    const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
    if (rows.length < 2) return;
    heads.forEach((head, at) => {
      const button = made("button", { type: "button", className: "sort" });
      button.append(...head.childNodes);
      head.append(button);
      const numeric = head.classList.contains("n");
      const key = rows.map((row) => (numeric ? number(shown(row.cells[at])) : shown(row.cells[at])));
      const compare = (a, b) => (numeric ? a - b : a.localeCompare(b, document.documentElement.lang, { numeric: true }));
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: "" }[head.getAttribute("aria-sort")] ?? "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        let order = rows.map((_, i) => i);
        if (next) {
          head.setAttribute("aria-sort", next);
          const sign = next === "ascending" ? 1 : -1;
          const empty = (v) => v === null || v === "";
          order.sort((a, b) => empty(key[a]) - empty(key[b]) || (empty(key[a]) ? 0 : sign * compare(key[a], key[b])) || a - b);
        }
        body.append(...order.map((i) => rows[i]));
      });
    });
  }

  /** A cell as a spreadsheet reads it: plain numbers, nothing that would be run as a formula, quotes where they are needed. */
  function field(text) {
    const plain = text.replace(/^\u2212/, "-").replace(/^(-?)\u00a3(?=[\d.,]+$)/, "$1");
    if (/^[+-]?[\d,]*\.?\d+$/.test(plain)) return plain.replaceAll(",", "");
    const safe = /^[=+\-@\t]/.test(text) && number(text) === null ? "'" + text : text;
    return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  /** The rows as they stand, saved to the reader's own disk. */
  function downloadable(table) {
    const button = made("button", { type: "button", className: "save" }, texts.csv);
    button.setAttribute("aria-label", `${texts.csv}: ${shown(table.caption)}`);
    button.addEventListener("click", () => {
      const lines = [...table.rows].map((row) => [...row.cells].map((cell) => field(shown(cell))).join(","));
      const address = URL.createObjectURL(new Blob(["\ufeff" + lines.join("\r\n") + "\r\n"], { type: "text/csv" }));
      const name = shown(table.caption).toLowerCase().replace(/[^\p{L}\d]+/gu, "_").slice(0, 60).replace(/^_|_$/g, "");
      made("a", { href: address, download: `${name}.csv` }).click();
      URL.revokeObjectURL(address);
    });
    table.closest(".scroll").after(button);
  }

  for (const table of document.querySelectorAll(".scroll > table")) {
    sortable(table);
    downloadable(table);
  }
})();
