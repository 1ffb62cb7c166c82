"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const D = JSON.parse(byId("data").textContent);
  const N = D.n.length, E = D.es.length;
  const DRAWN = 5000, LINES = 320, ROWS = 22;

  // -- the graph: columns become arrays; callers and callees of each lie one behind another -----------

  const parent = Int32Array.from(D.p, (step, i) => i - step);
  parent[0] = -1;
  const X = Float32Array.from(D.x, (v) => v / 10), Y = Float32Array.from(D.y, (v) => v / 10), R = Float32Array.from(D.r, (v) => v / 10);
  const from = new Int32Array(E), to = new Int32Array(E);
  for (let e = 0, at = 0; e < E; e++) { at += D.es[e]; from[e] = at; to[e] = at + D.et[e]; }
  // A difference has what was removed, too.
  let there = 0;
  const edgeType = (e) => D.ek[e] >> 2, sure = (e) => D.ek[e] & 3;
  const type = (i) => D.types[D.t[i]];
  const last = new Int32Array(N).map((_, i) => i);
  const depthOf = new Uint8Array(N), inside = new Int32Array(N);
  for (let i = N - 1; i > 0; i--) last[parent[i]] = Math.max(last[parent[i]], last[i]);
  for (let i = 1; i < N; i++) depthOf[i] = depthOf[parent[i]] + 1;
  const holds = (i) => last[i] > i;
  const isFolder = (i) => type(i) === "folder";
  const isSymbol = (i) => !isFolder(i) && type(i) !== "file";
  for (let i = 0; i < N; i++) if (isSymbol(i) && type(i) !== "external") there++;
  const children = Array.from({ length: N }, () => null);
  for (let i = 1; i < N; i++) (children[parent[i]] ||= []).push(i);

  function index(ends) {
    const start = new Int32Array(N + 1), list = new Int32Array(E);
    for (let e = 0; e < E; e++) start[ends[e] + 1]++;
    for (let i = 0; i < N; i++) start[i + 1] += start[i];
    const next = start.slice();
    for (let e = 0; e < E; e++) list[next[ends[e]]++] = e;
    return (i) => list.subarray(start[i], start[i + 1]);
  }
  const leaving = index(from), coming = index(to);
  const isCall = (e) => D.calls.includes(edgeType(e));

  function keyOf(i) {
    if (i === 0) return "";
    if (type(i) === "external") return "ext::" + D.n[i];
    if (isFolder(i) || type(i) === "file") { const above = keyOf(parent[i]); return (above ? above + "/" : "") + D.n[i]; }
    return fileOf(i) + "::" + D.n[i];
  }
  function fileOf(i) {
    while (i > 0 && type(i) !== "file" && !isFolder(i)) i = parent[i];
    return keyOf(i);
  }
  let known = null;
  function find(key) {
    if (!known) { known = new Map(); for (let i = 0; i < N; i++) known.set(keyOf(i), i); }
    return known.has(key) ? known.get(key) : -1;
  }
  const short = (i) => { const name = D.n[i] || D.project; return isSymbol(i) && type(i) !== "external" ? name.slice(name.lastIndexOf(".") + 1).split("#")[0] : name; };

  const metrics = { lines: D.h, complexity: D.c, callers: new Int32Array(N), callees: new Int32Array(N) };
  for (let e = 0; e < E; e++) if (isCall(e) && sure(e) < 3) { metrics.callers[to[e]]++; metrics.callees[from[e]]++; }
  const most = Object.fromEntries(Object.keys(metrics).map((name) => {
    const found = Array.from(metrics[name]).filter((v, i) => v > 0 && isSymbol(i)).sort((a, b) => a - b);
    return [name, found.length ? Math.max(2, found[Math.floor(found.length * 0.98)]) : 2];
  }));

  // -- the state -------------------------------------------------------------------------------------

  const S = {
    focus: D.focus, depth: D.depth, chosen: D.focus, path: null, pathFrom: -1, folder: "", changed: false, size: "",
    colour: D.k.length ? "change" : "type", theme: "", open: new Set([0]), moved: new Map(), grown: new Set(),
    off: { t: new Set(D.types.map((t, i) => i).filter((i) => D.types[i] === "external")), e: new Set(), c: new Set([3]), g: new Set() },
    cam: null,
  };
  const usual = JSON.stringify([...S.off.t]);

  function begin() {
    // Open what is largest as long as it stays readable.
    if (N <= 160) { for (let i = 0; i < N; i++) if (holds(i)) S.open.add(i); return; }
    let seen = [...(children[0] || [])];
    for (;;) {
      const next = seen.filter((i) => isFolder(i) && holds(i) && !keyOf(i).startsWith("(outside)") && seen.length + children[i].length <= 70).sort((a, b) => R[b] - R[a])[0];
      if (next === undefined) break;
      S.open.add(next);
      seen = seen.filter((i) => i !== next).concat(children[next]);
    }
  }
  begin();
  const firstOpen = [...S.open].sort((a, b) => a - b).join(".");

  function save() {
    const said = new URLSearchParams();
    if (S.focus >= 0) { said.set("focus", keyOf(S.focus)); said.set("depth", S.depth); }
    if (S.grown.size) said.set("grown", [...S.grown].map(keyOf).join("|"));
    if (S.path) said.set("path", keyOf(S.path.ends[0]) + "|" + keyOf(S.path.ends[1]));
    if (S.chosen >= 0) said.set("chosen", keyOf(S.chosen));
    if (S.folder) said.set("folder", S.folder);
    if (S.changed) said.set("changed", "1");
    if (S.size) said.set("size", S.size);
    if (S.colour !== (D.k.length ? "change" : "type")) said.set("colour", S.colour);
    if (S.theme) said.set("theme", S.theme);
    const names = { t: D.types, e: D.edgeTypes, c: D.confidences, g: D.languages };
    for (const key of "tecg") {
      const off = [...S.off[key]].map((i) => names[key][i]).join(",");
      if (off !== { t: JSON.parse(usual).map((i) => D.types[i]).join(","), e: "", c: "ambiguous", g: "" }[key]) said.set("off-" + key, off);
    }
    const open = [...S.open].sort((a, b) => a - b).join(".");
    if (open !== firstOpen) said.set("open", [...S.open].filter((i) => i).map(keyOf).join("|"));
    if (S.cam && !columnsShown()) said.set("at", [S.cam.x, S.cam.y, S.cam.k].map((v) => +v.toPrecision(5)).join(","));
    const text = "#" + said;
    if (text !== location.hash) history.replaceState(null, "", text === "#" ? location.pathname + location.search : text);
  }

  function load() {
    const said = new URLSearchParams(location.hash.slice(1));
    if (![...said.keys()].length) return;
    const one = (name) => said.has(name) ? find(said.get(name)) : -1;
    S.focus = one("focus"); S.chosen = one("chosen");
    S.depth = Math.min(6, Math.max(1, parseInt(said.get("depth"), 10) || 1));
    S.folder = said.get("folder") || ""; S.changed = said.has("changed");
    S.size = said.get("size") in metrics ? said.get("size") : "";
    if (said.has("colour")) S.colour = said.get("colour");
    S.theme = ["light", "dark"].includes(said.get("theme")) ? said.get("theme") : "";
    S.grown = new Set((said.get("grown") || "").split("|").filter(Boolean).map(find).filter((i) => i >= 0));
    const names = { t: D.types, e: D.edgeTypes, c: D.confidences, g: D.languages };
    for (const key of "tecg") if (said.has("off-" + key)) S.off[key] = new Set(said.get("off-" + key).split(",").map((n) => names[key].indexOf(n)).filter((i) => i >= 0));
    if (said.has("open")) S.open = new Set([0, ...said.get("open").split("|").filter(Boolean).map(find).filter((i) => i > 0)]);
    const [x, y, k] = (said.get("at") || "").split(",").map(Number);
    if (k > 0 && isFinite(x) && isFinite(y)) S.cam = { x, y, k };
    S.path = null;
    const ends = (said.get("path") || "").split("|").map(find);
    if (ends.length === 2 && ends[0] > 0 && ends[1] > 0) S.path = way(ends[0], ends[1]);
  }

  // -- what is kept by the filters, and what is seen of it ----------------------------------------------

  let keep = new Uint8Array(N), keepEdge = new Uint8Array(E), counts = { symbols: 0, edges: 0 };
  function filter() {
    const below = S.folder ? find(S.folder.replace(/\/+$/, "")) : 0;
    keep = new Uint8Array(N); inside.fill(0);
    let symbols = 0;
    for (let i = N - 1; i >= 0; i--) {
      const ok = !isFolder(i) && (below < 0 || (i >= below && i <= last[below])) && !S.off.t.has(D.t[i]) && (!D.languages[D.g[i]] || !S.off.g.has(D.g[i])) && (!S.changed || D.k[i]);
      if (ok) { keep[i] = 1; if (isSymbol(i) && type(i) !== "external") symbols++; }
      inside[i] += ok && isSymbol(i) && type(i) !== "external" ? 1 : 0;
      // A folder without anything that is kept is not seen.
      if (keep[i] && i) keep[parent[i]] = 1;
      if (i) inside[parent[i]] += inside[i];
    }
    keep[0] = 1;
    keepEdge = new Uint8Array(E);
    let edges = 0;
    for (let e = 0; e < E; e++) if (keep[from[e]] && keep[to[e]] && !S.off.e.has(edgeType(e)) && !S.off.c.has(sure(e))) { keepEdge[e] = 1; edges++; }
    counts = { symbols, edges };
  }

  let scene = { items: [], links: [], left: 0, allLinks: 0 };
  const columnsShown = () => S.focus >= 0 || S.path;

  function build() {
    scene = columnsShown() ? columns() : map();
    if (!S.cam) fit();
    grid();
    draw();
    tell();
    save();
  }

  function map() {
    const shown = new Int32Array(N), dx = new Float32Array(N), dy = new Float32Array(N), items = [];
    for (let i = 0; i < N; i++) {
      const up = parent[i];
      const visible = keep[i] && (i === 0 || (shown[up] === up && S.open.has(up)));
      shown[i] = visible ? i : i ? shown[up] : 0;
      if (!visible) continue;
      const moved = S.moved.get(i);
      dx[i] = (i ? dx[up] : 0) + (moved ? moved[0] : 0);
      dy[i] = (i ? dy[up] : 0) + (moved ? moved[1] : 0);
      const open = holds(i) && S.open.has(i) && (children[i] || []).some((c) => keep[c]);
      // The project itself is the paper.
      if (i) items.push({ i, x: X[i] + dx[i], y: Y[i] + dy[i], r: R[i], open });
    }
    return { items, ...joined(shown, items), left: 0, map: true };
  }

  function joined(shown, items) {
    const place = new Map(items.map((item) => [item.i, item])), links = new Map();
    for (let e = 0; e < E; e++) {
      if (!keepEdge[e]) continue;
      const a = shown[from[e]], b = shown[to[e]];
      if (a < 0 || b < 0 || a === b || (b > a && b <= last[a]) || (a > b && a <= last[b])) continue;
      const key = a * N + b, link = links.get(key);
      const change = D.ec.length ? D.ec[e] : 0;
      if (link) { link.w++; link.c = Math.min(link.c, sure(e)); link.t = Math.min(link.t, edgeType(e)); link.ch = link.ch === change ? change : 3; }
      else links.set(key, { a: place.get(a), b: place.get(b), w: 1, c: sure(e), t: edgeType(e), ch: change });
    }
    const found = [...links.values()].filter((l) => l.a && l.b).sort((l, m) => m.w - l.w);
    // How heavy a line is among those that are drawn, from 0 to 1.
    const least = found.length ? Math.log(found[Math.min(found.length, LINES) - 1].w) : 0, span = found.length ? Math.log(found[0].w) - least : 0;
    for (const link of found) link.heavy = span > 0 ? Math.max(0, (Math.log(link.w) - least) / span) : 0.3;
    return { links: found.slice(0, LINES * 10), allLinks: found.length };
  }

  // A symbol's callers on its left, what it calls on its right, a step a column; or a way from left to right.
  function columns() {
    const places = new Map();
    let left = 0;
    if (S.path) S.path.nodes.forEach((i, step) => places.set(i, [step, 0]));
    else {
      places.set(S.focus, [0, 0]);
      for (const [side, ways, end] of [[1, leaving, to], [-1, coming, from]]) {
        let edge = [S.focus];
        for (let step = 1; edge.length && step <= 8; step++) {
          const pull = new Map();
          edge.forEach((i, row) => { if (step <= S.depth || S.grown.has(i)) for (const e of ways(i)) { const o = end[e]; if (keepEdge[e] && !places.has(o) && !pull.has(o)) pull.set(o, row); } });
          const ranked = [...pull.keys()].sort((a, b) => leaving(b).length + coming(b).length - leaving(a).length - coming(a).length || a - b);
          const kept = ranked.slice(0, ROWS).sort((a, b) => pull.get(a) - pull.get(b) || a - b);
          left += ranked.length - kept.length;
          kept.forEach((i, row) => places.set(i, [side * step, row]));
          edge = kept;
        }
      }
    }
    const heights = new Map();
    for (const [column, row] of places.values()) heights.set(column, Math.max(heights.get(column) || 0, row + 1));
    const items = [...places].map(([i, [column, row]]) => {
      const moved = S.moved.get(i) || [0, 0];
      return { i, x: column * 270 + moved[0], y: (row - (heights.get(column) - 1) / 2) * 44 + moved[1], r: 20, w: 208, h: 34, box: true, open: false };
    });
    const shown = new Int32Array(N).fill(-1);
    for (const i of places.keys()) shown[i] = i;
    return { items, ...joined(shown, items), left, map: false };
  }

  // -- ways ----------------------------------------------------------------------------------------------

  function way(a, b) {
    for (const [first, second, back] of [[a, b, false], [b, a, true]]) {
      const before = new Map([[first, -1]]);
      let edge = [first];
      while (edge.length && !before.has(second)) {
        const next = [];
        for (const i of edge) for (const e of leaving(i)) if (keepEdge[e] && !before.has(to[e])) { before.set(to[e], i); next.push(to[e]); }
        edge = next;
      }
      if (before.has(second)) {
        const nodes = [];
        for (let i = second; i !== -1; i = before.get(i)) nodes.unshift(i);
        return { nodes, ends: [a, b], back };
      }
    }
    return { nodes: [a, b], ends: [a, b], none: true };
  }

  // -- drawing ---------------------------------------------------------------------------------------------

  const canvas = byId("canvas"), stage = byId("stage"), pen = canvas.getContext("2d");
  let width = 0, height = 0, ratio = 1, hover = -1, colours = {};
  const NAMES = "paper raised folder closed ink soft line accent edge in out extends imports path function method class file external other low high added removed changed moved".split(" ");
  function readColours() {
    const probe = document.createElement("i");
    document.body.append(probe);
    for (const name of NAMES) { probe.style.color = `var(--${name})`; colours[name] = getComputedStyle(probe).color; }
    probe.remove();
  }
  const rgb = (text) => (text.match(/[\d.]+/g) || [0, 0, 0]).slice(0, 3).map(Number);
  function mixed(a, b, share) { const p = rgb(a), q = rgb(b); return `rgb(${p.map((v, i) => Math.round(v + (q[i] - v) * share)).join(",")})`; }
  const share = (name, i) => Math.min(1, Math.sqrt((metrics[name][i] || 0) / most[name]));
  const hues = (g) => `hsl(${(g * 137) % 360} 45% 55%)`;
  const CLASSES = ["class", "interface", "type", "enum", "trait", "namespace"];

  function colourOf(i) {
    if (S.colour === "change") return D.k.length && D.k[i] ? colours[D.changes[D.k[i]]] : isFolder(i) ? colours.closed : colours.external;
    if (isFolder(i)) return colours.closed;
    if (S.colour in metrics) return mixed(colours.low, colours.high, share(S.colour, i));
    if (S.colour === "language" && D.languages[D.g[i]]) return hues(D.g[i]);
    const kind = type(i);
    return colours[CLASSES.includes(kind) ? "class" : ["function", "method", "file", "external"].includes(kind) ? kind : "other"];
  }
  // What changed within a folder that is closed is told by its edge.
  const changedWithin = D.k.length ? (() => { const found = new Uint8Array(N); for (let i = N - 1; i > 0; i--) { if (D.k[i]) found[i] = 1; if (found[i]) found[parent[i]] = 1; } return found; })() : null;
  const drawnRadius = (item) => item.box || item.open || holds(item.i) || !S.size ? item.r : item.r * (0.3 + 0.7 * share(S.size, item.i));

  function fit() {
    if (!scene.items.length) return;
    let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
    for (const it of scene.items) { const w = it.box ? it.w / 2 : it.r, h = it.box ? it.h / 2 : it.r; x0 = Math.min(x0, it.x - w); x1 = Math.max(x1, it.x + w); y0 = Math.min(y0, it.y - h); y1 = Math.max(y1, it.y + h); }
    // On a small screen the panel lies over the lower half.
    const free = innerWidth <= 900 && !byId("panel").hidden ? height * 0.52 : height;
    const k = Math.min((width - 40) / (x1 - x0), (free - 84) / (y1 - y0), scene.map ? 20 : 1.5);
    S.cam = { x: (x0 + x1) / 2, y: (y0 + y1) / 2, k: Math.max(k, scene.map ? 0.001 : 0.55) };
    if (!scene.map && k < 0.55) { const it = scene.items.find((one) => one.i === S.focus); if (it) { S.cam.x = it.x; S.cam.y = it.y; } }
    S.cam.y += (height - free) / 2 / S.cam.k;
  }

  let waiting = false;
  function draw() { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; paint(); }); } }

  let drawn = 0, lines = 0;
  function paint() {
    if (!S.cam) fit();
    const { x, y, k } = S.cam;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = colours.paper;
    pen.fillRect(0, 0, width, height);
    const sx = (v) => (v - x) * k + width / 2, sy = (v) => (v - y) * k + height / 2;
    const off = (it) => { const w = (it.box ? it.w / 2 : it.r) * k; const px = sx(it.x), py = sy(it.y); return px + w < 0 || px - w > width || py + w < 0 || py - w > height; };
    const seen = scene.items.filter((it) => !off(it) && (it.box || it.r * k > 0.8));
    const many = seen.length > DRAWN ? seen.sort((a, b) => b.r - a.r).slice(0, DRAWN).sort((a, b) => a.i - b.i) : seen;
    drawn = many.length;
    for (const it of many) if (it.open) disc(it, sx(it.x), sy(it.y), it.r * k);
    edges(sx, sy, k, off);
    for (const it of many) if (!it.open) (it.box ? pill : disc)(it, sx(it.x), sy(it.y), drawnRadius(it) * k, k);
    if (scene.map) labels(many, sx, sy, k);
    canvas.dataset.drawn = drawn;
    canvas.dataset.painted ||= Math.round(performance.now());
    tell();
  }

  function ring(i) {
    if (i === S.chosen) return [colours.accent, 3];
    if (i === S.pathFrom) return [colours.path, 3];
    if (i === hover) return [colours.ink, 1.6];
    return null;
  }

  function disc(it, px, py, r) {
    pen.beginPath();
    pen.arc(px, py, Math.max(0.6, r), 0, 7);
    const mark = ring(it.i);
    if (it.open) {
      pen.fillStyle = depthOf[it.i] % 2 ? colours.folder : colours.raised;
      pen.fill();
      pen.lineWidth = mark ? mark[1] : 1;
      pen.strokeStyle = mark ? mark[0] : type(it.i) === "file" || isFolder(it.i) ? colours.line : colourOf(it.i);
      pen.stroke();
      return;
    }
    pen.fillStyle = colourOf(it.i);
    pen.fill();
    if (mark || r > 5) {
      pen.lineWidth = mark ? mark[1] : changedWithin && changedWithin[it.i] ? 2.5 : 1;
      pen.strokeStyle = mark ? mark[0] : changedWithin && changedWithin[it.i] ? colours.changed : isFolder(it.i) ? colours.line : colours.raised;
      pen.stroke();
    }
  }

  function pill(it, px, py, _, k) {
    const w = it.w * k, h = it.h * k, mark = ring(it.i);
    pen.beginPath();
    pen.roundRect(px - w / 2, py - h / 2, w, h, 5 * k);
    pen.fillStyle = colours.raised;
    pen.fill();
    pen.strokeStyle = mark ? mark[0] : it.i === S.focus ? colours.accent : colours.line;
    pen.lineWidth = mark ? mark[1] : it.i === S.focus ? 2 : 1;
    pen.stroke();
    pen.fillStyle = colourOf(it.i);
    pen.fillRect(px - w / 2, py - h / 2 + 5 * k, 4 * k, h - 10 * k);
    if (k < 0.35) return;
    const room = w - 20 * k, name = D.n[it.i];
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    pen.fillStyle = colours.ink;
    pen.font = `${12 * k}px ${mono}`;
    pen.fillText(cut(type(it.i) === "external" ? name : name.split(".").slice(-2).join("."), room), px - w / 2 + 11 * k, py - 6 * k);
    pen.fillStyle = colours.soft;
    pen.font = `${9.5 * k}px ${sans}`;
    const file = fileOf(it.i);
    pen.fillText(cut(file.slice(file.lastIndexOf("/") + 1) + (D.l[it.i] ? ":" + D.l[it.i] : ""), room), px - w / 2 + 11 * k, py + 8 * k);
  }

  const sans = "system-ui, sans-serif", mono = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
  function cut(text, room) {
    if (pen.measureText(text).width <= room) return text;
    let n = Math.floor(text.length * room / pen.measureText(text).width) - 1;
    return n < 2 ? "" : text.slice(0, n) + "…";
  }

  function styleOf(link) {
    const touches = S.chosen >= 0 || hover >= 0, at = hover >= 0 ? hover : S.chosen;
    const within = (it) => it.i === at || (at >= 0 && at > it.i && at <= last[it.i] && !it.open);
    const leaves = touches && within(link.a), comes = touches && within(link.b);
    let colour = colours.edge;
    const name = D.edgeTypes[link.t];
    if (name === "extends" || name === "imports") colour = colours[name];
    if (S.colour === "change" && link.ch) colour = colours[D.changes[link.ch]];
    else if (S.path && !S.path.none) colour = colours.path;
    else if (leaves) colour = colours.out;
    else if (comes) colour = colours.in;
    const strong = leaves || comes || (S.colour === "change" && link.ch);
    return { colour, strong, alpha: strong ? 0.95 : scene.map ? (touches ? 0.12 : scene.links.length < 80 ? 0.75 : 0.12 + 0.45 * link.heavy) : touches && S.chosen !== S.focus ? 0.35 : 0.75 };
  }

  function edges(sx, sy, k, off) {
    let left = LINES;
    lines = 0;
    pen.lineCap = "round";
    for (const link of scene.links) {
      const style = styleOf(link);
      if ((off(link.a) && off(link.b)) || (left <= 0 && !style.strong)) continue;
      if (scene.map && Math.max(link.a.r, link.b.r) * k < 1.5 && !style.strong) continue;
      left--;
      lines++;
      const c = curve(link, sx, sy, k);
      pen.globalAlpha = style.alpha;
      pen.strokeStyle = pen.fillStyle = style.colour;
      pen.lineWidth = c.w;
      pen.setLineDash(link.c === 2 ? [6, 4] : link.c === 3 ? [1.5, 4] : []);
      pen.beginPath();
      pen.moveTo(c.x0, c.y0);
      pen.bezierCurveTo(c.ax, c.ay, c.bx, c.by, c.x1, c.y1);
      pen.stroke();
      pen.setLineDash([]);
      const angle = Math.atan2(c.y1 - c.by, c.x1 - c.bx), size = 3 + c.w * 1.2;
      pen.beginPath();
      pen.moveTo(c.x1, c.y1);
      pen.lineTo(c.x1 - size * Math.cos(angle - 0.45), c.y1 - size * Math.sin(angle - 0.45));
      pen.lineTo(c.x1 - size * Math.cos(angle + 0.45), c.y1 - size * Math.sin(angle + 0.45));
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  function curve(link, sx, sy, k) {
    const a = link.a, b = link.b, w = 0.9 + (a.box ? Math.min(2, Math.log2(link.w) * 0.4) : 3.4 * link.heavy * Math.min(1, Math.log2(link.w) / 4));
    let x0 = sx(a.x), y0 = sy(a.y), x1 = sx(b.x), y1 = sy(b.y);
    if (a.box) {
      const half = a.w / 2 * k, right = b.x > a.x ? 1 : b.x < a.x ? -1 : 0;
      if (!right) { x0 += half; x1 += half; const bulge = 40 * k; return { x0, y0, x1, y1, ax: x0 + bulge, ay: y0, bx: x1 + bulge, by: y1, w }; }
      x0 += right * half; x1 -= right * half;
      const mid = (x0 + x1) / 2;
      return { x0, y0, x1, y1, ax: mid, ay: y0, bx: mid, by: y1, w };
    }
    const dx = x1 - x0, dy = y1 - y0, d = Math.hypot(dx, dy) || 1, bend = 0.14;
    const nx = -dy / d, ny = dx / d, ra = (a.open ? a.r : drawnRadius(a)) * k, rb = (b.open ? b.r : drawnRadius(b)) * k + 1;
    x0 += dx / d * ra; y0 += dy / d * ra; x1 -= dx / d * rb; y1 -= dy / d * rb;
    const l = Math.hypot(x1 - x0, y1 - y0) * bend;
    return { x0, y0, x1, y1, ax: x0 + (x1 - x0) / 3 + nx * l, ay: y0 + (y1 - y0) / 3 + ny * l, bx: x0 + (x1 - x0) * 2 / 3 + nx * l, by: y0 + (y1 - y0) * 2 / 3 + ny * l, w };
  }

  function labels(items, sx, sy, k) {
    const taken = [];
    const order = items.filter((it) => it.r * k > (it.open ? 26 : 11) || it.i === hover || it.i === S.chosen).sort((a, b) => (b.i === hover) - (a.i === hover) || (b.i === S.chosen) - (a.i === S.chosen) || b.r - a.r).slice(0, 400);
    for (const it of order) {
      const r = it.r * k, px = sx(it.x), strong = it.i === hover || it.i === S.chosen;
      const size = it.open ? Math.min(14, 9.5 + r / 60) : Math.max(9, Math.min(14, r / 3.2));
      let py = sy(it.y);
      if (it.open) py = Math.max(py - r + size * 0.2, Math.min(14, py + r));
      pen.font = `${it.open || isFolder(it.i) ? "600 " : ""}${size}px ${isSymbol(it.i) ? mono : sans}`;
      const text = strong ? short(it.i) : cut(short(it.i), it.open ? Math.min(r * 1.6, 260) : r * 1.9);
      if (!text) continue;
      const wide = pen.measureText(text).width, box = [px - wide / 2 - 4, py - size * 0.75, px + wide / 2 + 4, py + size * 0.75];
      if (!strong && taken.some((t) => t[0] < box[2] && t[2] > box[0] && t[1] < box[3] && t[3] > box[1])) continue;
      taken.push(box);
      if (it.open || strong) {
        pen.fillStyle = colours.raised;
        pen.globalAlpha = 0.9;
        pen.beginPath();
        pen.roundRect(box[0], box[1], box[2] - box[0], box[3] - box[1], 4);
        pen.fill();
        pen.globalAlpha = 1;
      }
      pen.fillStyle = it.open ? colours.soft : isFolder(it.i) || strong ? colours.ink : ink(colourOf(it.i));
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillText(text, px, py);
      if (!it.open && holds(it.i) && r > 24) {
        pen.font = `10px ${sans}`;
        pen.globalAlpha = 0.75;
        pen.fillText(inside[it.i].toLocaleString("en"), px, py + size * 1.15);
        pen.globalAlpha = 1;
      }
    }
  }
  // Dark on light, light on dark.
  function ink(colour) { const probe = rgb(colour); return colour.startsWith("hsl") || probe[0] * 0.3 + probe[1] * 0.59 + probe[2] * 0.11 > 118 ? "#111" : "#fff"; }

  // -- picking: closed things by cells, open ones from the inside out ----------------------------------------

  let cells = new Map(), cell = 1, opened = [];
  function grid() {
    cells = new Map();
    const closed = scene.items.filter((it) => !it.open);
    cell = Math.max(20, (scene.map ? R[0] : 400) / 48);
    for (const it of closed) {
      const w = it.box ? it.w / 2 : it.r, h = it.box ? it.h / 2 : it.r;
      for (let cx = Math.floor((it.x - w) / cell); cx <= Math.floor((it.x + w) / cell); cx++)
        for (let cy = Math.floor((it.y - h) / cell); cy <= Math.floor((it.y + h) / cell); cy++) {
          const key = cx * 65536 + cy;
          if (cells.has(key)) cells.get(key).push(it); else cells.set(key, [it]);
        }
    }
    opened = scene.items.filter((it) => it.open).reverse();
  }
  function pick(px, py) {
    const x = (px - width / 2) / S.cam.k + S.cam.x, y = (py - height / 2) / S.cam.k + S.cam.y;
    const hit = (it) => it.box ? Math.abs(x - it.x) <= it.w / 2 && Math.abs(y - it.y) <= it.h / 2 : Math.hypot(x - it.x, y - it.y) <= it.r;
    return (cells.get(Math.floor(x / cell) * 65536 + Math.floor(y / cell)) || []).find(hit) || opened.find((it) => it.i && hit(it)) || null;
  }

  // -- doing ---------------------------------------------------------------------------------------------------

  function refit(change) { change(); S.cam = null; build(); }
  function focus(i) { refit(() => { S.path = null; S.focus = i; S.chosen = i; S.grown.clear(); S.moved.clear(); }); panel(); crumb(); }
  function leave() {
    const i = S.chosen;
    refit(() => { S.focus = -1; S.path = null; S.pathFrom = -1; S.grown.clear(); S.moved.clear(); });
    if (i > 0) reveal(i);
    crumb(); panel();
  }
  function choose(i) {
    if (S.pathFrom >= 0 && i >= 0 && i !== S.pathFrom && !isFolder(i)) {
      const start = S.pathFrom;
      refit(() => { S.pathFrom = -1; S.path = way(start, i); S.focus = -1; S.chosen = i; S.moved.clear(); });
      crumb(); panel();
      return;
    }
    S.chosen = i;
    panel(); draw(); save();
  }
  function toggle(i) {
    if (!holds(i) || i === 0) return;
    if (S.open.has(i)) { for (let c = i; c <= last[i]; c++) S.open.delete(c); }
    else { S.open.add(i); }
    build();
  }
  function reveal(i) {
    for (let up = parent[i]; up >= 0; up = parent[up]) S.open.add(up);
    if (!keep[i]) { S.off.t.delete(D.t[i]); S.off.g.delete(D.g[i]); S.folder = ""; S.changed = false; filter(); controls(); }
    const up = Math.max(0, parent[i]);
    S.cam = { x: X[up], y: Y[up], k: Math.min(6, 0.42 * Math.min(width, height) / R[up]) };
    build();
  }
  function zoom(by, px = width / 2, py = height / 2) {
    const c = S.cam, k = Math.min(60, Math.max(0.002, c.k * by));
    c.x += (px - width / 2) * (1 / c.k - 1 / k); c.y += (py - height / 2) * (1 / c.k - 1 / k); c.k = k;
    draw(); later();
  }
  let timer = 0;
  function later() { clearTimeout(timer); timer = setTimeout(save, 250); }
  function level(by) {
    if (columnsShown()) { if (S.focus >= 0) refit(() => { S.depth = Math.min(6, Math.max(1, S.depth + by)); }); crumb(); return; }
    const seen = scene.items.filter((it) => by > 0 ? !it.open && holds(it.i) && (isFolder(it.i) || type(it.i) === "file") : it.open && it.i > 0);
    if (by > 0) seen.forEach((it) => S.open.add(it.i));
    else { const deepest = Math.max(...seen.map((it) => depthOf[it.i]), 0); seen.filter((it) => depthOf[it.i] === deepest).forEach((it) => S.open.delete(it.i)); }
    build();
  }

  // -- the panel -----------------------------------------------------------------------------------------------

  function el(name, text, more = {}) { const one = document.createElement(name); if (text !== undefined) one.textContent = text; Object.assign(one, more); return one; }
  function act(text, does, title) { const one = el("button", text, { type: "button", title: title || "" }); one.addEventListener("click", does); return one; }

  function panel() {
    const at = byId("panel"), i = S.chosen, was = at.hidden;
    at.hidden = i <= 0;
    at.replaceChildren();
    if (was !== at.hidden) resize();
    if (i <= 0) return;
    at.append(act("×", () => choose(-1), "Close (Escape)"));
    at.firstChild.id = "close";
    at.append(el("h2", D.n[i]));
    const kind = [D.languages[D.g[i]], type(i), D.k.length && D.k[i] ? D.changes[D.k[i]] : ""].filter(Boolean).join(" · ");
    at.append(el("p", kind, { className: "soft" }));
    const file = fileOf(i);
    if (D.l[i] || type(i) === "file") {
      const line = D.l[i] || 1, place = el("p");
      if (D.root) place.append(el("a", `${file}:${line}`, { href: D.root + file.split("/").map(encodeURIComponent).join("/") + "#L" + line, target: "_blank", rel: "noreferrer" }));
      else place.textContent = `${file}:${line}`;
      place.id = "place";
      at.append(place);
    }
    if (D.s[i]) at.append(el("code", D.s[i], { id: "signature" }));
    if (D.d[i]) at.append(el("p", D.d[i], { id: "says" }));
    const acts = el("div", undefined, { className: "acts" });
    if (!isFolder(i)) acts.append(act(S.focus === i ? "Focused" : "Focus", () => focus(i), "What is around it (f)"), act("Path from here", () => { S.pathFrom = i; crumb(); draw(); }, "Then choose the other end (p)"));
    if (holds(i) && !columnsShown()) acts.append(act(S.open.has(i) ? "Close" : "Open", () => { toggle(i); panel(); }, "Enter, or a double click"));
    if (columnsShown() && S.focus >= 0 && S.focus !== i) acts.append(act("Deeper", () => { S.grown.add(i); build(); }, "A step further from here; a double click"));
    acts.append(act("On the map", () => { S.focus = -1; S.path = null; reveal(i); crumb(); panel(); }, "Where it lies (m)"));
    at.append(acts);
    const facts = el("dl");
    const said = isFolder(i) ? [["symbols", inside[i]]] : [["lines", D.h[i]], ["complexity", D.c[i]], ["callers", metrics.callers[i]], ["callees", metrics.callees[i]]];
    for (const [name, value] of said) facts.append(el("dt", name), el("dd", value ? value.toLocaleString("en") : "–"));
    at.append(facts);
    if (isFolder(i)) { list(at, "Holds", (children[i] || []).map((c) => ({ i: c, c: 0, l: 0 }))); return; }
    const each = (edges, end, test) => Array.from(edges).filter((e) => !S.off.c.has(sure(e)) && test(e)).map((e) => ({ i: end[e], c: sure(e), l: D.el[e], e }));
    list(at, "Callers", each(coming(i), from, isCall));
    list(at, "Callees", each(leaving(i), to, isCall));
    const named = (name) => (e) => D.edgeTypes[edgeType(e)] === name;
    list(at, "Extends", each(leaving(i), to, named("extends")));
    list(at, "Extended by", each(coming(i), from, named("extends")));
    list(at, "Imports", each(leaving(i), to, named("imports")));
    list(at, "Imported by", each(coming(i), from, named("imports")));
    if (holds(i)) list(at, "Holds", (children[i] || []).map((c) => ({ i: c, c: 0, l: 0 })));
  }
  function list(at, name, found) {
    if (!found.length) return;
    at.append(el("h3", `${name} (${found.length})`));
    const ul = el("ul");
    ul.dataset.name = name;
    found.sort((a, b) => (type(a.i) === "external") - (type(b.i) === "external") || a.c - b.c || a.i - b.i);
    for (const one of found.slice(0, 60)) {
      const button = act(D.n[one.i], () => { if (S.focus >= 0 && !isFolder(one.i)) focus(one.i); else if (columnsShown()) choose(one.i); else { choose(one.i); reveal(one.i); } }, keyOf(one.i));
      const tag = one.c >= 2 ? " " + D.confidences[one.c] : "";
      if (tag || one.l) button.append(el("small", `  ${one.l ? "line " + one.l : ""}${tag}`));
      const li = el("li");
      li.append(button);
      ul.append(li);
    }
    at.append(ul);
    if (found.length > 60) at.append(el("p", `showing 60 of ${found.length}`, { className: "soft" }));
  }

  function crumb() {
    const at = byId("crumb");
    at.replaceChildren();
    at.hidden = !columnsShown() && S.pathFrom < 0;
    if (S.pathFrom >= 0) at.append(el("span", `Path from ${D.n[S.pathFrom]}: choose the other end`), act("Cancel", () => { S.pathFrom = -1; crumb(); draw(); }));
    else if (S.path) {
      const steps = S.path.nodes.length - 1;
      at.append(el("span", S.path.none ? "No way leads from one to the other" : `Path of ${steps} step${steps === 1 ? "" : "s"}${S.path.back ? ", the other way round" : ""}`), act("Back to the map", leave));
    } else if (S.focus >= 0) {
      at.append(el("span", `Around ${D.n[S.focus]}: callers left, callees right`), act("−", () => level(-1), "One step less ([)"), el("b", `${S.depth}`), act("+", () => level(1), "One step more (])"), act("Back to the map", leave));
    }
  }

  function tell() {
    const parts = [];
    if (scene.map) parts.push(`${counts.symbols.toLocaleString("en")} of ${Math.max(D.symbols, there).toLocaleString("en")} symbols`);
    const closed = scene.items.filter((it) => !it.open).length;
    if (scene.left) parts.push(`showing ${closed} of ${closed + scene.left} symbols`);
    if (scene.map && scene.items.length > DRAWN && drawn >= DRAWN) parts.push(`showing ${drawn.toLocaleString("en")} of ${scene.items.length.toLocaleString("en")} circles`);
    if (scene.allLinks > LINES) parts.push(`showing ${lines.toLocaleString("en")} of ${scene.allLinks.toLocaleString("en")} lines`);
    else if (scene.map) parts.push(`${scene.allLinks.toLocaleString("en")} lines for ${counts.edges.toLocaleString("en")} edges`);
    else parts.push(`${scene.allLinks} lines`);
    if (there < D.symbols) parts.push(`the page holds ${there.toLocaleString("en")} of ${D.symbols.toLocaleString("en")} symbols, those with the most edges`);
    if (E < D.edgeCount) parts.push(`the page holds ${E.toLocaleString("en")} of ${D.edgeCount.toLocaleString("en")} edges, the surest`);
    const text = parts.join(" · ");
    if (byId("told").textContent !== text) byId("told").textContent = text;
  }

  // -- controls ------------------------------------------------------------------------------------------------

  function boxes(id, names, key, count) {
    const at = byId(id);
    [...at.querySelectorAll("label")].forEach((one) => one.remove());
    names.forEach((name, n) => {
      if (!name || (key === "t" && name === "folder") || !count[n]) return;
      const box = el("input", undefined, { type: "checkbox", checked: !S.off[key].has(n), value: name });
      box.addEventListener("change", () => { if (box.checked) S.off[key].delete(n); else S.off[key].add(n); refilter(); });
      const label = el("label");
      label.append(box, el("span", name.replace("_", " ")), el("small", count[n].toLocaleString("en")));
      at.append(label);
    });
    at.hidden = !at.querySelector("label");
  }
  function refilter() {
    filter();
    if (S.path) S.path = way(...S.path.ends);
    build(); panel(); legend();
  }
  function tally(values, size) { const found = new Array(size).fill(0); for (const v of values) found[v]++; return found; }
  function controls() {
    boxes("types", D.types, "t", tally(D.t, D.types.length));
    boxes("edges", D.edgeTypes, "e", tally(D.ek.map((v) => v >> 2), D.edgeTypes.length));
    boxes("sure", D.confidences, "c", tally(D.ek.map((v) => v & 3), 4));
    boxes("languages", D.languages, "g", tally(D.g, D.languages.length));
    byId("folder").value = S.folder; byId("size").value = S.size; byId("colour").value = S.colour; byId("changed").checked = S.changed;
  }
  function legend() {
    const at = byId("legend");
    at.replaceChildren();
    const dot = (colour, text) => { const li = el("li"), i = el("i"); i.style.background = colour; li.append(i, el("span", text)); at.append(li); };
    const line = (colour, text, look = "") => { const li = el("li"), i = el("i", undefined, { className: "edge " + look }); i.style.borderColor = colour; li.append(i, el("span", text)); at.append(li); };
    if (S.colour === "change") for (const name of D.changes.slice(1)) dot(colours[name], name);
    else if (S.colour in metrics) { dot(colours.low, "few " + S.colour); dot(colours.high, `${most[S.colour]} or more`); }
    else if (S.colour === "language") D.languages.forEach((name, g) => { if (name) dot(hues(g), name); });
    else for (const name of ["function", "method", "class", "file", "external", "other"]) if (name === "other" || D.types.includes(name)) dot(colours[name], name);
    dot(colours.closed, "folder, closed; its number: symbols within");
    line(colours.edge, "calls"); line(colours.extends, "extends"); line(colours.imports, "imports");
    line(colours.out, "leaves what is chosen"); line(colours.in, "leads to what is chosen");
    line(colours.edge, "by name only", "dashed"); line(colours.edge, "ambiguous", "dotted");
  }

  // -- search --------------------------------------------------------------------------------------------------

  let options = [], at = -1;
  function suggest() {
    const said = byId("query").value.trim().toLowerCase(), box = byId("found");
    options = [];
    at = -1;
    if (said) {
      const ranked = [];
      for (let i = 1; i < N; i++) {
        const name = D.n[i].toLowerCase(), place = name.indexOf(said);
        if (place < 0 && !(said.includes("/") && keyOf(i).toLowerCase().includes(said))) continue;
        const bare = short(i).toLowerCase();
        const rank = (bare === said || name === said ? 0 : bare.startsWith(said) ? 1 : bare.includes(said) ? 2 : 3) * 1000 + Math.min(900, name.length) - Math.min(60, metrics.callers[i]) + (type(i) === "external" ? 3500 : 0);
        ranked.push([rank, i]);
      }
      ranked.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      options = ranked.slice(0, 12).map((one) => one[1]);
      at = options.length ? 0 : -1;
    }
    box.replaceChildren(...options.map((i, n) => {
      const li = el("li", D.n[i], { id: "option-" + n });
      li.setAttribute("role", "option");
      li.append(el("small", `${type(i)} · ${fileOf(i)}`));
      li.addEventListener("pointerdown", (event) => { event.preventDefault(); take(i); });
      return li;
    }));
    if (said && !options.length) box.append(el("li", "Nothing is called so"));
    box.hidden = !said;
    mark();
  }
  function mark() {
    [...byId("found").children].forEach((li, n) => li.setAttribute("aria-selected", n === at));
    byId("query").setAttribute("aria-expanded", !byId("found").hidden);
    if (at >= 0) { byId("query").setAttribute("aria-activedescendant", "option-" + at); byId("found").children[at].scrollIntoView({ block: "nearest" }); }
    else byId("query").removeAttribute("aria-activedescendant");
  }
  function take(i) {
    byId("found").hidden = true;
    byId("query").setAttribute("aria-expanded", "false");
    canvas.focus();
    if (S.pathFrom >= 0) choose(i);
    else if (isFolder(i) || type(i) === "file") { S.focus = -1; S.path = null; S.chosen = i; reveal(i); panel(); crumb(); }
    else focus(i);
  }
  byId("query").addEventListener("input", suggest);
  byId("query").addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); if (options.length) at = (at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length; mark(); }
    else if (event.key === "Enter" && at >= 0) { event.preventDefault(); take(options[at]); }
    else if (event.key === "Escape") { byId("found").hidden = true; canvas.focus(); }
    event.stopPropagation();
  });
  byId("query").addEventListener("blur", () => { byId("found").hidden = true; });

  // -- mouse and keys ------------------------------------------------------------------------------------------

  const touches = new Map();
  let drag = null, pinch = 0;
  const place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    const [x, y] = place(event);
    touches.set(event.pointerId, [x, y]);
    const it = pick(x, y);
    drag = { x, y, it: it && !it.open ? it : null, at: it, moved: false };
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (touches.size === 2) {
      touches.set(event.pointerId, [x, y]);
      const [p, q] = [...touches.values()], d = Math.hypot(p[0] - q[0], p[1] - q[1]);
      if (pinch) zoom(d / pinch, (p[0] + q[0]) / 2, (p[1] + q[1]) / 2);
      pinch = d;
      drag = null;
    } else if (drag) {
      const dx = x - drag.x, dy = y - drag.y;
      if (!drag.moved && Math.hypot(dx, dy) < 4) return;
      drag.moved = true; drag.x = x; drag.y = y;
      if (drag.it) {
        const was = S.moved.get(drag.it.i) || [0, 0];
        S.moved.set(drag.it.i, [was[0] + dx / S.cam.k, was[1] + dy / S.cam.k]);
        drag.it.x += dx / S.cam.k; drag.it.y += dy / S.cam.k;
      } else { S.cam.x -= dx / S.cam.k; S.cam.y -= dy / S.cam.k; }
      draw();
    } else {
      const it = pick(x, y), now = it ? it.i : -1;
      if (now !== hover) { hover = it && it.open ? -1 : now; if (it && it.open && hover < 0 && canvas.title === keyOf(it.i)) return; canvas.style.cursor = it && !it.open ? "pointer" : "grab"; canvas.title = it ? keyOf(it.i) : ""; draw(); }
    }
  });
  const release = (event) => {
    touches.delete(event.pointerId);
    if (touches.size < 2) pinch = 0;
    if (!drag) return;
    if (!drag.moved && event.type === "pointerup") choose(drag.at ? drag.at.i : -1);
    else if (drag.it) { grid(); }
    drag = null;
    later();
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => { if (hover >= 0) { hover = -1; draw(); } });
  canvas.addEventListener("dblclick", (event) => {
    const it = pick(...place(event));
    if (!it) return;
    if (columnsShown()) { if (S.focus >= 0) { S.grown.add(it.i); build(); } }
    else if (holds(it.i)) { toggle(it.i); panel(); }
    else focus(it.i);
  });
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), ...place(event)); }, { passive: false });

  const KEYS = "/ search\nf focus on what is chosen · m on the map\np path from what is chosen, then choose the other end\n[ ] steps in focus · Enter open or close\n+ - open or close a level · 0 all of it\narrows move · i o zoom in and out\nn N next, previous beside what is chosen\nl filters · t light or dark · Escape back";
  byId("keys").textContent = KEYS;
  function beside(step) {
    const seen = scene.items.filter((it) => it.i > 0 && (!it.open || it.i === S.chosen)).map((it) => it.i);
    if (seen.length) choose(seen[(seen.indexOf(S.chosen) + step + seen.length) % seen.length]);
  }
  const pan = (x, y) => { S.cam.x += x * 60 / S.cam.k; S.cam.y += y * 60 / S.cam.k; draw(); later(); };
  const DOES = {
    "/": () => { byId("query").focus(); byId("query").select(); }, "f": () => { if (S.chosen > 0 && !isFolder(S.chosen)) focus(S.chosen); },
    "m": () => leave(), "p": () => { if (S.chosen > 0 && !isFolder(S.chosen)) { S.pathFrom = S.chosen; crumb(); draw(); } },
    "[": () => { if (S.focus >= 0) level(-1); }, "]": () => { if (S.focus >= 0) level(1); },
    "+": () => level(1), "=": () => level(1), "-": () => level(-1), "0": () => { fit(); draw(); later(); },
    "i": () => zoom(1.3), "o": () => zoom(1 / 1.3), "n": () => beside(1), "N": () => beside(-1),
    "ArrowLeft": () => pan(-1, 0), "ArrowRight": () => pan(1, 0), "ArrowUp": () => pan(0, -1), "ArrowDown": () => pan(0, 1),
    "l": () => side(), "t": () => turn(), "?": () => { byId("keys").hidden = !byId("keys").hidden; },
    "Enter": () => { if (columnsShown()) { if (S.chosen > 0) { S.grown.add(S.chosen); build(); } } else if (S.chosen > 0) { toggle(S.chosen); panel(); } },
    "Escape": () => { if (!byId("keys").hidden) byId("keys").hidden = true; else if (S.pathFrom >= 0) { S.pathFrom = -1; crumb(); draw(); } else if (columnsShown()) leave(); else choose(-1); },
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (event.target.tagName === "BUTTON" && event.key === "Enter") return;
    if (DOES[event.key]) { event.preventDefault(); DOES[event.key](); }
  });

  function side(show = byId("side").hidden) { byId("side").hidden = !show; byId("filters").setAttribute("aria-expanded", show); resize(); }
  const dark = () => S.theme ? S.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  function theme() { if (S.theme) document.documentElement.dataset.theme = S.theme; else delete document.documentElement.dataset.theme; readColours(); legend(); draw(); }
  function turn() { S.theme = dark() ? "light" : "dark"; theme(); save(); }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme);

  const does = (id, what) => byId(id).addEventListener("click", what);
  does("whole", () => { if (columnsShown()) { S.chosen = -1; leave(); } fit(); draw(); later(); });
  does("less", () => level(-1)); does("more", () => level(1)); does("filters", () => side()); does("theme", turn);
  does("help", () => DOES["?"]());
  byId("folder").addEventListener("change", () => { S.folder = byId("folder").value.trim(); S.cam = null; refilter(); });
  byId("changed").addEventListener("change", () => { S.changed = byId("changed").checked; refilter(); });
  byId("size").addEventListener("change", () => { S.size = byId("size").value; draw(); save(); });
  byId("colour").addEventListener("change", () => { S.colour = byId("colour").value; legend(); draw(); save(); });
  addEventListener("hashchange", () => { S.cam = null; load(); filter(); controls(); theme(); build(); panel(); crumb(); });

  // -- pictures ------------------------------------------------------------------------------------------------

  function keepFile(name, blob) { const link = el("a", "", { download: name, href: URL.createObjectURL(blob) }); link.click(); setTimeout(() => URL.revokeObjectURL(link.href), 4000); }
  const xml = (text) => String(text).replace(/[^\x20-\uFFFD]/g, "?").replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
  function svg() {
    const { x, y, k } = S.cam, sx = (v) => (v - x) * k + width / 2, sy = (v) => (v - y) * k + height / 2, f = (v) => v.toFixed(1);
    const parts = [`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif"><rect width="100%" height="100%" fill="${colours.paper}"/>`];
    const near = (it) => { const r = (it.box ? it.w / 2 : it.r) * k; return sx(it.x) + r > 0 && sx(it.x) - r < width && sy(it.y) + r > 0 && sy(it.y) - r < height && r > 0.8; };
    const circle = (it) => `<circle cx="${f(sx(it.x))}" cy="${f(sy(it.y))}" r="${f(drawnRadius(it) * k)}" fill="${it.open ? (depthOf[it.i] % 2 ? colours.folder : colours.raised) : colourOf(it.i)}" stroke="${colours.line}"><title>${xml(keyOf(it.i))}</title></circle>`;
    const seen = scene.items.filter(near).slice(0, DRAWN);
    parts.push(...seen.filter((it) => it.open).map(circle));
    for (const link of scene.links.slice(0, LINES)) {
      if (!near(link.a) && !near(link.b)) continue;
      const c = curve(link, sx, sy, k), style = styleOf(link);
      parts.push(`<path d="M${f(c.x0)} ${f(c.y0)}C${f(c.ax)} ${f(c.ay)} ${f(c.bx)} ${f(c.by)} ${f(c.x1)} ${f(c.y1)}" fill="none" stroke="${style.colour}" stroke-opacity="${style.alpha.toFixed(2)}" stroke-width="${f(c.w)}"${link.c === 2 ? ' stroke-dasharray="6 4"' : link.c === 3 ? ' stroke-dasharray="1.5 4"' : ""}/>`);
    }
    for (const it of seen) {
      if (!it.open && !it.box) parts.push(circle(it));
      if (it.box) parts.push(`<rect x="${f(sx(it.x) - it.w * k / 2)}" y="${f(sy(it.y) - it.h * k / 2)}" width="${f(it.w * k)}" height="${f(it.h * k)}" rx="5" fill="${colours.raised}" stroke="${colourOf(it.i)}"/>`);
      const r = it.r * k;
      if (it.box || r > (it.open ? 26 : 14)) parts.push(`<text x="${f(sx(it.x))}" y="${f(it.open ? sy(it.y) - r + 10 : sy(it.y) + 4)}" text-anchor="middle" font-size="${f(it.box ? 11 * k : Math.max(8, Math.min(13, r / 3.4)))}" fill="${it.box || it.open || isFolder(it.i) ? colours.ink : ink(colourOf(it.i))}">${xml(short(it.i).slice(0, it.box ? 30 : Math.max(3, Math.floor(r / 3))))}</text>`);
    }
    return parts.join("\n") + "\n</svg>\n";
  }
  does("save-svg", () => keepFile(D.project + "-graph.svg", new Blob([svg()], { type: "image/svg+xml" })));
  does("save-png", () => { paint(); canvas.toBlob((blob) => keepFile(D.project + "-graph.png", blob), "image/png"); });

  function resize() {
    const box = stage.getBoundingClientRect();
    width = Math.max(50, Math.round(box.width)); height = Math.max(50, Math.round(box.height)); ratio = devicePixelRatio || 1;
    canvas.width = width * ratio; canvas.height = height * ratio;
    // Nothing but white would be seen until the next frame.
    if (scene.items.length) paint();
  }
  new ResizeObserver(resize).observe(stage);

  // -- the beginning -------------------------------------------------------------------------------------------

  byId("project").textContent = D.project;
  byId("project").title = D.source ? "source: " + D.source : D.project;
  byId("side").hidden = innerWidth < 900;
  byId("filters").setAttribute("aria-expanded", !byId("side").hidden);
  if (D.k.length || D.before) { byId("changes").hidden = false; byId("compared").textContent = `${D.before} → ${D.after}`; }
  else byId("colour").querySelector('[value="change"]').remove();
  for (let i = 1, n = 0; i < N && n < 300; i++) if (isFolder(i) && depthOf[i] <= 3) { byId("folders").append(el("option", undefined, { value: keyOf(i) })); n++; }
  filter();
  load();
  if (location.hash.length > 1) filter();
  resize();
  theme();
  controls();
  panel();
  crumb();
  build();
  window.explorer = {
    state: S,
    find,
    key: keyOf,
    svg,
    /** What is drawn now. */
    scene: () => scene,
    /** Where a node is on the screen, [x, y]; undefined where it is not drawn. */
    at: (i) => { const it = scene.items.find((one) => one.i === i); return it && [(it.x - S.cam.x) * S.cam.k + width / 2, (it.y - S.cam.y) * S.cam.k + height / 2]; },
  };
})();
