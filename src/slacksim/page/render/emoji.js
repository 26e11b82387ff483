// A small common set; other shortcodes stay as they were typed.

const EMOJI = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", eyes: "👀", wave: "👋", tada: "🎉", heart: "❤️", fire: "🔥", pray: "🙏",
  clap: "👏", raised_hands: "🙌", ok_hand: "👌", muscle: "💪", point_right: "👉", point_up: "☝️", smile: "😄", smiley: "😃", grin: "😁",
  slightly_smiling_face: "🙂", joy: "😂", sweat_smile: "😅", wink: "😉", blush: "😊", thinking_face: "🤔", thinking: "🤔", cry: "😢",
  sob: "😭", confused: "😕", open_mouth: "😮", sunglasses: "😎", rocket: "🚀", sparkles: "✨", star: "⭐", zap: "⚡", bulb: "💡",
  books: "📚", book: "📖", memo: "📝", page_facing_up: "📄", paperclip: "📎", link: "🔗", lock: "🔒", unlock: "🔓", key: "🔑",
  mag: "🔍", hammer: "🔨", wrench: "🔧", gear: "⚙️", bug: "🐛", robot_face: "🤖", package: "📦", calendar: "📅", clock1: "🕐",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱️", bell: "🔔", mega: "📣", speech_balloon: "💬", question: "❓",
  exclamation: "❗", warning: "⚠️", no_entry: "⛔", octagonal_sign: "🛑", x: "❌", white_check_mark: "✅", heavy_check_mark: "✔️",
  ballot_box_with_check: "☑️", red_circle: "🔴", large_green_circle: "🟢", large_blue_circle: "🔵", arrow_right: "➡️",
  chart_with_upwards_trend: "📈", bar_chart: "📊", moneybag: "💰", coffee: "☕", party_popper: "🎉", partying_face: "🥳", 100: "💯",
};

/** What the reaction picker offers. */
export const REACTIONS = ["+1", "eyes", "white_check_mark", "heart", "tada", "pray", "raised_hands", "rocket", "bulb", "thinking_face", "joy", "-1"];

export function emoji(name) {
  return EMOJI[name.split("::")[0]] ?? null;
}

export const SHORTCODE = /:([a-z0-9_+-]+(?:::[a-z0-9-]+)?):/y;
