import { defineDevice } from "prov";
import { expect, expectTypeOf, test } from "vitest";
import type { z } from "zod";
import type { DeviceDefinition, DeviceManifest } from "../../codegen/manifest.js";
import type { deviceSchema } from "../../codegen/manifest-fields.js";

/** Without the difference of what may be written to. */
type Plain<Type> = Type extends object ? { readonly [Key in keyof Type]: Plain<Type[Key]> } : Type;

test("the generated types are those of the schema", () => {
  type Given = z.input<typeof deviceSchema>;
  type Checked = z.output<typeof deviceSchema>;
  expectTypeOf<Plain<Checked>>().toEqualTypeOf<Plain<DeviceManifest>>();
  // A pattern is no type to the schema: the names of sdkconfig are held by the case below.
  expectTypeOf<Plain<Omit<Given, "sdkconfig">>>().toEqualTypeOf<
    Plain<Omit<DeviceDefinition, "sdkconfig">>
  >();
});

test("defineDevice returns what it was given, with its literal types", () => {
  const device = defineDevice({ id: "d1", target: "c3", softAp: { channel: 6 } });
  expect(device).toEqual({ id: "d1", target: "c3", softAp: { channel: 6 } });
  expectTypeOf(device.id).toEqualTypeOf<"d1">();
  expectTypeOf(device.softAp.channel).toEqualTypeOf<6>();
});

test("what the schema would refuse does not compile either", () => {
  // Each line compiles only because the error that it expects is there.
  const attempts = [
    // @ts-expect-error the id is required
    () => defineDevice({ target: "esp32" }),
    // @ts-expect-error no such chip
    () => defineDevice({ id: "d", target: "esp8266" }),
    // @ts-expect-error misspelt field of the device
    () => defineDevice({ id: "d", softAP: {} }),
    // @ts-expect-error misspelt field of a section
    () => defineDevice({ id: "d", softAp: { ssidPrefx: "x" } }),
    // @ts-expect-error wrong type
    () => defineDevice({ id: "d", softAp: { channel: "6" } }),
    // @ts-expect-error no such algorithm
    () => defineDevice({ id: "d", key: { algorithm: "DSA" } }),
    // @ts-expect-error not a CONFIG_ symbol
    () => defineDevice({ id: "d", sdkconfig: { LWIP: 1 } }),
  ];
  expect(attempts).toHaveLength(7);
});

test("computed values are welcome", () => {
  const prefix: string = ["Lab", "AP"].join("-");
  const device = defineDevice({ id: `d-${1 + 1}`, softAp: { ssidPrefix: prefix } });
  expect(device.softAp.ssidPrefix).toBe("Lab-AP");
});
