// Runs before the first paint, so that a chosen scheme never flashes. Not a module for that reason.
try {
  const theme = localStorage.getItem("trato.theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // No storage: the system's scheme it is.
}
