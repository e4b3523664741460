import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import tensorflow.Types.DataType;

/** What the servables of ../repository.ts take and give. */
final class Servables {
  /** Servables that add a number to ten values: a model, and a pipeline of it twice. */
  static final Map<String, Integer> INCREMENTS = Map.of("dummy", 1, "dummy_twice", 2);

  /** A precision under its three names, and two values that an unchanged tensor keeps. */
  record Precision(String name, DataType dataType, String kserve, byte[] content) {}

  static final Precision[] PRECISIONS = {
    new Precision("FP64", DataType.DT_DOUBLE, "FP64", bytes(16).putDouble(-1.5).putDouble(1 << 30).array()),
    new Precision("FP32", DataType.DT_FLOAT, "FP32", bytes(8).putFloat(-1.5f).putFloat(Float.MAX_VALUE).array()),
    new Precision("FP16", DataType.DT_HALF, "FP16", bytes(4).putShort((short) 0x3c00).putShort((short) 0xfc00).array()),
    new Precision("I64", DataType.DT_INT64, "INT64", bytes(16).putLong(Integer.MIN_VALUE).putLong(Integer.MAX_VALUE).array()),
    new Precision("I32", DataType.DT_INT32, "INT32", bytes(8).putInt(Integer.MIN_VALUE).putInt(Integer.MAX_VALUE).array()),
    new Precision("I16", DataType.DT_INT16, "INT16", bytes(4).putShort(Short.MIN_VALUE).putShort(Short.MAX_VALUE).array()),
    new Precision("I8", DataType.DT_INT8, "INT8", new byte[] {Byte.MIN_VALUE, Byte.MAX_VALUE}),
    new Precision("U64", DataType.DT_UINT64, "UINT64", bytes(16).putLong(0).putLong(Integer.MAX_VALUE).array()),
    new Precision("U32", DataType.DT_UINT32, "UINT32", bytes(8).putInt(0).putInt(-1).array()),
    new Precision("U16", DataType.DT_UINT16, "UINT16", bytes(4).putShort((short) 0).putShort((short) -1).array()),
    new Precision("U8", DataType.DT_UINT8, "UINT8", new byte[] {0, -1}),
    new Precision("BOOL", DataType.DT_BOOL, "BOOL", new byte[] {0, 1}),
  };

  static final String HEAVY = "heavy";
  static final int HEAVY_SIDE = 512;

  private Servables() {}

  static ByteBuffer bytes(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Ten floats: 0 to 9, and a number added to each. */
  static ByteString ten(float add) {
    ByteBuffer buffer = bytes(40);
    for (int index = 0; index < 10; index++) buffer.putFloat(index + add);
    return ByteString.copyFrom(buffer.array());
  }
}
