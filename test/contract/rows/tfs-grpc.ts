export const tfsGrpc = {};
