// Slack's mrkdwn -> DOM nodes. https://docs.slack.dev/messaging/formatting-message-text
import { addressOf } from "./api.js";
import { el, safeHref, safeLink } from "./dom.js";
import { emoji, withEmoji } from "./emoji.js";
import { fullUtc, slackDate } from "./time.js";
import { emit, handleOf, personName, world } from "./world.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
export const unescape = (text) => String(text).replace(/&(?:amp|lt|gt);/g, (one) => ENTITIES[one]);

export function userMention(id, label) {
  const person = world.people.get(id);
  const mine = id === world.me?.id;
  const name = person ? personName(id) : label || id;
  return el("span", { class: `mention${mine ? " mine" : ""}`, text: `@${name}`, title: person ? `${name} (@${handleOf(person)})` : id });
}

export function groupMention(id, label) {
  const group = world.usergroups.get(id);
  const mine = group?.users?.includes(world.me?.id);
  return el("span", { class: `mention${mine ? " mine" : ""}`, text: `@${group?.handle ?? String(label ?? id).replace(/^@/, "")}`, title: group?.name ?? id });
}

export function broadcast(range) {
  return el("span", { class: "mention mine", text: `@${range}` });
}

export function channelLink(id, label) {
  const channel = world.channels.get(id);
  if (!channel) return el("span", { class: "mention", text: label ? `#${label}` : "a private channel" });
  return el("a", {
    class: "mention", href: addressOf({ as: handleOf(world.me), channel: id }), text: `#${channel.name}`,
    onclick: (event) => { if (event.metaKey || event.ctrlKey) return; event.preventDefault(); emit("go", { channel: id }); },
  });
}

/** A link out; links to messages of this workspace stay in the page. */
export function outLink(address, children) {
  const href = safeHref(address);
  const inside = href && /\/archives\/([A-Z0-9]+)(?:\/p(\d{10,}))?/.exec(new URL(href).pathname);
  if (inside && world.channels.has(inside[1])) {
    const ts = inside[2] ? `${inside[2].slice(0, -6)}.${inside[2].slice(-6)}` : null;
    const thread = new URL(href).searchParams.get("thread_ts");
    return el("a", { href, onclick: (event) => { if (event.metaKey || event.ctrlKey) return; event.preventDefault(); emit("go", { channel: inside[1], ts, thread }); } }, children);
  }
  return safeLink(address, children);
}

export function dateNode(seconds, pattern, link, fallback) {
  if (!/^-?\d{1,12}$/.test(String(seconds))) return document.createTextNode(fallback ?? "");
  const time = el("time", { datetime: new Date(Number(seconds) * 1000).toISOString(), title: fullUtc(seconds), text: slackDate(seconds, pattern) });
  return link ? outLink(link, time) : time;
}

/** What stands between < and >. */
function entity(body) {
  const bar = body.indexOf("|");
  const head = bar < 0 ? body : body.slice(0, bar);
  const label = bar < 0 ? null : unescape(body.slice(bar + 1));
  if (/^@[UWB]/.test(head)) return userMention(head.slice(1), label);
  if (/^#C|^#G/.test(head)) return channelLink(head.slice(1), label);
  if (head.startsWith("!subteam^")) return groupMention(head.slice(9), label);
  if (head.startsWith("!date^")) {
    const [, seconds, pattern, ...link] = head.split("^");
    return dateNode(seconds, unescape(pattern ?? "{date_num} {time_secs}"), link.length ? unescape(link.join("^")) : null, label);
  }
  if (head.startsWith("!")) return /^!(here|channel|everyone)$/.test(head) ? broadcast(head.slice(1)) : el("span", { class: "mention", text: label ?? head.slice(1) });
  const address = unescape(head);
  if (/^(https?|mailto|tel|slack):/i.test(address)) return outLink(address, label ?? address.replace(/^mailto:/, ""));
  return document.createTextNode(unescape(`<${body}>`));
}

const MARKS = { "*": "strong", _: "em", "~": "s" };
const WORD = /[\p{L}\p{N}]/u;
const OPEN_URL = /https?:\/\/[^\s<>|`]+[^\s<>|`.,;:!?)\]}'"*_~]/y;

function inline(text, depth = 0) {
  const out = [];
  let plain = "";
  const flush = () => { if (plain) out.push(withEmoji(unescape(plain))); plain = ""; };
  for (let at = 0; at < text.length;) {
    const sign = text[at];
    if (sign === "<") {
      const end = text.indexOf(">", at + 1);
      if (end > at + 1 && !text.slice(at, end).includes("\n")) { flush(); out.push(entity(text.slice(at + 1, end))); at = end + 1; continue; }
    } else if (sign === "`") {
      const end = text.indexOf("`", at + 1);
      if (end > at + 1 && !text.slice(at, end).includes("\n")) { flush(); out.push(el("code", {}, codeText(text.slice(at + 1, end)))); at = end + 1; continue; }
    } else if (MARKS[sign] && depth < 6) {
      const end = closing(text, at, sign);
      if (end > 0) { flush(); out.push(el(MARKS[sign], {}, inline(text.slice(at + 1, end), depth + 1))); at = end + 1; continue; }
    } else if (sign === "h" && (at === 0 || !WORD.test(text[at - 1]))) {
      OPEN_URL.lastIndex = at;
      const found = OPEN_URL.exec(text);
      if (found) { flush(); out.push(outLink(unescape(found[0]), unescape(found[0]))); at += found[0].length; continue; }
    } else if (sign === "\n") { flush(); out.push(el("br")); at += 1; continue; }
    plain += sign;
    at += 1;
  }
  flush();
  return out;
}

/** Where a mark opened at `at` closes, or 0. Slack wants words' edges on both sides. */
function closing(text, at, sign) {
  if (at > 0 && (WORD.test(text[at - 1]) || text[at - 1] === sign)) return 0;
  if (/\s/.test(text[at + 1] ?? " ") || text[at + 1] === sign) return 0;
  for (let end = text.indexOf(sign, at + 2); end > 0; end = text.indexOf(sign, end + 1)) {
    if (text.slice(at, end).includes("\n")) return 0;
    if (!/\s/.test(text[end - 1]) && !WORD.test(text[end + 1] ?? " ")) return end;
  }
  return 0;
}

/** Inside code nothing is formatted, but mentions and links that Slack made stay readable. */
function codeText(text) {
  return unescape(text.replace(/<([^<>\n]+)>/g, (_, body) => {
    const [head, label] = body.split("|");
    if (/^@[UWB]/.test(head)) return `@${personName(head.slice(1))}`;
    if (head.startsWith("#")) return `#${world.channels.get(head.slice(1))?.name ?? label ?? head.slice(1)}`;
    return label ?? head;
  }));
}

/** mrkdwn text -> array of nodes (paragraph text, quotes, code blocks). */
export function mrkdwn(text) {
  const out = [];
  const pieces = String(text ?? "").split("```");
  pieces.forEach((piece, number) => {
    const closed = number < pieces.length - 1;
    if (number % 2 === 1 && closed) { out.push(el("pre", {}, el("code", {}, codeText(piece.replace(/^\n/, "").replace(/\n$/, ""))))); return; }
    let rest = number % 2 === 1 ? "```" + piece : piece;
    if (number > 0) rest = rest.replace(/^\n/, "");
    if (closed) rest = rest.replace(/\n$/, "");
    out.push(...quotes(rest));
  });
  return out;
}

function quotes(text) {
  const out = [];
  let lines = [], quoted = false;
  const flush = () => {
    if (!lines.length) return;
    const body = inline(lines.join("\n"));
    out.push(...(quoted ? [el("blockquote", {}, body)] : body));
    lines = [];
  };
  const all = text.split("\n");
  for (let at = 0; at < all.length; at += 1) {
    const whole = /^(?:&gt;|>){3} ?(.*)$/.exec(all[at]);
    if (whole) { flush(); quoted = true; lines = [whole[1], ...all.slice(at + 1)]; break; }
    const one = /^(?:&gt;|>) ?(.*)$/.exec(all[at]);
    if (Boolean(one) !== quoted) { flush(); quoted = Boolean(one); }
    lines.push(one ? one[1] : all[at]);
  }
  flush();
  return out;
}

/** A text object: {type: plain_text|mrkdwn, text, emoji}. */
export function textNode(object, tag = "span", props = {}) {
  if (!object) return null;
  if (typeof object === "string") return el(tag, props, withEmoji(object));
  if (object.type === "mrkdwn") return el(tag, props, mrkdwn(object.text));
  return el(tag, { ...props, class: `${props.class ?? ""} plain`.trim() }, object.emoji === false ? object.text : withEmoji(object.text ?? ""));
}

export const plainOf = (object) => (typeof object === "string" ? object : object?.text ?? "");

export function emojiNode(name, unicode) {
  let text = emoji(name);
  if (!text && unicode) try { text = String.fromCodePoint(...String(unicode).split("-").map((part) => parseInt(part, 16))); } catch { text = null; }
  return text ? el("span", { class: "emoji", role: "img", "aria-label": String(name).replaceAll("_", " "), title: `:${name}:`, text }) : `:${name}:`;
}
