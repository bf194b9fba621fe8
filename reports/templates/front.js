// The filter of the checklist; without scripts everything is shown. Keys: / words, f failures, a all.
"use strict";
(() => {
  const form = document.querySelector(".filter");
  const rows = [...document.querySelectorAll("tr[data-verdict]")];
  const shown = form.querySelector(".shown");
  const words = form.elements.words;
  const boxes = (name) => [...form.querySelectorAll(`input[name=${name}]`)];
  const chosen = (name) => new Set(boxes(name).filter((box) => box.checked).map((box) => box.value));
  form.hidden = false;

  function apply() {
    const verdicts = chosen("verdict"), areas = chosen("area"), wanted = words.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const fits = verdicts.has(row.dataset.verdict) && areas.has(row.dataset.area)
        && (!wanted || row.textContent.toLowerCase().includes(wanted));
      row.hidden = !fits;
      count += fits;
    }
    for (const part of document.querySelectorAll(".area")) {
      part.hidden = !part.querySelector("tr[data-verdict]:not([hidden])");
    }
    shown.textContent = `${count} of ${rows.length} checks shown`;
  }

  function show(verdicts) {
    for (const box of boxes("verdict")) box.checked = !verdicts || verdicts.includes(box.value);
    for (const box of boxes("area")) box.checked = true;
    words.value = "";
    apply();
  }

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.all.addEventListener("click", () => show(null));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input[type=search]")) {
      if (event.key === "Escape") { show(null); event.target.blur(); }
      return;
    }
    if (event.key === "/") { event.preventDefault(); words.focus(); }
    if (event.key === "f") show(["failed", "inconclusive"]);
    if (event.key === "a") show(null);
  });
  window.addEventListener("beforeprint", () => show(null));
  apply();
})();
