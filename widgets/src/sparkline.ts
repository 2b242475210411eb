// A histogram as small bars.
import { html } from "./dom";

const HEIGHT = 18;
const BAR = 4;

/** Heights from 0 to 1 of bars given as digits of base 36. */
export function heights(bars: string): number[] {
  return Array.from(bars, (digit) => parseInt(digit, 36) / 35);
}

/** One path for all bars, each at least a hair high unless it is empty. */
export function barsPath(bars: string, width = BAR, height = HEIGHT): string {
  return heights(bars)
    .map((share, i) => {
      const tall = share === 0 ? 0 : Math.max(1, Math.round(share * height));
      return tall === 0 ? "" : `M${i * width} ${height}v${-tall}h${width - 1}v${tall}z`;
    })
    .join("");
}

export class Sparkline {
  readonly element: HTMLElement;
  private drawn = "";

  constructor(private readonly kind: string) {
    this.element = html("span", { class: `km-spark km-spark-${kind}` });
  }

  draw(bars: string, low: string, high: string): void {
    const key = `${bars} ${low} ${high}`;
    if (key === this.drawn) return;
    this.drawn = key;
    if (bars === "") {
      this.element.replaceChildren();
      return;
    }
    const width = bars.length * BAR - 1;
    let picture = this.element.querySelector("svg");
    if (picture === null) {
      picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      picture.setAttribute("role", "img");
      picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
      picture.setAttribute("width", String(width));
      picture.setAttribute("height", String(HEIGHT));
      picture.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
      this.element.replaceChildren(picture);
    }
    picture.firstElementChild!.setAttribute("d", barsPath(bars));
    const words = `${this.kind}: ${low} to ${high}`;
    picture.setAttribute("aria-label", words);
    this.element.title = words;
  }
}
