
"use strict";
(() => {
  const texts = JSON.parse(document.getElementById("texts").textContent);
  const made = (name, parts, text = "") => Object.assign(document.createElement(name), parts, text ? { textContent: text } : {});
  const shown = (cell) => cell.textContent.trim();
  const scale = { m: 1e6, million: 1e6, miliwn: 1e6, k: 1e3, thousand: 1e3, bn: 1e9, billion: 1e9, biliwn: 1e9 };

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
      const keys = () => rows.map((row) => (numeric ? number(shown(row.cells[at])) : shown(row.cells[at])));
      const compare = (a, b) => (numeric ? a - b : a.localeCompare(b, document.documentElement.lang, { numeric: true }));
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: "" }[head.getAttribute("aria-sort")] ?? "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        let order = rows.map((_, i) => i);
        if (next) {
          head.setAttribute("aria-sort", next);
          const sign = next === "ascending" ? 1 : -1;
          const key = keys(), empty = (v) => v === null || v === "";
          order.sort((a, b) => empty(key[a]) - empty(key[b]) || (empty(key[a]) ? 0 : sign * compare(key[a], key[b])) || a - b);
        }
        body.append(...order.map((i) => rows[i]));
      });
    });
  }

  /** A cell as a spreadsheet reads it: plain numbers, nothing that would be run as a formula, quotes where they are needed. */
  function field(text) {
    const plain = text.replace(/^\u2212/, "-").replace(/^(-?)\u00a3(?=[\d.,]+$)/, "$1");
    if (/^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(plain)) return plain.replaceAll(",", "");
    if (/^[+-]?\d*\.?\d+$/.test(plain)) return plain;
    const amount = /^[+-]?\u00a3?\d[\d,.]*%?( \p{L}+ -?\u00a3?\d[\d,.]*%?)?$/u;
    const safe = /^[=+\-@\t\r]/.test(text) && !amount.test(text) ? "'" + text : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  /** The rows as they stand, saved to the reader's own disk. */
  function downloadable(table) {
    const { csv } = texts[table.closest("[lang]").lang];
    const button = made("button", { type: "button", className: "save" }, csv);
    button.setAttribute("aria-label", `${csv}: ${shown(table.caption)}`);
    button.addEventListener("click", () => {
      const lines = [...table.rows].map((row) => [...row.cells].map((cell) => field(shown(cell))).join(","));
      const address = URL.createObjectURL(new Blob(["\ufeff" + lines.join("\r\n") + "\r\n"], { type: "text/csv" }));
      const name = shown(table.caption).toLowerCase().replace(/[^\p{L}\d]+/gu, "_").slice(0, 60).replace(/^_|_$/g, "");
      made("a", { href: address, download: `${name}.csv` }).click();
      URL.revokeObjectURL(address);
    });
    table.closest(".scroll").after(button);
  }

  /** Where the value lies between the points at which the run worked a lever out. */
  function between(points, at, value) {
    const next = Math.max(1, points.findIndex((p) => p >= value));
    const share = (value - points[next - 1]) / (points[next] - points[next - 1]);
    return at(next - 1) * (1 - share) + at(next) * share;
  }

  /** Choices and levers: people and pounds from what the run has stored. */
  function desk(panel, data) {
    const say = data.texts, lang = document.documentElement.lang;
    const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
    const write = (value, money, digits = money || Math.abs(value) >= 200 ? 0 : 1) => {
      const text = Math.abs(value).toLocaleString(lang, { minimumFractionDigits: digits, maximumFractionDigits: digits });
      return (value < 0 && /[1-9]/.test(text) ? "-" : "") + (money ? "\u00a3" : "") + text;
    };
    const signed = (value, money) => ((text) => (value > 0 && /[1-9]/.test(text) ? "+" : "") + text)(write(value, money));
    const plain = (value) => value.toLocaleString(lang, { maximumSignificantDigits: 4 });
    const chosen = { scenario: 0, part: 0, year: 0 };
    const set = new Map();
    const names = [...data.people, ...data.lines];
    const count = data.people.length;

    /** The expected figures with the levers where they stand. */
    function figures() {
      const { scenario: s, part: p, year: y } = chosen, run = data.run[s];
      const moved = (start, before, i) => {
        let more = 0, times = 1;
        data.levers[s].forEach((lever, l) => {
          if (!set.has(`${s}.${l}`) || start === null) return;
          const now = between(lever.points, (k) => lever.at[k][p][y][i] ?? 0, set.get(`${s}.${l}`));
          if (!start || lever.joined === "plus" || (lever.joined === "plus where empty" && !before)) more += now - start;
          else times *= now / start;
        });
        return start === null ? null : Math.max(0, start + more) * times;
      };
      const people = data.people.map((_, i) => moved(run.mean[p][y][i], data.run[0].mean[p][y][i], i));
      const costs = data.costs.map((_, c) => moved(run.costs[p][y][c], data.run[0].costs[p][y][c], count + c));
      data.prices.forEach((price, n) => {
        if (set.has(`price.${n}`)) price.of.forEach((c) => {
          if (run.costs[p][y][c]) costs[c] *= (set.get(`price.${n}`) * run.each[p][y][c]) / run.costs[p][y][c];
        });
      });
      const lines = data.lines.map((_, n) => costs.reduce((sum, cost, c) => (data.costs[c] === n ? sum + (cost ?? 0) : sum), 0));
      if (lines.length > 1) lines[lines.length - 1] = costs.reduce((sum, cost) => sum + (cost ?? 0), 0);
      return [...people, ...lines];
    }

    const table = panel.querySelector("table"), told = made("p", { className: "told" });
    told.setAttribute("role", "status");
    function show() {
      const { scenario: s, part: p, year: y } = chosen, run = data.run[s], now = figures();
      const touched = [...set.keys()].some((k) => k.startsWith("price.") || k.startsWith(`${s}.`));
      table.caption.textContent = fill(say.caption, { scenario: data.scenarios[s].name, part: data.parts[p][1], year: data.years[y] });
      const head = table.tHead.rows[0];
      head.replaceChildren(...say.columns.map((text, i) => made("th", { scope: "col", className: i ? "n" : "" }, text)));
      const rows = [], said = []; // what is nought, and stays so, needs no word
      names.forEach((name, i) => {
        const mean = run.mean[p][y][i], money = i >= count;
        if (mean === null) return;
        const value = touched ? now[i] : mean, times = mean ? value / mean : 1, difference = value - mean;
        const range = (k) => fill(say.range, { low: write(run.low[p][y][i] * k, money), high: write(run.high[p][y][i] * k, money) });
        const cells = [write(mean, money), range(1), write(value, money), signed(difference, money), range(times)];
        const row = made("tr", {});
        row.append(made("th", { scope: "row" }, name), ...cells.map((text) => made("td", { className: "n" }, text)));
        rows.push(row);
        const amount = write(Math.abs(difference), money), none = !/[1-9]/.test(amount);
        const more = none ? say.same : fill(difference > 0 ? say.more : say.less, { amount });
        const worth = (mean || value) && (i === 0 || i === count - 1 || i === names.length - 1);
        if (worth) said.push(fill(say.told, { what: name, now: write(value, money), difference: more }));
      });
      table.tBodies[0].replaceChildren(...rows);
      if ([...set.keys()].filter((k) => k.startsWith(`${s}.`)).length > 1) said.push(say.about);
      told.textContent = touched ? [...new Set(said)].join(" ") : data.scenarios[s].question;
    }

    function choice(key, options, label) {
      const select = made("select", {}), groups = new Map();
      options.forEach(([group, name], i) => {
        if (group && !groups.has(group)) {
          groups.set(group, made("optgroup", { label: group }));
          select.append(groups.get(group));
        }
        (groups.get(group) ?? select).append(made("option", { value: String(i) }, name));
      });
      select.addEventListener("change", () => {
        chosen[key] = Number(select.value);
        if (key === "scenario") levers();
        show();
      });
      const box = made("label", {}, label);
      box.append(select);
      return box;
    }

    function slider(key, { name, unit, whole, value }, low, high) {
      const size = 10 ** Math.floor(Math.log10((high - low) / 20)), out = made("output", {}); // its words are those of the slider, which says them itself
      const step = whole ? 1 : [1, 2, 5].map((n) => n * size).find((n) => (high - low) / n <= 40) ?? 10 * size;
      const most = low + (Math.ceil((high - low) / step - 1e-9) + 0.01) * step; // what goes past the end is held there
      const input = made("input", { type: "range", min: String(low), max: String(most), step: String(step) });
      input.value = String(set.get(key) ?? value);
      out.setAttribute("aria-live", "off");
      const tell = () => {
        const at = set.has(key) ? fill(say.held, { value: plain(set.get(key)) }) : `${plain(value)}, ${say.as_run}`;
        out.textContent = fill(say.ends, { at, low: plain(low), high: plain(high) }) + (unit && ` (${unit})`);
        input.setAttribute("aria-valuetext", out.textContent);
      };
      input.addEventListener("input", () => {
        set.set(key, Math.min(high, Math.max(low, Number(input.value))));
        tell();
        show();
      });
      tell();
      const box = made("label", { className: "lever" }, name);
      box.append(input, out);
      return box;
    }

    const group = (name) => {
      const box = made("fieldset", {});
      box.append(made("legend", {}, name));
      return box;
    };
    const mine = group(say.levers), prices = group(say.prices);
    function levers() {
      const s = chosen.scenario;
      const all = data.levers[s].map((l, i) => slider(`${s}.${i}`, l, l.points[0], l.points[l.points.length - 1]));
      mine.replaceChildren(mine.firstChild, ...(all.length ? all : [made("p", {}, say.none)]));
      prices.replaceChildren(prices.firstChild, ...data.prices.map((c, i) => slider(`price.${i}`, c, c.low, c.high)));
    }
    const choices = made("div", { className: "choices" }), sets = made("div", { className: "sets" });
    choices.append(
      choice("scenario", data.scenarios.map((s) => ["", s.name]), say.scenario),
      choice("part", data.parts, say.part),
      choice("year", data.years.map((y) => ["", y]), say.year),
    );
    const reset = made("button", { type: "button", className: "save" }, say.reset);
    reset.addEventListener("click", () => {
      set.clear();
      levers();
      show();
    });
    sets.append(mine, ...(data.prices.length ? [prices] : []));
    panel.prepend(choices, sets, reset, told);
    levers();
    show();
  }

  /** A table is a place of its own, which the keyboard stops at, only where it has to be moved sideways. */
  function stops() {
    const label = new Map();
    const fits = new ResizeObserver((seen) => seen.forEach(({ target: box }) => {
      const moves = box.scrollWidth > box.clientWidth;
      for (const [name, value] of Object.entries({ role: "region", tabindex: "0", "aria-label": label.get(box) })) {
        if (moves) box.setAttribute(name, value);
        else if (box !== document.activeElement) box.removeAttribute(name);
      }
    }));
    for (const box of document.querySelectorAll(".scroll")) {
      label.set(box, box.getAttribute("aria-label"));
      fits.observe(box);
    }
  }

  /** Who changes the language stays at the switch, and the page is in that language from then on. */
  function languages() {
    const speak = () => {
      const now = [...document.querySelectorAll(".language")].find((one) => one.getClientRects().length);
      if (now) document.documentElement.lang = now.lang;
      return now;
    };
    for (const link of document.querySelectorAll(".others a")) {
      link.addEventListener("click", () => setTimeout(() => speak().querySelector(".others a").focus({ preventScroll: true })));
    }
    addEventListener("hashchange", speak);
    speak();
  }

  function tables() {
    for (const table of document.querySelectorAll(".scroll > table")) {
      if (!table.closest(".panel")) sortable(table);
      downloadable(table);
    }
  }

  function panels() {
    for (const panel of document.querySelectorAll(".panel")) desk(panel, JSON.parse(panel.querySelector("script").textContent));
  }

  for (const part of [stops, languages, tables, panels]) {
    try {
      part();
    } catch (fault) {
      console.error(fault); // what an older browser cannot do stops none of the others
    }
  }
})();
