// Block Kit's newer blocks -> DOM: tables of data, charts, cards, containers, plans, alerts. https://docs.slack.dev/reference/block-kit/blocks
import { append, el, freshId, icon } from "./dom.js";
import { elementNode } from "./elements.js";
import { outLink, plainOf, textNode } from "./mrkdwn.js";
import { richText } from "./richtext.js";

const cell = (one, here) => (one?.type === "rich_text" ? richText(one) : one?.type === "action" ? elementNode(one.element, here) : one?.text ?? one?.value ?? "");
const ALIGN = { center: "align-center", right: "align-right" };

function grid(name, caption, head, rows) {
  return el("div", { class: "table-scroll", tabindex: "0", role: "group", "aria-label": name }, el("table", {}, caption ? el("caption", {}, caption) : null,
    el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows.map((row) => el("tr", {}, row)))));
}

const head = (words, more = {}) => el("th", { scope: "col", ...more }, words);

export function table(block, here) {
  const [first, ...rows] = block.rows ?? [], of = (at) => ({ class: ALIGN[block.column_settings?.[at]?.align] ?? null });
  return grid("Table", null, (first ?? []).map((one, at) => head(cell(one, here), of(at))), rows.map((row) => row.map((one, at) => el("td", of(at), cell(one, here)))));
}

/** Pages of data that have been turned, kept over redraws: surface -> block_id -> the first row shown. */
const turned = new WeakMap();

export function dataTable(block, here) {
  const [first, ...rows] = block.rows ?? [], size = block.page_size ?? rows.length, name = plainOf(block.caption) || "Table";
  const pages = turned.get(here.surface) ?? new Map();
  turned.set(here.surface, pages);
  const from = Math.min(pages.get(here.blockId) ?? 0, Math.max(0, rows.length - 1)), shown = rows.slice(from, from + size);
  const of = (one) => ({ class: one?.type === "raw_number" ? "align-right" : null });
  const numbers = (at) => rows.length > 0 && rows.every((row) => row[at]?.type === "raw_number");
  const turn = (to, label, off) => el("button", { type: "button", class: "button", disabled: off, data: { key: `${here.blockId}/${label}` }, onclick: () => { pages.set(here.blockId, to); here.redraw(); } }, label);
  return [grid(name, name, (first ?? []).map((one, at) => head(cell(one, here), { class: numbers(at) ? "align-right" : null })),
    shown.map((row) => row.map((one, at) => (at === block.row_header_column_index ? el("th", { scope: "row" }, cell(one, here)) : el("td", of(one), cell(one, here)))))),
  size < rows.length ? el("div", { class: "pages" }, turn(from - size, "Back", from === 0), turn(from + size, "Next", from + size >= rows.length), el("span", { class: "hint", role: "status", text: `${from + 1} to ${Math.min(from + size, rows.length)} of ${rows.length}` })) : null];
}

/** A chart as the figures that it draws, with bars beside those of one series. */
export function chart(block) {
  const { title, chart: one = {} } = block, { axis_config: axes = {} } = one;
  if (one.type === "pie") {
    const all = (one.segments ?? []).reduce((sum, part) => sum + Number(part.value), 0) || 1;
    return grid(title, title, [head("Part"), head("Value", { class: "align-right" }), head("Share", { class: "align-right" }), head("")],
      (one.segments ?? []).map((part) => [el("th", { scope: "row" }, part.label), el("td", { class: "align-right" }, part.value), el("td", { class: "align-right" }, `${Math.round((100 * part.value) / all)} %`), bar(part.value, all)]));
  }
  const series = one.series ?? [], most = Math.max(1, ...series.flatMap((each) => (each.data ?? []).map((point) => Number(point.value) || 0)));
  const value = (each, category) => each.data?.find((point) => point.label === category)?.value ?? "";
  return [grid(title, title, [head(axes.x_label ?? ""), series.map((each) => head(each.name, { class: "align-right" })), series.length === 1 ? head("") : null],
    (axes.categories ?? []).map((category) => [el("th", { scope: "row" }, category), series.map((each) => el("td", { class: "align-right" }, value(each, category))), series.length === 1 ? bar(value(series[0], category), most) : null])),
  axes.y_label ? el("p", { class: "hint", text: axes.y_label }) : null];
}

function bar(value, most) {
  const line = el("span", { class: "bar", "aria-hidden": "true" });
  line.style.width = `${Math.max(0, Math.min(100, (100 * Number(value)) / most))}%`;
  return el("td", { class: "bar-cell" }, line);
}

const ICONS = { warning: "warn", check: "check", file: "file", link: "link", clipboard: "file", pin: "pin", info: "info", search: "search", user: "people", archive: "archive", download: "download", plus: "plus" };

export function card(block, here, picture) {
  const sign = block.icon ? picture(block.icon.image_url ?? block.icon.slack_file?.url, block.icon.alt_text, "thumb tiny") : block.slack_icon ? icon(ICONS[block.slack_icon.name] ?? "app") : null;
  return el("div", { class: "card-block" }, block.hero_image ? picture(block.hero_image.image_url ?? block.hero_image.slack_file?.url, block.hero_image.alt_text, "picture hero") : null,
    block.title ? el("div", { class: "card-head" }, sign, textNode(block.title, "div", { class: "card-title prose" })) : sign, block.subtitle ? textNode(block.subtitle, "div", { class: "hint" }) : null,
    block.body ? textNode(block.body, "div", { class: "prose" }) : null, block.subtext ? textNode(block.subtext, "div", { class: "hint" }) : null,
    block.actions?.length ? el("div", { class: "actions" }, block.actions.map((one) => elementNode(one, here))) : null);
}

/** Containers that somebody opened or closed, kept over redraws. */
const folded = new WeakMap();

export function container(block, here, inside, picture) {
  const title = [block.icon ? picture(block.icon.image_url ?? block.icon.slack_file?.url, block.icon.alt_text, "thumb tiny") : null,
    el("span", { class: "card-title prose" }, block.rich_text_title ? richText(block.rich_text_title) : plainOf(block.title)), block.subtitle ? textNode(block.subtitle, "span", { class: "hint" }) : null];
  if (!block.is_collapsible) return el("div", { class: `container-block${block.has_header_divider ? " ruled" : ""}` }, el("div", { class: "card-head" }, title), inside);
  const known = folded.get(here.surface) ?? new Map();
  folded.set(here.surface, known);
  const node = el("details", { class: "container-block", open: known.get(here.blockId) ?? !block.default_collapsed, ontoggle: () => known.set(here.blockId, node.open) }, el("summary", { class: "card-head", data: { key: `${here.blockId}/fold` } }, title), inside);
  return node;
}

const STATUS = { pending: ["clock", "pending"], in_progress: ["clock", "in progress"], complete: ["check", "complete"], error: ["warn", "failed"] };

export function task(block) {
  const [sign, words] = STATUS[block.status] ?? STATUS.pending, id = freshId("task");
  return el("div", { class: `task-card task-${STATUS[block.status] ? block.status : "pending"}`, role: "group", "aria-labelledby": id }, icon(sign),
    el("div", {}, el("div", { id }, block.hide_title ? null : el("span", { class: "card-title", text: block.title }), " ", el("span", { class: "hint", text: words })),
      [block.details, block.output].map((one) => (one ? el("div", { class: "prose rich" }, richText(one)) : null)),
      block.sources?.length ? el("div", { class: "hint task-sources" }, "From ", block.sources.map((one, at) => [at ? ", " : "", outLink(one.url, one.text)])) : null));
}

export const plan = (block) => el("div", { class: "card-block" }, el("div", { class: "card-title", text: plainOf(block.title) }), (block.tasks ?? []).map(task));

const LEVELS = { default: "info", info: "info", warning: "warn", error: "warn", success: "check" };

export function alert(block) {
  const level = LEVELS[block.level] ? block.level : "default";
  return el("div", { class: `alert alert-${level}`, role: "note" }, icon(LEVELS[level]), level === "default" ? null : el("span", { class: "visually-hidden", text: `${level}:` }), textNode(block.text, "div", { class: "prose" }));
}

export function video(block, picture) {
  const words = [block.author_name, block.provider_name].filter(Boolean).join(" · ");
  return append(el("div", { class: "card-block" }), [el("div", { class: "card-title" }, outLink(block.title_url ?? block.video_url, plainOf(block.title) || block.alt_text)), words ? el("div", { class: "hint", text: words }) : null,
    block.description ? textNode(block.description, "div", {}) : null, picture(block.thumbnail_url, `Video: ${block.alt_text ?? ""}`, "picture")]);
}
