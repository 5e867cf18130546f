// The pages of lessons need less than the others, and none of what gates need.
import "./lesson-panel.js";
import "./order-list.js";
import "./swap.js";
import "./copy-button.js";
import "./local-time.js";
import "./preferences.js";
import "./send-once.js";

// Only players of a class have one.
if (document.querySelector("class-bar")) import("./class-bar.js");
