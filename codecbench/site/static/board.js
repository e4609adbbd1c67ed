// Sorting, filtering and choice of columns of the leaderboards.
"use strict";
(function () {
  const FACTS = 3; // Latency, causal, parameters stand between the codec and its numbers.
  const SUFFIX = { k: 1e3, M: 1e6 };

  // Facts are read from what is shown: a number, a number with k or M, or a word.
  function factOf(text) {
    const found = /^([\d.]+)(?: ([kM]))?$/.exec(text);
    if (found) return Number(found[1]) * (SUFFIX[found[2]] || 1);
    return text === "–" || text === "" ? null : text;
  }

  function valueOf(row, column, numbers) {
    if (column === 0) return numbers.rows[row.dataset.row].label;
    if (column <= FACTS) return factOf(row.cells[column].textContent);
    return numbers.rows[row.dataset.row].cells[column - FACTS - 1][0];
  }

  // What has no value goes last, whatever the direction; equal rows keep the order they had first.
  function compared(a, b, sign) {
    if (a.value === null || b.value === null) {
      if (a.value === b.value) return a.place - b.place;
      return a.value === null ? 1 : -1;
    }
    const isText = typeof a.value === "string" || typeof b.value === "string";
    const order = isText
      ? String(a.value).localeCompare(String(b.value), "en", { numeric: true })
      : a.value - b.value;
    return sign * order || a.place - b.place;
  }

  function sort(table, column, direction, numbers) {
    const body = table.tBodies[0];
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = Array.from(body.rows, (row) => ({
      row, value: valueOf(row, column, numbers), place: Number(row.dataset.row),
    }));
    keyed.sort((a, b) => compared(a, b, sign));
    body.append(...keyed.map((item) => item.row));
    Array.from(table.tHead.rows[0].cells, function (head, index) {
      if (index === column) head.setAttribute("aria-sort", direction);
      else head.removeAttribute("aria-sort");
    });
  }

  // The first click puts the best on top, the second turns it round.
  function firstDirection(column, numbers) {
    if (column <= FACTS) return "ascending";
    return numbers.columns[column - FACTS - 1].better === "higher" ? "descending" : "ascending";
  }

  function setUpSorting(table, numbers) {
    Array.from(table.tHead.rows[0].cells, function (head, column) {
      head.querySelector("button").addEventListener("click", function () {
        const now = head.getAttribute("aria-sort");
        const turned = now === "ascending" ? "descending" : "ascending";
        sort(table, column, now ? turned : firstDirection(column, numbers), numbers);
      });
    });
  }

  function setUpFilters(board, table, numbers) {
    const text = board.querySelector(".filter-text");
    const rate = board.querySelector(".filter-rate");
    const shown = board.querySelector(".shown");
    const rows = Array.from(table.tBodies[0].rows);

    function keeps(row) {
      const item = numbers.rows[row.dataset.row];
      const wanted = text.value.trim().toLowerCase();
      if (wanted && !(item.label + " " + row.cells[0].title).toLowerCase().includes(wanted)) return false;
      if (!rate || rate.value === "" || item.role === "reference") return true;
      const kbps = item.cells[numbers.rate][0];
      return kbps !== null && kbps <= Number(rate.value);
    }

    function apply() {
      let count = 0;
      for (const row of rows) {
        row.hidden = !keeps(row);
        count += row.hidden ? 0 : 1;
      }
      shown.textContent = count === rows.length ? `${count} rows` : `${count} of ${rows.length} rows`;
      board.dispatchEvent(new CustomEvent("filtered"));
    }

    board.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
    text.addEventListener("input", apply);
    if (rate) rate.addEventListener("input", apply);
    apply();
  }

  // One rule of style for all hidden columns is much faster than a change of every cell.
  function setUpColumns(board) {
    const style = document.head.appendChild(document.createElement("style"));
    const boxes = Array.from(board.querySelectorAll(".columns input"));
    function apply() {
      const hidden = boxes.filter((box) => !box.checked).map((box) => Number(box.dataset.column) + 1);
      const places = hidden.map((place) => `#${board.id} .ranking tr > :nth-child(${place})`);
      style.textContent = places.length ? `${places.join(",")} { display: none; }` : "";
    }
    for (const box of boxes) box.addEventListener("change", apply);
    apply(); // Browsers keep boxes as they were when a page is loaded again.
  }

  for (const board of document.querySelectorAll(".board")) {
    const numbers = JSON.parse(board.querySelector(".numbers").textContent);
    board.numbers = numbers;
    const table = board.querySelector(".ranking");
    setUpSorting(table, numbers);
    setUpColumns(board);
    setUpFilters(board, table, numbers);
  }
})();
