// The box people write in: slash commands with hints, @ and # completion, drafts that survive a change of channel.
import { el, fill, freshId, iconButton } from "./dom.js";
import { act } from "./message.js";
import { channelName, handleOf, personName, world } from "./world.js";

const drafts = new Map();

/** options: {channel, threadTs, inputId, onsent, notice(text)} */
export function composer({ channel, threadTs, inputId, onsent, notice }) {
  const draftKey = `${channel}:${threadTs ?? ""}`, listId = freshId("suggest");
  const name = channelName(world.channels.get(channel)), label = threadTs ? "Reply in thread" : `Message ${world.channels.get(channel)?.is_im ? name : `#${name}`}`;
  const box = el("textarea", { id: inputId, class: "composer-text", rows: 1, placeholder: label, "aria-label": label, "aria-autocomplete": "list", "aria-controls": listId, "aria-haspopup": "listbox", data: { key: `composer/${draftKey}` } });
  const hint = el("div", { class: "composer-hint" });
  const list = el("div", { class: "menu listbox suggestions", role: "listbox", id: listId, "aria-label": "Suggestions", hidden: true });
  const sendButton = iconButton("send", "Send", () => send(), { class: "icon-button send" });
  let shown = [], active = -1, range = null;

  const grow = () => { box.style.height = "auto"; box.style.height = `${Math.min(box.scrollHeight, 220)}px`; sendButton.disabled = !box.value.trim(); };
  const hide = () => { list.hidden = true; shown = []; active = -1; box.removeAttribute("aria-activedescendant"); };

  function offers() {
    const text = box.value, caret = box.selectionStart;
    const command = /^\/(\S*)$/.exec(text);
    if (command && !threadTs) {
      range = [0, text.length];
      const words = command[1].toLowerCase();
      const global = world.shortcuts.filter((one) => one.type === "global" && one.name.toLowerCase().includes(words))
        .map((one) => ({ label: one.name, hint: one.description, tag: "Shortcut", run: () => { box.value = ""; after(); act("shortcut", { callback_id: one.callback_id, channel }); } }));
      return [...world.commands.filter((one) => one.command.slice(1).toLowerCase().includes(words))
        .map((one) => ({ label: `${one.command} ${one.usage_hint ?? ""}`.trim(), hint: one.description, insert: `${one.command} ` })), ...global];
    }
    const word = /(^|[\s(])([@#])([\p{L}\p{N}._-]*)$/u.exec(text.slice(0, caret));
    if (!word) return [];
    range = [caret - word[3].length - 1, caret];
    const words = word[3].toLowerCase();
    if (word[2] === "#") {
      return [...world.channels.values()].filter((one) => !one.is_im && !one.is_archived && one.name.includes(words)).slice(0, 8).map((one) => ({ label: `#${one.name}`, hint: one.topic, insert: `#${one.name} ` }));
    }
    return [
      ...[...world.people.values()].map((one) => ({ label: personName(one.id), hint: `@${handleOf(one)}`, tag: one.is_bot ? "App" : null, insert: `@${handleOf(one)} ` })),
      ...[...world.usergroups.values()].map((one) => ({ label: one.name, hint: `@${one.handle}`, tag: "Group", insert: `@${one.handle} ` })),
      ...["here", "channel"].map((one) => ({ label: `@${one}`, hint: one === "here" ? "Notify everybody active here" : "Notify everybody here", insert: `@${one} ` })),
    ].filter((one) => one.label.toLowerCase().includes(words) || one.insert.toLowerCase().startsWith(`@${words}`)).slice(0, 8);
  }

  function suggest() {
    const found = offers();
    if (!found.length) hide();
    else {
      shown = found;
      fill(list, found.map((one, at) => el("div", { class: "menu-item", role: "option", id: `${listId}-${at}`, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); choose(at); } },
        el("span", { class: "menu-label", text: one.label }), one.hint ? el("span", { class: "menu-hint", text: one.hint }) : null, one.tag ? el("span", { class: "tag", text: one.tag }) : null)));
      list.hidden = false;
      point(0);
    }
    const known = world.commands.find((one) => box.value === one.command || box.value.startsWith(`${one.command} `) || box.value.startsWith(`${one.command}\n`));
    fill(hint, known ? [el("code", { text: `${known.command} ${known.usage_hint ?? ""}`.trim() }), " ", known.description] : []);
  }

  function point(at) {
    active = at;
    [...list.children].forEach((node, number) => { node.classList.toggle("active", number === at); node.setAttribute("aria-selected", String(number === at)); });
    box.setAttribute("aria-activedescendant", `${listId}-${at}`);
    list.children[at]?.scrollIntoView({ block: "nearest" });
  }

  function choose(at) {
    const one = shown[at];
    hide();
    if (one.run) { one.run(); return; }
    const [from, to] = range;
    box.setRangeText(one.insert, from, to, "end");
    after();
    suggest();
    box.focus();
  }

  function after() { grow(); drafts.set(draftKey, box.value); fill(hint); }

  async function send() {
    const text = box.value.trim();
    if (!text) return;
    hide();
    const command = /^\/([\w-]+)(?:\s|$)/.exec(text);
    if (command && threadTs) { notice?.(`/${command[1]} is not supported in threads. Sorry about that; mention the app here instead.`); return; }
    if (command && !world.commands.some((one) => one.command === `/${command[1]}`)) { notice?.(`/${command[1]} is not a valid command. To post it as a message, put a space before the slash.`); return; }
    box.value = "";
    after();
    box.focus();
    const answer = await act(command ? "command" : "post", command ? { channel, text } : { channel, text, thread_ts: threadTs });
    if (answer.ok === false || answer.failed) {
      // What failed and why stands in the channel or in a toast; what was typed is not lost.
      if (!box.value) { box.value = text; after(); }
    } else onsent?.();
  }

  box.addEventListener("input", () => { grow(); drafts.set(draftKey, box.value); suggest(); });
  box.addEventListener("blur", () => hide());
  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (shown.length) {
      const exact = box.value.trim() === shown[active]?.insert?.trim();
      if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); point((active + (event.key === "ArrowDown" ? 1 : -1) + shown.length) % shown.length); return; }
      if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !exact)) { event.preventDefault(); choose(active); return; }
      if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); hide(); return; }
    }
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); send(); }
  });

  box.value = drafts.get(draftKey) ?? "";
  requestAnimationFrame(grow);
  const slash = iconButton("plus", "Commands and shortcuts", () => { box.value = "/"; grow(); box.focus(); suggest(); });
  const at = el("button", { type: "button", class: "icon-button at", "aria-label": "Mention somebody", title: "Mention somebody", onclick: () => { box.setRangeText(box.value && !/\s$/.test(box.value) ? " @" : "@", box.selectionStart, box.selectionEnd, "end"); grow(); box.focus(); suggest(); } }, "@");
  return el("div", { class: "composer" }, list, hint, el("div", { class: "composer-box" }, box,
    el("div", { class: "composer-tools" }, threadTs ? null : slash, at, el("span", { class: "composer-keys", "aria-hidden": "true", text: "Enter sends, Shift+Enter starts a line" }), sendButton)));
}
