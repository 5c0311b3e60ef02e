// One message as a list item: who, when, words or blocks, files, reactions, replies.
import { api } from "./api.js";
import { avatar, el, fill, freshId, icon, keepingFocus, safeHref } from "./dom.js";
import { emoji, withEmoji } from "./emoji.js";
import { picture, renderBlocks } from "./blocks.js";
import { failure } from "./elements.js";
import { mrkdwn, outLink } from "./mrkdwn.js";
import { Surface } from "./surface.js";
import { toast } from "./popup.js";
import { fullUtc, hourMinute } from "./time.js";
import { emit, personName, world } from "./world.js";

export function authorOf(message) {
  const person = world.people.get(message.user) ?? [...world.people.values()].find((one) => message.bot_id && one.bot_id === message.bot_id);
  const isApp = Boolean(message.bot_id || message.app_id || person?.is_bot || message.subtype === "bot_message");
  const name = message.username || person?.real_name || message.bot_profile?.name || person?.name || message.user || "Slackbot";
  return { ...(person ?? {}), id: person?.id ?? message.bot_id ?? message.user ?? name, real_name: name, is_bot: isApp, local: message.local };
}

const QUIET = new Set(["channel_join", "channel_leave", "group_join", "group_leave", "channel_topic", "channel_purpose", "channel_name", "channel_archive", "channel_unarchive",
  "group_topic", "group_purpose", "group_name", "group_archive", "group_unarchive", "pinned_item", "bookmark_added", "bookmark_removed", "tombstone"]);

/** May this message stand under the one before it without a name of its own? */
export function continues(message, before) {
  return Boolean(before && !message.subtype && !before.subtype && before.user === message.user && (before.username ?? "") === (message.username ?? "")
    && (before.bot_id ?? "") === (message.bot_id ?? "") && Boolean(before.ephemeral) === Boolean(message.ephemeral) && !message.pinned && Number(message.ts) - Number(before.ts) < 300);
}

/** The words of a message on one line, for toasts, the live region and titles. */
export function plainWords(message) {
  const box = el("div", {}, mrkdwn(message.text ?? ""));
  return (box.textContent || (message.files?.length ? `File: ${message.files[0].name ?? message.files[0].title ?? "file"}` : "")).replace(/\s+/g, " ").trim();
}

function reactions(message, channel) {
  if (!message.reactions?.length) return null;
  return el("div", { class: "reactions" }, message.reactions.map((one) => {
    const mine = one.users?.includes(world.me.id), names = (one.users ?? []).map(personName).join(", ");
    return el("button", {
      type: "button", class: `reaction${mine ? " mine" : ""}`, "aria-pressed": mine ? "true" : "false", data: { key: `reaction/${one.name}` },
      "aria-label": `${one.name.replaceAll("_", " ")}, ${one.count ?? one.users?.length ?? 1}: ${names}`, title: `${names} with :${one.name}:`,
      onclick: () => act(mine ? "unreact" : "react", { channel, ts: message.ts, name: one.name }),
    }, el("span", { "aria-hidden": "true", text: emoji(one.name) ?? `:${one.name}:` }), el("span", { text: one.count ?? one.users?.length ?? 1 }));
  }));
}

export async function act(what, values) {
  try {
    const answer = await api.act(what, values);
    // A failed command is told in the channel, by Slack itself.
    if (answer.failed) { if (what !== "command") toast(`${failure(answer.error)} Try again.`, { kind: "bad" }); }
    else if (answer.ok === false) toast(`That was not done: ${String(answer.error ?? "refused").replaceAll("_", " ")}.`, { kind: "bad" });
    return answer;
  } catch (error) {
    toast(`That did not reach the local Slack: ${error.message}`, { kind: "bad" });
    return { ok: false };
  }
}

const SIZE = (bytes) => (bytes >= 1048576 ? `${(bytes / 1048576).toFixed(1)} MB` : bytes >= 1024 ? `${Math.round(bytes / 1024)} kB` : `${bytes ?? 0} bytes`);

function fileCard(file) {
  if (file.mode === "tombstone") return el("div", { class: "file-card hint" }, "This file was deleted.");
  const address = safeHref(file.url_private_download ?? file.url_private ?? file.permalink ?? ""), here = address && new URL(address).origin === location.origin;
  const name = file.title || file.name || file.id;
  const image = here && /^image\/(png|jpeg|gif|webp)$/.test(file.mimetype ?? "");
  const readable = here && (/^text\/|json|xml|yaml|markdown|csv/.test(file.mimetype ?? "") || /\.(md|txt|log|csv|json|ya?ml|html?)$/i.test(file.name ?? ""));
  const body = el("pre", { class: "file-preview", tabindex: "0", "aria-label": `Preview of ${name}`, hidden: true });
  const toggle = readable ? el("button", {
    type: "button", class: "link-button", "aria-expanded": "false", data: { key: `file/${file.id}` },
    onclick: async () => {
      body.hidden = !body.hidden;
      toggle.setAttribute("aria-expanded", String(!body.hidden));
      toggle.textContent = body.hidden ? "Preview" : "Hide preview";
      if (body.hidden || body.dataset.read) return;
      body.dataset.read = "yes";
      try {
        const text = await (await fetch(address)).text();
        body.textContent = text.length > 20000 ? `${text.slice(0, 20000)}\n… ${SIZE(text.length - 20000)} more in the download` : text;
      } catch { body.textContent = "The file could not be read."; }
    },
  }, "Preview") : null;
  return el("div", { class: "file-card" }, el("div", { class: "file-line" }, icon("file"),
    el("span", { class: "file-name" }, name, el("span", { class: "hint" }, [file.pretty_type ?? file.filetype?.toUpperCase(), SIZE(file.size)].filter(Boolean).join(" · "))),
    el("span", { class: "file-actions" }, toggle, here ? el("a", { class: "link-button", href: address, download: file.name ?? "file" }, "Download") : null)),
  image ? picture(address, file.alt_txt || name, "picture") : null, body);
}

function attachment(one, here) {
  const node = el("div", { class: "attachment" }, one.pretext ? el("div", { class: "prose" }, mrkdwn(one.pretext)) : null,
    one.author_name ? el("div", { class: "hint", text: one.author_name }) : null,
    one.title ? el("div", { class: "card-title" }, one.title_link ? outLink(one.title_link, withEmoji(one.title)) : withEmoji(one.title)) : null,
    one.blocks?.length ? renderBlocks(one.blocks, here) : el("div", { class: "prose" }, mrkdwn(one.text ?? one.fallback ?? "")),
    one.fields?.length ? el("div", { class: "fields" }, one.fields.map((field) => el("div", { class: "prose" }, el("strong", { text: field.title }), el("br"), mrkdwn(field.value)))) : null,
    one.image_url || one.thumb_url ? picture(one.image_url ?? one.thumb_url, one.fallback ?? "Picture", "picture") : null,
    one.footer ? el("div", { class: "hint", text: one.footer }) : null);
  if (/^#?[0-9a-f]{6}$/i.test(one.color ?? "")) node.style.borderInlineStartColor = one.color.startsWith("#") ? one.color : `#${one.color}`;
  return node;
}

function replies(message, channel) {
  if (!message.reply_count || (message.thread_ts && message.thread_ts !== message.ts)) return null;
  const count = `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`;
  const faces = [...new Set(message.reply_users ?? [])].slice(0, 4);
  return el("button", { type: "button", class: "replies", data: { key: "replies" }, onclick: () => emit("go", { channel, thread: message.ts }) },
    el("span", { class: "faces" }, faces.map((id) => avatar(world.people.get(id) ?? { id, real_name: id }, true))),
    el("span", { class: "replies-count", text: count }),
    message.latest_reply ? el("span", { class: "hint" }, "last ", el("time", { title: fullUtc(message.latest_reply), text: hourMinute(message.latest_reply) })) : null);
}

const editedMark = (message) => el("span", { class: "edited", title: message.edited.ts ? fullUtc(message.edited.ts) : null, text: "(edited)" });

/** where: {channel, inThread}. The item keeps its identity across redraws so that focus and state survive. */
export function messageItem(message, before, where) {
  const item = el("li", { class: "message", tabindex: "-1", data: { ts: message.ts } });
  drawMessage(item, message, before, where);
  return item;
}

export function drawMessage(item, message, before, where) {
  const { channel, inThread } = where, who = authorOf(message), quiet = QUIET.has(message.subtype), compact = continues(message, before);
  const surface = Surface.of(`${channel}:${message.ts}`, { channel, ts: message.ts }).seed(message.state?.values);
  const redraw = () => keepingFocus(item, () => drawMessage(item, message, before, where));
  const here = { surface, redraw };
  const nameId = freshId("author");
  const time = el("time", { class: "time", datetime: new Date(Number(message.ts) * 1000).toISOString(), title: fullUtc(message.ts), text: hourMinute(message.ts) });
  const words = message.blocks?.length ? renderBlocks(message.blocks, here) : message.text ? el("div", { class: "prose words" }, mrkdwn(message.text), message.edited ? [" ", editedMark(message)] : null) : null;
  // Beside the name; under a name that stands further up, after the last words.
  const edited = message.edited && message.blocks?.length ? editedMark(message) : null;
  if (edited && compact) (words.flatMap((block) => [...block.querySelectorAll(".prose")]).at(-1) ?? words.at(-1)).append(" ", edited);
  item.className = `message${compact ? " compact" : ""}${quiet ? " quiet" : ""}${message.ephemeral ? " ephemeral" : ""}${message.pinned ? " pinned" : ""}`;
  item.setAttribute("aria-label", `${who.real_name}, ${hourMinute(message.ts)}`);
  fill(item,
    message.ephemeral ? el("div", { class: "mark" }, icon("eye"), "Only visible to you", el("span", { "aria-hidden": "true", text: "·" }), el("button", { type: "button", class: "link-button", data: { key: "dismiss" }, onclick: () => emit("dismiss", { channel, ts: message.ts }) }, "Dismiss")) : null,
    message.pinned ? el("div", { class: "mark" }, icon("pin"), "Pinned") : null,
    message.subtype === "thread_broadcast" && !inThread ? el("div", { class: "mark" }, icon("thread"), el("button", { type: "button", class: "link-button", onclick: () => emit("go", { channel, thread: message.thread_ts }) }, "Replied to a thread")) : null,
    el("div", { class: "gutter" }, compact ? time : avatar(who)),
    el("div", { class: "body" },
      compact ? el("span", { class: "visually-hidden", text: `${who.real_name}:` }) : el("div", { class: "byline", id: nameId }, el("span", { class: "author", text: who.real_name }), who.is_bot ? el("span", { class: "tag", text: "APP" }) : null, who.is_restricted || who.is_guest ? el("span", { class: "tag", text: "Guest" }) : null, time, edited),
      words, compact && message.edited && !message.blocks?.length && !words ? editedMark(message) : null,
      (message.attachments ?? []).map((one) => attachment(one, here)),
      message.files?.length ? el("div", { class: "files" }, message.files.map(fileCard)) : null,
      reactions(message, channel),
      inThread ? null : replies(message, channel)));
}
