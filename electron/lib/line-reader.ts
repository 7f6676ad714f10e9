/**
 * Cuts a stream of bytes into lines. Bytes are held until their newline comes, so that a character cut in two by a read
 * arrives whole and a torn last line is never taken for a line. A line that is too long is dropped and counted.
 */
export class LineReader {
  #held: Buffer[] = [];
  #heldBytes = 0;
  #skipping = false;
  dropped = 0;

  constructor(private readonly maxBytes: number) {}

  /** The lines that these bytes complete, without their newlines; empty lines are left out. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      this.#hold(chunk.subarray(start, end));
      const line = this.#take();
      if (line !== '') lines.push(line);
      start = end + 1;
    }
    this.#hold(chunk.subarray(start));
    return lines;
  }

  #hold(bytes: Buffer): void {
    if (this.#skipping || bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes <= this.maxBytes) return;
    this.#skipping = true;
    this.#held = [];
  }

  #take(): string {
    const line = Buffer.concat(this.#held).toString('utf8').replace(/\r$/u, '');
    if (this.#skipping) this.dropped += 1;
    this.#held = [];
    this.#heldBytes = 0;
    this.#skipping = false;
    return line;
  }
}
