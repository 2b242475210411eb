// The plots of all metrics, their legend, and how they are shown: smoothed, on a logarithmic scale.
import { html } from "./dom";
import { Plot, type Place } from "./plot";
import type { Progress } from "./protocol";
import type { RunStore } from "./store";

export class Charts {
  readonly legend = legend();
  readonly grid = html("div", { class: "km-plots" });
  readonly options: HTMLElement;
  private readonly smoothing = html("input", { type: "range", min: 0, max: 0.95, step: 0.05, value: 0, class: "km-smoothing", "aria-label": "Smoothing" });
  private readonly log = html("input", { type: "checkbox", "aria-label": "Logarithmic scale" });
  private readonly plots = new Map<string, Plot>();
  private fixed: ((metric: string) => Place) | null = null;

  constructor(private readonly store: RunStore) {
    this.options = html(
      "div",
      { class: "km-options" },
      html("label", { class: "km-label", title: "Share of the last smoothed value in the next one" }, "Smooth", this.smoothing),
      html("label", { class: "km-label", title: "Logarithmic scale" }, this.log, "Log"),
    );
    this.smoothing.addEventListener("input", () => store.show({ smoothing: Number(this.smoothing.value) }));
    this.log.addEventListener("change", () => store.show({ log: this.log.checked }));
  }

  draw(): void {
    const progress = this.store.progress;
    if (!progress) return;
    const { smoothing, log } = this.store.look;
    this.smoothing.value = String(smoothing);
    this.log.checked = log;
    for (const [metric, curves] of this.store.curves) {
      this.plot(metric).draw(curves, {
        epochs: progress.epochs,
        latest: { train: latest(progress, metric), val: latest(progress, `val_${metric}`) },
        ended: !this.store.isOpen(),
        smoothing,
        log,
        best: progress.best?.epoch ?? null,
        earlier: this.store.earlier.get(metric) ?? [],
      });
    }
    const all = [...this.store.curves.values()];
    this.legend.classList.toggle("km-validated", all.some((curves) => curves.val !== undefined));
    this.legend.classList.toggle("km-has-best", progress.best !== null);
    this.legend.classList.toggle("km-has-earlier", this.store.earlier.size > 0);
  }

  /** Tells, in each plot, the values at a place; with null, the latest ones. The pointer comes first. */
  fix(place: ((metric: string) => Place) | null): void {
    this.fixed = place;
    this.point(null);
  }

  private plot(metric: string): Plot {
    let plot = this.plots.get(metric);
    if (!plot) {
      plot = new Plot(metric, (x) => this.point(x));
      plot.point(this.fixed?.(metric) ?? null);
      this.plots.set(metric, plot);
      this.grid.append(plot.element);
    }
    return plot;
  }

  private point(x: number | null): void {
    for (const [metric, plot] of this.plots) plot.point(x === null ? (this.fixed?.(metric) ?? null) : { x });
  }
}

function latest(progress: Progress, name: string): number {
  return Number(progress.latest[name] ?? NaN);
}

function legend(): HTMLElement {
  const entry = (kind: string, words: string) =>
    html("span", { class: `km-key km-key-${kind}` }, html("i", { class: `km-swatch-${kind}` }), words);
  return html(
    "div",
    { class: "km-legend" },
    entry("train", "training"),
    entry("within", "within the epoch"),
    entry("val", "validation"),
    entry("best", "best epoch"),
    entry("earlier", "earlier runs"),
  );
}
