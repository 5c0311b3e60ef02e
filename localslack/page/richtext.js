// The `rich_text` block. https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
import { el } from "./dom.js";
import { broadcast, channelLink, dateNode, emojiNode, groupMention, outLink, userMention } from "./mrkdwn.js";

const STYLES = [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"], ["highlight", "mark"]];

function styled(node, style = {}) {
  return STYLES.reduce((inner, [name, tag]) => (style?.[name] ? el(tag, {}, inner) : inner), node);
}

const PARTS = {
  text: (part) => part.text ?? "",
  link: (part) => outLink(part.url, part.text || part.url),
  user: (part) => userMention(part.user_id),
  usergroup: (part) => groupMention(part.usergroup_id),
  channel: (part) => channelLink(part.channel_id),
  team: (part) => part.team_id,
  emoji: (part) => emojiNode(part.name, part.unicode),
  broadcast: (part) => broadcast(part.range),
  date: (part) => dateNode(part.timestamp, part.format, part.url, part.fallback),
  color: (part) => colour(part.value),
};

function colour(value) {
  const chip = el("span", { class: "colour-chip", "aria-hidden": "true" });
  if (/^#[0-9a-f]{3,8}$/i.test(value)) chip.style.background = value;
  return el("span", {}, chip, value);
}

const parts = (elements) => (elements ?? []).map((part) => styled(PARTS[part.type] ? PARTS[part.type](part) : part.text ?? "", part.style));

const GROUPS = {
  rich_text_section: (group) => el("div", { class: "rich-section" }, parts(group.elements)),
  rich_text_quote: (group) => el("blockquote", { class: "rich-section" }, parts(group.elements)),
  rich_text_preformatted: (group) => el("pre", {}, el("code", {}, parts(group.elements))),
  rich_text_list: (group) => {
    const node = el(group.style === "ordered" ? "ol" : "ul", { class: "rich-list", start: group.style === "ordered" && group.offset ? group.offset + 1 : null });
    node.style.marginInlineStart = `${(group.indent ?? 0) * 1.4}rem`;
    for (const item of group.elements ?? []) node.append(el("li", {}, parts(item.elements)));
    return node;
  },
};

export function richText(block) {
  return (block.elements ?? []).map((group) => (GROUPS[group.type] ? GROUPS[group.type](group) : el("div", {}, parts(group.elements))));
}
