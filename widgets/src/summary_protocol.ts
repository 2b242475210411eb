// What a live summary's two halves tell each other. Python's half: kernelmodel/notebook/summary/.
import type { Connection } from "./places";

/** id, depth, nested, name, class, output shape, parameters, bytes of weights, of activations, FLOPs, inputs, switchable. */
export type Row = [string, number, boolean, string, string, string, string, string, string, string, string, boolean];

export interface State {
  /** Of the layers with weights, by id. */
  trainable?: Record<string, boolean>;
  /** Ids of those whose flag counts only from the next compile() on. */
  waiting?: string[];
  totals?: string[];
}

/** Heights of the bars as digits of base 36; the ends of the range. */
export type Bars = [string, string, string];

/** Of a nested model only `norm` and `kinds` are there. */
export interface Numbers {
  weights?: Bars | null;
  gradients?: Bars | null;
  norm: string;
  ratio?: string;
  dead?: string;
  saturated?: string;
  kinds: string[];
}

export interface Warning {
  path: string;
  kind: string;
  words: string;
  remedy: string;
}

/** {} before anything was measured. */
export interface Measured {
  step?: number;
  note?: string;
  rows?: Record<string, Numbers>;
  warnings?: Warning[];
}

export type ToKernel = { type: "trainable"; id: string; value: boolean } | { type: "open" | "closed"; view: string };

/** The part of anywidget's model that the view uses. */
export interface Model extends Connection {
  get(name: "_key" | "_title"): string;
  get(name: "_rows"): Row[];
  get(name: "_connected" | "_expanded"): boolean;
  get(name: "_state"): State;
  get(name: "_measured"): Measured;
  send(content: ToKernel): void;
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
}
