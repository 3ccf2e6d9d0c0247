import "@fontsource-variable/inter/index.css";
import "@fontsource-variable/jetbrains-mono/index.css";
import { mount } from "svelte";
import App from "./App.svelte";
import "./generated/palette.css";
import { recallAppearance } from "./lib/appearance.ts";
import "./styles/tokens.css";
import "./styles/base.css";

// Before anything is drawn.
recallAppearance();

const target = document.getElementById("app");
if (target) mount(App, { target });
