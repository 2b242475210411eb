// One small plot of one metric: training against validation, values under the pointer.
import { html, say, svg } from "./dom";
import { bounds, niceTicks, short, steady } from "./format";
import type { Kind } from "./protocol";
import { anyPositive, logTicks, smoothed } from "./smoothing";
import type { MetricCurves, Series } from "./store";

const WIDTH = 300;
const HEIGHT = 148;
const LEFT = 46;
const RIGHT = 10;
const TOP = 6;
const BOTTOM = 24;
const MOST_MARKS = 30;
const NEAR = 12; // so near to an epoch's end, in pixels, its values are told
const KINDS: Kind[] = ["within", "train", "val"];
const DOT = "m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0";
const GEM = "m0 -4l4 4l-4 4l-4 -4z";
const RING = "m-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0";

export interface Look {
  /** Where the x axis ends, so that the picture fills up rather than shrinks; null if nobody knows. */
  epochs: number | null;
  /** Whether the training has ended: then the axis ends where it did. */
  ended: boolean;
  latest: { train: number; val: number };
  /** Share of the last smoothed value in the next one; 0 for none. */
  smoothing: number;
  log: boolean;
  best: number | null;
  earlier: MetricCurves[];
}

/** Values to be told in place of the latest: those at x, given or looked up in the curves. */
export interface Place {
  x: number;
  values?: { train: number; val: number };
}

interface Line {
  x: number[];
  y: number[];
}

export class Plot {
  readonly element: HTMLElement;
  private readonly values = { train: html("b", { class: "km-train-word" }), val: html("b", { class: "km-val-word" }) };
  private readonly where = svg("text", { class: "km-at", y: TOP + 10 });
  private readonly picture: SVGSVGElement;
  private readonly axes = svg("g");
  private readonly earlier = { train: svg("path", { class: "km-earlier" }), val: svg("path", { class: "km-earlier km-earlier-val" }) };
  private readonly raw = { train: svg("path", { class: "km-raw km-train" }), val: svg("path", { class: "km-raw km-val" }) };
  private readonly paths: Record<Kind, SVGPathElement>;
  private readonly marks = { train: svg("path", { class: "km-dot" }), val: svg("path", { class: "km-gem" }) };
  private readonly ring = svg("path", { class: "km-best" });
  private readonly cursor = svg("path", { class: "km-cursor" });
  private curves: MetricCurves = {};
  private latest = { train: NaN, val: NaN };
  private x: [number, number] = [0, 1];
  private y: [number, number] = [0, 1];
  private log = false;
  private place: Place | null = null;
  private axesKey = "";

  /**
   * @param onPoint told where the pointer is, in epochs, or null when it has left.
   */
  constructor(
    readonly metric: string,
    onPoint: (x: number | null) => void,
  ) {
    this.paths = {
      within: svg("path", { class: "km-within" }),
      train: svg("path", { class: "km-train" }),
      val: svg("path", { class: "km-val" }),
    };
    this.picture = svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Curve of ${metric}` },
      this.axes,
      ...[this.earlier.train, this.earlier.val, this.raw.train, this.raw.val],
      ...KINDS.map((kind) => this.paths[kind]),
      ...[this.marks.train, this.marks.val, this.ring, this.cursor, this.where],
    );
    this.picture.addEventListener("pointermove", (event) => onPoint(this.epochAt(event)));
    this.picture.addEventListener("pointerleave", () => onPoint(null));
    const head = html(
      "div",
      { class: "km-plot-head" },
      html("span", { class: "km-metric", title: metric }, metric),
      html("span", { class: "km-values" }, this.values.train, this.values.val),
    );
    this.element = html("div", { class: "km-plot" }, head, this.picture);
  }

  draw(curves: MetricCurves, look: Look): void {
    this.curves = curves;
    this.latest = look.latest;
    const all = KINDS.flatMap((kind) => (curves[kind] ? [curves[kind]] : []));
    this.x = axis(curves, all, look);
    const shown = look.earlier.map((run) => ({ train: this.inside(run.train), val: this.inside(run.val) }));
    const values = [...all, ...shown.flatMap((run) => [run.train, run.val])].flatMap((s) => s?.y ?? []);
    this.log = look.log && anyPositive(values);
    this.y = bounds(this.log ? values.filter((v) => v > 0).map(Math.log10) : values);
    this.drawAxes();
    for (const kind of ["train", "val"] as const) {
      this.earlier[kind].setAttribute("d", shown.map((run) => this.line(run[kind])).join(""));
      this.raw[kind].setAttribute("d", look.smoothing > 0 ? this.line(curves[kind]) : "");
    }
    for (const kind of KINDS) this.paths[kind].setAttribute("d", this.line(smooth(curves[kind], look.smoothing)));
    this.marks.train.setAttribute("d", this.symbols(curves.train, DOT));
    this.marks.val.setAttribute("d", this.symbols(curves.val, GEM));
    this.drawBest(look.best);
    this.showValues();
  }

  /** Tells the values at a place, or, with null, the latest ones. */
  point(place: Place | null): void {
    this.place = place;
    this.showValues();
  }

  private inside(series: Line | undefined): Line | undefined {
    if (!series) return undefined;
    const kept = series.x.map((x) => x >= this.x[0] && x <= this.x[1]);
    return { x: series.x.filter((_, i) => kept[i]), y: series.y.filter((_, i) => kept[i]) };
  }

  private sx(x: number): number {
    return LEFT + ((x - this.x[0]) / (this.x[1] - this.x[0])) * (WIDTH - LEFT - RIGHT);
  }

  private sy(value: number): number {
    const y = this.log ? Math.log10(value) : value;
    return TOP + ((this.y[1] - y) / (this.y[1] - this.y[0])) * (HEIGHT - TOP - BOTTOM);
  }

  private drawable(y: number): boolean {
    return Number.isFinite(y) && (!this.log || y > 0);
  }

  private line(series: Line | undefined): string {
    let d = "";
    let pen = "M";
    series?.x.forEach((x, i) => {
      const y = series.y[i]!;
      if (this.drawable(y)) {
        d += `${pen}${this.sx(x).toFixed(1)} ${this.sy(y).toFixed(1)}`;
        pen = "L";
      } else pen = "M";
    });
    return d;
  }

  private symbol(x: number, y: number, shape: string): string {
    return this.drawable(y) ? `M${this.sx(x).toFixed(1)} ${this.sy(y).toFixed(1)}${shape}` : "";
  }

  private symbols(series: Series | undefined, shape: string): string {
    if (!series || series.x.length > MOST_MARKS) return "";
    return series.x.map((x, i) => this.symbol(x, series.y[i]!, shape)).join("");
  }

  private drawBest(epoch: number | null): void {
    const series = this.curves.val ?? this.curves.train;
    const i = epoch === null || !series ? -1 : closest(series.x, epoch);
    this.ring.setAttribute("d", i < 0 ? "" : this.symbol(series!.x[i]!, series!.y[i]!, RING));
  }

  private drawAxes(): void {
    const key = [...this.x, ...this.y, this.log].join();
    if (key === this.axesKey) return;
    this.axesKey = key;
    this.axes.replaceChildren();
    for (const tick of this.log ? logTicks(...this.y) : niceTicks(...this.y)) {
      const y = this.sy(tick);
      this.axes.append(svg("path", { class: "km-grid", d: `M${LEFT} ${y.toFixed(1)}H${WIDTH - RIGHT}` }));
      this.axes.append(svg("text", { class: "km-tick", x: LEFT - 5, y: (y + 4).toFixed(1), "text-anchor": "end" }, short(tick)));
    }
    const bottom = HEIGHT - 8;
    for (const tick of niceTicks(...this.x)) {
      if (!Number.isInteger(tick)) continue;
      this.axes.append(svg("text", { class: "km-tick", x: this.sx(tick).toFixed(1), y: bottom, "text-anchor": "middle" }, short(tick)));
    }
    this.axes.append(svg("text", { class: "km-tick", x: LEFT - 10, y: bottom, "text-anchor": "end" }, "epoch"));
  }

  private epochAt(event: PointerEvent): number {
    const box = this.picture.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * WIDTH;
    return this.x[0] + ((x - LEFT) / (WIDTH - LEFT - RIGHT)) * (this.x[1] - this.x[0]);
  }

  private showValues(): void {
    const at = this.place && (this.place.values ? { x: this.place.x, ...this.place.values } : this.nearest(this.place.x));
    if (!at) {
      this.cursor.setAttribute("d", "");
      say(this.where, "");
      this.tell(this.latest.train, this.latest.val);
      return;
    }
    const x = this.sx(at.x);
    this.cursor.setAttribute("d", `M${x.toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}`);
    const onLeft = x < WIDTH / 2;
    this.where.setAttribute("x", (onLeft ? x + 5 : x - 5).toFixed(1));
    this.where.setAttribute("text-anchor", onLeft ? "start" : "end");
    say(this.where, Number.isInteger(at.x) ? `at epoch ${at.x}` : `in epoch ${Math.floor(at.x) + 1}`);
    this.tell(at.train, at.val);
  }

  private tell(train: number | undefined, val: number | undefined): void {
    say(this.values.train, train === undefined || Number.isNaN(train) ? missing(this.curves.train ?? this.curves.within) : steady(train));
    say(this.values.val, val === undefined || Number.isNaN(val) ? missing(this.curves.val) : steady(val));
  }

  /** The values nearest to x: those of an epoch's end where there are any, else those within the epoch. */
  private nearest(x: number): { x: number; train?: number; val?: number } | null {
    const whole = this.curves.train ?? this.curves.val;
    const ends = whole ? closest(whole.x, x) : -1;
    const within = this.curves.within ? closest(this.curves.within.x, x) : -1;
    const endX = whole?.x[ends];
    const withinX = this.curves.within?.x[within];
    const near = Math.max(0.25, (NEAR / (WIDTH - LEFT - RIGHT)) * (this.x[1] - this.x[0]));
    if (endX !== undefined && (withinX === undefined || Math.abs(endX - x) <= near)) {
      return { x: endX, train: valueAt(this.curves.train, endX), val: valueAt(this.curves.val, endX) };
    }
    return withinX === undefined ? null : { x: withinX, train: this.curves.within!.y[within] };
  }
}

function axis(curves: MetricCurves, all: Series[], { epochs, ended }: Look): [number, number] {
  const reached = Math.max(0, ...all.map((s) => s.x[s.x.length - 1] ?? 0));
  const first = curves.within ? Math.floor(curves.within.x[0] ?? 0) : (curves.train?.x[0] ?? 0);
  const planned = epochs !== null && epochs <= 4 * reached ? epochs : Math.min(epochs ?? Infinity, nextRound(reached));
  const last = ended ? reached : planned;
  return [first, last > first ? last : first + 1];
}

function smooth(series: Series | undefined, weight: number): Line | undefined {
  return series && { x: series.x, y: smoothed(series.y, weight) };
}

function missing(series: Series | undefined): string {
  return series && series.y.length > 0 && Number.isNaN(series.y[series.y.length - 1]) ? "nan" : "";
}

function valueAt(series: Series | undefined, x: number): number | undefined {
  return series?.y[series.x.indexOf(x)];
}

/** The place of the number nearest to x in a sorted list; -1 in an empty one. */
export function closest(xs: number[], x: number): number {
  let low = 0;
  let high = xs.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low > 0 && x - xs[low - 1]! <= xs[low]! - x ? low - 1 : high < 0 ? -1 : low;
}

/** The end of an axis that grows in few, large steps: 1, 2, 5, 10, 20... */
export function nextRound(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((m) => m * power >= value - 1e-9) ?? 10) * power;
}
