import { ProvError } from "../../cli/errors.js";

/** What a promise is rejected with, which must be one of prov's errors. */
export async function failure(promise: Promise<unknown>): Promise<ProvError> {
  const error = await promise.then(
    () => "nothing",
    (thrown: unknown) => thrown,
  );
  if (error instanceof ProvError) return error;
  throw new Error(`expected a ProvError, got ${error}`);
}
