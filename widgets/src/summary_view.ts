// A live summary: a tree of layers as a grid, what is measured of each while training, warnings in words.
import { html, say } from "./dom";
import { type Cell, type Column, columnsOf, type Facts, leastWidth, type Tab } from "./summary_columns";
import type { Measured, Model, Row, State, Warning } from "./summary_protocol";
import { inSight, Tree } from "./summary_tree";

const ROW = 30; // pixels; the style sheet knows it too
const ROWS_IN_SIGHT = 15;
const SLOW_MS = 3000;
const MOST_WARNINGS = 6;

/** What stays when a front end draws the output anew. */
export class SummaryStore {
  readonly tree: Tree;
  tab: Tab | "" = ""; // "" until a person has chosen
  active = "";
  top = 0;
  focused = false;

  constructor(model: Model) {
    this.tree = new Tree(model.get("_rows"), model.get("_expanded"));
  }
}

interface Shown {
  element: HTMLElement;
  cells: Cell[];
}

let views = 0;

export class SummaryView {
  readonly element: HTMLElement;
  private readonly id = `km-summary-${Date.now().toString(36)}-${++views}`;
  private readonly note = html("span", { class: "km-note" });
  private readonly tabs: Record<string, HTMLButtonElement>;
  private readonly head = html("div", { class: "km-row km-head-row", role: "row" });
  private readonly body = html("div", { class: "km-body", role: "rowgroup" });
  private readonly box: HTMLElement;
  private readonly waiting = html("p", { class: "km-waiting", role: "status", hidden: "" });
  private readonly totals = html("div", { class: "km-totals" });
  private readonly warnings = html("ul", { class: "km-warnings", hidden: "" });
  private readonly voice = html("div", { class: "km-voice", role: "status" });
  private readonly sizes: ResizeObserver;
  private columns: Column[] = [];
  private tab: Tab | "" = "";
  private shown = new Map<string, Shown>();
  private visible: Row[] = [];
  private asked = 0;
  private frame = 0;

  constructor(private readonly model: Model, private readonly store: SummaryStore) {
    const title = model.get("_title");
    const tab = (name: Tab, words: string) => this.button(words, () => this.choose(name));
    this.tabs = { structure: tab("structure", "Structure"), training: tab("training", "Training") };
    const folds = store.tree.hasNested
      ? [this.button("Expand all", () => this.fold(true)), this.button("Collapse all", () => this.fold(false))]
      : [];
    this.box = html("div", { class: "km-box", role: "treegrid", tabindex: 0, "aria-label": `Layers of ${title}` }, this.head, this.body);
    this.box.style.maxHeight = `${ROW * (ROWS_IN_SIGHT + 1) + 1}px`;
    this.element = html("div", { class: "km-summary", role: "group", "aria-label": `Summary of ${title}`, "data-lm-suppress-shortcuts": "true" },
      html("div", { class: "km-head" },
        html("span", { class: "km-title", dir: "auto", title }, title), this.note, ...folds,
        html("span", { class: "km-tabs", role: "group", "aria-label": "Columns" }, ...Object.values(this.tabs))),
      this.waiting, this.box, this.warnings, this.totals, this.voice);
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("focus", () => this.enter());
    this.box.addEventListener("click", (event) => this.click(event));
    this.box.addEventListener("scroll", () => this.scrolled());
    this.element.addEventListener("keydown", (event) => event.stopPropagation()); // the notebook's own keys: not in here
    this.element.addEventListener("focusin", () => (store.focused = true));
    this.element.addEventListener("focusout", () => window.setTimeout(() => this.left()));
    this.sizes = new ResizeObserver(() => this.schedule());
    this.sizes.observe(this.box);
    model.on("change:_state", this.schedule);
    model.on("change:_measured", this.schedule);
    model.send({ type: "open", view: this.id });
    this.schedule();
  }

  close(): void {
    this.model.off("change:_state", this.schedule);
    this.model.off("change:_measured", this.schedule);
    this.sizes.disconnect();
    window.cancelAnimationFrame(this.frame);
    window.clearTimeout(this.asked);
    try {
      this.model.send({ type: "closed", view: this.id });
    } catch {
      // The kernel is gone, and needs no goodbye.
    }
  }

  private button(words: string, act: () => void): HTMLButtonElement {
    const element = html("button", { type: "button", class: "km-button" }, words);
    element.addEventListener("click", act);
    return element;
  }

  // ---- drawing

  private readonly schedule = (): void => {
    this.frame ||= window.requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  };

  private draw(): void {
    const first = this.visible.length === 0;
    this.layOut();
    this.visible = this.store.tree.visible();
    this.body.style.height = `${this.visible.length * ROW}px`;
    this.box.setAttribute("aria-rowcount", String(this.visible.length + 1));
    if (first) {
      this.box.scrollTop = this.store.top;
      if (this.store.focused && document.activeElement?.contains(this.element)) this.box.focus({ preventScroll: true });
    }
    this.drawRows();
    const state = this.model.get("_state");
    const measured = this.model.get("_measured");
    this.totals.replaceChildren(...(state.totals ?? []).map((line) => html("div", {}, line)));
    this.drawWaiting(state);
    this.drawMeasured(measured);
  }

  /** Chooses the columns: all where there is room, else those of the tab. */
  private layOut(): void {
    const connected = this.model.get("_connected");
    const trained = this.model.get("_measured").step !== undefined;
    const wide = trained && this.box.clientWidth >= leastWidth(columnsOf("both", connected));
    const tab: Tab = wide ? "both" : this.store.tab || (trained ? "training" : "structure");
    for (const [name, button] of Object.entries(this.tabs)) {
      button.setAttribute("aria-pressed", String(name === tab));
      button.parentElement!.hidden = wide;
    }
    if (tab === this.tab) return;
    this.tab = tab;
    this.columns = columnsOf(tab, connected);
    this.element.style.setProperty("--km-columns", this.columns.map((column) => column.width).join(" "));
    this.element.style.setProperty("--km-least", `${leastWidth(this.columns)}px`);
    this.head.replaceChildren(...this.columns.map((column) =>
      html("span", { role: "columnheader", title: column.hint, class: column.right ? "km-right" : "" }, column.title)));
    this.body.replaceChildren();
    this.shown.clear();
  }

  private drawRows(): void {
    const [begin, end] = inSight(this.box.scrollTop, this.box.clientHeight || ROW * ROWS_IN_SIGHT, ROW, this.visible.length);
    const wanted = new Set(this.visible.slice(begin, end).map((row) => row[0]));
    for (const [id, one] of this.shown) {
      if (wanted.has(id)) continue;
      one.element.remove();
      this.shown.delete(id);
    }
    const state = this.model.get("_state");
    const numbers = this.model.get("_measured").rows ?? {};
    const waiting = new Set(state.waiting ?? []);
    for (let i = begin; i < end; i++) {
      const row = this.visible[i]!;
      const id = row[0];
      const facts: Facts = { row, open: this.store.tree.open.has(id), trainable: state.trainable?.[id], waiting: waiting.has(id), numbers: numbers[id] };
      let one = this.shown.get(id);
      if (one === undefined) {
        one = this.make(facts);
        this.shown.set(id, one);
        this.body.append(one.element);
      }
      one.element.style.transform = `translateY(${i * ROW}px)`;
      one.element.setAttribute("aria-rowindex", String(i + 2));
      if (row[2]) one.element.setAttribute("aria-expanded", String(facts.open));
      one.element.classList.toggle("km-active", id === this.store.active);
      one.element.classList.toggle("km-troubled", (facts.numbers?.kinds.length ?? 0) > 0);
      for (const cell of one.cells) cell.update(facts);
    }
    const active = this.shown.get(this.store.active);
    if (active) this.box.setAttribute("aria-activedescendant", active.element.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  private make(facts: Facts): Shown {
    const cells = this.columns.map((column) => column.cell(facts));
    const element = html("div", { class: "km-row", role: "row", id: `${this.id}-${facts.row[0].replaceAll("/", "_")}`, "aria-level": facts.row[1] + 1 },
      ...cells.map((cell, i) => html("div", { role: "gridcell", class: this.columns[i]!.right ? "km-right" : "" }, cell.element)));
    element.dataset.row = facts.row[0];
    return { element, cells };
  }

  private drawWaiting(state: State): void {
    const names = (state.waiting ?? []).map((id) => this.store.tree.row(id)?.[3] ?? "").filter((name) => name !== "");
    this.waiting.hidden = names.length === 0;
    const listed = names.length > 4 ? `${names.slice(0, 4).join(", ")} and ${names.length - 4} more` : names.join(", ");
    say(this.waiting, names.length ? `${listed}: changed after compile(). Training goes on as the model was compiled; call compile() again for the change to count.` : "");
  }

  private drawMeasured(measured: Measured): void {
    const words = measured.step === undefined ? "" : `step ${measured.step.toLocaleString("en")}`;
    say(this.note, measured.note ? `${words} · ${measured.note}` : words);
    this.note.title = this.note.textContent ?? "";
    const found = measured.warnings ?? [];
    this.warnings.hidden = found.length === 0;
    found.slice(0, MOST_WARNINGS).forEach((warning, i) => this.drawWarning(warning, i));
    const more = found.length - MOST_WARNINGS;
    if (more > 0) this.line(MOST_WARNINGS).replaceChildren(`and ${more} more: see the rows marked ▲`);
    while (this.warnings.children.length > Math.min(found.length, MOST_WARNINGS + 1)) this.warnings.lastElementChild!.remove();
    // Spoken when a warning comes or goes, not whenever a number in it changes.
    say(this.voice, found.map((warning) => `${warning.path}: ${warning.kind}`).join("; "));
  }

  private line(i: number): HTMLElement {
    const there = this.warnings.children[i] as HTMLElement | undefined;
    if (there) return there;
    const made = html("li");
    this.warnings.append(made);
    return made;
  }

  private drawWarning(warning: Warning, i: number): void {
    const line = this.line(i);
    const key = `${warning.path} ${warning.kind}`;
    if (line.dataset.key !== key) {
      line.dataset.key = key;
      const name = html("button", { type: "button", class: "km-link", title: "Show this layer", dir: "auto" }, warning.path);
      name.addEventListener("click", () => this.jump(warning.path));
      line.replaceChildren("▲ ", name, " ", html("b", {}, warning.kind), html("span"), html("span", { class: "km-quiet" }, ` ${warning.remedy}`));
    }
    say(line.querySelector("span")!, `: ${warning.words}.`);
  }

  // ---- acting

  private choose(tab: Tab): void {
    this.store.tab = tab;
    this.draw();
  }

  private fold(open: boolean): void {
    if (open) this.store.tree.openAll();
    else this.store.tree.open.clear();
    this.draw();
  }

  /** Notes that the focus has gone elsewhere, but not if the front end took the element away under it. */
  private left(): void {
    if (this.element.isConnected && !this.element.contains(document.activeElement)) this.store.focused = false;
  }

  private enter(): void {
    if (this.store.active !== "") return;
    this.store.active = this.visible[0]?.[0] ?? "";
    this.drawRows();
  }

  private activate(id: string): void {
    this.store.active = id;
    this.draw();
    const at = this.visible.findIndex((row) => row[0] === id);
    if (at < 0) return;
    const above = at * ROW;
    const room = this.box.clientHeight - ROW;
    if (above < this.box.scrollTop) this.box.scrollTop = above;
    else if (above + ROW > this.box.scrollTop + room) this.box.scrollTop = above + ROW - room;
    this.drawRows();
  }

  /** Goes to a layer by the names that lead to it. */
  private jump(path: string): void {
    const names: string[] = [];
    for (const row of this.store.tree.rows) {
      names.length = row[1];
      names.push(row[3]);
      if (names.join("/") !== path) continue;
      this.store.tree.reveal(row[0]);
      this.activate(row[0]);
      this.box.focus({ preventScroll: true });
      return;
    }
  }

  private scrolled(): void {
    this.store.top = this.box.scrollTop;
    this.drawRows();
  }

  private click(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    const id = target.closest<HTMLElement>("[data-row]")?.dataset.row;
    if (id === undefined) return;
    if (target.closest("[data-switch]")) this.flip(id);
    else if (target.closest<HTMLElement>("[data-toggle]")?.dataset.toggle) this.store.tree.toggle(id);
    this.activate(id);
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { tree } = this.store;
    const id = this.store.active;
    if (event.key === "Enter") {
      if (!tree.toggle(id)) return;
      this.activate(id);
    } else if (event.key === " ") {
      this.flip(id);
    } else {
      const before = tree.open.size;
      const next = tree.key(id, event.key, ROWS_IN_SIGHT - 1);
      if (!/^(Arrow|Page|Home|End)/.test(event.key)) return;
      if (next !== id || before !== tree.open.size) this.activate(next);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private flip(id: string): void {
    if (!this.store.tree.row(id)?.[11]) return;
    const value = !(this.model.get("_state").trainable?.[id] ?? false);
    const button = this.shown.get(id)?.element.querySelector("[data-switch]");
    button?.setAttribute("aria-checked", String(value));
    this.model.send({ type: "trainable", id, value });
    window.clearTimeout(this.asked);
    this.asked = window.setTimeout(() => this.answered(id, value), SLOW_MS);
  }

  private answered(id: string, value: boolean): void {
    if (this.model.get("_state").trainable?.[id] === value) return;
    this.drawRows();
    say(this.note, "The kernel hasn't answered yet: it is busy, or gone.");
  }
}
