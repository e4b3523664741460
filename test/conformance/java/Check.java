import com.google.gson.Gson;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;

/** Runs tests, methods of a class without parameters, and prints one JSON line for each. */
final class Check {
  private Check() {}

  /** @return whether all passed. */
  static boolean run(Object tests) {
    boolean passed = true;
    Method[] methods = tests.getClass().getDeclaredMethods();
    Arrays.sort(methods, Comparator.comparing(Method::getName));
    for (Method method : methods) {
      boolean isTest =
          method.getParameterCount() == 0 && Modifier.isPublic(method.getModifiers()) && !method.isSynthetic();
      if (isTest) passed &= run(tests, method);
    }
    return passed;
  }

  private static boolean run(Object tests, Method method) {
    String detail = "";
    try {
      method.invoke(tests);
    } catch (InvocationTargetException thrown) {
      StringWriter text = new StringWriter();
      thrown.getCause().printStackTrace(new PrintWriter(text));
      detail = text.toString();
    } catch (IllegalAccessException thrown) {
      throw new IllegalStateException(thrown);
    }
    String outcome = detail.isEmpty() ? "passed" : "failed";
    String name = tests.getClass().getSimpleName() + ": " + method.getName();
    System.out.println(new Gson().toJson(Map.of("test", name, "outcome", outcome, "detail", detail)));
    return detail.isEmpty();
  }

  static void same(Object got, Object wanted) {
    if (!Objects.equals(got, wanted)) throw new AssertionError("got " + got + ", want " + wanted);
  }

  static Status.Code codeOf(Callable<?> call) throws Exception {
    return refusal(call).getCode();
  }

  static void refused(Status.Code code, String text, Callable<?> call) throws Exception {
    Status status = refusal(call);
    same(status.getCode() + ": " + status.getDescription(), code + ": " + text);
  }

  private static Status refusal(Callable<?> call) throws Exception {
    Object answer;
    try {
      answer = call.call();
    } catch (StatusRuntimeException refusal) {
      return refusal.getStatus();
    }
    throw new AssertionError("answered: " + answer);
  }
}
