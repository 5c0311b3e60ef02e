// The left side: workspace, channels, direct messages, the app, and the tour card.
import { addressOf } from "./api.js";
import { avatar, el, fill, icon, iconButton, keepingFocus } from "./dom.js";
import { act } from "./message.js";
import { dialog, toast } from "./popup.js";
import { bot, channelName, emit, handleOf, personName, world } from "./world.js";

const byName = (a, b) => channelName(a).localeCompare(channelName(b));

function row(channel) {
  const here = world.open.channel === channel.id, unread = channel.unread > 0, mentions = Number(channel.mentioned) || 0;
  const who = channel.is_im ? world.people.get(channel.with) : null;
  const title = channelName(channel) + (channel.with === world.me.id ? " (you)" : "");
  const said = [channel.is_private && !channel.is_im ? "private" : "", unread ? `${channel.unread} unread` : "", mentions ? `${mentions} mention${mentions === 1 ? "" : "s"}` : "", channel.is_archived ? "archived" : ""].filter(Boolean).join(", ");
  return el("li", {}, el("a", {
    class: `side-row${here ? " here" : ""}${unread || mentions ? " unread" : ""}${channel.is_archived ? " archived" : ""}`, "aria-current": here ? "page" : null,
    href: addressOf({ as: handleOf(world.me), channel: channel.id }), data: { key: `side/${channel.id}` },
    onclick: (event) => { if (event.metaKey || event.ctrlKey) return; event.preventDefault(); emit("go", { channel: channel.id }); },
  }, who ? avatar(who, true) : icon(channel.is_archived ? "archive" : channel.is_private ? "lock" : "hash"), el("span", { class: "side-name", title, text: title }), said ? el("span", { class: "visually-hidden", text: `, ${said}` }) : null,
  mentions || (channel.is_im && unread) ? el("span", { class: "badge", "aria-hidden": "true", text: mentions || channel.unread }) : unread ? el("span", { class: "dot" }) : null));
}

const heading = (text, ...buttons) => el("div", { class: "side-head" }, el("h2", { text }), buttons);

export function drawSidebar(root) {
  const all = [...world.channels.values()], app = bot();
  const joined = all.filter((one) => !one.is_im && one.is_member && (!one.is_archived || one.id === world.open.channel)).sort(byName);
  const direct = all.filter((one) => one.is_im && one.with !== app?.id).sort(byName);
  const chat = all.find((one) => one.is_im && one.with === app?.id);
  const strangers = [...world.people.values()].filter((one) => one.id !== world.me.id && !one.is_bot && !direct.some((chatOne) => chatOne.with === one.id));
  keepingFocus(root, () => {
    const tour = root.querySelector(".tour");
    const scroll = root.querySelector(".side-scroll")?.scrollTop ?? 0, tourScroll = tour?.scrollTop ?? 0;
    fill(root,
      el("div", { class: "side-scroll" },
        heading("Channels", iconButton("search", "Browse channels", browse), iconButton("plus", "Create a channel", create)),
        el("ul", { class: "side-list" }, joined.map(row)),
        app ? [heading("Apps"), el("ul", { class: "side-list" }, el("li", {}, el("button", {
          type: "button", class: `side-row${world.open.tab !== "messages" || (chat && world.open.channel === chat.id) ? " here" : ""}${chat?.unread ? " unread" : ""}`, data: { key: "side/app" },
          onclick: () => emit("go", { app: true, channel: chat?.id ?? null }),
        }, avatar(app, true), el("span", { class: "side-name", text: personName(app.id) }), chat?.unread ? el("span", { class: "badge", text: chat.unread }) : null)))] : null,
        heading("Direct messages"),
        el("ul", { class: "side-list" }, direct.map(row), strangers.map((one) => el("li", {}, el("button", { type: "button", class: "side-row", data: { key: `dm/${one.id}` }, onclick: () => openDm(one.id) }, avatar(one, true), el("span", { class: "side-name", text: personName(one.id) })))))),
      tour);
    root.querySelector(".side-scroll").scrollTop = scroll;
    if (tour) tour.scrollTop = tourScroll;
  });
  if (!root.querySelector(".tour") || root.dataset.tour !== JSON.stringify(world.tour)) drawTour(root);
}

let tourOpen = null;
export function drawTour(root) {
  root.dataset.tour = JSON.stringify(world.tour);
  root.querySelector(".tour")?.remove();
  if (!world.tour?.lines?.length) return;
  const { title, lines } = world.tour, done = lines.filter((line) => line.done).length, next = lines.findIndex((line) => !line.done);
  tourOpen ??= done < lines.length;
  const card = el("details", { class: "tour", open: tourOpen, ontoggle: () => { tourOpen = card.open; seatTour(card); } },
    el("summary", { data: { key: "tour" } }, el("span", { text: title ?? "Try this" }), el("span", { class: "hint", text: done === lines.length ? "all done" : `${done} of ${lines.length}` })),
    el("ol", { class: "tour-lines" }, lines.map((line, at) => el("li", { class: `${line.done ? "done" : ""}${at === next ? " next" : ""}`, "aria-current": at === next ? "step" : null },
      el("span", { class: "tour-box", role: "img", "aria-label": line.done ? "Done:" : at === next ? "Next:" : "Open:" }, line.done ? icon("check") : null), el("span", {}, tourWords(line.text))))));
  root.append(card);
  seatTour(card);
}

/** Keep the next line in sight, with the one before it. */
function seatTour(card) {
  const next = card.querySelector(".next") ?? card.querySelector("li:last-child"), before = next?.previousElementSibling ?? next;
  if (card.open && before) card.scrollTop = before.offsetTop - card.querySelector("summary").offsetHeight - 4;
}

/** A line's `commands` go into the composer at a click; [words](as:ben) open a tab as that person. All else is text. */
function tourWords(text) {
  return String(text).split(/(`[^`]+`|\[[^\]]+\]\(as:[a-z0-9_.-]+\))/).map((part) => {
    const person = /^\[([^\]]+)\]\(as:(.+)\)$/.exec(part);
    if (person) return el("a", { href: addressOf({ as: person[2] }), target: "_blank", rel: "noopener", text: person[1], onclick: (event) => { event.currentTarget.href = addressOf({ as: person[2], channel: tourPlace() }); } });
    const command = /^`(.+)`$/.exec(part)?.[1];
    return command ? el("button", { type: "button", class: "tour-command", title: "Put it into the composer", text: command, onclick: () => emit("write", command) }) : part;
  });
}

const tourPlace = () => (world.channels.get(world.open.channel)?.is_im ? null : world.open.channel);

export async function openDm(user) {
  const answer = await act("open_dm", { user });
  const id = answer.channel?.id ?? answer.channel ?? [...world.channels.values()].find((one) => one.is_im && one.with === user)?.id;
  if (answer.ok !== false && id) {
    if (!world.channels.has(id)) world.channels.set(id, { id, name: handleOf(world.people.get(user)), is_im: true, with: user, is_member: true, unread: 0, mentioned: 0 });
    emit("go", { channel: id });
  }
}

function browse() {
  const box = el("input", { class: "field", placeholder: "Search channels", "aria-label": "Search channels", autofocus: true, oninput: () => draw() });
  const list = el("ul", { class: "browse-list" });
  let done = null;
  const draw = () => fill(list, [...world.channels.values()].filter((one) => !one.is_im && one.name.includes(box.value.trim().toLowerCase())).sort(byName).map((one) => el("li", {},
    el("button", { type: "button", class: "browse-row", onclick: () => { done(); emit("go", { channel: one.id }); } }, icon(one.is_archived ? "archive" : one.is_private ? "lock" : "hash"), el("span", { class: "side-name", text: one.name }), el("span", { class: "hint", text: one.is_archived ? "archived" : one.is_member ? "joined" : one.topic ?? "" })),
    one.is_member || one.is_archived ? null : el("button", { type: "button", class: "button", "aria-label": `Join #${one.name}`, onclick: async () => { const answer = await act("join", { channel: one.id }); if (answer.ok !== false) { done(); emit("go", { channel: one.id }); } } }, "Join"))));
  dialog("Browse channels", (close) => { done = close; draw(); return el("div", {}, box, list); });
}

function create() {
  const name = el("input", { class: "field", id: "new-channel", placeholder: "for example payments-night", autofocus: true, autocomplete: "off", maxlength: 80, oninput: () => { name.value = name.value.toLowerCase().replace(/\s/g, "-"); } });
  const hidden = el("input", { type: "checkbox" });
  dialog("Create a channel", (close) => {
    const go = async () => {
      const wanted = name.value.trim().replace(/^#/, "");
      if (!wanted) { name.focus(); return; }
      const answer = await act("create_channel", { name: wanted, is_private: hidden.checked });
      if (answer.ok === false) return;
      close();
      const id = answer.channel?.id ?? answer.channel;
      if (id) setTimeout(() => emit("go", { channel: id }), 50); else toast(`#${wanted} is there.`);
    };
    name.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); go(); } });
    return el("div", { class: "stack" }, el("label", { class: "input-label", for: "new-channel", text: "Name" }), name, el("label", { class: "choice" }, hidden, el("span", { text: "Private" })),
      el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button", onclick: () => close() }, "Cancel"), el("button", { type: "button", class: "button primary", onclick: go }, "Create")));
  });
}

/** Ctrl+K: type a part of a channel's or a person's name. */
export function jump() {
  const box = el("input", { class: "field", placeholder: "Jump to a channel or person", "aria-label": "Jump to a channel or person", autofocus: true, role: "combobox", "aria-expanded": "true", "aria-controls": "jump-list", autocomplete: "off" });
  const list = el("div", { class: "jump-list", role: "listbox", id: "jump-list", "aria-label": "Channels and people" });
  let shown = [], active = 0;
  return dialog("Jump to", (close) => {
    const app = bot();
    const all = [
      ...[...world.channels.values()].filter((one) => !one.is_im).sort((a, b) => (b.unread ?? 0) - (a.unread ?? 0) || byName(a, b)).map((one) => ({ label: one.name, mark: icon(one.is_archived ? "archive" : one.is_private ? "lock" : "hash"), hint: one.is_archived ? "archived" : one.is_member ? (one.unread ? `${one.unread} unread` : "") : "not joined", run: () => emit("go", { channel: one.id }) })),
      ...[...world.people.values()].filter((one) => one.id !== world.me.id && !one.is_bot).map((one) => ({ label: personName(one.id), mark: avatar(one, true), hint: `@${handleOf(one)}`, run: () => openDm(one.id) })),
      ...(app ? [{ label: personName(app.id), mark: avatar(app, true), hint: "App", run: () => emit("go", { app: true }) }] : []),
    ];
    const point = (at) => { active = at; [...list.children].forEach((node, number) => { node.classList.toggle("active", number === at); node.setAttribute("aria-selected", String(number === at)); }); box.setAttribute("aria-activedescendant", `jump-${at}`); list.children[at]?.scrollIntoView({ block: "nearest" }); };
    const choose = (one) => { close(); one?.run(); };
    const draw = () => {
      const words = box.value.trim().toLowerCase().replace(/^[#@]/, "");
      const rank = (one) => (one.label.toLowerCase().startsWith(words) ? 0 : 1);
      shown = all.filter((one) => `${one.label} ${one.hint}`.toLowerCase().includes(words)).sort((a, b) => rank(a) - rank(b)).slice(0, 12);
      fill(list, shown.map((one, at) => el("div", { class: "menu-item", role: "option", id: `jump-${at}`, "aria-selected": "false", onclick: () => choose(one) }, one.mark, el("span", { class: "menu-label", text: one.label }), el("span", { class: "menu-hint", text: one.hint }))));
      point(0);
    };
    box.addEventListener("input", draw);
    box.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); point((active + (event.key === "ArrowDown" ? 1 : -1) + shown.length) % Math.max(1, shown.length)); }
      if (event.key === "Enter") { event.preventDefault(); choose(shown[active]); }
    });
    draw();
    return el("div", {}, box, list);
  }, { labelOnly: true });
}
