// A named progress bar.
import { html, say } from "./dom";

export class Bar {
  readonly element = html("div", { class: "km-bar-row" });
  private readonly words = html("span", { class: "km-bar-words" });
  private readonly inner = html("div", { class: "km-bar-inner" });
  private readonly outer: HTMLElement;

  constructor(private readonly name: string) {
    this.outer = html("div", { class: "km-bar", role: "progressbar", "aria-label": name, "aria-valuemin": 0 }, this.inner);
    this.element.append(this.words, this.outer);
  }

  show(done: number, of: number | null, part: number): void {
    say(this.words, of === null ? `${this.name} ${done}` : `${this.name} ${done} of ${of}`);
    this.outer.setAttribute("aria-valuenow", String(done));
    if (of !== null) this.outer.setAttribute("aria-valuemax", String(of));
    this.outer.classList.toggle("km-unknown", of === null);
    this.inner.style.transform = `scaleX(${Math.max(0, Math.min(1, part)).toFixed(4)})`;
  }
}
