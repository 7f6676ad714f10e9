/** Collects items and hands them on together, at most once an interval. */
export class Batcher<T> {
  #items: T[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly intervalMs: number,
    private readonly deliver: (items: readonly T[]) => void,
  ) {}

  add(items: readonly T[]): void {
    this.#items.push(...items);
    this.#timer ??= setTimeout(() => this.flush(), this.intervalMs);
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    this.deliver(items);
  }
}
