// A menu closes like menus do: by a click elsewhere, by Escape, by tabbing out of it.
for (const menu of document.querySelectorAll("details.menu")) {
  const close = () => {
    menu.open = false;
  };
  document.addEventListener("click", (event) => menu.contains(event.target) || close());
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) close();
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    close();
    menu.querySelector("summary").focus();
  });
}
