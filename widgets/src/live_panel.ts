// The live panel of a running fit. Python's half: kernelmodel/notebook/live_panel.py.
import { html, say } from "./dom";
import { clock, short } from "./format";
import { Plot } from "./plot";
import type { Model, Progress } from "./protocol";
import { RunStore } from "./store";

const HEARD_WITHIN_MS = 1000;
class Bar {
  readonly element = html("div", { class: "km-bar-row" });
  private readonly words = html("span", { class: "km-bar-words" });
  private readonly inner = html("div", { class: "km-bar-inner" });
  private readonly outer: HTMLElement;

  constructor(private readonly name: string) {
    this.outer = html("div", { class: "km-bar", role: "progressbar", "aria-label": name, "aria-valuemin": 0 }, this.inner);
    this.element.append(this.words, this.outer);
  }

  show(done: number, of: number | null, part: number): void {
    say(this.words, of === null ? `${this.name} ${done}` : `${this.name} ${done} of ${of}`);
    this.outer.setAttribute("aria-valuenow", String(done));
    if (of !== null) this.outer.setAttribute("aria-valuemax", String(of));
    this.outer.classList.toggle("km-unknown", of === null);
    this.inner.style.transform = `scaleX(${Math.max(0, Math.min(1, part)).toFixed(4)})`;
  }
}

class Panel {
  private readonly title = html("span", { class: "km-title" });
  private readonly note = html("span", { class: "km-note", role: "status" });
  private readonly stop = html("button", { class: "km-button", type: "button", "aria-label": "Stop", title: "Stop after this batch" }, "Stop");
  private readonly epoch = new Bar("Epoch");
  private readonly step = new Bar("Step");
  private readonly times = html("div", { class: "km-times" });
  private readonly legend = legend();
  private readonly grid = html("div", { class: "km-plots" });
  private readonly plots = new Map<string, Plot>();
  private readonly ticking: number;
  private readonly quit: () => void;
  private frame = 0;
  private asked = 0;

  constructor(
    private readonly model: Model,
    private readonly store: RunStore,
    private readonly root: HTMLElement,
  ) {
    root.classList.add("km-panel");
    const name = String(model.get("_title"));
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", `Training of ${name}`);
    say(this.title, name);
    root.append(
      html("div", { class: "km-head" }, this.title, this.note, this.stop),
      html("div", { class: "km-bars" }, this.epoch.element, this.step.element, this.times),
      this.legend,
      this.grid,
    );
    this.stop.addEventListener("click", () => this.askToStop());
    this.quit = store.listen(() => this.schedule());
    this.ticking = window.setInterval(() => this.store.progress && this.showTimes(this.store.progress), 500);
    this.draw();
  }

  close(): void {
    this.quit();
    window.clearInterval(this.ticking);
    window.cancelAnimationFrame(this.frame);
  }

  private schedule(): void {
    if (this.frame) return;
    this.frame = window.requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private askToStop(): void {
    this.asked = performance.now();
    this.store.heard.delete("stop");
    this.model.send({ type: "control", control: "stop" });
    this.draw();
    window.setTimeout(() => this.insist(), HEARD_WITHIN_MS);
  }

  /** Where the kernel cannot hear a click while it works, its interrupt ends the training as cleanly. */
  private insist(): void {
    if (this.store.heard.has("stop") || !this.running()) return;
    const interrupt = this.model.widget_manager?.kernel?.interrupt;
    if (this.model.get("_hears_while_busy") === false && interrupt) {
      void interrupt.call(this.model.widget_manager!.kernel);
    } else {
      say(this.note, "No answer yet. Interrupting the kernel also stops cleanly.");
    }
  }

  private running(): boolean {
    const status = this.store.progress?.status;
    return status === "running" || status === "stopping";
  }

  private draw(): void {
    const progress = this.store.progress;
    const stopping = this.asked > 0 || progress?.status === "stopping";
    this.stop.disabled = stopping || !this.running();
    if (!progress) {
      say(this.note, "Waiting for the kernel…");
      return;
    }
    this.root.dataset["status"] = progress.status;
    say(this.note, progress.note || (stopping && this.running() ? "Stopping after this batch…" : STATUS[progress.status]));
    const within = progress.steps ? progress.step / progress.steps : 0;
    this.epoch.show(progress.epoch, progress.epochs, progress.epochs ? (progress.epoch - 1 + within) / progress.epochs : 0);
    this.step.show(progress.step, progress.steps, within);
    this.showTimes(progress);
    this.drawPlots(progress);
  }

  private showTimes(progress: Progress): void {
    const since = this.running() ? (performance.now() - this.store.arrived) / 1000 : 0;
    const parts = [`${clock(progress.elapsed + since)} elapsed`];
    if (progress.remaining !== null && this.running()) parts.push(`about ${clock(progress.remaining - since)} left`);
    if (progress.rate !== null) parts.push(`${short(progress.rate)} ${progress.unit}/s`);
    if (progress.validating) parts.push("validating");
    say(this.times, parts.join(" · "));
  }

  private drawPlots(progress: Progress): void {
    let validation = false;
    for (const [metric, curves] of this.store.curves) {
      let plot = this.plots.get(metric);
      if (!plot) {
        plot = new Plot(metric);
        this.plots.set(metric, plot);
        this.grid.append(plot.element);
      }
      validation ||= curves.val !== undefined;
      const latest = (name: string) => Number(progress.latest[name] ?? NaN);
      plot.draw(curves, progress.epochs, { train: latest(metric), val: latest(`val_${metric}`) });
    }
    this.legend.classList.toggle("km-validated", validation);
  }
}

const STATUS: Record<Progress["status"], string> = {
  waiting: "Waiting",
  running: "Training",
  stopping: "Stopping after this batch…",
  stopped: "Stopped",
  done: "Done",
  failed: "Failed",
};

function legend(): HTMLElement {
  const entry = (kind: string, words: string) =>
    html("span", { class: `km-key km-key-${kind}` }, html("i", { class: `km-swatch-${kind}` }), words);
  return html(
    "div",
    { class: "km-legend" },
    entry("train", "training"),
    entry("within", "training, within the epoch"),
    entry("val", "validation"),
  );
}

/** anywidget calls this once a model: however many views are open, the history is kept, and asked for, once. */
export default () => {
  const store = new RunStore();
  return {
    initialize({ model }: { model: Model }): void {
      model.on("msg:custom", (message) => store.receive(message));
      model.send({ type: "hello" });
    },
    render({ model, el }: { model: Model; el: HTMLElement }): () => void {
      const panel = new Panel(model, store, el);
      return () => panel.close();
    },
  };
};
