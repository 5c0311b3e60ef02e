// What the page knows. Everything here came from the server; nothing is decided here.

export const world = {
  me: null, team: null, teams: [], bot: null,
  people: new Map(), channels: new Map(), usergroups: new Map(),
  commands: [], shortcuts: [], switches: [], tour: null, home: null, app: {},
  clock: { now: Date.now() / 1000, offset: 0, frozen: false, taken: 0 },
  delivery: "", connected: 0, live: "live",
  messages: new Map(),      // channel id -> {list (top level, oldest first), more, loaded}
  thread: null,             // {channel, ts, list}
  open: { channel: null, tab: "messages" },
  views: [], notifications: [], journal: [],
  told: 0,                  // changes up to this number are in the snapshot already
};

const bus = new EventTarget();
export const on = (names, listen) => names.split(" ").forEach((name) => bus.addEventListener(name, (event) => listen(event.detail)));
export const emit = (name, detail) => bus.dispatchEvent(new CustomEvent(name, { detail }));

export function take(boot) {
  world.me = boot.me;
  world.bot = boot.bot ?? null;
  world.team = boot.team ?? { name: "Local" };
  world.teams = boot.teams ?? [world.team];
  world.people = new Map((boot.people ?? []).map((person) => [person.id, person]));
  world.channels = new Map((boot.channels ?? []).map((channel) => [channel.id, channel]));
  world.usergroups = new Map((boot.usergroups ?? []).map((group) => [group.id, group]));
  world.commands = boot.commands ?? [];
  world.shortcuts = boot.shortcuts ?? [];
  world.switches = boot.switches ?? [];
  world.tour = boot.tour ?? null;
  world.home = boot.home ?? null;
  world.app = boot.app ?? {};
  world.notifications = boot.notifications ?? [];
  world.delivery = boot.delivery ?? "";
  world.connected = boot.connected ?? 0;
  world.told = boot.told ?? 0;
  takeClock(boot.clock ?? {});
}

export function takeClock({ now, offset, frozen }) {
  world.clock = {
    now: now ?? world.clock.now, offset: offset ?? world.clock.offset,
    frozen: frozen ?? world.clock.frozen, taken: performance.now(),
  };
}

/** The app's own bot user. */
export const bot = () => world.people.get(world.bot?.id) ?? world.bot ?? undefined;

export function personName(id) {
  const person = world.people.get(id);
  return person ? person.real_name || person.display_name || person.name || person.handle : id || "somebody";
}

export const handleOf = (person) => person?.handle ?? person?.name ?? person?.id ?? "";

export function channelName(channel) {
  if (!channel) return "";
  return channel.is_im ? personName(channel.with) : channel.name;
}

export const channelTitle = (channel) => (channel?.is_im ? channelName(channel) : `#${channelName(channel)}`);
export const appHome = (channel) => Boolean(channel?.is_im && channel.with && channel.with === bot()?.id);

const before = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Put a message in its place in a list ordered by ts; replaces one with the same ts. */
export function place(list, message) {
  const at = list.findIndex((one) => one.ts === message.ts);
  if (at >= 0) { list[at] = message; return; }
  let end = list.length;
  while (end > 0 && before(list[end - 1].ts, message.ts) > 0) end -= 1;
  list.splice(end, 0, message);
}

export const isReply = (message) => Boolean(message.thread_ts && message.thread_ts !== message.ts);
export const inChannel = (message) => !isReply(message) || message.subtype === "thread_broadcast";
