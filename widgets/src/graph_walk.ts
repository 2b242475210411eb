// From layer to layer with the arrow keys, and finding layers by name.
import type { Box, Name, Scene } from "./graph_protocol";

export type Direction = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight";

const middle = (box: Box): [number, number] => [box.x + box.width / 2, box.y + Math.min(box.height, 40) / 2];

/** Whether most of the data flows up or down, rather than sideways. */
function isUpright(scene: Scene): boolean {
  const boxes = new Map(scene.boxes.map((box) => [box.id, middle(box)]));
  let [down, right] = [0, 0];
  for (const { source, target } of scene.wires) {
    const [a, b] = [boxes.get(source), boxes.get(target)];
    if (!a || !b) continue;
    right += b[0] - a[0];
    down += b[1] - a[1];
  }
  return Math.abs(down) >= Math.abs(right);
}

/** The box that an arrow key leads to: the nearest in that direction; with or against the flow, along a wire. */
export function next(scene: Scene, from: string, key: Direction): string | null {
  const here = scene.boxes.find((box) => box.id === from);
  if (!here) return null;
  const wired = new Set<string>();
  const follows = isUpright(scene) === (key === "ArrowUp" || key === "ArrowDown");
  for (const wire of follows ? scene.wires : []) {
    if (wire.source === from) wired.add(wire.target);
    if (wire.target === from) wired.add(wire.source);
  }
  const [x, y] = middle(here);
  let best: string | null = null;
  let least = Infinity;
  for (const box of scene.boxes) {
    if (box.id === from || box.kind === "output") continue;
    const [dx, dy] = [middle(box)[0] - x, middle(box)[1] - y];
    const [along, aside] = {
      ArrowUp: [-dy, dx], ArrowDown: [dy, dx], ArrowLeft: [-dx, dy], ArrowRight: [dx, dy],
    }[key] as [number, number];
    if (along <= 1) continue;
    const cost = (along + 2 * Math.abs(aside)) * (wired.has(box.id) ? 0.3 : 1);
    if (cost < least) [best, least] = [box.id, cost];
  }
  return best;
}

/** The ids of all layers whose name or class contains the text, whatever its case; names before classes. */
export function find(names: Name[], text: string): string[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [];
  const named = names.filter(([, name]) => name.toLowerCase().includes(wanted));
  const known = new Set(named);
  const classed = names.filter((entry) => !known.has(entry) && entry[2].toLowerCase().includes(wanted));
  return [...named, ...classed].map(([id]) => id);
}

/** The id of the box that shows a layer: its own, or that of the closed model around it. */
export function shownAs(scene: Scene, id: string): string | null {
  const shown = new Set(scene.boxes.map((box) => box.id));
  for (let steps = id.split("/"); steps.length > 0; steps = steps.slice(0, -1)) {
    if (shown.has(steps.join("/"))) return steps.join("/");
  }
  return null;
}
