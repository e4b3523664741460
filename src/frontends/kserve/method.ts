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
  MODEL_CONFIG: `${SERVICE}/ModelConfig`,
  MODEL_STATISTICS: `${SERVICE}/ModelStatistics`,
  REPOSITORY_INDEX: `${SERVICE}/RepositoryIndex`,
  SYSTEM_SHARED_MEMORY_STATUS: `${SERVICE}/SystemSharedMemoryStatus`,
  SYSTEM_SHARED_MEMORY_REGISTER: `${SERVICE}/SystemSharedMemoryRegister`,
  SYSTEM_SHARED_MEMORY_UNREGISTER: `${SERVICE}/SystemSharedMemoryUnregister`,
  CUDA_SHARED_MEMORY_STATUS: `${SERVICE}/CudaSharedMemoryStatus`,
  CUDA_SHARED_MEMORY_REGISTER: `${SERVICE}/CudaSharedMemoryRegister`,
  CUDA_SHARED_MEMORY_UNREGISTER: `${SERVICE}/CudaSharedMemoryUnregister`,
} as const;
