import { LIMITS } from "../../../codegen/limits.js";
import type { DeviceManifest } from "../../../codegen/manifest.js";
import type { CommandContext } from "../../context.js";
import { type Flaw, passwordFlaw, ssidFlaw, tokenFlaw } from "../../device/credential-rules.js";
import { ProvError } from "../../errors.js";
import type { Credentials } from "../../flow/board.js";
import { resolveSecret, type SecretSource, secretGiven } from "../../secrets.js";

export interface CredentialOptions {
  ssid?: string;
  password?: string;
  passwordStdin?: boolean;
  /** The network has no password. */
  open?: boolean;
  /** `false`: the device holds a certificate and needs none. */
  token?: string | false;
  bearer?: string;
  /** Whether people may be asked. */
  input: boolean;
}

/** A secret, and what is wrong with a value of it. */
interface Wanted extends SecretSource {
  flaw(value: string): Flaw;
}

/**
 * Judges what flags and environment say of the credentials, before anything is asked, read or touched.
 * @throws ProvError usage, input_missing
 */
export function checkCredentials(options: CredentialOptions, env: NodeJS.ProcessEnv): void {
  namedSsid(options);
  refuseContradictions(options, env);
  for (const wanted of wantedSecrets(options)) {
    const given = secretGiven(wanted, env);
    if (given !== undefined) refuseFlaw(wanted, given);
  }
}

/**
 * What the board is to be given, from flags, stdin, the environment or a prompt.
 * @throws ProvError usage, input_missing
 */
export async function readCredentials(
  options: CredentialOptions,
  { wifi }: Pick<DeviceManifest, "wifi">,
  context: CommandContext,
): Promise<Credentials> {
  checkCredentials(options, context.env);
  if (options.open && !wifi.allowOpen)
    throw new ProvError("usage", "the device joins no network without a password (--open)", {
      hint: "Set wifi.allowOpen: true in the manifest, build and flash again; or name a network with a password.",
    });
  const values: Partial<Record<Wanted["variable"], string>> = {};
  for (const wanted of wantedSecrets(options)) {
    const value = await resolveSecret(wanted, context.env, context.signal);
    if (value === undefined) continue;
    refuseFlaw(wanted, value);
    values[wanted.variable] = value;
  }
  const { PROV_WIFI_PASSWORD: password, PROV_TOKEN: token, PROV_BEARER: bearer } = values;
  return {
    ssid: namedSsid(options),
    password: password ?? "",
    ...(token ? { token } : {}),
    ...(bearer ? { bearer } : {}),
  };
}

function namedSsid({ ssid }: CredentialOptions): string {
  if (ssid === undefined)
    throw new ProvError("input_missing", "no WiFi network given", {
      hint: "Name it with --ssid SSID.",
    });
  const flaw = ssidFlaw(ssid);
  if (flaw !== undefined) throw new ProvError("usage", `--ssid ${flaw}`);
  return ssid;
}

function refuseContradictions(options: CredentialOptions, env: NodeJS.ProcessEnv): void {
  const ways = {
    "--open": options.open,
    "--password": options.password !== undefined,
    "--password-stdin": options.passwordStdin,
    // A flag stands above the variable, but none of the two is for a network that has no password.
    PROV_WIFI_PASSWORD: options.open && Boolean(env.PROV_WIFI_PASSWORD),
  };
  const [first, second] = Object.entries(ways).flatMap(([way, given]) => (given ? [way] : []));
  if (second !== undefined)
    throw new ProvError("usage", `${first} and ${second} exclude each other`);
}

/** In the order in which people are asked for them. */
function wantedSecrets(options: CredentialOptions): Wanted[] {
  const { provisioningTokenMaxBytes, bearerMaxBytes } = LIMITS;
  const password: Wanted = {
    label: "WiFi password",
    flag: options.password,
    variable: "PROV_WIFI_PASSWORD",
    fromStdin: options.passwordStdin ?? false,
    prompt: options.input,
    required: true,
    missingHint:
      "Give it with --password-stdin, in PROV_WIFI_PASSWORD, or run on a terminal to be asked; --open is for a network without one.",
    flaw: passwordFlaw,
  };
  const token: Wanted = {
    label: "provisioning token",
    flag: options.token === false ? undefined : options.token,
    variable: "PROV_TOKEN",
    prompt: options.input,
    required: true,
    missingHint:
      "Give it with --token, in PROV_TOKEN, or run on a terminal to be asked; --no-token is for a device that holds a certificate.",
    flaw: (value) => tokenFlaw(value, provisioningTokenMaxBytes),
  };
  const bearer: Wanted = {
    label: "Bearer token",
    flag: options.bearer,
    variable: "PROV_BEARER",
    prompt: false,
    required: false,
    flaw: (value) => tokenFlaw(value, bearerMaxBytes),
  };
  return [...(options.open ? [] : [password]), ...(options.token === false ? [] : [token]), bearer];
}

function refuseFlaw({ label, flaw }: Wanted, value: string): void {
  const found = flaw(value);
  if (found !== undefined) throw new ProvError("usage", `the ${label} ${found}`);
}
