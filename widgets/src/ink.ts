// A grid of ink from 0 to 1, and the strokes of a round soft brush on it.

export class Ink {
  /** Values go to `cells`, row by row, which others may hold. */
  constructor(readonly rows: number, readonly columns: number, readonly cells: Float32Array) {}

  /** Of the brush, in cells: like a pen stroke on the images of handwritten digits. */
  get radius(): number {
    return Math.max(0.6, (1.15 * Math.max(this.rows, this.columns)) / 28);
  }

  /** Draws from one point to another, in cells (the first cell's middle is 0.5, 0.5); or takes ink away. */
  stroke(fromX: number, fromY: number, toX: number, toY: number, erase = false): void {
    const reach = this.radius + (erase ? 1 : 0); // so that one pass takes a stroke away, its edges too
    const edge = reach + 0.5;
    const first = (a: number, b: number) => Math.max(0, Math.floor(Math.min(a, b) - edge));
    const last = (a: number, b: number, n: number) => Math.min(n - 1, Math.ceil(Math.max(a, b) + edge));
    for (let row = first(fromY, toY); row <= last(fromY, toY, this.rows); row++) {
      for (let column = first(fromX, toX); column <= last(fromX, toX, this.columns); column++) {
        const away = distance(column + 0.5, row + 0.5, fromX, fromY, toX, toY);
        const amount = Math.max(0, Math.min(1, reach - away + 0.5));
        const at = row * this.columns + column;
        const before = this.cells[at] ?? 0;
        this.cells[at] = erase ? Math.min(before, 1 - amount) : Math.max(before, amount);
      }
    }
  }

  clear(): void {
    this.cells.fill(0);
  }
}

/** How far a point is from a line between two others. */
export function distance(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}
