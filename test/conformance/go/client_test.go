package conformance

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/encoding/gzip"
	_ "google.golang.org/grpc/health" // health checks by the channel itself
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Of each precision: its names in both protocols, and two values as bytes that an unchanged tensor keeps.
var precisions = []struct {
	name, dataType, kserve string
	values                 any
}{
	{"FP64", "DT_DOUBLE", "FP64", []float64{-1.5, 1 << 30}},
	{"FP32", "DT_FLOAT", "FP32", []float32{-1.5, math.MaxFloat32}},
	{"FP16", "DT_HALF", "FP16", []uint16{0x3c00, 0xfc00}},
	{"I64", "DT_INT64", "INT64", []int64{math.MinInt32, math.MaxInt32}},
	{"I32", "DT_INT32", "INT32", []int32{math.MinInt32, math.MaxInt32}},
	{"I16", "DT_INT16", "INT16", []int16{math.MinInt16, math.MaxInt16}},
	{"I8", "DT_INT8", "INT8", []int8{math.MinInt8, math.MaxInt8}},
	{"U64", "DT_UINT64", "UINT64", []uint64{0, math.MaxInt32}},
	{"U32", "DT_UINT32", "UINT32", []uint32{0, math.MaxUint32}},
	{"U16", "DT_UINT16", "UINT16", []uint16{0, math.MaxUint16}},
	{"U8", "DT_UINT8", "UINT8", []uint8{0, math.MaxUint8}},
	{"BOOL", "DT_BOOL", "BOOL", []uint8{0, 1}},
}

// Servables that add a number to ten values: a model, and a pipeline of it twice.
var increments = map[string]float32{"dummy": 1, "dummy_twice": 2}

func content(values any) []byte {
	var buffer bytes.Buffer
	if err := binary.Write(&buffer, binary.LittleEndian, values); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}

func base64Of(values any) string { return base64.StdEncoding.EncodeToString(content(values)) }

func ten(add float32) []float32 {
	values := make([]float32, 10)
	for index := range values {
		values[index] = float32(index) + add
	}
	return values
}

func dims(sizes ...int) string {
	text := ""
	for index, size := range sizes {
		if index > 0 {
			text += ","
		}
		text += fmt.Sprintf(`{"size":%d}`, size)
	}
	return text
}

func predictJSON(name, input, dataType string, values any, sizes ...int) string {
	return fmt.Sprintf(`{"modelSpec":{"name":%q},"inputs":{%q:{"dtype":%q,"tensorShape":{"dim":[%s]},"tensorContent":%q}}}`,
		name, input, dataType, dims(sizes...), base64Of(values))
}

func inferJSON(name, input, dataType string, values any, sizes string, more string) string {
	return fmt.Sprintf(`{"modelName":%q,"inputs":[{"name":%q,"datatype":%q,"shape":%s}],"rawInputContents":[%q]%s}`,
		name, input, dataType, sizes, base64Of(values), more)
}

func predictTen(name string, add float32) string {
	return predictJSON(name, "b", "DT_FLOAT", ten(add), 1, 10)
}

// covers: clients.go-predict
func TestPredict(t *testing.T) {
	channel := connect(t)
	for name, increment := range increments {
		response := call(t, channel, predict, predictTen(name, 0))
		output := at(t, of(response), "outputs", "a")
		same(t, at(t, output, "tensor_content").Bytes(), content(ten(increment)))
		same(t, at(t, output, "tensor_shape", "dim", 1, "size").Int(), 10)
	}
	response := call(t, channel, predict,
		`{"modelSpec":{"name":"dummy"},"inputs":{"b":{"dtype":"DT_FLOAT","tensorShape":{"dim":[{"size":1},{"size":10}]},"floatVal":[0,1,2,3,4,5,6,7,8,9]}}}`)
	same(t, at(t, of(response), "outputs", "a", "tensor_content").Bytes(), content(ten(1)))
}

// covers: clients.go-predict
func TestPredictOfEveryPrecision(t *testing.T) {
	channel := connect(t)
	for _, precision := range precisions {
		t.Run(precision.name, func(t *testing.T) {
			response := call(t, channel, predict,
				predictJSON("passthrough_"+precision.name, "in", precision.dataType, precision.values, 1, 2))
			same(t, at(t, of(response), "outputs", "out", "tensor_content").Bytes(), content(precision.values))
		})
	}
}

// covers: clients.go-kserve
func TestModelInferOfEveryPrecision(t *testing.T) {
	channel := connect(t)
	for _, precision := range precisions {
		t.Run(precision.name, func(t *testing.T) {
			response := call(t, channel, modelInfer,
				inferJSON("passthrough_"+precision.name, "in", precision.kserve, precision.values, "[1,2]", `,"id":"7"`))
			same(t, at(t, of(response), "raw_output_contents", 0).Bytes(), content(precision.values))
			same(t, at(t, of(response), "outputs", 0, "datatype"), precision.kserve)
			same(t, at(t, of(response), "id"), "7")
		})
	}
}

// covers: clients.go-kserve
func TestModelInfer(t *testing.T) {
	channel := connect(t)
	for name, increment := range increments {
		more := `,"parameters":{"priority":{"int64Param":1}},"outputs":[{"name":"a"}]`
		response := call(t, channel, modelInfer, inferJSON(name, "b", "FP32", ten(0), "[1,10]", more))
		same(t, at(t, of(response), "raw_output_contents", 0).Bytes(), content(ten(increment)))
		same(t, at(t, of(response), "model_name"), name)
	}
	typed := call(t, channel, modelInfer,
		`{"modelName":"dummy","inputs":[{"name":"b","datatype":"FP32","shape":[1,10],"contents":{"fp32Contents":[0,1,2,3,4,5,6,7,8,9]}}]}`)
	same(t, at(t, of(typed), "raw_output_contents", 0).Bytes(), content(ten(1)))
	both := call(t, channel, modelInfer, fmt.Sprintf(
		`{"modelName":"pair","inputs":[{"name":"left","datatype":"FP32","shape":[1,10]},{"name":"right","datatype":"FP32","shape":[1,10]}],"rawInputContents":[%q,%q]}`,
		base64Of(ten(0)), base64Of(ten(10))))
	same(t, at(t, of(both), "outputs", 1, "name"), "right_sum")
	same(t, at(t, of(both), "raw_output_contents", 1).Bytes(), content(ten(12)))
}

// covers: clients.go-kserve
func TestKServeQuestions(t *testing.T) {
	channel := connect(t)
	same(t, at(t, of(call(t, channel, kserve+"ServerLive", `{}`)), "live"), true)
	same(t, at(t, of(call(t, channel, kserve+"ServerReady", `{}`)), "ready"), true)
	same(t, at(t, of(call(t, channel, kserve+"ServerMetadata", `{}`)), "name"), "OpenVINO Model Server")
	same(t, at(t, of(call(t, channel, kserve+"ModelReady", `{"name":"dummy_twice"}`)), "ready"), true)
	metadata := of(call(t, channel, kserve+"ModelMetadata", `{"name":"dummy"}`))
	same(t, at(t, metadata, "inputs", 0, "shape").List().Len(), 2)
	same(t, at(t, metadata, "inputs", 0, "datatype"), "FP32")
	_, err := try(t, channel, within(t, timeout), kserve+"ModelReady", `{"name":"dummy","version":"two"}`)
	refused(t, err, codes.InvalidArgument, "invalid model version format in request")
}

// covers: clients.go-metadata-and-status
func TestMetadata(t *testing.T) {
	channel := connect(t)
	response := of(call(t, channel, getMetadata, `{"modelSpec":{"name":"dummy_twice"},"metadataField":["signature_def"]}`))
	same(t, at(t, response, "model_spec", "version", "value").Int(), 1)
	packed := at(t, response, "metadata", "signature_def")
	mapType, err := types().FindMessageByURL(at(t, packed, "type_url").String())
	if err != nil {
		t.Fatal(err)
	}
	signatures := dynamicpb.NewMessage(mapType.Descriptor())
	unmarshal(t, at(t, packed, "value").Bytes(), signatures)
	input := at(t, of(signatures), "signature_def", "serving_default", "inputs", "b")
	same(t, at(t, input, "tensor_shape", "dim", 1, "size"), 10)
	same(t, at(t, input, "dtype").Enum(), 1)
}

// covers: clients.go-metadata-and-status
func TestStatus(t *testing.T) {
	channel := connect(t)
	of := of(call(t, channel, getStatus, `{"modelSpec":{"name":"versioned"}}`))
	for version := range 2 {
		entry := at(t, of, "model_version_status", version)
		same(t, at(t, entry, "version"), version+1)
		same(t, at(t, entry, "state").Enum(), 30)
		same(t, at(t, entry, "status", "error_message"), "OK")
	}
}

// covers: clients.go-errors
func TestErrors(t *testing.T) {
	channel := connect(t)
	wrong := []struct {
		path, request string
		code          codes.Code
		text          string
	}{
		{predict, predictTen("nobody", 0), codes.NotFound, "Pipeline with requested name is not found"},
		{predict, predictTen("broken_pipeline", 0), codes.Unavailable, "Pipeline is not loaded yet"},
		{predict, predictJSON("dummy", "c", "DT_FLOAT", ten(0), 1, 10), codes.InvalidArgument,
			"Missing input with specific name - Required input: b"},
		{predict, predictJSON("dummy_twice", "b", "DT_FLOAT", ten(0), 1, 9), codes.InvalidArgument,
			"Invalid input shape - Expected: (1,10); Actual: (1,9); input name: b"},
		{predict, predictJSON("dummy", "b", "DT_INT32", make([]int32, 10), 1, 10), codes.InvalidArgument,
			"Invalid input precision - Expected: FP32; Actual: I32; input name: b"},
		{getStatus, `{"modelSpec":{"name":"nobody"}}`, codes.NotFound, "Model with requested name is not found"},
		{getStatus, `{"modelSpec":{"name":"dummy","version":"9"}}`, codes.NotFound, "Model with requested version is not found"},
		{getMetadata, `{"metadataField":["signature_def"]}`, codes.InvalidArgument, "model_spec missing in request"},
		{modelInfer, inferJSON("dummy", "b", "FP32", ten(0)[1:], "[1,10]", ""), codes.InvalidArgument,
			"Invalid content size of tensor proto - Expected: 40 bytes; Actual: 36 bytes; input name: input name: b"},
		{modelInfer, inferJSON("nobody", "b", "FP32", ten(0), "[1,10]", ""), codes.NotFound,
			"Mediapipe graph definition with requested name is not found"},
		{"/tensorflow.serving.PredictionService/Classify", `{}`, codes.Unimplemented, ""},
	}
	for _, one := range wrong {
		_, err := try(t, channel, within(t, timeout), one.path, one.request)
		refused(t, err, one.code, one.text)
	}
	same(t, at(t, of(call(t, channel, predict, predictTen("dummy", 0))), "outputs", "a", "dtype").Enum(), 1)
}

// covers: clients.go-errors, clients.kserve-streams
func TestModelStreamInferFails(t *testing.T) {
	path := kserve + "ModelStreamInfer"
	stream, err := connect(t).NewStream(within(t, timeout),
		&grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, path)
	if err != nil {
		t.Fatal(err)
	}
	if err = stream.SendMsg(message(t, path, inferJSON("dummy", "b", "FP32", ten(0), "[1,10]", ""))); err != nil {
		t.Fatal(err)
	}
	err = stream.RecvMsg(dynamicpb.NewMessage(method(t, path).Output()))
	refused(t, err, codes.NotFound, "Mediapipe graph definition with requested name is not found")
}

// covers: clients.go-health
func TestHealth(t *testing.T) {
	client := grpc_health_v1.NewHealthClient(connect(t))
	services := []string{"", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService", "inference.GRPCInferenceService"}
	for _, service := range services {
		response, err := client.Check(within(t, timeout), &grpc_health_v1.HealthCheckRequest{Service: service})
		if err != nil {
			t.Fatal(err)
		}
		same(t, response.Status, grpc_health_v1.HealthCheckResponse_SERVING)
	}
	_, err := client.Check(within(t, timeout), &grpc_health_v1.HealthCheckRequest{Service: "nobody"})
	same(t, codes.NotFound, statusCode(err))
	watch, err := client.Watch(within(t, timeout), &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := watch.Recv()
	if err != nil {
		t.Fatal(err)
	}
	same(t, first.Status, grpc_health_v1.HealthCheckResponse_SERVING)
}

// covers: clients.go-health
func TestChannelThatChecksHealthItself(t *testing.T) {
	config := `{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":"inference.GRPCInferenceService"}}`
	channel := connect(t, grpc.WithDefaultServiceConfig(config))
	channel.Connect()
	for ctx := within(t, timeout); ; {
		state := channel.GetState()
		if state == connectivity.Ready {
			break
		}
		if !channel.WaitForStateChange(ctx, state) {
			t.Fatalf("the channel is still %v", state)
		}
	}
	call(t, channel, predict, predictTen("dummy", 0))
}

var slow = predictJSON("heavy", "b", "DT_FLOAT", make([]float32, 512*512), 512, 512)

// covers: clients.go-deadlines-and-cancelling
func TestDeadline(t *testing.T) {
	channel := connect(t)
	_, err := try(t, channel, within(t, 50*time.Millisecond), predict, slow)
	same(t, statusCode(err), codes.DeadlineExceeded)
	call(t, channel, predict, predictTen("dummy", 0))
}

// covers: clients.go-deadlines-and-cancelling
func TestCancel(t *testing.T) {
	channel := connect(t)
	ctx, cancel := context.WithCancel(within(t, timeout))
	ended := make(chan error)
	go func() {
		response := dynamicpb.NewMessage(method(t, predict).Output())
		ended <- channel.Invoke(ctx, predict, message(t, predict, slow), response)
	}()
	// Another call of the channel is answered behind it, so it has been sent.
	call(t, channel, predict, predictTen("dummy", 0))
	cancel()
	same(t, statusCode(<-ended), codes.Canceled)
	call(t, channel, predict, predictTen("dummy", 0))
}

// covers: clients.go-transport
func TestGzip(t *testing.T) {
	request := predictJSON("passthrough_FP32", "in", "DT_FLOAT", make([]float32, 100_000), 100, 1000)
	response := call(t, connect(t), predict, request, grpc.UseCompressor(gzip.Name))
	same(t, len(at(t, of(response), "outputs", "out", "tensor_content").Bytes()), 400_000)
}

// covers: clients.go-transport
func TestLongMessages(t *testing.T) {
	values := make([]float32, longMessage/4)
	for index := range values {
		values[index] = float32(index)
	}
	request := predictJSON("passthrough_FP32", "in", "DT_FLOAT", values, 1, len(values))
	response := call(t, connect(t), predict, request, grpc.MaxCallRecvMsgSize(2*longMessage))
	if !bytes.Equal(at(t, of(response), "outputs", "out", "tensor_content").Bytes(), content(values)) {
		t.Error("other values came back")
	}
}

// covers: clients.go-transport
func TestManyCallsOfOneChannel(t *testing.T) {
	channel := connect(t)
	var calls sync.WaitGroup
	for number := range 200 {
		calls.Add(1)
		go func() {
			defer calls.Done()
			response, err := try(t, channel, within(t, timeout), predict, predictTen("dummy", float32(number)))
			if err != nil {
				t.Error(err)
				return
			}
			same(t, at(t, of(response), "outputs", "a", "tensor_content").Bytes(), content(ten(float32(number)+1)))
		}()
	}
	calls.Wait()
}

// covers: clients.go-transport
func TestMetadataAndTimeline(t *testing.T) {
	channel := connect(t)
	var trailer metadata.MD
	ctx := withMetadata(within(t, timeout), "x-request-id", "1", "trace-bin", "\x00\xff", "vinery-timeline", "1")
	if _, err := try(t, channel, ctx, predict, predictTen("dummy_twice", 0), grpc.Trailer(&trailer)); err != nil {
		t.Fatal(err)
	}
	same(t, len(trailer.Get("vinery-timeline")), 1)
}

// A channel pings no more often than every ten seconds, so the pings are sent by hand.
//
// covers: clients.go-transport
func TestKeepAlivePings(t *testing.T) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if err = connection.SetDeadline(time.Now().Add(timeout)); err != nil {
		t.Fatal(err)
	}
	if _, err = connection.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(connection, connection)
	if err = framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	for number := range byte(20) {
		if err = framer.WritePing(false, [8]byte{number}); err != nil {
			t.Fatal(err)
		}
		for answered := false; !answered; {
			frame, err := framer.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			if away, is := frame.(*http2.GoAwayFrame); is {
				t.Fatalf("sent away after %d pings: %v", number, away)
			}
			ping, is := frame.(*http2.PingFrame)
			answered = is && ping.IsAck() && ping.Data[0] == number
		}
	}
	kept := connect(t, grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, PermitWithoutStream: true}))
	call(t, kept, predict, predictTen("dummy", 0))
}
