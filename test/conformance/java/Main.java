/** Runs the tests against the server whose addresses the environment tells. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) throws Exception {
    GrpcTests grpc = new GrpcTests(System.getenv("VINERY_GRPC_ADDRESS"));
    boolean passed = Check.run(grpc);
    grpc.close();
    passed &= Check.run(new HttpTests(System.getenv("VINERY_REST_ADDRESS")));
    // Threads of the clients must not keep a program alive whose tests have ended.
    System.exit(passed ? 0 : 1);
  }
}
