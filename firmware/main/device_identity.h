/* Who this device is. The only door to the generated device_keys.h and the private key in it. */
#pragma once

const char *device_identity_id(void);
const char *device_identity_key_pem(void);
const char *device_identity_csr_pem(void);

/** The CA that signs the backend's certificate; NULL when the manifest pins none. */
const char *device_identity_backend_ca_pem(void);

/** What the broker wants beside the certificate; NULL for none. */
const char *device_identity_mqtt_username(void);
const char *device_identity_mqtt_password(void);
