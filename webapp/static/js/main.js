// Everything here makes a page nicer; every page also works without it.
import "./gate-panel.js";
import "./copy-button.js";
import "./joy.js";
import "./local-time.js";
import "./preferences.js";
import "./send-once.js";
import "./swap-errors.js";

// Only players of a class have one.
if (document.querySelector("class-bar")) import("./class-bar.js");
