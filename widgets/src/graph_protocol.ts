// What goes between a graph view in the browser and the Python object behind it.
// Python's half: kernelmodel/notebook/graph/ (scene_data.py, view.py, details.py, rasters.py).

/** A layer in its place; of an open one, its layers come after it. An output only has text. */
export interface Box {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
  lines: string[];
  kind: "closed" | "open" | "output";
  family: string;
  nested: boolean;
  spoken: string;
}

export interface Wire {
  source: string;
  target: string;
  path: string;
  /** "" where it is only a guess that data goes this way. */
  tip: string;
  label: string;
  at: [number, number];
  shape: string;
}

export interface Scene {
  width: number;
  height: number;
  boxes: Box[];
  wires: Wire[];
}

/** Images of one size on one scale; `data` is the number of a buffer: count x height x width bytes. */
export interface Tiles {
  kind: "tiles";
  count: number;
  of: number;
  height: number;
  width: number;
  channels: number;
  low: number;
  high: number;
  signed: boolean;
  data: number;
}

export interface Bars {
  kind: "bars";
  values: number[];
}

/** Of an array without a finite value, only `size` and `bad` are there. */
export interface Statistics {
  size: number;
  bad: number;
  low?: number;
  high?: number;
  mean?: number;
  std?: number;
  counts?: number[];
  edges?: [number, number];
}

export interface Values {
  shape: string;
  statistics: Statistics;
  picture: Tiles | Bars | null;
}

export interface Details {
  type: "details";
  id: string;
  name: string;
  class_name: string;
  family: string;
  facts: [string, string][];
  config: [string, string][];
  weights: (Values & { name: string; dtype: string; trained: boolean })[];
  more_weights: number;
  activations: { sample: number; shown: (Values & { title: string })[] } | null;
}

export type FromKernel = Details | { type: "error"; id: string; text: string };

export type ToKernel =
  | { type: "expand"; ids: string[]; open: boolean }
  | { type: "reveal"; id: string }
  | { type: "details"; id: string; sample: number };

/** id, name, class: of all layers, also of those in models that are not expanded. */
export type Name = [string, string, string];

/** key, what the legend calls it: of the families that the model has layers of. */
export type Family = [string, string];

/** The part of anywidget's model that the view uses. */
export interface Model {
  get(name: "_key" | "_title" | "_note"): string;
  get(name: "_scene"): Scene;
  get(name: "_names"): Name[];
  get(name: "_families"): Family[];
  get(name: "_samples"): number[];
  get(name: "_height"): number;
  send(content: ToKernel): void;
  on(event: string, callback: (...args: never[]) => void): void;
  off(event: string, callback: (...args: never[]) => void): void;
}
