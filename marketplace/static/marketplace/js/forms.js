// A form that is on its way is not sent a second time.
const onTheirWay = new Set();

function start(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (onTheirWay.has(form)) return event.preventDefault();
  onTheirWay.add(form);
  mark(form, true);
}

function mark(form, busy) {
  for (const button of form.querySelectorAll("button[type='submit']")) {
    if (busy) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
}

// A page that comes back from the browser's cache starts anew.
function release() {
  for (const form of onTheirWay) mark(form, false);
  onTheirWay.clear();
}

// On the window, so that everyone else has had their say about the event.
window.addEventListener("submit", start);
window.addEventListener("pageshow", release);
