// The emoji names chat uses most. An unknown name stays readable as :name:.

const NAMES = `+1 👍 thumbsup 👍 -1 👎 thumbsdown 👎 eyes 👀 pushpin 📌 round_pushpin 📍 white_check_mark ✅ heavy_check_mark ✔️ x ❌ no_entry ⛔
no_entry_sign 🚫 warning ⚠️ rotating_light 🚨 fire 🔥 fire_engine 🚒 fire_extinguisher 🧯 tada 🎉 pray 🙏 clap 👏 raised_hands 🙌 wave 👋 raised_hand ✋ hand ✋
ok_hand 👌 muscle 💪 point_right 👉 point_up ☝️ heart ❤️ green_heart 💚 blue_heart 💙 broken_heart 💔 smile 😄 smiley 😃 grinning 😀 slightly_smiling_face 🙂
joy 😂 wink 😉 blush 😊 thinking_face 🤔 neutral_face 😐 confused 😕 worried 😟 cry 😢 sob 😭 scream 😱 sweat_smile 😅 sleeping 😴 zzz 💤 face_with_rolling_eyes 🙄
robot_face 🤖 ghost 👻 skull 💀 rocket 🚀 ship 🚢 anchor ⚓ construction 🚧 hammer 🔨 wrench 🔧 hammer_and_wrench 🛠️ gear ⚙️ bug 🐛 bulb 💡 mag 🔍 mag_right 🔎
lock 🔒 unlock 🔓 key 🔑 closed_lock_with_key 🔐 shield 🛡️ bell 🔔 no_bell 🔕 loudspeaker 📢 mega 📣 speech_balloon 💬 thought_balloon 💭 memo 📝 pencil 📝 pencil2 ✏️
page_facing_up 📄 clipboard 📋 bookmark 🔖 bookmark_tabs 📑 book 📖 books 📚 open_book 📖 ledger 📒 calendar 📅 date 📅 spiral_calendar_pad 🗓️ clock1 🕐 clock3 🕒 alarm_clock ⏰
stopwatch ⏱️ timer_clock ⏲️ hourglass ⌛ hourglass_flowing_sand ⏳ watch ⌚ chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 bar_chart 📊 money_with_wings 💸
moneybag 💰 dollar 💵 credit_card 💳 bank 🏦 receipt 🧾 satellite 🛰️ satellite_antenna 📡 electric_plug 🔌 battery 🔋 computer 💻 desktop_computer 🖥️ iphone 📱 telephone_receiver 📞
phone ☎️ pager 📟 email 📧 incoming_envelope 📨 inbox_tray 📥 outbox_tray 📤 package 📦 link 🔗 paperclip 📎 scissors ✂️ wastebasket 🗑️ file_folder 📁 open_file_folder 📂 file_cabinet 🗄️
globe_with_meridians 🌐 earth_africa 🌍 earth_americas 🌎 cloud ☁️ sunny ☀️ umbrella ☂️ zap ⚡ snowflake ❄️ star ⭐ star2 🌟 sparkles ✨ dizzy 💫 boom 💥 100 💯
red_circle 🔴 large_blue_circle 🔵 large_orange_circle 🟠 large_yellow_circle 🟡 large_green_circle 🟢 white_circle ⚪ black_circle ⚫ large_red_square 🟥 large_orange_square 🟧
large_yellow_square 🟨 large_green_square 🟩 small_red_triangle 🔺 small_blue_diamond 🔹 arrow_right ➡️ arrow_left ⬅️ arrow_up ⬆️ arrow_down ⬇️ arrows_counterclockwise 🔄 repeat 🔁
double_vertical_bar ⏸️ pause_button ⏸️ arrow_forward ▶️ black_square_for_stop ⏹️ fast_forward ⏩ heavy_plus_sign ➕ heavy_minus_sign ➖ question ❓ grey_question ❔ exclamation ❗ bangbang ‼️
information_source ℹ️ ok 🆗 sos 🆘 new 🆕 one 1️⃣ two 2️⃣ three 3️⃣ four 4️⃣ five 5️⃣ keycap_ten 🔟 checkered_flag 🏁 triangular_flag_on_post 🚩 white_flag 🏳️ label 🏷️ ticket 🎫 trophy 🏆
first_place_medal 🥇 medal 🏅 dart 🎯 coffee ☕ tea 🍵 pizza 🍕 cake 🍰 beers 🍻 turtle 🐢 snail 🐌 owl 🦉 bee 🐝 cat 🐱 dog 🐶 male-detective 🕵️ technologist 🧑‍💻 firefighter 🧑‍🚒
woman 👩 man 👨 busts_in_silhouette 👥 bust_in_silhouette 👤 handshake 🤝 writing_hand ✍️ seedling 🌱 evergreen_tree 🌲 stop_sign 🛑 octagonal_sign 🛑 vertical_traffic_light 🚦
traffic_light 🚥 ambulance 🚑 police_car 🚓 hospital 🏥 pill 💊 test_tube 🧪 microscope 🔬 telescope 🔭 crystal_ball 🔮 ear 👂 brain 🧠 see_no_evil 🙈 speak_no_evil 🙊 shrug 🤷 facepalm 🤦 hugging_face 🤗 saluting_face 🫡`;

const words = NAMES.split(/\s+/);
const TABLE = new Map();
for (let at = 0; at + 1 < words.length; at += 2) TABLE.set(words[at], words[at + 1]);

export const FREQUENT = ["+1", "eyes", "pushpin", "white_check_mark", "pray", "fire", "tada", "thinking_face"];
export const allEmojiNames = () => [...TABLE.keys()];
/** Each once, by the first of its names. */
export const emojiNames = () => [...new Map([...TABLE].reverse().map(([name, sign]) => [sign, name])).values()].reverse();

const bare = (name) => String(name).split("::")[0];
export const emoji = (name) => TABLE.get(bare(name)) ?? null;

/** Text with `:name:` replaced where the name is known. */
export const withEmoji = (text) => String(text).replace(/:([a-z0-9_+\-']{1,60})(?:::skin-tone-\d)?:/g, (whole, name) => TABLE.get(name) ?? whole);
