/**
 * A signal that aborts with a `TimeoutError` after `timeoutMs`, or as `others` do. Node's own `AbortSignal.timeout` may
 * not be combined with others: once nothing but the combined signal refers to it, it is collected as garbage and never
 * fires (Node 20; nodejs/node#57736). Here the timer holds it.
 */
export function deadline(timeoutMs: number, ...others: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  const expire = (): void =>
    controller.abort(new DOMException(`nothing within ${timeoutMs} ms`, "TimeoutError"));
  // Like Node's own, it does not keep the process alive.
  setTimeout(expire, timeoutMs).unref();
  return others.length === 0 ? controller.signal : AbortSignal.any([...others, controller.signal]);
}
