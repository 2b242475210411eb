// Questions to the kernel, one at a time: what changes while one is open goes into the next.

/** Asks only when the last answer is there, so that a slow kernel is never behind the hand. */
export class Pace {
  private open: number | null = null;
  private sentAt = 0;
  private again = false;
  private id = 0;

  constructor(
    private readonly send: (id: number) => void,
    private readonly patience = 4000,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Something has changed: ask, now or after the open question. */
  ask(): void {
    if (this.open !== null && this.now() - this.sentAt < this.patience) {
      this.again = true;
      return;
    }
    this.again = false;
    this.open = ++this.id;
    this.sentAt = this.now();
    this.send(this.id);
  }

  /** An answer has come; returns whether it is to the newest question, or of the kernel's own accord. */
  answered(id: number): boolean {
    if (id < this.id) return false;
    if (this.open === id) this.open = null;
    if (this.again) this.ask();
    return true;
  }

  /** How long the open question has waited, in milliseconds. */
  get waiting(): number {
    return this.open === null ? 0 : this.now() - this.sentAt;
  }
}
