/** Times vary from run to run: every number of a time or a speed becomes `#`. */
export function withoutTimes(text: string): string {
  return text.replaceAll(/(\d+\.\d\d|inf)(?= ms| fps)/g, '#').replaceAll(/(?<=deviation: |variance: )\d+\.\d\d/g, '#');
}

/** The statistics block of `vinery client predict`, without times. */
export const STATISTICS = `
processing time for all iterations
average time: # ms; average speed: # fps
median time: # ms; median speed: # fps
max time: # ms; min speed: # fps
min time: # ms; max speed: # fps
time percentile 90: # ms; speed percentile 90: # fps
time percentile 50: # ms; speed percentile 50: # fps
time standard deviation: #
time variance: #
`;
