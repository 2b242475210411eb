// One slider for each feature, with a number beside it to type.
import { html, say } from "./dom";
import type { SliderSpec } from "./playground_protocol";

export class Sliders {
  readonly element = html("div", { class: "km-sliders" });
  private readonly rows: { range: HTMLInputElement; exact: HTMLInputElement; digits: number }[] = [];

  constructor(
    sliders: SliderSpec[],
    private readonly values: Float32Array,
    moved: () => void,
  ) {
    sliders.forEach((slider, i) => {
      const limits = { min: slider.low, max: slider.high, step: slider.step, "aria-label": slider.name };
      const range = html("input", { type: "range", class: "km-range", ...limits });
      const exact = html("input", { type: "number", class: "km-exact", ...limits });
      const take = (input: HTMLInputElement) => {
        const given = input.valueAsNumber;
        if (!Number.isFinite(given)) return;
        values[i] = Math.max(slider.low, Math.min(slider.high, given));
        moved();
      };
      range.addEventListener("input", () => take(range));
      exact.addEventListener("input", () => take(exact));
      exact.addEventListener("change", () => this.draw());
      const name = html("span", { class: "km-name", title: slider.name });
      say(name, slider.name);
      this.element.append(html("div", { class: "km-slider" }, name, range, exact));
      this.rows.push({ range, exact, digits: digitsOf(slider.step) });
    });
    this.draw();
  }

  /** Shows the values as they are; what is being typed stays. */
  draw(): void {
    this.rows.forEach(({ range, exact, digits }, i) => {
      const value = (this.values[i] ?? 0).toFixed(digits);
      if (Number(range.value) !== Number(value)) range.value = value;
      const typing = exact.matches(":focus") && exact.value !== "";
      if (!typing && exact.value !== value) exact.value = value;
    });
  }
}

/** How many digits after the point a step has: 0.05 -> 2. */
export function digitsOf(step: number): number {
  for (let digits = 0; digits < 12; digits++) {
    if (Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) < 1e-6) return digits;
  }
  return 12;
}
