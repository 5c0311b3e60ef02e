// Forms ("views") in a dialog: the topmost of this person's stack, with what was typed kept per view.
import { api } from "./api.js";
import { el, fill, freshId, icon, iconButton, keepingFocus } from "./dom.js";
import { renderBlocks } from "./blocks.js";
import { clientErrors, failure } from "./elements.js";
import { textNode } from "./mrkdwn.js";
import { closePopups, trapFocus } from "./popup.js";
import { Surface } from "./surface.js";
import { bot, personName, world } from "./world.js";

let box = null, shownId = null, shownView = null, opener = null, problem = "", busy = false;

export const surfaceOfView = (view) => Surface.of(`view:${view.id}`, { view_id: view.id, from: world.open.channel }).seed(view.state?.values);

export async function refreshViews() {
  const { views } = await api.views();
  showViews((views ?? []).filter((view) => view.type !== "home"));
}

/** Show the last of the stack, or nothing. */
export function showViews(views) {
  const gone = world.views.filter((view) => !views.some((one) => one.id === view.id));
  for (const view of gone) Surface.forget(`view:${view.id}`);
  world.views = views;
  const top = views.at(-1);
  if (!top) { shut(); return; }
  const another = top.id !== shownId;
  if (!another && box && JSON.stringify(top) === JSON.stringify(shownView)) return;
  if (another) { problem = ""; busy = false; }
  shownId = top.id;
  shownView = top;
  closePopups();
  open();
  draw();
  if (another) focusFirst();
}

function open() {
  if (box) return;
  opener = document.activeElement;
  box = el("dialog", { class: "modal" });
  box.addEventListener("cancel", (event) => { event.preventDefault(); leave(); });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) { event.preventDefault(); event.stopPropagation(); leave(); }
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) { event.preventDefault(); submit(); }
    // Enter in a one-line field sends the form, as Slack's does; fields that tell the app on Enter have taken it already.
    else if (event.key === "Enter" && !event.defaultPrevented && event.target.matches('input.field:not([role="combobox"])')) { event.preventDefault(); submit(); }
  });
  trapFocus(box);
  document.body.append(box);
  box.showModal();
}

function shut() {
  if (!box) return;
  closePopups();
  box.close();
  box.remove();
  box = shownId = shownView = null;
  const back = opener?.isConnected ? opener : document.getElementById("composer-text");
  back?.focus({ preventScroll: true });
}

function focusFirst() {
  const wanted = box.querySelector("[autofocus]") ?? box.querySelector('.modal-body :is(input, textarea, select, a[href], button):not([disabled])') ?? box.querySelector(".modal-foot .primary") ?? box;
  wanted.focus({ preventScroll: true });
  box.querySelector(".modal-body").scrollTop = 0;
}

function draw() {
  const view = shownView, surface = surfaceOfView(view), titleId = freshId("title"), app = bot();
  const body = box.querySelector(".modal-body"), scroll = body?.scrollTop ?? 0;
  const here = { surface, redraw: draw };
  box.setAttribute("aria-labelledby", titleId);
  const waiting = busy ? { "aria-busy": "true", disabled: true } : {};
  keepingFocus(box, () => {
    fill(box,
      el("header", { class: "modal-head" },
        world.views.length > 1 ? iconButton("back", "Back", () => leave()) : null,
        textNode(view.title, "h2", { id: titleId, class: "modal-title" }), app ? el("span", { class: "modal-app", text: personName(app.id) }) : null,
        iconButton("close", "Close", () => leave(true), { data: { key: "modal/close" } })),
      el("div", { class: "modal-body" }, problem ? el("p", { class: "banner-error", role: "alert" }, icon("warn"), problem) : null, renderBlocks(view.blocks, here)),
      el("footer", { class: "modal-foot" },
        el("button", { type: "button", class: "button", onclick: () => leave(), data: { key: "modal/cancel" } }, view.close ? textNode(view.close) : view.submit ? "Cancel" : "Close"),
        view.submit ? el("button", { type: "button", class: "button primary", onclick: submit, data: { key: "modal/submit" }, ...waiting }, textNode(view.submit)) : null));
  });
  box.querySelector(".modal-body").scrollTop = scroll;
}

function showErrors(errors) {
  const surface = surfaceOfView(shownView);
  surface.errors = errors;
  draw();
  const first = [...box.querySelectorAll(".input-block.wrong")][0];
  first?.scrollIntoView({ block: "center" });
  first?.querySelector("input, textarea, button")?.focus({ preventScroll: true });
}

async function submit() {
  if (busy || !shownView?.submit) return;
  const view = shownView, surface = surfaceOfView(view), wrong = clientErrors(view.blocks, surface);
  problem = "";
  if (Object.keys(wrong).length) { showErrors(wrong); return; }
  busy = true;
  surface.errors = {};
  draw();
  let answer;
  try { answer = await api.act("submit", { view_id: view.id, state: surface.state(view.blocks) }); } catch (error) { answer = { ok: false, error: error.message }; }
  busy = false;
  const errors = answer.errors && Object.keys(answer.errors).length ? answer.errors : null;
  if (box && shownId === view.id && (errors || answer.ok === false)) {
    const known = new Set((view.blocks ?? []).map((block, at) => surface.blockId(block, at)));
    const lost = Object.entries(errors ?? {}).filter(([blockId]) => !known.has(blockId));
    problem = errors ? lost.map(([, text]) => text).join(" ") : `${failure(answer.error)} Nothing you typed is lost; try again.`;
    showErrors(errors ?? {});
    return;
  }
  await refreshViews();
}

/** Close the top form; `all` closes the whole stack, as the cross does. */
async function leave(all = false) {
  const view = shownView;
  if (!view) return;
  // Closing the first view of a stack closes what stands on it.
  try { await api.act("close_view", { view_id: all ? world.views[0].id : view.id }); } catch { /* the stack below tells */ }
  await refreshViews().catch(() => showViews([]));
}

export const modalOpen = () => Boolean(box);
