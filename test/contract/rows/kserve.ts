export const kserve = {};
