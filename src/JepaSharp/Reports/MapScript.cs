namespace JepaSharp.Reports;

/// <summary>Style and script of <see cref="MapPage"/>: its own, from nowhere else.</summary>
internal static class MapScript
{
    public const string Css = """
        :root { color-scheme: light dark; --paper: #f4f4f1; --card: #fff; --ink: #1f2328; --faint: #626a73; --rule: #dcdfe3; --mark: #0069b4; }
        @media (prefers-color-scheme: dark) { :root { --paper: #15181c; --card: #1d2126; --ink: #e6e8ea; --faint: #9aa3ad; --rule: #363c44; --mark: #5db1ee; } }
        * { box-sizing: border-box; }
        body { margin: 0; height: 100vh; display: flex; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
        canvas#plane { flex: 1; min-width: 0; height: 100%; display: block; cursor: grab; touch-action: none; outline-offset: -2px; }
        canvas#plane.moving { cursor: grabbing; }
        aside { width: 21rem; height: 100%; overflow-y: auto; padding: 1rem; background: var(--card); border-left: 1px solid var(--rule); }
        h1 { font-size: 1.2rem; margin: 0 0 .3rem; overflow-wrap: anywhere; } h2 { font-size: 1rem; margin: 1rem 0 .4rem; overflow-wrap: anywhere; }
        p { margin: .3rem 0; } .faint, footer { color: var(--faint); font-size: .85rem; } footer { margin-top: 1.5rem; }
        .controls { display: grid; gap: .4rem; margin: .7rem 0; } .controls label { display: grid; grid-template-columns: 4rem 1fr; align-items: center; }
        select, input, button { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--rule); border-radius: .3rem; padding: .2rem .4rem; }
        #legend { display: flex; flex-wrap: wrap; gap: .1rem .8rem; font-size: .85rem; } #legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: 50%; margin-right: .3rem; vertical-align: -1px; }
        #near { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; } #near button { border: 0; background: none; padding: 0; text-align: left; cursor: pointer; font-size: .8rem; line-height: 1.25; overflow-wrap: anywhere; }
        #near canvas { width: 100%; aspect-ratio: 1; border-radius: .3rem; display: block; margin-bottom: .2rem; image-rendering: auto; } #near button:first-child canvas { outline: 3px solid var(--mark); }
        @media (max-width: 45rem) { body { flex-direction: column; } aside { width: 100%; height: 45%; border-left: 0; border-top: 1px solid var(--rule); } }
        """;

    public const string Script = """
        "use strict";
        const data = JSON.parse(document.getElementById("data").textContent);
        const count = data.names.length, plane = document.getElementById("plane"), pen = plane.getContext("2d");
        const byId = id => document.getElementById(id);
        const atlas = new Image(), missing = new Set(data.missing);
        let layout = 0, by = "cluster", chosen = -1, found = null, view = { scale: 1, x: 0, y: 0 }, waiting = false;

        const groups = () => by === "label" ? data.labels.length : data.clusters;
        const groupOf = i => by === "label" ? data.label[i] : data.cluster[i];
        const colours = { cluster: Array.from({ length: data.clusters }, (_, i) => `hsl(${i * 360 / data.clusters} 70% 50%)`),
          label: data.labels.map((_, i) => `hsl(${i * 360 / data.labels.length} 70% 50%)`) };
        const colourOf = i => groupOf(i) < 0 ? "#888" : colours[by][groupOf(i)];
        const placeOf = i => [data.places[layout][2 * i] / data.steps, data.places[layout][2 * i + 1] / data.steps];
        const onScreen = i => { const [x, y] = placeOf(i); return [x * view.scale + view.x, y * view.scale + view.y]; };
        // Pictures grow with the zoom, but slower than the distances between them, so that what is crowded comes apart.
        const sideNow = () => Math.min(data.side * 3, Math.max(3, 0.7 * view.scale / Math.sqrt(count) * Math.pow(view.scale / fit(), -0.35)));
        const fit = () => 0.92 * Math.max(50, Math.min(plane.clientWidth, plane.clientHeight));

        function showAll() {
          let right = 0, bottom = 0;
          for (let i = 0; i < count; i++) { const [x, y] = placeOf(i); right = Math.max(right, x); bottom = Math.max(bottom, y); }
          const scale = fit();
          view = { scale, x: (plane.clientWidth - right * scale) / 2, y: (plane.clientHeight - bottom * scale) / 2 };
          redraw();
        }
        function redraw() { if (!waiting) { waiting = true; requestAnimationFrame(draw); } }
        function size() {
          const ratio = window.devicePixelRatio || 1, w = Math.round(plane.clientWidth * ratio), h = Math.round(plane.clientHeight * ratio);
          if (plane.width !== w || plane.height !== h) { plane.width = w; plane.height = h; }
          pen.setTransform(ratio, 0, 0, ratio, 0, 0);
        }
        function tile(context, i, x, y, side) {
          if (missing.has(i)) {
            context.fillStyle = colourOf(i);
            context.beginPath(); context.arc(x + side / 2, y + side / 2, side / 4, 0, 2 * Math.PI); context.fill();
            return;
          }
          context.drawImage(atlas, (i % data.columns) * data.side, Math.floor(i / data.columns) * data.side, data.side, data.side, x, y, side, side);
        }
        function draw() {
          waiting = false;
          size();
          const side = sideNow(), w = plane.clientWidth, h = plane.clientHeight;
          pen.clearRect(0, 0, w, h);
          let drawn = 0;
          for (let i = 0; i < count; i++) {
            const [x, y] = onScreen(i);
            if (x < -side || y < -side || x > w + side || y > h + side) continue;
            drawn++;
            pen.globalAlpha = found && !found.has(i) ? 0.12 : 1;
            if (side < 7) { pen.fillStyle = colourOf(i); pen.fillRect(x - side / 2, y - side / 2, side, side); continue; }
            tile(pen, i, x - side / 2, y - side / 2, side);
            if (missing.has(i)) continue;
            pen.fillStyle = colourOf(i);
            pen.fillRect(x - side / 2, y + side / 2, side, Math.max(2, side / 12));
          }
          pen.globalAlpha = 1;
          if (chosen >= 0) {
            const from = onScreen(chosen);
            pen.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--mark");
            pen.lineWidth = 1.5;
            for (const j of nearest(chosen)) { const to = onScreen(j); pen.beginPath(); pen.moveTo(...from); pen.lineTo(...to); pen.stroke(); }
            const big = Math.max(side, data.side);
            tile(pen, chosen, from[0] - big / 2, from[1] - big / 2, big);
            pen.lineWidth = 3;
            pen.strokeRect(from[0] - big / 2, from[1] - big / 2, big, big);
          }
          document.documentElement.dataset.drawn = drawn;
        }
        const nearest = i => Array.from({ length: data.k }, (_, n) => data.near[i * data.k + n]).filter(j => j >= 0);

        function choose(i, centre) {
          chosen = i;
          const list = byId("near"), about = byId("about");
          list.textContent = "";
          about.hidden = i < 0;
          if (i >= 0) {
            about.textContent = data.names[i] + (data.label && data.label[i] >= 0 ? ` (${data.labels[data.label[i]]})` : "") + `, cluster ${data.cluster[i] + 1}`;
            [i, ...nearest(i)].forEach((j, n) => {
              const button = document.createElement("button"), picture = document.createElement("canvas"), name = document.createElement("span");
              button.type = "button"; button.dataset.image = j;
              picture.width = picture.height = data.side;
              tile(picture.getContext("2d"), j, 0, 0, data.side);
              name.textContent = (n === 0 ? "" : (data.cosine[i * data.k + n - 1] / 1000).toFixed(3) + " ") + data.names[j];
              button.append(picture, name);
              button.addEventListener("click", () => choose(j, true));
              list.append(button);
            });
            if (centre) { const [x, y] = onScreen(i); view.x += plane.clientWidth / 2 - x; view.y += plane.clientHeight / 2 - y; }
          }
          document.documentElement.dataset.chosen = i;
          redraw();
        }
        function at(x, y) {
          let best = -1, least = Math.pow(Math.max(sideNow() * 0.75, 8), 2);
          for (let i = 0; i < count; i++) {
            const [px, py] = onScreen(i), d = (px - x) * (px - x) + (py - y) * (py - y);
            if (d < least && (!found || found.has(i))) { least = d; best = i; }
          }
          return best;
        }
        function zoom(x, y, factor) {
          factor = Math.min(Math.max(factor, fit() * 0.3 / view.scale), fit() * 400 / view.scale);
          view = { scale: view.scale * factor, x: x - (x - view.x) * factor, y: y - (y - view.y) * factor };
          redraw();
        }

        const fingers = new Map();
        let moved = 0, apart = 0;
        plane.addEventListener("pointerdown", e => {
          if (e.isTrusted) plane.setPointerCapture(e.pointerId);
          if (fingers.size === 0) moved = 0;
          fingers.set(e.pointerId, [e.offsetX, e.offsetY]);
          apart = 0;
        });
        plane.addEventListener("pointermove", e => {
          const before = fingers.get(e.pointerId);
          if (!before) return;
          const now = [e.offsetX, e.offsetY];
          fingers.set(e.pointerId, now);
          if (fingers.size === 1) {
            moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
            if (moved > 4) { view.x += now[0] - before[0]; view.y += now[1] - before[1]; plane.classList.add("moving"); redraw(); }
          } else if (fingers.size === 2) {
            const [a, b] = [...fingers.values()], distance = Math.hypot(a[0] - b[0], a[1] - b[1]);
            moved = 99;
            if (apart > 0) zoom((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, distance / apart);
            apart = distance;
          }
        });
        const lift = e => {
          if (fingers.delete(e.pointerId) && fingers.size === 0) {
            plane.classList.remove("moving");
            if (moved <= 4 && e.type === "pointerup") choose(at(e.offsetX, e.offsetY), false);
          }
        };
        plane.addEventListener("pointerup", lift);
        plane.addEventListener("pointercancel", lift);
        plane.addEventListener("wheel", e => { e.preventDefault(); zoom(e.offsetX, e.offsetY, Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0015))); }, { passive: false });
        plane.addEventListener("keydown", e => {
          const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[e.key];
          if (step) { view.x += step[0]; view.y += step[1]; redraw(); }
          else if (e.key === "+" || e.key === "=") zoom(plane.clientWidth / 2, plane.clientHeight / 2, 1.4);
          else if (e.key === "-") zoom(plane.clientWidth / 2, plane.clientHeight / 2, 1 / 1.4);
          else if (e.key === "Escape") choose(-1, false);
          else return;
          e.preventDefault();
        });

        function legend() {
          const most = 24, place = byId("legend"), counts = new Array(groups()).fill(0);
          for (let i = 0; i < count; i++) if (groupOf(i) >= 0) counts[groupOf(i)]++;
          place.textContent = "";
          counts.slice(0, most).forEach((n, g) => {
            const entry = document.createElement("span"), dot = document.createElement("i");
            dot.style.background = colours[by][g];
            entry.append(dot, (by === "label" ? data.labels[g] : `cluster ${g + 1}`) + ` ${n.toLocaleString("en")}`);
            place.append(entry);
          });
          if (counts.length > most) place.append(`and ${counts.length - most} more`);
        }
        const option = (value, text) => { const o = document.createElement("option"); o.value = value; o.textContent = text; byId("colour").append(o); };
        option("cluster", "cluster");
        if (data.label) option("label", "label");
        byId("colour").addEventListener("change", e => { by = e.target.value; legend(); redraw(); });
        byId("layout").addEventListener("change", e => { layout = Number(e.target.value); showAll(); });
        byId("reset").addEventListener("click", showAll);
        const said = () => found ? `${found.size.toLocaleString("en")} of ${count.toLocaleString("en")} images` : `${count.toLocaleString("en")} image${count === 1 ? "" : "s"}`;
        byId("find").addEventListener("input", e => {
          const text = e.target.value.trim().toLowerCase();
          found = text ? new Set(data.names.map((name, i) => name.toLowerCase().includes(text) ? i : -1).filter(i => i >= 0)) : null;
          byId("status").textContent = said();
          redraw();
        });
        byId("find").addEventListener("keydown", e => { if (e.key === "Enter" && found && found.size) choose(found.values().next().value, true); });
        window.addEventListener("resize", redraw);
        atlas.onload = () => {
          legend();
          showAll();
          const asked = /^#image=(\d+)$/.exec(location.hash);
          if (asked && Number(asked[1]) < count) choose(Number(asked[1]), true);
          draw();
          byId("status").textContent = said();
          document.documentElement.dataset.ready = count;
        };
        atlas.onerror = () => { byId("status").textContent = "The pictures inside this file cannot be read: it is damaged. Make it again with jepa map."; };
        atlas.src = data.atlas;
        """;
}
