// The messages between a panel in the browser and the Python object behind it.
// Python's half: kernelmodel/notebook/live_panel.py (to the browser), controls.py (from the browser).

/** A number, or a word for what JSON has no number for: "NaN", "Infinity", "-Infinity". */
export type Wire = number | string;

/** x in epochs (1.5 is the middle of the second), y the metric's value. */
export type Points = [Wire[], Wire[]];

/** within: after each batch; train and val: at the end of each epoch. */
export type Kind = "within" | "train" | "val";

export type Curves = Record<string, Partial<Record<Kind, Points>>>;

export interface Progress {
  status: "waiting" | "running" | "paused" | "stopping" | "stopped" | "done" | "failed";
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
  stop_after_epoch: boolean;
  learning_rate: Wire | null;
  rate_is_settable: boolean;
  best: { epoch: number; name: string; value: Wire } | null;
  can_restore: boolean;
  /** Why no weights are kept, or "". */
  too_large: string;
  can_save: boolean;
  /** The outcome of the last wish. */
  message: string;
  failed: boolean;
}

/** The epochs there are to go back to, with their values by name; told when the training has ended. */
export interface Kept {
  epochs: number[];
  values: Record<string, Wire[]>;
  /** Whether the last of them is the end of the training, with weights of its own. */
  ends_apart: boolean;
  /** Whose weights the model has. */
  at: number;
  memory: string;
}

/** What a notebook's file holds of an output. */
export type Bundle = Record<string, string>;

interface Told {
  curves: Curves;
  progress: Progress;
  kept?: Kept;
}

export type FromKernel =
  | ({ type: "snapshot"; earlier?: Curves[] } & Told)
  | ({ type: "append" } & Told)
  | { type: "still"; bundle: Bundle }
  | { type: "heard"; control: string };

export type Control = "stop" | "stop_after_epoch" | "pause" | "resume" | "learning_rate" | "save" | "restore_best" | "roll_back";

export type ToKernel = { type: "hello" } | { type: "control"; control: Control; value?: unknown };

/** The part of a kernel's connection that is used; front ends other than JupyterLab and Notebook may lack it. */
export interface Kernel {
  interrupt?: () => Promise<void>;
  statusChanged?: { connect(slot: (sender: unknown, status: string) => void): void };
}

/** The part of anywidget's model that the panel uses. */
export interface Model {
  get(name: string): unknown;
  send(content: ToKernel): void;
  on(event: "msg:custom", callback: (message: FromKernel) => void): void;
  on(event: `change:${string}`, callback: () => void): void;
  widget_manager?: { kernel?: Kernel; context?: unknown };
}
