// Times: Slack shows each person their own zone; UTC stands in the title of every time.
import { world } from "./world.js";

const MINUTE = 60, HOUR = 3600, DAY = 86400;
const formats = new Map();

function format(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options }));
  return formats.get(key);
}

let checkedZone = [null, "UTC"];
/** The zone of the person acted for; the browser's where the server names none. */
export function zone() {
  const wanted = world.people.get(world.me?.id)?.tz || world.me?.tz || Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  if (checkedZone[0] !== wanted) {
    try { new Intl.DateTimeFormat("en", { timeZone: wanted }); checkedZone = [wanted, wanted]; } catch { checkedZone = [wanted, "UTC"]; }
  }
  return checkedZone[1];
}

export const zoneName = () => (zone() === "UTC" ? "UTC" : zone().split("/").at(-1).replaceAll("_", " "));

export function now() {
  const { now: at, taken, frozen } = world.clock;
  return frozen ? at : at + (performance.now() - taken) / 1000;
}

const date = (seconds) => new Date(Number(seconds) * 1000);
export const hourMinute = (seconds, tz = zone()) => format(tz, { hour: "2-digit", minute: "2-digit" }).format(date(seconds));
export const withSeconds = (seconds, tz = "UTC") => format(tz, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(date(seconds));
export const fullUtc = (seconds) => `${format("UTC", { weekday: "short", day: "numeric", month: "short", year: "numeric" }).format(date(seconds))}, ${withSeconds(seconds)} UTC`;
export const dayUtc = (seconds) => format("UTC", { weekday: "short", day: "numeric", month: "short" }).format(date(seconds));
export const dayKey = (seconds) => format(zone(), { year: "numeric", month: "2-digit", day: "2-digit" }).format(date(seconds));

function nearDay(seconds) {
  const key = dayKey(seconds), at = now();
  if (key === dayKey(at)) return "Today";
  if (key === dayKey(at - DAY)) return "Yesterday";
  if (key === dayKey(at + DAY)) return "Tomorrow";
  return null;
}

export const dayLabel = (seconds) => nearDay(seconds) ?? format(zone(), { weekday: "long", day: "numeric", month: "long" }).format(date(seconds));

export function ago(seconds) {
  const gap = now() - Number(seconds), size = Math.abs(gap);
  const [count, unit] = size < MINUTE ? [0, ""] : size < HOUR ? [size / MINUTE, "minute"] : size < DAY ? [size / HOUR, "hour"] : [size / DAY, "day"];
  if (!unit) return gap < 0 ? "in a moment" : "just now";
  const whole = Math.floor(count);
  return gap < 0 ? `in ${whole} ${unit}${whole === 1 ? "" : "s"}` : `${whole} ${unit}${whole === 1 ? "" : "s"} ago`;
}

/** Slack's date markup, https://docs.slack.dev/messaging/formatting-message-text#date-formatting */
export function slackDate(seconds, pattern) {
  const tz = zone(), at = date(seconds), near = nearDay(seconds);
  const short = () => format(tz, { day: "numeric", month: "short", year: "numeric" }).format(at);
  const plain = () => format(tz, { day: "numeric", month: "long", year: "numeric" }).format(at);
  const long = () => format(tz, { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(at);
  const parts = {
    date_num: () => format(tz, { year: "numeric", month: "2-digit", day: "2-digit" }).format(at).split("/").reverse().join("-"),
    date_slash: () => format(tz, { year: "numeric", month: "2-digit", day: "2-digit" }).format(at),
    date: plain, date_short: short, date_long: long,
    date_pretty: () => near?.toLowerCase() ?? plain(),
    date_short_pretty: () => near?.toLowerCase() ?? short(),
    date_long_pretty: () => near?.toLowerCase() ?? long(),
    date_long_full: long,
    day_divider_pretty: () => near ?? long(),
    time: () => hourMinute(seconds, tz),
    time_secs: () => withSeconds(seconds, tz),
    ago: () => ago(seconds),
  };
  const text = String(pattern).replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(parts, name) ? parts[name]() : whole));
  return text.charAt(0).toUpperCase() === text.charAt(0) ? text : /^\{(date|day)/.test(pattern) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

/** "2026-01-31T14:30" in the person's zone -> epoch seconds. */
export function fromLocal(text) {
  const wanted = Date.parse(`${text}:00Z`) / 1000;
  if (Number.isNaN(wanted)) return null;
  let guess = wanted;
  for (let turn = 0; turn < 3; turn += 1) guess += wanted - Date.parse(`${toLocal(guess)}:00Z`) / 1000;
  return guess;
}

/** Epoch seconds -> "2026-01-31T14:30" in the person's zone. */
export function toLocal(seconds) {
  const parts = Object.fromEntries(format(zone(), { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" })
    .formatToParts(date(seconds)).map(({ type, value }) => [type, value]));
  return `${parts.year.padStart(4, "0")}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
}
