"use strict";
// The figure as package figure writes it: panels of images, lines, points, arrows and texts. Columns of numbers are
// base64 of little-endian float64.
const figure = JSON.parse(document.getElementById("figure").textContent);
const views = [];
const margin = { left: 78, right: 22, top: 8, bottom: 42 };

function column(text) {
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  return new Float64Array(bytes.buffer);
}

// axis maps values to pixels between from and to, and back.
function axis(ends, log, from, to) {
  const f = log ? Math.log10 : x => x;
  const inverse = log ? u => 10 ** u : u => u;
  const lo = f(ends[0]), hi = f(ends[1]);
  return {
    at: v => from + (f(v) - lo) / (hi - lo) * (to - from),
    value: p => inverse(lo + (p - from) / (to - from) * (hi - lo)),
  };
}

// ticks are places of numbers on an axis, at most about `most`.
function ticks(ends, log, most, whole) {
  if (log && ends[1] / ends[0] > 10) {
    const all = [];
    for (let d = Math.ceil(Math.log10(ends[0])); d <= Math.log10(ends[1]); d++) all.push(10 ** d);
    return all;
  }
  const least = (ends[1] - ends[0]) / most, power = 10 ** Math.floor(Math.log10(least));
  let step = [1, 2, 5, 10].find(k => k * power >= least * (1 - 1e-9)) * power;
  if (whole) step = Math.max(1, step);
  const all = [];
  for (let k = Math.ceil(ends[0] / step - 1e-9); k * step <= ends[1] + 1e-9 * step; k++) all.push(k * step);
  return all;
}

function number(v, near) {
  const digits = Math.max(0, Math.min(12, 1 - Math.floor(Math.log10(Math.abs(near) || 1))));
  const text = Math.abs(v) >= 1e6 || (v !== 0 && Math.abs(v) < 1e-4) ? v.toExponential(3) : String(+v.toFixed(digits));
  return text.replace("-", "−");
}

class Panel {
  constructor(data, place) {
    this.data = data;
    for (const kind of ["lines", "points", "arrows"]) for (const part of data[kind]) {
      part.x = column(part.x);
      part.y = column(part.y);
      if (part.dx) { part.dx = column(part.dx); part.dy = column(part.dy); }
    }
    if (data.image) for (const key of ["x", "y", "z", "columns", "rows"]) data.image[key] = column(data.image[key]);
    this.off = new Set();
    this.home = { x: data.x.ends, y: data.y.ends };
    this.x = data.x.ends.slice();
    this.y = data.y.ends.slice();
    const box = document.createElement("div");
    box.className = "panel";
    box.append(this.legend(), this.canvas = document.createElement("canvas"), this.readout = document.createElement("div"));
    this.readout.className = "value";
    place.append(box);
    this.canvas.addEventListener("mousedown", e => this.press(e));
    this.canvas.addEventListener("mousemove", e => this.move(e));
    this.canvas.addEventListener("mouseleave", () => { this.readout.style.display = "none"; });
    window.addEventListener("mouseup", e => this.release(e));
    this.canvas.addEventListener("dblclick", () => this.show(this.home.x, this.home.y));
    this.canvas.addEventListener("wheel", e => this.wheel(e), { passive: false });
    if (data.image) this.picture = this.paint();
  }

  legend() {
    const box = document.createElement("div");
    box.className = "legend";
    for (const entry of this.data.legend) {
      const label = document.createElement("label");
      const tick = document.createElement("input");
      tick.type = "checkbox";
      tick.checked = true;
      tick.disabled = entry.fixed;
      tick.addEventListener("change", () => {
        if (tick.checked) this.off.delete(entry.name); else this.off.add(entry.name);
        this.draw();
      });
      const sample = document.createElement("span");
      sample.innerHTML = `<svg width="22" height="10"><rect x="0" y="${entry.fixed ? 0 : 3}" width="22" height="${entry.fixed ? 10 : 4}" fill="${entry.color}"/></svg>`;
      label.append(...(entry.fixed ? [] : [tick]), sample, entry.name);
      box.append(label);
    }
    return box;
  }

  // paint makes the image once, a pixel for each cell.
  paint() {
    const image = this.data.image, w = image.x.length, h = image.y.length;
    const canvas = document.createElement("canvas");
    canvas.width = w;
    canvas.height = h;
    const pen = canvas.getContext("2d"), pixels = pen.createImageData(w, h);
    for (let j = 0; j < h; j++) for (let i = 0; i < w; i++) {
      const c = image.palette[this.colour(image.z[j * w + i])], at = 4 * ((h - 1 - j) * w + i);
      pixels.data.set([c >> 16, c >> 8 & 255, c & 255, 255], at);
    }
    pen.putImageData(pixels, 0, 0);
    return canvas;
  }

  colour(z) {
    const image = this.data.image, last = image.palette.length - 1;
    if (Number.isNaN(z)) return 0;
    if (image.names) return 1 + z;
    return 1 + Math.min(last - 1, Math.max(0, Math.floor((z - image.range[0]) / (image.range[1] - image.range[0]) * last)));
  }

  show(x, y) {
    this.x = x.slice();
    this.y = y.slice();
    this.draw();
    if (figure.shareX) for (const other of views) if (other !== this) {
      other.x = x.slice();
      other.draw();
    }
  }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const width = this.canvas.clientWidth, height = this.data.height;
    this.canvas.style.height = height + "px";
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const pen = this.pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const bar = this.data.image && !this.data.image.names ? 90 : 0;
    this.frame = { left: margin.left, right: width - margin.right - bar, top: margin.top, bottom: height - margin.bottom };
    const f = this.frame;
    this.xa = axis(this.x, this.data.x.log, f.left, f.right);
    this.ya = axis(this.y, this.data.y.log, f.bottom, f.top);
    this.grid();
    pen.save();
    pen.beginPath();
    pen.rect(f.left, f.top, f.right - f.left, f.bottom - f.top);
    pen.clip();
    if (this.picture) this.cells();
    for (const a of this.data.arrows) this.arrows(a);
    for (const l of this.data.lines) if (!this.off.has(l.name)) this.line(l);
    for (const p of this.data.points) if (!this.off.has(p.name)) this.points(p);
    this.texts();
    pen.restore();
    pen.strokeStyle = "#000";
    pen.lineWidth = 1;
    pen.strokeRect(f.left, f.top, f.right - f.left, f.bottom - f.top);
    if (bar) this.bar();
  }

  grid() {
    const pen = this.pen, f = this.frame;
    pen.fillStyle = "#000";
    pen.font = "12px 'Liberation Sans', Arial, Helvetica, sans-serif";
    pen.lineWidth = 1;
    pen.strokeStyle = "#e6e6e6";
    pen.textAlign = "center";
    pen.textBaseline = "top";
    for (const v of ticks(this.x, this.data.x.log, (f.right - f.left) / 80)) {
      const x = this.xa.at(v);
      pen.beginPath(); pen.moveTo(x, f.top); pen.lineTo(x, f.bottom); pen.stroke();
      pen.fillText(number(v, (this.x[1] - this.x[0]) / 10), x, f.bottom + 5);
    }
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const names = this.data.y.names;
    for (const v of ticks(this.y, this.data.y.log, (f.bottom - f.top) / 35, this.data.y.whole || names)) {
      const y = this.ya.at(v);
      pen.beginPath(); pen.moveTo(f.left, y); pen.lineTo(f.right, y); pen.stroke();
      pen.fillText(names ? names[v] || "" : number(v, (this.y[1] - this.y[0]) / 10), f.left - 5, y);
    }
    pen.textAlign = "center";
    pen.textBaseline = "bottom";
    pen.fillText(this.data.x.label, (f.left + f.right) / 2, f.bottom + 38);
    pen.save();
    pen.translate(14, (f.top + f.bottom) / 2);
    pen.rotate(-Math.PI / 2);
    pen.textBaseline = "middle";
    this.data.y.label.split("\n").forEach((text, i) => pen.fillText(text, 0, 13 * i));
    pen.restore();
  }

  // cells draws the part of the image that the window shows. Rows and columns need not be evenly spaced.
  cells() {
    const image = this.data.image, pen = this.pen, w = image.x.length, h = image.y.length;
    pen.imageSmoothingEnabled = false;
    const even = edges => {
      const step = (edges[edges.length - 1] - edges[0]) / (edges.length - 1);
      return edges.every((e, i) => Math.abs(e - edges[0] - i * step) < 1e-6 * Math.abs(step));
    };
    if (!this.data.x.log && !this.data.y.log && even(image.columns) && even(image.rows)) {
      const x0 = this.xa.at(image.columns[0]), x1 = this.xa.at(image.columns[w]);
      const y0 = this.ya.at(image.rows[h]), y1 = this.ya.at(image.rows[0]);
      pen.drawImage(this.picture, x0, y0, x1 - x0, y1 - y0);
      return;
    }
    for (let j = 0; j < h; j++) for (let i = 0; i < w; i++) {
      const c = image.palette[this.colour(image.z[j * w + i])];
      const x0 = this.xa.at(image.columns[i]), x1 = this.xa.at(image.columns[i + 1]);
      const y0 = this.ya.at(image.rows[j + 1]), y1 = this.ya.at(image.rows[j]);
      pen.fillStyle = "#" + c.toString(16).padStart(6, "0");
      pen.fillRect(Math.floor(x0), Math.floor(y0), Math.ceil(x1 - x0) + 1, Math.ceil(y1 - y0) + 1);
    }
  }

  bar() {
    const image = this.data.image, pen = this.pen, f = this.frame, n = image.palette.length - 1;
    const x = f.right + 12, step = (f.bottom - f.top) / n;
    for (let k = 0; k < n; k++) {
      pen.fillStyle = "#" + image.palette[1 + k].toString(16).padStart(6, "0");
      pen.fillRect(x, f.bottom - (k + 1) * step, 14, step + 1);
    }
    pen.fillStyle = "#000";
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    const za = axis(image.range, false, f.bottom, f.top);
    for (const v of ticks(image.range, false, 6)) pen.fillText(number(v, (image.range[1] - image.range[0]) / 10), x + 18, za.at(v));
    pen.save();
    pen.translate(x + 80, (f.top + f.bottom) / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText(image.label, 0, 0);
    pen.restore();
  }

  line(l) {
    const pen = this.pen;
    pen.strokeStyle = l.color;
    pen.lineWidth = l.width * 1.3;
    pen.setLineDash(l.dash);
    pen.beginPath();
    let down = false;
    for (let i = 0; i < l.x.length; i++) {
      const x = this.xa.at(l.x[i]), y = this.ya.at(l.y[i]);
      if (!Number.isFinite(x) || !Number.isFinite(y)) { down = false; continue; }
      const py = Math.max(-1e5, Math.min(1e5, y));
      if (down) pen.lineTo(x, py); else pen.moveTo(x, py);
      down = true;
    }
    pen.stroke();
    pen.setLineDash([]);
  }

  points(p) {
    const pen = this.pen, f = this.frame, r = Math.max(0.7, p.size * 0.65);
    pen.fillStyle = p.color;
    pen.strokeStyle = p.color;
    pen.lineWidth = 1.2;
    pen.globalAlpha = p.mark === "dot" ? this.density(p, r) : 1;
    for (let i = 0; i < p.x.length; i++) {
      const x = this.xa.at(p.x[i]), y = this.ya.at(p.y[i]);
      if (!(x >= f.left && x <= f.right && y >= f.top && y <= f.bottom)) continue;
      switch (p.mark) {
        case "dot": pen.fillRect(x - r, y - r, 2 * r, 2 * r); continue;
        case "tick": pen.fillRect(x - 0.5, y - r, 1, 2 * r); continue;
      }
      pen.beginPath();
      if (p.mark === "square") pen.rect(x - r, y - r, 2 * r, 2 * r);
      else if (p.mark === "triangle") { pen.moveTo(x - r, y + r); pen.lineTo(x + r, y + r); pen.lineTo(x, y - r); pen.closePath(); }
      else if (p.mark === "diamond") { pen.moveTo(x - r, y); pen.lineTo(x, y - r); pen.lineTo(x + r, y); pen.lineTo(x, y + r); pen.closePath(); }
      else pen.arc(x, y, r, 0, 2 * Math.PI);
      if (p.open) { pen.fillStyle = "#fff"; pen.fill(); pen.fillStyle = p.color; pen.stroke(); } else pen.fill();
    }
    pen.globalAlpha = 1;
  }

  // density is how opaque dots are drawn: so that those in the window, spread evenly, would darken half of it at most.
  density(p, r) {
    if (p.x.length < 20000) return 1;
    let seen = 0;
    for (let i = 0; i < p.x.length; i++) {
      if (p.x[i] >= this.x[0] && p.x[i] <= this.x[1] && p.y[i] >= this.y[0] && p.y[i] <= this.y[1]) seen++;
    }
    const f = this.frame, area = (f.right - f.left) * (f.bottom - f.top);
    return Math.max(0.02, Math.min(1, area / (2 * seen * 4 * r * r)));
  }

  arrows(a) {
    const pen = this.pen;
    pen.strokeStyle = a.color;
    pen.lineWidth = 1;
    pen.beginPath();
    for (let i = 0; i < a.x.length; i++) {
      const x = this.xa.at(a.x[i]), y = this.ya.at(a.y[i]), small = 1e-6;
      let dx = (this.xa.at(a.x[i] + small * a.dx[i]) - x) / small, dy = (this.ya.at(a.y[i] + small * a.dy[i]) - y) / small;
      const n = Math.hypot(dx, dy);
      if (!(n > 0)) continue;
      dx *= 6 / n;
      dy *= 6 / n;
      pen.moveTo(x - dx, y - dy);
      pen.lineTo(x + dx, y + dy);
      pen.lineTo(x + dx / 2 + dy / 4, y + dy / 2 - dx / 4);
      pen.moveTo(x + dx, y + dy);
      pen.lineTo(x + dx / 2 - dy / 4, y + dy / 2 + dx / 4);
    }
    pen.stroke();
  }

  // texts puts each label beside its point, where it hides no other label and leaves the frame nowhere.
  texts() {
    const pen = this.pen, f = this.frame, taken = [], high = 14;
    pen.textAlign = "left";
    pen.textBaseline = "bottom";
    for (const t of this.data.texts) {
      const x = this.xa.at(t.x), y = this.ya.at(t.y), w = pen.measureText(t.text).width;
      if (!(x >= f.left && x <= f.right && y >= f.top && y <= f.bottom)) continue;
      let best = null;
      for (let ring = 0; ring < 8 && !best; ring++) for (const [sx, sy] of [[1, -1], [-1, -1], [1, 1], [-1, 1]]) {
        const left = sx > 0 ? x + 6 : x - 6 - w, bottom = sy > 0 ? y + 4 + high * (ring + 1) : y - 4 - high * ring;
        const outside = left < f.left || left + w > f.right || bottom - high < f.top || bottom > f.bottom;
        if (outside || taken.some(o => left < o.left + o.w && o.left < left + w && bottom - high < o.bottom && o.bottom - high < bottom)) continue;
        best = { left, bottom, w };
        break;
      }
      if (!best) continue;
      taken.push(best);
      pen.fillStyle = "#000";
      pen.fillText(t.text, best.left, best.bottom);
    }
  }

  // nearest is what lies nearest to a place on the canvas, within 12 pixels.
  nearest(px, py) {
    let best = null, least = 144;
    for (const part of [...this.data.points, ...this.data.lines]) {
      if (this.off.has(part.name)) continue;
      for (let i = 0; i < part.x.length; i++) {
        const dx = this.xa.at(part.x[i]) - px;
        if (dx * dx >= least) continue;
        const dy = this.ya.at(part.y[i]) - py, d = dx * dx + dy * dy;
        if (d < least) { least = d; best = { name: part.name, x: part.x[i], y: part.y[i] }; }
      }
    }
    return best;
  }

  cell(px, py) {
    const image = this.data.image, x = this.xa.value(px), y = this.ya.value(py);
    const find = (edges, v) => { for (let i = 0; i + 1 < edges.length; i++) if (v >= edges[i] && v < edges[i + 1]) return i; return -1; };
    const i = find(image.columns, x), j = find(image.rows, y);
    if (i < 0 || j < 0) return null;
    const z = image.z[j * image.x.length + i];
    return { x: image.x[i], y: image.y[j], z: Number.isNaN(z) ? image.grey : image.names ? image.names[z] : z };
  }

  place(e) {
    const box = this.canvas.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  }

  press(e) {
    this.from = this.place(e);
    this.start = { x: this.x.slice(), y: this.y.slice(), shift: e.shiftKey };
    e.preventDefault();
  }

  move(e) {
    const [px, py] = this.place(e);
    if (this.from && this.start.shift) {
      const xa = axis(this.start.x, this.data.x.log, this.frame.left, this.frame.right);
      const ya = axis(this.start.y, this.data.y.log, this.frame.bottom, this.frame.top);
      const dx = this.from[0] - px, dy = this.from[1] - py;
      this.show([xa.value(this.frame.left + dx), xa.value(this.frame.right + dx)], [ya.value(this.frame.bottom + dy), ya.value(this.frame.top + dy)]);
      return;
    }
    if (this.from) {
      this.draw();
      this.pen.strokeStyle = "#555";
      this.pen.strokeRect(this.from[0], this.from[1], px - this.from[0], py - this.from[1]);
      return;
    }
    const f = this.frame;
    const inside = px > f.left && px < f.right && py > f.top && py < f.bottom;
    let text = "";
    const hit = inside && this.nearest(px, py);
    const cell = inside && this.data.image && this.cell(px, py);
    if (hit) text = (hit.name ? hit.name + "\n" : "") + `${this.data.x.label}: ${+hit.x.toPrecision(9)}\n${this.data.y.label.split("\n").pop()}: ${+hit.y.toPrecision(9)}`;
    else if (cell) text = `${this.data.x.label}: ${+cell.x.toPrecision(9)}\n${this.data.y.label}: ${+cell.y.toPrecision(9)}\n${this.data.image.label}: ${typeof cell.z === "number" ? +cell.z.toPrecision(9) : cell.z}`;
    this.readout.style.display = text ? "block" : "none";
    this.readout.textContent = text;
    this.readout.style.left = Math.min(px + 14, this.canvas.clientWidth - 180) + "px";
    this.readout.style.top = this.canvas.offsetTop + py + 14 + "px";
  }

  release(e) {
    if (!this.from) return;
    const [px, py] = this.place(e), from = this.from, moved = this.start.shift;
    this.from = null;
    if (moved || Math.abs(px - from[0]) < 4 || Math.abs(py - from[1]) < 4) { this.draw(); return; }
    const xs = [this.xa.value(Math.min(px, from[0])), this.xa.value(Math.max(px, from[0]))];
    const ys = [this.ya.value(Math.max(py, from[1])), this.ya.value(Math.min(py, from[1]))];
    this.show(xs, ys);
  }

  wheel(e) {
    e.preventDefault();
    const [px, py] = this.place(e), k = e.deltaY < 0 ? 0.8 : 1.25;
    const near = (a, lo, hi, p) => [a.value(p + (lo - p) * k), a.value(p + (hi - p) * k)];
    this.show(near(this.xa, this.frame.left, this.frame.right, px), near(this.ya, this.frame.bottom, this.frame.top, py));
  }
}

const place = document.getElementById("panels");
for (const data of figure.panels) views.push(new Panel(data, place));
const redraw = () => { for (const v of views) v.draw(); };
window.addEventListener("resize", redraw);
redraw();
document.body.dataset.drawn = String(views.length);
