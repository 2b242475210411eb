// The columns of a summary: what each cell shows of a row, and how it is kept up to date.
import { html, say } from "./dom";
import { Sparkline } from "./sparkline";
import type { Bars, Numbers, Row } from "./summary_protocol";

export type Tab = "structure" | "training" | "both";

/** What a cell needs to know of its row at the moment. */
export interface Facts {
  row: Row;
  open: boolean;
  trainable: boolean | undefined;
  waiting: boolean;
  numbers: Numbers | undefined;
}

export interface Cell {
  element: HTMLElement;
  update(facts: Facts): void;
}

export interface Column {
  title: string;
  hint: string;
  width: string;
  least: number;
  tab: Tab;
  right?: boolean;
  cell(facts: Facts): Cell;
}

const ROOM = 18; // pixels by which a nested layer is indented
const GAP = 12; // pixels between columns; the style sheet knows it too

function text(of: (facts: Facts) => string): (facts: Facts) => Cell {
  return () => {
    const element = html("span", { class: "km-words", dir: "auto" });
    return {
      element,
      update(facts) {
        const words = of(facts);
        say(element, words);
        if (element.title !== words) element.title = words;
      },
    };
  };
}

function layer({ row }: Facts): Cell {
  const [, depth, nested, name, className] = row;
  const arrow = html("span", { class: "km-arrow", "aria-hidden": "true" });
  const element = html("span", { class: "km-layer", title: `${name} (${className})` },
    arrow,
    html("b", { dir: "auto" }, name),
    html("span", { class: "km-quiet" }, className),
  );
  element.style.paddingLeft = `${depth * ROOM}px`;
  arrow.dataset.toggle = nested ? "yes" : "";
  return { element, update: (facts) => say(arrow, nested ? (facts.open ? "▾" : "▸") : "") };
}

function trainable({ row }: Facts): Cell {
  if (!row[11]) return { element: html("span"), update: () => undefined };
  const button = html("button", { type: "button", class: "km-switch", role: "switch", tabindex: -1, "aria-label": `Train ${row[3]}`, "data-switch": "yes" }, html("i"));
  return {
    element: button,
    update(facts) {
      const words = facts.trainable ? "trainable" : "frozen";
      button.setAttribute("aria-checked", String(facts.trainable ?? false));
      button.classList.toggle("km-waits", facts.waiting);
      button.title = facts.waiting ? `${words} from the next compile() on` : words;
    },
  };
}

function spark(kind: "weights" | "gradients"): (facts: Facts) => Cell {
  return () => {
    const line = new Sparkline(kind);
    return {
      element: line.element,
      update(facts) {
        const [bars, low, high]: Bars = facts.numbers?.[kind] ?? ["", "", ""];
        line.draw(bars, low, high);
      },
    };
  };
}

function warnings(): Cell {
  const element = html("span", { class: "km-words km-warning" });
  return {
    element,
    update(facts) {
      const kinds = facts.numbers?.kinds ?? [];
      const words = kinds.length ? `▲ ${kinds.join(", ")}` : "";
      say(element, words);
      element.title = words;
    },
  };
}

const measured = (of: (numbers: Numbers) => string | undefined) => text((f) => (f.numbers ? of(f.numbers) ?? "" : ""));

const LAYER: Column = { title: "Layer", hint: "name and class", width: "minmax(150px, 3fr)", least: 150, tab: "both", cell: layer };

const COLUMNS: Column[] = [
  LAYER,
  { title: "Output shape", hint: "None is the batch", width: "minmax(100px, 1.3fr)", least: 100, tab: "structure", cell: text((f) => f.row[5]) },
  { title: "Parameters", hint: "numbers in its weights", width: "78px", least: 78, tab: "structure", right: true, cell: text((f) => f.row[6]) },
  { title: "Train", hint: "whether training changes its weights, from the next compile() on", width: "42px", least: 42, tab: "structure", cell: trainable },
  { title: "Weights", hint: "memory of its weights", width: "68px", least: 68, tab: "structure", right: true, cell: text((f) => f.row[7]) },
  { title: "Activations", hint: "memory of what it gives for one sample", width: "70px", least: 70, tab: "structure", right: true, cell: text((f) => f.row[8]) },
  { title: "FLOPs", hint: "floating-point operations for one sample; a multiplication and an addition count as two", width: "72px", least: 72, tab: "structure", right: true, cell: text((f) => f.row[9]) },
];

const CONNECTED: Column = { title: "Connected to", hint: "where its input comes from", width: "minmax(90px, 1.6fr)", least: 90, tab: "structure", cell: text((f) => f.row[10]) };

const TRAINING: Column[] = [
  { title: "Weights", hint: "histogram of its weights, without biases", width: "88px", least: 88, tab: "training", cell: spark("weights") },
  { title: "Gradients", hint: "histogram of their gradients", width: "88px", least: 88, tab: "training", cell: spark("gradients") },
  { title: "Gradient", hint: "norm of the gradient, before clipping", width: "70px", least: 70, tab: "training", right: true, cell: measured((n) => n.norm) },
  { title: "Update", hint: "change of the weights in a step, as a share of their norm; about 0.001 is usual", width: "70px", least: 70, tab: "training", right: true, cell: measured((n) => n.ratio) },
  { title: "Dead", hint: "share of the units that gave 0 for the whole batch (relu)", width: "52px", least: 52, tab: "training", right: true, cell: measured((n) => n.dead) },
  { title: "Saturated", hint: "share of the outputs near their limits (tanh, sigmoid, softmax)", width: "72px", least: 72, tab: "training", right: true, cell: measured((n) => n.saturated) },
  { title: "Warnings", hint: "what goes wrong; in words below", width: "minmax(110px, 2fr)", least: 110, tab: "training", cell: warnings },
];

/** The columns of a tab, in order. */
export function columnsOf(tab: Tab, connected: boolean): Column[] {
  const all = [...COLUMNS, ...(connected ? [CONNECTED] : []), ...TRAINING];
  return tab === "both" ? all : all.filter((column) => column.tab === tab || column.tab === "both");
}

/** The least width of all columns side by side, with the space between them. */
export function leastWidth(columns: Column[]): number {
  return columns.reduce((sum, column) => sum + column.least + GAP, 24 - GAP);
}
