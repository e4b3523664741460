// Package conformance is a client in Go: grpc-go with messages that are made, while it runs, of the project's .proto files.
// The server is told by the environment, and has the servables of ../repository.ts.
package conformance

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

const (
	predict     = "/tensorflow.serving.PredictionService/Predict"
	getMetadata = "/tensorflow.serving.PredictionService/GetModelMetadata"
	getStatus   = "/tensorflow.serving.ModelService/GetModelStatus"
	kserve      = "/inference.GRPCInferenceService/"
	modelInfer  = kserve + "ModelInfer"
	// As every call of these tests is bounded.
	timeout     = time.Minute
	longMessage = 6 << 20
)

var (
	address = os.Getenv("VINERY_GRPC_ADDRESS")
	schema  = compileProtos()
)

type resolver = linker.Resolver

func compileProtos() linker.Files {
	compiler := protocompile.Compiler{
		Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
			ImportPaths: strings.Split(os.Getenv("VINERY_PROTO_PATH"), ":"),
		}),
	}
	files, err := compiler.Compile(context.Background(),
		"tensorflow_serving/apis/get_model_metadata.proto",
		"tensorflow_serving/apis/prediction_service.proto",
		"tensorflow_serving/apis/model_service.proto",
		"grpc_predict_v2.proto")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return files
}

func types() resolver { return schema.AsResolver() }

func method(t *testing.T, path string) protoreflect.MethodDescriptor {
	t.Helper()
	name := protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", "."))
	found, err := types().FindDescriptorByName(name)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return found.(protoreflect.MethodDescriptor)
}

func connect(t *testing.T, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	options = append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, options...)
	channel, err := grpc.NewClient("passthrough:///"+address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = channel.Close() })
	return channel
}

func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// A message of a method's input type from its JSON.
func message(t *testing.T, path, json string) *dynamicpb.Message {
	t.Helper()
	request := dynamicpb.NewMessage(method(t, path).Input())
	if err := (protojson.UnmarshalOptions{Resolver: types()}).Unmarshal([]byte(json), request); err != nil {
		t.Fatalf("%s: %v", json, err)
	}
	return request
}

// Calls a method with a request in JSON.
func try(t *testing.T, channel grpc.ClientConnInterface, ctx context.Context, path, json string, options ...grpc.CallOption) (*dynamicpb.Message, error) {
	t.Helper()
	response := dynamicpb.NewMessage(method(t, path).Output())
	err := channel.Invoke(ctx, path, message(t, path, json), response, options...)
	return response, err
}

func call(t *testing.T, channel grpc.ClientConnInterface, path, json string, options ...grpc.CallOption) *dynamicpb.Message {
	t.Helper()
	response, err := try(t, channel, within(t, timeout), path, json, options...)
	if err != nil {
		t.Fatalf("%s %.200s: %v", path, json, err)
	}
	return response
}

// Follows names of fields, keys of maps and indices of lists.
func at(t *testing.T, value protoreflect.Value, keys ...any) protoreflect.Value {
	t.Helper()
	for _, key := range keys {
		switch container := value.Interface().(type) {
		case protoreflect.Message:
			field := container.Descriptor().Fields().ByName(protoreflect.Name(key.(string)))
			if field == nil {
				t.Fatalf("%s has no field %v", container.Descriptor().FullName(), key)
			}
			value = container.Get(field)
		case protoreflect.Map:
			value = container.Get(protoreflect.ValueOfString(key.(string)).MapKey())
			if !value.IsValid() {
				t.Fatalf("there is no key %v", key)
			}
		case protoreflect.List:
			if key.(int) >= container.Len() {
				t.Fatalf("%d elements, asked for [%v]", container.Len(), key)
			}
			value = container.Get(key.(int))
		default:
			t.Fatalf("%v is nothing to look for %v in", value, key)
		}
	}
	return value
}

func of(message *dynamicpb.Message) protoreflect.Value { return protoreflect.ValueOfMessage(message) }

func refused(t *testing.T, err error, code codes.Code, text string) {
	t.Helper()
	if status.Code(err) != code || status.Convert(err).Message() != text {
		t.Errorf("got %v, want %v %q", err, code, text)
	}
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func withMetadata(ctx context.Context, pairs ...string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, pairs...)
}

func statusCode(err error) codes.Code { return status.Code(err) }

func unmarshal(t *testing.T, bytes []byte, into *dynamicpb.Message) {
	t.Helper()
	if err := (proto.UnmarshalOptions{Resolver: types()}).Unmarshal(bytes, into); err != nil {
		t.Fatal(err)
	}
}
