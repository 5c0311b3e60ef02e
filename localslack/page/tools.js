// The tools of the local Slack: clock and switches, notifications; the journal and the faults have files of their own.
import { api } from "./api.js";
import { el, fill, keepingFocus } from "./dom.js";
import { faultsChanged, faultsTab, loadFaults } from "./faults.js";
import { journalChanged, journalTab } from "./journal.js";
import { plainWords } from "./message.js";
import { toast } from "./popup.js";
import { dayUtc, fullUtc, hourMinute, now, withSeconds, zoneName } from "./time.js";
import { channelTitle, emit, world } from "./world.js";

const STEPS = [[60, "+1 min"], [300, "+5 min"], [1800, "+30 min"], [7200, "+2 h"], [86400, "+1 day"]];
let tab = "world", root = null;

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

const REASONS = { mention: "mentioned you", dm: "direct message", thread: "a thread you follow", group: "mentioned your group", here: "mentioned everybody here", channel: "mentioned the channel" };

function notificationsTab() {
  for (const one of world.notifications) one.read = true;
  emit("unseen");
  return el("div", { class: "pane-scroll" }, world.notifications.length ? el("ul", { class: "notice-list" }, [...world.notifications].reverse().map((one) => el("li", {}, el("button", { type: "button", class: "pin-row", onclick: () => emit("go", { channel: one.channel, ts: one.ts ?? one.message_ts, thread: one.thread_ts }) },
    el("span", { class: "notice-head" }, el("span", { class: "author", text: channelTitle(world.channels.get(one.channel)) || "Slack" }), el("span", { class: "hint", text: REASONS[one.reason] ?? one.reason ?? "" }), el("time", { class: "time", title: fullUtc(one.ts ?? one.message_ts), text: hourMinute(one.ts ?? one.message_ts) })),
    el("span", { class: "pin-text", text: plainWords({ text: one.text ?? "" }) || one.plain })))))
    : el("p", { class: "empty", text: "Nothing yet. Slack notifies for direct messages, mentions and followed threads; never for an edit." }));
}

const TABS = [["world", "Clock", worldTab], ["journal", "Requests", journalTab], ["faults", "Faults", faultsTab], ["notices", "Notified", notificationsTab]];

export function showTab(name) { tab = name; }
export const toolsTab = () => tab;

export function drawTools(place, head) {
  if (!place) return;
  root = place;
  if (head) { fill(root, head, el("div", { class: "tabs", role: "tablist", "aria-label": "Tools" }), el("div", { class: "tool-panel", id: "tool-panel", role: "tabpanel" })); loadFaults(faultsDrawn); }
  const bar = root.querySelector(".tabs"), panel = root.querySelector(".tool-panel");
  if (!bar || !panel) return;
  const choose = (name) => { tab = name; drawTools(root); root.querySelector('[aria-selected="true"]')?.focus(); if (name === "faults") loadFaults(faultsDrawn); };
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

const faultsDrawn = () => { if (tab === "faults" && root?.isConnected) drawTools(root); };

let due = 0;
/** Show what came at most four times a second, however fast requests come. */
export function toolsChanged(what) {
  if (world.pane !== "tools" || !root?.isConnected) return;
  if (what === "journal" && tab === "faults") faultsChanged();
  if (what !== tab || due) return;
  due = setTimeout(() => { due = 0; if (tab === "journal") journalChanged(); else drawTools(root); }, 250);
}

export function tick() {
  const at = now(), time = withSeconds(at), day = dayUtc(at);
  for (const node of document.querySelectorAll(".tick-time")) if (node.textContent !== time) node.textContent = time;
  const local = zoneName() === "UTC" ? day : `${day} · ${hourMinute(at)} ${zoneName()}`;
  for (const node of document.querySelectorAll(".tick-date")) if (node.textContent !== local) node.textContent = local;
}

