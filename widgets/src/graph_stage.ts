// The picture itself: draws a scene, pans and zooms it, and lets the focus walk from layer to layer.
import { svg } from "./dom";
import type { Box, Scene, Wire } from "./graph_protocol";
import { next, type Direction } from "./graph_walk";
import { centred, fit, kept, READABLE, RECOGNIZABLE, showing, zoom, type Area, type Viewport } from "./viewport";

const PAN = 80;
const DRAG = 4; // so far the pointer moves before a press becomes a drag

export interface StageEvents {
  choose(id: string): void;
  toggle(id: string): void;
}

export class Stage {
  readonly element: SVGSVGElement;
  private readonly world = svg("g");
  private readonly nodes = new Map<string, SVGGElement>();
  private readonly wires = new Map<string, SVGGElement[]>();
  private readonly watching: ResizeObserver;
  private scene: Scene = { width: 0, height: 0, boxes: [], wires: [] };
  private view: Viewport = { scale: 1, x: 0, y: 0 };
  private size = { width: 0, height: 0 };
  private focused = "";
  private chosen = "";
  private touched = false;

  constructor(title: string, private readonly events: StageEvents) {
    this.element = svg("svg", { class: "km-stage", role: "group", "aria-label": `Graph of ${title}` }, this.world);
    this.element.addEventListener("pointerdown", (event) => this.press(event));
    this.element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.watching = new ResizeObserver(() => this.resize());
    this.watching.observe(this.element);
  }

  close(): void {
    this.watching.disconnect();
  }

  /** Draws a scene; the box of `anchor` stays where it was on the screen. */
  draw(scene: Scene, anchor = ""): void {
    const before = this.scene.boxes.find((box) => box.id === anchor);
    const hadFocus = this.world.contains(document.activeElement);
    this.scene = scene;
    this.nodes.clear();
    this.wires.clear();
    const open = scene.boxes.filter((box) => box.kind === "open").map((box) => this.node(box));
    const wires = scene.wires.map((wire) => this.wire(wire));
    const rest = scene.boxes.filter((box) => box.kind !== "open").map((box) => this.node(box));
    this.world.replaceChildren(...open, ...wires, ...rest);
    const after = scene.boxes.find((box) => box.id === anchor);
    if (before && after) {
      const { scale } = this.view;
      this.move({
        scale,
        x: this.view.x + (before.x + before.width / 2 - after.x - after.width / 2) * scale,
        y: this.view.y + (before.y - after.y) * scale,
      });
    } else if (!this.touched) {
      this.start();
    }
    if (!this.nodes.has(this.focused)) this.focused = scene.boxes.find((box) => box.kind !== "output")?.id ?? "";
    this.nodes.get(this.focused)?.setAttribute("tabindex", "0");
    if (hadFocus) this.nodes.get(this.focused)?.focus({ preventScroll: true });
    this.mark(this.chosen);
  }

  /** All of the picture where that is readable, else its beginning. */
  start(): void {
    this.move(fit(this.scene, this.size, READABLE));
  }

  /** All of the picture, or of a very long one as much as can be told apart. */
  fit(): void {
    this.touched = true;
    this.move(fit(this.scene, this.size, RECOGNIZABLE));
  }

  zoomBy(factor: number, x = this.size.width / 2, y = this.size.height / 2): void {
    this.touched = true;
    this.move(zoom(this.view, factor, x, y, Math.min(0.5, fit(this.scene, this.size).scale)));
  }

  /** Marks the layer whose details are shown. */
  mark(id: string): void {
    this.nodes.get(this.chosen)?.classList.remove("km-chosen");
    this.chosen = id;
    this.nodes.get(id)?.classList.add("km-chosen");
    for (const [end, wires] of this.wires) for (const wire of wires) wire.classList.toggle("km-near", end === id || wire.dataset["other"] === id);
  }

  /** Rings round the layers that a search has found. */
  hits(ids: Set<string>): void {
    for (const [id, node] of this.nodes) node.classList.toggle("km-hit", ids.has(id));
  }

  /** Brings a layer into the middle, in a readable size. */
  jump(id: string): void {
    const box = this.scene.boxes.find((one) => one.id === id);
    if (!box) return;
    this.touched = true;
    this.move(centred(this.view, box, this.size, READABLE));
    this.setFocus(id);
  }

  focus(id = this.focused): void {
    this.setFocus(id);
    this.nodes.get(id)?.focus({ preventScroll: true });
  }

  private setFocus(id: string): void {
    if (!this.nodes.has(id)) return;
    this.nodes.get(this.focused)?.setAttribute("tabindex", "-1");
    this.focused = id;
    this.nodes.get(id)!.setAttribute("tabindex", "0");
  }

  private resize(): void {
    const { width, height } = this.element.getBoundingClientRect();
    if (width === 0 || (width === this.size.width && height === this.size.height)) return;
    const before = this.size.width;
    this.size = { width, height };
    if (!this.touched) return this.start();
    this.move({ ...this.view, x: this.view.x + (width - before) / 2 });
    const box = this.scene.boxes.find((one) => one.id === this.chosen);
    if (box) this.show({ ...box, height: Math.min(box.height, 60) });
  }

  private move(view: Viewport): void {
    if (this.size.width === 0) return;
    this.view = kept(view, this.scene, this.size);
    const { scale, x, y } = this.view;
    this.world.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${scale.toFixed(4)})`);
  }

  private pan(dx: number, dy: number): void {
    this.touched = true;
    this.move({ ...this.view, x: this.view.x + dx, y: this.view.y + dy });
  }

  private show(area: Area): void {
    this.move(showing(this.view, area, this.size));
  }

  private press(event: PointerEvent): void {
    if (event.button !== 0) return;
    let [x, y] = [event.clientX, event.clientY];
    let dragged = false;
    const move = (to: PointerEvent) => {
      if (to.pointerId !== event.pointerId) return;
      if (!dragged && Math.hypot(to.clientX - x, to.clientY - y) < DRAG) return;
      if (!dragged) this.element.setPointerCapture(event.pointerId);
      dragged = true;
      this.element.classList.add("km-dragged");
      this.pan(to.clientX - x, to.clientY - y);
      [x, y] = [to.clientX, to.clientY];
    };
    const end = (to: PointerEvent) => {
      if (to.pointerId !== event.pointerId) return;
      this.element.removeEventListener("pointermove", move);
      this.element.removeEventListener("pointerup", end);
      this.element.removeEventListener("pointercancel", end);
      this.element.classList.remove("km-dragged");
      if (!dragged && to.type === "pointerup") this.click(event.target);
      else this.focus();
    };
    this.element.addEventListener("pointermove", move);
    this.element.addEventListener("pointerup", end);
    this.element.addEventListener("pointercancel", end);
  }

  private click(target: EventTarget | null): void {
    const node = target instanceof Element ? target.closest<SVGGElement>(".km-node") : null;
    const id = node?.dataset["id"];
    if (!id) {
      this.focus();
      return;
    }
    this.focus(id);
    if ((target as Element).closest(".km-toggle")) this.events.toggle(id);
    else this.events.choose(id);
  }

  /** Zooms with Ctrl, or once something in the view has the focus; else the notebook scrolls. */
  private wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey && !this.element.contains(document.activeElement)) return;
    event.preventDefault();
    event.stopPropagation();
    const box = this.element.getBoundingClientRect();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    const factor = Math.exp(-Math.max(-200, Math.min(200, event.deltaY * lines)) / 400);
    this.zoomBy(factor, event.clientX - box.left, event.clientY - box.top);
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const boxes = this.scene.boxes.filter((box) => box.kind !== "output");
    const act: Record<string, () => void> = {
      "+": () => this.zoomBy(1.25),
      "=": () => this.zoomBy(1.25),
      "-": () => this.zoomBy(0.8),
      "0": () => this.fit(),
      Enter: () => this.events.choose(this.focused),
      " ": () => this.events.choose(this.focused),
      e: () => this.events.toggle(this.focused),
      Home: () => this.walk(boxes[0]?.id),
      End: () => this.walk(boxes[boxes.length - 1]?.id),
    };
    const arrow = /^Arrow/.test(event.key) ? (event.key as Direction) : null;
    if (arrow && event.shiftKey) {
      const [dx, dy] = { ArrowUp: [0, PAN], ArrowDown: [0, -PAN], ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0] }[arrow] as [number, number];
      this.pan(dx, dy);
    } else if (arrow) {
      this.walk(next(this.scene, this.focused, arrow));
    } else if (act[event.key]) {
      act[event.key]!();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private walk(id: string | null | undefined): void {
    const box = this.scene.boxes.find((one) => one.id === id);
    if (!box) return;
    this.touched = true;
    this.focus(box.id);
    this.show({ ...box, height: Math.min(box.height, 60) });
  }

  private node(box: Box): SVGGElement {
    const group = svg("g", { class: `km-node km-${box.kind} km-of-${box.family}` }, svg("title", {}, box.spoken));
    if (box.kind === "output") {
      group.append(words(box, 0, "middle", box.x + box.width / 2, box.y + 14));
      return group;
    }
    group.dataset["id"] = box.id;
    for (const [name, value] of Object.entries({ role: "button", tabindex: "-1", "aria-label": box.spoken })) group.setAttribute(name, value);
    if (box.nested) group.setAttribute("aria-expanded", String(box.kind === "open"));
    group.append(rect(box, 0, "km-box"));
    if (box.nested && box.kind === "closed") group.append(rect(box, 2.5, "km-box"));
    group.append(svg("rect", { class: "km-stripe", x: box.x, y: box.y, width: 5, height: box.height, rx: 2.5 }));
    const room = box.nested ? 22 : 0;
    const middle = box.x + (box.width - room) / 2 + 2.5;
    box.lines.forEach((_, i) =>
      group.append(box.kind === "open" ? words(box, i, "start", box.x + 16, box.y + 21) : words(box, i, "middle", middle, box.y + 18 + 15 * i)));
    if (box.nested) group.append(toggle(box));
    this.nodes.set(box.id, group);
    group.addEventListener("focus", () => this.setFocus(box.id));
    return group;
  }

  private wire(wire: Wire): SVGGElement {
    const group = svg("g", { class: wire.tip ? "km-wire" : "km-wire km-guess" }, svg("path", { d: wire.path }));
    if (wire.tip) group.append(svg("path", { class: "km-tip", d: wire.tip }));
    if (wire.label) group.append(svg("text", { x: wire.at[0], y: wire.at[1] }, wire.label));
    group.append(svg("title", {}, wire.shape));
    group.dataset["other"] = wire.target;
    this.wires.set(wire.source, [...(this.wires.get(wire.source) ?? []), group]);
    return group;
  }
}

function rect(box: Box, inset: number, css: string): SVGRectElement {
  return svg("rect", { class: css, x: box.x + inset, y: box.y + inset, width: box.width - 2 * inset, height: box.height - 2 * inset, rx: 5 - inset / 2 });
}

function words(box: Box, line: number, anchor: string, x: number, y: number): SVGTextElement {
  return svg("text", { class: line === 0 && box.kind !== "output" ? "km-head-line" : "km-line", x, y, "text-anchor": anchor }, box.lines[line]!);
}

function toggle(box: Box): SVGGElement {
  const [x, y] = [box.x + box.width - 23, box.y + 7];
  const sign = box.kind === "open" ? "M4 8h8" : "M4 8h8M8 4v8";
  return svg("g", { class: "km-toggle", transform: `translate(${x} ${y})` },
    svg("title", {}, box.kind === "open" ? "Collapse (E)" : "Expand (E)"),
    svg("rect", { width: 16, height: 16, rx: 3 }), svg("path", { d: sign }));
}
