/** Every environment variable that prov reads, with what it does; the README's table. */
export const ENVIRONMENT = {
  PROV_WIFI_PASSWORD: "secret: the password of the network that the board is to join",
  PROV_TOKEN: "secret: the provisioning token",
  PROV_BEARER: "secret: the Bearer token for calls on the user's behalf",
  PROV_MQTT_PASSWORD: "secret: the operator's password at the broker",
  PROV_STATE_DIR: "the folder of the note about this machine's WiFi",
  IDF_PATH: "the ESP-IDF to build with; without it the usual folders are searched",
  IDF_TOOLS_PATH: "where ESP-IDF has its toolchains; `~/.espressif` without it",
  FORCE_COLOR:
    "colour also where nobody looks; `0` is none; stronger than NO_COLOR, weaker than `--no-color`",
  NO_COLOR: "not empty: no colour",
  TERM: "`dumb`: neither colour nor movement",
  GITHUB_ACTIONS:
    "`true`: errors are annotations, too, and no other line is a command to the runner",
  PATH: "where programs are looked for",
  HOME: "the user's folder: ESP-IDF is searched there, and the WiFi's note lies there",
  XDG_STATE_HOME: "Linux: where that note lies instead of `~/.local/state`",
  LOCALAPPDATA: "Windows: where that note lies",
  SUDO_UID: "set by sudo: the note is then root's own",
  USER: "whose the temporary NetworkManager profile is, where one for everybody is not allowed",
} as const satisfies Readonly<Record<string, string>>;

export type EnvironmentVariable = keyof typeof ENVIRONMENT;

/** The variables that hold secrets; no child process gets them. */
export const SECRET_VARIABLES = [
  "PROV_WIFI_PASSWORD",
  "PROV_TOKEN",
  "PROV_BEARER",
  "PROV_MQTT_PASSWORD",
] as const satisfies readonly EnvironmentVariable[];
export type SecretVariable = (typeof SECRET_VARIABLES)[number];
