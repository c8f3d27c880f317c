// Figures: the values of their points and lines, and depths off and in front.
const REACH = 34; // pixels around a point in which the pointer means it: thumbs are wide
const root = document.documentElement;
const off = new Set(); // depths, as texts

const tip = make("div", { className: "tip", hidden: true });
const reader = make("p", { className: "hidden", role: "status" });
const crosshair = document.createElementNS("http://www.w3.org/2000/svg", "line");
crosshair.setAttribute("class", "crosshair");
document.body.append(tip, reader);

function hide() {
  tip.hidden = true;
  crosshair.remove();
  document.querySelector(".point.on")?.classList.remove("on");
}

// The tip beside a place of the window, above it or, with `level`, at its height.
function show(content, x, y, level = false) {
  tip.replaceChildren(...content);
  tip.hidden = false;
  const { offsetWidth: width, offsetHeight: height } = tip;
  const left = x + 14 + width > innerWidth - 6 ? x - 14 - width : x + 14;
  const above = y - 12 - height < 6 ? y + 16 : y - 12 - height;
  tip.style.left = `${Math.max(6, left)}px`;
  tip.style.top = `${level ? Math.max(6, Math.min(y - height / 2, innerHeight - height - 6)) : above}px`;
}

function centre(point) {
  const box = point.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}

// Those of depths that are on.
const pointsOf = (svg) => [...svg.querySelectorAll(".point")].filter((each) => each.getClientRects().length);

function showPoint(point) {
  hide();
  point.classList.add("on");
  const [who, ...what] = point.dataset.tip.split(": ");
  show([make("b", { textContent: who }), make("span", { textContent: what.join(": ") })], ...centre(point));
  return point.dataset.tip;
}

function showNearest(svg, event) {
  let [nearest, least] = [null, REACH];
  for (const point of pointsOf(svg)) {
    const [x, y] = centre(point);
    const distance = Math.hypot(x - event.clientX, y - event.clientY);
    if (distance < least) [nearest, least] = [point, distance];
  }
  if (!nearest) hide();
  else if (!nearest.classList.contains("on")) showPoint(nearest);
}

const written = (value) =>
  Number(value.toPrecision(4)).toLocaleString("en-GB", { maximumFractionDigits: 8 }).replace("-", "−");

// What every line has at one place along x, the largest first.
function showAcross(svg, lines, index) {
  hide();
  const box = svg.getBoundingClientRect();
  const scale = box.width / svg.viewBox.baseVal.width;
  const [x, top, bottom] = [lines.px[index], lines.top, lines.bottom];
  for (const [name, value] of Object.entries({ x1: x, x2: x, y1: top, y2: bottom })) crosshair.setAttribute(name, value);
  svg.append(crosshair);
  const head = lines.unit.replace("{}", lines.x[index].toLocaleString("en-GB"));
  const rows = lines.lines
    .filter(([, depth, values]) => values[index] !== null && !off.has(String(depth)))
    .map(([name, depth, values]) => [name, depth, values[index]])
    .sort(([, , one], [, , other]) => other - one);
  const content = rows.map(([name, depth, value]) => {
    const label = make("span", { textContent: name });
    label.style.color = `var(--depth-${depth}, currentColor)`;
    return make("span", { className: "line" }, label, make("b", { textContent: written(value) }));
  });
  const middle = box.y + (scale * (top + bottom)) / 2;
  show([make("b", { textContent: head }), ...content], box.x + x * scale, middle, true);
  return `${head}: ${rows.map(([name, , value]) => `${name} ${written(value)}`).join(", ")}`;
}

function showPlace(svg, lines, event) {
  const box = svg.getBoundingClientRect();
  const x = ((event.clientX - box.x) * svg.viewBox.baseVal.width) / box.width;
  const distances = lines.px.map((px) => Math.abs(px - x));
  showAcross(svg, lines, distances.indexOf(Math.min(...distances)));
}

// A figure is one tab stop: arrow keys go from value to value, which are read out.
function readByKeys(svg, lines) {
  let index = null;
  svg.tabIndex = 0;
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") hide();
    if (!step) return;
    event.preventDefault();
    const points = lines ? lines.px : pointsOf(svg);
    if (!points.length) return;
    const start = step > 0 ? -1 : points.length;
    index = ((index ?? start) + step + points.length) % points.length;
    reader.textContent = lines ? showAcross(svg, lines, index) : showPoint(points[index]);
  });
}

function makeReadable(svg, description) {
  for (const title of svg.querySelectorAll("g > title")) {
    title.parentNode.dataset.tip = title.textContent;
    title.remove(); // else the browser shows it beside the tip
  }
  const lines = svg.dataset.lines && JSON.parse(svg.dataset.lines);
  if (!lines && !svg.querySelector(".point")) return;
  const point = (event) => (lines ? showPlace(svg, lines, event) : showNearest(svg, event));
  svg.addEventListener("pointermove", point);
  svg.addEventListener("pointerdown", point);
  svg.addEventListener("pointerleave", (event) => event.pointerType === "touch" || hide());
  readByKeys(svg, lines);
  description.append(" Arrow keys read its values.");
}

// Buttons above the first figure of a section; what they do holds in all figures.
function depthButtons(depths) {
  const buttons = [...depths].sort((one, other) => one - other).map((depth) => {
    const button = makeButton(depth, () => {
      if (!off.delete(depth)) off.add(depth);
      root.dataset.off = [...off].join(" ");
      for (const each of document.querySelectorAll(`.depths [value="${depth}"]`)) each.ariaPressed = !off.has(depth);
      hide();
    });
    Object.assign(button, { value: depth, ariaPressed: true, ariaLabel: `${depth} layers` });
    button.style.color = `var(--depth-${depth}, currentColor)`;
    const bring = () => off.has(depth) || (root.dataset.front = depth);
    const release = () => delete root.dataset.front;
    for (const name of ["pointerenter", "focus"]) button.addEventListener(name, bring);
    for (const name of ["pointerleave", "blur"]) button.addEventListener(name, release);
    return button;
  });
  const group = { className: "depths", role: "group", ariaLabel: "Depths shown, in every figure" };
  return make("div", group, "Layers shown", ...buttons);
}

const depthsOf = (svg) => [...svg.innerHTML.matchAll(/--depth-(\d+)/g)].map(([, depth]) => depth);

function addDepths() {
  const known = new Set();
  for (const section of document.querySelectorAll("section")) {
    const coloured = [...section.querySelectorAll(".chart svg")].filter(
      (svg) => depthsOf(svg).length && svg.closest("section") === section,
    );
    const depths = new Set(coloured.flatMap(depthsOf));
    if (depths.size < 2) continue;
    const first = coloured[0].closest(".charts") ?? coloured[0].closest("figure");
    first.before(depthButtons(depths));
    for (const depth of depths) known.add(depth);
  }
  // A depth is known by its colour, or by an attribute where it has none.
  const rules = [...known].map((depth) => {
    const its = `[data-depth="${depth}"], [style*="--depth-${depth},"]`;
    return `[data-off~="${depth}"] .chart svg :is(${its}) { display: none; }
      [data-front="${depth}"] .chart svg :is([data-depth], [style*="--depth-"]):not(${its}, [data-depth] *) { opacity: 0.15 !important; }`;
  });
  document.head.append(make("style", { textContent: rules.join("\n") }));
}

addDepths();
addEventListener("scroll", hide, { passive: true });
addEventListener("pointerdown", (event) => event.target.closest(".chart svg") || hide());
for (const figure of document.querySelectorAll("figure.chart:has(svg)")) {
  makeReadable(figure.querySelector("svg"), figure.querySelector("p.hidden"));
}
