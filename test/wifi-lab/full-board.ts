/** What the host (which builds the firmware) and the VM (which runs it) have to agree on. */
export const DEVICE_ID = "lab-board";
/** Of the home router, behind which backend and broker are. */
export const SERVICES_ADDRESS = "192.168.77.1";
export const BACKEND_PORT = 8443;
export const BROKER_PORT = 8883;
/** Below the project's root on the host, below /repo in the VM. */
export const FULL_BOARD_DIR = ".cache/wifi-lab/board";
