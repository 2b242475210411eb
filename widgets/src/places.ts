// A live view over each still picture of it on the page. Python's half: kernelmodel/notebook/place.py.

const LOOK_MS = 50;

export interface View {
  readonly element: HTMLElement;
  close(): void;
}

/** What anywidget's model tells about its connection to the kernel. */
export interface Connection {
  on(event: string, callback: () => void): void;
}

/** Opens a view in all places of the page that carry a key, also in those that come later. */
export class Places {
  private readonly views = new Map<HTMLElement, View>();
  private readonly watching: MutationObserver;
  private planned = 0;

  constructor(private readonly key: string, private readonly open: () => View) {
    this.watching = new MutationObserver(() => this.plan());
    this.watching.observe(document.body, { childList: true, subtree: true });
    this.look();
  }

  /** Ends all views; their pictures come back. */
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
    for (const place of document.querySelectorAll<HTMLElement>(`[data-km-place="${this.key}"]`)) {
      if (this.views.has(place)) continue;
      const view = this.open();
      hideStill(place, true);
      place.append(view.element);
      this.views.set(place, view);
    }
  }
}

function hideStill(place: HTMLElement, hidden: boolean): void {
  for (const child of place.children) (child as HTMLElement).hidden = hidden;
}

function leave(place: HTMLElement, view: View): void {
  view.close();
  view.element.remove();
  hideStill(place, false);
}

/** Keeps views open while the model is connected; returns the function that ends them. */
export function openPlaces(model: Connection, key: string, open: () => View): () => void {
  const places = new Places(key, open);
  const gone = () => places.close();
  // After the start, the last of these only tells that the kernel is gone.
  for (const end of ["destroy", "comm:close", "comm_live_update"]) model.on(end, gone);
  return gone;
}
