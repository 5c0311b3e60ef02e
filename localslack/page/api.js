// The control API of the local Slack: what the page may ask and do, and the stream of changes.

const address = new URLSearchParams(location.search);
let acting = address.get("as") || "";
/** The workspace that the page's address chose; none: the first. */
const team = address.get("team") || "";

export const actingAs = () => acting;
export function actAs(handle) { acting = handle; }

/** A place's query on this page: `as`, `channel` …, in the same workspace unless another is named. */
export function addressOf(values) {
  const pairs = Object.entries({ team, ...values }).filter(([, value]) => value);
  return `?${new URLSearchParams(pairs)}`;
}

async function request(path, options) {
  const answer = await fetch(path, { headers: { accept: "application/json", ...(options?.body ? { "content-type": "application/json" } : {}) }, ...options });
  const text = await answer.text();
  let body = null;
  try { body = text ? JSON.parse(text) : {}; } catch { /* the status speaks */ }
  if (!answer.ok && !(body && "ok" in body)) throw new Error(body?.error || `${path.split("?")[0]}: ${answer.status}`);
  return body ?? {};
}

const query = (values) => {
  const pairs = Object.entries({ as: acting, team, ...values }).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return pairs.length ? `?${new URLSearchParams(pairs)}` : "";
};

async function get(path, values = {}) {
  const body = await request(`/_sandbox/${path}${query(values)}`);
  if (body.ok === false) throw new Error(body.error || `${path} was refused`);
  return body;
}

const post = (path, body) => request(`/_sandbox/${path}`, { method: "POST", body: JSON.stringify(body) });
const id = encodeURIComponent;

export const api = {
  bootstrap: () => get("bootstrap"),
  messages: (channel, before, limit = 100) => get(`channels/${id(channel)}/messages`, { before, limit }),
  thread: (channel, ts) => get(`channels/${id(channel)}/thread`, { ts }),
  details: (channel) => get(`channels/${id(channel)}/details`),
  views: () => get("views"),
  act: (what, values = {}) => post("act", { as: acting, ...(team ? { team } : {}), do: what, ...values }),
  advance: (seconds) => post("clock", { advance: seconds }),
  journal: (after) => get("journal", { after }),
  faults: () => get("faults"),
  addFault: (fault) => post("faults", fault),
  removeFault: (number) => request(`/_sandbox/faults?id=${id(number)}`, { method: "DELETE" }),
  clearFaults: () => request("/_sandbox/faults", { method: "DELETE" }),
  sockets: (what) => post("sockets", { do: what }),
  setSwitch: (which, value) => post("switches", { id: which, value }),
};

/**
 * Follow changes. `onChange(change)` for each; `onState("live"|"lost"|"again")`: "again" means some may have been missed.
 * Resolves when the stream is open, or cannot be opened: what is asked for from then on misses nothing.
 */
export function follow(onChange, onState) {
  let source, lost = false, timer = null, opened;
  const ready = new Promise((settle) => { opened = settle; });
  const open = () => {
    source = new EventSource(`/_sandbox/stream${query({})}`);
    const take = (event) => {
      let change = null;
      try { change = JSON.parse(event.data); } catch { return; }
      if (change && change.type) onChange(change);
    };
    source.addEventListener("change", take);
    source.addEventListener("message", take);
    source.onopen = () => { opened(); onState(lost ? "again" : "live"); lost = false; };
    source.onerror = () => {
      opened();
      if (!lost) onState("lost");
      lost = true;
      // The browser gives up for good after some answers (a 502 of a restarting server): try again ourselves.
      if (source.readyState === EventSource.CLOSED) { clearTimeout(timer); timer = setTimeout(open, 1500); }
    };
  };
  open();
  return ready;
}
