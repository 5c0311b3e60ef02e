// Where it all comes together: start, follow the stream, go from place to place.
import { actAs, actingAs, addressOf, api, follow } from "./api.js";
import { channelList, detailsOf, drawCentre, forgetFresh, loadDetails, loadMessages, localNotice, onlyMine, stirred, unreadFrom } from "./centre.js";
import { announce, avatar, el, fill, icon, iconButton, keepingFocus, seatColours } from "./dom.js";
import { act, authorOf, plainWords } from "./message.js";
import { modalOpen, refreshViews } from "./modal.js";
import { drawPane, loadThread, threadList } from "./pane.js";
import { forgetToasts, openMenu, toast } from "./popup.js";
import { drawSidebar, drawTour, jump } from "./sidebar.js";
import { clockButtons, showTab, tick, toolsChanged, toolsTab } from "./tools.js";
import { bot, channelTitle, emit, handleOf, inChannel, isReply, on, personName, place, take, takeClock, world } from "./world.js";

const byId = (id) => document.getElementById(id);
const shell = byId("app");
const soon = new Map();
/** Run once in the next frame, however often it is asked for. */
function later(name, run) {
  if (soon.has(name)) return;
  soon.set(name, setTimeout(() => { soon.delete(name); run(); }, 16));
}
const redraw = { centre: () => later("centre", drawCentre), side: () => later("side", () => { drawSidebar(byId("sidebar")); drawTitle(); }), pane: () => later("pane", drawPane), top: () => later("top", drawTop) };

/* ---- the bar on top ---- */

function drawTop() {
  const unseen = world.notifications.filter((one) => one.read === false).length;
  const others = [...world.people.values()].filter((one) => !one.is_bot);
  const who = el("button", { type: "button", class: "who", "aria-haspopup": "menu", "aria-expanded": "false", title: "Act as somebody else",
    onclick: () => openMenu(who, [
      ...others.map((one) => ({ label: `${personName(one.id)}${one.id === world.me.id ? " (you)" : ""}`, hint: one.is_restricted || one.is_guest ? "guest" : `@${handleOf(one)}`, icon: one.id === world.me.id ? "check" : "people", current: one.id === world.me.id, href: address(one) })),
      "-",
      ...others.filter((one) => one.id !== world.me.id).map((one) => ({ label: `${personName(one.id)} in a new tab`, icon: "external", href: address(one), target: "_blank" })),
    ], "Act as") }, avatar(world.me, true), el("span", { class: "who-name" }, el("span", { class: "who-as", text: "Acting as" }), world.me.real_name ?? world.me.name), icon("down"));
  const sign = el("span", { class: "mark-sign", "aria-hidden": "true" }), team = el("span", { class: "workspace-name", text: world.team.name });
  const where = world.teams.length < 2 ? el("div", { class: "workspace" }, sign, team)
    : el("button", { type: "button", class: "workspace", "aria-label": `Workspace: ${world.team.name}`, "aria-haspopup": "menu", "aria-expanded": "false", title: "Go to another workspace",
      onclick: () => openMenu(where, world.teams.map((one) => ({ label: one.name, hint: one.installed ? "" : `${world.app.name} is not installed`, icon: one.id === world.team.id ? "check" : "people", current: one.id === world.team.id, href: addressOf({ team: one.id, as: handleOf(world.me) }) })), "Workspaces") }, sign, team, icon("down"));
  const bell = el("button", { type: "button", class: "icon-button bell", "aria-label": unseen ? `Notifications, ${unseen} new` : "Notifications", title: "Notifications", onclick: () => tools("notices") }, icon("bell"), unseen ? el("span", { class: "badge", text: unseen > 99 ? "99+" : unseen }) : null);
  const bar = byId("topbar");
  keepingFocus(bar, () => { fill(bar,
    iconButton("menu", "Channels", () => sidebar(shell.dataset.sidebar !== "open"), { class: "icon-button only-narrow", "aria-controls": "sidebar" }),
    where,
    el("button", { type: "button", class: "jump-button", onclick: jump, "aria-label": "Jump to a channel or person" }, icon("search"), el("span", { text: "Jump to…" }), el("kbd", { text: "Ctrl K" })),
    el("div", { class: "clock", role: "group", "aria-label": "Clock" },
      el("button", { type: "button", class: "clock-face", title: "Clock and switches", onclick: () => tools("world") }, el("span", { class: "clock-time" }, el("span", { class: "tick-time" }), " UTC"), el("span", { class: "clock-date tick-date" })),
      el("div", { class: "step-buttons" }, clockButtons())),
    bell,
    iconButton("tools", "Tools", () => (world.pane === "tools" ? emit("pane", null) : tools(toolsTab())), { "aria-pressed": String(world.pane === "tools") }),
    who);
    bar.querySelectorAll("button").forEach((button, at) => { button.dataset.key = `top/${at}`; });
  });
  tick();
}

const address = (person) => addressOf({ as: handleOf(person), channel: world.channels.get(world.open.channel)?.is_im ? null : world.open.channel });

function tools(tab) {
  showTab(tab);
  const open = world.pane === "tools";
  world.pane = "tools";
  drawPane();
  if (open) toolsChanged(tab === "world" ? "world" : tab);
  drawTop();
  byId("pane").querySelector(`#tool-${tab}`)?.click();
}

function sidebar(open) {
  shell.dataset.sidebar = open ? "open" : "closed";
  if (open) byId("sidebar").querySelector(".here, .side-row")?.focus();
}

function drawTitle() {
  const channel = world.channels.get(world.open.channel);
  const mentions = [...world.channels.values()].reduce((sum, one) => sum + (Number(one.mentioned) || 0) + (one.is_im ? Number(one.unread) || 0 : 0), 0);
  document.title = `${mentions ? `(${mentions}) ` : ""}${world.open.tab === "home" ? personName(bot()?.id) : channel ? channelTitle(channel) : "Channels"} · ${world.me.real_name ?? world.me.name} · ${world.team.name}`;
}

/* ---- going to places ---- */

function writeAddress(push) {
  const home = world.open.tab === "home";
  const wanted = location.pathname + addressOf({ as: handleOf(world.me), home: home ? "1" : null, channel: home ? null : world.open.channel, thread: world.pane === "thread" ? world.thread?.ts : null });
  if (wanted !== location.pathname + location.search) history[push ? "pushState" : "replaceState"](null, "", wanted);
}

/** Threads opened on this page: one opens at its beginning the first time, and at its end from then on. */
const readThreads = new Set();

async function go({ channel, ts, thread, app, tab, push = true, focus = true }) {
  if (app) {
    const chat = [...world.channels.values()].find((one) => one.is_im && one.with === bot()?.id);
    // Without a home of its own, or with something unread, an app opens at its messages.
    const wanted = tab ?? (world.app.home_tab === false || chat?.unread ? "messages" : "home");
    world.open = { channel: chat?.id ?? null, tab: wanted === "messages" && chat ? "messages" : "home" };
    if (wanted === "messages" && !chat) {
      const answer = await act("open_dm", { user: bot()?.id });
      const id = answer.channel?.id ?? answer.channel;
      if (id) { world.channels.set(id, { id, is_im: true, is_member: true, with: bot().id, unread: 0, mentioned: 0, name: handleOf(bot()) }); world.open = { channel: id, tab: "messages" }; }
    }
    if (world.open.tab === "home") act("open_home").then((answer) => { if (answer.home) { world.home = answer.home; redraw.centre(); } });
  } else if (channel && !(channel === world.open.channel && world.open.tab === "messages" && (ts || thread))) world.open = { channel, tab: "messages" };
  sidebar(false);
  forgetToasts(world.open.channel);
  const here = world.channels.get(world.open.channel), fresh = world.open.tab === "messages" && here;
  if (thread) {
    world.pane = "thread";
    if (world.thread?.channel !== world.open.channel || world.thread?.ts !== thread) world.thread = { channel: world.open.channel, ts: thread, list: (world.messages.get(world.open.channel)?.list ?? []).filter((one) => one.ts === thread) };
    noticesRead((one) => one.thread_ts === thread);
    loadThread(world.open.channel, thread).then(() => { drawPane(); if (ts) setTimeout(() => threadList()?.reveal(ts), 60); else if (!readThreads.has(thread)) { readThreads.add(thread); threadList()?.toStart(); } }, () => toast("That thread could not be read."));
  } else if (world.pane === "thread" && world.thread?.channel !== world.open.channel) { world.pane = null; world.thread = null; }
  writeAddress(push);
  drawCentre();
  drawPane();
  drawSidebar(byId("sidebar"));
  drawTitle();
  drawTop();
  if (thread && focus && !ts) byId("thread-text")?.focus();
  else if (focus && !ts && !modalOpen()) (byId("composer-text") ?? byId("centre")).focus({ preventScroll: true });
  if (!fresh) return;
  try {
    loadDetails(here.id);
    await loadMessages(here.id);
    if (world.open.channel !== here.id) return;
    if (!thread) unreadFrom(here);
    drawCentre();
    if (!ts) channelList()?.toEnd();
    else if (!thread && !channelList()?.reveal(ts)) await findOlder(here.id, ts);
    seen();
  } catch (error) { toast(`The messages could not be read: ${error.message}`, { kind: "bad" }); }
}

async function findOlder(channel, ts) {
  while (world.messages.get(channel)?.more && world.open.channel === channel) {
    await loadMessages(channel, world.messages.get(channel).oldest, 1000);
    if (world.messages.get(channel).oldest <= ts) break;
  }
  drawCentre();
  if (world.open.channel === channel && !channelList()?.reveal(ts)) toast("That message is no longer there.");
}

/** What was notified of is on the screen now: the bell no longer counts it. */
function noticesRead(which) {
  for (const one of world.notifications) if (which(one)) one.read = true;
  redraw.top();
}

/** Tell the server that the open channel was read, as Slack does when its end is on the screen. */
function seen() {
  const channel = world.channels.get(world.open.channel);
  if (!channel || world.open.tab !== "messages" || document.visibilityState !== "visible" || !channelList()?.stick || !(channel.unread || channel.mentioned)) return;
  Object.assign(channel, { unread: 0, mentioned: 0 });
  noticesRead((one) => one.channel === channel.id && !one.thread_ts);
  redraw.side();
  api.act("mark_read", { channel: channel.id }).catch(() => {});
}

/* ---- what the stream says ---- */

const atHome = (channel) => channel === world.open.channel && world.open.tab === "messages";

function takeMessage(channel, message, isNew) {
  stirred(channel);
  const held = world.messages.get(channel);
  if (held?.loaded && inChannel(message)) { held.list = [...held.list]; place(held.list, message); }
  const root = message.thread_ts ?? message.ts;
  if (world.thread?.channel === channel && world.thread.ts === root && (isReply(message) || message.ts === root)) { world.thread.list = [...world.thread.list]; place(world.thread.list, message); redraw.pane(); }
  if (held?.loaded && isNew && isReply(message) && !message.ephemeral) countReply(held, message);
  if (atHome(channel)) redraw.centre();
}

/** The parent's count, where the server did not send the parent again itself. */
function countReply(held, reply) {
  const at = held.list.findIndex((one) => one.ts === reply.thread_ts), parent = held.list[at];
  if (!parent || (parent.latest_reply ?? "") >= reply.ts) return;
  held.list[at] = { ...parent, thread_ts: parent.ts, reply_count: (parent.reply_count ?? 0) + 1, latest_reply: reply.ts, reply_users: [...new Set([...(parent.reply_users ?? []), reply.user])] };
}

/** An app hears a mention only where it is a member: say so, as Slack does. */
function unheard(channel, message) {
  const app = bot(), room = world.channels.get(channel), { members } = detailsOf(channel);
  if (!app || !room || room.is_im || !members.length || members.includes(app.id) || !String(message.text).includes(`<@${app.id}`)) return;
  localNotice(`${personName(app.id)} is not in #${room.name} and did not hear you. Invite it in the menu beside the channel's name.`);
}

function known(channel, ts) {
  return world.messages.get(channel)?.list.find((one) => one.ts === ts) ?? (world.thread?.channel === channel ? world.thread.list.find((one) => one.ts === ts) : null);
}

let detailTimer = 0;
const detailsSoon = (channel) => { clearTimeout(detailTimer); detailTimer = setTimeout(() => loadDetails(channel), 120); };

const CHANGES = {
  message: ({ channel, message }) => {
    takeMessage(channel, message, true);
    const room = world.channels.get(channel);
    if (room && message.user !== world.me.id && inChannel(message) && (room.is_member || room.is_im)) { room.unread = (room.unread ?? 0) + 1; redraw.side(); }
    if (message.user !== world.me.id && (atHome(channel) || world.thread?.ts === message.thread_ts)) announce(`${authorOf(message).real_name}: ${plainWords(message).slice(0, 300)}`);
    if (atHome(channel)) {
      if (channelList()?.stick && document.visibilityState === "visible") setTimeout(seen, 60);
      if (/join|leave|topic|pin|bookmark/.test(message.subtype ?? "")) detailsSoon(channel);
      if (message.user === world.me.id) { forgetFresh(); unheard(channel, message); }
    }
  },
  message_changed: ({ channel, message }) => takeMessage(channel, message, false),
  message_deleted: ({ channel, ts }) => {
    stirred(channel);
    const held = world.messages.get(channel);
    if (held) held.list = held.list.filter((one) => one.ts !== ts);
    if (world.thread?.channel === channel) { world.thread.list = world.thread.list.filter((one) => one.ts !== ts); redraw.pane(); }
    if (atHome(channel)) redraw.centre();
  },
  ephemeral: ({ channel, message }) => {
    onlyMine.add(message.ts);
    takeMessage(channel, { ...message, ephemeral: true }, true);
    if (atHome(channel)) announce(`Only visible to you, ${authorOf(message).real_name}: ${plainWords(message).slice(0, 300)}`);
  },
  reaction: ({ channel, ts, reactions, message }) => {
    if (message) { takeMessage(channel, message, false); return; }
    const one = known(channel, ts);
    if (one && reactions) takeMessage(channel, { ...one, reactions }, false);
    else if (atHome(channel)) loadMessages(channel).then(redraw.centre);
  },
  channel: (change) => {
    const channel = change.channel && typeof change.channel === "object" ? change.channel : change;
    if (!channel.id) return;
    const before = world.channels.get(channel.id);
    if (channel.deleted || channel.gone) world.channels.delete(channel.id);
    else world.channels.set(channel.id, { ...before, ...channel });
    if (channel.id === world.open.channel) {
      if (before && before.is_member !== world.channels.get(channel.id)?.is_member) loadMessages(channel.id).then(redraw.centre).catch(() => {});
      detailsSoon(channel.id);
      redraw.centre();
      setTimeout(seen, 60);
    }
    redraw.side();
  },
  view: () => refreshViews().catch(() => {}),
  clock: (change) => { takeClock(change); tick(); later("days", () => { drawCentre(); }); },
  notification: (change) => {
    const plain = plainWords({ text: change.text ?? "" });
    const here = document.visibilityState === "visible" && (change.thread_ts ? world.thread?.ts === change.thread_ts : atHome(change.channel));
    world.notifications.push({ ...change, plain, read: here || (world.pane === "tools" && toolsTab() === "notices") });
    const room = world.channels.get(change.channel);
    if (room && !room.is_im && change.reason !== "thread") { room.mentioned = (Number(room.mentioned) || 0) + 1; redraw.side(); if (atHome(change.channel)) setTimeout(seen, 60); }
    toolsChanged("notices");
    redraw.top();
    if (!here) toast(plain || "New message", { title: channelTitle(world.channels.get(change.channel)) || "New message", place: change.channel, onclick: () => go({ channel: change.channel, ts: change.ts, thread: change.thread_ts }) });
  },
  journal: ({ call }) => {
    const at = call.number === undefined ? -1 : world.journal.findLastIndex((one) => one.number === call.number);
    if (at >= 0) world.journal[at] = call; else world.journal.push(call);
    if (world.journal.length > 3000) world.journal.splice(0, 1000);
    toolsChanged("journal");
  },
  switch: (change) => {
    const one = change.switch ?? change, known = world.switches.find((other) => other.id === one.id);
    if (known) Object.assign(known, one, { type: undefined }); else if (one.id) world.switches.push(one);
    toolsChanged("world");
  },
  home: ({ view }) => { world.home = view; if (world.open.tab === "home") redraw.centre(); },
  tour: (change) => { world.tour = change.tour ?? (change.lines ? { title: change.title ?? world.tour?.title, lines: change.lines } : world.tour); drawTour(byId("sidebar")); },
  connected: ({ connected, n }) => { world.connected = connected ?? n ?? 0; toolsChanged("world"); },
  person: ({ person }) => { if (person?.id) world.people.set(person.id, { ...world.people.get(person.id), ...person }); redraw.side(); },
};

async function again() {
  take(await api.bootstrap());
  drawTop();
  await Promise.all([refreshViews(), world.open.channel ? loadMessages(world.open.channel) : null, world.thread ? loadThread(world.thread.channel, world.thread.ts) : null, loadJournal()]);
  redraw.side();
  redraw.centre();
  redraw.pane();
}

async function loadJournal() {
  try { world.journal = (await api.journal(0)).calls?.slice(-2000) ?? []; toolsChanged("journal"); } catch { /* the panel stays empty */ }
}

/* ---- keys ---- */

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !modalOpen()) { event.preventDefault(); if (!document.querySelector("dialog[open]")) jump(); return; }
  if (event.key !== "Escape" || event.defaultPrevented || modalOpen() || document.querySelector("dialog[open], .floating")) return;
  if (shell.dataset.sidebar === "open") sidebar(false);
  else if (world.pane) { world.pane = null; world.thread = null; drawPane(); writeAddress(false); drawTop(); byId("composer-text")?.focus(); }
});

on("go", go);
on("write", (text) => {
  const box = byId("composer-text");
  if (!box) { toast("Choose a channel to write in first."); return; }
  sidebar(false);
  box.value = text;
  box.focus();
  box.dispatchEvent(new Event("input", { bubbles: true }));
});
on("pane", (kind) => {
  world.pane = kind;
  if (kind !== "thread") world.thread = null;
  drawPane();
  writeAddress(false);
  redraw.top();
  if (kind) byId("pane").querySelector("button")?.focus(); else byId("composer-text")?.focus({ preventScroll: true });
});
on("details", (channel) => { if (channel === world.open.channel) { redraw.centre(); if (world.pane === "details") redraw.pane(); } });
on("dismiss", ({ channel, ts }) => { onlyMine.delete(ts); CHANGES.message_deleted({ channel, ts }); });
on("seen", seen);
on("unseen", redraw.top);
on("clock", (change) => { takeClock(change); tick(); });
byId("scrim").addEventListener("click", () => sidebar(false));
document.addEventListener("visibilitychange", seen);
window.addEventListener("popstate", () => fromAddress(false));

function fromAddress(push) {
  const query = new URLSearchParams(location.search), wanted = query.get("channel");
  const first = [...world.channels.values()].filter((one) => one.is_member && !one.is_im && !one.is_archived).sort((a, b) => (a.name === "general" ? -1 : b.name === "general" ? 1 : a.name.localeCompare(b.name)))[0];
  if (query.get("home")) return go({ app: true, push });
  return go({ channel: world.channels.has(wanted) ? wanted : first?.id, ts: query.get("ts"), thread: query.get("thread"), push });
}

function state(now) {
  world.live = now === "lost" ? "lost" : "live";
  document.body.classList.toggle("lost", now === "lost");
  if (now === "lost") announce("The connection to the local Slack was lost. Trying again.");
  if (now === "again" && world.me) again().catch((error) => toast(`The page could not catch up: ${error.message}`, { kind: "bad" }));
  toolsChanged("world");
}

async function start() {
  let boot, early = [];
  const change = (one) => {
    if (early) { early.push(one); return; }
    if (one.type === "ephemeral") onlyMine.add(one.message.ts);
    if (one.n <= world.told) return;
    try { CHANGES[one.type]?.(one); } catch (error) { console.error("change", one, error); }
  };
  await follow(change, state);
  try {
    boot = await api.bootstrap();
  } catch (error) {
    if (!actingAs()) actAs("ana");
    else {
      fill(document.body, el("main", { class: "fatal" }, el("h1", { text: "The local Slack did not answer." }), el("p", { text: `It said: ${error.message}. Perhaps nobody here is called “${actingAs()}”.` }), el("p", {}, el("a", { href: location.pathname, text: "Open it as the first person" }))));
      return;
    }
    boot = await api.bootstrap();
  }
  take(boot);
  seatColours([...world.people.keys()].sort());
  if (!actingAs()) actAs(handleOf(world.me));
  drawTop();
  const waiting = early;
  early = null;
  waiting.forEach(change);
  await fromAddress(false);
  refreshViews().catch(() => {});
  loadJournal();
  setInterval(tick, 500);
}

start();
