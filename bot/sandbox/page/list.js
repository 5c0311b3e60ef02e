// A list of messages: kept in step with an array, one item per message, day lines between; the bar of actions moves with the pointer.
import { addressOf } from "./api.js";
import { el, fill, freshId, iconButton, keepingFocus } from "./dom.js";
import { allEmojiNames, emoji, emojiNames, FREQUENT } from "./emoji.js";
import { unescape } from "./mrkdwn.js";
import { act, continues, drawMessage, messageItem } from "./message.js";
import { closePopups, dialog, floatBy, openMenu, toast } from "./popup.js";
import { dayKey, dayLabel } from "./time.js";
import { emit, handleOf, world } from "./world.js";

const SCROLL_KEYS = new Set(["ArrowUp", "PageUp", "Home", " "]);

export class MessageList {
  /** options: {channel, inThread, label, onolder} */
  constructor(options) {
    this.options = options;
    this.items = new Map();
    this.older = el("button", { type: "button", class: "button older", hidden: true, onclick: () => options.onolder?.() }, "Load older messages");
    this.list = el("ol", { class: "messages", "aria-label": options.label });
    this.intro = el("div", { class: "intro" });
    this.scroller = el("div", { class: `scroller${options.inThread ? " in-thread" : ""}` }, this.intro, this.older, this.list);
    this.stick = true;
    // Only a person's own scrolling lets go of the end; heights also change when a pane opens, or a click brings a message.
    let touched = -Infinity, top = 0;
    const scrolls = { wheel: () => true, touchmove: () => true, keydown: (event) => SCROLL_KEYS.has(event.key), pointerdown: (event) => event.target === this.scroller };
    for (const [event, own] of Object.entries(scrolls)) this.scroller.addEventListener(event, (one) => { if (own(one)) touched = performance.now(); }, { passive: true });
    this.scroller.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.scroller, upward = scrollTop < top;
      top = scrollTop;
      if (scrollHeight - scrollTop - clientHeight < 40) { this.stick = true; options.onbottom?.(); } else if (upward && performance.now() - touched < 1500) this.stick = false;
    }, { passive: true });
    for (const event of ["pointerover", "focusin", "click"]) this.list.addEventListener(event, (one) => this.showBar(one.target.closest?.(".message")));
    this.list.addEventListener("keydown", (event) => this.keys(event));
    // Pictures, previews and opened forms change heights: stay at the end if that is where the reader is.
    const sizes = new ResizeObserver(() => { if (this.stick) this.toEnd(); });
    sizes.observe(this.list);
    sizes.observe(this.scroller);
  }

  toEnd() { this.scroller.scrollTop = this.scroller.scrollHeight; this.stick = true; }

  /** To the first message; heights are only known once the items have been drawn. */
  toStart() {
    this.stick = false;
    this.scroller.scrollTop = 0;
    setTimeout(() => { if (this.scroller.scrollHeight <= this.scroller.clientHeight) this.stick = true; }, 200);
  }

  /** Bring the page in line with `messages` (oldest first). `fresh`: ts of the first unread one. */
  show(messages, { more = false, fresh = null } = {}) {
    const where = { channel: this.options.channel, inThread: this.options.inThread };
    this.older.hidden = !more;
    const keep = new Set(messages.map((message) => message.ts));
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
    if (wanted.length && !this.list.querySelector('.message[tabindex="0"]')) wanted.at(-1).tabIndex = 0;
    if (stuck) { this.toEnd(); requestAnimationFrame(() => { if (this.stick) this.toEnd(); }); }
  }

  dayLine(day, ts) {
    this.days ??= new Map();
    const label = dayLabel(ts);
    if (this.days.get(day)?.textContent !== label) this.days.set(day, el("li", { class: "day-line" }, el("span", { text: label })));
    return this.days.get(day);
  }

  freshLine() { return (this.freshNode ??= el("li", { class: "day-line fresh" }, el("span", { text: "New" }))); }

  find(ts) { return this.items.get(ts)?.item ?? null; }

  reveal(ts) {
    const item = this.find(ts);
    if (!item) return false;
    item.scrollIntoView({ block: "center" });
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.stick = scrollHeight - scrollTop - clientHeight < 40;
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
    if (step) {
      let next = item[step];
      while (next && !next.classList.contains("message")) next = next[step];
      if (next) { item.tabIndex = -1; next.tabIndex = 0; next.focus(); }
    } else if (event.key === "t" || event.key === "ArrowRight") this.openThread(known.message);
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
