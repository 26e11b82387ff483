// What the page knows. Views subscribe to topics; one flush per microtask, however many changes came.

const PLACEHOLDER_USER = { real_name: "Unknown", name: "unknown", title: "", is_bot: false, color: "" };

export class Workspace {
  world = { team: {}, bot: {}, users: [], channels: [] };
  me = null;
  channelId = null;
  threadTs = null;
  connected = true;
  modal = null;
  home = null;
  isAtHome = false;
  pressed = new Set();
  unread = new Map();
  statuses = new Map();
  suggestions = new Map();
  #archive = new Map();
  #order = new Map();
  #asides = new Map();
  #subscribers = [];
  #changed = new Set();

  /** Calls `view` after a change of any of the topics: world, me, place, messages, modal, home, unread, status, stream. */
  subscribe(topics, view) {
    this.#subscribers.push({ topics, view });
  }

  emit(topic) {
    if (this.#changed.size === 0) queueMicrotask(() => this.#flush());
    this.#changed.add(topic);
  }

  #flush() {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const { topics, view } of this.#subscribers) if (topics.some((topic) => changed.has(topic))) view();
  }

  user(id) {
    return this.world.users.find((user) => user.id === id) ?? { ...PLACEHOLDER_USER, id };
  }

  author(message) {
    if (message.user) return this.user(message.user);
    return {
      ...PLACEHOLDER_USER,
      real_name: message.username ?? this.world.bot.name ?? "App",
      is_bot: Boolean(message.bot_id),
    };
  }

  userName(id) {
    const user = this.user(id);
    return user.real_name || user.name;
  }

  channel(id) {
    return this.world.channels.find((channel) => channel.id === id);
  }

  /** Whether a conversation is the direct message with the app. */
  isTalk(id) {
    const channel = this.channel(id);
    return channel?.kind === "im" && channel.members.includes(this.bot.id);
  }

  get bot() {
    return this.user(this.world.bot.user_id);
  }

  /** Channels that the acting person may open: their own, and every public one unless they are a guest. */
  get visibleChannels() {
    const isGuest = this.user(this.me).is_guest;
    return this.world.channels.filter(
      (channel) => channel.members.includes(this.me) || (channel.kind === "public" && !isGuest),
    );
  }

  directWith(userId) {
    return this.visibleChannels.find((channel) => channel.kind === "im" && channel.members.includes(userId));
  }

  channelName(id) {
    const channel = this.channel(id);
    if (!channel) return id;
    if (channel.kind === "public" || channel.kind === "private") return channel.name;
    const others = channel.members.filter((member) => member !== this.me);
    return (others.length ? others : channel.members).map((member) => this.userName(member)).join(", ");
  }

  /** All messages of a channel in the order of their ts, replies among them. */
  messages(channelId) {
    return this.#ordered(channelId).all;
  }

  message(channelId, ts) {
    return this.#archive.get(channelId)?.get(ts);
  }

  replies(channelId, rootTs) {
    return this.#ordered(channelId).threads.get(rootTs) ?? [];
  }

  /** Order and threads of a channel, kept until it changes: a list of 1,000 messages asks 1,000 times. */
  #ordered(channelId) {
    if (!this.#order.has(channelId)) {
      const all = [...(this.#archive.get(channelId)?.values() ?? [])].sort(
        (one, other) => Number(one.ts) - Number(other.ts),
      );
      const threads = Map.groupBy(
        all.filter((message) => message.thread_ts && message.thread_ts !== message.ts),
        (reply) => reply.thread_ts,
      );
      this.#order.set(channelId, { all, threads });
    }
    return this.#order.get(channelId);
  }

  #messagesChanged(channelId) {
    this.#order.delete(channelId);
    this.emit("messages");
  }

  /** Messages that only the acting person was shown, in one channel. */
  asides(channelId) {
    return this.#asides.get(channelId) ?? [];
  }

  replaceMessages(channelId, messages) {
    this.#archive.set(channelId, new Map(messages.map((message) => [message.ts, message])));
    this.#messagesChanged(channelId);
  }

  putMessage(channelId, message) {
    if (!this.#archive.has(channelId)) return;
    this.#archive.get(channelId).set(message.ts, message);
    this.#messagesChanged(channelId);
  }

  dropMessage(channelId, ts) {
    this.#archive.get(channelId)?.delete(ts);
    this.#messagesChanged(channelId);
  }

  replaceAsides(asides) {
    this.#asides = Map.groupBy(asides, (aside) => aside.channel);
    this.emit("messages");
  }

  /** What the app has published for the acting person, or null. */
  showHome(view) {
    this.home = view;
    this.emit("home");
  }

  /** Whether the Home tab stands in place of the messages. */
  goHome(isAtHome) {
    this.isAtHome = isAtHome;
    this.emit("home");
  }

  /** The modal that stands before the acting person, or null. */
  showModal(view) {
    this.modal = view;
    this.emit("modal");
  }

  setStatus(channelId, threadTs, text) {
    const key = `${channelId}/${threadTs ?? ""}`;
    if ((this.statuses.get(key) ?? "") === text) return;
    if (text) this.statuses.set(key, text);
    else this.statuses.delete(key);
    this.emit("status");
  }

  status(channelId, threadTs) {
    return this.statuses.get(`${channelId}/${threadTs ?? ""}`) ?? "";
  }

  forgetStatuses() {
    this.statuses.clear();
    this.emit("status");
  }

  /** The questions that the app offers in a direct message with it. */
  suggest(channelId, questions) {
    this.suggestions.set(channelId, questions);
    this.emit("status");
  }

  markUnread(channelId, mentioned) {
    const before = this.unread.get(channelId) ?? { mentions: 0 };
    this.unread.set(channelId, { mentions: before.mentions + (mentioned ? 1 : 0) });
    this.emit("unread");
  }

  markRead(channelId) {
    if (this.unread.delete(channelId)) this.emit("unread");
  }

  /** Forgets everything that belonged to the person acted as before. */
  forgetPerson() {
    this.#archive.clear();
    this.#order.clear();
    this.#asides.clear();
    this.unread.clear();
    this.pressed.clear();
    this.showModal(null);
    this.forgetStatuses();
    this.emit("messages");
    this.emit("unread");
  }
}
