/** Thrown by a processor that stops because it was asked to: the job waits and goes on later, without losing a try. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** Milliseconds until it may go on; `null` when it is all the same. */
  readonly pause: number | null;

  constructor(pause: number | null = null) {
    super();
    this.pause = pause;
  }
}
