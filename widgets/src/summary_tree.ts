// The rows of a summary as a tree: which are visible, and where the keys lead.
import type { Row } from "./summary_protocol";

export class Tree {
  readonly open = new Set<string>();
  private readonly byId: Map<string, Row>;

  constructor(readonly rows: Row[], expanded: boolean) {
    this.byId = new Map(rows.map((row) => [row[0], row]));
    if (expanded) this.openAll();
  }

  get hasNested(): boolean {
    return this.rows.some((row) => row[2]);
  }

  row(id: string): Row | undefined {
    return this.byId.get(id);
  }

  /** The id of the row above that can be closed over this one, "" if there is none. */
  parent(id: string): string {
    const above = id.slice(0, Math.max(0, id.lastIndexOf("/")));
    return this.byId.has(above) ? above : "";
  }

  visible(): Row[] {
    const shown = new Set<string>();
    return this.rows.filter((row) => {
      const above = this.parent(row[0]);
      const seen = above === "" || (shown.has(above) && this.open.has(above));
      if (seen) shown.add(row[0]);
      return seen;
    });
  }

  openAll(): void {
    for (const row of this.rows) if (row[2]) this.open.add(row[0]);
  }

  toggle(id: string): boolean {
    if (!this.row(id)?.[2]) return false;
    if (!this.open.delete(id)) this.open.add(id);
    return true;
  }

  /** Opens the rows above one. */
  reveal(id: string): void {
    for (let above = this.parent(id); above !== ""; above = this.parent(above)) this.open.add(above);
  }

  /** Where a key leads from a row: the keys of an ARIA treegrid. May open or close a row. */
  key(id: string, key: string, page: number): string {
    const rows = this.visible();
    const at = Math.max(0, rows.findIndex((row) => row[0] === id));
    const to = (index: number) => rows[Math.min(rows.length - 1, Math.max(0, index))]?.[0] ?? id;
    const nested = this.row(id)?.[2] ?? false;
    switch (key) {
      case "ArrowDown": return to(at + 1);
      case "ArrowUp": return to(at - 1);
      case "PageDown": return to(at + page);
      case "PageUp": return to(at - page);
      case "Home": return to(0);
      case "End": return to(rows.length - 1);
      case "ArrowRight":
        if (nested && !this.open.has(id)) this.open.add(id);
        else if (nested) return to(at + 1);
        return id;
      case "ArrowLeft":
        if (nested && this.open.delete(id)) return id;
        return this.parent(id) || id;
      default: return id;
    }
  }
}

/** Which rows of equal height are in sight, with a few more on each side. */
export function inSight(top: number, height: number, row: number, count: number, more = 8): [number, number] {
  const first = Math.max(0, Math.floor(top / row) - more);
  const end = Math.min(count, Math.ceil((top + height) / row) + more);
  return [first, Math.max(first, end)];
}
