// The messages between a panel in the browser and the Python object behind it.
// Python's half: kernelmodel/notebook/run_state.py (to the browser), controls.py (from the browser).

/** A number, or a word for what JSON has no number for: "NaN", "Infinity", "-Infinity". */
export type Wire = number | string;

/** x in epochs (1.5 is the middle of the second), y the metric's value. */
export type Points = [Wire[], Wire[]];

/** within: after each batch; train and val: at the end of each epoch. */
export type Kind = "within" | "train" | "val";

export type Curves = Record<string, Partial<Record<Kind, Points>>>;

export interface Progress {
  status: "waiting" | "running" | "stopping" | "stopped" | "done" | "failed";
  note: string;
  epoch: number;
  epochs: number | null;
  step: number;
  steps: number | null;
  validating: boolean;
  elapsed: number;
  remaining: number | null;
  rate: number | null;
  unit: string;
  latest: Record<string, Wire>;
}

export type FromKernel =
  | { type: "snapshot"; curves: Curves; progress: Progress }
  | { type: "append"; curves: Curves; progress: Progress }
  | { type: "heard"; control: string };

export type ToKernel = { type: "hello" } | { type: "control"; control: string; value?: unknown };

/** The part of anywidget's model that the panel uses. */
export interface Model {
  get(name: string): unknown;
  send(content: ToKernel): void;
  on(event: string, callback: (message: FromKernel) => void): void;
  off(event: string, callback: (message: FromKernel) => void): void;
  widget_manager?: { kernel?: { interrupt?: () => Promise<void> } };
}
