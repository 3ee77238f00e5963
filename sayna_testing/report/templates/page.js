"use strict";
(() => {
  const get = (id) => document.getElementById(id);
  const make = (tag, text = "", attributes = {}) => {
    const element = document.createElement(tag);
    element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const rows = [...document.querySelectorAll(".calls tbody tr")];
  const player = get("player");
  const scroll = get("scroll");
  const sheet = get("sheet");
  const cursor = get("cursor");
  const tip = get("tip");
  const SVG = "http://www.w3.org/2000/svg";
  const ZOOMS = [1, 2, 4, 8, 16, 32, 64];
  let call = null;
  let chosen = -1;
  let zoom = 1;

  // Unpacking: zlib in base64, for texts and for sounds.
  const unpack = async (id) => {
    const bytes = Uint8Array.from(atob(get(id).textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };

  // The index: filters and order.
  const filter = () => {
    const words = get("find").value.toLowerCase().split(/\s+/);
    const status = document.querySelector("[name=status]:checked").value;
    let shown = 0;
    for (const row of rows) {
      const text = row.cells[1].textContent.toLowerCase();
      row.hidden = (status && row.dataset.status !== status) || !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    get("found").textContent = shown === rows.length ? "" : `${shown} of ${rows.length} calls`;
  };
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
  };
  const sort = (button) => {
    const column = button.parentElement.cellIndex;
    const falling = button.getAttribute("aria-pressed") === "true" ? button.dataset.falling !== "yes" : column > 1;
    for (const other of document.querySelectorAll("[data-sort]")) other.setAttribute("aria-pressed", other === button);
    button.dataset.falling = falling ? "yes" : "";
    const order = (one, two) => {
      const [a, b] = [valueOf(one, column), valueOf(two, column)];
      return (a < b ? -1 : a > b ? 1 : 0) * (falling ? -1 : 1);
    };
    rows.sort(order);
    document.querySelector(".calls tbody").append(...rows);
  };

  // One call.
  const open = async (number) => {
    const row = document.querySelector(`a[href="#call-${number}"]`).closest("tr");
    call = JSON.parse(new TextDecoder().decode(await unpack(`packed-${number}`)));
    call.number = number;
    get("name").textContent = row.querySelector("a").textContent;
    get("facts").replaceChildren(row.querySelector(".status").cloneNode(true), `, ${row.cells[2].textContent}`);
    get("reason").textContent = row.querySelector(".reason")?.textContent ?? "";
    player.hidden = !call.clips.length;
    neighbours(number);
    const several = new Set(call.events.map((event) => event.session).filter(Boolean)).size > 1;
    draw(several);
    list(several);
    setZoom(1);
    choose(call.failing);
    show("call");
    get("name").focus();
    await load();
  };
  const neighbours = (number) => {
    for (const [id, other] of [["previous", number - 1], ["next", number + 1]]) {
      get(id).hidden = other < 1 || other > rows.length;
      get(id).href = `#call-${other}`;
    }
  };
  const draw = (several) => {
    const text = `<svg xmlns="${SVG}" height="${call.height}">${call.plot}</svg>`;
    const plot = document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
    sheet.querySelector("svg")?.remove();
    sheet.prepend(plot);
    get("names").replaceChildren(...call.bands.map((band) => {
      const name = make("span", band.name);
      if (several && band.session) name.append(make("small", band.session));
      name.style.top = `${band.top}px`;
      return name;
    }));
  };
  const list = (several) => {
    get("events").replaceChildren(...call.events.map((event, number) => {
      const button = make("button", "", { type: "button", "data-event": number });
      const who = `${several && event.session ? event.session : { "*": "world" }[event.flow] ?? "agent"}`.padEnd(6);
      button.append(make("span", `+${event.at.toFixed(3)}`), make("span", `${who} ${event.flow}`), make("span", event.text));
      button.classList.toggle("failing", number === call.failing);
      const item = make("li");
      item.append(button);
      return item;
    }));
    const body = get("delays").tBodies[0];
    get("delays").hidden = !call.latencies.length;
    body.replaceChildren(...call.latencies.map((cells) => {
      const row = make("tr");
      row.append(make("th", cells[0], { scope: "row" }), ...cells.slice(1).map((cell) => make("td", cell)));
      return row;
    }));
  };
  const frame = (event) => JSON.stringify(event.data, null, 2);
  const choose = (number, { follow = false } = {}) => {
    for (const old of document.querySelectorAll(".chosen")) old.classList.remove("chosen");
    chosen = number;
    const event = call.events[number];
    get("which").textContent = event ? `Frame ${event.index} at ${event.at.toFixed(3)} s` : "Frame";
    get("frame").textContent = event ? frame(event) : "";
    if (!event) return;
    for (const part of document.querySelectorAll(`[data-event="${number}"]`)) part.classList.add("chosen");
    if (!follow) return;
    const x = ((event.at - call.start) / call.axis) * sheet.clientWidth;
    if (x < scroll.scrollLeft || x > scroll.scrollLeft + scroll.clientWidth - 40) scroll.scrollLeft = x - scroll.clientWidth / 2;
    document.querySelector("#events .chosen").scrollIntoView({ block: "nearest" });
  };
  const step = (by) => choose(Math.min(Math.max(chosen + by, 0), call.events.length - 1), { follow: true });
  const setZoom = (value, x = scroll.clientWidth / 2) => {
    const at = (scroll.scrollLeft + x) / sheet.clientWidth;
    zoom = value;
    sheet.style.width = `${zoom * 100}%`;
    sheet.className = zoom >= 16 ? "nearest" : zoom >= 4 ? "near" : "";
    scroll.scrollLeft = at * sheet.clientWidth - x;
  };
  const zoomBy = (by, x) => setZoom(ZOOMS[Math.min(Math.max(ZOOMS.indexOf(zoom) + by, 0), ZOOMS.length - 1)], x);

  // Sound: every clip at its place in one stereo WAV, the caller left, the agent right.
  const RATE = 8000;
  const MULAW = Int16Array.from({ length: 256 }, (_, code) => {
    const bits = ~code & 255;
    const size = ((((bits & 15) << 3) + 132) << ((bits >> 4) & 7)) - 132;
    return bits & 128 ? -size : size;
  });
  const load = async () => {
    URL.revokeObjectURL(player.src);
    player.removeAttribute("src");
    get("time").textContent = "";
    cursor.hidden = true;
    const of = call;
    if (!of.clips.length) return;
    const sounds = await Promise.all(of.clips.map((clip) => unpack(`sound-${clip.sound}`)));
    const end = Math.max(...of.clips.map((clip) => clip.at - of.start + clip.heard));
    const wav = new Int16Array(22 + 2 * Math.ceil(end * RATE + 1));
    const size = wav.byteLength - 44;
    new Uint8Array(wav.buffer).set(new TextEncoder().encode("RIFF\0\0\0\0WAVEfmt "));
    const header = new DataView(wav.buffer);
    const fields = [[4, 36 + size], [16, 16], [24, RATE], [28, 4 * RATE], [40, size]];
    for (const [at, value] of fields) header.setUint32(at, value, true);
    for (const [at, value] of [[20, 1], [22, 2], [32, 4], [34, 16]]) header.setUint16(at, value, true);
    new Uint8Array(wav.buffer).set(new TextEncoder().encode("data"), 36);
    of.clips.forEach((clip, number) => {
      const first = 22 + 2 * Math.round((clip.at - of.start) * RATE) + (clip.who === "agent");
      sounds[number].subarray(0, Math.round(clip.heard * RATE)).forEach((code, at) => {
        wav[first + 2 * at] = MULAW[code];
      });
    });
    if (of === call) player.src = URL.createObjectURL(new Blob([wav], { type: "audio/wav" }));
  };
  const follow = () => {
    if (!call) return;
    cursor.hidden = !player.currentTime;
    cursor.style.left = `${(100 * player.currentTime) / call.axis}%`;
    get("time").textContent = player.currentTime ? `${(call.start + player.currentTime).toFixed(2)} s` : "";
    if (!player.paused) requestAnimationFrame(follow);
  };
  for (const name of ["play", "seeked", "pause", "timeupdate"]) player.addEventListener(name, follow);

  // Pointer and keys.
  const eventAt = (target) => {
    const number = target.closest?.("[data-event]")?.dataset.event;
    return number === undefined ? -1 : Number(number);
  };
  sheet.addEventListener("pointermove", (move) => {
    const event = call?.events[eventAt(move.target)];
    tip.hidden = !event;
    if (!event) return;
    tip.textContent = `+${event.at.toFixed(3)}  ${event.text}\n${frame(event)}`;
    const left = Math.min(move.clientX + 14, innerWidth - tip.offsetWidth - 8);
    const below = move.clientY + 18;
    tip.style.left = `${Math.max(left, 8)}px`;
    tip.style.top = `${below + tip.offsetHeight > innerHeight ? Math.max(move.clientY - tip.offsetHeight - 12, 4) : below}px`;
  });
  sheet.addEventListener("pointerleave", () => { tip.hidden = true; });
  sheet.addEventListener("click", (click) => {
    const number = eventAt(click.target);
    if (number >= 0) return choose(number, { follow: true });
    const box = sheet.getBoundingClientRect();
    player.currentTime = ((click.clientX - box.left) / box.width) * call.axis;
  });
  scroll.addEventListener("wheel", (wheel) => {
    if (!wheel.ctrlKey) return;
    wheel.preventDefault();
    zoomBy(wheel.deltaY < 0 ? 1 : -1, wheel.clientX - scroll.getBoundingClientRect().left);
  }, { passive: false });
  get("events").addEventListener("click", (click) => choose(eventAt(click.target), { follow: true }));
  get("in").addEventListener("click", () => zoomBy(1));
  get("out").addEventListener("click", () => zoomBy(-1));
  get("fit").addEventListener("click", () => setZoom(1));
  document.querySelector(".filters").addEventListener("input", filter);
  document.querySelector(".filters").addEventListener("submit", (submit) => submit.preventDefault());
  for (const button of document.querySelectorAll("[data-sort]")) button.addEventListener("click", () => sort(button));

  const go = (hash) => { location.hash = hash; };
  const KEYS = {
    ArrowRight: () => step(1),
    ArrowLeft: () => step(-1),
    "+": () => zoomBy(1),
    "=": () => zoomBy(1),
    "-": () => zoomBy(-1),
    0: () => setZoom(1),
    " ": () => (player.paused ? player.play() : player.pause()),
    "]": () => get("next").hidden || go(get("next").hash),
    "[": () => get("previous").hidden || go(get("previous").hash),
    Escape: () => go(""),
  };
  document.addEventListener("keydown", (press) => {
    if (press.ctrlKey || press.metaKey || press.altKey) return;
    if (!call) {
      if (press.key !== "/" || press.target === get("find")) return;
      press.preventDefault();
      get("find").focus();
      return;
    }
    const own = press.target.closest("button, audio, a") && (press.key === " " || press.target === player);
    if (!KEYS[press.key] || own) return;
    press.preventDefault();
    KEYS[press.key]();
  });

  // Where we are: `#call-3` is the third call, anything else the index.
  const show = (which) => {
    get("index").hidden = which !== "index";
    get("call").hidden = which !== "call";
    tip.hidden = true;
  };
  const route = () => {
    const number = Number(/^#call-(\d+)$/.exec(location.hash)?.[1]);
    if (number >= 1 && number <= rows.length) return open(number);
    call = null;
    player.pause();
    show("index");
  };
  addEventListener("hashchange", route);
  if (rows.length === 1 && !location.hash) go("#call-1");
  else route();
})();
