import { writeDummyModel } from '../fixtures/ir.js';
import type { Model, TestRepository } from './repository.js';

/** Many names for one tiny model, all on the same files: what a server spends on each model, and nothing on the models themselves. */
export function addManyModels(repository: TestRepository, count: number): readonly Model[] {
  writeDummyModel(repository.path('many', '1'));
  return Array.from({ length: count }, (_, index) => ({ name: `many-${index}`, base_path: 'many' }));
}
