import type { DeviceManifest } from "../../codegen/manifest.js";
import { soundDevice } from "../helpers/manifest.js";

/** A throw-away identity, so that the generated text is the same on every run. */
export const GOLDEN_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg39AWGW50giPhxJ5W
xxTh1AtoWR85VQamYtr2oJFpNXyhRANCAAT52Bun8Wxj1YddUqJEAQTknNDKyNNG
NDjnfiBDMt9biUAiiTBIjb4hkkEnTaXGDYgQWP6P/1DksVzYq+rYQ/Q8
-----END PRIVATE KEY-----
`;

export const GOLDEN_CSR = `-----BEGIN CERTIFICATE REQUEST-----
MIHNMHUCAQAwEzERMA8GA1UEAwwIZ29sZGVuLTEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAT52Bun8Wxj1YddUqJEAQTknNDKyNNGNDjnfiBDMt9biUAiiTBIjb4h
kkEnTaXGDYgQWP6P/1DksVzYq+rYQ/Q8oAAwCgYIKoZIzj0EAwIDSAAwRQIgO0QC
N9HIPIshSrF9VHzuyKLA0QjRTrTZ0dCKgYO+iAYCIQCXQI9/Py7WI2ZxsP6oI4ha
bVc5uZJEdOb3ex/TYP37WQ==
-----END CERTIFICATE REQUEST-----
`;

export const GOLDEN_CA = `-----BEGIN CERTIFICATE-----
MIIBfjCCASWgAwIBAgIUNS5mNAUlsubUQDynVQ+AJPhBNF8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJR29sZGVuIENBMCAXDTI2MTEyNDEwMjA1OVoYDzIxMjYxMDMx
MTAyMDU5WjAUMRIwEAYDVQQDDAlHb2xkZW4gQ0EwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASsDahaEjogCHFL7hYXSSY7+MEH1mIvByKtgR7RbpT9nRnz6+TkLzL3
EFzZ44X18qibFDYV0OWLhOVubcG5Q/HEo1MwUTAdBgNVHQ4EFgQUqpsJd23Ilyzt
/k4d64ZQGio6t6QwHwYDVR0jBBgwFoAUqpsJd23Ilyzt/k4d64ZQGio6t6QwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAkdoBuKo5ZKxcYHb0qI8i9
Y/kUgeRunc9LoUCNp/qqrQIgdViUgeNZDkDE1JqXAZ8UpmqikWFNFYc7JPe0xkFM
tRI=
-----END CERTIFICATE-----
`;

/** Sets every field, with the characters that C, Kconfig and UTF-8 make difficult. */
export const GOLDEN_MANIFEST: DeviceManifest = soundDevice({
  id: "golden-1",
  target: "c3",
  softAp: { ssidPrefix: 'Kü"che\\ ??/', password: 'p"q\\r$s%t;u', channel: 6 },
  backend: { url: "https://backend.example.org:8443/api/", ca: GOLDEN_CA, reportPath: "/hello" },
  mqtt: { uri: "mqtts://broker.example.org:8884", statusIntervalSeconds: 5 },
  logLevel: "debug",
  coreDump: true,
  sdkconfig: {
    CONFIG_LWIP_MAX_SOCKETS: 20,
    CONFIG_PROV_WIFI_MAX_ATTEMPTS: 3,
    CONFIG_LWIP_IPV6_AUTOCONFIG: true,
    CONFIG_BOOTLOADER_LOG_LEVEL_INFO: false,
    CONFIG_LWIP_LOCAL_HOSTNAME: "golden",
    CONFIG_PARTITION_TABLE_OFFSET: "0x8000",
  },
});

/** Sets nothing that has a default. */
export const DEFAULT_MANIFEST: DeviceManifest = soundDevice({ id: "plain" });
