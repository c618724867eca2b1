"""Subscribes as an operator with Eclipse's paho client, and prints what comes, a JSON object a line.

usage: paho-observer.py HOST PORT CA CERT KEY TOPIC
"""

import json
import os
import ssl
import sys

import paho.mqtt.client as mqtt

host, port, ca, cert, key, topic = sys.argv[1:]


def say(**what):
    print(json.dumps(what), flush=True)


def on_connect(client, userdata, flags, reason, properties):
    say(kind="connack", ok=not reason.is_failure, reason=str(reason))
    client.subscribe(topic, qos=1)


def on_subscribe(client, userdata, mid, reasons, properties):
    say(kind="suback", granted=[reason.value for reason in reasons])


def on_message(client, userdata, message):
    payload = json.loads(message.payload)
    say(kind="message", topic=message.topic, qos=message.qos, retain=message.retain, payload=payload)


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"paho-{os.getpid()}", protocol=mqtt.MQTTv311)
client.tls_set(ca_certs=ca, certfile=cert, keyfile=key, cert_reqs=ssl.CERT_REQUIRED)
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.connect(host, int(port), keepalive=10)
client.loop_forever(retry_first_connection=False)
