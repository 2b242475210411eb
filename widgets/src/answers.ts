// What the model says: bars for probabilities, numbers for other values.
import { html, say } from "./dom";
import { short } from "./format";
import type { GroupSpec } from "./playground_protocol";

const MOST_ROWS = 10;

type Values = (number | null)[];

class Row {
  readonly element: HTMLElement;
  private readonly name = html("span", { class: "km-name" });
  private readonly inner = html("div", { class: "km-fill" });
  private readonly meter = html("div", { class: "km-meter", role: "meter", "aria-valuemin": 0, "aria-valuemax": 100 }, this.inner);
  private readonly number = html("span", { class: "km-number" });

  constructor(private readonly bars: boolean) {
    this.element = html("div", { class: bars ? "km-row" : "km-row km-plain" }, this.name);
    if (bars) this.element.append(this.meter);
    this.element.append(this.number);
  }

  show(label: string, value: number | null, best: boolean): void {
    say(this.name, label);
    this.name.title = label;
    this.element.classList.toggle("km-best", best);
    if (!this.bars) {
      say(this.number, value === null ? "not a number" : short(value));
      return;
    }
    const share = Math.max(0, Math.min(1, value ?? 0));
    this.inner.style.transform = `scaleX(${share.toFixed(4)})`;
    this.meter.setAttribute("aria-label", label);
    this.meter.setAttribute("aria-valuenow", (100 * share).toFixed(0));
    say(this.number, value === null ? "not a number" : `${(100 * value).toFixed(1)} %`);
  }
}

export class Answers {
  readonly element = html("div", { class: "km-answers" });
  private readonly rows: Row[] = [];

  constructor(private readonly group: GroupSpec) {
    if (group.name) this.element.append(html("div", { class: "km-part" }, group.name));
    for (let i = 0; i < Math.min(MOST_ROWS, group.labels.length); i++) {
      const row = new Row(group.kind === "bars");
      this.rows.push(row);
      this.element.append(row.element);
    }
    const left = group.labels.length - MOST_ROWS;
    if (left > 0) this.element.append(html("div", { class: "km-more" }, `and ${left} more`));
  }

  draw(values: Values): void {
    const best = this.group.kind === "bars" && values.length > 1 ? largest(values)[0] : -1;
    const shown = values.length > MOST_ROWS ? largest(values) : values.map((_, i) => i);
    this.rows.forEach((row, place) => {
      const i = shown[place] ?? 0;
      row.show(this.group.labels[i] ?? "", values[i] ?? null, i === best);
    });
  }
}

/** Places of the values, the largest first; equal ones stay in order. */
export function largest(values: Values): number[] {
  const size = (i: number) => values[i] ?? -Infinity;
  return values.map((_, i) => i).sort((a, b) => size(b) - size(a) || a - b);
}

/** What the answers say in a few words, for those who hear them. */
export function spoken(groups: GroupSpec[], numbers: Values[]): string {
  const parts = groups.map((group, i) => {
    const values = numbers[i] ?? [];
    const name = group.name ? `${group.name}: ` : "";
    if (group.kind === "image") return `${name}an image of ${group.shape[0]} by ${group.shape[1]}`;
    if (group.kind === "bars" && values.length > 1) {
      const best = largest(values)[0] ?? 0;
      return `${name}${group.labels[best]} ${(100 * (values[best] ?? 0)).toFixed(0)} %`;
    }
    const told = values.slice(0, 5).map((value, j) => `${group.labels[j]} ${value === null ? "not a number" : short(value)}`);
    return name + told.join(", ");
  });
  return parts.join("; ");
}
