// Players of an utterance: one at a time, and keys that switch between sounds at the same place.
"use strict";
(function () {
  const players = Array.from(document.querySelectorAll(".voice audio"));
  let current = -1;

  players.forEach(function (player, place) {
    player.addEventListener("play", function () {
      for (const other of players) if (other !== player) other.pause();
      current = place;
      for (const one of players) one.closest(".voice").classList.toggle("current", one === player);
    });
  });

  function switchBy(step) {
    const next = players[(current + step + players.length) % players.length];
    const time = current < 0 || players[current].ended ? 0 : players[current].currentTime;
    const start = function () {
      next.currentTime = Math.min(time, next.duration || 0);
      // Whoever switches on before it has begun to sound interrupts it: no error.
      next.play().catch(function (error) {
        if (error.name !== "AbortError") throw error;
      });
    };
    next.closest(".voice").scrollIntoView({ block: "nearest" });
    if (next.readyState >= 1) start();
    else {
      next.addEventListener("loadedmetadata", start, { once: true });
      next.preload = "auto";
      next.load();
    }
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !players.length) return;
    if (event.target.closest("input, select, textarea")) return;
    if (event.key === "j") switchBy(1);
    else if (event.key === "k") switchBy(current < 0 ? 0 : -1);
  });
})();
