import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { batchBytes, normalizeFrames, transposeFrames, type Frames } from '#src/client/frames.js';
import { readNpy } from '#src/client/npy.js';
import { modelNode, pipeline, type TestRepository } from './repository.js';

/** The ten pictures and the networks that stand beside the project's folder; a clone elsewhere has none. */
const DATA = fileURLToPath(new URL('../../../../shared/data/', import.meta.url));

/** Why the tests on the ten pictures are skipped, or `false`. */
export const DEMO_SKIPPED = existsSync(join(DATA, 'imgs.npy'))
  ? false
  : 'there are no pictures and networks in ../shared/data beside the project';

/** The reference was computed in f32; processors with bfloat16 instructions would by default differ by a few hundredths. */
export const DEMO_PROPERTIES = { INFERENCE_PRECISION_HINT: 'f32' };

export const DEMO_IMAGES = join(DATA, 'imgs.npy');
export const DEMO_LABELS = join(DATA, 'lbs.npy');
export const DEMO_PIPELINE = 'image_classification_pipeline';
export const PICTURES = 10;
export const CLASSES = 1001;
const PICTURE_SHAPE = [1, 224, 224, 3];

/** One of the two networks under the names of the demo. */
export interface DemoNetwork {
  readonly model: string;
  readonly folder: string;
  readonly input: string;
  readonly output: string;
}

export const DEMO_NETWORKS: readonly DemoNetwork[] = [
  { model: 'googlenet', folder: 'mobilenet-v2-tf1', input: 'input', output: 'MobilenetV2/Predictions/Softmax' },
  { model: 'resnet', folder: 'mobilenet-v2-tf2', input: 'input', output: 'Identity' },
];

export function demoModelFile({ folder }: DemoNetwork): string {
  return join(DATA, 'models', folder, '1', `${folder}.xml`);
}

/** The demo's pipeline, with the demo's names for models and nodes, over the networks at hand. */
export function writeDemoConfig(repository: TestRepository): string {
  const [googlenet, resnet] = DEMO_NETWORKS as readonly [DemoNetwork, DemoNetwork];
  const sums = { input1: `googlenet_node.${googlenet.output}`, input2: `resnet_node.${resnet.output}` };
  const nodes = [
    modelNode('googlenet_node', googlenet.model, { [googlenet.input]: 'request.image' }, [googlenet.output]),
    modelNode('resnet_node', resnet.model, { [resnet.input]: 'request.image' }, [resnet.output]),
    modelNode('argmax_node', 'argmax', sums, ['argmax/Squeeze']),
  ];
  return repository.writeConfig(
    [
      ...DEMO_NETWORKS.map(({ model, folder }) => ({
        name: model,
        base_path: join(DATA, 'models', folder),
        plugin_config: DEMO_PROPERTIES,
      })),
      { name: 'argmax', base_path: join(DATA, 'models', 'argmax') },
    ],
    [pipeline(DEMO_PIPELINE, ['image'], nodes, { label: 'argmax_node.argmax/Squeeze' })],
  );
}

/** The pictures as the client sends them: 0..255, colours last. */
export async function readDemoFrames(): Promise<Frames> {
  return transposeFrames(normalizeFrames(await readNpy(DEMO_IMAGES)), 'nchw2nhwc');
}

export function demoPicture(
  frames: Frames,
  picture: number,
): { readonly shape: readonly number[]; readonly bytes: Uint8Array } {
  return { shape: PICTURE_SHAPE, bytes: batchBytes(frames, picture, 1) };
}

export interface Photograph {
  /** A JPEG file. */
  readonly path: string;
  /** ImageNet class, without the background. */
  readonly label: number;
}

/** The ten pictures as files, before they were cut to size. */
export async function demoPhotographs(): Promise<Photograph[]> {
  const lines = (await readFile(join(DATA, 'images', 'labels.txt'), 'utf8')).trim().split('\n');
  return lines.map((line) => {
    const [name, label] = line.split(' ') as [string, string];
    return { path: join(DATA, 'images', name), label: Number(label) };
  });
}

/** What each network says of each picture, computed by the reference: rows of {@link CLASSES} probabilities. */
export async function readExpectedProbabilities({ folder }: DemoNetwork): Promise<ArrayLike<number>> {
  return (await readNpy(join(DATA, 'models', `${folder}.expected.npy`))).elements;
}
