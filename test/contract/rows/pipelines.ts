export const pipelines = {};
