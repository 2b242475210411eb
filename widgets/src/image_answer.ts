// What the model draws: an output that is an image, grey or in colour.
import { html } from "./dom";
import type { GroupSpec } from "./playground_protocol";

const SIDE = 224; // pixels of the longer side, as the pad's

export class ImageAnswer {
  readonly element = html("div", { class: "km-answers" });
  private readonly context: CanvasRenderingContext2D;
  private readonly image: ImageData;

  constructor(private readonly group: GroupSpec) {
    const [rows = 1, columns = 1] = group.shape;
    const scale = SIDE / Math.max(rows, columns);
    const about = group.name || `an image of ${rows} by ${columns}`;
    const canvas = html("canvas", { class: "km-drawn", role: "img", "aria-label": about, width: columns, height: rows });
    canvas.style.width = `${columns * scale}px`;
    this.context = canvas.getContext("2d")!;
    this.image = this.context.createImageData(columns, rows);
    if (group.name) this.element.append(html("div", { class: "km-part" }, group.name));
    this.element.append(canvas);
  }

  draw(values: (number | null)[]): void {
    fill(this.image.data, values, this.group.shape[2] ?? 1);
    this.context.putImageData(this.image, 0, 0);
  }
}

/** Sets red, green, blue and opacity of each pixel; what is no number is black. */
export function fill(data: Uint8ClampedArray, values: (number | null)[], channels: number): void {
  for (let i = 0; 4 * i < data.length; i++) {
    for (let j = 0; j < 3; j++) data[4 * i + j] = values[channels * i + (channels === 3 ? j : 0)] ?? 0;
    data[4 * i + 3] = 255;
  }
}
