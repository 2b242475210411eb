// The buttons of a panel: pause, stop, save, restore.
import { html, say } from "./dom";
import type { Link } from "./link";
import type { Control, Progress } from "./protocol";

function button(text: string, title: string, css = ""): HTMLButtonElement {
  return html("button", { class: `km-button ${css}`.trim(), type: "button", title }, text);
}

export class Buttons {
  private readonly pause = button("Pause", "Wait after this batch", "km-while-open km-pause");
  private readonly afterEpoch = button("Stop after epoch", "Stop when this epoch and its validation have ended; press again to go on", "km-while-open");
  private readonly stop = button("Stop", "Stop after this batch", "km-while-open km-stop");
  private readonly save = button("Save", "Save the model as it is now to a .keras file");
  private readonly restore = button("Restore best", "");
  readonly element = html("div", { class: "km-buttons" }, this.pause, this.afterEpoch, this.stop, this.save, this.restore);
  private progress: Progress | null = null;

  constructor(private readonly link: Link) {
    const ask = (element: HTMLElement, control: () => Control, value?: () => unknown) =>
      element.addEventListener("click", () => link.ask(control(), value?.()));
    ask(this.pause, () => (this.progress?.status === "paused" ? "resume" : "pause"));
    ask(this.afterEpoch, () => "stop_after_epoch", () => !this.progress?.stop_after_epoch);
    ask(this.stop, () => "stop");
    ask(this.save, () => "save");
    ask(this.restore, () => "restore_best");
  }

  /** @param open whether the training has not ended; usable: whether the kernel hears what is asked. */
  show(progress: Progress, open: boolean, lost: boolean): void {
    this.progress = progress;
    const stopping = progress.status === "stopping";
    const usable = !lost && !(open && this.link.deaf);
    say(this.pause, progress.status === "paused" ? "Resume" : "Pause");
    this.pause.disabled = this.afterEpoch.disabled = !usable || stopping;
    this.afterEpoch.setAttribute("aria-pressed", String(progress.stop_after_epoch));
    this.stop.disabled = lost || stopping;
    this.save.disabled = !usable || !progress.can_save;
    this.restore.disabled = !usable || !progress.can_restore;
    this.restore.title = progress.too_large || (progress.best ? `Give the model the weights of epoch ${progress.best.epoch}` : "There is no best epoch yet");
  }
}
