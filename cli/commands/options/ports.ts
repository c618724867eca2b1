import type { CommandContext } from "../../context.js";
import { ProvError } from "../../errors.js";
import { canAsk } from "../../secrets.js";
import { chooseOnlyPort, distinctPorts, listPorts, type PortInfo } from "../../serial/ports.js";

/**
 * The ports that are meant: those given, every board's, or the only one there is.
 * @throws ProvError port_not_found, port_ambiguous
 */
export async function choosePorts(
  { port, all }: { readonly port?: string[]; readonly all?: boolean },
  context: CommandContext,
): Promise<string[]> {
  if (port !== undefined) return distinctPorts(port);
  if (!all) return [await choosePort(context)];
  const boards = (await listPorts()).filter(({ isEspressif }) => isEspressif);
  if (boards.length === 0)
    throw new ProvError("port_not_found", "no Espressif device is connected");
  return boards.map(({ path }) => path);
}

/**
 * The only Espressif device; on a terminal, people are asked when there is a choice.
 * @throws ProvError port_not_found, port_ambiguous
 */
export async function choosePort(context: CommandContext): Promise<string> {
  const ports = await listPorts();
  try {
    const only = chooseOnlyPort(ports);
    context.out.note(`using ${only.path} (${only.name})`);
    return only.path;
  } catch (error) {
    const { json, movement } = context.out.options;
    const isAskable = canAsk() && !json && movement;
    if (!(error instanceof ProvError) || error.code !== "port_ambiguous" || !isAskable) throw error;
    return ask(ports, context.signal);
  }
}

async function ask(ports: readonly PortInfo[], signal: AbortSignal): Promise<string> {
  const { default: select } = await import("@inquirer/select");
  const choices = ports.map((port) => ({ value: port.path, name: `${port.path}  ${port.name}` }));
  return select({ message: "Which board?", choices }, { output: process.stderr, signal });
}
