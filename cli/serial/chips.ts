/** What the serial side must know about each chip: the id in its images and where its bootloader lives. */
export const CHIPS = {
  esp32: { chipId: 0, label: "ESP32", bootloaderOffset: 0x1000, dromStart: 0x3f40_0000 },
  esp32s2: { chipId: 2, label: "ESP32-S2", bootloaderOffset: 0x1000, dromStart: 0x3f00_0000 },
  esp32c3: { chipId: 5, label: "ESP32-C3", bootloaderOffset: 0, dromStart: 0x3c00_0000 },
  esp32s3: { chipId: 9, label: "ESP32-S3", bootloaderOffset: 0, dromStart: 0x3c00_0000 },
  esp32c2: { chipId: 12, label: "ESP32-C2", bootloaderOffset: 0, dromStart: 0x3c00_0000 },
  esp32c6: { chipId: 13, label: "ESP32-C6", bootloaderOffset: 0, dromStart: 0x4200_0000 },
  esp32c5: { chipId: 23, label: "ESP32-C5", bootloaderOffset: 0x2000, dromStart: 0x4200_0000 },
} as const;

export type ChipName = keyof typeof CHIPS;

/** The chip with this id in the ESP image format, or undefined for one that prov does not know. */
export function chipById(chipId: number): ChipName | undefined {
  return chipNames().find((name) => CHIPS[name].chipId === chipId);
}

/** Accepts `esp32c3`, `ESP32-C3` and `ESP32-C3 (QFN32) (revision v0.4)`; undefined when unknown. */
export function chipByName(text: string): ChipName | undefined {
  const first = text.trim().split(/[\s(]/, 1)[0] ?? "";
  const plain = first.toLowerCase().replaceAll(/[-_]/g, "");
  return chipNames().find((name) => name === plain);
}

function chipNames(): ChipName[] {
  return Object.keys(CHIPS) as ChipName[];
}
