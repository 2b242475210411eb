// The widget of the live panel. Python's half: kernelmodel/notebook/panel_view.py.
import { Link } from "./link";
import { Panel } from "./panel";
import { Places } from "./places";
import type { Model } from "./protocol";
import { settle } from "./settle";
import { RunStore } from "./store";

const SETTLED_WITHIN_MS = 1500;

/** anywidget calls this once a model: however many views are open, the history is kept, and asked for, once. */
export default () => {
  const store = new RunStore();
  let link: Link;
  const open = (model: Model, element: HTMLElement) => {
    const panel = new Panel(String(model.get("_title")), link, store, element);
    return () => panel.close();
  };
  return {
    initialize({ model }: { model: Model }): () => void {
      link = new Link(model, store);
      let leave = () => {};
      const place = () => {
        leave();
        const key = String(model.get("_place"));
        if (!key) return;
        const places = new Places(key, () => {
          const element = document.createElement("div");
          return { element, close: open(model, element) };
        });
        leave = () => places.close();
        window.setTimeout(() => store.still && settle(model, store.still), SETTLED_WITHIN_MS);
      };
      model.on("change:_place", place);
      place();
      store.listen(() => {
        if (!store.lost) return;
        leave();
        if (store.isOpen() && store.still) settle(model, store.still);
      });
      return () => leave();
    },
    render({ model, el }: { model: Model; el: HTMLElement }): () => void {
      return open(model, el);
    },
  };
};
