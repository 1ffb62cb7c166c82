"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  const talk = document.querySelector("main");
  const query = byId("query"), count = byId("count"), next = byId("next"), previous = byId("previous");
  byId("bar").hidden = false;

  // What a reader chose is remembered where the browser allows it; for a file it may not.
  const memory = {
    get(name) { try { return localStorage.getItem(name); } catch { return null; } },
    set(name, value) { try { localStorage.setItem(name, value); } catch { /* not kept */ } },
  };

  let quiet;
  const tell = (text) => {
    const told = byId("told");
    told.textContent = text;
    told.classList.add("shown");
    clearTimeout(quiet);
    quiet = setTimeout(() => { told.classList.remove("shown"); told.textContent = ""; }, 1600);
  };

  // -- light and dark --
  const themes = ["auto", "light", "dark"];
  const paint = (theme) => {
    if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
    byId("theme").textContent = "Theme: " + theme;
  };
  let theme = themes.includes(memory.get("sbfs-theme")) ? memory.get("sbfs-theme") : "auto";
  paint(theme);
  byId("theme").addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    memory.set("sbfs-theme", theme);
    paint(theme);
  });

  // -- folding --
  const unfold = (node, opened) => {
    for (let at = node.parentElement; at; at = at.parentElement) {
      if (at.tagName === "DETAILS" && !at.open) { at.open = true; if (opened) opened.push(at); }
    }
  };
  byId("folds").addEventListener("click", (event) => {
    const open = event.target.getAttribute("aria-pressed") !== "true";
    for (const one of byId("talk").querySelectorAll("details")) one.open = open;
    event.target.setAttribute("aria-pressed", String(open));
    event.target.textContent = open ? "Fold all" : "Unfold all";
  });

  // -- places --
  const timeline = byId("timeline"), timelineButton = byId("timeline-button");
  const showTimeline = (shown) => {
    timeline.classList.toggle("shown", shown);
    timelineButton.setAttribute("aria-expanded", String(shown));
  };
  timelineButton.addEventListener("click", () => showTimeline(!timeline.classList.contains("shown")));
  timeline.addEventListener("click", (event) => { if (event.target.closest("a")) showTimeline(false); });

  const goTo = (target) => {
    unfold(target);
    if (target.tagName === "DETAILS") target.open = true;
    // Twice: what comes into sight for the first time takes its real height then.
    target.scrollIntoView();
    requestAnimationFrame(() => target.scrollIntoView());
  };
  const goToHash = () => {
    const target = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
    if (target && talk.contains(target)) goTo(target);
  };
  addEventListener("hashchange", goToHash);
  goToHash();

  talk.addEventListener("click", (event) => {
    const link = event.target.closest("a.anchor");
    if (!link || !navigator.clipboard) return;
    navigator.clipboard.writeText(link.href).then(() => tell("Link copied"), () => tell("The link is in the address bar"));
  });

  const entries = new Map();
  for (const link of timeline.querySelectorAll("a")) {
    const target = byId(link.hash.slice(1));
    if (target) entries.set(target, link);
  }
  let current;
  const mark = () => {
    let found;
    for (const target of entries.keys()) {
      if (target.getBoundingClientRect().top > innerHeight * 0.4) break;
      found = target;
    }
    const link = entries.get(found);
    if (link === current) return;
    if (current) current.removeAttribute("aria-current");
    if (link) { link.setAttribute("aria-current", "true"); link.scrollIntoView({ block: "nearest" }); }
    current = link;
  };
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting || innerWidth < 993) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; mark(); });
  }, { passive: true });

  // -- search: the text of a block is searched as one, whatever elements colour it --
  const LIMIT = 2000;
  const BLOCKS = "p,li,pre,td,th,dt,dd,caption,summary,figcaption,h1,h2,h3,h4,h5,h6,.said,.prose,header";
  const canPaint = typeof Highlight === "function" && CSS.highlights;
  let blocks, matches = [], at = -1, opened = [], asked = "";

  const lower = (text) => {
    const plain = text.toLowerCase();
    if (plain.length === text.length) return plain;
    return text.split("").map((char) => (char.toLowerCase().length === 1 ? char.toLowerCase() : char)).join("");
  };
  const read = () => {
    const made = [];
    let last;
    const walker = document.createTreeWalker(talk, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const home = node.parentElement.closest(BLOCKS);
      if (!home || node.parentElement.closest(".anchor")) continue;
      if (!last || last.home !== home) { last = { home, nodes: [], starts: [], length: 0 }; made.push(last); }
      last.nodes.push(node);
      last.starts.push(last.length);
      last.length += node.data.length;
    }
    for (const block of made) block.text = lower(block.nodes.map((node) => node.data).join(""));
    return made;
  };
  const place = (block, offset, isEnd) => {
    let low = 0, high = block.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (block.starts[middle] < offset + (isEnd ? 0 : 1)) low = middle; else high = middle - 1;
    }
    return [block.nodes[low], offset - block.starts[low]];
  };
  const rangeOf = ([block, offset]) => {
    const range = document.createRange();
    range.setStart(...place(block, offset, false));
    range.setEnd(...place(block, offset + asked.length, true));
    return range;
  };
  const show = () => {
    const none = !matches.length;
    next.disabled = previous.disabled = none;
    count.textContent = !asked ? "" : none ? "no match" : (at + 1) + " of " + matches.length.toLocaleString("en");
  };
  const search = (text) => {
    const wanted = lower(text.trim());
    if (wanted === asked) return;
    asked = wanted;
    matches = [];
    at = -1;
    if (asked) {
      blocks = blocks || read();
      for (const block of blocks) {
        for (let found = block.text.indexOf(asked); found >= 0; found = block.text.indexOf(asked, found + asked.length)) {
          matches.push([block, found]);
        }
      }
    }
    if (canPaint) {
      CSS.highlights.delete("here");
      CSS.highlights.set("found", new Highlight(...matches.slice(0, LIMIT).map(rangeOf)));
    }
    if (matches.length) step(1); else { refold(); show(); }
  };
  const refold = (keep) => {
    opened = opened.filter((one) => (keep && one.contains(keep) ? true : ((one.open = false), false)));
  };
  const step = (by) => {
    if (!matches.length) return;
    at = (at + by + matches.length) % matches.length;
    const range = rangeOf(matches[at]);
    const node = range.startContainer.parentElement;
    refold(node);
    // A summary shows without its own details being open.
    const summary = node.closest("summary");
    unfold(summary ? summary.parentElement : node, opened);
    if (canPaint) {
      const here = new Highlight(range);
      here.priority = 1;
      CSS.highlights.set("here", here);
    } else {
      getSelection().removeAllRanges();
      getSelection().addRange(range);
    }
    const bring = () => {
      const box = range.getBoundingClientRect();
      if (!box.height || box.top < 110 || box.bottom > innerHeight - 40) scrollBy(0, box.top - innerHeight * 0.35);
    };
    node.scrollIntoView({ block: "nearest" });
    bring();
    requestAnimationFrame(bring);
    show();
  };
  const leave = () => {
    query.value = "";
    asked = "";
    matches = [];
    at = -1;
    opened = [];
    if (canPaint) CSS.highlights.clear();
    show();
    query.blur();
  };

  let pause;
  query.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => search(query.value), 150);
  });
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(pause);
    if (lower(query.value.trim()) !== asked) search(query.value); else step(1);
  });
  previous.addEventListener("click", () => step(-1));
  query.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.shiftKey) { event.preventDefault(); step(-1); }
  });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { leave(); showTimeline(false); return; }
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    if (event.key === "/") { event.preventDefault(); query.focus(); query.select(); }
    else if (event.key === "n") step(1);
    else if (event.key === "N") step(-1);
  });
  show();
})();
