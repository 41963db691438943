// What every page has.
import "./theme_switch.js";
import "./forms.js";
import "./menu.js";
