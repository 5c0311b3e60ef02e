// Block Kit elements that people use. https://docs.slack.dev/reference/block-kit/block-elements
import { api } from "./api.js";
import { el, freshId, icon, safeHref } from "./dom.js";
import { plainOf, textNode } from "./mrkdwn.js";
import { picker } from "./picker.js";
import { confirmFirst, openMenu, toast } from "./popup.js";
import { elementsOf } from "./surface.js";
import { fromLocal, toLocal, zoneName } from "./time.js";
import { bot, channelName, handleOf, personName, world } from "./world.js";

/*
 * Every maker takes (element, here) and returns a node. here = {
 *   surface, blocks, block, blockId, inputId (when a label points at it), label, describedBy, redraw() }
 */

/** What went wrong with a delivery to the app, as a sentence. */
export function failure(error) {
  const name = personName(bot()?.id);
  if (!error || /time/.test(error)) return `${name} did not respond within 3 seconds.`;
  return error === "dispatch_failed" ? `${name} could not be reached, or answered with an error.` : `${name} gave an answer that cannot be used (${error}).`;
}

/** An app that is told of one control sees the values of all: first hand over what input blocks kept to themselves. */
async function tellUnsaid(surface, blocks, where) {
  for (const [at, block] of (blocks ?? []).entries()) {
    if (block.type !== "input" || block.dispatch_action) continue;
    for (const element of elementsOf(block)) {
      const state = surface.touched(surface.blockId(block, at), element);
      if (state) await api.act("input", { ...where, block_id: surface.blockId(block, at), action_id: element.action_id, state, action: { type: element.type } });
    }
  }
}

/** Send one block action; the asking control is busy until the answer came. */
async function send(here, element, state, action, busy) {
  const { surface, blockId, blocks } = here;
  busy?.setAttribute("aria-busy", "true");
  try {
    const named = { block_id: blockId, action_id: element.action_id };
    const { from, ...where } = surface.where;
    await tellUnsaid(surface, blocks, where);
    const answer = element.type === "button"
      ? await api.act("click", { ...where, ...named, value: element.value })
      : await api.act("input", { ...where, ...named, state, action: { type: element.type, block_id: blockId, action_id: element.action_id, ...action } });
    if (answer.ok === false || answer.failed) toast(answer.failed ? `${failure(answer.error)} Try again.` : `That was not done: ${answer.error}.`, { kind: "bad" });
  } catch (error) {
    toast(`That did not reach the local Slack: ${error.message}`, { kind: "bad" });
  } finally {
    busy?.removeAttribute("aria-busy");
  }
}

/** Put a change in the state; tell the app where Slack would (everywhere but in input blocks without dispatch_action). */
async function change(here, element, values, busy, action = values) {
  const before = here.surface.get(here.blockId, element);
  const dispatches = here.block.type !== "input" || here.block.dispatch_action;
  const state = here.surface.set(here.blockId, element, values);
  here.onedit?.();
  if (!dispatches) return;
  if (element.confirm && !(await confirmFirst(element.confirm, textNode))) {
    here.surface.set(here.blockId, element, before);
    here.redraw();
    return;
  }
  await send(here, element, state, action, busy);
}

const keyOf = (here, element, extra = "") => `${here.blockId}/${element.action_id}${extra}`;

function button(element, here) {
  const busyRun = async (event) => {
    if (event.currentTarget?.getAttribute("aria-busy")) return;
    const node = event.currentTarget;
    if (element.confirm && !(await confirmFirst(element.confirm, textNode))) return;
    await send(here, element, null, {}, node);
  };
  const props = {
    class: `button ${element.style === "primary" ? "primary" : element.style === "danger" ? "danger" : ""}`,
    "aria-label": element.accessibility_label, data: { key: keyOf(here, element, element.value ? `/${element.value}` : ""), action: element.action_id ?? "" }, onclick: busyRun,
  };
  const href = element.url && safeHref(element.url);
  if (href) return el("a", { ...props, href, target: "_blank", rel: "noopener noreferrer" }, textNode(element.text), icon("external"));
  return el("button", { ...props, type: "button" }, textNode(element.text));
}

/** Two buttons with one action: what is told is the words and the value of the one that was pressed. */
const feedback = (element, here) => [element.positive_button, element.negative_button].filter(Boolean).map((part) => {
  const node = el("button", { type: "button", class: "button", "aria-label": part.accessibility_label, data: { key: keyOf(here, element, `/${part.value}`) }, onclick: () => send(here, element, { text: part.text, value: part.value }, {}, node) }, textNode(part.text));
  return node;
});

function boxes(kind) {
  return (element, here) => {
    const state = here.surface.get(here.blockId, element), name = freshId("choice");
    const many = kind === "checkbox";
    const chosen = many ? state.selected_options.map((one) => one.value) : [state.selected_option?.value];
    const group = el("div", { class: "choices", role: many ? "group" : "radiogroup", "aria-labelledby": here.labelId, "aria-label": here.labelId ? null : here.label, "aria-describedby": here.describedBy });
    for (const option of element.options ?? []) {
      const control = el("input", {
        type: kind, name, value: option.value, checked: chosen.includes(option.value), data: { key: keyOf(here, element, `/${option.value}`) },
        "aria-label": plainOf(option.text).trim() ? null : here.label,
        onchange: () => {
          if (!many) { change(here, element, { selected_option: option }, group); return; }
          const ticked = new Set([...group.querySelectorAll("input:checked")].map((node) => node.value));
          change(here, element, { selected_options: element.options.filter((one) => ticked.has(one.value)) }, group);
        },
      });
      group.append(el("label", { class: "choice" }, control, el("span", {}, textNode(option.text), option.description ? textNode(option.description, "span", { class: "option-description" }) : null)));
    }
    return group;
  };
}

/** Selects: how the choices are found, which field of the state holds them, and how a key becomes that field's value. */
const optionKey = (option) => option.value;
const fixed = (element) => (element.option_groups ?? [{ options: element.options ?? [] }]).map((group) => ({
  label: plainOf(group.label), options: (group.options ?? []).map((option) => ({ key: optionKey(option), label: plainOf(option.text), node: () => textNode(option.text), description: plainOf(option.description), raw: option })),
}));
const people = () => [{ options: [...world.people.values()].filter((one) => !one.deleted).map((one) => ({ key: one.id, label: personName(one.id), hint: `@${handleOf(one)}` })) }];
const rooms = (kinds) => (element) => {
  const wanted = element.filter?.include ?? kinds;
  const kind = (one) => (one.is_im ? "im" : one.is_mpim ? "mpim" : one.is_private ? "private" : "public");
  const fits = (one) => wanted.includes(kind(one)) && !one.is_archived && !(element.filter?.exclude_bot_users && one.is_im && world.people.get(one.with)?.is_bot);
  return [{ options: [...world.channels.values()].filter(fits).map((one) => ({ key: one.id, label: one.is_im ? channelName(one) : `#${one.name}` })) }];
};

const SELECTS = {
  static_select: [fixed, "selected_option", false, true],
  multi_static_select: [fixed, "selected_options", true, true],
  external_select: [fixed, "selected_option", false, true],
  multi_external_select: [fixed, "selected_options", true, true],
  users_select: [people, "selected_user", false, false],
  multi_users_select: [people, "selected_users", true, false],
  conversations_select: [rooms(["im", "mpim", "private", "public"]), "selected_conversation", false, false],
  multi_conversations_select: [rooms(["im", "mpim", "private", "public"]), "selected_conversations", true, false],
  channels_select: [rooms(["public"]), "selected_channel", false, false],
  multi_channels_select: [rooms(["public"]), "selected_channels", true, false],
};

function select(element, here) {
  const [source, field, multiple, whole] = SELECTS[element.type];
  const groups = source(element), state = here.surface.get(here.blockId, element);
  const value = state[field];
  const held = multiple ? value ?? [] : value ? [value] : [];
  const options = groups.flatMap((group) => group.options);
  for (const one of held) if (whole && !options.some((option) => option.key === one.value)) groups[0]?.options.unshift({ key: one.value, label: plainOf(one.text), raw: one });
  const raw = (key) => (whole ? groups.flatMap((group) => group.options).find((option) => option.key === key)?.raw ?? null : key);
  const load = element.type.includes("external") ? async (typed) => {
    const { from, ...where } = here.surface.where;
    const answer = await api.act("suggest", { ...where, block_id: here.blockId, action_id: element.action_id, value: typed });
    groups.splice(0, groups.length, ...fixed({ options: answer.options ?? [] }));
  } : null;
  const node = picker({
    groups, load, least: element.min_query_length ?? 3, multiple, max: element.max_selected_items, chosen: held.map((one) => (whole ? one.value : one)), placeholder: plainOf(element.placeholder),
    label: here.label ?? plainOf(element.placeholder), inputId: here.inputId, describedBy: here.describedBy, key: keyOf(here, element),
    clearable: here.block.type === "input",
    onchange: (keys) => change(here, element, { [field]: multiple ? keys.map(raw) : keys.length ? raw(keys[0]) : null }, node),
  });
  return node;
}

function overflow(element, here) {
  const node = el("button", {
    type: "button", class: "icon-button bordered", "aria-label": here.label ? `More about ${here.label}` : "More", "aria-haspopup": "menu", "aria-expanded": "false", data: { key: keyOf(here, element) },
    onclick: () => openMenu(node, (element.options ?? []).map((option) => ({
      label: plainOf(option.text), hint: plainOf(option.description), href: option.url ? safeHref(option.url) : null, target: "_blank",
      run: async () => { if (await confirmFirst(element.confirm, textNode)) await send(here, element, null, { selected_option: option }, node); },
    })), "More"),
  }, icon("more"));
  return node;
}

function textField(type, attributes = {}) {
  return (element, here) => {
    const state = here.surface.get(here.blockId, element), multiline = Boolean(element.multiline);
    const on = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
    const told = here.block.type !== "input" || here.block.dispatch_action;
    let timer = null;
    const left = el("span", { class: "field-count" });
    const count = () => {
      const rest = (element.max_length ?? Infinity) - node.value.length;
      left.textContent = rest < 0 ? `${-rest} too many` : rest <= Math.min(100, element.max_length / 2) ? `${rest} left` : "";
    };
    const tell = () => { clearTimeout(timer); send(here, element, here.surface.get(here.blockId, element), { value: node.value }, null); };
    const node = el(multiline ? "textarea" : "input", {
      ...(multiline ? { rows: 4 } : { type }), ...attributes, class: "field", id: here.inputId, value: state.value ?? "",
      placeholder: plainOf(element.placeholder), "aria-describedby": here.describedBy, "aria-label": here.inputId ? null : here.label ?? plainOf(element.placeholder), autofocus: element.focus_on_load,
      step: type === "number" ? (element.is_decimal_allowed ? "any" : "1") : null, min: element.min_value, max: element.max_value, data: { key: keyOf(here, element) },
      oninput: () => {
        here.surface.set(here.blockId, element, { value: node.value === "" ? null : node.value });
        here.onedit?.();
        count();
        if (told && on.includes("on_character_entered")) { clearTimeout(timer); timer = setTimeout(tell, 300); }
      },
      onkeydown: (event) => { if (event.key === "Enter" && !event.shiftKey && !multiline && told && on.includes("on_enter_pressed")) { event.preventDefault(); tell(); } },
    });
    if (!element.max_length) return node;
    count();
    return el("span", { class: "counted" }, node, left);
  };
}

function moment(type, field, { read = (value) => value, show = (value) => value ?? "" } = {}) {
  return (element, here) => {
    const state = here.surface.get(here.blockId, element);
    const node = el("input", {
      type, class: "field short", id: here.inputId, value: show(state[field]), "aria-describedby": here.describedBy, data: { key: keyOf(here, element) },
      "aria-label": here.inputId ? null : here.label ?? (plainOf(element.placeholder) || type),
      onchange: () => change(here, element, { [field]: node.value ? read(node.value) : null }, node),
    });
    return type === "datetime-local" || (type === "time" && element.timezone) ? el("span", { class: "with-unit" }, node, el("span", { class: "unit", text: element.timezone ?? `${zoneName()} time` })) : node;
  };
}

function richInput(element, here) {
  const node = el("textarea", { class: "field", rows: 4, id: here.inputId, data: { key: keyOf(here, element) }, placeholder: plainOf(element.placeholder), "aria-label": here.inputId ? null : here.label,
    oninput: () => here.surface.set(here.blockId, element, { rich_text_value: node.value ? { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text: node.value }] }] } : null }) });
  const held = here.surface.get(here.blockId, element).rich_text_value;
  node.value = (held?.elements ?? []).map((group) => (group.elements ?? []).map((part) => part.text ?? "").join("")).join("\n");
  return node;
}

function fileInput(element) {
  return el("p", { class: "unsupported", text: `Here Slack asks for files${element.filetypes?.length ? ` (${element.filetypes.join(", ")})` : ""}. The local Slack shows the field but takes none.` });
}

export const ELEMENTS = {
  button, overflow, feedback_buttons: feedback, file_input: fileInput, rich_text_input: richInput,
  workflow_button: button, icon_button: (element, here) => button({ ...element, type: "button", text: element.text ?? { type: "plain_text", text: element.icon ?? "Action" } }, here),
  checkboxes: boxes("checkbox"), radio_buttons: boxes("radio"),
  ...Object.fromEntries(Object.keys(SELECTS).map((name) => [name, select])),
  plain_text_input: textField("text"), email_text_input: textField("email", { autocomplete: "off" }), url_text_input: textField("url"),
  number_input: textField("number", { inputmode: "decimal" }),
  datepicker: moment("date", "selected_date"), timepicker: moment("time", "selected_time"),
  datetimepicker: moment("datetime-local", "selected_date_time", { read: fromLocal, show: (value) => (value ? toLocal(value) : "") }),
};

export function elementNode(element, here) {
  const make = ELEMENTS[element.type];
  return make ? make(element, here) : el("span", { class: "unsupported", text: plainOf(element.text) || `[${element.type}]` });
}

/** What Slack's own client finds wrong before it asks the app: {block_id: sentence}. */
export function clientErrors(blocks, surface) {
  const errors = {};
  (blocks ?? []).forEach((block, at) => {
    if (block.type !== "input") return;
    const blockId = surface.blockId(block, at), [element] = elementsOf(block), { type, ...fields } = surface.get(blockId, element);
    const value = Object.values(fields)[0], empty = value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length);
    if (empty) { if (!block.optional) errors[blockId] = "Please complete this required field."; return; }
    if (typeof value === "string" && element.min_length && value.length < element.min_length) errors[blockId] = `Must be at least ${element.min_length} characters.`;
    else if (typeof value === "string" && element.max_length && value.length > element.max_length) errors[blockId] = `Must be at most ${element.max_length} characters.`;
    else if (type === "email_text_input" && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) errors[blockId] = "Must be an email address.";
    else if (type === "url_text_input" && !/^https?:\/\/\S+$/.test(value)) errors[blockId] = "Must be an address that starts with http:// or https://.";
    else if (type === "number_input") {
      const number = Number(value);
      if (!Number.isFinite(number) || (!element.is_decimal_allowed && !Number.isInteger(number))) errors[blockId] = element.is_decimal_allowed ? "Must be a number." : "Must be a whole number.";
      else if (element.min_value !== undefined && number < Number(element.min_value)) errors[blockId] = `Must be at least ${element.min_value}.`;
      else if (element.max_value !== undefined && number > Number(element.max_value)) errors[blockId] = `Must be at most ${element.max_value}.`;
    }
  });
  return errors;
}
