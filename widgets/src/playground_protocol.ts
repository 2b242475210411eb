// What a playground's two halves tell each other. Python's half: kernelmodel/notebook/playground_live.py.
import type { Connection } from "./places";

export interface SliderSpec {
  name: string;
  low: number;
  high: number;
  step: number;
}

export type PartSpec = { name: string; count: number } & (
  | { kind: "sliders"; sliders: SliderSpec[] }
  | { kind: "pad"; rows: number; columns: number; dark_ink: boolean }
);

/** "bars" are probabilities; "image" are pixels from 0 to 255 in the shape (rows, columns, channels). */
export interface GroupSpec {
  name: string;
  kind: "bars" | "image" | "values";
  labels: string[];
  shape: number[];
}

/** null stands for what is no finite number. */
export type Numbers = (number | null)[][];

/** `step` is told when the model has changed by itself: it is being trained. */
export type FromKernel =
  | { type: "prediction"; id: number; numbers: Numbers; step: number | null }
  | { type: "error"; id: number; text: string };

export type ToKernel = { type: "inputs"; id: number } | { type: "open" | "closed"; view: string };

export interface Model extends Connection {
  get(name: string): unknown;
  send(content: ToKernel, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(event: string, callback: (message: FromKernel) => void): void;
}
