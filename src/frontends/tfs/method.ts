/** Full paths of the RPCs. */
export const METHOD = {
  PREDICT: '/tensorflow.serving.PredictionService/Predict',
  GET_MODEL_METADATA: '/tensorflow.serving.PredictionService/GetModelMetadata',
  CLASSIFY: '/tensorflow.serving.PredictionService/Classify',
  REGRESS: '/tensorflow.serving.PredictionService/Regress',
  MULTI_INFERENCE: '/tensorflow.serving.PredictionService/MultiInference',
  GET_MODEL_STATUS: '/tensorflow.serving.ModelService/GetModelStatus',
  HANDLE_RELOAD_CONFIG_REQUEST: '/tensorflow.serving.ModelService/HandleReloadConfigRequest',
} as const;
