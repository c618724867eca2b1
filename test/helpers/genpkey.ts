/** What makes openssl write a key: ed25519, rsa:<bits> or ec:<curve>. */
export function genpkey(kind: string, path: string): string[] {
  const [algorithm = "", size = ""] = kind.split(":");
  const option = { rsa: `rsa_keygen_bits:${size}`, ec: `ec_paramgen_curve:${size}` }[algorithm];
  const options = option === undefined ? [] : ["-pkeyopt", option];
  return ["genpkey", "-algorithm", algorithm.toUpperCase(), ...options, "-out", path];
}
