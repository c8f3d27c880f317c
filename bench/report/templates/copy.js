// Tables as Markdown, CSV and LaTeX, for the clipboard: the rows shown, in the order shown.
const LATEX = {
  "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
  "<": "$<$", ">": "$>$", "–": "--", "−": "$-$", "±": "$\\pm$", "×": "$\\times$", "·": "$\\cdot$",
  "≈": "$\\approx$", "≤": "$\\leq$", "≥": "$\\geq$", "∞": "$\\infty$", "∂": "$\\partial$", "′": "$'$", "…": "\\ldots{}",
  "▲": "$\\blacktriangle$", "▼": "$\\blacktriangledown$", "✓": "$\\checkmark$", "✗": "$\\times$",
};
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻";

// The shown rows, the header first, each a list of {value, note}. The titles of groups of rows
// become a column of their own.
function gridOf(table, headers) {
  const grouped = table.querySelector('th[scope="rowgroup"]') !== null;
  const title = (cells) => ({ value: cells.map((cell) => read(cell).value).join(": "), note: "" });
  const group = (value) => (grouped ? [{ value, note: "" }] : []);
  const grid = [[...group("Group"), ...headers.map(title)]];
  for (const body of table.tBodies) {
    const first = body.querySelector('th[scope="rowgroup"]');
    for (const [row] of unitsOf(body, headers.length)) {
      if (row.hidden) continue;
      grid.push([...group(first ? read(first).value : ""), ...[...row.cells].map(read)]);
    }
  }
  return grid;
}

const withNote = ({ value, note }) => (note ? `${value} (${note})` : value);

function toMarkdown(grid, aligned) {
  // A name after @ would be a mention where it is pasted: a space without width keeps them apart.
  const escaped = (cell) => withNote(cell).replace(/[\\|*_<`]/g, "\\$&").replace(/@(?=\w)/g, "@&#8203;");
  const line = (texts) => `| ${texts.join(" | ")} |\n`;
  const [head, ...rows] = grid.map((row) => line(row.map(escaped)));
  return head + line(aligned.map((right) => (right ? "---:" : ":---"))) + rows.join("");
}

// Numbers as programs read them; small print in a column of its own.
function toCsv(grid) {
  const plain = (text) => {
    if (text === "–") return "";
    const number = text.replace(/^[≈▲▼] /, "").replaceAll("−", "-");
    return /^[+-]?\d[\d,]*(\.\d+)?$/.test(number) ? number.replaceAll(",", "") : text;
  };
  const quoted = (text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const noted = grid[0].map((_, column) => grid.some((row) => row[column].note !== ""));
  return grid.map((row, index) => {
    const fields = row.flatMap(({ value, note }, column) => {
      if (!noted[column]) return [plain(value)];
      return [plain(value), index === 0 ? `${value}: note` : note];
    });
    return `${fields.map(quoted).join(",")}\n`;
  }).join("");
}

function toLatex(grid, aligned) {
  const digits = (text) => [...text].map((sign) => "0123456789-"[SUPERSCRIPTS.indexOf(sign)]).join("");
  const escaped = (cell) => withNote(cell)
    .replace(/[\\~^<>–−±×·≈≤≥∞∂′…▲▼✓✗]|[&%$#_{}]/g, (sign) => LATEX[sign] ?? `\\${sign}`)
    .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+/g, (raised) => "$^{" + digits(raised) + "}$");
  const [head, ...rows] = grid.map((row) => `${row.map(escaped).join(" & ")} \\\\\n`);
  const columns = aligned.map((right) => (right ? "r" : "l")).join("");
  return "% needs the packages booktabs and amssymb\n" +
    `\\begin{tabular}{${columns}}\n\\toprule\n${head}\\midrule\n${rows.join("")}` +
    "\\bottomrule\n\\end{tabular}\n";
}

const COPY_FORMATS = { Markdown: toMarkdown, CSV: toCsv, LaTeX: toLatex };

// Whether the text is in the clipboard now.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages from files may lack that clipboard: the older way is to copy what is selected.
    const focused = document.activeElement;
    const area = make("textarea", { value: text, className: "hidden" });
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    focused.focus();
    return copied;
  }
}

function makeCopier(name, table, headers) {
  const copier = make("div", { className: "copy", role: "group", ariaLabel: `Copy: ${name}` }, "Copy as");
  for (const [format, write] of Object.entries(COPY_FORMATS)) {
    copier.append(makeButton(format, async () => {
      const grid = gridOf(table, headers);
      const aligned = headers.map((cells) => getComputedStyle(cells.at(-1)).textAlign === "right");
      if (aligned.length < grid[0].length) aligned.unshift(false);
      const copied = await copyText(write(grid, aligned));
      const rows = grid.length - 1;
      announce(copied
        ? `Copied as ${format}: ${rows} ${rows === 1 ? "row" : "rows"}.`
        : "The browser does not let this page copy.");
    }));
  }
  return copier;
}
