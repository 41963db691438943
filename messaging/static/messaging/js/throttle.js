/** Calls `work` after `delay` ms, once for all calls until then; never two at a time. */
export function gather(work, delay) {
  let timer = null;
  let running = false;
  let again = false;
  return function call() {
    if (running) again = true;
    if (timer || running) return;
    timer = setTimeout(async () => {
      timer = null;
      running = true;
      try {
        await work();
      } finally {
        running = false;
        if (again) call((again = false));
      }
    }, delay);
  };
}

/** Lets one call through per `interval` ms and drops the rest. */
export function limit(work, interval) {
  let last = -Infinity;
  return () => {
    const now = performance.now();
    if (now - last < interval) return;
    last = now;
    work();
  };
}
