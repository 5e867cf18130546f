// Everything here makes a page nicer; every page also works without it.
import "./gate-panel.js";
import "./class-bar.js";
import "./copy-button.js";
import "./joy.js";
import "./local-time.js";
import "./preferences.js";
import "./send-once.js";
import "./swap-errors.js";
