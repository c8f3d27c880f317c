// Links within the page: they open what is closed, and every part has one of its own.

// A link to something closed or filtered away brings it back.
function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (!target) return;
  if (target.closest("[hidden]")) {
    for (const control of document.querySelectorAll(".filter input, .filter select")) {
      control.value = "";
      control.dispatchEvent(new Event("input"));
    }
  }
  for (let each = target.closest("details"); each; each = each.parentElement.closest("details")) {
    each.open = true;
  }
  target.scrollIntoView();
}

// A "#" that links to the element with this id.
function makeAnchor(id, name) {
  const label = `Link to: ${name.replace(/\s+/g, " ").trim()}`;
  return make("a", { className: "anchor", href: `#${id}`, ariaLabel: label }, "#");
}

for (const title of document.querySelectorAll(".chapter > h2, .part > h3")) {
  title.append(makeAnchor(title.parentElement.id, title.firstChild.textContent));
}
for (const claim of document.querySelectorAll("li.claim")) {
  claim.firstChild.after(makeAnchor(claim.id, claim.firstChild.textContent));
}
// A summary is a button, and takes no link inside it.
for (const details of document.querySelectorAll("details[id]")) {
  details.before(makeAnchor(details.id, details.querySelector("summary").textContent));
}

addEventListener("hashchange", openTarget);
openTarget();

// Where one is: the last chapter whose top has passed the upper third of the window.
const chapters = [...document.querySelectorAll(".chapter")];
const menu = document.getElementById("chapters");
function showPlaceInPage() {
  const passed = chapters.filter((each) => each.getBoundingClientRect().top < innerHeight / 3);
  const { id } = passed.at(-1) ?? chapters[0];
  for (const link of menu.querySelectorAll("a")) {
    link.ariaCurrent = link.hash === `#${id}` ? "true" : null;
    if (link.ariaCurrent) document.querySelector(".here").textContent = link.firstChild.textContent;
  }
}
addEventListener("scroll", showPlaceInPage, { passive: true });
showPlaceInPage();
menu.addEventListener("click", (event) => event.target.closest("a") && menu.hidePopover?.());

// For papers: the citation in the clipboard, and the page on paper.
const citation = document.getElementById("citation");
const cite = makeButton("Copy as citation", async () => {
  announce((await copyText(citation.textContent)) ? "Copied as BibTeX." : "The browser does not let this page copy.");
});
document.querySelector(".rail .tools").append(...(citation ? [cite] : []), makeButton("Print", () => print()));
