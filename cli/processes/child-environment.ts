import { SECRET_VARIABLES } from "../environment.js";

/**
 * The environment for a child process: this one's, without the secrets that prov takes from it. A child has no
 * business with them, and whoever may look at its process could read them there.
 */
export function childEnvironment(
  inherited: NodeJS.ProcessEnv = process.env,
): Record<string, string | undefined> {
  const environment = { ...inherited };
  for (const name of SECRET_VARIABLES) delete environment[name];
  return environment;
}
