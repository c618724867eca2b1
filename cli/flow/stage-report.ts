import type { GlobalOptions, WorkContext } from "../context.js";
import { prepareOutput, writeOutput } from "../files/files.js";
import { withDetails } from "../system-error.js";
import { renderJunit } from "./junit.js";
import { openProject, type Project } from "./project.js";
import { toStageError } from "./stage-error.js";
import { createStageClock, type StageClock, type StageRecord } from "./stages.js";

export interface ReportOptions extends GlobalOptions {
  /** Where the JUnit report goes. */
  junit?: string;
}

interface StageChain<Result> {
  /** What the command line alone tells: judged before the manifest is read. */
  check: () => void;
  work: (project: Project, clock: StageClock) => Promise<Result>;
}

/**
 * Opens the project and runs a chain of stages on it. An error carries the stages that were run; a JUnit
 * report, when one is asked for, is written either way, and never without a failure when there was one.
 * @throws ProvError file_inaccessible before anything is done, or whatever `check` and `work` throw
 */
export async function withStageReport<Result>(
  command: string,
  options: ReportOptions,
  context: WorkContext,
  { check, work }: StageChain<Result>,
): Promise<Result> {
  const { junit } = options;
  if (junit !== undefined) prepareOutput(junit);
  const write = (suite: string, stages: readonly StageRecord[]): void => {
    if (junit !== undefined) writeOutput(junit, renderJunit(suite, stages));
  };
  const clock = createStageClock();
  let device: string | undefined;
  const suite = () => (device === undefined ? command : `${command} ${device}`);
  let result: Result;
  try {
    check();
    const project = await openProject(options, context);
    device = project.manifest.id;
    result = await work(project, clock);
  } catch (error) {
    try {
      write(suite(), withFailure(clock.records, error));
    } catch (unwritten) {
      context.out.warn(`no JUnit report: ${toStageError(unwritten).message}`);
    }
    throw withDetails(error, { ...(device && { device }), stages: clock.records });
  }
  write(suite(), clock.records);
  return result;
}

/** What went wrong before the first stage, or between two, is a test case too. */
function withFailure(records: readonly StageRecord[], error: unknown): readonly StageRecord[] {
  if (records.some((stage) => !stage.ok)) return records;
  return [...records, { name: "prepare", ok: false, ms: 0, error: toStageError(error) }];
}
