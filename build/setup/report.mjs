/** Seconds as a person reads them. */
export function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Bytes as a person reads them, in powers of ten like disks. */
export function size(bytes) {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

const QUIET_SECONDS = 10;

/**
 * Shows how far one stage is: on a terminal one line that changes, elsewhere a line every ten seconds, so that neither
 * is silent for long. On standard error, because the command that follows may print JSON.
 */
export class StageReport {
  #started = Date.now();
  #lastLine = Date.now();
  #detail = '';
  #out;
  #timer;

  constructor(title, out = process.stderr) {
    this.title = title;
    this.#out = out;
    out.write(`• ${title}\n`);
    this.#timer = setInterval(() => this.#tick(), out.isTTY ? 250 : 1000);
    this.#timer.unref();
  }

  /** What the stage is doing right now. */
  progress(detail) {
    this.#detail = detail;
  }

  done(detail = '') {
    this.#close();
    const elapsed = duration(this.#elapsed());
    this.#out.write(`  done in ${elapsed}${detail === '' ? '' : `: ${detail}`}\n`);
  }

  failed() {
    this.#close();
  }

  #elapsed() {
    return (Date.now() - this.#started) / 1000;
  }

  #tick() {
    const line = `  ${duration(this.#elapsed())}  ${this.#detail}`;
    if (this.#out.isTTY) {
      this.#out.write(`\r\u001b[K${line.slice(0, (this.#out.columns ?? 80) - 1)}`);
    } else if (Date.now() - this.#lastLine >= QUIET_SECONDS * 1000) {
      this.#lastLine = Date.now();
      this.#out.write(`${line}\n`);
    }
  }

  #close() {
    clearInterval(this.#timer);
    if (this.#out.isTTY) this.#out.write('\r\u001b[K');
  }
}
