// One small plot of one metric: training against validation, values under the pointer.
import { html, say, svg } from "./dom";
import { bounds, niceTicks, short, steady } from "./format";
import type { Kind } from "./protocol";
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

export class Plot {
  readonly element: HTMLElement;
  private readonly values = { train: html("b", { class: "km-train-word" }), val: html("b", { class: "km-val-word" }) };
  private readonly where = svg("text", { class: "km-at", y: TOP + 10 });
  private readonly picture: SVGSVGElement;
  private readonly axes = svg("g");
  private readonly paths: Record<Kind, SVGPathElement>;
  private readonly marks: Record<"train" | "val", SVGPathElement>;
  private readonly cursor = svg("path", { class: "km-cursor" });
  private curves: MetricCurves = {};
  private latest = { train: NaN, val: NaN };
  private x = [0, 1] as [number, number];
  private y = [0, 1] as [number, number];
  private pointer: number | null = null;
  private axesKey = "";

  constructor(readonly metric: string) {
    this.paths = {
      within: svg("path", { class: "km-within" }),
      train: svg("path", { class: "km-train" }),
      val: svg("path", { class: "km-val" }),
    };
    this.marks = { train: svg("path", { class: "km-dot" }), val: svg("path", { class: "km-gem" }) };
    this.picture = svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Curve of ${metric}` },
      this.axes,
      this.paths.within,
      this.paths.train,
      this.paths.val,
      this.marks.train,
      this.marks.val,
      this.cursor,
      this.where,
    );
    this.picture.addEventListener("pointermove", (event) => this.point(event));
    this.picture.addEventListener("pointerleave", () => this.leave());
    const head = html(
      "div",
      { class: "km-plot-head" },
      html("span", { class: "km-metric", title: metric }, metric),
      html("span", { class: "km-values" }, this.values.train, this.values.val),
    );
    this.element = html("div", { class: "km-plot" }, head, this.picture);
  }

  /** Draws the curves; `epochs` is where the x axis ends, so that the picture fills up rather than shrinks. */
  draw(curves: MetricCurves, epochs: number | null, latest: { train: number; val: number }): void {
    this.curves = curves;
    this.latest = latest;
    const all = KINDS.flatMap((kind) => (curves[kind] ? [curves[kind]] : []));
    const reached = Math.max(0, ...all.map((s) => s.x[s.x.length - 1] ?? 0));
    const first = curves.within ? Math.floor(curves.within.x[0] ?? 0) : (curves.train?.x[0] ?? 0);
    const last = epochs !== null && epochs <= 4 * reached ? epochs : Math.min(epochs ?? Infinity, nextRound(reached));
    this.x = [first, last > first ? last : first + 1];
    this.y = bounds(all.flatMap((s) => s.y));
    this.drawAxes();
    for (const kind of KINDS) this.paths[kind].setAttribute("d", this.line(curves[kind]));
    this.marks.train.setAttribute("d", this.symbols(curves.train, "m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0"));
    this.marks.val.setAttribute("d", this.symbols(curves.val, "m0 -4l4 4l-4 4l-4 -4z"));
    this.showValues();
  }

  private sx(x: number): number {
    return LEFT + ((x - this.x[0]) / (this.x[1] - this.x[0])) * (WIDTH - LEFT - RIGHT);
  }

  private sy(y: number): number {
    return TOP + ((this.y[1] - y) / (this.y[1] - this.y[0])) * (HEIGHT - TOP - BOTTOM);
  }

  private line(series: Series | undefined): string {
    let d = "";
    let pen = "M";
    series?.x.forEach((x, i) => {
      const y = series.y[i]!;
      if (Number.isFinite(y)) {
        d += `${pen}${this.sx(x).toFixed(1)} ${this.sy(y).toFixed(1)}`;
        pen = "L";
      } else pen = "M";
    });
    return d;
  }

  private symbols(series: Series | undefined, shape: string): string {
    if (!series || series.x.length > MOST_MARKS) return "";
    return series.x
      .map((x, i) => [x, series.y[i]!] as const)
      .filter(([, y]) => Number.isFinite(y))
      .map(([x, y]) => `M${this.sx(x).toFixed(1)} ${this.sy(y).toFixed(1)}${shape}`)
      .join("");
  }

  private drawAxes(): void {
    const key = [...this.x, ...this.y].join();
    if (key === this.axesKey) return;
    this.axesKey = key;
    this.axes.replaceChildren();
    for (const tick of niceTicks(...this.y)) {
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

  private point(event: PointerEvent): void {
    const box = this.picture.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * WIDTH;
    this.pointer = this.x[0] + ((x - LEFT) / (WIDTH - LEFT - RIGHT)) * (this.x[1] - this.x[0]);
    this.showValues();
  }

  private leave(): void {
    this.pointer = null;
    this.showValues();
  }

  private showValues(): void {
    const at = this.pointer === null ? null : this.nearest(this.pointer);
    if (at === null) {
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

function missing(series: Series | undefined): string {
  return series && series.y.length > 0 && Number.isNaN(series.y[series.y.length - 1]) ? "nan" : "";
}

function valueAt(series: Series | undefined, x: number): number | undefined {
  return series?.y[series.x.indexOf(x)];
}

function closest(xs: number[], x: number): number {
  let best = -1;
  xs.forEach((value, i) => {
    if (best < 0 || Math.abs(value - x) < Math.abs(xs[best]! - x)) best = i;
  });
  return best;
}

/** The end of an axis that grows in few, large steps: 1, 2, 5, 10, 20... */
export function nextRound(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((m) => m * power >= value - 1e-9) ?? 10) * power;
}
