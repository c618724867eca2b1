import { readText } from "../../files/files.js";
import type { BoardReach } from "../../flow/board.js";
import type { BrokerAccess } from "../../flow/broker-session.js";
import { backendWitness } from "../../flow/event-witness.js";
import { POLL_MS } from "../../flow/timeouts.js";
import { virtualWifi } from "../air/virtual-wifi.js";
import { isSigned, type LabEvent } from "../events.js";
import type { LabInfo } from "../lab-info.js";

/** The first event of a lab that matches. */
type NextEvent = (matches: (event: LabEvent) => boolean, signal: AbortSignal) => Promise<LabEvent>;

/** A lab's board over its air, with the lab's broker and backend as witnesses. */
export function labReach(info: LabInfo, deviceId: string, nextEvent: NextEvent): BoardReach {
  const isOurs = (event: LabEvent): boolean => isSigned(event, deviceId);
  return {
    wifi: virtualWifi(info.airDir),
    pollMs: POLL_MS.loopback,
    broker: labBroker(info),
    witnesses: [() => backendWitness((signal) => nextEvent(isOurs, signal))],
  };
}

/** As the lab's own operator, who may read everything there. */
function labBroker({ broker, operator }: LabInfo): BrokerAccess {
  return {
    uri: broker.uri,
    caPem: readText(operator.caPath),
    certPem: readText(operator.certPath),
    keyPem: readText(operator.keyPath),
  };
}
