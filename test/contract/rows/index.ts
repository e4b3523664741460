import type { Row } from '../row.js';
import { clients } from './clients.js';
import { commandLine } from './command-line.js';
import { configuration } from './configuration.js';
import { errors } from './errors.js';
import { kserve } from './kserve.js';
import { lifeCycle } from './life-cycle.js';
import { metrics } from './metrics.js';
import { pipelines } from './pipelines.js';
import { repository } from './repository.js';
import { scheduling } from './scheduling.js';
import { stateful } from './stateful.js';
import { stringsAndPictures } from './strings-and-pictures.js';
import { tfsGrpc } from './tfs-grpc.js';
import { tfsRest } from './tfs-rest.js';

/** Every row of the contract under its id: `<section>.<row>`, all ids different. */
export const ROWS = {
  ...commandLine,
  ...configuration,
  ...repository,
  ...lifeCycle,
  ...tfsGrpc,
  ...tfsRest,
  ...kserve,
  ...stringsAndPictures,
  ...stateful,
  ...errors,
  ...pipelines,
  ...metrics,
  ...scheduling,
  ...clients,
} satisfies Readonly<Record<string, Row>>;

export type RowId = keyof typeof ROWS;

/** The chapters of `docs/coverage.md`, in its order. */
export const CHAPTERS: readonly { readonly title: string; readonly rows: Readonly<Record<string, Row>> }[] = [
  { title: 'Command line', rows: commandLine },
  { title: 'config.json', rows: configuration },
  { title: 'Model repository, formats and cloud storage', rows: repository },
  { title: 'Life cycle and reload', rows: lifeCycle },
  { title: 'TensorFlow Serving by gRPC', rows: tfsGrpc },
  { title: 'REST, and TensorFlow Serving by REST', rows: tfsRest },
  { title: 'KServe v2 by gRPC and REST', rows: kserve },
  { title: 'Strings and encoded pictures', rows: stringsAndPictures },
  { title: 'Stateful models', rows: stateful },
  { title: 'Errors', rows: errors },
  { title: 'Pipelines', rows: pipelines },
  { title: 'Metrics', rows: metrics },
  { title: 'Scheduling and devices', rows: scheduling },
  { title: 'Clients', rows: clients },
];
