/** Work that waits its turn, at most `limit` at a time; what is hurried goes first, the latest of it before the others. */
export class HurriedQueue {
  readonly #waiting = new Map<string, () => void>();
  readonly #hurried: string[] = [];
  #running = 0;

  constructor(private readonly limit: number) {}

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(key, () => {
        void work()
          .then(resolve, reject)
          .finally(() => {
            this.#running -= 1;
            this.#startNext();
          });
      });
      this.#startNext();
    });
  }

  hurry(key: string): void {
    if (this.#waiting.has(key)) this.#hurried.push(key);
  }

  #startNext(): void {
    while (this.#running < this.limit) {
      const key = this.#nextKey();
      const start = key === undefined ? undefined : this.#waiting.get(key);
      if (key === undefined || start === undefined) return;
      this.#waiting.delete(key);
      this.#running += 1;
      start();
    }
  }

  #nextKey(): string | undefined {
    for (;;) {
      const hurried = this.#hurried.pop();
      if (hurried === undefined) break;
      if (this.#waiting.has(hurried)) return hurried;
    }
    return this.#waiting.keys().next().value;
  }
}
