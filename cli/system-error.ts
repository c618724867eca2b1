import { inspect } from "node:util";
import { ProvError } from "./errors.js";

/** What the system says about a file, a folder or a disk, in words that people know; strerror(3) has them. */
const FILE_TROUBLE: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would become too large",
  ENOENT: "no such file or folder",
  ENOTDIR: "a part of the path is not a folder",
  EISDIR: "it is a folder",
  EEXIST: "something else is there",
  ENOTEMPTY: "the folder is not empty",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the name is too long",
  EXDEV: "it is on another file system",
  EBUSY: "it is in use",
  ETXTBSY: "it is being executed",
  EMFILE: "too many open files",
  ENFILE: "too many open files",
  EIO: "input/output error",
};
/** Those that are about a file even where the system does not say which. */
const NAMELESS: readonly string[] = ["ENOSPC", "EDQUOT", "EROFS", "EFBIG", "EMFILE", "ENFILE"];

/**
 * An error of the system about a file, as the ProvError that it stands for; undefined for any other.
 * @param meant the file that was meant, where the system may name another one (a temporary one) or none
 */
export function systemError(error: unknown, meant?: string): ProvError | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  const { code, syscall } = error;
  const trouble = typeof code === "string" ? FILE_TROUBLE[code] : undefined;
  // A program that cannot be started is its caller's to explain.
  if (trouble === undefined || String(syscall).startsWith("spawn")) return undefined;
  const said = `${trouble} (${code})`;
  const options = { cause: error, ...fileHint(String(code), String(syscall)) };
  if (syscall === "uv_cwd")
    return new ProvError("file_inaccessible", `the working directory: ${said}`, options);
  const named = "path" in error && typeof error.path === "string" ? error.path : undefined;
  const path = meant ?? named;
  if (path !== undefined) return new ProvError("file_inaccessible", `${path}: ${said}`, options);
  if (!NAMELESS.includes(String(code))) return undefined;
  return new ProvError("file_inaccessible", said, options);
}

/** What a thrown value says, in words. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return typeof thrown === "string" ? thrown : inspect(thrown);
}

/** Whether it is an error of the system with this name, such as `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/**
 * Does something with a file. What a descriptor or a copy tells of a failure has no name in it, or the wrong one.
 * @throws ProvError file_inaccessible with the name of `path`
 */
export function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw systemError(error, path) ?? error;
  }
}

/** Where owner, mode and space are not to blame. */
const PATH_HINTS: Readonly<Record<string, string>> = {
  ENOENT: "Check the path; a relative one begins in the folder where prov was started.",
  ENOTDIR: "Check the path: before its last / there may be folders only.",
  EISDIR: "Name a file in that folder, or another one.",
  ELOOP: "Check where the links on the path lead to.",
  ENAMETOOLONG: "Use a shorter name.",
};

function fileHint(code: string, syscall: string): { hint?: string } {
  if (code === "ENOSPC" || code === "EDQUOT")
    return { hint: "Free some space there, and run the same command again." };
  if (code === "EROFS") return { hint: "Use a folder that can be written to." };
  if (code === "EMFILE") return { hint: "Raise the limit: ulimit -n 4096." };
  if (syscall === "uv_cwd") return { hint: "Change to a folder that exists." };
  if (syscall === "mkdtemp")
    return { hint: "Set TMPDIR to a folder that you can write to, with free space." };
  const hint = PATH_HINTS[code];
  return hint === undefined ? {} : { hint };
}

/** The same error with more for its JSON document; anything that is not prov's to explain as it is. */
export function withDetails(error: unknown, details: Readonly<Record<string, unknown>>): unknown {
  const known = error instanceof ProvError ? error : systemError(error);
  if (known === undefined) return error;
  const { code, message, hint, cause } = known;
  return new ProvError(code, message, { hint, cause, details: { ...known.details, ...details } });
}

/** Whatever was thrown, as the one error that prov shows. */
export function toProvError(thrown: unknown, interrupted: boolean): ProvError {
  // At a prompt the terminal is in raw mode: Ctrl-C is a key there, which Inquirer answers with this error.
  const left = thrown instanceof Error && thrown.name === "ExitPromptError";
  if (interrupted || left) return new ProvError("interrupted", "interrupted", { cause: thrown });
  if (thrown instanceof ProvError) return thrown;
  const message = reasonOf(thrown);
  return systemError(thrown) ?? new ProvError("internal", message, { cause: thrown });
}
