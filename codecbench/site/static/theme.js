// Light, dark, or what the system says; the choice is remembered where the browser allows it.
"use strict";
(function () {
  const NAMES = { auto: "automatic", light: "light", dark: "dark" };
  const ORDER = Object.keys(NAMES);

  function remembered() {
    try {
      const name = localStorage.getItem("codecbench-theme");
      return ORDER.includes(name) ? name : "auto";
    } catch {
      return "auto"; // Storage may be forbidden; the page then follows the system.
    }
  }

  function remember(name) {
    try {
      localStorage.setItem("codecbench-theme", name);
    } catch {
      // The choice then holds for this page alone.
    }
  }

  function apply(name) {
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
  }

  let current = remembered();
  apply(current); // Before anything is drawn.
  document.documentElement.classList.add("loading");

  document.addEventListener("DOMContentLoaded", function () {
    document.documentElement.classList.remove("loading");
    const button = document.getElementById("theme");
    const label = () => (button.textContent = "Colours: " + NAMES[current]);
    label();
    button.addEventListener("click", function () {
      current = ORDER[(ORDER.indexOf(current) + 1) % ORDER.length];
      apply(current);
      remember(current);
      label();
      document.dispatchEvent(new Event("themechange"));
    });
  });
})();
