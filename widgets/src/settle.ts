// A still picture in place of the widget in the notebook, put there by the page itself.
import type { Bundle, Model } from "./protocol";

const WIDGET = "application/vnd.jupyter.widget-view+json";

interface Output {
  data: Record<string, unknown>;
  setData(options: { data: Record<string, unknown> }): void;
}

interface List<T> {
  length: number;
  get(index: number): T;
}

/**
 * Puts a still picture in the place of the widget in the notebook itself, for when the kernel cannot: it is gone, or the
 * page was reloaded since, which makes front ends forget which output is meant. Does nothing where the notebook isn't known.
 */
export function settle(model: Model, bundle: Bundle): void {
  const context = model.widget_manager?.context as { model?: { cells?: List<{ outputs?: List<Output> }> } } | undefined;
  const cells = context?.model?.cells;
  for (let i = 0; i < (cells?.length ?? 0); i++) {
    const outputs = cells!.get(i).outputs;
    for (let j = 0; j < (outputs?.length ?? 0); j++) {
      const output = outputs!.get(j);
      const view = output.data[WIDGET] as { model_id?: string } | undefined;
      if (view?.model_id === model.get("_id")) output.setData({ data: bundle });
    }
  }
}
