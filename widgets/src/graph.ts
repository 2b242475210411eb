// A live view of a model's graph. Python's half: kernelmodel/notebook/graph/view.py.
// The notebook holds a still picture; this lays the live view over it, wherever on the page it is.
import type { Model } from "./graph_protocol";
import { GraphView } from "./graph_view";

const LOOK_MS = 50;

/** Opens views in all places of the page that carry the model's key, also those that come later. */
class Places {
  private readonly views = new Map<HTMLElement, GraphView>();
  private readonly watching: MutationObserver;
  private planned = 0;

  constructor(private readonly model: Model) {
    this.watching = new MutationObserver(() => this.plan());
    this.watching.observe(document.body, { childList: true, subtree: true });
    this.look();
  }

  close(): void {
    this.watching.disconnect();
    window.clearTimeout(this.planned);
    for (const [place, view] of this.views) leave(place, view);
    this.views.clear();
  }

  private plan(): void {
    this.planned ||= window.setTimeout(() => this.look(), LOOK_MS);
  }

  private look(): void {
    this.planned = 0;
    for (const [place, view] of this.views) {
      if (place.isConnected && place.contains(view.element)) continue;
      leave(place, view);
      this.views.delete(place);
    }
    const places = document.querySelectorAll<HTMLElement>(`[data-km-graph="${this.model.get("_key")}"]`);
    for (const place of places) {
      if (this.views.has(place)) continue;
      const view = new GraphView(this.model);
      for (const still of place.children) (still as HTMLElement).hidden = true;
      place.append(view.element);
      this.views.set(place, view);
    }
  }
}

function leave(place: HTMLElement, view: GraphView): void {
  view.close();
  for (const still of place.children) (still as HTMLElement).hidden = false;
}

export default {
  initialize({ model }: { model: Model }): () => void {
    const places = new Places(model);
    const gone = () => places.close();
    model.on("destroy", gone);
    model.on("comm:close", gone);
    model.on("comm_live_update", gone); // after the start, this only tells that the kernel is gone
    return gone;
  },
  render({ model, el }: { model: Model; el: HTMLElement }): () => void {
    const view = new GraphView(model);
    el.append(view.element);
    return () => view.close();
  },
};
