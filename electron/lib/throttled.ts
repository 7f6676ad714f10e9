interface Progress {
  readonly done: number;
  readonly total: number;
}

/** Tells of progress at most once in `ms`, and of the end always. */
export function throttled<P extends Progress>(
  ms: number,
  tell: (progress: P) => void,
): (progress: P) => void {
  let told = 0;
  return (progress) => {
    const now = Date.now();
    if (now - told < ms && progress.done < progress.total) return;
    told = now;
    tell(progress);
  };
}
