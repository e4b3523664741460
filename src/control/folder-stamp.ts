import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * What a model was read from: names, sizes, times and inodes of all files in its folder and the folders inside it. Another stamp later
 * says that some have been replaced since. Not of contents, as `digestFiles`: reading the weights would take a start longer than
 * compiling them. Where the folder cannot be read the stamp says that: reading the model meets the same fault and tells it.
 *
 * @param path the model's file, or the directory of a TensorFlow saved model.
 */
export async function folderStamp(path: string): Promise<string> {
  try {
    const folder = (await stat(path)).isDirectory() ? path : dirname(path);
    const names = (await readdir(folder, { recursive: true })).sort();
    const stats = await Promise.all(names.map((name) => stat(join(folder, name))));
    // A copy may have the times of its source; the time of its inode's last change it cannot have.
    return JSON.stringify(
      names.map((name, index) => {
        const { size, mtimeMs, ctimeMs, ino } = stats[index]!;
        return [name, size, mtimeMs, ctimeMs, ino];
      }),
    );
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
