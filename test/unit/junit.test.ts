import { expect, test } from "vitest";
import { ProvError } from "../../cli/errors.js";
import { renderJunit } from "../../cli/flow/junit.js";
import { createStageClock } from "../../cli/flow/stages.js";
import { run } from "../helpers/prov.js";

/** What Python's XML parser, which knows nothing of how prov writes, reads in a report. */
const READ = `
import json, sys, xml.etree.ElementTree as tree
def plain(element):
    return {"tag": element.tag, **{"attributes": dict(element.attrib)}, "children": [plain(child) for child in element]}
print(json.dumps(plain(tree.fromstring(sys.stdin.buffer.read()))))
`;

interface Element {
  tag: string;
  attributes: Record<string, string>;
  children: Element[];
}

async function parse(xml: string): Promise<Element> {
  const { code, stdout, stderr } = await run("python3", ["-c", READ], xml);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

test("one test case per stage, a failure for the one that ended the run", async () => {
  const clock = createStageClock();
  await clock.run("join", async () => {});
  const error = new ProvError("wifi_wrong_password", "the access point refused the WiFi password");
  await expect(
    clock.run("outcome", async () => {
      throw error;
    }),
  ).rejects.toBe(error);
  const suites = await parse(renderJunit("prov provision fern", clock.records));
  expect(suites).toMatchObject({ tag: "testsuites", attributes: { tests: "2", failures: "1" } });
  const [suite, ...others] = suites.children;
  expect(others).toEqual([]);
  expect(suite).toMatchObject({
    tag: "testsuite",
    attributes: { name: "prov provision fern", tests: "2", failures: "1", errors: "0" },
  });
  expect(suite?.children).toMatchObject([
    {
      tag: "testcase",
      attributes: { classname: "prov provision fern", name: "join" },
      children: [],
    },
    {
      tag: "testcase",
      attributes: { name: "outcome" },
      children: [
        {
          tag: "failure",
          attributes: {
            type: "wifi_wrong_password",
            message: "the access point refused the WiFi password",
          },
        },
      ],
    },
  ]);
});

test("times are seconds, and the suite's is the sum", async () => {
  const stages = [
    { name: "a", ok: true, ms: 1500 },
    { name: "b", ok: true, ms: 25 },
  ];
  const suites = await parse(renderJunit("times", stages));
  const [suite] = suites.children;
  expect(suite?.children.map((each) => each.attributes.time)).toEqual(["1.500", "0.025"]);
  expect(suite?.attributes.time).toBe("1.525");
  expect(suites.attributes.time).toBe("1.525");
});

test("no stage at all is a report too", async () => {
  const suites = await parse(renderJunit("nothing", []));
  expect(suites.children[0]?.attributes).toMatchObject({ tests: "0", failures: "0" });
});

test("whatever a device or a backend says stays well-formed", async () => {
  const hostile = `<&>"'\n\u0000\u0007\u001b[31m]]> \ud800 ü \u{1f33f} \uffff`;
  const stage = { name: hostile, ok: false, ms: 1, error: { code: "internal", message: hostile } };
  const suites = await parse(renderJunit(hostile, [stage]));
  const shown = `<&>"'\n\ufffd\ufffd\ufffd[31m]]> \ufffd ü \u{1f33f} \ufffd`;
  const testcase = suites.children[0]?.children[0];
  expect(testcase?.attributes.name).toBe(shown);
  expect(testcase?.children[0]?.attributes.message).toBe(shown);
});
