// A live view of a model's graph. Python's half: kernelmodel/notebook/graph/view.py.
import type { Model } from "./graph_protocol";
import { GraphView } from "./graph_view";
import { openPlaces } from "./places";

export default {
  initialize({ model }: { model: Model }): () => void {
    return openPlaces(model, String(model.get("_key")), () => new GraphView(model));
  },
  render({ model, el }: { model: Model; el: HTMLElement }): () => void {
    const view = new GraphView(model);
    el.append(view.element);
    return () => view.close();
  },
};
