// A playground: inputs to move, and the model's prediction. Python's half: kernelmodel/notebook/playground.py.
import { Answers, spoken } from "./answers";
import { html, ownKeys, say } from "./dom";
import { ImageAnswer } from "./image_answer";
import { button, Pad } from "./pad";
import { openPlaces } from "./places";
import type { Model, PartSpec } from "./playground_protocol";
import { PlaygroundStore } from "./playground_store";
import { Sliders } from "./sliders";

const REST_MS = 700; // so long must the hand rest before the answer is spoken
let views = 0;

class PlaygroundView {
  readonly element: HTMLElement;
  private readonly note = html("span", { class: "km-note" });
  private readonly voice = html("div", { class: "km-voice", role: "status" });
  private readonly inputs: (Pad | Sliders)[] = [];
  private readonly answers: (Answers | ImageAnswer)[];
  private readonly quit: () => void;
  private readonly id = `${Date.now().toString(36)}-${++views}`;
  private frame = 0;
  private rest = 0;

  constructor(
    private readonly model: Model,
    private readonly store: PlaygroundStore,
  ) {
    const left = html("div", { class: "km-inputs" });
    store.parts.forEach((part, i) => left.append(...this.partOf(part, i)));
    const only = this.inputs.length === 1 ? this.inputs[0] : undefined;
    const buttons = only instanceof Pad ? only.buttons : html("div", { class: "km-buttons" });
    if (store.samples.length) buttons.append(button("Next sample", () => store.nextSample()));
    if (store.parts.some((part) => part.kind === "sliders")) {
      buttons.append(button("Reset", () => store.put(store.start)));
    }
    if (buttons.children.length && !buttons.parentElement) left.append(buttons);
    this.answers = store.groups.map((group) => (group.kind === "image" ? new ImageAnswer(group) : new Answers(group)));
    const right = html("div", { class: "km-outputs" }, ...this.answers.map((one) => one.element));
    const title = html("span", { class: "km-title" }, store.title);
    this.element = html(
      "div",
      { class: "km-play", role: "group", "aria-label": `Playground of ${store.title}` },
      html("div", { class: "km-head" }, title, this.note),
      html("div", { class: "km-halves" }, left, right),
      this.voice,
    );
    ownKeys(this.element);
    this.quit = store.listen(() => this.schedule());
    model.send({ type: "open", view: this.id });
    this.draw();
  }

  close(): void {
    this.quit();
    window.cancelAnimationFrame(this.frame);
    window.clearTimeout(this.rest);
    try {
      this.model.send({ type: "closed", view: this.id });
    } catch {
      // The kernel is gone, and needs no goodbye.
    }
  }

  private partOf(part: PartSpec, i: number): HTMLElement[] {
    const values = this.store.inputs[i]!;
    const moved = () => this.store.moved();
    const made =
      part.kind === "pad"
        ? new Pad(part.name, part.rows, part.columns, part.dark_ink, values, moved)
        : new Sliders(part.sliders, values, moved);
    this.inputs.push(made);
    const several = this.store.parts.length > 1;
    return several ? [html("div", { class: "km-part" }, part.name), made.element] : [made.element];
  }

  private schedule(): void {
    this.frame ||= window.requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private draw(): void {
    const { store } = this;
    for (const input of this.inputs) input.draw();
    this.answers.forEach((one, i) => one.draw(store.numbers[i] ?? []));
    say(this.note, store.note);
    this.note.title = store.note;
    this.note.classList.toggle("km-failed", store.failed);
    window.clearTimeout(this.rest);
    this.rest = window.setTimeout(() => {
      say(this.voice, store.failed ? store.note : spoken(store.groups, store.numbers));
    }, REST_MS);
  }
}

/** anywidget calls this once a model: however many views are open, they share the inputs. */
export default () => {
  let store: PlaygroundStore;
  return {
    initialize({ model }: { model: Model }): () => void {
      store = new PlaygroundStore(model);
      return openPlaces(model, String(model.get("_key")), () => new PlaygroundView(model, store));
    },
    render({ model, el }: { model: Model; el: HTMLElement }): () => void {
      const view = new PlaygroundView(model, store);
      el.append(view.element);
      return () => view.close();
    },
  };
};
