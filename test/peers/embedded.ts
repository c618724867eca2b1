import { type LabBroker, startEmbeddedBroker } from "../../cli/lab/broker/broker.js";
import type { FindPeer, Peer, Place } from "./peer.js";

const OWN_TOPIC =
  "its rules leave a device its own topic; `npm run test:brokers` has this as a fault of its";

export const findEmbedded: FindPeer = () => ({ name: "embedded (aedes)", open });

async function open({ port, ca, server }: Place): Promise<Peer> {
  let broker: LabBroker | undefined;
  return {
    name: "embedded (aedes)",
    mutedCode: "",
    cannot: { mute: OWN_TOPIC, closed: OWN_TOPIC },
    async start({ crlPem, again }) {
      if (!again) await broker?.stop();
      if (again && broker) await broker.resume();
      else broker = await startEmbeddedBroker({ caPem: ca.certPem, server, preferredPort: port });
      if (broker.port !== port) throw new Error(`somebody has taken port ${port}`);
      if (crlPem) await broker.setServerIdentity({ ...server, crlPem });
    },
    stop: async () => broker?.pause(),
    close: async () => broker?.stop(),
  };
}
