export type Stream<T> = ReturnType<typeof createStream<T>>;

/**
 * A live sequence with a memory: subscribers may ask for what was said before they came.
 * @param capacity how many items are remembered
 */
export function createStream<T>(capacity: number) {
  const listeners = new Set<(item: T) => void>();
  let kept: T[] = [];

  const recent = (count = capacity): readonly T[] => (count <= 0 ? [] : kept.slice(-count));

  return {
    push(item: T): void {
      kept.push(item);
      // Trim in bulk: dropping one item per push would copy the whole memory each time.
      if (kept.length > 2 * capacity) kept = kept.slice(-capacity);
      for (const listener of [...listeners]) listener(item);
    },
    /** Calls `listener` for every further item, and first for the last `replay` ones (default none). */
    subscribe(listener: (item: T) => void, { replay = 0 } = {}): () => void {
      for (const item of recent(Math.min(replay, capacity))) listener(item);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** The last `count` items, oldest first (default: all that are kept). */
    recent(count?: number): readonly T[] {
      return recent(Math.min(count ?? capacity, capacity));
    },
    /**
     * Resolves with the first item, past or (with `futureOnly` alone) future, that matches. Rejects when `signal` aborts.
     */
    waitFor(
      matches: (item: T) => boolean,
      { signal, futureOnly = false }: { signal?: AbortSignal; futureOnly?: boolean } = {},
    ): Promise<T> {
      const past = futureOnly ? undefined : recent().find(matches);
      if (past !== undefined) return Promise.resolve(past);
      return new Promise<T>((resolve, reject) => {
        const leave = (): void => {
          listeners.delete(listener);
          signal?.removeEventListener("abort", abort);
        };
        const listener = (item: T): void => {
          if (!matches(item)) return;
          leave();
          resolve(item);
        };
        const abort = (): void => {
          leave();
          reject(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
        };
        if (signal?.aborted) return abort();
        listeners.add(listener);
        signal?.addEventListener("abort", abort);
      });
    },
  };
}
