// A menu closes like menus do: by a click elsewhere, by Escape, by tabbing out of it.
const openMenus = () => document.querySelectorAll("details[data-menu][open]");

function closeOthers(target) {
  for (const menu of openMenus()) if (!menu.contains(target)) menu.open = false;
}

function press(event) {
  const menu = event.key === "Escape" && event.target.closest("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
}

document.addEventListener("click", (event) => closeOthers(event.target));
document.addEventListener("focusin", (event) => closeOthers(event.target));
document.addEventListener("keydown", press);
