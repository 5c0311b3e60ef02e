// Planted faults, and what can be done to the connections of Socket Mode.
import { api } from "./api.js";
import { announce, el, iconButton } from "./dom.js";
import { toast } from "./popup.js";
import { world } from "./world.js";

/** kind -> how it reads here. What there is comes from the server: a kind without a line shows as it is. */
const LABELS = {
  "error:<code>": "Refused with an error", "429:<seconds>": "Rate limited (429)", "404": "404, nothing done", "500_before": "500, before it is done", "500_after": "500, after it is done",
  cut_before: "Connection cut, before it is done", cut_after: "Connection cut, after it is done", hang: "No answer", "slow:<seconds>": "Slow",
  missing_scope: "Missing scope", off: "Method switched off", expired_ticket: "Worthless connection ticket",
  duplicate: "Delivered twice", drop: "Never delivered", reorder: "Delivered after the next event", socket_cut: "Connection cut instead",
};
/** argument -> its label, its field, what it begins with for a kind */
const ARGUMENTS = {
  code: { label: "Error code", field: { type: "text", spellcheck: "false", autocapitalize: "off" }, first: () => "restricted_action" },
  seconds: { label: "Seconds", field: { type: "number", min: 0, step: "any" }, first: (kind) => (kind.startsWith("429") ? "30" : "5") },
};
const CALLS = ["chat.postMessage", "chat.update", "chat.postEphemeral", "conversations.create", "conversations.invite", "conversations.setTopic", "views.open", "views.update", "views.publish", "pins.add", "bookmarks.add", "files.completeUploadExternal", "usergroups.users.list", "users.info", "apps.connections.open", "response_url", "*"];
const DELIVERIES = ["delivery:*", "delivery:slash_commands", "delivery:block_actions", "delivery:view_submission", "delivery:view_closed", "delivery:shortcut", "delivery:message_action", "delivery:block_suggestion", "delivery:event:*", "delivery:event:app_mention", "delivery:event:reaction_added"];
const SOCKETS = [
  ["warning", "Warn", "says that the connection will be renewed soon"], ["refresh_requested", "Ask to renew", "asks for a new connection and closes this one"],
  ["link_disabled", "Disconnect", "as when Socket Mode is switched off"], ["cut", "Cut", "breaks without a word, as a failing network does"],
  ["expire_tickets", "Expire tickets", "addresses handed out and not used yet are worth nothing"],
];

let faults = [], kinds = {}, redraw = () => {}, asked = 0;
/** What stands in the form, kept over redraws. */
const wanted = { kind: "error:<code>", method: "chat.postMessage", argument: "restricted_action", times: "1" };

const argumentOf = (kind) => ARGUMENTS[/<(\w+)>/.exec(kind)?.[1]];
const about = (kind) => String(kinds[kind] ?? "").split(/:\s(.*)/s);
const delivers = (method) => method.startsWith("delivery:");

/** Where a kind can be planted: "calls", "deliveries", "both", or one place only. */
function placeOf(kind) {
  const [place] = about(kind);
  if (place === "calls" || place === "deliveries") return place;
  return place === "calls and deliveries" ? "both" : place.replace("…", "*");
}

function choose(kind) {
  wanted.kind = kind;
  wanted.argument = argumentOf(kind)?.first(kind) ?? "";
  const place = placeOf(kind);
  if (place === "calls" && delivers(wanted.method)) [wanted.method] = CALLS;
  else if (place === "deliveries" && !delivers(wanted.method)) [wanted.method] = DELIVERIES;
  else if (place && !["calls", "deliveries", "both"].includes(place)) wanted.method = place;
  redraw();
}

function take(answer) { faults = answer.faults ?? []; kinds = answer.kinds ?? kinds; redraw(); }

/** Read from the server what is planted; `again` is called after, to draw it. */
export async function loadFaults(again) {
  redraw = again ?? redraw;
  try { take(await api.faults()); } catch { /* shown at the next try */ }
}

/** A request has come, which may have used a fault up: look, at most twice a second. */
export function faultsChanged() {
  if (!asked && faults.length) asked = setTimeout(() => { asked = 0; loadFaults(); }, 500);
}

async function told(request, failed, said) {
  try {
    const answer = await request();
    if (answer.ok === false) throw new Error(answer.error);
    announce(said(answer));
    return answer;
  } catch (error) { toast(`${failed}: ${error.message}`, { kind: "bad" }); return null; }
}

async function add(event) {
  event.preventDefault();
  const kind = wanted.kind.replace(/<\w+>/, wanted.argument.trim());
  const answer = await told(() => api.addFault({ method: wanted.method.trim(), kind, times: Number(wanted.times) }), "The fault was not set", () => `${kind} waits for ${wanted.method}.`);
  if (answer) take(answer);
}

async function clear() {
  const answer = await told(api.clearFaults, "The faults were not cleared", () => "No fault is planted.");
  if (answer) take(answer);
}

async function remove(one) {
  const answer = await told(() => api.removeFault(one.id), "The fault was not removed", () => `${one.kind} no longer waits for ${one.method}.`);
  if (answer) take(answer); else loadFaults();
}

async function toSockets(what, label) {
  const many = (count) => `${label}: done. ${count === 1 ? "1 connection is" : `${count} connections are`} open now.`;
  const answer = await told(() => api.sockets(what), "That was not done", (done) => many(done.connected));
  if (answer) toast(many(answer.connected));
}

const KIND_GROUPS = [["The app's calls", (place) => place !== "deliveries" && !delivers(place)], ["Deliveries to the app", (place) => place === "deliveries" || delivers(place)]];
const left = (times) => (times === 0 ? "until removed" : times === 1 ? "once" : `${times} times`);

function field(name, label, props, ...more) {
  const node = el("input", { class: "field", id: `fault-${name}`, required: true, value: wanted[name], data: { key: `fault/${name}` }, oninput: () => { wanted[name] = node.value; }, ...props });
  return el("div", { class: "fault-field" }, el("label", { class: "input-label", for: `fault-${name}`, text: label }), node, more);
}

function form() {
  const argument = argumentOf(wanted.kind), place = placeOf(wanted.kind), [, does] = about(wanted.kind);
  const kind = el("select", { class: "field", id: "fault-kind", "aria-describedby": "fault-does", data: { key: "fault/kind" }, onchange: () => choose(kind.value) },
    KIND_GROUPS.map(([label, fits]) => el("optgroup", { label }, Object.keys(kinds).filter((one) => fits(placeOf(one))).map((one) => el("option", { value: one, text: LABELS[one] ?? one, selected: one === wanted.kind })))));
  const methods = place === "calls" ? CALLS : place === "deliveries" ? DELIVERIES : place === "both" ? [...CALLS, ...DELIVERIES] : [...CALLS, ...DELIVERIES].filter((one) => one === place || (place.endsWith(":*") && one.startsWith(place.slice(0, -1))));
  return el("form", { class: "pane-section stack", onsubmit: add },
    el("p", { class: "hint", text: "The next calls or deliveries go wrong the way you choose, to see what the app makes of it." }),
    el("label", { class: "input-label", for: "fault-kind", text: "What goes wrong" }), kind, does ? el("p", { class: "hint", id: "fault-does", text: `${does[0].toUpperCase()}${does.slice(1)}.` }) : null,
    argument ? field("argument", argument.label, argument.field) : null,
    field("method", place === "deliveries" || delivers(place) ? "Delivery" : place === "both" ? "Method or delivery" : "Method", { list: "fault-methods", spellcheck: "false", autocapitalize: "off" }, el("datalist", { id: "fault-methods" }, methods.map((one) => el("option", { value: one })))),
    field("times", "How many times (0: until it is removed)", { class: "field short", type: "number", min: 0, step: 1 }),
    el("div", { class: "dialog-buttons start" }, el("button", { type: "submit", class: "button primary", data: { key: "fault/add" } }, "Add fault")));
}

export function faultsTab() {
  return el("div", { class: "pane-scroll" }, form(),
    el("section", { class: "pane-section" }, el("h3", { text: "Planted" }),
      faults.length ? el("ul", { class: "fault-list" }, faults.map((one) => el("li", {}, el("code", { text: one.method }), " ", el("code", { text: one.kind }), el("span", { class: "hint", text: ` ${left(one.times)}` }),
        iconButton("close", `Remove ${one.kind} for ${one.method}`, () => remove(one), { data: { key: `fault/${one.id}` } })))) : el("p", { class: "hint", text: "No fault is planted." }),
      faults.length ? el("div", { class: "dialog-buttons start" }, el("button", { type: "button", class: "button", data: { key: "fault/clear" }, onclick: clear }, "Clear all")) : null),
    el("section", { class: "pane-section" }, el("h3", { text: "Connections" }),
      world.delivery === "http" ? el("p", { class: "hint", text: "Deliveries go out as signed HTTP requests; there are no connections." })
        : el("ul", { class: "socket-list" }, SOCKETS.map(([what, label, does]) => el("li", {}, el("button", { type: "button", class: "button", "aria-describedby": `socket-${what}`, data: { key: `socket/${what}` }, onclick: () => toSockets(what, label) }, label), el("span", { class: "hint", id: `socket-${what}`, text: does }))))));
}
