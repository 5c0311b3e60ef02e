// The journal: every call of the app and every delivery to it, filtered by method, outcome and words.
import { el, fill, keepingFocus } from "./dom.js";
import { withSeconds } from "./time.js";
import { channelTitle, personName, world } from "./world.js";

const MOST = 400;
const OUTCOMES = [["", "Every outcome"], ["ok", "ok"], ["error", "error: refused"], ["fault", "fault: planted"], ["failed", "failed: not delivered"], ["pending", "pending: under way"]];
const filter = { words: "", method: "", outcome: "" };
let paused = false, openCall = null, shown = null;

const outcomeOf = (call) => String(call.error || call.outcome || "");
const bad = (call) => Boolean(call.error) || /error|fail|fault/i.test(String(call.outcome ?? ""));
const outgoing = (method) => String(method ?? "").startsWith("delivery:");
const nameOf = (method) => String(method ?? "call").replace(/^delivery:/, "");
const hay = (call) => (call.hay ??= `${call.method} ${outcomeOf(call)} ${call.outcome} ${call.caller ?? ""} ${JSON.stringify(call.args ?? {})}`.toLowerCase());

/** What a request is about, in a few words: the command, the control, the form, the channel; and who, where it is a person. */
function about({ method, args = {}, caller }) {
  const channel = args.channel?.id ?? args.channel_id ?? args.channel ?? args.event?.channel?.id ?? args.event?.channel ?? args.event?.item?.channel;
  const what = args.command ? `${args.command} ${args.text ?? ""}` : args.actions?.[0]?.action_id ?? args.view?.callback_id ?? args.callback_id ?? args.name ?? args.filename;
  const where = world.channels.has(channel) ? channelTitle(world.channels.get(channel)) : typeof channel === "string" ? channel : "";
  return [outgoing(method) && caller && world.people.has(caller) ? personName(caller) : "", typeof what === "string" ? what : "", args.command ? "" : where].filter(Boolean).join(" · ");
}

function fits(call, words) {
  if (filter.method && call.method !== filter.method) return false;
  if (filter.outcome && call.outcome !== filter.outcome) return false;
  return words.every((word) => (word.startsWith("-") && word.length > 1 ? !hay(call).includes(word.slice(1)) : hay(call).includes(word)));
}

function callRow(call) {
  const took = call.ended && call.started ? Math.round((call.ended - call.started) * 1000) : null, out = outgoing(call.method);
  const node = el("details", { class: `call${bad(call) ? " bad" : ""}`, open: openCall === call.number, ontoggle: () => { if (node.open) { openCall = call.number; if (!node.querySelector("pre")) node.append(body()); } else if (node.isConnected && openCall === call.number) openCall = null; } },
    el("summary", { data: { key: `call/${call.number}` } }, el("span", { class: "call-time", text: call.started ? withSeconds(call.started) : "" }), el("span", { class: "call-name" }, el("span", { class: "call-way", title: out ? "Slack to the app" : "The app to Slack", "aria-label": out ? "to the app:" : "from the app:", role: "img", text: out ? "→" : "←" }), ` ${nameOf(call.method)} `, el("span", { class: "call-about", text: about(call) })), el("span", { class: "call-outcome", text: outcomeOf(call) || "…" }), el("span", { class: "call-took", text: took === null ? "" : `${took} ms` })));
  const body = () => { const { hay: _, ...told } = call; return el("pre", { class: "json", tabindex: "0", "aria-label": "The request" }, JSON.stringify(told, null, 2)); };
  if (node.open) node.append(body());
  return node;
}

function drawRows() {
  const words = filter.words.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = world.journal.filter((call) => fits(call, words)), filtered = words.length || filter.method || filter.outcome;
  keepingFocus(shown.rows, () => fill(shown.rows, hits.length ? hits.slice(-MOST).reverse().map(callRow) : el("p", { class: "empty", text: filtered ? "No request matches." : "No request yet. What the app calls and what it is told stands here, newest first." })));
  shown.count.textContent = hits.length > MOST ? `The newest ${MOST} of ${hits.length}` : filtered ? `${hits.length} of ${world.journal.length}` : hits.length ? "← from the app, → to the app; newest first" : "";
}

/** Methods that the journal holds; options are touched only when there is a new one, so that an open list stays open. */
function drawMethods() {
  const known = [...new Set([...world.journal.map((call) => call.method), ...(filter.method ? [filter.method] : [])])].sort(), key = known.join(" ");
  if (shown.known === key) return;
  shown.known = key;
  const group = (label, names) => (names.length ? el("optgroup", { label }, names.map((name) => el("option", { value: name, text: nameOf(name), selected: name === filter.method }))) : null);
  fill(shown.method, el("option", { value: "", text: "Every method" }), group("From the app", known.filter((name) => !outgoing(name))), group("To the app", known.filter(outgoing)));
}

/** Requests have come: show them, unless the list is held. */
export function journalChanged() {
  if (paused || !shown?.rows.isConnected) return;
  drawMethods();
  drawRows();
}

export function journalTab() {
  const words = el("input", { class: "field", type: "search", placeholder: "Words, -without these", "aria-label": "Filter by words", value: filter.words, data: { key: "journal/words" }, oninput: () => { filter.words = words.value; drawRows(); } });
  const method = el("select", { class: "field", "aria-label": "Filter by method", data: { key: "journal/method" }, onchange: () => { filter.method = method.value; drawRows(); } });
  const outcome = el("select", { class: "field", "aria-label": "Filter by outcome", data: { key: "journal/outcome" }, onchange: () => { filter.outcome = outcome.value; drawRows(); } }, OUTCOMES.map(([value, label]) => el("option", { value, text: label, selected: value === filter.outcome })));
  const hold = el("button", { type: "button", class: "button", "aria-pressed": String(paused), title: "Let the list stand still", data: { key: "journal/hold" }, onclick: () => { paused = !paused; hold.setAttribute("aria-pressed", String(paused)); journalChanged(); } }, "Hold");
  shown = { rows: el("div", { class: "calls" }), count: el("p", { class: "hint call-count", role: "status" }), method, known: null };
  drawMethods();
  drawRows();
  return el("div", { class: "pane-fill" }, el("div", { class: "pane-bar filters" }, method, outcome, words, hold), shown.count, shown.rows);
}
