const PATIENCE_MS = 2000;

/** Has the page save what was typed last. A page that hangs keeps nobody from quitting. */
export class LastSave {
  #done: () => void = () => undefined;

  constructor(
    private readonly ask: () => void,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** Resolves when the page has saved, or has not answered in time. */
  request(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.patienceMs);
      this.#done = () => {
        clearTimeout(timer);
        resolve();
      };
      this.ask();
    });
  }

  /** The page's answer. */
  readonly answered = (): void => this.#done();
}
