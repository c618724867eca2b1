#include "device_identity.h"

#include <stddef.h>

#include "device_keys.h"

const char *device_identity_id(void)
{
    return DEVICE_ID;
}

const char *device_identity_key_pem(void)
{
    return DEVICE_PRIVATE_KEY_PEM;
}

const char *device_identity_csr_pem(void)
{
    return DEVICE_CSR_PEM;
}

const char *device_identity_backend_ca_pem(void)
{
#ifdef DEVICE_BACKEND_CA_PEM
    return DEVICE_BACKEND_CA_PEM;
#else
    return NULL;
#endif
}

const char *device_identity_mqtt_username(void)
{
#ifdef DEVICE_MQTT_USERNAME
    return DEVICE_MQTT_USERNAME;
#else
    return NULL;
#endif
}

const char *device_identity_mqtt_password(void)
{
#ifdef DEVICE_MQTT_PASSWORD
    return DEVICE_MQTT_PASSWORD;
#else
    return NULL;
#endif
}
