// Tables: sort by a column, filter the rows, copy as text, keep the header in sight.
const LONG = 12; // rows or entries from which on a filter is worth its place
const WORDS = new Intl.Collator("en", { numeric: true });
const NUMBER = /^[<>]?([+-]?(?:Infinity|(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d+)?))(?=$|[ %])/;

const folded = (text) => text.replace(/\s+/g, " ").trim();

// What a cell says, and its small print; notes that are folded or stand below the table are left out.
function read(cell) {
  const copy = cell.cloneNode(true);
  for (const extra of copy.querySelectorAll("details, sup, .anchor")) extra.remove();
  const notes = [...copy.querySelectorAll("small")];
  for (const note of notes) note.remove();
  return {
    value: folded(copy.textContent),
    note: notes.map((note) => folded(note.textContent)).join("; "),
  };
}

// The number that a text begins with, or undefined: "▲ +3.31" is 3.31, "1,234.5" is 1234.5.
function numberIn(text) {
  const plain = text.replace(/^[≈▲▼] /, "").replaceAll("−", "-").replace("∞", "Infinity");
  const match = plain.match(NUMBER);
  return match ? Number(match[1].replaceAll(",", "")) : undefined;
}

function sortKey(cell) {
  const text = cell.dataset.value ?? read(cell).value;
  return text === "" || text === "–" ? null : (numberIn(text) ?? text);
}

const RANKS = { number: 0, string: 1, object: 2 };

// Numbers stand before words and empty cells last, in both directions.
function compareKeys(a, b, direction) {
  const ranks = RANKS[typeof a] - RANKS[typeof b];
  if (ranks !== 0 || a === null) return ranks;
  return direction * (typeof a === "number" ? a - b : WORDS.compare(a, b));
}

// The header cells above each column, from the top down.
function headersOf(table) {
  const rows = [...table.tHead.rows];
  const grid = rows.map(() => []);
  rows.forEach((row, top) => {
    let left = 0;
    for (const cell of row.cells) {
      while (grid[top][left]) left += 1;
      for (let y = top; y < top + cell.rowSpan; y += 1) {
        for (let x = left; x < left + cell.colSpan; x += 1) grid[y][x] = cell;
      }
    }
  });
  return grid[0].map((_, column) => [...new Set(grid.map((row) => row[column]))]);
}

// The rows of a tbody that stay together: a full row, and remarks on it below that span columns.
function unitsOf(body, width) {
  const units = [];
  for (const row of body.rows) {
    if (row.cells.length === width) units.push([row]);
    else units.at(-1)?.push(row);
  }
  return units;
}

function makeSortable(table, headers) {
  const bodies = [...table.tBodies].map((body) => [body, unitsOf(body, headers.length)]);
  headers.forEach((cells, column) => {
    const head = cells.at(-1);
    const button = makeButton("", () => {
      const next = { ascending: "descending", descending: null };
      const order = head.ariaSort ? next[head.ariaSort] : "ascending";
      for (const other of table.tHead.querySelectorAll("th")) other.ariaSort = null;
      head.ariaSort = order;
      for (const [body, units] of bodies) {
        const keyed = units.map((rows) => ({ rows, key: sortKey(rows[0].cells[column]) }));
        const direction = order === "ascending" ? 1 : -1;
        if (order) keyed.sort((a, b) => compareKeys(a.key, b.key, direction));
        body.append(...keyed.flatMap(({ rows }) => rows));
      }
    });
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
  });
}

// A form that hides what lacks the words typed. An item is {parts, text, choice}: parts are hidden
// together, choice is offered in a list. Returns the form.
function makeFilter(name, items, after = () => {}) {
  const input = make("input", { type: "search", placeholder: "Filter", ariaLabel: `Filter: ${name}` });
  const select = make("select", { ariaLabel: `Choice: ${name}` }, new Option("all", ""));
  const count = make("output");
  const choices = [...new Set(items.map(({ choice }) => choice))].filter(Boolean);
  for (const choice of choices) select.append(new Option(choice, choice));
  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const { parts, text, choice } of items) {
      const fits = words.every((word) => text.includes(word));
      const hidden = !fits || (select.value !== "" && choice !== select.value);
      for (const part of parts) part.hidden = hidden;
      shown += hidden ? 0 : 1;
    }
    count.textContent = shown < items.length ? `${shown} of ${items.length}` : "";
    after(shown < items.length);
  };
  const controls = choices.length > 0 ? [input, select] : [input];
  for (const control of controls) control.addEventListener("input", apply);
  return make("div", { className: "filter", role: "search", ariaLabel: `Filter: ${name}` }, ...controls, count);
}

function itemsOf(table) {
  const width = headersOf(table).length;
  return [...table.tBodies].flatMap((body) => unitsOf(body, width)).map((rows) => ({
    parts: rows,
    text: folded(rows.map((row) => row.textContent).join(" ")).toLowerCase(),
  }));
}

function hideEmptyGroups(root) {
  for (const body of root.querySelectorAll("tbody")) {
    body.hidden = ![...body.rows].some((row) => !row.hidden && !row.matches(".group"));
  }
}

function addTools(box, table) {
  const headers = headersOf(table);
  const name = box.getAttribute("aria-label");
  const tools = make("div", { className: "tools" });
  if (!table.matches(".unsorted")) makeSortable(table, headers);
  const items = itemsOf(table);
  if (items.length >= LONG && !box.closest(".cell")) {
    tools.append(makeFilter(name, items, () => hideEmptyGroups(table)));
  }
  tools.append(makeCopier(name, table, headers));
  box.before(tools);
  // A box that needs no scrolling lets the header stick to the window, and is no stop for Tab.
  const watch = new ResizeObserver(() => {
    const fits = table.offsetWidth <= box.clientWidth && table.offsetHeight <= box.clientHeight;
    box.classList.toggle("fits", fits);
    box.tabIndex = fits ? -1 : 0;
  });
  watch.observe(box);
}

for (const box of document.querySelectorAll(".scroll")) addTools(box, box.querySelector("table"));

const claims = [...document.querySelectorAll(".claim")];
if (claims.length > 0) {
  const items = claims.map((claim) => {
    const question = claim.closest(".question").querySelector("h4").textContent;
    const text = folded(`${question} ${claim.textContent}`).toLowerCase();
    return { parts: [claim], text, choice: claim.dataset.verdict };
  });
  // What is found is unfolded, what was not run included.
  const showFound = (filtered) => {
    for (const group of document.querySelectorAll(".waiting, .question")) {
      group.hidden = !group.querySelector(".claim:not([hidden])");
    }
    for (const group of document.querySelectorAll(".waiting")) group.open = filtered;
  };
  document.querySelector(".ledger").before(makeFilter("Claims", items, showFound));
}

const entries = [...document.querySelectorAll("details.cell")];
if (entries.length >= LONG) {
  const items = entries.map((entry) => ({
    parts: [entry],
    text: folded(`${entry.querySelector("summary").textContent} ${entry.id}`).toLowerCase(),
  }));
  document.querySelector(".list").before(makeFilter("Everything that ran", items));
}
