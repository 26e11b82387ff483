// Where the page is, as its URL, and what a permalink means.

const PERMALINK = /^\/archives\/([A-Z0-9]+)(?:\/p(\d{10})(\d{6}))?$/;

function placeOf(url) {
  const match = PERMALINK.exec(url.pathname);
  if (!match) return null;
  const ts = match[2] ? `${match[2]}.${match[3]}` : null;
  return { channel: match[1], ts, thread: url.searchParams.get("thread_ts") };
}

/** The place that a link of this workspace leads to, or null for every other link. */
export function permalinkPlace(href, teamUrl) {
  let url;
  try {
    url = new URL(href, location.origin);
  } catch {
    return null;
  }
  const hosts = [location.host];
  if (URL.canParse(teamUrl ?? "")) hosts.push(new URL(teamUrl).host);
  return hosts.includes(url.host) ? placeOf(url) : null;
}

/** What the address bar asks for: `?user=&channel=&thread=` or the path of a permalink. */
export function readAddress() {
  const url = new URL(location.href);
  const place = placeOf(url);
  return {
    user: url.searchParams.get("user"),
    channel: place?.channel ?? url.searchParams.get("channel"),
    thread: place?.thread ?? url.searchParams.get("thread"),
    ts: place?.ts ?? null,
  };
}

/** Writes the place into the address bar; a new channel or thread is a step for the Back button. */
export function writeAddress({ user, channel, thread }) {
  const query = new URLSearchParams({ user, channel });
  if (thread) query.set("thread", thread);
  const target = `/?${query}`;
  if (target === location.pathname + location.search) return;
  const moved = readAddress().channel !== channel || readAddress().thread !== (thread ?? null);
  history[moved && location.search ? "pushState" : "replaceState"](null, "", target);
}
