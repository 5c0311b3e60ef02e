// The tools of the local Slack: clock and switches, the journal of requests, faults, notifications.
import { api } from "./api.js";
import { el, fill, keepingFocus } from "./dom.js";
import { plainWords } from "./message.js";
import { toast } from "./popup.js";
import { dayUtc, fullUtc, hourMinute, now, withSeconds, zoneName } from "./time.js";
import { channelTitle, emit, world } from "./world.js";

const STEPS = [[60, "+1 min"], [300, "+5 min"], [1800, "+30 min"], [7200, "+2 h"], [86400, "+1 day"]];
let tab = "world", root = null, filter = "", faults = [], paused = false, openCall = null;
const MOST = 400;

export async function advance(seconds) {
  try {
    const answer = await api.advance(seconds);
    emit("clock", answer);
  } catch (error) { toast(`The clock did not move: ${error.message}`, { kind: "bad" }); }
}

export const clockButtons = () => STEPS.map(([seconds, label]) => el("button", { type: "button", class: "step-button", "aria-label": `Move the clock ${label.slice(1)} on`, onclick: () => advance(seconds) }, label));

function worldTab() {
  return el("div", { class: "pane-scroll" },
    el("section", { class: "pane-section" }, el("h3", { text: "Clock" }),
      el("p", { class: "big-time" }, el("span", { class: "tick-time" }), " UTC"), el("p", { class: "hint tick-date" }),
      el("div", { class: "step-buttons" }, clockButtons()),
      el("p", { class: "hint", text: "Moves this workspace's time on, and with it every reminder that follows it. Nothing moves it back." })),
    el("section", { class: "pane-section" }, el("h3", { text: "Switches" }), world.switches.length ? world.switches.map(switchRow) : el("p", { class: "hint", text: "Whoever started this workspace added none." })),
    el("section", { class: "pane-section" }, el("h3", { text: "The app" }),
      el("p", { class: "status-line" }, el("span", { class: `lamp ${world.delivery === "http" || world.connected ? "on" : ""}` }), world.delivery === "http" ? "Events go out as signed HTTP requests." : world.connected ? `Connected by Socket Mode (${world.connected} connection${world.connected === 1 ? "" : "s"}).` : "No app is connected yet; events wait."),
      el("p", { class: "status-line" }, el("span", { class: `lamp ${world.live === "live" ? "on" : ""}` }), world.live === "live" ? "This page is live." : "This page lost the server and tries again.")));
}

function switchRow(one) {
  const name = `switch-${one.id}`;
  const set = async (value) => {
    try { await api.setSwitch(one.id, value); one.value = value; } catch (error) { toast(`The switch did not move: ${error.message}`, { kind: "bad" }); }
    drawTools(root);
  };
  if ((one.options ?? []).length > 4) {
    const box = el("select", { class: "field", id: name, data: { key: name }, onchange: () => set(one.options[box.selectedIndex].value) }, one.options.map((option) => el("option", { value: option.value, selected: option.value === one.value }, option.label)));
    return el("div", { class: "switch" }, el("label", { for: name, text: one.label }), box);
  }
  return el("fieldset", { class: "switch" }, el("legend", { text: one.label }), el("div", { class: "segments" }, (one.options ?? []).map((option) => el("label", { class: "segment" },
    el("input", { type: "radio", name, checked: option.value === one.value, data: { key: `${name}/${option.value}` }, onchange: () => set(option.value) }), el("span", { text: option.label })))));
}

const outcomeOf = (call) => String(call.error || call.outcome || "");
const bad = (call) => Boolean(call.error) || /error|fail|fault/i.test(String(call.outcome ?? ""));
const nameOf = (call) => String(call.method ?? "call").replace(/^delivery:/, "");
const outgoing = (call) => String(call.method ?? "").startsWith("delivery:");
const hay = (call) => (call.hay ??= `${call.method} ${outcomeOf(call)} ${call.caller ?? ""} ${JSON.stringify(call.args ?? {})}`.toLowerCase());

function callRow(call) {
  const took = call.ended && call.started ? Math.round((call.ended - call.started) * 1000) : null;
  const node = el("details", { class: `call${bad(call) ? " bad" : ""}`, open: openCall === call, ontoggle: () => { if (node.open) { openCall = call; if (!node.querySelector("pre")) node.append(body()); } else if (openCall === call) openCall = null; } },
    el("summary", {}, el("span", { class: "call-time", text: call.started ? withSeconds(call.started) : "" }), el("span", { class: "call-name" }, el("span", { class: "call-way", title: outgoing(call) ? "Slack to the app" : "The app to Slack", "aria-label": outgoing(call) ? "to the app:" : "from the app:", role: "img", text: outgoing(call) ? "→" : "←" }), ` ${nameOf(call)}`), el("span", { class: "call-outcome", text: outcomeOf(call) || "…" }), el("span", { class: "call-took", text: took === null ? "" : `${took} ms` })));
  const body = () => { const { hay: _, ...shown } = call; return el("pre", { class: "json", tabindex: "0", "aria-label": "The request" }, JSON.stringify(shown, null, 2)); };
  if (node.open) node.append(body());
  return node;
}

function journalTab() {
  const rows = el("div", { class: "calls" });
  const draw = () => {
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
    const hits = world.journal.filter((call) => words.every((word) => (word.startsWith("-") && word.length > 1 ? !hay(call).includes(word.slice(1)) : hay(call).includes(word)))).slice(-MOST).reverse();
    fill(rows, hits.length ? hits.map(callRow) : el("p", { class: "empty", text: filter ? "No request matches." : "No request yet." }));
  };
  const box = el("input", { class: "field", type: "search", placeholder: "Filter: chat.postMessage -users.info", "aria-label": "Filter the journal", value: filter, data: { key: "journal/filter" }, oninput: () => { filter = box.value; draw(); } });
  const hold = el("button", { type: "button", class: "button", "aria-pressed": String(paused), data: { key: "journal/hold" }, onclick: () => { paused = !paused; drawTools(root); } }, paused ? "Follow" : "Hold");
  draw();
  return el("div", { class: "pane-fill" }, el("div", { class: "pane-bar" }, box, hold), rows);
}

const KINDS = [["error:ratelimited", "Error: ratelimited"], ["429:30", "429, retry after 30 s"], ["500_before", "500 before it is done"], ["500_after", "500 after it is done"], ["cut_before", "Connection cut before it is done"], ["cut_after", "Connection cut after it is done"], ["hang", "No answer"], ["duplicate", "Delivered twice (deliveries)"], ["drop", "Never delivered (deliveries)"], ["error:", "Another error…"]];
const METHODS = ["chat.postMessage", "chat.update", "chat.postEphemeral", "conversations.create", "conversations.invite", "conversations.setTopic", "views.open", "views.update", "views.publish", "pins.add", "bookmarks.add", "files.completeUploadExternal", "usergroups.users.list", "users.info", "*", "delivery:slash_commands", "delivery:block_actions", "delivery:view_submission", "delivery:event:app_mention"];

async function loadFaults() {
  try {
    const answer = await api.faults();
    faults = Array.isArray(answer) ? answer : answer.faults ?? [];
    if (tab === "faults") drawTools(root);
  } catch { /* shown at the next try */ }
}

function faultsTab() {
  const method = el("input", { class: "field", id: "fault-method", list: "fault-methods", value: "chat.postMessage", data: { key: "fault/method" } });
  const code = el("input", { class: "field", id: "fault-code", placeholder: "restricted_action", hidden: true, "aria-label": "Error code" });
  const kind = el("select", { class: "field", id: "fault-kind", data: { key: "fault/kind" }, onchange: () => { code.hidden = kind.value !== "error:"; } }, KINDS.map(([value, label]) => el("option", { value, text: label })));
  const times = el("input", { class: "field short", id: "fault-times", type: "number", min: 1, value: 1, data: { key: "fault/times" } });
  const add = async () => {
    const wanted = kind.value === "error:" ? `error:${code.value.trim() || "fatal_error"}` : kind.value;
    try { await api.addFault({ method: method.value.trim(), kind: wanted, times: Number(times.value) || 1 }); } catch (error) { toast(`The fault was not set: ${error.message}`, { kind: "bad" }); }
    loadFaults();
  };
  return el("div", { class: "pane-scroll" }, el("section", { class: "pane-section stack" }, el("p", { class: "hint", text: "The next calls of a method fail the way you choose, to see what the app makes of it." }),
    el("label", { class: "input-label", for: "fault-method", text: "Method" }), method, el("datalist", { id: "fault-methods" }, METHODS.map((one) => el("option", { value: one }))),
    el("label", { class: "input-label", for: "fault-kind", text: "What goes wrong" }), kind, code,
    el("label", { class: "input-label", for: "fault-times", text: "How many times" }), times,
    el("div", { class: "dialog-buttons start" }, el("button", { type: "button", class: "button primary", onclick: add }, "Add fault"), faults.length ? el("button", { type: "button", class: "button", onclick: async () => { await api.clearFaults().catch(() => {}); loadFaults(); } }, "Clear all") : null)),
  el("section", { class: "pane-section" }, el("h3", { text: "Waiting" }), faults.length ? el("ul", { class: "fault-list" }, faults.map((one) => el("li", {}, el("code", { text: one.method }), ` ${one.kind}, ${one.times ?? one.left ?? 1} time${(one.times ?? one.left ?? 1) === 1 ? "" : "s"}`))) : el("p", { class: "hint", text: "None." })));
}

const REASONS = { mention: "mentioned you", dm: "direct message", thread: "a thread you follow", group: "mentioned your group", here: "mentioned everybody here", channel: "mentioned the channel" };

function notificationsTab() {
  world.unseen = 0;
  emit("unseen");
  return el("div", { class: "pane-scroll" }, world.notifications.length ? el("ul", { class: "notice-list" }, [...world.notifications].reverse().map((one) => el("li", {}, el("button", { type: "button", class: "pin-row", onclick: () => emit("go", { channel: one.channel, ts: one.ts ?? one.message_ts, thread: one.thread_ts }) },
    el("span", { class: "author", text: channelTitle(world.channels.get(one.channel)) || "Slack" }), el("span", { class: "hint", text: ` ${REASONS[one.reason] ?? one.reason ?? ""} · ` }), el("time", { class: "time", title: fullUtc(one.ts ?? one.message_ts), text: hourMinute(one.ts ?? one.message_ts) }),
    el("span", { class: "pin-text", text: plainWords({ text: one.text ?? "" }) || one.plain })))))
    : el("p", { class: "empty", text: "Nothing yet. Slack notifies for direct messages, mentions and followed threads; never for an edit." }));
}

const TABS = [["world", "Clock", worldTab], ["journal", "Requests", journalTab], ["faults", "Faults", faultsTab], ["notices", "Notified", notificationsTab]];

export function showTab(name) { tab = name; }
export const toolsTab = () => tab;

export function drawTools(place, head) {
  if (!place) return;
  root = place;
  if (head) { fill(root, head, el("div", { class: "tabs", role: "tablist", "aria-label": "Tools" }), el("div", { class: "tool-panel", id: "tool-panel", role: "tabpanel" })); loadFaults(); }
  const bar = root.querySelector(".tabs"), panel = root.querySelector(".tool-panel");
  if (!bar || !panel) return;
  const choose = (name) => { tab = name; drawTools(root); root.querySelector('[aria-selected="true"]')?.focus(); if (name === "faults") loadFaults(); };
  keepingFocus(root, () => {
    fill(bar, TABS.map(([name, label]) => el("button", {
      type: "button", role: "tab", id: `tool-${name}`, "aria-selected": String(name === tab), "aria-controls": "tool-panel", tabindex: name === tab ? "0" : "-1", data: { key: `tool/${name}` }, onclick: () => choose(name),
      onkeydown: (event) => { const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]; if (step) choose(TABS[(TABS.findIndex(([one]) => one === tab) + step + TABS.length) % TABS.length][0]); },
    }, label)));
    panel.setAttribute("aria-labelledby", `tool-${tab}`);
    fill(panel, TABS.find(([name]) => name === tab)[2]());
  });
  tick();
}

let due = 0;
/** Redraw the journal at most four times a second, however fast requests come. */
export function toolsChanged(what) {
  if (world.pane !== "tools" || !root?.isConnected) return;
  if (what === "journal" && (tab !== "journal" || paused)) return;
  if (what === "notices" && tab !== "notices") return;
  if (what === "world" && tab !== "world") return;
  if (due) return;
  due = setTimeout(() => { due = 0; drawTools(root); }, 250);
}

export function tick() {
  const at = now(), time = withSeconds(at), day = dayUtc(at);
  for (const node of document.querySelectorAll(".tick-time")) if (node.textContent !== time) node.textContent = time;
  const local = zoneName() === "UTC" ? day : `${day} · ${hourMinute(at)} ${zoneName()}`;
  for (const node of document.querySelectorAll(".tick-date")) if (node.textContent !== local) node.textContent = local;
}

