import type { Ticket } from '../../inference/infer-request-pool.js';
import type { ServingError } from '../../errors.js';
import type { UnitSession } from '../node-unit.js';

/** A session on its way through the batches of a model. */
export class BatchMember {
  /** `null` when its inputs have no rows, or not equally many: then it is inferred by itself. */
  readonly rows: number | null;
  /** Where it waits; `null` from when it runs. */
  batch: Batch | null = null;
  /** Its turn has come, perhaps in a batch that failed. */
  hasStarted = false;
  /** Nobody waits for what it gives any more, for this reason. */
  abandoned: ServingError | null = null;

  /** @param since when it came, in milliseconds of the clock. */
  constructor(
    readonly session: UnitSession,
    readonly since: number,
  ) {
    this.rows = commonRows(session);
  }

  /** Shapes of its rows: who differs here cannot be joined. */
  get rowShapes(): string {
    return this.session.inputs.map(({ shape }) => `(${shape.slice(1).join()})`).join();
  }
}

/** Members that will be inferred together, in the order in which they came. */
export class Batch {
  readonly members: BatchMember[] = [];
  rows = 0;
  /** Whether others may still come in. */
  isOpen: boolean;
  /** Whether it waits for an infer request: `ticket` is its place in that queue. */
  isQueued = false;
  ticket: Ticket | null = null;

  /** @param key under which it is open to others; `null`: it is not. */
  constructor(readonly key: string | null) {
    this.isOpen = key !== null;
  }

  add(member: BatchMember): void {
    member.batch = this;
    this.members.push(member);
    this.rows += member.rows ?? 0;
  }

  /** Takes out the first members. */
  take(count: number): BatchMember[] {
    const taken = this.members.splice(0, count);
    for (const member of taken) this.#left(member);
    return taken;
  }

  remove(member: BatchMember): void {
    this.members.splice(this.members.indexOf(member), 1);
    this.#left(member);
  }

  #left(member: BatchMember): void {
    member.batch = null;
    this.rows -= member.rows ?? 0;
  }
}

function commonRows({ inputs }: UnitSession): number | null {
  const rows = inputs[0]?.shape[0] ?? 0;
  return rows > 0 && inputs.every(({ shape }) => shape[0] === rows) ? rows : null;
}
