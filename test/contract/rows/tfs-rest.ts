export const tfsRest = {};
