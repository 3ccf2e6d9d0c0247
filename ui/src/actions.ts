import type { Action } from "./lib/actions.ts";
import { openSample, pickAndOpen } from "./lib/open.ts";
import { go } from "./lib/route.svelte.ts";
import { canUndo, undo } from "./lib/undo.svelte.ts";
import type { PlaceEntry } from "./places.ts";

/** What the frame can do. */
export interface Frame {
  places: readonly PlaceEntry[];
  open: (id: string) => void;
  palette: () => void;
  help: () => void;
  messages: () => void;
  sidebar: () => void;
  theme: () => void;
  density: () => void;
}

/** The actions that are there in every view. */
export function frameActions(frame: Frame): Action[] {
  return [
    ...frame.places.map((place) => ({
      id: `go.${place.id}`,
      title: `Go to ${place.title}`,
      group: "Go",
      keys: place.keys,
      run: () => frame.open(place.id),
    })),
    {
      id: "go.doctor",
      title: "Go to Doctor",
      group: "Go",
      keys: ["g d"],
      run: () => go("#/connect?tab=doctor"),
    },
    {
      id: "palette",
      title: "Command palette",
      group: "App",
      keys: ["Ctrl+K"],
      quiet: true,
      run: frame.palette,
    },
    { id: "help", title: "Keyboard shortcuts", group: "App", keys: ["?"], run: frame.help },
    { id: "open", title: "Open files…", group: "App", keys: ["Ctrl+O"], run: () => void pickAndOpen() },
    { id: "sample", title: "Open the sample", group: "App", keys: [], run: () => void openSample() },
    { id: "sidebar", title: "Show or hide the sidebar", group: "App", keys: ["Ctrl+B"], run: frame.sidebar },
    { id: "theme", title: "Switch between light and dark", group: "App", keys: [], run: frame.theme },
    {
      id: "density",
      title: "Switch between dense and comfortable rows",
      group: "App",
      keys: [],
      run: frame.density,
    },
    { id: "messages", title: "Show messages", group: "App", keys: [], run: frame.messages },
    { id: "undo", title: "Undo", group: "App", keys: ["Ctrl+Z"], when: canUndo, run: undo },
    {
      id: "back",
      title: "Back",
      group: "Go",
      keys: ["Alt+ArrowLeft"],
      quiet: true,
      run: () => history.back(),
    },
  ];
}
