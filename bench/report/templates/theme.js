// The reader's choice of light or dark, made before anything is drawn; at first the system's holds.
"use strict";
const THEMES = ["system", "light", "dark"];
const THEME_KEY = "resnet-bench-theme";

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // Some browsers give a page from a file no storage: the choice then lasts as long as the page.
  }
}

function storedTheme() {
  try {
    const theme = localStorage.getItem(THEME_KEY);
    return THEMES.includes(theme) ? theme : THEMES[0];
  } catch {
    return THEMES[0];
  }
}

document.documentElement.dataset.theme = storedTheme();
addEventListener("DOMContentLoaded", () => {
  const button = document.createElement("button");
  const current = () => document.documentElement.dataset.theme;
  button.type = "button";
  button.textContent = `Theme: ${current()}`;
  button.addEventListener("click", () => {
    setTheme(THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length]);
    button.textContent = `Theme: ${current()}`;
  });
  document.querySelector(".rail .tools").prepend(button);
});
