// The middle: header with topic, bookmarks, messages and composer of the open channel; or the app's home.
import { api } from "./api.js";
import { renderBlocks } from "./blocks.js";
import { composer } from "./composer.js";
import { avatar, el, fill, icon, iconButton, keepingFocus, safeLink } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { MessageList } from "./list.js";
import { act } from "./message.js";
import { surfaceOfView } from "./modal.js";
import { mrkdwn } from "./mrkdwn.js";
import { picker } from "./picker.js";
import { dialog, openMenu } from "./popup.js";
import { appHome, bot, channelName, channelTitle, emit, inChannel, personName, world } from "./world.js";

let shown = { key: null }, list = null, freshTs = null;
export const channelList = () => list;
const details = new Map();
export const detailsOf = (channel) => details.get(channel) ?? { members: [], pins: [], bookmarks: [], files: [] };

export async function loadDetails(channel) {
  try {
    details.set(channel, { members: [], pins: [], bookmarks: [], files: [], ...(await api.details(channel)) });
    emit("details", channel);
  } catch { /* a channel one is not in may refuse */ }
}

/** How often the stream spoke of each channel: what it said while messages were on their way is not in the answer. */
const stirs = new Map();
export const stirred = (channel) => stirs.set(channel, (stirs.get(channel) ?? 0) + 1);

/** Messages that only this person sees, heard since the page was opened: Slack keeps them no longer than that. */
export const onlyMine = new Set();

export async function loadMessages(channel, before, limit) {
  let heard, answer;
  for (let tries = 0; tries < 5 && (tries === 0 || heard !== stirs.get(channel)); tries += 1) {
    heard = stirs.get(channel);
    answer = await api.messages(channel, before, limit);
  }
  const had = world.messages.get(channel), known = new Set(before && had ? had.list.map((one) => one.ts) : []);
  const page = (answer.messages ?? []).filter((one) => !known.has(one.ts) && (!one.ephemeral || onlyMine.has(one.ts)));
  const list = before && had ? [...page, ...had.list] : page;
  world.messages.set(channel, { list, more: Boolean(answer.has_more), oldest: answer.messages?.[0]?.ts ?? had?.oldest, loaded: true });
}

export function unreadFrom(channel) {
  const held = world.messages.get(channel.id)?.list.filter((one) => !one.ephemeral) ?? [];
  freshTs = channel.unread > 0 && channel.unread < held.length ? held[held.length - channel.unread].ts : null;
}

function notice(text) {
  const channel = world.open.channel, held = world.messages.get(channel);
  if (!held) return;
  // A line of this page alone, as Slackbot answers: after the last message, gone on reload.
  const last = held.list.at(-1)?.ts ?? "0000000000.000000";
  const ts = `${last.split(".")[0]}.${String(Number(last.split(".")[1]) + 1).padStart(6, "0")}`;
  held.list = [...held.list, { ts, user: "USLACKBOT", username: "Slackbot", text: text.replace(/[&<>]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[one]), ephemeral: true }];
  drawCentre();
}
export { notice as localNotice };

function bookmarksOf(channel) {
  const { bookmarks } = detailsOf(channel.id);
  if (!bookmarks?.length) return null;
  return el("div", { class: "bookmarks", role: "navigation", "aria-label": "Bookmarks" }, bookmarks.map((one) => safeLink(one.link, [icon("link"), withEmoji(`${one.emoji ? `${one.emoji} ` : ""}${one.title}`)], { class: "bookmark", title: one.link })));
}

function header(channel) {
  const { members, pins } = detailsOf(channel.id), who = channel.is_im ? world.people.get(channel.with) : null;
  const more = iconButton("more", "More about this channel", () => openMenu(more, [
    { label: "Members, pins and files", icon: "people", run: () => emit("pane", "details") },
    { label: "Invite somebody", icon: "plus", run: () => invite(channel) },
    "-",
    { label: "Leave channel", icon: "back", run: () => act("leave", { channel: channel.id }) },
    { label: "Archive channel", icon: "archive", danger: true, run: () => archive(channel) },
  ], "Channel"), { "aria-haspopup": "menu", "aria-expanded": "false" });
  const topic = typeof channel.topic === "object" ? channel.topic?.value : channel.topic;
  return el("header", { class: "channel-head" },
    el("div", { class: "channel-title" },
      el("h1", {}, who ? avatar(who, true) : icon(channel.is_private ? "lock" : "hash"), channelName(channel), who?.is_bot ? el("span", { class: "tag", text: "APP" }) : null),
      topic ? el("p", { class: "topic" }, mrkdwn(topic)) : null),
    el("div", { class: "channel-tools" },
      channel.is_im ? null : el("button", { type: "button", class: "count-button", "aria-label": `${members.length} members`, title: "Members", onclick: () => emit("pane", "details") }, icon("people"), String(members.length)),
      pins?.length ? el("button", { type: "button", class: "count-button", "aria-label": `${pins.length} pinned`, title: "Pinned", onclick: () => emit("pane", "details") }, icon("pin"), String(pins.length)) : null,
      channel.is_im ? null : more));
}

export function invite(channel) {
  let user = null;
  const there = new Set(detailsOf(channel.id).members.map((one) => one.id ?? one));
  dialog(`Invite somebody to #${channel.name}`, (close) => el("div", { class: "stack" },
    el("label", { class: "input-label", for: "invitee", text: "Who" }),
    picker({ groups: [{ options: [...world.people.values()].filter((one) => !there.has(one.id)).map((one) => ({ key: one.id, label: personName(one.id) })) }], chosen: [], inputId: "invitee", label: "Who", onchange: ([key]) => { user = key; } }),
    el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button", onclick: () => close() }, "Cancel"),
      el("button", { type: "button", class: "button primary", onclick: async () => { if (user && (await act("invite", { channel: channel.id, user })).ok !== false) close(); } }, "Invite"))));
}

async function archive(channel) {
  const sure = await dialog(`Archive #${channel.name}?`, (close) => el("div", {}, el("p", { class: "dialog-body", text: "Nobody can write in an archived channel, and an app cannot bring it back." }),
    el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button", onclick: () => close() }, "Cancel"), el("button", { type: "button", class: "button danger-fill", onclick: () => close(true) }, "Archive"))));
  if (sure) act("archive", { channel: channel.id });
}

function foot(channel) {
  if (channel.is_archived) return el("div", { class: "channel-foot" }, el("span", { text: `#${channel.name} is archived. What was said stays here to read.` }), el("button", { type: "button", class: "button", onclick: () => act("unarchive", { channel: channel.id }) }, "Unarchive"));
  if (!channel.is_member && !channel.is_im) {
    return el("div", { class: "channel-foot" }, el("span", { text: `You are not in #${channel.name}.` }), el("button", { type: "button", class: "button primary", onclick: () => act("join", { channel: channel.id }) }, "Join channel"));
  }
  if (appHome(channel) && world.app.dm_read_only) return el("div", { class: "channel-foot", text: "Sending messages to this app has been turned off." });
  return composer({ channel: channel.id, inputId: "composer-text", notice, onsent: () => list?.toEnd() });
}

function tabs() {
  const tab = (name, label) => el("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-selected": world.open.tab === name ? "true" : "false", "aria-controls": world.open.tab === "home" ? "app-panel" : null, tabindex: world.open.tab === name ? "0" : "-1", data: { key: `tab/${name}` },
    onclick: () => emit("go", { app: true, tab: name }) }, label);
  return el("div", { class: "tabs", role: "tablist", "aria-label": "App", onkeydown: (event) => { if (event.key === "ArrowLeft" || event.key === "ArrowRight") emit("go", { app: true, tab: world.open.tab === "home" ? "messages" : "home" }); } }, tab("home", "Home"), tab("messages", "Messages"));
}

function home(root) {
  const app = bot(), view = world.home;
  const body = el("div", { class: "scroller home", id: "app-panel", role: "tabpanel", "aria-labelledby": "tab-home", tabindex: "0" });
  const draw = () => keepingFocus(body, () => fill(body, world.home?.blocks?.length
    ? el("div", { class: "home-blocks" }, renderBlocks(world.home.blocks, { surface: surfaceOfView(world.home), redraw: draw, headings: 1 }))
    : el("p", { class: "empty", text: `${personName(app?.id)} has not published a home for you yet.` })));
  draw();
  const top = root.querySelector(".home")?.scrollTop ?? 0;
  keepingFocus(root, () => fill(root, el("header", { class: "channel-head" }, el("div", { class: "channel-title" }, el("h1", {}, avatar(app, true), personName(app?.id), el("span", { class: "tag", text: "APP" })))), tabs(), body));
  body.scrollTop = view ? top : 0;
}

export function drawCentre() {
  const root = document.getElementById("centre"), channel = world.channels.get(world.open.channel);
  if (world.open.tab === "home") { shown = { key: "home" }; list = null; home(root); return; }
  if (!channel) { shown = { key: null }; list = null; fill(root, el("p", { class: "empty", text: "Choose a channel on the left." })); return; }
  const held = world.messages.get(channel.id) ?? { list: [], more: false, loaded: false };
  const kind = `${channel.id}/${channel.is_member}/${channel.is_archived}`;
  if (shown.key !== kind) {
    list = new MessageList({
      channel: channel.id, label: `Messages in ${channelTitle(channel)}`, onbottom: () => emit("seen"),
      onolder: async () => {
        await loadMessages(channel.id, world.messages.get(channel.id)?.oldest);
        drawCentre();
      },
    });
    const parts = { head: el("div", { class: "head-place" }), foot: foot(channel) };
    fill(root, parts.head, list.scroller, parts.foot);
    shown = { key: kind, ...parts, headText: null };
  }
  const headText = JSON.stringify([channel, detailsOf(channel.id)]);
  if (shown.headText !== headText) {
    shown.headText = headText;
    keepingFocus(shown.head, () => fill(shown.head, header(channel), appHome(channel) && world.app.home_tab !== false ? tabs() : null, bookmarksOf(channel)));
    fill(list.intro, held.loaded && !held.more ? intro(channel) : []);
  }
  if (held.loaded && !held.more && !list.intro.childElementCount) fill(list.intro, intro(channel));
  list.show(held.list.filter(inChannel), { more: held.more, fresh: freshTs });
}

function intro(channel) {
  const who = channel.is_im ? world.people.get(channel.with) : null;
  return [el("h2", {}, who ? [avatar(who), personName(who.id)] : `#${channel.name}`),
    el("p", { text: who ? `This is the beginning of your direct messages with ${personName(who.id)}.` : `This is the beginning of #${channel.name}. ${typeof channel.purpose === "string" ? channel.purpose : channel.purpose?.value ?? ""}` })];
}

export function forgetFresh() { freshTs = null; }
