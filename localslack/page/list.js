// A list of messages: kept in step with an array, one item per message, day lines between; the bar of actions moves with the pointer.
// However long the array is, the document holds the messages around the one being read, and no more.
import { addressOf } from "./api.js";
import { el, fill, freshId, icon, iconButton, keepingFocus } from "./dom.js";
import { allEmojiNames, emoji, emojiNames, FREQUENT } from "./emoji.js";
import { unescape } from "./mrkdwn.js";
import { act, continues, drawMessage, messageItem } from "./message.js";
import { closePopups, dialog, floatBy, openMenu, toast } from "./popup.js";
import { dayKey, dayLabel } from "./time.js";
import { emit, handleOf, world } from "./world.js";

const SCROLL_KEYS = new Set(["ArrowUp", "PageUp", "Home", " "]);
/** Messages that the document holds at a time, how many the reading moves them on, and how near (px) an end has to be. */
const SHOWN = 300, STEP = 100, NEAR = 600;

/** The next message in a direction, past the lines between them. */
function beside(item, step) {
  let next = item[step];
  while (next && !next.classList.contains("message")) next = next[step];
  return next;
}

export class MessageList {
  /** options: {channel, inThread, label, onolder (reads older messages and shows them), onbottom} */
  constructor(options) {
    this.options = options;
    this.items = new Map();
    this.messages = [];
    /** ts of the last message that the document holds; null: the newest, whatever comes */
    this.last = null;
    /** what is being read from the server: a promise */
    this.waits = null;
    this.older = el("button", { type: "button", class: "button older", hidden: true, onclick: () => this.back() }, "Load older messages");
    this.list = el("ol", { class: "messages", "aria-label": options.label });
    this.intro = el("div", { class: "intro" });
    this.newest = el("button", { type: "button", class: "button newest", hidden: true, onclick: () => { this.toEnd(); this.items.get(this.messages.at(-1)?.ts)?.item.focus({ preventScroll: true }); } });
    this.scroller = el("div", { class: `scroller${options.inThread ? " in-thread" : ""}` }, this.intro, this.older, this.list, this.newest);
    this.stick = true;
    // Only a person's own scrolling lets go of the end; heights also change when a pane opens, or a click brings a message.
    let touched = -Infinity, top = 0;
    const scrolls = { wheel: () => true, touchmove: () => true, keydown: (event) => SCROLL_KEYS.has(event.key), pointerdown: (event) => event.target === this.scroller };
    for (const [event, own] of Object.entries(scrolls)) this.scroller.addEventListener(event, (one) => { if (own(one)) touched = performance.now(); }, { passive: true });
    this.scroller.addEventListener("scroll", () => {
      const { scrollTop } = this.scroller, upward = scrollTop < top, rest = this.rest();
      top = scrollTop;
      if (rest < 40 && this.atNewest()) { this.settle(); options.onbottom?.(); } else if (upward && performance.now() - touched < 1500) this.stick = false;
      if (!this.stick && upward && scrollTop < NEAR) this.back();
      if (!this.stick && !upward && rest < NEAR) this.on();
      this.drawNewest();
    }, { passive: true });
    for (const event of ["pointerover", "focusin", "click"]) this.list.addEventListener(event, (one) => this.showBar(one.target.closest?.(".message")));
    this.list.addEventListener("keydown", (event) => this.keys(event));
    // Pictures, previews and opened forms change heights: stay at the end if that is where the reader is.
    const sizes = new ResizeObserver(() => { if (this.stick) this.scrollToEnd(); });
    sizes.observe(this.list);
    sizes.observe(this.scroller);
  }

  /** How much (px) lies below what is on the screen. */
  rest() { return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight; }

  atNewest() { return this.last === null || this.last === this.messages.at(-1)?.ts; }

  /** The reader is at the end, and stays there when messages come. */
  settle() { this.stick = true; this.last = null; this.drawNewest(); }

  scrollToEnd() { this.scroller.scrollTop = this.scroller.scrollHeight; this.settle(); }

  /** To the newest message. */
  toEnd() {
    const away = !this.atNewest();
    this.settle();
    if (away) this.draw();
    this.scrollToEnd();
    this.options.onbottom?.();
  }

  /** To the first message; heights are only known once the items have been drawn. */
  toStart() {
    this.stick = false;
    this.moveTo(0);
    this.scroller.scrollTop = 0;
    setTimeout(() => { if (this.scroller.scrollHeight <= this.scroller.clientHeight) this.settle(); }, 200);
  }

  /** Let the document hold the messages around the one at this place of the array. */
  moveTo(at) {
    const end = Math.max(at + SHOWN / 2, SHOWN);
    this.last = end >= this.messages.length ? null : this.messages[end - 1].ts;
    this.draw();
  }

  span() {
    const found = this.last === null ? -1 : this.messages.findIndex((one) => one.ts >= this.last);
    const to = found < 0 ? this.messages.length : found + 1;
    return [Math.max(0, to - SHOWN), to];
  }

  /** Reading on towards older messages: from the array, then from the server. Settles when they are in the document. */
  async back() {
    const [from, to] = this.span();
    if (this.waits || (from === 0 && !this.hasOlder)) return this.waits;
    this.stick = false;
    if (from > 0) {
      this.last = this.messages[Math.max(to - STEP, SHOWN) - 1].ts;
      this.draw();
      return null;
    }
    this.older.setAttribute("aria-busy", "true");
    this.waits = this.read(to).finally(() => { this.waits = null; this.older.removeAttribute("aria-busy"); });
    return this.waits;
  }

  async read(to) {
    const had = this.messages.length;
    this.last = this.messages[to - 1]?.ts ?? null;
    await this.options.onolder?.();
    const come = this.messages.length - had;
    if (come <= 0) return;
    this.last = this.messages[Math.min(this.messages.length, Math.max(SHOWN, come + to - STEP)) - 1].ts;
    this.draw();
  }

  /** Reading on towards newer messages that the document does not hold. */
  on() {
    if (this.atNewest()) return;
    const [, to] = this.span();
    this.last = to + STEP >= this.messages.length ? null : this.messages[to + STEP - 1].ts;
    this.draw();
  }

  /** The way back to the end, for a reader who has gone away from it, with the number of messages that came meanwhile. */
  drawNewest() {
    if (this.stick) this.left = null; else this.left ??= this.messages.at(-1)?.ts;
    let come = 0;
    if (this.left) while (this.messages.at(-1 - come)?.ts > this.left) come += 1;
    this.newest.hidden = this.stick || (!come && this.atNewest() && this.rest() < this.scroller.clientHeight);
    const words = come ? `${come} new ${come === 1 ? "message" : "messages"}` : "To the newest";
    if (this.newest.textContent !== words) fill(this.newest, icon("down"), words);
  }

  /** Bring the page in line with `messages` (oldest first). `fresh`: ts of the first unread one. */
  show(messages, { more = false, fresh = null } = {}) {
    Object.assign(this, { messages, hasOlder: more, fresh });
    this.draw();
    this.drawNewest();
  }

  draw() {
    const where = { channel: this.options.channel, inThread: this.options.inThread };
    const [from, to] = this.span(), messages = this.messages.slice(from, to), fresh = this.fresh;
    const anchor = this.stick ? null : this.firstOnScreen(), stood = anchor?.getBoundingClientRect().top;
    const oldest = from === 0 && !this.hasOlder, atOlder = oldest && document.activeElement === this.older;
    this.older.hidden = oldest;
    this.intro.hidden = !oldest;
    const keep = new Set(messages.map((message) => message.ts));
    const lost = document.activeElement?.closest?.(".message"), gone = this.list.contains(lost) && !keep.has(lost.dataset.ts) ? [beside(lost, "nextElementSibling"), beside(lost, "previousElementSibling")] : [];
    for (const [ts, known] of this.items) if (!keep.has(ts)) { known.item.remove(); this.items.delete(ts); }
    const stuck = this.stick, wanted = [];
    let before = null, day = null;
    for (const message of messages) {
      const today = dayKey(message.ts);
      if (today !== day) {
        if (!this.options.inThread || day === null) wanted.push(this.dayLine(today, message.ts));
        day = today;
        before = null;
      }
      if (fresh && message.ts === fresh) { wanted.push(this.freshLine()); before = null; }
      const known = this.items.get(message.ts), joined = continues(message, before);
      if (!known) this.items.set(message.ts, { item: messageItem(message, before, where), message, joined });
      else if (known.message !== message || known.joined !== joined) {
        keepingFocus(known.item, () => drawMessage(known.item, message, before, where));
        Object.assign(known, { message, joined });
      }
      wanted.push(this.items.get(message.ts).item);
      before = message;
      if (this.options.inThread && message === this.messages[0] && this.messages.length > 1) { wanted.push(this.repliesLine()); before = null; }
    }
    // Move only what is out of place: a moved node would lose focus.
    const staying = new Set(wanted);
    let at = this.list.firstElementChild;
    for (const node of wanted) {
      if (node === at) { at = at.nextElementSibling; continue; }
      if (at && !staying.has(at)) { const gone = at; at = at.nextElementSibling; gone.remove(); if (node === at) { at = at.nextElementSibling; continue; } }
      this.list.insertBefore(node, at);
    }
    while (at) { const gone = at; at = at.nextElementSibling; gone.remove(); }
    if (wanted.length && !this.list.querySelector('.message[tabindex="0"]')) this.items.get(messages.at(-1).ts).item.tabIndex = 0;
    // What had the focus is gone: its neighbour has it now, so that the keyboard does not start again at the top.
    if (gone.length) (gone.find((one) => one?.isConnected) ?? this.items.get(messages.at(-1)?.ts)?.item)?.focus({ preventScroll: true });
    if (atOlder) this.items.get(messages[0]?.ts)?.item.focus({ preventScroll: true });
    if (stuck) { this.scrollToEnd(); requestAnimationFrame(() => { if (this.stick) this.scrollToEnd(); }); }
    else if (anchor?.isConnected) this.hold(anchor, stood);
  }

  /** Keep an item at this height of the screen, also while those above it get their real sizes, unless the reader scrolls. */
  hold(anchor, stood, frames = 3) {
    this.scroller.scrollTop += anchor.getBoundingClientRect().top - stood;
    const at = this.scroller.scrollTop;
    if (frames) requestAnimationFrame(() => { if (anchor.isConnected && !this.stick && Math.abs(this.scroller.scrollTop - at) < 1) this.hold(anchor, stood, frames - 1); });
  }

  /** The first message (not a line between them) on the screen: it stays where it is while others come and go. */
  firstOnScreen() {
    const { top } = this.scroller.getBoundingClientRect(), nodes = this.list.children;
    let low = 0, high = nodes.length - 1;
    while (low < high) { const middle = (low + high) >> 1; if (nodes[middle].getBoundingClientRect().bottom > top) high = middle; else low = middle + 1; }
    return !nodes[low] || nodes[low].classList.contains("message") ? nodes[low] ?? null : beside(nodes[low], "nextElementSibling");
  }

  dayLine(day, ts) {
    this.days ??= new Map();
    const label = dayLabel(ts);
    if (this.days.get(day)?.textContent !== label) this.days.set(day, el("li", { class: "day-line" }, el("span", { text: label })));
    return this.days.get(day);
  }

  freshLine() { return (this.freshNode ??= el("li", { class: "day-line fresh" }, el("span", { text: "New" }))); }

  /** Under the first message of a thread. */
  repliesLine() {
    const count = this.messages.length - 1;
    this.repliesNode ??= el("li", { class: "day-line replies-line" }, el("span"));
    this.repliesNode.firstElementChild.textContent = `${count} ${count === 1 ? "reply" : "replies"}`;
    return this.repliesNode;
  }

  reveal(ts) {
    const at = this.messages.findIndex((one) => one.ts === ts);
    if (at < 0) return false;
    this.stick = false;
    if (!this.items.has(ts)) this.moveTo(at);
    const { item } = this.items.get(ts);
    item.scrollIntoView({ block: "center" });
    if (this.atNewest() && this.rest() < 40) this.settle(); else this.drawNewest();
    if (this.stick) this.options.onbottom?.();
    item.classList.add("shown");
    item.focus({ preventScroll: true });
    setTimeout(() => item.classList.remove("shown"), 2400);
    return true;
  }

  keys(event) {
    const item = event.target;
    if (!item.classList?.contains("message") || event.ctrlKey || event.metaKey || event.altKey) return;
    const known = this.items.get(item.dataset.ts), step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const to = (next) => { if (next) { for (const one of this.list.querySelectorAll('.message[tabindex="0"]')) one.tabIndex = -1; next.tabIndex = 0; next.focus(); } };
    if (step) {
      const next = beside(item, step);
      if (next) to(next);
      else if (event.key === "ArrowUp") this.back().then(() => to(beside(item, step)));
      else { this.on(); to(beside(item, step)); }
    } else if (event.key === "Home") { this.moveTo(0); to(this.items.get(this.messages[0].ts).item); }
    else if (event.key === "End") { this.toEnd(); to(this.items.get(this.messages.at(-1).ts).item); }
    else if (event.key === "t" || event.key === "ArrowRight") this.openThread(known.message);
    else if (event.key === "r") this.react(known.message, item);
    else return;
    event.preventDefault();
  }

  openThread(message) {
    if (message.ephemeral) return;
    emit("go", { channel: this.options.channel, thread: message.thread_ts ?? message.ts });
  }

  showBar(item) {
    if (!item || item === this.barOn || document.querySelector(".floating")?.dataset.bar) return;
    this.barOn = item;
    this.bar?.remove();
    const known = this.items.get(item.dataset.ts);
    if (!known || known.message.subtype === "tombstone") return;
    const { message } = known, { channel, inThread } = this.options;
    const more = iconButton("more", "More actions", () => this.more(message, more), { "aria-haspopup": "menu", "aria-expanded": "false" });
    this.bar = el("div", { class: "message-bar", role: "toolbar", "aria-label": "Message actions" },
      message.ephemeral ? null : ["white_check_mark", "eyes", "pushpin"].map((name) => el("button", { type: "button", class: "icon-button", "aria-label": `React with ${name.replaceAll("_", " ")}`, title: `:${name}:`, onclick: () => act("react", { channel, ts: message.ts, name }) }, el("span", { "aria-hidden": "true", text: emoji(name) }))),
      message.ephemeral ? null : iconButton("smile", "Add a reaction", (event) => this.react(message, event.currentTarget)),
      message.ephemeral || inThread ? null : iconButton("thread", "Reply in thread", () => this.openThread(message)), more);
    item.append(this.bar);
  }

  react(message, anchor) {
    const { channel } = this.options, id = freshId("emoji");
    const choose = (name) => { close(); act("react", { channel, ts: message.ts, name }); };
    const grid = el("div", { class: "emoji-grid" });
    const box = el("input", { class: "field", id, placeholder: "Search, or type a name", "aria-label": "Reaction name", autocomplete: "off",
      oninput: () => draw(), onkeydown: (event) => {
        if (event.key === "Enter") { event.preventDefault(); const name = box.value.trim().replaceAll(":", ""); const first = grid.querySelector("button")?.dataset.name; if (first || name) choose(first ?? name); }
        if (event.key === "Escape") { event.stopPropagation(); close(); anchor.focus?.(); }
      } });
    const draw = () => {
      const words = box.value.trim().toLowerCase().replaceAll(":", "").replaceAll(" ", "_");
      const names = words ? allEmojiNames().filter((name) => name.includes(words)).slice(0, 40) : [...FREQUENT, ...emojiNames().filter((name) => !FREQUENT.includes(name)).slice(0, 40)];
      fill(grid, names.map((name) => el("button", { type: "button", class: "emoji-button", data: { name }, "aria-label": name.replaceAll("_", " "), title: `:${name}:`, onclick: () => choose(name) }, emoji(name))));
    };
    const panel = el("div", { class: "menu emoji-picker", role: "dialog", "aria-label": "Add a reaction", onkeydown: (event) => { if (event.key === "Escape") { event.stopPropagation(); close(); anchor.focus?.(); } } }, box, grid);
    draw();
    const close = floatBy(anchor, panel);
    box.focus();
  }

  edit(message) {
    const { channel } = this.options;
    const box = el("textarea", { class: "field", rows: 4, "aria-label": "Message", autofocus: true, value: unescape(message.text ?? "") });
    return dialog("Edit message", (close) => {
      const save = async () => { const text = box.value.trim(); if (text && (await act("edit", { channel, ts: message.ts, text })).ok !== false) close(); };
      box.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); save(); } });
      return el("div", { class: "stack" }, box, el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button", onclick: () => close() }, "Cancel"), el("button", { type: "button", class: "button primary", onclick: save }, "Save")));
    });
  }

  more(message, anchor) {
    const { channel, inThread } = this.options;
    const shortcuts = world.shortcuts.filter((one) => one.type === "message");
    const link = `${location.origin}/${addressOf({ as: handleOf(world.me), channel, ts: message.ts })}`;
    openMenu(anchor, [
      ...(message.ephemeral ? [] : shortcuts.map((one) => ({ label: one.name, hint: one.description, icon: "app", run: () => act("shortcut", { callback_id: one.callback_id, channel, ts: message.ts }) }))),
      ...(shortcuts.length && !message.ephemeral ? ["-"] : []),
      ...(message.ephemeral || inThread ? [] : [{ label: "Reply in thread", icon: "thread", run: () => this.openThread(message) }]),
      ...(message.ephemeral || message.pinned ? [] : [{ label: "Pin to the channel", icon: "pin", run: () => act("pin", { channel, ts: message.ts }) }]),
      ...(message.pinned && !message.ephemeral ? [{ label: "Unpin from the channel", icon: "pin", run: () => act("unpin", { channel, ts: message.ts }) }] : []),
      { label: "Copy link", icon: "link", run: () => navigator.clipboard?.writeText(link).then(() => toast("Link copied."), () => toast(link)) },
      { label: "Show its JSON", icon: "file", run: () => showJson(message) },
      ...(message.user === world.me.id && !message.ephemeral ? ["-", { label: "Edit message", icon: "file", run: () => this.edit(message) }, { label: "Delete message", icon: "close", danger: true, run: () => act("delete", { channel, ts: message.ts }) }] : []),
    ], "Message actions");
  }
}

export function showJson(value) {
  closePopups();
  return dialog("As Slack sends it", (close) => el("div", {}, el("pre", { class: "json", tabindex: "0", "aria-label": "JSON" }, JSON.stringify(value, null, 2)),
    el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button", onclick: () => close() }, "Close"))), { wide: true });
}
