export const lifeCycle = {};
