import type { LoaderProfile } from "./chip-profile.js";

/** Bit 18 of the SPI controller's command register starts a user command. */
const SPI_USER_COMMAND = 1 << 18;
const RDID = 0x9f;
/** Manufacturer 0x20, type 0x40; the third byte is the logarithm of the size. */
const FLASH_ID_LOW = 0x4020;
/** RTC watchdog: top bit enables it. */
const WATCHDOG_ENABLE = 0x8000_0000;

export type Registers = ReturnType<typeof createRegisters>;

/**
 * The chip's registers: plain memory, but for the SPI controller (whose user command reads the flash
 * chip's id) and the watchdog (which resets the chip).
 */
export function createRegisters(
  profile: LoaderProfile,
  flashBytes: number,
  onWatchdog: () => void,
) {
  const values = new Map(profile.registers);
  const { base, usr2, w0 } = profile.spi;

  const runSpiCommand = (): void => {
    const command = (values.get(base + usr2) ?? 0) & 0xff;
    const answer = command === RDID ? FLASH_ID_LOW | (Math.log2(flashBytes) << 16) : 0;
    values.set(base + w0, answer);
    values.set(base, 0);
  };

  return {
    read: (address: number): number => values.get(address) ?? 0,
    /** Changes the bits in `mask` only. */
    write(address: number, value: number, mask: number): void {
      const merged = (((values.get(address) ?? 0) & ~mask) | (value & mask)) >>> 0;
      values.set(address, merged);
      if (address === base && merged & SPI_USER_COMMAND) runSpiCommand();
      if (address === profile.watchdogConfig && merged & WATCHDOG_ENABLE) onWatchdog();
    },
  };
}
