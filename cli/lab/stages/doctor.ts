import { ProvError } from "../../errors.js";
import { readText } from "../../files/files.js";
import { failed } from "../../flow/doctor-check.js";
import { noServers, type ServersToTry } from "../../flow/doctor-request.js";
import { findLab } from "../client.js";

/** The servers of the running lab `name`, or why there are none. */
export async function labServers(root: string, name: string): Promise<ServersToTry> {
  try {
    const { backend, broker } = (await findLab(root, name)).info;
    const caPem = readText(backend.caPath);
    return {
      backends: [{ url: backend.url, caPem, allSuites: false }],
      brokers: [{ uri: broker.uri, allSuites: false }],
      found: [],
    };
  } catch (error) {
    if (!(error instanceof ProvError)) throw error;
    return noServers(failed("lab", error.message, error.hint));
  }
}
