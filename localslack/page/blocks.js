// Block Kit blocks -> DOM. https://docs.slack.dev/reference/block-kit/blocks
import { append, el, freshId, icon, safeHref } from "./dom.js";
import { elementNode } from "./elements.js";
import { markdown } from "./markdown.js";
import { outLink, plainOf, textNode } from "./mrkdwn.js";
import * as newer from "./newer.js";
import { richText } from "./richtext.js";
import { elementsOf } from "./surface.js";

/** Pictures from elsewhere are named, not loaded: the page asks nobody but its own server. */
export function picture(address, alt, className) {
  const href = safeHref(address);
  if (href && new URL(href).origin === location.origin) return el("img", { class: className, src: href, alt: alt ?? "", loading: "lazy" });
  return el("span", { class: `picture-stand-in ${className ?? ""}`, role: "img", "aria-label": alt || "Picture", title: `${alt ?? ""} ${address ?? ""}`.trim() }, /\bthumb\b/.test(className) ? (alt || "?").slice(0, 1).toUpperCase() : alt || "Picture");
}

const labelOf = (block) => (plainOf(block.text) || (block.fields ?? []).map(plainOf).join(", ")).replace(/[*_~`]|<[^>]*>/g, " ").replace(/\s+/g, " ").trim().slice(0, 120);

function section(block, here) {
  const parts = el("div", { class: "section-text" },
    block.text ? textNode(block.text, "div", { class: "prose" }) : null,
    block.fields?.length ? el("div", { class: "fields" }, block.fields.map((field) => textNode(field, "div", { class: "prose" }))) : null);
  if (!block.accessory) return parts;
  const accessory = block.accessory.type === "image" ? picture(block.accessory.image_url ?? block.accessory.slack_file?.url, block.accessory.alt_text, "thumb")
    : elementNode(block.accessory, { ...here, label: labelOf(block) });
  return el("div", { class: `section accessory-${block.accessory.type}` }, parts, el("div", { class: "accessory" }, accessory));
}

function input(block, here) {
  const [element] = elementsOf(block), error = here.surface.errors[here.blockId];
  if (!element) return null;
  const inputId = freshId("field"), labelId = freshId("label"), hintId = freshId("hint"), errorId = freshId("error");
  const grouped = element.type === "checkboxes" || element.type === "radio_buttons";
  const describedBy = [block.hint ? hintId : null, error ? errorId : null].filter(Boolean).join(" ") || null;
  const words = [textNode(block.label), block.optional ? el("span", { class: "optional", text: " (optional)" }) : null];
  const control = elementNode(element, { ...here, inputId: grouped ? null : inputId, labelId, label: plainOf(block.label), describedBy });
  if (error) for (const node of [control, ...control.querySelectorAll("input, textarea")]) if (node.matches("input, textarea")) node.setAttribute("aria-invalid", "true");
  return el("div", { class: `input-block${error ? " wrong" : ""}`, data: { block: here.blockId } },
    el(grouped ? "span" : "label", { class: "input-label", id: labelId, for: grouped ? null : inputId }, words),
    control,
    error ? el("p", { class: "field-error", id: errorId }, icon("warn"), el("span", { text: error })) : null,
    block.hint ? textNode(block.hint, "p", { class: "hint", id: hintId }) : null);
}

const nested = (blocks, here) => (blocks ?? []).map((one, at) => blockNode(one, at, here));

const BLOCKS = {
  section, input, table: newer.table, data_table: newer.dataTable, data_visualization: newer.chart, alert: newer.alert, plan: newer.plan, task_card: newer.task,
  card: (block, here) => newer.card(block, here, picture),
  video: (block) => newer.video(block, picture),
  carousel: (block, here) => el("div", { class: "carousel", tabindex: "0", role: "group", "aria-label": "Cards" }, nested(block.elements, here)),
  container: (block, here) => newer.container(block, here, nested(block.child_blocks, here), picture),
  header: (block, here) => textNode(block.text, "div", { class: "block-header", role: "heading", "aria-level": Math.min(6, (block.level ?? 1) + (here.headings ?? 2)) }),
  divider: () => el("hr"),
  context: (block) => el("div", { class: "context" }, (block.elements ?? []).map((one) => (one.type === "image" ? picture(one.image_url, one.alt_text, "thumb tiny") : textNode(one, "span", { class: "prose" })))),
  actions: (block, here) => el("div", { class: "actions" }, (block.elements ?? []).map((one) => elementNode(one, here))),
  context_actions: (block, here) => el("div", { class: "actions" }, (block.elements ?? []).map((one) => elementNode(one, here))),
  image: (block) => el("figure", { class: "image-block" }, block.title ? textNode(block.title, "figcaption") : null, picture(block.image_url ?? block.slack_file?.url, block.alt_text, "picture"),
    block.image_url ? el("div", { class: "hint" }, outLink(block.image_url, "Open the picture's address")) : null),
  rich_text: (block) => el("div", { class: "prose rich" }, richText(block)),
  markdown: (block) => el("div", { class: "prose md" }, markdown(block.text)),
  file: (block) => el("div", { class: "attachment-line" }, icon("file"), `Remote file ${block.external_id ?? ""}`),
  call: () => el("div", { class: "attachment-line", text: "A call" }),
};

/** A block nobody here knows: its words, so that nothing is lost. */
function unknown(block) {
  const words = [];
  const walk = (value, depth) => {
    if (depth > 6 || value === null || typeof value !== "object") return;
    for (const [name, inner] of Object.entries(value)) {
      if (typeof inner === "string" && ["text", "title", "alt_text", "caption", "label", "value"].includes(name)) words.push(inner);
      else walk(inner, depth + 1);
    }
  };
  walk(block, 0);
  return el("div", { class: "unsupported" }, el("span", { class: "tag", text: `${block.type} block` }), " ", words.join(" · "));
}

function blockNode(block, at, here) {
  const inner = { ...here, block, blockId: here.surface.blockId(block, at) };
  try {
    return append(el("div", { class: `block block-${String(block.type).replace(/[^a-z_]/g, "")}`, data: { block: inner.blockId } }), [(BLOCKS[block.type] ?? unknown)(block, inner)]);
  } catch (error) {
    console.error("block", block, error);
    return unknown(block);
  }
}

/** here: {surface, redraw, onedit?}. Returns nodes. */
export const renderBlocks = (blocks, here) => (blocks ?? []).map((block, at) => blockNode(block, at, { ...here, blocks }));
