// The `markdown` block: the parts of CommonMark that Slack shows. DOM nodes only.
import { el } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { mrkdwn, outLink, unescape } from "./mrkdwn.js";

const RULES = [
  [/^\\([!-/:-@[-`{-~])/, (found) => found[1]],
  [/^(`+)([\s\S]*?[^`])\1(?!`)/, (found) => el("code", {}, unescape(found[2].trim()))],
  [/^!\[([^\]\n]*)\]\(\s*<?([^\s)>]+)>?[^)\n]*\)/, (found) => outLink(found[2], found[1] || "image")],
  [/^\[((?:[^[\]\n]|\[[^\]\n]*\])+)\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"\n]*")?\s*\)/, (found, depth) => outLink(found[2], inline(found[1], depth + 1))],
  [/^<((?:[@#!]|https?:|mailto:)[^<>\n]+)>/, (found) => mrkdwn(found[0])],
  [/^\*\*(?=\S)([\s\S]*?\S)\*\*(?!\*)/, (found, depth) => el("strong", {}, inline(found[1], depth + 1))],
  [/^__(?=\S)([\s\S]*?\S)__(?![\p{L}\p{N}_])/u, (found, depth) => el("strong", {}, inline(found[1], depth + 1))],
  [/^~~(?=\S)([\s\S]*?\S)~~/, (found, depth) => el("s", {}, inline(found[1], depth + 1))],
  [/^\*(?=[^\s*])([^*\n]*?[^\s*])\*(?!\*)/, (found, depth) => el("em", {}, inline(found[1], depth + 1))],
  [/^_(?=[^\s_])([^\n]*?[^\s_])_(?![\p{L}\p{N}_])/u, (found, depth) => el("em", {}, inline(found[1], depth + 1))],
  [/^https?:\/\/[^\s<>`]+[^\s<>`.,;:!?)\]'"*_~]/, (found) => outLink(found[0], found[0])],
  [/^(?: {2,}|\\)\n/, () => el("br")],
];
const STARTS = /[\\`![<*_~h \n]/;

function inline(text, depth = 0) {
  const out = [];
  let plain = "", before = "";
  const flush = () => { if (plain) out.push(withEmoji(unescape(plain))); plain = ""; };
  for (let at = 0; at < text.length;) {
    const sign = text[at];
    let hit = null;
    if (depth < 8 && STARTS.test(sign) && !((sign === "_" || sign === "h") && /[\p{L}\p{N}]/u.test(before))) {
      const rest = text.slice(at);
      for (const [rule, make] of RULES) {
        const found = rule.exec(rest);
        if (found) { hit = [found, make]; break; }
      }
    }
    if (hit) { flush(); out.push(hit[1](hit[0], depth)); at += hit[0][0].length; before = text[at - 1]; } else {
      plain += sign === "\n" ? " " : sign;
      before = sign;
      at += 1;
    }
  }
  flush();
  return out;
}

const FENCE = /^ {0,3}(```+|~~~+)/, HEAD = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/, RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/, QUOTE = /^ {0,3}(?:>|&gt;) ?(.*)$/, ROW = /^\s*\|.*\|\s*$/, CELLS = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

export function markdown(text, depth = 0) {
  const lines = String(text ?? "").split("\n"), out = [];
  let words = [];
  const flush = () => { if (words.length) out.push(el("p", {}, inline(words.join("\n")))); words = []; };
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    const fence = FENCE.exec(line), head = HEAD.exec(line), item = ITEM.exec(line), quote = QUOTE.exec(line);
    if (fence) {
      flush();
      const body = [];
      for (at += 1; at < lines.length && !lines[at].trim().startsWith(fence[1]); at += 1) body.push(lines[at]);
      out.push(el("pre", {}, el("code", {}, unescape(body.join("\n")))));
    } else if (head) { flush(); out.push(el("p", { class: `md-head md-head-${head[1].length}`, role: "heading", "aria-level": Math.min(6, head[1].length + 2) }, inline(head[2]))); }
    else if (RULE.test(line)) { flush(); out.push(el("hr")); }
    else if (quote && depth < 5) {
      flush();
      const body = [];
      for (; at < lines.length && QUOTE.test(lines[at]); at += 1) body.push(QUOTE.exec(lines[at])[1]);
      at -= 1;
      out.push(el("blockquote", {}, markdown(body.join("\n"), depth + 1)));
    } else if (ROW.test(line) && CELLS.test(lines[at + 1] ?? "") && lines[at + 1].includes("-")) {
      flush();
      const rows = [line];
      for (at += 2; at < lines.length && ROW.test(lines[at]); at += 1) rows.push(lines[at]);
      at -= 1;
      out.push(table(rows));
    } else if (item && (words.length === 0 || !/^\d/.test(item[2]) || item[2].startsWith("1"))) {
      flush();
      const body = [];
      for (; at < lines.length && (ITEM.test(lines[at]) || (/^\s+\S/.test(lines[at]) && body.length)); at += 1) body.push(lines[at]);
      at -= 1;
      out.push(list(body, depth));
    } else if (!line.trim()) flush();
    else words.push(line.replace(/^ +/, ""));
  }
  flush();
  return out;
}

function list(lines, depth) {
  const first = ITEM.exec(lines[0]), base = first[1].length, ordered = /^\d/.test(first[2]);
  const node = el(ordered ? "ol" : "ul", ordered ? { start: parseInt(first[2], 10) } : {});
  for (let at = 0; at < lines.length; at += 1) {
    const found = ITEM.exec(lines[at]);
    const inner = [];
    while (at + 1 < lines.length && (ITEM.exec(lines[at + 1])?.[1].length ?? 99) > base + 1) inner.push(lines[at += 1]);
    const body = found ? found[3] : lines[at].trim();
    const box = /^\[([ xX])\]\s+(.*)$/.exec(body);
    node.append(el("li", box ? { class: "task" } : {}, box ? [el("span", { class: "task-box", role: "img", "aria-label": box[1] === " " ? "open" : "done", text: box[1] === " " ? "☐" : "☑" }), " ", ...inline(box[2])] : inline(body),
      inner.length && depth < 5 ? (ITEM.test(inner[0]) ? list(inner, depth + 1) : inline(` ${inner.map((one) => one.trim()).join(" ")}`)) : null));
  }
  return node;
}

function table(rows) {
  const cells = (row) => row.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const [head, ...body] = rows.map(cells);
  return el("div", { class: "table-scroll", tabindex: "0", role: "group", "aria-label": "Table" }, el("table", {},
    el("thead", {}, el("tr", {}, head.map((cell) => el("th", { scope: "col" }, inline(cell))))),
    el("tbody", {}, body.map((row) => el("tr", {}, row.map((cell) => el("td", {}, inline(cell))))))));
}
