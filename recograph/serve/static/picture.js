// A neighbourhood as a picture: nodes repel each other, relationships pull. Nodes are dragged, opened and followed.
"use strict";

(() => {
  const NS = "http://www.w3.org/2000/svg";
  const box = document.getElementById("picture");
  const svg = box.querySelector("svg.graph");
  const card = box.querySelector(".card");
  const legend = box.querySelector(".legend");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const nodes = new Map();
  const edges = new Map();
  const hidden = new Set();
  let view = { x: 0, y: 0, scale: 1 };
  let heat = 1;
  let frame = 0;
  let chosen = null;
  let dragged = null;

  const make = (name, attributes = {}, parent = null) => {
    const element = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    parent?.append(element);
    return element;
  };
  const root = make("g", {}, svg);
  const lines = make("g", {}, root);
  const dots = make("g", {}, root);
  const captions = make("g", { class: "captions", "aria-hidden": "true" }, root);

  const RADIUS = { User: 11, Customer: 11, Language: 11 };
  const short = (text) => (text.length > 26 ? `${text.slice(0, 25)}…` : text);

  function add(data, from) {
    const size = Math.sqrt(data.nodes.length) * 45;
    data.nodes.forEach((datum, number) => {
      if (nodes.has(datum.key)) return;
      const angle = number * 2.39996;
      const reach = from ? 60 : Math.sqrt(number + 0.2) * (size / Math.sqrt(data.nodes.length));
      const node = {
        ...datum,
        x: (from?.x ?? 0) + Math.cos(angle) * reach,
        y: (from?.y ?? 0) + Math.sin(angle) * reach,
        vx: 0,
        vy: 0,
        held: false,
      };
      const first = nodes.size === 0;
      node.radius = first ? 15 : (RADIUS[node.label] ?? 8);
      node.g = make("g", { class: `node ${node.label}`, tabindex: first ? 0 : -1, role: node.address ? "link" : "img" }, dots);
      node.g.setAttribute("aria-label", `${node.label} ${node.caption}`);
      make("circle", { r: node.radius }, node.g);
      node.words = short(node.caption);
      node.text = make("text", {}, captions);
      node.text.textContent = node.words;
      make("title", {}, node.g).textContent = node.caption;
      node.g.addEventListener("pointerdown", (event) => grab(event, node));
      node.g.addEventListener("dblclick", () => follow(node));
      node.g.addEventListener("focus", () => choose(node));
      node.g.addEventListener("keydown", (event) => keys(event, node));
      nodes.set(node.key, node);
    });
    for (const datum of data.relationships) {
      const key = `${datum.type} ${datum.start} ${datum.end}`;
      const [a, b] = [nodes.get(datum.start), nodes.get(datum.end)];
      if (edges.has(key) || !a || !b) continue;
      const line = make("line", { class: datum.type }, lines);
      const facts = Object.entries(datum.properties).map(([name, value]) => `${name.replaceAll("_", " ")} ${shown(value)}`);
      make("title", {}, line).textContent = [datum.type, ...facts].join(", ");
      edges.set(key, { ...datum, a, b, line });
    }
    drawLegend();
    svg.setAttribute("aria-label", `${svg.getAttribute("aria-label").split(":")[0]}: ${nodes.size} nodes, ${edges.size} relationships`);
  }

  function drawLegend() {
    const words = [...new Set([...nodes.values()].map((node) => node.label))].map((word) => [word, "dot"]);
    words.push(...[...new Set([...edges.values()].map((edge) => edge.type))].map((word) => [word, "edge"]));
    legend.replaceChildren(
      ...words.map(([word, kind]) => {
        const button = document.createElement("button");
        const mark = document.createElement("i");
        button.type = "button";
        mark.className = `${kind} ${word}`;
        button.append(mark, word);
        button.setAttribute("aria-pressed", String(!hidden.has(word)));
        button.addEventListener("click", () => {
          if (!hidden.delete(word)) hidden.add(word);
          button.setAttribute("aria-pressed", String(!hidden.has(word)));
          draw();
        });
        return button;
      }),
    );
  }

  const visible = (node) => !hidden.has(node.label);

  function step() {
    const all = [...nodes.values()].filter(visible);
    const aspect = Math.sqrt(svg.clientWidth / svg.clientHeight) || 1; // as wide as the box
    for (let i = 0; i < all.length; i++) {
      const a = all[i];
      a.vx -= (a.x * 0.013 * heat) / aspect;
      a.vy -= a.y * 0.013 * heat * aspect;
      for (let j = i + 1; j < all.length; j++) {
        const b = all[j];
        const dx = a.x - b.x || 0.1;
        const dy = a.y - b.y || 0.1;
        const force = (5200 * heat) / (dx * dx + dy * dy + 60);
        const length = Math.hypot(dx, dy);
        a.vx += (dx / length) * force;
        a.vy += (dy / length) * force;
        b.vx -= (dx / length) * force;
        b.vy -= (dy / length) * force;
      }
    }
    for (const { a, b, type } of edges.values()) {
      if (!visible(a) || !visible(b) || hidden.has(type)) continue;
      const dx = b.x - a.x;
      const dy = b.y - a.y;
      const length = Math.hypot(dx, dy) || 1;
      const pull = (length - 120) * 0.02 * heat;
      a.vx += (dx / length) * pull;
      a.vy += (dy / length) * pull;
      b.vx -= (dx / length) * pull;
      b.vy -= (dy / length) * pull;
    }
    for (const node of all) {
      node.vx *= 0.82;
      node.vy *= 0.82;
      if (node.held) continue;
      node.x += Math.max(-30, Math.min(30, node.vx));
      node.y += Math.max(-30, Math.min(30, node.vy));
    }
    heat *= 0.99;
  }

  function draw() {
    for (const node of nodes.values()) {
      node.g.setAttribute("transform", `translate(${node.x.toFixed(1)} ${node.y.toFixed(1)})`);
      node.text.setAttribute("x", node.x.toFixed(1));
      node.text.setAttribute("y", (node.y + node.radius + 12).toFixed(1));
      for (const part of [node.g, node.text]) part.setAttribute("display", visible(node) ? "inline" : "none");
    }
    caption();
    const near = new Set();
    for (const edge of edges.values()) {
      const on = chosen && (edge.a === chosen || edge.b === chosen);
      if (on) near.add(edge.a).add(edge.b);
      edge.line.setAttribute("x1", edge.a.x.toFixed(1));
      edge.line.setAttribute("y1", edge.a.y.toFixed(1));
      edge.line.setAttribute("x2", edge.b.x.toFixed(1));
      edge.line.setAttribute("y2", edge.b.y.toFixed(1));
      edge.line.classList.toggle("on", Boolean(on));
      const seen = visible(edge.a) && visible(edge.b) && !hidden.has(edge.type);
      edge.line.setAttribute("display", seen ? "inline" : "none");
    }
    for (const node of nodes.values()) {
      node.g.classList.toggle("on", node === chosen);
      for (const part of [node.g, node.text]) {
        part.classList.toggle("faint", Boolean(chosen) && node !== chosen && !near.has(node));
      }
    }
    root.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
  }

  // A caption that would lie over another's is left out; nearer, there is room for it.
  function caption() {
    const taken = [];
    const first = (node) => (node === chosen ? 2 : node.radius > 12 ? 1 : 0);
    for (const node of [...nodes.values()].filter(visible).sort((a, b) => first(b) - first(a))) {
      const half = (node.words.length * 3.1 + 3) / Math.min(view.scale, 1);
      const [left, right, top] = [node.x - half, node.x + half, node.y + node.radius + 1];
      const height = 14 / Math.min(view.scale, 1);
      const free = taken.every((t) => right < t[0] || left > t[1] || top + height < t[2] || top > t[2] + height);
      if (free || node === chosen) taken.push([left, right, top]);
      node.text.setAttribute("visibility", free || node === chosen ? "visible" : "hidden");
      node.text.setAttribute("font-size", 11 / Math.min(view.scale, 1));
    }
  }

  function fit() {
    const { width, height } = svg.getBoundingClientRect();
    const all = [...nodes.values()].filter(visible);
    if (!all.length || !width) return;
    const [left, right] = [Math.min(...all.map((n) => n.x)) - 70, Math.max(...all.map((n) => n.x)) + 70];
    const [top, bottom] = [Math.min(...all.map((n) => n.y)) - 25, Math.max(...all.map((n) => n.y)) + 30];
    const scale = Math.min(width / (right - left), height / (bottom - top), 1.3);
    view = { scale, x: width / 2 - ((left + right) / 2) * scale, y: height / 2 - ((top + bottom) / 2) * scale };
    draw();
  }

  function run() {
    cancelAnimationFrame(frame);
    const tick = () => {
      if (heat > 0.03) {
        step();
        step();
        draw();
        frame = requestAnimationFrame(tick);
      }
    };
    if (still) while (heat > 0.03) step();
    else frame = requestAnimationFrame(tick);
    draw();
  }

  function shown(value) {
    if (typeof value === "number") return own.number.format(value);
    return /^\d{4}-\d\d-\d\dT/.test(value) ? own.day.format(new Date(value)) : value;
  }

  function choose(node) {
    if (chosen === node) return;
    chosen = node;
    for (const other of nodes.values()) other.g.setAttribute("tabindex", other === node ? 0 : -1);
    const name = document.createElement("strong");
    name.textContent = node.caption;
    const facts = Object.entries(node.properties).filter(([key, value]) => value !== null && value !== node.caption);
    const text = facts.map(([key, value]) => `${key.replaceAll("_", " ")}: ${shown(value)}`);
    card.replaceChildren(name, `${node.label}${text.length ? ` – ${text.join(", ")}` : ""}`);
    if (node.address) {
      const open = document.createElement("a");
      open.href = node.address;
      open.textContent = "Open";
      const more = document.createElement("button");
      more.type = "button";
      more.textContent = "Follow";
      more.addEventListener("click", () => follow(node));
      card.append(open, more);
    }
    draw();
  }

  async function follow(node) {
    if (!node.address) return;
    try {
      const answer = await fetch(`${node.address}/neighbourhood.json?limit=8`);
      if (!answer.ok) throw new Error((await answer.json()).error);
      const before = nodes.size;
      add(await answer.json(), node);
      card.append(` ${nodes.size - before} more nodes.`);
      heat = 0.7;
      run();
    } catch (error) {
      card.append(` ${error.message}`);
    }
  }

  const point = (event) => {
    const { left, top } = svg.getBoundingClientRect();
    return { x: (event.clientX - left - view.x) / view.scale, y: (event.clientY - top - view.y) / view.scale };
  };

  function grab(event, node) {
    event.stopPropagation();
    node.g.focus({ preventScroll: true });
    choose(node);
    dragged = { node, id: event.pointerId };
    node.held = true;
    svg.setPointerCapture(event.pointerId);
  }

  const fingers = new Map();
  svg.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (dragged?.id === event.pointerId) {
      Object.assign(dragged.node, point(event));
      heat = Math.max(heat, 0.25);
      run();
      return;
    }
    const finger = fingers.get(event.pointerId);
    if (!finger) return;
    const others = [...fingers.entries()].filter(([id]) => id !== event.pointerId);
    if (others.length) {
      const [[, other]] = others;
      const before = Math.hypot(finger.x - other.x, finger.y - other.y);
      const after = Math.hypot(event.clientX - other.x, event.clientY - other.y);
      zoom(after / (before || 1), (event.clientX + other.x) / 2, (event.clientY + other.y) / 2);
    } else {
      view.x += event.clientX - finger.x;
      view.y += event.clientY - finger.y;
    }
    Object.assign(finger, { x: event.clientX, y: event.clientY });
    draw();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    svg.addEventListener(name, (event) => {
      if (dragged?.id === event.pointerId) {
        dragged.node.held = true; // stays where it was put
        dragged = null;
      }
      fingers.delete(event.pointerId);
    });
  }
  svg.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
    },
    { passive: false },
  );

  function zoom(factor, clientX, clientY) {
    const { left, top, width, height } = svg.getBoundingClientRect();
    const [x, y] = [clientX === undefined ? width / 2 : clientX - left, clientY === undefined ? height / 2 : clientY - top];
    const scale = Math.max(0.2, Math.min(4, view.scale * factor));
    view = { scale, x: x - ((x - view.x) * scale) / view.scale, y: y - ((y - view.y) * scale) / view.scale };
    draw();
  }
  for (const button of box.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => (button.dataset.zoom === "fit" ? fit() : zoom(Number(button.dataset.zoom))));
  }

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  function keys(event, node) {
    if (event.ctrlKey || event.metaKey || event.altKey) return; // the browser's own: find, back, a new window
    const arrow = ARROWS[event.key];
    if (arrow && event.shiftKey) {
      node.x += arrow[0] * 20;
      node.y += arrow[1] * 20;
      node.held = true;
      draw();
    } else if (arrow) {
      const ahead = [...nodes.values()].filter(visible).map((other) => {
        const [dx, dy] = [other.x - node.x, other.y - node.y];
        const along = dx * arrow[0] + dy * arrow[1];
        return { other, along, cost: along + 2 * Math.abs(dx * arrow[1] + dy * arrow[0]) };
      });
      const [best] = ahead.filter(({ along }) => along > 1).sort((a, b) => a.cost - b.cost);
      best?.other.g.focus();
    } else if (event.key === "Enter" && node.address) {
      location.assign(node.address);
    } else if (event.code === "KeyF") { // that key, whatever alphabet is on it
      follow(node);
    } else {
      return;
    }
    event.preventDefault();
  }

  box.hidden = false;
  add(JSON.parse(document.getElementById("picture-data").textContent), null);
  while (heat > 0.03) step();
  fit();
  addEventListener("resize", fit);
})();
