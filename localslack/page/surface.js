// What people have put into the controls of one surface (a message, a form, the app's home), as Slack's state.values.
// Slack's clients keep what is in a control while its block_id and action_id stay the same, also across an update;
// `initial_*` counts only for a control never seen before.

const KEEP = new Map();

const INITIAL = {
  plain_text_input: (one) => ({ value: one.initial_value ?? null }),
  email_text_input: (one) => ({ value: one.initial_value ?? null }),
  url_text_input: (one) => ({ value: one.initial_value ?? null }),
  number_input: (one) => ({ value: one.initial_value ?? null }),
  rich_text_input: (one) => ({ rich_text_value: one.initial_value ?? null }),
  checkboxes: (one) => ({ selected_options: one.initial_options ?? [] }),
  radio_buttons: (one) => ({ selected_option: one.initial_option ?? null }),
  static_select: (one) => ({ selected_option: one.initial_option ?? null }),
  external_select: (one) => ({ selected_option: one.initial_option ?? null }),
  multi_static_select: (one) => ({ selected_options: one.initial_options ?? [] }),
  multi_external_select: (one) => ({ selected_options: one.initial_options ?? [] }),
  users_select: (one) => ({ selected_user: one.initial_user ?? null }),
  multi_users_select: (one) => ({ selected_users: one.initial_users ?? [] }),
  conversations_select: (one, here) => ({ selected_conversation: one.initial_conversation ?? (one.default_to_current_conversation ? here : null) ?? null }),
  multi_conversations_select: (one) => ({ selected_conversations: one.initial_conversations ?? [] }),
  channels_select: (one) => ({ selected_channel: one.initial_channel ?? null }),
  multi_channels_select: (one) => ({ selected_channels: one.initial_channels ?? [] }),
  datepicker: (one) => ({ selected_date: one.initial_date ?? null }),
  timepicker: (one) => ({ selected_time: one.initial_time ?? null }),
  datetimepicker: (one) => ({ selected_date_time: one.initial_date_time ?? null }),
  file_input: () => ({ files: [] }),
};

export const holdsState = (element) => Object.hasOwn(INITIAL, element?.type ?? "");

/** All elements of a block that a person can use, whatever place they stand in. */
export const elementsOf = (block) => [
  ...(block.element ? [block.element] : []),
  ...(block.accessory ? [block.accessory] : []),
  ...(block.type === "actions" || block.type === "context_actions" ? block.elements ?? [] : []),
];

export class Surface {
  /** where: {view_id} or {channel, ts}; what is sent with every act. */
  constructor(where) {
    this.where = where;
    this.values = new Map();
    this.told = new Map();
    this.errors = {};
  }

  static of(key, where) {
    if (!KEEP.has(key)) KEEP.set(key, new Surface(where));
    return KEEP.get(key);
  }

  /** Take what the server already knows this person entered, for controls not touched here yet. */
  seed(values) {
    for (const [blockId, actions] of Object.entries(values ?? {})) {
      for (const [actionId, state] of Object.entries(actions ?? {})) {
        const key = `${blockId}\n${actionId}`;
        if (state?.type && !this.values.has(key)) { this.values.set(key, state); this.told.set(key, state); }
      }
    }
    return this;
  }

  static forget(key) { KEEP.delete(key); }

  blockId(block, at) { return block.block_id ?? `block-${at}`; }

  get(blockId, element) {
    const key = `${blockId}\n${element.action_id}`;
    const known = this.values.get(key);
    if (known && known.type === element.type) return known;
    const state = { type: element.type, ...INITIAL[element.type]?.(element, this.where.channel ?? this.where.from ?? null) };
    this.values.set(key, state);
    return state;
  }

  set(blockId, element, change) {
    const state = { ...this.get(blockId, element), ...change };
    this.values.set(`${blockId}\n${element.action_id}`, state);
    return state;
  }

  /** The state of a control changed since it was last handed over, once; else null. */
  touched(blockId, element) {
    const key = `${blockId}\n${element.action_id}`, state = this.values.get(key);
    if (!state || this.told.get(key) === state) return null;
    this.told.set(key, state);
    return state;
  }

  /** state.values for the blocks shown now. */
  state(blocks) {
    const values = {};
    (blocks ?? []).forEach((block, at) => {
      for (const element of elementsOf(block)) {
        if (!holdsState(element)) continue;
        const blockId = this.blockId(block, at);
        (values[blockId] ??= {})[element.action_id] = this.get(blockId, element);
      }
    });
    return values;
  }
}
