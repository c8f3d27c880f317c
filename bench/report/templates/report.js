// What the other scripts build on. The page is whole without any of them.
"use strict";

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function makeButton(text, act) {
  const button = make("button", { type: "button", textContent: text });
  button.addEventListener("click", act);
  return button;
}

const announcer = make("p", { className: "announcer", role: "status" });
let silence = 0;
document.body.append(announcer);

// Shows a sentence for some seconds; screen readers read it out.
function announce(sentence) {
  clearTimeout(silence);
  announcer.textContent = sentence;
  silence = setTimeout(() => announcer.replaceChildren(), 5000);
}
