import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.ByteString;
import com.google.protobuf.Int64Value;
import com.google.protobuf.Message;
import inference.GrpcPredictV2.ModelInferRequest;
import inference.GrpcPredictV2.ModelInferResponse;
import inference.GrpcPredictV2.ModelMetadataRequest;
import inference.GrpcPredictV2.ModelMetadataResponse;
import inference.GrpcPredictV2.ModelReadyRequest;
import inference.GrpcPredictV2.ModelReadyResponse;
import inference.GrpcPredictV2.ServerReadyRequest;
import inference.GrpcPredictV2.ServerReadyResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import tensorflow.Types.DataType;
import tensorflow.Tensor.TensorProto;
import tensorflow.TensorShape.TensorShapeProto;
import tensorflow.serving.GetModelMetadata.GetModelMetadataRequest;
import tensorflow.serving.GetModelMetadata.GetModelMetadataResponse;
import tensorflow.serving.GetModelMetadata.SignatureDefMap;
import tensorflow.serving.GetModelStatus.GetModelStatusRequest;
import tensorflow.serving.GetModelStatus.GetModelStatusResponse;
import tensorflow.serving.GetModelStatus.ModelVersionStatus;
import tensorflow.serving.Model.ModelSpec;
import tensorflow.serving.Predict.PredictRequest;
import tensorflow.serving.Predict.PredictResponse;

/** grpc-java with messages that protoc made of the project's .proto files. */
public final class GrpcTests {
  private static final int LONG = 6 << 20;
  private static final int SECONDS = 60;
  private static final String PREDICTION = "tensorflow.serving.PredictionService";
  private static final String KSERVE = "inference.GRPCInferenceService";

  private static final MethodDescriptor<PredictRequest, PredictResponse> PREDICT =
      unary(PREDICTION, "Predict", PredictRequest.getDefaultInstance(), PredictResponse.getDefaultInstance());
  private static final MethodDescriptor<GetModelMetadataRequest, GetModelMetadataResponse> METADATA =
      unary(PREDICTION, "GetModelMetadata", GetModelMetadataRequest.getDefaultInstance(), GetModelMetadataResponse.getDefaultInstance());
  private static final MethodDescriptor<GetModelStatusRequest, GetModelStatusResponse> STATUS =
      unary("tensorflow.serving.ModelService", "GetModelStatus", GetModelStatusRequest.getDefaultInstance(), GetModelStatusResponse.getDefaultInstance());
  private static final MethodDescriptor<ModelInferRequest, ModelInferResponse> INFER =
      unary(KSERVE, "ModelInfer", ModelInferRequest.getDefaultInstance(), ModelInferResponse.getDefaultInstance());
  private static final MethodDescriptor<ModelMetadataRequest, ModelMetadataResponse> MODEL_METADATA =
      unary(KSERVE, "ModelMetadata", ModelMetadataRequest.getDefaultInstance(), ModelMetadataResponse.getDefaultInstance());
  private static final MethodDescriptor<ModelReadyRequest, ModelReadyResponse> MODEL_READY =
      unary(KSERVE, "ModelReady", ModelReadyRequest.getDefaultInstance(), ModelReadyResponse.getDefaultInstance());
  private static final MethodDescriptor<ServerReadyRequest, ServerReadyResponse> SERVER_READY =
      unary(KSERVE, "ServerReady", ServerReadyRequest.getDefaultInstance(), ServerReadyResponse.getDefaultInstance());

  private final ManagedChannel channel;

  GrpcTests(String address) {
    channel = NettyChannelBuilder.forTarget(address)
            .usePlaintext()
            .maxInboundMessageSize(2 * LONG)
            .keepAliveTime(10, TimeUnit.SECONDS)
            .keepAliveWithoutCalls(true)
            .build();
  }

  void close() throws InterruptedException {
    channel.shutdownNow().awaitTermination(SECONDS, TimeUnit.SECONDS);
  }

  private static <I extends Message, O extends Message> MethodDescriptor<I, O> unary(
      String service, String name, I request, O response) {
    return MethodDescriptor.<I, O>newBuilder()
        .setType(MethodDescriptor.MethodType.UNARY)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(service, name))
        .setRequestMarshaller(ProtoUtils.marshaller(request))
        .setResponseMarshaller(ProtoUtils.marshaller(response))
        .build();
  }

  private static CallOptions within(long milliseconds) {
    return CallOptions.DEFAULT.withDeadlineAfter(milliseconds, TimeUnit.MILLISECONDS);
  }

  private <I, O> O call(MethodDescriptor<I, O> method, I request) {
    return ClientCalls.blockingUnaryCall(channel, method, within(SECONDS * 1000), request);
  }

  private static TensorProto tensor(DataType type, ByteString content, int... sizes) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (int size : sizes) shape.addDim(TensorShapeProto.Dim.newBuilder().setSize(size));
    return TensorProto.newBuilder().setDtype(type).setTensorShape(shape).setTensorContent(content).build();
  }

  private static PredictRequest predict(String name, String input, TensorProto tensor) {
    return PredictRequest.newBuilder().setModelSpec(ModelSpec.newBuilder().setName(name)).putInputs(input, tensor).build();
  }

  private static PredictRequest predictTen(String name, float add) {
    return predict(name, "b", tensor(DataType.DT_FLOAT, Servables.ten(add), 1, 10));
  }

  private static ModelInferRequest infer(String name, String input, String type, ByteString content, long... shape) {
    ModelInferRequest.InferInputTensor.Builder tensor =
        ModelInferRequest.InferInputTensor.newBuilder().setName(input).setDatatype(type);
    for (long size : shape) tensor.addShape(size);
    return ModelInferRequest.newBuilder().setModelName(name).setId("7").addInputs(tensor).addRawInputContents(content).build();
  }

  // covers: clients.java-grpc
  public void predictsOnModelsAndPipelines() {
    Servables.INCREMENTS.forEach((name, increment) -> {
      TensorProto output = call(PREDICT, predictTen(name, 0)).getOutputsOrThrow("a");
      Check.same(output.getTensorContent(), Servables.ten(increment));
      Check.same(output.getTensorShape().getDim(1).getSize(), 10L);
    });
  }

  // covers: clients.java-grpc
  public void predictsEveryPrecision() {
    for (Servables.Precision precision : Servables.PRECISIONS) {
      ByteString content = ByteString.copyFrom(precision.content());
      TensorProto sent = tensor(precision.dataType(), content, 1, 2);
      TensorProto output = call(PREDICT, predict("passthrough_" + precision.name(), "in", sent)).getOutputsOrThrow("out");
      Check.same(output.getDtype(), precision.dataType());
      Check.same(output.getTensorContent(), content);
    }
  }

  // covers: clients.java-kserve
  public void infersEveryPrecision() {
    for (Servables.Precision precision : Servables.PRECISIONS) {
      ByteString content = ByteString.copyFrom(precision.content());
      ModelInferResponse response =
          call(INFER, infer("passthrough_" + precision.name(), "in", precision.kserve(), content, 1, 2));
      Check.same(response.getOutputs(0).getDatatype(), precision.kserve());
      Check.same(response.getRawOutputContents(0), content);
      Check.same(response.getId(), "7");
    }
  }

  // covers: clients.java-kserve
  public void asksKServeOfServersAndModels() {
    Check.same(call(SERVER_READY, ServerReadyRequest.getDefaultInstance()).getReady(), true);
    Check.same(call(MODEL_READY, ModelReadyRequest.newBuilder().setName("dummy_twice").build()).getReady(), true);
    ModelMetadataResponse metadata = call(MODEL_METADATA, ModelMetadataRequest.newBuilder().setName("dummy").build());
    Check.same(metadata.getInputs(0).getShapeList(), List.of(1L, 10L));
    Check.same(metadata.getPlatform(), "OpenVINO");
  }

  // covers: clients.java-grpc
  public void readsMetadata() throws Exception {
    GetModelMetadataResponse response = call(METADATA,
            GetModelMetadataRequest.newBuilder()
                .setModelSpec(ModelSpec.newBuilder().setName("dummy_twice"))
                .addMetadataField("signature_def")
                .build());
    SignatureDefMap map = response.getMetadataOrThrow("signature_def").unpack(SignatureDefMap.class);
    Check.same(map.getSignatureDefOrThrow("serving_default").getInputsOrThrow("b").getDtype(), DataType.DT_FLOAT);
  }

  // covers: clients.java-grpc
  public void readsStatus() {
    ModelSpec spec = ModelSpec.newBuilder().setName("versioned").setVersion(Int64Value.of(2)).build();
    ModelVersionStatus status = call(STATUS, GetModelStatusRequest.newBuilder().setModelSpec(spec).build()).getModelVersionStatus(0);
    Check.same(status.getVersion(), 2L);
    Check.same(status.getState(), ModelVersionStatus.State.AVAILABLE);
    Check.same(status.getStatus().getErrorMessage(), "OK");
  }

  // covers: clients.java-errors
  public void readsErrors() throws Exception {
    Check.refused(Status.Code.NOT_FOUND, "Pipeline with requested name is not found",
        () -> call(PREDICT, predictTen("nobody", 0)));
    Check.refused(Status.Code.UNAVAILABLE, "Pipeline is not loaded yet",
        () -> call(PREDICT, predictTen("broken_pipeline", 0)));
    TensorProto tooShort = tensor(DataType.DT_FLOAT, Servables.ten(0), 1, 9);
    Check.refused(Status.Code.INVALID_ARGUMENT, "Invalid input shape - Expected: (1,10); Actual: (1,9); input name: b",
        () -> call(PREDICT, predict("dummy_twice", "b", tooShort)));
    Check.refused(Status.Code.INVALID_ARGUMENT,
        "Invalid input precision - Expected: FP32; Actual: INT32; input name: input name: b",
        () -> call(INFER, infer("dummy", "b", "INT32", Servables.ten(0), 1, 10)));
    Check.same(call(PREDICT, predictTen("dummy", 0)).getOutputsOrThrow("a").getTensorContent(), Servables.ten(1));
  }

  private static PredictRequest slow() {
    int side = Servables.HEAVY_SIDE;
    return predict(Servables.HEAVY, "b", tensor(DataType.DT_FLOAT, ByteString.copyFrom(new byte[4 * side * side]), side, side));
  }

  // covers: clients.java-deadlines-and-cancelling
  public void keepsDeadlines() throws Exception {
    Check.same(Check.codeOf(() -> ClientCalls.blockingUnaryCall(channel, PREDICT, within(50), slow())), Status.Code.DEADLINE_EXCEEDED);
    call(PREDICT, predictTen("dummy", 0));
  }

  // covers: clients.java-deadlines-and-cancelling
  public void cancels() {
    ListenableFuture<PredictResponse> future =
        ClientCalls.futureUnaryCall(channel.newCall(PREDICT, within(SECONDS * 1000)), slow());
    call(PREDICT, predictTen("dummy", 0));
    Check.same(future.cancel(true), true);
    call(PREDICT, predictTen("dummy", 0));
  }

  // covers: clients.java-transport
  public void compresses() {
    ByteString zeros = ByteString.copyFrom(new byte[400_000]);
    PredictRequest request = predict("passthrough_FP32", "in", tensor(DataType.DT_FLOAT, zeros, 100, 1000));
    CallOptions gzip = within(SECONDS * 1000).withCompression("gzip");
    Check.same(
        ClientCalls.blockingUnaryCall(channel, PREDICT, gzip, request).getOutputsOrThrow("out").getTensorContent(), zeros);
  }

  // covers: clients.java-transport
  public void sendsAndReadsLongMessages() {
    byte[] bytes = new byte[LONG];
    for (int index = 0; index < LONG; index++) bytes[index] = (byte) (index % 251);
    ByteString content = ByteString.copyFrom(bytes);
    PredictRequest request = predict("passthrough_U8", "in", tensor(DataType.DT_UINT8, content, 1, LONG));
    Check.same(call(PREDICT, request).getOutputsOrThrow("out").getTensorContent().equals(content), true);
  }

  // covers: clients.java-transport
  public void callsManyTimesAtOnce() throws Exception {
    List<ListenableFuture<PredictResponse>> answers = new ArrayList<>();
    for (int number = 0; number < 200; number++) {
      answers.add(ClientCalls.futureUnaryCall(channel.newCall(PREDICT, within(SECONDS * 1000)), predictTen("dummy_twice", number)));
    }
    for (int number = 0; number < 200; number++) {
      Check.same(answers.get(number).get().getOutputsOrThrow("a").getTensorContent(), Servables.ten(number + 2));
    }
  }

  // covers: clients.java-transport
  public void sendsMetadata() {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("x-request-id", Metadata.ASCII_STRING_MARSHALLER), "1");
    headers.put(Metadata.Key.of("trace-bin", Metadata.BINARY_BYTE_MARSHALLER), new byte[] {0, -1});
    Channel extended = ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
    ClientCalls.blockingUnaryCall(extended, PREDICT, within(SECONDS * 1000), predictTen("dummy", 0));
  }

  // covers: clients.java-health-and-reflection
  public void checksHealth() throws Exception {
    HealthGrpc.HealthBlockingStub health = HealthGrpc.newBlockingStub(channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
    for (String service : List.of("", PREDICTION, KSERVE)) {
      HealthCheckRequest request = HealthCheckRequest.newBuilder().setService(service).build();
      Check.same(health.check(request).getStatus(), HealthCheckResponse.ServingStatus.SERVING);
    }
    HealthCheckRequest nobody = HealthCheckRequest.newBuilder().setService("nobody").build();
    Check.same(Check.codeOf(() -> health.check(nobody)), Status.Code.NOT_FOUND);
  }

  // covers: clients.java-health-and-reflection
  public void listsServicesByReflection() throws Exception {
    CompletableFuture<ServerReflectionResponse> answer = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> questions =
        ServerReflectionGrpc.newStub(channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS).serverReflectionInfo(
            new StreamObserver<>() {
              @Override
              public void onNext(ServerReflectionResponse response) {
                answer.complete(response);
              }

              @Override
              public void onError(Throwable error) {
                answer.completeExceptionally(error);
              }

              @Override
              public void onCompleted() {
                answer.completeExceptionally(new AssertionError("no answer"));
              }
            });
    questions.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    List<String> names = answer.get().getListServicesResponse().getServiceList().stream().map(ServiceResponse::getName).toList();
    questions.onCompleted();
    Check.same(names.containsAll(List.of(PREDICTION, KSERVE, "grpc.health.v1.Health")), true);
  }
}
