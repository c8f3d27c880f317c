// Figures as files of their own: SVG with its colours written out, and PNG.
const PNG_SCALE = 4; // pixels per unit of the drawing: 1354 wide

function sizeOf(svg) {
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  return { width, height };
}

// The drawing as the page shows it now, without the variables that only the page knows.
function standAlone(svg, title) {
  const copy = svg.cloneNode(true);
  const { width, height } = sizeOf(svg);
  const page = getComputedStyle(document.body);
  const byDepth = "[data-depth], [style*='--depth-']";
  const isOff = [...svg.querySelectorAll(byDepth)].map((each) => getComputedStyle(each).display === "none");
  const unseen = [...copy.querySelectorAll(byDepth)].filter((_, index) => isOff[index]);
  const originals = svg.querySelectorAll("[style]");
  copy.querySelectorAll("[style]").forEach((element, index) => {
    const shown = getComputedStyle(originals[index]);
    for (const name of ["fill", "stroke"]) {
      if (/var\(|currentColor/i.test(element.style[name])) element.style[name] = shown[name];
    }
  });
  for (const each of unseen) each.remove();
  for (const name of ["aria-labelledby", "data-lines", "tabindex"]) copy.removeAttribute(name);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  copy.style.fontFamily = page.fontFamily;
  copy.style.background = page.backgroundColor;
  copy.style.strokeLinejoin = "round";
  const name = document.createElementNS("http://www.w3.org/2000/svg", "title");
  name.textContent = title;
  copy.prepend(name);
  return new XMLSerializer().serializeToString(copy);
}

function save(blob, filename) {
  const link = make("a", { href: URL.createObjectURL(blob), download: filename });
  link.click();
  // The browser reads the blob after this task.
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function toPng(text, { width, height }) {
  // A data address, as a canvas with a picture from a blob of a page from a file gives nothing back.
  const image = make("img", { src: `data:image/svg+xml,${encodeURIComponent(text)}` });
  await image.decode();
  const canvas = make("canvas", { width: width * PNG_SCALE, height: height * PNG_SCALE });
  const context = canvas.getContext("2d");
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

for (const figure of document.querySelectorAll("figure.chart:has(svg)")) {
  const svg = figure.querySelector("svg");
  const caption = figure.querySelector("figcaption");
  const title = caption.textContent;
  const key = caption.id.replace(/-title$/, "");
  const saveSvg = () => {
    save(new Blob([standAlone(svg, title)], { type: "image/svg+xml" }), `${key}.svg`);
  };
  const savePng = async () => {
    save(await toPng(standAlone(svg, title), sizeOf(svg)), `${key}.png`);
  };
  const group = { className: "save", role: "group", ariaLabel: `Save: ${title}` };
  figure.append(make("div", group, "Save as", makeButton("SVG", saveSvg), makeButton("PNG", savePng)));
}
