const SERVICE = '/inference.GRPCInferenceService';

/** Full paths of the RPCs. */
export const METHOD = {
  SERVER_LIVE: `${SERVICE}/ServerLive`,
  SERVER_READY: `${SERVICE}/ServerReady`,
  SERVER_METADATA: `${SERVICE}/ServerMetadata`,
  MODEL_READY: `${SERVICE}/ModelReady`,
  MODEL_METADATA: `${SERVICE}/ModelMetadata`,
  MODEL_INFER: `${SERVICE}/ModelInfer`,
  MODEL_STREAM_INFER: `${SERVICE}/ModelStreamInfer`,
} as const;
