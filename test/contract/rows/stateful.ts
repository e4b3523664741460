export const stateful = {};
