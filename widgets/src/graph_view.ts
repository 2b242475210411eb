// A graph view: the bar above, the picture, and the panel with the details of a layer.
import { html, ownKeys, say } from "./dom";
import { detailsElement } from "./graph_details";
import type { Details, FromKernel, Model } from "./graph_protocol";
import { Stage } from "./graph_stage";
import { find, shownAs } from "./graph_walk";

const SLOW_MS = 3000;
const HELP = "Drag or Shift+arrows: pan · Ctrl+wheel, or click and wheel, or + and −: zoom · 0: fit · arrows: walk · Enter: details · E: expand · /: search";

export class GraphView {
  readonly element: HTMLElement;
  private readonly stage: Stage;
  private readonly search = html("input", { type: "search", class: "km-search", placeholder: "Find a layer", "aria-label": "Find a layer by its name or class" });
  private readonly count = html("span", { class: "km-count", role: "status" });
  private readonly panel = html("aside", { class: "km-details", "aria-label": "Details of a layer", hidden: "" });
  private readonly sample = html("select", { "aria-label": "Sample" });
  private found: string[] = [];
  private at = -1;
  private shown = "";
  private anchor = "";
  private wanted = "";
  private waiting = 0;

  constructor(private readonly model: Model) {
    const title = model.get("_title");
    this.stage = new Stage(title, { choose: (id) => this.choose(id), toggle: (id) => this.toggle(id) });
    this.element = html("div", { class: "km-graph", role: "group", "aria-label": `Graph of ${title}` },
      this.bar(title),
      html("div", { class: "km-graph-main" }, html("div", { class: "km-graph-left" }, this.stage.element, legend(model)), this.panel),
    );
    this.element.style.height = `${model.get("_height")}px`;
    ownKeys(this.element);
    this.element.addEventListener("keydown", (event) => this.key(event));
    model.on("change:_scene", this.redraw);
    model.on("msg:custom", this.receive);
    this.stage.draw(model.get("_scene"));
  }

  close(): void {
    this.model.off("change:_scene", this.redraw);
    this.model.off("msg:custom", this.receive);
    window.clearTimeout(this.waiting);
    this.stage.close();
    this.element.remove();
  }

  private bar(title: string): HTMLElement {
    const button = (words: string, title: string, act: () => void, label = words) => {
      const element = html("button", { type: "button", class: "km-button", title, "aria-label": label }, words);
      element.addEventListener("click", act);
      return element;
    };
    const [count = 0, total = 0] = this.model.get("_samples");
    for (let i = 0; i < count; i++) this.sample.append(html("option", { value: i }, `sample ${i + 1}`));
    this.sample.title = total > count ? `the first ${count} of ${total} samples` : "whose activations are shown";
    this.sample.addEventListener("change", () => this.shown && this.ask(this.shown));
    this.search.addEventListener("input", () => this.look());
    const nested = this.model.get("_scene").boxes.some((box) => box.nested);
    return html("div", { class: "km-graph-bar" },
      html("span", { class: "km-title", dir: "auto", title }, title),
      html("span", { class: "km-find" }, this.search, this.count),
      ...(count > 0 ? [this.sample] : []),
      ...(nested ? [button("Expand all", "Expand all models", () => this.expandAll(true)), button("Collapse all", "Collapse all models", () => this.expandAll(false))] : []),
      button("−", "Zoom out (−)", () => this.stage.zoomBy(0.8), "Zoom out"),
      button("+", "Zoom in (+)", () => this.stage.zoomBy(1.25), "Zoom in"),
      button("Fit", "Show everything, or as much as can be told apart (0)", () => this.stage.fit()),
      html("span", { class: "km-help", title: HELP, role: "note", "aria-label": HELP, tabindex: 0 }, "?"),
    );
  }

  // ---- expanding

  private toggle(id: string): void {
    const box = this.model.get("_scene").boxes.find((one) => one.id === id);
    if (!box?.nested) return;
    this.anchor = id;
    this.model.send({ type: "expand", ids: [id], open: box.kind !== "open" });
  }

  private expandAll(open: boolean): void {
    this.anchor = "";
    this.model.send({ type: "expand", ids: this.model.get("_names").map(([id]) => id), open });
  }

  private readonly redraw = (): void => {
    this.stage.draw(this.model.get("_scene"), this.anchor);
    this.showHits();
    if (this.wanted) this.jump(this.wanted);
  };

  // ---- searching

  private look(): void {
    this.found = find(this.model.get("_names"), this.search.value);
    this.at = -1;
    this.showHits();
  }

  private showHits(): void {
    const scene = this.model.get("_scene");
    this.stage.hits(new Set(this.found.map((id) => shownAs(scene, id) ?? "")));
    const number = this.found.length;
    const words = this.at >= 0 ? `${this.at + 1} of ${number}` : `${number} found`;
    say(this.count, this.search.value.trim() === "" ? "" : words);
  }

  private step(by: number): void {
    if (this.found.length === 0) return;
    this.at = this.at < 0 ? (by > 0 ? 0 : this.found.length - 1) : (this.at + by + this.found.length) % this.found.length;
    this.showHits();
    this.jump(this.found[this.at]!);
  }

  /** Jumps to a layer, after the models around it have been expanded. */
  private jump(id: string): void {
    if (shownAs(this.model.get("_scene"), id) === id) {
      this.wanted = "";
      this.stage.jump(id);
      this.stage.mark(id);
    } else {
      this.wanted = id;
      this.anchor = "";
      this.model.send({ type: "reveal", id });
    }
  }

  // ---- details

  private choose(id: string): void {
    if (id === "") return;
    this.panel.hidden = false;
    this.stage.mark(id);
    this.ask(id);
  }

  private ask(id: string): void {
    const other = this.shown !== id;
    this.shown = id;
    if (other) this.fill(this.nameOf(id), html("p", { class: "km-quiet", role: "status" }, "…"));
    this.model.send({ type: "details", id, sample: Number(this.sample.value || 0) });
    window.clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => this.fill(this.nameOf(id), html("p", { class: "km-quiet", role: "status" }, "The kernel hasn't answered yet: it is busy, or gone.")), SLOW_MS);
  }

  private nameOf(id: string): string {
    return this.model.get("_names").find(([one]) => one === id)?.[1] ?? "";
  }

  private readonly receive = (message: FromKernel, buffers: DataView[] = []): void => {
    if (message.id !== this.shown) return;
    window.clearTimeout(this.waiting);
    if (message.type === "error") this.fill(this.nameOf(message.id), html("p", { class: "km-error", role: "alert" }, message.text));
    else this.fill(message.name, detailsElement(message, buffers), message);
  };

  private fill(name: string, body: HTMLElement, told?: Details): void {
    const close = html("button", { type: "button", class: "km-button", "aria-label": "Close the details", title: "Close (Esc)" }, "×");
    close.addEventListener("click", () => this.hide());
    const refresh = html("button", { type: "button", class: "km-button", "aria-label": "Read the values again", title: "Read the values again" }, "↻");
    refresh.addEventListener("click", () => this.ask(this.shown));
    const hadFocus = this.panel.contains(document.activeElement) ? document.activeElement?.getAttribute("aria-label") : null;
    const scrolled = this.panel.querySelector(".km-details-body")?.scrollTop ?? 0;
    this.panel.replaceChildren(
      html("header", {},
        html("span", { class: "km-details-title" }, html("b", { dir: "auto", title: name }, name), html("span", { class: "km-quiet" }, told?.class_name ?? "")),
        refresh, close),
      body,
    );
    if (told && scrolled) body.scrollTop = scrolled;
    if (hadFocus) this.panel.querySelector<HTMLElement>(`[aria-label="${hadFocus}"]`)?.focus();
  }

  private hide(): void {
    this.panel.hidden = true;
    this.stage.mark("");
    const id = this.shown;
    this.shown = "";
    window.clearTimeout(this.waiting);
    this.stage.focus(id);
  }

  private key(event: KeyboardEvent): void {
    const searching = event.target === this.search;
    if (event.key === "Enter" && searching) this.step(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape" && searching && this.search.value) {
      this.search.value = "";
      this.look();
    } else if (event.key === "Escape" && searching) this.stage.focus();
    else if (event.key === "Escape" && !this.panel.hidden) this.hide();
    else if (event.key === "/" && !searching) this.search.focus();
    else {
      event.stopPropagation(); // a notebook's own keys: not while the focus is in here
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

function legend(model: Model): HTMLElement {
  const entries = model.get("_families").map(([key, words]) => html("span", { class: `km-of-${key}` }, html("i"), words));
  return html("div", { class: "km-graph-legend" }, ...entries, html("span", {}, model.get("_note")));
}
