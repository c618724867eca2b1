import type { CommandContext } from "../context.js";
import { ProvError } from "../errors.js";
import type { Credentials } from "../flow/provisioned.js";
import { resolveSecret, type SecretVariable } from "../secrets.js";

export interface CredentialOptions {
  ssid?: string;
  password?: string;
  passwordStdin?: boolean;
  /** The network has no password. */
  open?: boolean;
  token?: string;
  bearer?: string;
  /** Whether people may be asked. */
  input: boolean;
}

/** What the board is to be given, from flags, stdin, the environment or a prompt. @throws ProvError input_missing */
export async function readCredentials(
  options: CredentialOptions,
  context: CommandContext,
): Promise<Credentials> {
  const { ssid } = options;
  if (ssid === undefined)
    throw new ProvError("input_missing", "no WiFi network given", {
      hint: "Name it with --ssid SSID.",
    });
  const secret = (
    label: string,
    flag: string | undefined,
    variable: SecretVariable,
    required: boolean,
    fromStdin = false,
  ) =>
    resolveSecret(
      { label, flag, variable, fromStdin, prompt: options.input && required, required },
      context.env,
      context.signal,
    );
  const password = options.open
    ? ""
    : await secret(
        "WiFi password",
        options.password,
        "PROV_WIFI_PASSWORD",
        true,
        options.passwordStdin ?? false,
      );
  const token = await secret("provisioning token", options.token, "PROV_TOKEN", false);
  const bearer = await secret("Bearer token", options.bearer, "PROV_BEARER", false);
  return {
    ssid,
    password: password ?? "",
    ...(token ? { token } : {}),
    ...(bearer ? { bearer } : {}),
  };
}
