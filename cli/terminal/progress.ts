/**
 * How domain code tells that work goes on. It knows nothing of terminals: the command line shows
 * these as spinners and bars, the tests record them, and `silent` drops them.
 */
export interface Progress {
  /** Begins a piece of work that takes a while. */
  task(label: string): Task;
  /** One line for people; not a result. */
  note(message: string): void;
  /** One line that people should not miss. */
  warn(message: string): void;
  /** Details that only --verbose shows. */
  detail(message: string): void;
}

export interface Task {
  /** `fraction` is 0…1 where known; `text` says what happens now. */
  update(state: { fraction?: number; text?: string }): void;
  done(text?: string): void;
  failed(text?: string): void;
}

const silentTask: Task = { update() {}, done() {}, failed() {} };

export const silent: Progress = { task: () => silentTask, note() {}, warn() {}, detail() {} };

/** Runs `work` as one task: done when it resolves, failed when it throws. */
export async function asTask<T>(
  progress: Progress,
  label: string,
  work: (task: Task) => Promise<T>,
): Promise<T> {
  const task = progress.task(label);
  try {
    const result = await work(task);
    task.done();
    return result;
  } catch (error) {
    task.failed();
    throw error;
  }
}
