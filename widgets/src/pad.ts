// A pad to draw an image on: with mouse, pen, finger, or with arrow keys and space.
import { html } from "./dom";
import { Ink } from "./ink";

const SIDE = 224; // pixels of the longer side
const KEYS = "Arrow keys move, space draws, E erases, Delete clears.";
const MOVES: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export class Pad {
  readonly element: HTMLElement;
  readonly buttons: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly cursor = html("span", { class: "km-cell", "aria-hidden": "true" });
  private readonly ink: Ink;
  private readonly image: ImageData;
  private readonly context: CanvasRenderingContext2D;
  private last: [number, number] | null = null;
  private at: [number, number];
  private erasing = false;

  constructor(
    name: string,
    rows: number,
    columns: number,
    private readonly darkInk: boolean,
    cells: Float32Array,
    private readonly moved: () => void,
  ) {
    this.ink = new Ink(rows, columns, cells);
    this.at = [Math.floor(columns / 2), Math.floor(rows / 2)];
    const scale = SIDE / Math.max(rows, columns);
    this.canvas = html("canvas", {
      class: "km-pad",
      width: columns,
      height: rows,
      tabindex: 0,
      role: "application",
      "aria-roledescription": "drawing pad",
      "aria-label": `${name}, ${rows} by ${columns}. ${KEYS}`,
      title: KEYS,
      style: `width:${columns * scale}px;height:${rows * scale}px`,
    });
    // JupyterLab's own keys (arrows go to another cell, D D deletes it) must not hear of these.
    this.canvas.dataset["lmSuppressShortcuts"] = "true";
    this.context = this.canvas.getContext("2d")!;
    this.image = this.context.createImageData(columns, rows);
    const clear = button("Clear", () => this.clear());
    const erase = button("Erase", () => this.setErasing(!this.erasing, erase));
    erase.setAttribute("aria-pressed", "false");
    this.buttons = html("div", { class: "km-buttons" }, clear, erase);
    const sheet = html("div", { class: "km-sheet" }, this.canvas, this.cursor);
    this.element = html("div", { class: "km-drawing" }, sheet, this.buttons);
    this.listen(erase);
    this.draw();
  }

  /** Shows the ink as it is. */
  draw(): void {
    this.ink.cells.forEach((cell, i) => {
      const shade = Math.round(255 * (this.darkInk ? 1 - cell : cell));
      this.image.data.set([shade, shade, shade, 255], 4 * i);
    });
    this.context.putImageData(this.image, 0, 0);
    const [x, y] = this.at;
    this.cursor.style.left = `${(100 * x) / this.ink.columns}%`;
    this.cursor.style.top = `${(100 * y) / this.ink.rows}%`;
    this.cursor.style.width = `${100 / this.ink.columns}%`;
    this.cursor.style.height = `${100 / this.ink.rows}%`;
  }

  private listen(erase: HTMLElement): void {
    const canvas = this.canvas;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button > 0 && event.button !== 5) return;
      event.preventDefault();
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      this.last = null;
      this.follow(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      const steps = event.getCoalescedEvents?.() ?? [];
      for (const step of steps.length ? steps : [event]) this.follow(step);
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (this.last = null));
    canvas.addEventListener("keydown", (event) => this.press(event, erase));
  }

  private follow(event: PointerEvent): void {
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.ink.columns;
    const y = ((event.clientY - box.top) / box.height) * this.ink.rows;
    const [fromX, fromY] = this.last ?? [x, y];
    // 32: the other end of a pen
    this.ink.stroke(fromX, fromY, x, y, this.erasing || (event.buttons & 32) !== 0);
    this.last = [x, y];
    this.moved();
  }

  private press(event: KeyboardEvent, erase: HTMLElement): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = MOVES[event.key];
    if (move) {
      const within = (value: number, length: number) => Math.max(0, Math.min(length - 1, value));
      this.at = [within(this.at[0] + move[0], this.ink.columns), within(this.at[1] + move[1], this.ink.rows)];
      this.draw();
    } else if (event.key === " ") {
      const [x, y] = [this.at[0] + 0.5, this.at[1] + 0.5];
      this.ink.stroke(x, y, x, y, this.erasing);
      this.moved();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.clear();
    } else if (event.key === "e" || event.key === "E") {
      this.setErasing(!this.erasing, erase);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private setErasing(on: boolean, erase: HTMLElement): void {
    this.erasing = on;
    erase.setAttribute("aria-pressed", String(on));
  }

  private clear(): void {
    this.ink.clear();
    this.moved();
  }
}

export function button(words: string, click: () => void): HTMLButtonElement {
  const made = html("button", { class: "km-small", type: "button" }, words);
  made.addEventListener("click", click);
  return made;
}
