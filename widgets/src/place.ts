// Where a panel is when its training has ended: over the still picture that the notebook holds.
import type { Bundle, Model } from "./protocol";

const WIDGET = "application/vnd.jupyter.widget-view+json";

/**
 * Shows something in place of every picture with a mark, wherever and whenever such a picture is in the page: front ends
 * draw outputs anew as they like. Where it is not in the page, as in front ends with a frame for each output, nothing happens.
 *
 * @param open shows it in an element, and returns how to close it.
 * @returns how to take everything away again, so that the pictures are back.
 */
export function inPlaceOf(mark: string, open: (element: HTMLElement) => () => void): () => void {
  const shown = new Map<HTMLElement, () => void>();
  const pictures = document.getElementsByClassName(mark) as HTMLCollectionOf<HTMLElement>;
  const look = () => {
    for (const [picture, close] of shown) {
      if (picture.isConnected) continue;
      shown.delete(picture);
      close();
    }
    for (const picture of Array.from(pictures)) {
      if (shown.has(picture) || picture.hidden) continue;
      const element = document.createElement("div");
      picture.hidden = true;
      picture.style.display = "none";
      picture.after(element);
      const close = open(element);
      shown.set(picture, () => {
        close();
        element.remove();
        picture.hidden = false;
        picture.style.display = "";
      });
    }
  };
  const observer = new MutationObserver(look);
  observer.observe(document.body, { childList: true, subtree: true });
  look();
  return () => {
    observer.disconnect();
    for (const close of shown.values()) close();
    shown.clear();
  };
}

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
