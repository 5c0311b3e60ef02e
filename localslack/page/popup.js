// Things that float: menus, pickers, small dialogs. Menus live in the top layer, so nothing clips them.
import { el, fill, freshId, icon } from "./dom.js";

let closeOpen = null;
export const closePopups = () => closeOpen?.();

/** Show `panel` by `anchor`; returns a function that closes it. */
export function floatBy(anchor, panel, { onclose, width } = {}) {
  closeOpen?.();
  const host = anchor.closest("dialog") ?? document.getElementById("floats");
  panel.classList.add("floating");
  if (panel.showPopover) panel.setAttribute("popover", "manual");
  host.append(panel);
  panel.showPopover?.();
  const seat = () => {
    const box = anchor.getBoundingClientRect(), room = window.innerHeight, wide = window.innerWidth;
    if (width === "anchor") panel.style.minWidth = `${Math.min(Math.max(box.width, 180), wide - 16)}px`;
    panel.style.maxHeight = `${Math.max(160, Math.min(380, Math.max(room - box.bottom, box.top) - 16))}px`;
    const size = panel.getBoundingClientRect();
    const under = box.bottom + 4 + size.height <= room || box.top < size.height;
    panel.style.top = `${Math.max(8, under ? Math.min(box.bottom + 4, room - size.height - 8) : box.top - size.height - 4)}px`;
    panel.style.left = `${Math.max(8, Math.min(box.left, wide - size.width - 8))}px`;
  };
  seat();
  const close = () => {
    document.removeEventListener("pointerdown", outside, true);
    window.removeEventListener("resize", close);
    document.removeEventListener("scroll", scrolled, true);
    panel.remove();
    if (closeOpen === close) closeOpen = null;
    onclose?.();
  };
  const outside = (event) => { if (!panel.contains(event.target) && !anchor.contains(event.target)) close(); };
  const scrolled = (event) => { if (!panel.contains(event.target)) { if (!anchor.isConnected) close(); else seat(); } };
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("scroll", scrolled, true);
  window.addEventListener("resize", close);
  closeOpen = close;
  return Object.assign(close, { seat });
}

/** A menu: items {label, hint, icon, href, danger, run} or "-" for a line. Arrow keys, Home, End, letters, Escape. */
export function openMenu(anchor, items, label) {
  const panel = el("div", { class: "menu", role: "menu", "aria-label": label });
  for (const item of items) {
    if (item === "-") { panel.append(el("div", { class: "menu-line", role: "separator" })); continue; }
    const inner = [item.icon ? icon(item.icon) : null, el("span", { class: "menu-label" }, item.label), item.hint ? el("span", { class: "menu-hint" }, item.hint) : null];
    const props = { class: `menu-item${item.danger ? " danger" : ""}`, role: "menuitem", tabindex: "-1", "aria-current": item.current ? "true" : null };
    panel.append(item.href
      ? el("a", { ...props, href: item.href, target: item.target, rel: "noopener", onclick: () => close() }, inner)
      : el("button", { ...props, type: "button", onclick: () => { close(); anchor.focus(); item.run(); } }, inner));
  }
  anchor.setAttribute("aria-expanded", "true");
  const close = floatBy(anchor, panel, { onclose: () => anchor.setAttribute("aria-expanded", "false") });
  const entries = [...panel.querySelectorAll(".menu-item")];
  panel.addEventListener("keydown", (event) => {
    const at = entries.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) entries[(at + step + entries.length) % entries.length]?.focus();
    else if (event.key === "Home") entries[0]?.focus();
    else if (event.key === "End") entries.at(-1)?.focus();
    else if (event.key === "Escape" || event.key === "Tab") { close(); anchor.focus(); if (event.key === "Tab") return; }
    else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && event.key !== " ") {
      const next = [...entries.slice(at + 1), ...entries].find((entry) => entry.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()));
      next?.focus();
      if (!next) return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // One entry is a stop of the Tab key, as in every menu; the arrows go on from there.
  entries[0]?.setAttribute("tabindex", "0");
  entries[0]?.focus();
  return close;
}

const FOCUSABLE = 'a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled]), [tabindex]:not([tabindex="-1"])';

/** Keep Tab inside a dialog. The browser makes the rest inert; this also keeps it from leaving for the address bar. */
export function trapFocus(dialog) {
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const stops = [...dialog.querySelectorAll(FOCUSABLE)].filter((node) => node.offsetParent !== null);
    if (!stops.length) return;
    const first = stops[0], last = stops.at(-1), inside = dialog.contains(document.activeElement);
    if (event.shiftKey && (document.activeElement === first || document.activeElement === dialog || !inside)) { last.focus(); event.preventDefault(); }
    else if (!event.shiftKey && (document.activeElement === last || !inside)) { first.focus(); event.preventDefault(); }
  });
}

/** A small dialog of the page itself. `build(close)` returns its body; resolves with what close() was given. */
export function dialog(title, build, { wide = false, labelOnly = false } = {}) {
  return new Promise((settle) => {
    const id = freshId("dialog"), before = document.activeElement;
    const box = el("dialog", { class: `dialog${wide ? " wide" : ""}`, "aria-labelledby": id });
    const close = (value) => { box.close(); box.remove(); if (before?.isConnected) before.focus(); settle(value); };
    fill(box, el("h2", { id, class: labelOnly ? "visually-hidden" : "dialog-title", text: title }), build(close));
    box.addEventListener("cancel", (event) => { event.preventDefault(); close(undefined); });
    box.addEventListener("pointerdown", (event) => { if (event.target === box) close(undefined); });
    trapFocus(box);
    document.body.append(box);
    box.showModal();
    box.querySelector("[autofocus]")?.focus();
  });
}

/** Block Kit's confirm object. https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object */
export function confirmFirst(confirm, textNode) {
  if (!confirm) return Promise.resolve(true);
  return dialog(confirm.title?.text ?? "Are you sure?", (close) => el("div", {},
    textNode(confirm.text, "div", { class: "dialog-body prose" }),
    el("div", { class: "dialog-buttons" },
      el("button", { type: "button", class: "button", onclick: () => close(false) }, confirm.deny?.text ?? "Cancel"),
      el("button", { type: "button", class: `button ${confirm.style === "danger" ? "danger-fill" : "primary"}`, autofocus: true, onclick: () => close(true) }, confirm.confirm?.text ?? "Yes"))))
    .then(Boolean);
}

/** A sentence that appears at the edge and goes by itself. */
export function toast(text, { title, onclick, kind = "", place: about } = {}) {
  const place = document.getElementById("toasts");
  const body = [title ? el("span", { class: "toast-title", text: title }) : null, el("span", { class: "toast-text", text })];
  const node = el("div", { class: `toast ${kind}`, data: about ? { about } : {} },
    onclick ? el("button", { type: "button", class: "toast-body", onclick: () => { node.remove(); onclick(); } }, body) : el("div", { class: "toast-body" }, body),
    el("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", onclick: () => node.remove() }, icon("close")));
  place.append(node);
  while (place.children.length > 4) place.firstElementChild.remove();
  let timer = setTimeout(() => node.remove(), 8000);
  node.addEventListener("pointerenter", () => clearTimeout(timer));
  node.addEventListener("pointerleave", () => { timer = setTimeout(() => node.remove(), 4000); });
}

/** Take away what was said about a channel that is now on the screen. */
export function forgetToasts(channel) {
  for (const node of [...document.getElementById("toasts").children]) if (channel && node.dataset.about === channel) node.remove();
}
