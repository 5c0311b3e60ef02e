// One combobox for every select of Block Kit: filter by typing, arrows, Enter, Escape; chips when several may be chosen.
import { el, fill, freshId, icon } from "./dom.js";
import { floatBy } from "./popup.js";

/**
 * groups: [{label, options: [{key, label, node?, description?}]}]; chosen: array of keys.
 * `load(typed)` fetches choices into `groups` from `least` letters on. onchange(keys) after each change. Returns the element; its `input` gets id and aria attributes.
 */
export function picker({ groups, chosen, multiple = false, max = 0, placeholder, label, inputId, key, describedBy, clearable = true, load = null, least = 0, onchange }) {
  const seen = new Map();
  const find = (one) => {
    for (const group of groups) for (const option of group.options) seen.set(option.key, option);
    return seen.get(one) ?? { key: one, label: one };
  };
  let timer = null;
  let picked = [...chosen], active = 0, shown = [], closeList = null;
  const listId = freshId("list");
  const input = el("input", {
    type: "text", id: inputId, class: "picker-input", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": listId,
    "aria-label": inputId ? null : label, "aria-describedby": describedBy, autocomplete: "off", spellcheck: "false", data: key ? { key } : {},
  });
  const chips = el("span", { class: "picker-chips" });
  const clear = el("button", { type: "button", class: "icon-button picker-clear", "aria-label": "Clear choice", onclick: () => { set([]); input.focus(); } }, icon("close"));
  const root = el("span", { class: `picker${multiple ? " multiple" : ""}` }, chips, input, multiple || !clearable ? null : clear, icon("down"));

  const draw = () => {
    fill(chips, multiple ? picked.map((one) => el("span", { class: "chip" }, find(one).label,
      el("button", { type: "button", "aria-label": `Remove ${find(one).label}`, onclick: () => { set(picked.filter((other) => other !== one)); input.focus(); } }, icon("close")))) : []);
    clear.hidden = multiple || picked.length === 0;
    input.placeholder = multiple && picked.length ? "" : placeholder || (multiple ? "Choose" : "Choose one");
    if (!closeList) input.value = multiple || !picked.length ? "" : find(picked[0]).label;
  };
  const set = (keys) => { picked = keys; draw(); onchange([...picked]); };

  const list = el("div", { class: "menu listbox", role: "listbox", id: listId, "aria-label": label ?? "Choices", "aria-multiselectable": multiple ? "true" : null });
  const filter = () => {
    const words = input.dataset.typed === "yes" ? input.value.trim().toLowerCase() : "";
    shown = [];
    fill(list);
    for (const group of groups) {
      const hits = group.options.filter((option) => !words || option.label.toLowerCase().includes(words) || (option.hint ?? "").toLowerCase().includes(words)).slice(0, 200);
      if (!hits.length) continue;
      const nodes = hits.map((option) => {
        const node = el("div", {
          class: "menu-item", role: "option", id: freshId("option"), "aria-selected": picked.includes(option.key) ? "true" : "false",
          onpointerdown: (event) => event.preventDefault(), onclick: () => choose(option),
        }, el("span", { class: "menu-label" }, option.node ? option.node() : option.label, option.description ? el("span", { class: "option-description" }, option.description) : null),
        option.hint ? el("span", { class: "menu-hint", text: option.hint }) : null, picked.includes(option.key) ? icon("check") : null);
        shown.push({ option, node });
        return node;
      });
      const title = freshId("group");
      if (group.label) list.append(el("div", { role: "group", "aria-labelledby": title }, el("div", { class: "menu-group", id: title, text: group.label }), nodes));
      else list.append(...nodes);
    }
    if (!shown.length) list.append(el("div", { class: "menu-empty", role: "option", "aria-disabled": "true", "aria-selected": "false", text: "Nothing matches" }));
    point(Math.max(0, words ? 0 : shown.findIndex(({ option }) => option.key === picked[0])));
  };
  const fetchMore = () => {
    clearTimeout(timer);
    if (!load || input.value.trim().length < least) return;
    timer = setTimeout(() => load(input.value.trim()).then(() => { if (closeList) { input.dataset.typed = "no"; filter(); closeList.seat(); } }, () => {}), 200);
  };
  const point = (at) => {
    active = at;
    shown.forEach(({ node }, number) => node.classList.toggle("active", number === at));
    const node = shown[at]?.node;
    if (node) { input.setAttribute("aria-activedescendant", node.id); node.scrollIntoView({ block: "nearest" }); } else input.removeAttribute("aria-activedescendant");
  };
  const open = () => {
    if (closeList) return;
    input.dataset.typed = "no";
    closeList = floatBy(root, list, { width: "anchor", onclose: () => { closeList = null; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); draw(); } });
    input.setAttribute("aria-expanded", "true");
    filter();
    closeList.seat();
    if (load && least === 0) fetchMore();
  };
  const choose = (option) => {
    if (!multiple) { closeList?.(); if (picked[0] !== option.key) set([option.key]); return; }
    if (picked.includes(option.key)) set(picked.filter((one) => one !== option.key));
    else if (!max || picked.length < max) set([...picked, option.key]);
    input.value = "";
    input.dataset.typed = "no";
    filter();
    closeList?.seat();
  };

  input.addEventListener("click", open);
  input.addEventListener("focus", () => { if (!multiple) input.select(); });
  input.addEventListener("input", () => { open(); input.dataset.typed = "yes"; filter(); fetchMore(); });
  input.addEventListener("blur", () => closeList?.());
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!closeList) { open(); return; }
      point((active + (event.key === "ArrowDown" ? 1 : -1) + shown.length) % Math.max(1, shown.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!closeList) open(); else if (shown[active]) choose(shown[active].option);
    } else if (event.key === "Escape" && closeList) { event.preventDefault(); event.stopPropagation(); closeList(); }
    else if (event.key === "Backspace" && multiple && !input.value && picked.length) set(picked.slice(0, -1));
  });
  root.addEventListener("click", (event) => { if (event.target === root || event.target.closest(".icon-down")) { input.focus(); open(); } });
  draw();
  return root;
}
