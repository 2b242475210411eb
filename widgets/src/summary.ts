// A live view of a model's summary. Python's half: kernelmodel/notebook/summary/view.py.
import { openPlaces } from "./places";
import type { Model } from "./summary_protocol";
import { SummaryStore, SummaryView } from "./summary_view";

/** anywidget calls this once a model: however many views are open, they share what is expanded. */
export default () => ({
  initialize({ model }: { model: Model }): () => void {
    const store = new SummaryStore(model);
    return openPlaces(model, model.get("_key"), () => new SummaryView(model, store));
  },
});
