// The learning rate: as it is in the optimizer, and changed with a slider or a number.
import { html } from "./dom";
import { short } from "./format";
import type { Link } from "./link";
import type { Progress } from "./protocol";

const DECADES = 2; // the slider reaches so many powers of ten to either side
const ACTS_WITHIN_MS = 1000;
const BY_SCHEDULE = "The learning rate follows a LearningRateSchedule: it is shown here, but cannot be set.";

export class Rate {
  readonly element: HTMLElement;
  private readonly slider = html("input", { type: "range", step: 0.02, class: "km-rate-slider", "aria-label": "Learning rate, logarithmic" });
  private readonly number = html("input", { type: "number", step: "any", min: 0, class: "km-rate-number", "aria-label": "Learning rate" });
  private readonly word = html("span", { class: "km-rate-word" }, "Learning rate");
  private middle = NaN;
  private typing = false;
  /** What was asked for last, shown until the optimizer has it or enough time has passed. */
  private wanted = { rate: NaN, until: 0 };

  constructor(private readonly link: Link) {
    this.element = html("div", { class: "km-rate" }, html("span", { class: "km-label" }, this.word), this.slider, this.number);
    this.slider.addEventListener("input", () => this.write(10 ** Number(this.slider.value)));
    this.slider.addEventListener("change", () => this.ask(10 ** Number(this.slider.value)));
    this.number.addEventListener("input", () => (this.typing = true));
    this.number.addEventListener("change", () => this.enter());
    this.number.addEventListener("blur", () => (this.typing = false));
    // JupyterLab keeps the browser from taking Enter as the end of typing.
    this.number.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.enter();
      if (event.key === "Escape") this.typing = false;
    });
  }

  show(progress: Progress, usable: boolean): void {
    const rate = progress.learning_rate === null ? NaN : Number(progress.learning_rate);
    this.element.classList.toggle("km-absent", progress.learning_rate === null);
    const settable = usable && progress.rate_is_settable;
    this.slider.disabled = this.number.disabled = !settable;
    this.word.textContent = progress.rate_is_settable ? "Learning rate" : "Rate (schedule)";
    this.element.title = progress.rate_is_settable ? "" : BY_SCHEDULE;
    const pending = performance.now() < this.wanted.until && Math.abs(rate / this.wanted.rate - 1) > 1e-3;
    if (this.typing || pending || this.slider.matches(":active")) return;
    this.write(rate);
    this.slide(Math.log10(rate));
  }

  private enter(): void {
    if (!this.typing) return;
    this.typing = false;
    this.ask(Number(this.number.value));
  }

  private slide(power: number): void {
    if (!Number.isFinite(power)) return;
    if (!(Math.abs(power - this.middle) <= DECADES)) {
      this.middle = power;
      this.slider.min = String(power - DECADES);
      this.slider.max = String(power + DECADES);
    }
    this.slider.value = String(power);
  }

  private write(rate: number): void {
    const text = Number.isFinite(rate) ? String(Number(rate.toPrecision(3))) : "";
    if (this.number.value !== text) this.number.value = text;
    this.slider.setAttribute("aria-valuetext", short(rate));
  }

  private ask(rate: number): void {
    if (!Number.isFinite(rate) || rate <= 0) return;
    this.wanted = { rate: Number(rate.toPrecision(3)), until: performance.now() + ACTS_WITHIN_MS };
    this.link.ask("learning_rate", this.wanted.rate);
  }
}
