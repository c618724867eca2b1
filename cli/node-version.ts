/** The oldest Node that prov runs on, as major and minor; package.json and scripts/setup.mjs say the same. */
export const NODE_AT_LEAST = [20, 19] as const;

/** Whether a version of Node, such as `18.20.8`, is one that prov runs on. */
export function isNodeSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > NODE_AT_LEAST[0] || (major === NODE_AT_LEAST[0] && minor >= NODE_AT_LEAST[1]);
}
