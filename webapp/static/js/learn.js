// The pages of lessons need less than the others, and none of what gates need.
import "./lesson-panel.js";
import "./order-list.js";
import "./swap.js";
import "./class-bar.js";
import "./copy-button.js";
import "./local-time.js";
import "./preferences.js";
import "./send-once.js";
