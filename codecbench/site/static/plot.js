// Rate against a metric: one mark a codec with its interval, families joined by lines.
"use strict";
(function () {
  const SVG = "http://www.w3.org/2000/svg";
  const COLORS = 8;
  const SHAPES = [
    "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0", "M-4.5,-4.5h9v9h-9z", "M0,-6L6,5H-6z", "M0,-6.5L6.5,0L0,6.5L-6.5,0z",
    "M0,6L6,-5H-6z", "M-6,-2h4v-4h4v4h4v4h-4v4h-4v-4h-4z",
  ];
  const MARGIN = { left: 62, right: 18, top: 14, bottom: 46 };

  function make(name, attributes, parent) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (parent) parent.append(element);
    return element;
  }

  function styleOf(place) {
    return { color: `var(--s${place % COLORS})`, shape: SHAPES[place % SHAPES.length] };
  }

  // Round steps of about `count` ticks.
  function linearTicks(low, high, count) {
    const rough = (high - low) / count || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
    const ticks = [];
    for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k++) ticks.push(k * step);
    return { ticks, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
  }

  function logTicks(low, high, narrow) {
    const factors = narrow || high / low > 30 ? [1, 3] : [1, 2, 3, 5];
    const ticks = [];
    for (let k = Math.floor(Math.log10(low)); k <= Math.log10(high); k++)
      for (const factor of factors) ticks.push(factor * 10 ** k);
    return ticks.filter((tick) => tick >= low && tick <= high);
  }

  function extent(values) {
    return [Math.min(...values), Math.max(...values)];
  }

  function pointsOf(board, column) {
    const numbers = board.numbers;
    // Anchors that are not coded have rates that would press all others together.
    const withAnchors = board.querySelector(".plot-anchors").checked;
    const visible = new Set(
      Array.from(board.querySelectorAll(".ranking tbody tr"))
        .filter((row) => !row.hidden).map((row) => Number(row.dataset.row)));
    return numbers.rows
      .map((row, index) => ({ ...row, index, rate: row.cells[numbers.rate], metric: row.cells[column] }))
      .filter((row) => visible.has(row.index) && row.role !== "reference")
      .filter((row) => withAnchors || row.role !== "anchor")
      .filter((row) => row.rate[0] > 0 && row.metric[0] !== null)
      .sort((a, b) => a.rate[0] - b.rate[0]);
  }

  function ceilingOf(board, column) {
    const row = board.numbers.rows.find((one) => one.role === "reference");
    return row ? row.cells[column][0] : null;
  }

  function worded(triple, info) {
    const write = (value) => value.toFixed(info.digits);
    const unit = info.unit ? ` ${info.unit}` : "";
    const [value, low, high] = triple;
    if (low === null || high === null) return write(value) + unit;
    return `${write(value)}${unit} [${write(low)}, ${write(high)}]`;
  }

  function sentence(point, board, column) {
    const { columns, rate } = board.numbers;
    const of = (triple, info) => `${info.title.replace(/ [↑↓]$/, "")} ${worded(triple, info)}`;
    const role = point.role ? ` (${point.role})` : "";
    return `${point.label}${role}: ${of(point.rate, columns[rate])}; ${of(point.metric, columns[column])}`;
  }

  function scalesOf(points, ceiling, width, height) {
    const ends = points.flatMap((point) => point.metric.filter((value) => value !== null));
    if (ceiling !== null) ends.push(ceiling);
    let [low, high] = extent(ends);
    const space = (high - low || Math.abs(high) || 1) * 0.06;
    [low, high] = [low - space, high + space];
    let [least, most] = extent(points.map((point) => point.rate[0]));
    [least, most] = [least / 1.25, most * 1.25];
    const right = width - MARGIN.right, bottom = height - MARGIN.bottom;
    return {
      low, high, least, most, right, bottom,
      x: (kbps) => MARGIN.left + ((right - MARGIN.left) * Math.log(kbps / least)) / Math.log(most / least),
      y: (value) => bottom - ((bottom - MARGIN.top) * (value - low)) / (high - low),
    };
  }

  function drawAxes(svg, scales, info, width) {
    const narrow = width < 520;
    for (const tick of logTicks(scales.least, scales.most, narrow)) {
      const x = scales.x(tick);
      make("line", { class: "grid", x1: x, x2: x, y1: MARGIN.top, y2: scales.bottom }, svg);
      const text = make("text", { x, y: scales.bottom + 18, "text-anchor": "middle" }, svg);
      text.textContent = String(Number(tick.toPrecision(2)));
    }
    const { ticks, digits } = linearTicks(scales.low, scales.high, 6);
    for (const tick of ticks) {
      const y = scales.y(tick);
      make("line", { class: "grid", x1: MARGIN.left, x2: scales.right, y1: y, y2: y }, svg);
      const text = make("text", { x: MARGIN.left - 8, y: y + 4, "text-anchor": "end" }, svg);
      text.textContent = tick.toFixed(digits);
    }
    make("path", { class: "axis", fill: "none", d: `M${MARGIN.left},${MARGIN.top}V${scales.bottom}H${scales.right}` }, svg);
    const middle = (MARGIN.left + scales.right) / 2;
    const below = make("text", { x: middle, y: scales.bottom + 38, "text-anchor": "middle" }, svg);
    below.textContent = "kbit/s, counted (logarithmic)";
    const y = (MARGIN.top + scales.bottom) / 2;
    const side = make("text", { x: 14, y, "text-anchor": "middle", transform: `rotate(-90 14 ${y})` }, svg);
    side.textContent = info.title + (info.unit ? `, ${info.unit}` : "");
  }

  function drawCeiling(svg, scales, value) {
    const y = scales.y(value);
    make("line", { class: "axis", x1: MARGIN.left, x2: scales.right, y1: y, y2: y, "stroke-dasharray": "6 4" }, svg);
    const text = make("text", { x: MARGIN.left + 6, y: y - 5 }, svg);
    text.textContent = "reference (ceiling)";
  }

  function drawFamily(svg, scales, members, style) {
    const line = members.map((point, i) => `${i ? "L" : "M"}${scales.x(point.rate[0])},${scales.y(point.metric[0])}`);
    make("path", { d: line.join(""), fill: "none", stroke: style.color, "stroke-width": 1.5 }, svg);
    for (const point of members) {
      const [, low, high] = point.metric;
      if (low === null || high === null) continue;
      const x = scales.x(point.rate[0]);
      const d = `M${x - 4},${scales.y(low)}h8m-4,0V${scales.y(high)}m-4,0h8`;
      make("path", { d, fill: "none", stroke: style.color, "stroke-width": 1.2 }, svg);
    }
  }

  function drawPoint(svg, scales, point, style, text) {
    const at = `translate(${scales.x(point.rate[0])} ${scales.y(point.metric[0])})`;
    const group = make("g", { class: "point", transform: at, tabindex: "-1", role: "img", "aria-label": text }, svg);
    make("circle", { class: "halo", r: 11 }, group);
    make("path", { d: style.shape, fill: style.color }, group);
    make("title", {}, group).textContent = text;
    return group;
  }

  // One stop of the Tab key for the whole plot; arrows go from codec to codec.
  function setUpKeys(marks, say) {
    marks.forEach(function (mark, place) {
      const text = mark.getAttribute("aria-label");
      mark.addEventListener("pointerenter", () => say(text));
      mark.addEventListener("click", () => mark.focus());
      mark.addEventListener("focus", () => say(text));
      mark.addEventListener("keydown", function (event) {
        const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        const next = marks[(place + step + marks.length) % marks.length];
        mark.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      });
    });
    if (marks.length) marks[0].tabIndex = 0;
  }

  function drawLegend(list, families) {
    list.replaceChildren();
    for (const [name, { style }] of families) {
      const item = list.appendChild(document.createElement("li"));
      const icon = make("svg", { width: 16, height: 16, viewBox: "-8 -8 16 16", "aria-hidden": "true" });
      make("path", { d: style.shape, fill: style.color }, icon);
      item.append(icon, name);
    }
  }

  function familiesOf(points, board) {
    const places = new Map();
    for (const row of board.numbers.rows)
      if (row.role !== "reference" && !places.has(row.family)) places.set(row.family, places.size);
    const found = new Map();
    for (const point of points) {
      if (!found.has(point.family))
        found.set(point.family, { members: [], style: styleOf(places.get(point.family)) });
      found.get(point.family).members.push(point);
    }
    return found;
  }

  function draw(board) {
    const box = board.querySelector(".plot-box");
    const says = board.querySelector(".plot-says");
    const column = Number(board.querySelector(".plot-metric").value);
    const info = board.numbers.columns[column];
    const points = pointsOf(board, column);
    box.replaceChildren();
    const families = familiesOf(points, board);
    drawLegend(board.querySelector(".legend"), families);
    if (!points.length) {
      box.textContent = "No codec that is shown has both a rate and this metric.";
      return;
    }
    const width = Math.max(280, box.clientWidth), height = Math.min(460, Math.max(300, width * 0.55));
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `${info.title} against rate` });
    const ceiling = ceilingOf(board, column);
    const scales = scalesOf(points, ceiling, width, height);
    drawAxes(svg, scales, info, width);
    if (ceiling !== null) drawCeiling(svg, scales, ceiling);
    for (const { members, style } of families.values()) drawFamily(svg, scales, members, style);
    const marks = [];
    for (const { members, style } of families.values())
      for (const point of members)
        marks.push(drawPoint(svg, scales, point, style, sentence(point, board, column)));
    setUpKeys(marks, (text) => (says.textContent = text));
    box.append(svg);
  }

  function setUp(board) {
    const numbers = board.numbers;
    const plot = board.querySelector(".plot");
    const others = numbers.columns.map((column, index) => ({ column, index }))
      .filter(({ column }) => column.unit !== "kbit/s");
    if (numbers.rate === null || !others.length) {
      plot.hidden = true;
      return;
    }
    const select = board.querySelector(".plot-metric");
    for (const { column, index } of others) select.append(new Option(column.title, index));
    const first = others.find(({ column }) => column.better === "higher") || others[0];
    select.value = first.index;
    select.addEventListener("change", () => draw(board));
    const anchors = board.querySelector(".plot-anchors");
    anchors.closest("label").hidden = !numbers.rows.some((row) => row.role === "anchor");
    anchors.addEventListener("change", () => draw(board));
    board.addEventListener("filtered", () => draw(board));
    // Drawn when it comes into view, and again when its width changes.
    let width = -1;
    new ResizeObserver(function (entries) {
      const now = Math.round(entries[0].contentRect.width);
      if (now !== width) draw(board);
      width = now;
    }).observe(board.querySelector(".plot-box"));
  }

  document.querySelectorAll(".board").forEach(setUp);
})();
