import { createPrivateKey, type KeyObject } from "node:crypto";
import { join } from "node:path";
import type { DeviceManifest } from "../../codegen/manifest.js";
import { judgePrivateKey, pemSentence } from "../../codegen/pem.js";
import type { Workspace } from "../config/workspace.js";
import { ProvError } from "../errors.js";
import {
  keepCopy,
  PLAIN_FILE,
  protectFile,
  readBytesIfPresent,
  readIfPresent,
  SECRET_FILE,
  writeIfChanged,
  writeNew,
} from "../files/files.js";
import { withLock } from "../files/lock.js";
import { createCsr, readCsr } from "./csr.js";
import { generatePrivateKey, keyAlgorithm, privateKeyToPem, publicKeyDer } from "./keys.js";

/**
 * The device's identity, made when there is none. An existing key is never replaced without `force`,
 * since the certificates of devices in the field hang on it; a CSR that does not fit is made again. With
 * `force` the old key and CSR stay beside the new ones, under a name that tells when they were replaced.
 * @throws ProvError identity_invalid when the key is corrupt or of another algorithm
 */
export async function ensureIdentity(
  workspace: Workspace,
  manifest: DeviceManifest,
  options: { readonly force?: boolean } = {},
): Promise<Identity> {
  const existing = options.force ? undefined : readKey(workspace, manifest);
  const make = options.force ? replaceKey : makeKey;
  const made = existing ? undefined : await make(workspace, manifest);
  // Without a key made here there is one on disk: the one found first, or that of a prov that was faster.
  const key = existing ?? made?.key ?? readKey(workspace, manifest);
  if (key === undefined)
    throw new ProvError("identity_invalid", `${workspace.keyPath} has vanished`);
  protectFile(workspace.keyPath);
  const current = readIfPresent(workspace.csrPath);
  const csrPem =
    current !== undefined && fits(current, key, manifest.id)
      ? current
      : createCsr(key, manifest.id);
  writeIfChanged(workspace.csrPath, csrPem, PLAIN_FILE);
  return identity(workspace, manifest, key, csrPem, made);
}

/** A key that is on disk already, and copies of what it replaced. */
interface MadeKey {
  readonly key: KeyObject;
  readonly kept: readonly string[];
}

/** A new key; undefined when meanwhile another one got there. */
async function makeKey(
  { keyPath }: Workspace,
  manifest: DeviceManifest,
): Promise<MadeKey | undefined> {
  const key = await generatePrivateKey(manifest.key.algorithm);
  return writeNew(keyPath, privateKeyToPem(key), SECRET_FILE) ? { key, kept: [] } : undefined;
}

/** A new key in the place of whatever lies there. */
async function replaceKey(
  { keyPath, csrPath, identityDir }: Workspace,
  manifest: DeviceManifest,
): Promise<MadeKey> {
  const key = await generatePrivateKey(manifest.key.algorithm);
  const never = new AbortController().signal;
  // Two at once would each keep the first key, and one would lose the other's.
  return withLock(join(identityDir, "replace.lock"), never, async () => {
    const names = oldNames(new Date());
    const copies = [keyPath, csrPath].map((path) =>
      keepCopy(path, (attempt) => names(path, attempt)),
    );
    writeIfChanged(keyPath, privateKeyToPem(key), SECRET_FILE);
    return { key, kept: copies.filter((copy) => copy !== undefined) };
  });
}

/** `key.pem` becomes `key.2026-01-02T03-04-05Z.pem`, or `….2.pem` when a faster one has that name. */
function oldNames(at: Date): (path: string, attempt: number) => string {
  const stamp = at.toISOString().replace(/\.\d+/, "").replaceAll(":", "-");
  return (path, attempt) => {
    const number = attempt === 1 ? "" : `.${attempt}`;
    return path.replace(/\.pem$/, `.${stamp}${number}.pem`);
  };
}

/**
 * The identity on disk, or undefined when the key is missing or the CSR is not its own; writes nothing.
 * @throws ProvError identity_invalid as ensureIdentity
 */
export function readIdentity(workspace: Workspace, manifest: DeviceManifest): Identity | undefined {
  const key = readKey(workspace, manifest);
  const csrPem = readIfPresent(workspace.csrPath);
  if (key === undefined || csrPem === undefined || !fits(csrPem, key, manifest.id))
    return undefined;
  return identity(workspace, manifest, key, csrPem);
}

export type Identity = ReturnType<typeof identity>;

/** A device's key and its certificate signing request, as they lie on disk. */
function identity(
  { keyPath, csrPath }: Workspace,
  { id: deviceId }: DeviceManifest,
  key: KeyObject,
  csrPem: string,
  made?: MadeKey,
) {
  const privateKeyPem = privateKeyToPem(key);
  return {
    ...{ deviceId, keyPath, csrPath, privateKeyPem, csrPem },
    /** Whether this call made the key. */
    created: made !== undefined,
    /** Copies of the key and the CSR that this call replaced. */
    kept: made?.kept ?? [],
  };
}

function readKey(workspace: Workspace, manifest: DeviceManifest): KeyObject | undefined {
  const bytes = readBytesIfPresent(workspace.keyPath);
  if (bytes === undefined) return undefined;
  const verdict = judgePrivateKey(bytes);
  if (!verdict.ok)
    throw new ProvError(
      "identity_invalid",
      `${workspace.keyPath} is no key of a device: ${pemSentence(verdict.fault)}`,
    );
  const key = createPrivateKey(verdict.pem);
  const algorithm = keyAlgorithm(key);
  if (algorithm !== manifest.key.algorithm) {
    const found = algorithm ?? "of another kind";
    throw new ProvError(
      "identity_invalid",
      `the key of ${manifest.id} is ${found}, the manifest asks for ${manifest.key.algorithm} (${workspace.keyPath})`,
    );
  }
  return key;
}

function fits(csrPem: string, key: KeyObject, deviceId: string): boolean {
  const result = readCsr(csrPem);
  if (!result.ok || result.csr.commonName !== deviceId) return false;
  return publicKeyDer(result.csr.publicKey).equals(publicKeyDer(key));
}
