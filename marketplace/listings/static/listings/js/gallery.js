// The thumbnails are links to the photos and work as such. With scripts the row of photos slides to
// the chosen one, and the page stays where it is.
const strip = document.querySelector("[data-gallery]");

function slideTo(photo) {
  strip.scrollTo({ left: photo.offsetLeft - strip.offsetLeft });
}

function markCurrent(id) {
  for (const link of document.querySelectorAll("[data-gallery-link]")) {
    if (link.hash === `#${id}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

function watchStrip() {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) if (entry.isIntersecting) markCurrent(entry.target.id);
    },
    { root: strip, threshold: 0.6 },
  );
  for (const photo of strip.children) observer.observe(photo);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-gallery-link]");
  const photo = link && document.getElementById(link.hash.slice(1));
  if (!photo) return;
  event.preventDefault();
  slideTo(photo);
});

if (strip) watchStrip();
