// The right side: a thread, what belongs to the channel, or the tools of the local Slack.
import { api } from "./api.js";
import { composer } from "./composer.js";
import { detailsOf, invite, localNotice, onlyMine } from "./centre.js";
import { avatar, el, fill, icon, iconButton, keepingFocus, safeLink } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { MessageList } from "./list.js";
import { act, authorOf, plainWords } from "./message.js";
import { mrkdwn } from "./mrkdwn.js";
import { drawTools } from "./tools.js";
import { fullUtc, hourMinute } from "./time.js";
import { channelTitle, emit, handleOf, personName, world } from "./world.js";

let shown = { key: null };

const head = (title, under) => el("header", { class: "pane-head" }, el("div", {}, el("h2", { text: title }), under ? el("p", { class: "hint", text: under }) : null),
  iconButton("close", "Close this pane", () => emit("pane", null), { data: { key: "pane/close" } }));

export async function loadThread(channel, ts) {
  const { messages } = await api.thread(channel, ts);
  if (world.thread?.channel === channel && world.thread.ts === ts) world.thread.list = (messages ?? []).filter((one) => !one.ephemeral || onlyMine.has(one.ts));
}

function thread(root) {
  const { channel, ts, list: messages } = world.thread, room = world.channels.get(channel), key = `thread/${channel}/${ts}`;
  if (shown.key !== key) {
    const list = new MessageList({ channel, inThread: true, label: "Thread" });
    const foot = room?.is_archived ? el("div", { class: "channel-foot", text: "The channel is archived." })
      : room && (room.is_member || room.is_im) ? composer({ channel, threadTs: ts, inputId: "thread-text", notice: (text) => threadNotice(text), onsent: () => list.toEnd() }) : null;
    fill(root, head("Thread", channelTitle(room)), list.scroller, foot);
    shown = { key, list };
  }
  shown.list.show(messages);
}

function threadNotice(text) {
  if (!world.thread) { localNotice(text); return; }
  const last = world.thread.list.at(-1)?.ts ?? world.thread.ts, [seconds, rest] = last.split(".");
  world.thread.list = [...world.thread.list, { ts: `${seconds}.${String(Number(rest) + 1).padStart(6, "0")}`, thread_ts: world.thread.ts, user: "USLACKBOT", username: "Slackbot", text, ephemeral: true }];
  drawPane();
}

function details(root) {
  const channel = world.channels.get(world.open.channel);
  shown = { key: "details" };
  if (!channel) { fill(root, head("Channel")); return; }
  const { members, pins, bookmarks, files } = detailsOf(channel.id);
  const person = (one) => (typeof one === "string" ? world.people.get(one) ?? { id: one } : { ...world.people.get(one.id), ...one });
  const topic = typeof channel.topic === "object" ? channel.topic?.value : channel.topic;
  const pinned = pins.map((one) => one.message ?? one).filter((one) => one?.ts);
  const part = (title, count, ...body) => el("section", { class: "pane-section" }, el("h3", {}, title, count ? el("span", { class: "hint", text: ` ${count}` }) : null), body);
  keepingFocus(root, () => fill(root, head(channelTitle(channel), channel.is_archived ? "Archived" : channel.is_private ? "Private channel" : ""),
    el("div", { class: "pane-scroll" },
      topic ? part("Topic", 0, el("p", { class: "prose" }, mrkdwn(topic))) : null,
      part("Pinned", pinned.length, pinned.length ? pinned.map((one) => el("button", { type: "button", class: "pin-row", onclick: () => emit("go", { channel: channel.id, ts: one.ts, thread: one.thread_ts && one.thread_ts !== one.ts ? one.thread_ts : null }) },
        el("span", { class: "author", text: authorOf(one).real_name }), " ", el("time", { class: "time", title: fullUtc(one.ts), text: hourMinute(one.ts) }), el("span", { class: "pin-text", text: plainWords(one) || "A message without text" }))) : el("p", { class: "hint", text: "Nothing is pinned." })),
      part("Bookmarks", bookmarks.length, bookmarks.length ? bookmarks.map((one) => el("p", {}, safeLink(one.link, withEmoji(`${one.emoji ? `${one.emoji} ` : ""}${one.title}`)))) : el("p", { class: "hint", text: "None." })),
      files?.length ? part("Files", files.length, files.map((one) => el("p", {}, icon("file"), " ", safeLink(one.url_private_download ?? one.url_private ?? one.permalink ?? "", one.title || one.name || one.id, { download: one.name ?? "file" })))) : null,
      part("Members", members.length, el("ul", { class: "member-list" }, members.map(person).map((one) => el("li", {}, avatar(one, true), el("span", { class: "side-name", text: personName(one.id) }),
        one.is_bot ? el("span", { class: "tag", text: "APP" }) : one.is_restricted || one.is_guest ? el("span", { class: "tag", text: "Guest" }) : el("span", { class: "hint", text: `@${handleOf(one)}` }),
        one.id === world.me.id || channel.is_im || channel.is_archived ? null : el("button", { type: "button", class: "link-button", "aria-label": `Remove ${personName(one.id)}`, onclick: () => act("remove", { channel: channel.id, user: one.id }) }, "Remove")))),
      channel.is_im || channel.is_archived ? null : el("div", { class: "dialog-buttons start" }, el("button", { type: "button", class: "button", onclick: () => invite(channel) }, "Invite somebody"))))));
}

/** Draw what `world.pane` names: "thread", "details", "tools" or nothing. */
export function drawPane() {
  const root = document.getElementById("pane"), app = document.getElementById("app");
  const kind = world.pane === "thread" && !world.thread ? null : world.pane ?? null;
  root.hidden = !kind;
  app.dataset.pane = kind ? "open" : "closed";
  root.setAttribute("aria-label", { thread: "Thread", details: "About this channel", tools: "Tools of the local Slack" }[kind] ?? "Side pane");
  if (!kind) { shown = { key: null }; root.replaceChildren(); }
  else if (kind === "thread") thread(root);
  else if (kind === "details") details(root);
  else { const first = shown.key !== "tools"; shown = { key: "tools" }; drawTools(root, first ? head("Tools", "Of the local Slack, not of the app") : null); }
}

export const threadList = () => shown.list ?? null;
