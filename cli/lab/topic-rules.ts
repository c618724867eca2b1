/** The CN of the operator's certificate: the one identity that sees every device. */
export const OPERATOR = "operator";

/** A device writes below `devices/<its id>/` only; the operator anywhere. */
export function mayPublish(identity: string, topic: string): boolean {
  return isOwn(identity, topic);
}

/** A filter is granted only if all that it can match is the device's own: no wildcard before that. */
export function mayReceive(identity: string, filter: string): boolean {
  return isOwn(identity, filter);
}

function isOwn(identity: string, topic: string): boolean {
  if (identity === "") return false;
  return identity === OPERATOR || topic.startsWith(`devices/${identity}/`);
}

/** The same rules as an access list for mosquitto; %u is the CN (use_identity_as_username). */
export const MOSQUITTO_ACL = `user ${OPERATOR}\ntopic readwrite #\n\npattern readwrite devices/%u/#\n`;
