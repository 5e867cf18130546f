// Everything here makes a page nicer; every page also works without it.
import "./prompt-panel.js";
import "./copy-button.js";
import "./local-time.js";
import "./preferences.js";
import "./swap-errors.js";
