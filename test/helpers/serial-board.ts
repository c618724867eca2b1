import { onTestFinished } from "vitest";
import { startVirtualSerial, type VirtualSerial } from "../support/virtual-serial.js";

/** A board that is nothing but its serial side, and goes away with the test. */
export async function serialBoard(
  ...options: Parameters<typeof startVirtualSerial>
): Promise<VirtualSerial> {
  const board = await startVirtualSerial(...options);
  onTestFinished(() => board.close());
  return board;
}
