// What all views of one playground share: the inputs as they are set, and the newest answer.
import { Pace } from "./pace";
import type { FromKernel, GroupSpec, Model, Numbers, PartSpec } from "./playground_protocol";

const SLOW_MS = 1500;

export class PlaygroundStore {
  readonly title: string;
  readonly parts: PartSpec[];
  readonly groups: GroupSpec[];
  readonly inputs: Float32Array[] = [];
  readonly start: Float32Array;
  readonly samples: Float32Array[];
  numbers: Numbers;
  note = "";
  failed = false;
  private readonly values: Float32Array;
  private readonly pace: Pace;
  private readonly listeners = new Set<() => void>();
  private sample = 0;

  constructor(model: Model) {
    this.title = String(model.get("_title"));
    this.parts = model.get("_parts") as PartSpec[];
    this.groups = model.get("_outputs") as GroupSpec[];
    this.numbers = model.get("_numbers") as Numbers;
    this.start = floats(model.get("_start"));
    this.values = this.start.slice();
    let at = 0;
    for (const part of this.parts) this.inputs.push(this.values.subarray(at, (at += part.count)));
    const all = floats(model.get("_samples"));
    this.samples = Array.from({ length: Math.floor(all.length / at) }, (_, i) => all.subarray(i * at, (i + 1) * at));
    this.pace = new Pace((id) => model.send({ type: "inputs", id }, undefined, [this.values.slice().buffer]));
    model.on("msg:custom", (message) => this.receive(message));
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The inputs were moved: show them in all views, and ask for the prediction. */
  moved(): void {
    this.pace.ask();
    this.tell();
    window.setTimeout(() => this.tellIfSlow(), SLOW_MS);
  }

  /** Sets all inputs to a sample, another one each time; or to the start. */
  put(values: Float32Array): void {
    this.values.set(values);
    this.moved();
  }

  nextSample(): void {
    const next = this.samples[this.sample++ % this.samples.length];
    if (next) this.put(next);
  }

  receive(message: FromKernel): void {
    if (!this.pace.answered(message.id)) return;
    this.failed = message.type === "error";
    if (message.type === "error") {
      this.note = message.text;
    } else {
      this.numbers = message.numbers;
      this.note = message.step === null ? "" : `training, step ${message.step}`;
    }
    this.tell();
  }

  private tellIfSlow(): void {
    if (this.pace.waiting < SLOW_MS) return;
    this.note = "Waiting for the kernel…";
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** The floats in the bytes of a widget's trait. */
function floats(bytes: unknown): Float32Array {
  const view = bytes as DataView | null;
  if (!view?.byteLength) return new Float32Array(0);
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}
