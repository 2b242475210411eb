// What a panel asks of the kernel, and what it does when no answer comes.
import type { Control, Kernel, Model } from "./protocol";
import type { RunStore } from "./store";

const HEARD_WITHIN_MS = 1000;
const GONE = new Set(["restarting", "autorestarting", "terminating", "dead"]);

export class Link {
  private readonly kernel: Kernel | undefined;

  constructor(
    private readonly model: Model,
    private readonly store: RunStore,
  ) {
    model.on("msg:custom", (message) => store.receive(message));
    this.kernel = model.widget_manager?.kernel;
    this.kernel?.statusChanged?.connect((_, status) => GONE.has(status) && store.lose());
    model.send({ type: "hello" });
  }

  /** Whether a click reaches the kernel only when the running cell has ended. */
  get deaf(): boolean {
    return this.model.get("_hears_while_busy") === false;
  }

  ask(control: Control, value?: unknown): void {
    this.store.heard.delete(control);
    this.model.send({ type: "control", control, value });
    window.setTimeout(() => this.insist(control), HEARD_WITHIN_MS);
  }

  /** Where the kernel cannot hear a click while it works, its interrupt ends the training as cleanly. */
  private insist(control: Control): void {
    if (this.store.lost || this.store.heard.has(control)) return;
    if (control === "stop" && this.deaf && this.kernel?.interrupt && this.store.isOpen()) void this.kernel.interrupt();
    else this.store.complain(`No answer yet.${this.store.isOpen() ? " Interrupting the kernel also stops cleanly." : ""}`);
  }
}
