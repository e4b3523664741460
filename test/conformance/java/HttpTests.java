import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The client of the JDK, as it is by default: every request offers an upgrade to HTTP/2. */
public final class HttpTests {
  private static final String ROW = "{\"instances\": [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]}";
  private final HttpClient client = HttpClient.newHttpClient();
  private final String address;

  HttpTests(String address) {
    this.address = address;
  }

  private HttpRequest.Builder at(String path) {
    return HttpRequest.newBuilder(URI.create("http://" + address + path)).timeout(Duration.ofSeconds(60));
  }

  private HttpResponse<String> get(String path) throws Exception {
    return client.send(at(path).build(), BodyHandlers.ofString());
  }

  private HttpResponse<String> post(String path, HttpRequest.BodyPublisher body) throws Exception {
    return client.send(at(path).POST(body).build(), BodyHandlers.ofString());
  }

  private static JsonObject json(HttpResponse<String> response) {
    return JsonParser.parseString(response.body()).getAsJsonObject();
  }

  // covers: clients.java-http
  public void readsStatusAndMetadata() throws Exception {
    HttpResponse<String> status = get("/v1/models/dummy_twice");
    Check.same(client.version(), HttpClient.Version.HTTP_2);
    Check.same(status.version(), HttpClient.Version.HTTP_1_1);
    Check.same(status.headers().firstValue("content-type").orElse(""), "application/json");
    JsonObject first = json(status).getAsJsonArray("model_version_status").get(0).getAsJsonObject();
    Check.same(first.get("state").getAsString(), "AVAILABLE");
    Check.same(json(get("/v1/models/dummy/metadata")).getAsJsonObject("modelSpec").get("version").getAsString(), "1");
    Check.same(json(get("/v2/models/dummy")).get("platform").getAsString(), "OpenVINO");
    Check.same(get("/v2/health/ready").statusCode(), 200);
  }

  // covers: clients.java-http
  public void predicts() throws Exception {
    for (int repeat = 0; repeat < 3; repeat++) {
      HttpResponse<String> response = post("/v1/models/dummy_twice:predict", BodyPublishers.ofString(ROW));
      JsonArray row = json(response).getAsJsonArray("predictions").get(0).getAsJsonArray();
      Check.same(row.get(9).getAsFloat(), 11f);
    }
  }

  // covers: clients.java-http
  public void predictsOfAStreamOfUnknownLength() throws Exception {
    HttpRequest.BodyPublisher stream =
        BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(ROW.getBytes(StandardCharsets.UTF_8)));
    Check.same(post("/v1/models/dummy:predict", stream).statusCode(), 200);
    HttpRequest expecting = at("/v1/models/dummy:predict").expectContinue(true).POST(BodyPublishers.ofString(ROW)).build();
    Check.same(client.send(expecting, BodyHandlers.ofString()).statusCode(), 200);
  }

  // covers: clients.java-http
  public void infersWithBinaryData() throws Exception {
    String head = "{\"id\": \"7\", \"inputs\": [{\"name\": \"b\", \"shape\": [1, 10], \"datatype\": \"FP32\", "
            + "\"parameters\": {\"binary_data_size\": 40}}], \"outputs\": [{\"name\": \"a\", \"parameters\": {\"binary_data\": true}}]}";
    byte[] headBytes = head.getBytes(StandardCharsets.UTF_8);
    HttpRequest request = at("/v2/models/dummy/infer")
            .header("Inference-Header-Content-Length", String.valueOf(headBytes.length))
            .POST(BodyPublishers.ofByteArrays(List.of(headBytes, Servables.ten(0).toByteArray())))
            .build();
    HttpResponse<byte[]> response = client.send(request, BodyHandlers.ofByteArray());
    int headLength = (int) response.headers().firstValueAsLong("inference-header-content-length").orElse(0);
    byte[] body = response.body();
    Check.same(com.google.protobuf.ByteString.copyFrom(body, headLength, body.length - headLength), Servables.ten(1));
    Check.same(JsonParser.parseString(new String(body, 0, headLength, StandardCharsets.UTF_8)).getAsJsonObject().get("id").getAsString(), "7");
  }

  // covers: clients.java-http
  public void asksManyTimesAtOnce() {
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (int number = 0; number < 50; number++) {
      HttpRequest request = at("/v1/models/dummy:predict").POST(BodyPublishers.ofString(ROW)).build();
      answers.add(client.sendAsync(request, BodyHandlers.ofString()));
    }
    for (CompletableFuture<HttpResponse<String>> answer : answers) Check.same(answer.join().statusCode(), 200);
  }

  // covers: clients.java-errors
  public void readsErrors() throws Exception {
    HttpResponse<String> unknown = get("/v1/models/nobody");
    Check.same(unknown.statusCode(), 404);
    Check.same(unknown.body(), "{\"error\":\"Model with requested name is not found\"}");
    HttpResponse<String> wrong = post("/v1/models/dummy:predict", BodyPublishers.ofString("{}"));
    Check.same(wrong.statusCode(), 400);
    Check.same(wrong.body(), "{\"error\":\"Invalid JSON structure. Could not detect row or column format\"}");
  }
}
