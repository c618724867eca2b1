/**
 * The CNs of the identities that see every device. No device can have them: its id holds no "@". Two, because mosquitto
 * takes one connection of each (its client ids are the CNs): the operator is prov's own, the spectator whoever looks on.
 */
export const OPERATOR = "operator@lab";
export const SPECTATOR = "spectator@lab";

/** Whether an identity is none of a device. */
export function isStaff(identity: string | null): boolean {
  return identity === OPERATOR || identity === SPECTATOR;
}

/** A device writes below `devices/<its id>/` only; the operator anywhere, the spectator nowhere. */
export function mayPublish(identity: string, topic: string): boolean {
  return identity === OPERATOR || isOwn(identity, topic);
}

/** A filter is granted only if all that it can match is the device's own: no wildcard before that. */
export function mayReceive(identity: string, filter: string): boolean {
  return isStaff(identity) || isOwn(identity, filter);
}

function isOwn(identity: string, topic: string): boolean {
  return identity !== "" && !isStaff(identity) && topic.startsWith(`devices/${identity}/`);
}

/** The same rules as an access list for mosquitto; %u is the CN (use_identity_as_username). */
export const MOSQUITTO_ACL = `user ${OPERATOR}
topic readwrite #

user ${SPECTATOR}
topic read #
topic deny devices/${SPECTATOR}/#

pattern readwrite devices/%u/#
`;
