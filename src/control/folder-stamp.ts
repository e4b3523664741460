import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * What a model was read from: names, sizes and times of all files in the folder of one. Another stamp later says that some have been
 * replaced since. Not of contents, as `digestFiles`: to read the weights would take a start longer than to compile them. Where the folder cannot be read the stamp says that: whoever reads the model meets the same fault and tells it.
 */
export async function folderStamp(file: string): Promise<string> {
  const folder = dirname(file);
  try {
    const names = (await readdir(folder)).sort();
    const stats = await Promise.all(names.map((name) => stat(join(folder, name))));
    return JSON.stringify(names.map((name, index) => [name, stats[index]!.size, stats[index]!.mtimeMs]));
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
