// Runs before the first paint, so that a remembered scheme never flashes the other one.
(function () {
  try {
    var choice = localStorage.getItem("theme");
    if (choice === "dark" || choice === "light") document.documentElement.dataset.theme = choice;
  } catch (_) {
    // Storage may be blocked; the system's scheme is used then.
  }
})();
