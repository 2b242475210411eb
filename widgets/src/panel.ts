// The live panel, put together: progress, controls, plots.
import { Bar } from "./bar";
import { Buttons } from "./buttons";
import { Charts } from "./charts";
import { html, ownKeys, say } from "./dom";
import { clock, short, steady } from "./format";
import type { Link } from "./link";
import type { Kept, Progress } from "./protocol";
import { Rate } from "./rate";
import { Scrubber } from "./scrubber";
import type { RunStore } from "./store";

const STATUS: Record<Progress["status"], string> = {
  waiting: "Waiting",
  running: "Training",
  paused: "Paused: change what you like, then resume",
  stopping: "Stopping after this batch…",
  stopped: "Stopped",
  done: "Done",
  failed: "Failed",
};

function count(kept: Kept): string {
  const epochs = kept.epochs.length - Number(kept.ends_apart);
  return epochs === 1 ? "1 epoch" : `${epochs} epochs`;
}

export class Panel {
  private readonly note = html("span", { class: "km-note", role: "status" });
  private readonly epoch = new Bar("Epoch");
  private readonly step = new Bar("Step");
  private readonly times = html("span", { class: "km-times" });
  private readonly best = html("span", { class: "km-best-words" });
  private readonly buttons: Buttons;
  private readonly rate: Rate;
  private readonly scrubber: Scrubber;
  private readonly charts: Charts;
  private readonly ticking: number;
  private readonly quit: () => void;
  private frame = 0;

  constructor(
    name: string,
    private readonly link: Link,
    private readonly store: RunStore,
    private readonly root: HTMLElement,
  ) {
    this.charts = new Charts(store);
    this.buttons = new Buttons(link);
    this.rate = new Rate(link);
    this.scrubber = new Scrubber(link, (place) => this.charts.fix(place));
    root.classList.add("km-panel");
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", `Training of ${name}`);
    root.append(
      html("div", { class: "km-head" }, html("span", { class: "km-title", title: name }, name), this.buttons.element),
      html("div", { class: "km-bars" }, this.epoch.element, this.step.element),
      html("div", { class: "km-line" }, this.times, this.best),
      html("div", { class: "km-tools" }, html("div", { class: "km-either" }, this.rate.element, this.scrubber.element), this.charts.options),
      html("div", { class: "km-line" }, this.note),
      this.charts.legend,
      this.charts.grid,
    );
    ownKeys(root);
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

  private draw(): void {
    const progress = this.store.progress;
    if (!progress) {
      say(this.note, "Waiting for the kernel…");
      return;
    }
    const open = this.store.isOpen();
    const lost = this.store.lost;
    this.root.dataset["status"] = progress.status;
    this.root.classList.toggle("km-ended", !open);
    this.tell(progress, open);
    const within = progress.steps ? progress.step / progress.steps : 0;
    this.epoch.show(progress.epoch, progress.epochs, progress.epochs ? (progress.epoch - 1 + within) / progress.epochs : 0);
    this.step.show(progress.step, progress.steps, within);
    this.showTimes(progress);
    const best = progress.best;
    say(this.best, best ? `best: epoch ${best.epoch}, ${best.name} ${steady(Number(best.value))}` : "");
    this.buttons.show(progress, open, lost);
    this.rate.show(progress, open && !lost && !this.link.deaf);
    if (this.store.kept) this.scrubber.show(this.store.kept, !lost);
    this.charts.draw();
  }

  private tell(progress: Progress, open: boolean): void {
    const kept = this.store.kept;
    const parts = open && progress.message ? [] : [progress.note || STATUS[progress.status]];
    if (progress.message) parts.push(progress.message);
    else if (!open && kept && kept.epochs.length > 0) parts.push(`weights of ${count(kept)} kept (${kept.memory})`);
    else if (!open && progress.too_large) parts.push(progress.too_large);
    if (open && this.link.deaf) parts.push("this front end only takes Stop while a cell runs");
    const lost = "The kernel is gone; this is how far the training had come.";
    const text = this.store.lost ? lost : this.store.complaint || parts.join(" · ");
    say(this.note, text);
    this.note.title = text;
    this.note.classList.toggle("km-failed", progress.failed || progress.status === "failed" || this.store.lost);
  }

  private showTimes(progress: Progress): void {
    const moving = !this.store.lost && (progress.status === "running" || progress.status === "stopping");
    const since = moving ? (performance.now() - this.store.arrived) / 1000 : 0;
    const parts = [`${clock(progress.elapsed + since)} elapsed`];
    if (progress.remaining !== null && this.store.isOpen()) parts.push(`about ${clock(progress.remaining - since)} left`);
    if (progress.rate !== null) parts.push(`${short(progress.rate)} ${progress.unit}/s`);
    if (progress.validating && this.store.isOpen()) parts.push("validating");
    say(this.times, parts.join(" · "));
  }
}
