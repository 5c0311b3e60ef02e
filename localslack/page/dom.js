// DOM building. Data reaches the document only as text nodes and checked attributes, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** Build an element. `props`: class, text, html attributes, `data`, and listeners written `onclick`. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name.startsWith("on")) {
      // A string here would come from data and run as script: only functions may listen.
      if (typeof value === "function") node.addEventListener(name.slice(2), value);
    } else if (name in LIVE) node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  append(node, children);
  return node;
}

const LIVE = { value: 1, checked: 1, disabled: 1, hidden: 1, indeterminate: 1, selected: 1 };

export function append(node, children) {
  for (const child of children.flat(4)) {
    if (child === undefined || child === null || child === false || child === "") continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

export function fill(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

const PATHS = {
  menu: "M3 5h14M3 10h14M3 15h14",
  hash: "M8 3 6 17M14 3l-2 14M3.5 7.5h14M2.5 12.5h14",
  lock: "M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  plus: "M10 4v12M4 10h12",
  close: "M5 5l10 10M15 5 5 15",
  thread: "M3 4h14v9H9l-4 3.5V13H3z",
  smile: "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4M7.2 12c1.4 2 4.2 2 5.6 0M7.6 8v.2M12.4 8v.2",
  more: "M4.5 10h.1M10 10h.1M15.5 10h.1",
  pin: "M7 3h6l-1 5 3 3H5l3-3zM10 11v6",
  link: "M8.5 11.5a3 3 0 0 0 4.3 0l2.4-2.4a3 3 0 0 0-4.3-4.3l-1 1M11.5 8.5a3 3 0 0 0-4.3 0l-2.4 2.4a3 3 0 0 0 4.3 4.3l1-1",
  people: "M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2 17c0-3 2.4-5 5.5-5s5.5 2 5.5 5M13 9.3a2.6 2.6 0 0 0 0-5.1M14.8 12.4c2 .7 3.2 2.4 3.2 4.6",
  bell: "M5 13.5V9a5 5 0 0 1 10 0v4.5l1.5 1.5h-13zM8.5 17h3",
  clock: "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4M10 6v4.2l2.8 1.8",
  tools: "M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4",
  search: "M8.8 3.5a5.3 5.3 0 1 0 0 10.6 5.3 5.3 0 0 0 0-10.6M12.8 12.8 17 17",
  file: "M5 2.5h6.5L15 6v11.5H5zM11.5 2.5V6H15",
  download: "M10 3v9M6 8.5l4 4 4-4M4 16.5h12",
  check: "M4 10.5l4 4 8-9",
  down: "M5 7.5l5 5 5-5",
  right: "M7.5 5l5 5-5 5",
  back: "M12.5 5l-5 5 5 5",
  eye: "M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5M10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
  send: "M3.5 3.5 17 10 3.5 16.5 5.5 10zM5.5 10H10",
  external: "M8 4H4v12h12v-4M11 3h6v6M17 3l-8 8",
  info: "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4M10 9.2V14M10 6.3v.1",
  warn: "M10 3 18 17H2zM10 8.5v4M10 14.6v.1",
  app: "M3.5 3.5h5v5h-5zM11.5 3.5h5v5h-5zM3.5 11.5h5v5h-5zM11.5 11.5h5v5h-5z",
  archive: "M3 4h14v3.5H3zM4.5 7.5V16h11V7.5M8 10.5h4",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon icon-${name}`);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.more);
  svg.append(path);
  return svg;
}

export function iconButton(name, label, onclick, props = {}) {
  return el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...props }, icon(name));
}

/** An address a message may link to, or null. Anything that could run script is refused. */
export function safeHref(address) {
  try {
    const url = new URL(String(address), location.href);
    return ["http:", "https:", "mailto:", "tel:", "slack:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

export function safeLink(address, children, props = {}) {
  const href = safeHref(address);
  if (!href) return el("span", {}, children);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer", ...props }, children);
}

let serial = 0;
export const freshId = (stem) => `${stem}-${++serial}`;

/** Redraw part of the page without losing where the keyboard is. Controls carry `data-key`. */
export function keepingFocus(root, redraw) {
  const active = document.activeElement;
  const keyed = () => [...root.querySelectorAll("[data-key]")];
  const holder = active && root.contains(active) ? active.closest("[data-key]") : null, key = holder?.dataset.key, at = holder ? keyed().indexOf(holder) : -1;
  let selection = null;
  try { if (active?.selectionStart != null) selection = [active.selectionStart, active.selectionEnd]; } catch { /* not a text field */ }
  redraw();
  if (!key) return;
  // A block's id changes with what it shows: then the control that stands in the same place is the one.
  const next = root.querySelector(`[data-key="${CSS.escape(key)}"]`) ?? keyed()[at];
  if (!next) { if (root.hasAttribute("tabindex")) root.focus({ preventScroll: true }); return; }
  next.focus({ preventScroll: true });
  if (selection) try { next.setSelectionRange(...selection); } catch { /* not a text field */ }
}

export function announce(text) {
  const live = document.getElementById("live");
  live.textContent = "";
  setTimeout(() => { live.textContent = text; }, 40);
}

const AVATARS = ["#12564f", "#7a3b1d", "#39507a", "#6b3a63", "#3f5f24", "#8a2f3c", "#4b4690", "#5c4a12", "#2a607c", "#54606b"];
const seats = new Map();

/** Give people their colours in this order, so that every tab gives the same person the same one. */
export function seatColours(ids) { for (const id of ids) if (!seats.has(id)) seats.set(id, AVATARS[seats.size % AVATARS.length]); }

export function avatar(who, small = false) {
  const name = who?.real_name || who?.name || "?", id = who?.id ?? name;
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const initials = (words.length > 1 ? words[0][0] + words.at(-1)[0] : name.slice(0, 2)).toUpperCase();
  seatColours([id]);
  const node = el("span", { class: `avatar${small ? " small" : ""}${who?.is_bot ? " app-avatar" : ""}`, "aria-hidden": "true", text: initials });
  node.style.background = seats.get(id);
  node.style.color = "#ffffff";
  return node;
}
