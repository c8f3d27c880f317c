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

for (const title of document.querySelectorAll("section[id] > h2")) {
  title.append(makeAnchor(title.parentElement.id, title.textContent));
}
for (const head of document.querySelectorAll("tr[id] > th")) {
  const anchor = makeAnchor(head.parentElement.id, head.firstChild.textContent);
  head.insertBefore(anchor, head.querySelector(":scope > small"));
}
// A summary is a button, and takes no link inside it.
for (const details of document.querySelectorAll("details[id]")) {
  details.before(makeAnchor(details.id, details.querySelector("summary").textContent));
}

addEventListener("hashchange", openTarget);
openTarget();
