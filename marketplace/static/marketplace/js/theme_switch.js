// Light or dark by hand. Going back to what the system has forgets the choice.
const KEY = "trato.theme"; // theme.js reads it
const system = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
const switches = [...document.querySelectorAll(".theme-switch")];

const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);

function show() {
  for (const button of switches) button.setAttribute("aria-pressed", String(isDark()));
}

function choose(theme) {
  const own = theme !== (system.matches ? "dark" : "light");
  if (own) root.dataset.theme = theme;
  else delete root.dataset.theme;
  try {
    if (own) localStorage.setItem(KEY, theme);
    else localStorage.removeItem(KEY);
  } catch {
    // No storage: the choice holds for this page.
  }
  show();
}

for (const button of switches) {
  button.addEventListener("click", () => choose(isDark() ? "light" : "dark"));
}
system.addEventListener("change", show);
show();
