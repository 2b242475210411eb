// Going through the epochs of an ended training, and back to one of them.
import { html, say } from "./dom";
import type { Link } from "./link";
import type { Kept } from "./protocol";
import type { Place } from "./plot";

export class Scrubber {
  private readonly slider = html("input", { type: "range", min: 0, step: 1, class: "km-scrub-slider", "aria-label": "Epoch" });
  private readonly words = html("output", { class: "km-scrub-words" });
  private readonly back = html("button", { class: "km-button", type: "button" }, "Roll back");
  readonly element = html("div", { class: "km-scrub" }, html("span", { class: "km-label" }, "Epoch"), this.slider, this.words, this.back);
  private kept: Kept | null = null;
  private known = "";

  /** @param onMove told the place to show in the plots, or null for none. */
  constructor(
    link: Link,
    private readonly onMove: (place: ((metric: string) => Place) | null) => void,
  ) {
    this.slider.addEventListener("input", () => this.move());
    this.back.addEventListener("click", () => link.ask("roll_back", this.isEnd() ? -1 : this.epoch() - 1));
  }

  show(kept: Kept, usable: boolean): void {
    this.kept = kept;
    const none = kept.epochs.length === 0;
    this.element.classList.toggle("km-absent", none);
    if (none) {
      this.onMove(null);
      return;
    }
    const known = kept.epochs.join();
    if (known !== this.known) {
      this.known = known;
      this.slider.max = String(kept.epochs.length - 1);
      this.slider.value = String(kept.at);
    }
    this.slider.disabled = !usable;
    this.back.disabled = !usable || this.at() === kept.at;
    this.tell();
  }

  private at(): number {
    return Number(this.slider.value);
  }

  private isEnd(): boolean {
    return this.kept!.ends_apart && this.at() === this.kept!.epochs.length - 1;
  }

  private epoch(): number {
    return this.kept!.epochs[this.at()]!;
  }

  private move(): void {
    if (!this.kept) return;
    this.tell();
    this.back.disabled = this.at() === this.kept.at;
    const [at, epoch, values] = [this.at(), this.epoch(), this.kept.values];
    const value = (name: string) => Number(values[name]?.[at] ?? NaN);
    this.onMove((metric) => ({ x: epoch, values: { train: value(metric), val: value(`val_${metric}`) } }));
  }

  private tell(): void {
    const where = this.isEnd() ? "the end" : `${this.epoch()}`;
    say(this.words, where);
    const spoken = this.isEnd() ? "the end of the training" : `epoch ${where}`;
    this.slider.setAttribute("aria-valuetext", spoken);
    this.back.setAttribute("aria-label", `Roll back to ${spoken}`);
    this.back.title = this.back.disabled ? "The model has these weights" : `Give the model the weights of ${spoken}`;
  }
}
