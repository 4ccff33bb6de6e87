"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  window.addEventListener("error", (event) => { root.dataset.error = event.message; });
  const run = JSON.parse(byId("data").textContent);

  // ---- words and numbers ----

  // What could turn a line around or hide in it is shown for what it is.
  const odd = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
  const shown = (text) =>
    text.replace(odd, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
  const count = (number) => number.toLocaleString("en-US");
  const digits = (number, most) => Number(number.toPrecision(most)).toLocaleString("en-US");
  const duration = (us) => {
    if (us <= 0) return "0";
    if (us < 999.5) return digits(us, 3) + " \u00b5s";
    if (us < 999500) return digits(us / 1e3, 3) + " ms";
    if (us < 120e6) return digits(us / 1e6, 3) + " s";
    if (us < 7200e6) return digits(us / 60e6, 3) + " min";
    return digits(us / 3600e6, 3) + " h";
  };
  const size = (bytes) => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0;
    for (; bytes >= 1024 && unit + 1 < units.length; unit++) bytes /= 1024;
    return (unit ? digits(bytes, 3) : count(bytes)) + " " + units[unit];
  };
  const rate = (number) => (number < 100 ? digits(number, 3) : count(Math.round(number)));
  const percent = (part, whole) => {
    if (!whole) return "";
    const share = (100 * part) / whole;
    return (part < whole ? Math.min(share, 99.99) : 100).toFixed(share > 99 && part < whole ? 2 : share < 10 && part ? 2 : 1).replace(/\.0$/, "") + "%";
  };

  const outcomes = {
    ok: { label: "ok", reasons: ["ok"] },
    status: { label: "the answer was not as wanted", reasons: ["http", "redirects", "too_large", "encoding"] },
    network: { label: "no whole answer", reasons: ["dns", "connect", "tls", "timeout", "reset", "protocol", "host_down"] },
    local: { label: "never asked, or not kept", reasons: ["denied", "invalid", "output"] },
    undone: { label: "halted or cancelled", reasons: ["halted", "cancelled"] },
  };
  const outcomeOf = run.reasons.map(([name]) =>
    Object.keys(outcomes).find((key) => outcomes[key].reasons.includes(name)) || "network");

  // ---- elements ----

  const make = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const draw = (name, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const swatch = (label, kind, shape) => {
    const svg = draw("svg", { width: 16, height: 12, "aria-hidden": "true" });
    const shapes = {
      block: { x: 1, y: 1, width: 14, height: 10, rx: 2 },
      thin: { x: 0, y: 5, width: 16, height: 2 },
      middle: { x: 0, y: 3, width: 16, height: 6 },
    };
    if (shape === "dash") svg.append(draw("path", { d: "M0 6H16", stroke: "currentColor", "stroke-width": 1.5, "stroke-dasharray": "4 3" }));
    else if (shape === "line") svg.append(draw("path", { d: "M0 8L5 4L10 7L16 3", class: kind }));
    else svg.append(draw("rect", { ...shapes[shape.split(" ")[0]], class: kind, opacity: shape.split(" ")[1] || 1 }));
    return make("span", {}, svg, label);
  };
  const fillTable = (table, heads, rows) => {
    if (heads) table.append(make("thead", {}, make("tr", {}, ...heads.map(([text, kind]) => make("th", { scope: "col", class: kind || "" }, text)))));
    table.append(make("tbody", {}, ...rows));
  };
  const cell = (content, kind) => make("td", { class: kind || "" }, content);

  // ---- the tip that follows the pointer ----

  const tip = byId("tip");
  const showTip = (event, title, pairs) => {
    const list = make("dl");
    for (const [name, value] of pairs) list.append(make("dt", {}, name), make("dd", {}, value));
    tip.replaceChildren(make("div", { class: "tip-url" }, title), list);
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const x = event.clientX + 14 + box.width > innerWidth ? event.clientX - box.width - 14 : event.clientX + 14;
    tip.style.left = Math.max(8, x) + "px";
    tip.style.top = Math.max(8, Math.min(event.clientY + 14, innerHeight - box.height - 8)) + "px";
  };
  const hideTip = () => { tip.hidden = true; };

  // ---- what the run was, in words and tiles ----

  const tellHead = () => {
    const begun = new Date(run.begun / 1e3);
    const when = begun.toISOString().replace("T", " ").slice(0, 19) + " UTC";
    byId("when").textContent = `${when} \u00b7 ${duration(run.wall)} \u00b7 ended: ${shown(run.ended)}`;
    document.title = `weir report: ${count(run.requests)} requests, ${count(run.failed)} failed, ${when}`;
    byId("settings").append(...run.settings.map(([name, value]) => make("li", {}, (name + " " + value).trim())));
    byId("footer").textContent = `weir ${run.version}`;
  };
  const tellTiles = () => {
    const seconds = run.wall / 1e6;
    const total = run.times.total;
    const tiles = [
      [count(run.requests), "requests" + (run.done_before ? `, ${count(run.done_before)} done before` : "")],
      [percent(run.ok, run.requests) || "\u2013", `ok: ${count(run.ok)}`],
      [count(run.failed), "failed", run.failed ? "bad" : ""],
      [count(run.retries), `retries; ${count(run.starts)} starts`],
      [rate(seconds ? run.requests / seconds : 0), "requests a second"],
      [size(run.bytes), "of bodies"],
      [total[0] ? duration(total[1]) : "\u2013", "median time"],
      [total[0] ? duration(total[3]) : "\u2013", "99% within"],
      [count(run.peak), "most in flight"],
    ];
    byId("tiles").append(...tiles.map(([value, label, kind]) =>
      make("div", { class: "tile " + (kind || "") }, make("b", {}, value), make("span", {}, label))));
  };

  // ---- charts ----

  const niceStep = (range, steps) => {
    const rough = range / steps;
    const power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
  };
  const ticks = (from, to, steps) => {
    if (!(to > from)) return [from];
    const step = niceStep(to - from, steps);
    const list = [];
    for (let k = Math.ceil(from / step - 1e-9); k * step <= to * (1 + 1e-9); k++) list.push(k * step || 0);
    return list;
  };
  const compact = (number) => !number ? "0" : new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 }).format(number);

  // Columns that fill the width: each has stacked parts, perhaps a line over them, and a tip.
  const columns = (place, chart) => {
    const width = Math.max(160, place.clientWidth), height = place.clientHeight;
    const left = 44, right = 8, top = 12, bottom = 22;
    const inner = width - left - right, depth = height - top - bottom;
    const stacked = chart.columns.map((column) => column.parts.reduce((sum, part) => sum + part, 0));
    let most = Math.max(...stacked, ...chart.columns.map((column) => column.line || 0), 0);
    const mark = chart.mark && chart.mark.value > 0 ? chart.mark : null;
    const isFar = mark && mark.value > most * 4;
    if (mark && !isFar) most = Math.max(most, mark.value);
    most = most * 1.08 || 1;
    const y = (value) => top + depth * (1 - value / most);
    const x = (index) => left + (inner * index) / chart.columns.length;
    const svg = draw("svg", { width, height, role: "img", "aria-label": chart.label });

    for (const value of ticks(0, most, 4)) {
      svg.append(draw("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
      svg.append(draw("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, compact(value)));
    }
    const paths = chart.kinds.map(() => "");
    chart.columns.forEach((column, index) => {
      let below = 0;
      column.parts.forEach((part, kind) => {
        if (!part) return;
        paths[kind] += `M${x(index).toFixed(2)} ${y(below).toFixed(2)}V${y(below + part).toFixed(2)}H${x(index + 1).toFixed(2)}V${y(below).toFixed(2)}Z`;
        below += part;
      });
    });
    chart.kinds.forEach((kind, index) => svg.append(draw("path", { d: paths[index], class: kind, opacity: chart.opacity || 1 })));
    if (chart.columns.some((column) => column.line !== undefined)) {
      const d = chart.columns.map((column, index) =>
        `${index ? "L" : "M"}${x(index).toFixed(2)} ${y(column.line).toFixed(2)}H${x(index + 1).toFixed(2)}`).join("");
      svg.append(draw("path", { d, class: "peak" }));
    }
    if (mark) {
      if (!isFar) svg.append(draw("line", { class: "mark", x1: left, x2: width - right, y1: y(mark.value), y2: y(mark.value) }));
      svg.append(draw("text", { class: "mark-text", x: width - right, y: isFar ? top - 1 : y(mark.value) - 4, "text-anchor": "end" },
        mark.label + (isFar ? ", far above" : "")));
    }
    for (const [at, label] of chart.ticks(inner)) {
      if (at < -0.001 || at > 1.001) continue;
      const anchor = at > 0.94 ? "end" : at < 0.04 ? "start" : "middle";
      svg.append(draw("text", { x: left + inner * at, y: height - 6, "text-anchor": anchor }, label));
    }
    const cursor = draw("rect", { class: "cursor", y: top, height: depth, width: 0 });
    svg.append(cursor);
    svg.addEventListener("pointermove", (event) => {
      const index = Math.floor(((event.clientX - svg.getBoundingClientRect().left - left) / inner) * chart.columns.length);
      const column = chart.columns[index];
      cursor.setAttribute("width", column ? Math.max(1, inner / chart.columns.length) : 0);
      if (!column) return hideTip();
      cursor.setAttribute("x", x(index));
      showTip(event, column.title, column.tips);
    });
    svg.addEventListener("pointerleave", () => { cursor.setAttribute("width", 0); hideTip(); });
    place.replaceChildren(svg);
  };

  // Bins joined until there are few enough to be told apart; `span` is what a column covers, not
  // less than `least` unless columns would be few.
  const joinBins = (most, least = 0) => {
    const { width, bins } = run.timeline;
    const joined = Math.min(Math.ceil(least / width), Math.floor(bins.length / 12));
    const step = Math.max(1, Math.ceil(bins.length / most), joined);
    const list = [];
    for (let at = 0; at < bins.length; at += step) {
      const some = bins.slice(at, at + step);
      const sum = (index) => some.reduce((total, bin) => total + bin[index], 0);
      const max = (index) => some.reduce((total, bin) => Math.max(total, bin[index]), 0);
      const from = at * width;
      const span = Math.max(width * 0.25, Math.min(step * width, run.wall - from));
      list.push({ from, span, starts: sum(0), ok: sum(1), failed: sum(2), undone: sum(3), mean: Math.min(sum(4) / span, max(5)), peak: max(5), limit: max(6) });
    }
    return { list, total: Math.ceil(bins.length / step) * step * width };
  };
  const timeTicks = (total) => (inner) =>
    ticks(0, total, Math.max(2, inner / 90)).map((us) => [us / total, us ? duration(us) : "0"]);

  const drawTimelines = () => {
    const { list, total } = joinBins(100);
    const title = (bin) => `${duration(bin.from)} to ${duration(bin.from + bin.span)}`;
    const limit = Math.max(...list.map((bin) => bin.limit), 0);
    const common = { ticks: timeTicks(total) };
    columns(byId("flight"), {
      ...common, kinds: ["ok"], opacity: 0.75, label: `Transfers in flight over time: at most ${run.peak}`,
      mark: { value: limit, label: `limit ${count(limit)}` },
      columns: list.map((bin) => ({ parts: [bin.mean], line: bin.peak, title: title(bin), tips: [["mean", digits(bin.mean, 3)], ["most", count(bin.peak)], ["limit", count(bin.limit)]] })),
    });
    const perSecond = (number, bin) => (number * 1e6) / bin.span;
    // One start more or less in a column is not to look like a rate that was broken.
    const starts = joinBins(100, run.rate ? 10e6 / run.rate : 0);
    columns(byId("starts"), {
      ticks: timeTicks(starts.total), kinds: ["ok"], opacity: 0.75, label: "Starts a second over time",
      mark: { value: run.rate, label: `rate ${rate(run.rate)}/s` },
      columns: starts.list.map((bin) => ({ parts: [perSecond(bin.starts, bin)], title: title(bin), tips: [["starts", count(bin.starts)], ["a second", rate(perSecond(bin.starts, bin))]] })),
    });
    columns(byId("ends"), {
      ...common, kinds: ["ok", "network", "undone"], label: "Requests done a second over time",
      columns: list.map((bin) => ({ parts: [bin.ok, bin.failed, bin.undone].map((number) => perSecond(number, bin)), title: title(bin), tips: [["ok", count(bin.ok)], ["failed", count(bin.failed)], ["halted, cancelled", count(bin.undone)]] })),
    });
  };

  const drawSpread = () => {
    if (!run.spread.length) {
      byId("spread").replaceChildren(make("p", { class: "note" }, "No request was answered."));
      return;
    }
    const start = (place) => 2 ** (place / 8);
    const first = Math.max(0, run.spread[0][0] - 2), last = run.spread[run.spread.length - 1][0] + 3;
    const list = [];
    for (let place = first; place < last; place++) {
      const [, good, bad] = run.spread.find(([at]) => at === place) || [place, 0, 0];
      list.push({ parts: [good, bad], title: `${duration(start(place))} to ${duration(start(place + 1))}`, tips: [["ok", count(good)], ["failed", count(bad)]] });
    }
    const place = (us) => (Math.log2(us) * 8 - first) / (last - first);
    columns(byId("spread"), {
      kinds: ["ok", "network"], columns: list, label: "Answers by the time they took, on a logarithmic scale",
      ticks: (inner) => {
        const decades = (last - first) / 8 / Math.log2(10);
        const factors = decades < 1.2 ? [1, 2, 3, 5] : inner / decades > 150 ? [1, 3] : [1];
        return [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((power) => factors.map((factor) => factor * 10 ** power))
          .map((us) => [place(us), duration(us)]);
      },
    });
  };

  // ---- the waterfall ----

  const SEQ = 0, REASON = 1, CODE = 2, ATTEMPTS = 3, HOPS = 4, BYTES = 5, BORN = 6, DONE = 7,
    FIRST = 8, LAST = 9, CONNECTED = 10, ANSWERED = 11, RECEIVED = 12, URL_TEXT = 13;
  const wasStarted = (row) => row[FIRST] >= 0;
  const startOf = (row) => row[BORN] + Math.max(0, row[FIRST]);
  const endOf = (row) => row[BORN] + row[DONE];
  const taken = (row) => row[DONE] - Math.max(0, row[FIRST]);
  const reasonOf = (row) => run.reasons[row[REASON]][0];
  const verdictOf = (row) =>
    reasonOf(row) === "ok" ? String(row[CODE] || "ok") : reasonOf(row) === "http" ? String(row[CODE]) : reasonOf(row);

  // Where the parts of its bar begin and end, from the moment it was read.
  const partsOf = (row) => {
    if (!wasStarted(row)) return [{ kind: "queued", from: 0, to: row[DONE] }];
    const parts = [{ kind: "queued", from: 0, to: row[FIRST] }, { kind: "before", from: row[FIRST], to: row[LAST] }];
    const end = Math.max(row[LAST], row[DONE]);
    const cut = (offset) => Math.min(end, row[LAST] + offset);
    if (!row[RECEIVED]) return parts.concat({ kind: "waiting", from: row[LAST], to: end });
    const connected = cut(row[CONNECTED]), answered = Math.max(connected, cut(row[ANSWERED] || row[RECEIVED]));
    return parts.concat({ kind: "connecting", from: row[LAST], to: connected }, { kind: "waiting", from: connected, to: answered },
      { kind: "receiving", from: answered, to: Math.max(answered, cut(row[RECEIVED])) });
  };
  const looks = {
    queued: { thick: 2, shade: 0.8 }, before: { thick: 6, shade: 0.4 }, connecting: { thick: 12, shade: 0.38 },
    waiting: { thick: 12, shade: 0.68 }, receiving: { thick: 12, shade: 1 },
  };
  const detailsOf = (row) => {
    const pairs = [["outcome", reasonOf(row) + (row[CODE] ? `, status ${row[CODE]}` : "")]];
    if (row[ATTEMPTS] > 1) pairs.push(["attempts", count(row[ATTEMPTS])]);
    if (row[HOPS]) pairs.push(["redirects", count(row[HOPS])]);
    pairs.push([wasStarted(row) ? "started at" : "read at", duration(startOf(row))]);
    for (const part of partsOf(row)) {
      if (part.to > part.from) pairs.push([part.kind === "before" ? "attempts, hops, waits before" : part.kind, duration(part.to - part.from)]);
    }
    pairs.push(["start to end", wasStarted(row) ? duration(taken(row)) : "never started"], ["body", size(row[BYTES])]);
    return pairs;
  };
  const titleOf = (row) => `#${row[SEQ]} ${shown(row[URL_TEXT]) || "(the line is not shown)"}`;

  const rowHeight = 18, axisHeight = 22;
  const view = { rows: [], chosen: -1, colors: {} };
  const pane = byId("rows"), bars = byId("bars"), overview = byId("overview");

  const prepare = (canvas, width, height) => {
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = height + "px";
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
  };
  const readColors = () => {
    const style = getComputedStyle(root);
    for (const name of ["ok", "status", "network", "undone", "local", "text", "muted", "line", "stripe", "chosen", "card"])
      view.colors[name] = style.getPropertyValue("--" + name).trim();
  };

  const choose = () => {
    const filter = byId("filter").value, order = byId("order").value;
    view.rows = run.samples.filter((row) =>
      filter === "all" || (filter === "failed" ? reasonOf(row) !== "ok" : row[ATTEMPTS] > 1));
    const keys = { start: startOf, seq: (row) => row[SEQ], slow: (row) => -taken(row) };
    const key = keys[order];
    view.rows.sort((a, b) => key(a) - key(b) || a[SEQ] - b[SEQ]);
    view.chosen = -1;
    byId("chosen").textContent = view.rows.length ? "" : "There is none.";
    byId("spacer").style.height = "0";
    pane.style.height = Math.min(view.rows.length * rowHeight + axisHeight + 3, Math.max(260, innerHeight * 0.55)) + "px";
    pane.scrollTop = 0;
    drawWaterfall();
  };

  // The run's time as far as the rows in view reach, or each row's own from its start.
  const rangeOf = (rows) => {
    if (byId("scale").value === "own") return { from: 0, to: Math.max(1, ...rows.map(taken)), own: true };
    const from = Math.min(...rows.map(startOf)), to = Math.max(...rows.map(endOf));
    const edge = (to - from) * 0.02;
    return { from: Math.max(0, from - edge), to: Math.max(to, from + 1), own: false };
  };
  const drawBar = (context, row, y, x, left, right) => {
    const color = view.colors[outcomeOf[row[REASON]]];
    const zero = byId("scale").value === "own" ? -Math.max(0, row[FIRST]) : row[BORN];
    let end = left;
    for (const part of partsOf(row)) {
      if (part.to < part.from || (part.to === part.from && part.kind !== "receiving" && part.kind !== "waiting")) continue;
      const look = looks[part.kind];
      const from = Math.max(left, x(zero + part.from)), to = Math.min(right, x(zero + part.to));
      end = Math.max(end, to);
      if (to < left || from > right) continue;
      context.globalAlpha = look.shade;
      context.fillStyle = part.kind === "queued" ? view.colors.undone : color;
      context.fillRect(from, y + (rowHeight - look.thick) / 2, Math.max(to - from, part.kind === "receiving" ? 1.5 : 0.5), look.thick);
    }
    context.globalAlpha = 1;
    return end;
  };
  const drawRows = () => {
    const width = pane.clientWidth, height = pane.clientHeight;
    const context = prepare(bars, width, height);
    byId("spacer").style.height = Math.max(0, view.rows.length * rowHeight + axisHeight - height) + "px";
    if (!view.rows.length) return;
    const first = Math.floor(pane.scrollTop / rowHeight), shift = pane.scrollTop - first * rowHeight;
    const rows = view.rows.slice(first, first + Math.ceil(height / rowHeight) + 1);
    const range = rangeOf(rows);
    const left = Math.min(380, width * 0.36), right = width - (width < 560 ? 56 : 120);
    const x = (us) => left + ((right - left) * (us - range.from)) / (range.to - range.from);
    context.font = "11px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace";
    context.textBaseline = "middle";

    const axis = ticks(range.from, range.to, Math.max(2, (right - left) / 110));
    rows.forEach((row, index) => {
      const y = axisHeight + index * rowHeight - shift;
      if (first + index === view.chosen || (first + index) % 2) {
        context.fillStyle = first + index === view.chosen ? view.colors.chosen : view.colors.stripe;
        context.fillRect(0, y, width, rowHeight);
      }
    });
    context.fillStyle = view.colors.line;
    for (const us of axis) context.fillRect(Math.round(x(us)), axisHeight, 1, height);
    rows.forEach((row, index) => {
      const y = axisHeight + index * rowHeight - shift;
      const end = drawBar(context, row, y, x, left, right);
      const isOk = reasonOf(row) === "ok";
      context.fillStyle = isOk ? view.colors.muted : view.colors.text;
      const label = isOk ? duration(taken(row)) : `\u2715 ${verdictOf(row)}`;
      context.fillText(label + (row[ATTEMPTS] > 1 && width >= 560 ? ` (${row[ATTEMPTS]} tries)` : ""), end + 6, y + rowHeight / 2 + 0.5);
      context.save();
      context.beginPath();
      context.rect(0, y, left - 8, rowHeight);
      context.clip();
      context.fillStyle = view.colors.muted;
      context.fillText(String(row[SEQ]), 6, y + rowHeight / 2 + 0.5);
      context.fillStyle = view.colors.text;
      const indent = 14 + 6.7 * String(run.samples.reduce((most, other) => Math.max(most, other[SEQ]), 0)).length;
      context.fillText(shown(row[URL_TEXT]).replace(/^https?:\/\//, "") || "(not shown)", indent, y + rowHeight / 2 + 0.5);
      context.restore();
    });
    context.fillStyle = view.colors.card;
    context.fillRect(0, 0, width, axisHeight);
    context.fillStyle = view.colors.muted;
    context.textAlign = "center";
    // So many digits that neighbours differ.
    const step = axis.length > 1 ? axis[1] - axis[0] : 1;
    for (const us of axis) {
      const [unit, name] = range.to < 1e3 ? [1, "\u00b5s"] : range.to < 1e6 ? [1e3, "ms"] : [1e6, "s"];
      const places = Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9));
      context.fillText((range.own && us ? "+" : "") + (us / unit).toFixed(Math.min(places, 6)) + " " + name, x(us), axisHeight / 2);
    }
    context.textAlign = "left";
    context.fillText(range.own ? "from its start" : "", 6, axisHeight / 2);
    context.fillStyle = view.colors.line;
    context.fillRect(0, axisHeight - 1, width, 1);
  };
  const drawOverview = () => {
    const isNeeded = view.rows.length * rowHeight + axisHeight > pane.clientHeight;
    overview.hidden = !isNeeded;
    overview.style.display = isNeeded ? "block" : "none";
    const width = overview.clientWidth, height = 120;
    if (!isNeeded) return view.rows.length;
    const context = prepare(overview, width, height);
    const last = Math.max(...view.rows.map(endOf), 1);
    const thick = Math.max(1, height / view.rows.length);
    context.fillStyle = view.colors.stripe;
    context.fillRect(0, 0, width, height);
    // What went well first, so that what did not is never hidden behind it.
    const drawn = [true, false].reduce((sum, well) => {
      view.rows.forEach((row, index) => {
        if ((reasonOf(row) === "ok") !== well) return;
        const from = (startOf(row) / last) * width;
        context.fillStyle = view.colors[outcomeOf[row[REASON]]];
        context.fillRect(from, (index / view.rows.length) * height, Math.max(1.5, (taken(row) / last) * width), thick);
        sum++;
      });
      return sum;
    }, 0);
    const share = (pane.clientHeight - axisHeight) / rowHeight / view.rows.length;
    const at = pane.scrollTop / rowHeight / view.rows.length;
    context.strokeStyle = view.colors.text;
    context.lineWidth = 1.5;
    context.strokeRect(0.75, Math.min(at * height, height - 4) + 0.75, width - 1.5, Math.max(3, share * height) - 1.5);
    return drawn;
  };
  const drawWaterfall = () => {
    drawRows();
    return drawOverview();
  };

  const rowAt = (event) => {
    const y = event.clientY - bars.getBoundingClientRect().top - axisHeight;
    return y < 0 ? -1 : Math.floor((pane.scrollTop + y) / rowHeight);
  };
  const pick = (index) => {
    const row = view.rows[index];
    if (!row) return;
    view.chosen = index;
    byId("chosen").textContent = titleOf(row) + " \u2014 " + detailsOf(row).map(([name, value]) => `${name}: ${value}`).join("; ");
    const above = index * rowHeight, room = pane.clientHeight - axisHeight - rowHeight;
    if (pane.scrollTop > above) pane.scrollTop = above;
    if (pane.scrollTop < above - room) pane.scrollTop = above - room;
    drawWaterfall();
  };
  const listen = () => {
    for (const id of ["filter", "order", "scale"]) byId(id).addEventListener("change", choose);
    byId("controls").addEventListener("submit", (event) => event.preventDefault());
    pane.addEventListener("scroll", () => { hideTip(); requestAnimationFrame(drawWaterfall); });
    pane.addEventListener("pointermove", (event) => {
      const row = view.rows[rowAt(event)];
      if (row) showTip(event, titleOf(row), detailsOf(row));
      else hideTip();
    });
    pane.addEventListener("pointerleave", hideTip);
    pane.addEventListener("click", (event) => pick(rowAt(event)));
    pane.addEventListener("keydown", (event) => {
      const page = Math.max(1, Math.floor(pane.clientHeight / rowHeight) - 2), end = view.rows.length - 1;
      const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -end, End: end };
      if (!(event.key in moves)) return;
      event.preventDefault();
      pick(Math.max(0, Math.min(end, view.chosen + moves[event.key])));
    });
    const lead = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const share = (event.clientY - overview.getBoundingClientRect().top) / 120;
      pane.scrollTop = share * view.rows.length * rowHeight - pane.clientHeight / 2;
    };
    overview.addEventListener("pointerdown", lead);
    overview.addEventListener("pointermove", lead);
  };

  // ---- tables ----

  const tellTimes = () => {
    const names = { total: "total", starttransfer: "first byte", queue: "in our queues" };
    fillTable(byId("times"), [["", "left"], ["50%"], ["90%"], ["99%"], ["99.9%"], ["longest"]],
      Object.entries(run.times).map(([name, values]) =>
        make("tr", {}, make("th", { scope: "row" }, names[name]), ...values.slice(1).map((us) => cell(values[0] ? duration(us) : "\u2013")))));
  };
  const tellOutcomes = () => {
    const most = Math.max(...run.reasons.map(([, number]) => number), 1);
    const rows = run.reasons.map(([name, number], index) => [name, number, outcomeOf[index]])
      .filter(([, number]) => number).sort((a, b) => b[1] - a[1]);
    fillTable(byId("outcomes"), null, rows.map(([name, number, kind]) => {
      const svg = draw("svg", { preserveAspectRatio: "none", viewBox: "0 0 100 10", "aria-hidden": "true" });
      svg.append(draw("rect", { class: kind, width: Math.max(0.5, (100 * number) / most), height: 10 }));
      return make("tr", {}, make("th", { scope: "row" }, name), cell(svg, "bar"), cell(count(number)), cell(percent(number, run.requests)));
    }));
  };
  const tellFailures = () => {
    byId("failed").hidden = !run.failures.length;
    fillTable(byId("failures"), [["reason", "left"], ["of these"], ["request"], ["URL", "left"], ["what was said", "left"]],
      run.failures.map(([reason, seq, url, message], index) => {
        const isFirst = !index || run.failures[index - 1][0] !== reason;
        return make("tr", {}, make("th", { scope: "row" }, isFirst ? run.reasons[reason][0] : ""),
          cell(isFirst ? count(run.reasons[reason][1]) : ""), cell("#" + seq),
          cell(shown(url) || "(the line is not shown)", "text code"), cell(shown(message), "text"));
      }));
  };
  const tellHosts = () => {
    byId("hosts-note").textContent = run.turned_out
      ? "There were more hosts than are kept. These are the busiest; a number with + is from when its host came last, and may miss some."
      : `${count(run.hosts.length)} ${run.hosts.length === 1 ? "host" : "hosts"}, the busiest first. Shares of time are within 5%.`;
    fillTable(byId("hosts"), [["host", "left"], ["requests"], ["ok"], ["failed"], ["retries"], ["body"], ["50%"], ["95%"], ["longest"]],
      run.hosts.map(([name, ok, failed, retried, bytes, p50, p95, longest, missed]) =>
        make("tr", {}, cell(shown(name), "text code"), cell(count(ok + failed) + (missed ? "+" : "")), cell(count(ok)), cell(count(failed)), cell(count(retried)),
          cell(size(bytes)), ...[p50, p95, longest].map((us) => cell(longest ? duration(us) : "\u2013")))));
  };
  const tellLegends = () => {
    const seen = new Set(run.reasons.map(([, number], index) => number ? outcomeOf[index] : null));
    byId("legend").append(
      ...Object.keys(outcomes).filter((kind) => seen.has(kind)).map((kind) => swatch(outcomes[kind].label, kind, "block")),
      swatch("queued", "undone", "thin"), swatch("tries, hops before", "ok", "middle 0.4"), swatch("connecting", "ok", "block 0.38"),
      swatch("waiting", "ok", "block 0.68"), swatch("receiving", "ok", "block 1"));
    byId("flight-legend").append(swatch("mean", "ok", "block 0.75"), swatch("most at once", "peak", "line"), swatch("limit", "", "dash"));
    byId("starts-legend").append(swatch("starts, with retries and hops", "ok", "block 0.75"));
    if (run.rate) byId("starts-legend").append(swatch("--rate", "", "dash"));
    byId("ends-legend").append(swatch("ok", "ok", "block"), swatch("failed", "network", "block"), swatch("halted, cancelled", "undone", "block"));
    byId("spread-legend").append(swatch("ok", "ok", "block"), swatch("answered, and failed", "network", "block"));
    byId("sampled").textContent = run.stride > 1
      ? `Every ${count(run.stride)}th of ${count(run.requests)} requests: ${count(run.samples.length)} bars. All other numbers are of all requests.` : "";
  };

  // ---- all of it ----

  const drawAll = () => {
    readColors();
    drawTimelines();
    drawSpread();
    drawWaterfall();
  };
  tellHead();
  byId("report").hidden = false;
  tellTiles();
  tellLegends();
  tellTimes();
  tellOutcomes();
  tellFailures();
  tellHosts();
  readColors();
  choose();
  drawAll();
  listen();
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) requestAnimationFrame(drawAll);
    width = innerWidth;
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  root.dataset.bars = String(run.samples.length);
  root.dataset.drawn = "yes";
})();
