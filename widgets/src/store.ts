// What the browser knows of a run. One store a model, shared by all views of it.
import type { Bundle, Curves, FromKernel, Kept, Kind, Progress, Wire } from "./protocol";

export const CAPACITY = 400;
const OPEN = new Set(["running", "paused", "stopping"]);

/** A curve of bounded size: thinned to every 2nd, 4th... point as it grows; its newest point is always kept. */
export class Series {
  x: number[] = [];
  y: number[] = [];
  private stride = 1;
  private seen = 0;
  private tailIsExtra = false;

  constructor(private readonly capacity = CAPACITY) {}

  push(x: number, y: number): void {
    if (this.tailIsExtra) {
      this.x.pop();
      this.y.pop();
    }
    this.x.push(x);
    this.y.push(y);
    this.tailIsExtra = this.seen % this.stride !== 0;
    this.seen += 1;
    if (this.x.length > this.capacity) this.thin();
  }

  private thin(): void {
    const x = this.x[this.x.length - 1]!;
    const y = this.y[this.y.length - 1]!;
    this.x = this.x.filter((_, i) => i % 2 === 0);
    this.y = this.y.filter((_, i) => i % 2 === 0);
    this.stride *= 2;
    this.tailIsExtra = this.x[this.x.length - 1] !== x;
    if (this.tailIsExtra) {
      this.x.push(x);
      this.y.push(y);
    }
  }
}

export type MetricCurves = Partial<Record<Kind, Series>>;

/** Takes messages in the order they come; a snapshot replaces all that came before it. */
export class RunStore {
  curves = new Map<string, MetricCurves>();
  progress: Progress | null = null;
  /** performance.now() when the progress arrived: between two messages, the clock goes on here. */
  arrived = 0;
  heard = new Set<string>();
  /** Curves of the model's earlier runs, by metric. */
  earlier = new Map<string, MetricCurves[]>();
  kept: Kept | null = null;
  /** What the notebook should hold if the kernel dies now. */
  still: Bundle | null = null;
  /** Whether the kernel is gone. */
  lost = false;
  /** How all views show the curves. */
  look = { smoothing: 0, log: false };
  /** That a wish got no answer, or "". */
  complaint = "";
  private listeners = new Set<() => void>();

  /** Calls `listener` after each change, until the returned function is called. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  receive(message: FromKernel, now = performance.now()): void {
    if (message.type === "heard") {
      this.heard.add(message.control);
      this.complaint = "";
    } else if (message.type === "still") {
      this.still = message.bundle;
    } else {
      if (message.type === "snapshot") {
        this.curves.clear();
        this.setEarlier(message.earlier ?? []);
      }
      this.add(message.curves);
      this.progress = message.progress;
      this.arrived = now;
      this.kept = message.kept ?? null;
    }
    this.tell();
  }

  show(look: Partial<RunStore["look"]>): void {
    this.look = { ...this.look, ...look };
    this.tell();
  }

  /** Whether the training has not ended. */
  isOpen(): boolean {
    return this.progress !== null && OPEN.has(this.progress.status);
  }

  complain(text: string): void {
    this.complaint = text;
    this.tell();
  }

  lose(): void {
    this.lost = true;
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  private setEarlier(runs: Curves[]): void {
    this.earlier.clear();
    for (const run of runs) {
      for (const [metric, kinds] of Object.entries(run)) {
        const curves: MetricCurves = {};
        for (const [kind, points] of Object.entries(kinds) as [Kind, [Wire[], Wire[]]][]) curves[kind] = filled(points);
        this.earlier.set(metric, [...(this.earlier.get(metric) ?? []), curves]);
      }
    }
  }

  private add(curves: Curves): void {
    for (const [metric, kinds] of Object.entries(curves)) {
      const known = this.curves.get(metric) ?? {};
      this.curves.set(metric, known);
      for (const [kind, points] of Object.entries(kinds) as [Kind, [Wire[], Wire[]]][]) {
        const series = (known[kind] ??= new Series());
        points[0].forEach((x, i) => series.push(Number(x), Number(points[1][i])));
      }
    }
  }
}

function filled([x, y]: [Wire[], Wire[]]): Series {
  const series = new Series();
  x.forEach((value, i) => series.push(Number(value), Number(y[i])));
  return series;
}
