// Slack's `ts` is seconds since 1970 with a sequence after the point.

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });

const dateOf = (ts) => new Date(Number(ts) * 1000);

export const timeOf = (ts) => time.format(dateOf(ts));
export const fullTimeOf = (ts) => full.format(dateOf(ts));
export const dayKeyOf = (ts) => dateOf(ts).toDateString();

export function dayOf(ts) {
  const date = dateOf(ts);
  const today = new Date();
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (date.toDateString() === today.toDateString()) return "Today";
  if (date.toDateString() === yesterday.toDateString()) return "Yesterday";
  return (date.getFullYear() === today.getFullYear() ? day : dayOfYear).format(date);
}

export function lastSeenOf(ts) {
  return dateOf(ts).toDateString() === new Date().toDateString() ? timeOf(ts) : `${dayOf(ts)}, ${timeOf(ts)}`;
}
