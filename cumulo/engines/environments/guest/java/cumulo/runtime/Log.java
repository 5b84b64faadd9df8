package cumulo.runtime;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.logging.LogFormat;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;

/** The function's log: records of the logger whole, beside the lines of System.out and System.err. */
final class Log implements LambdaLogger {
    private static final DateTimeFormatter ISO =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
    final LogFormat format;
    String requestId;
    String tenantId;
    private final LogLevel least;
    private final FileOutputStream out = new FileOutputStream(FileDescriptor.out);
    private final boolean framed = System.getenv("AWS_LAMBDA_RUNTIME_API") != null;

    Log() throws IOException {
        String form = System.getenv("AWS_LAMBDA_LOG_FORMAT");
        String level = System.getenv("AWS_LAMBDA_LOG_LEVEL");
        format = form == null ? LogFormat.TEXT : LogFormat.fromString(form);
        least = level == null || format == LogFormat.TEXT ? LogLevel.UNDEFINED : LogLevel.fromString(level);
        System.setOut(new PrintStream(new Lines(), false, "UTF-8"));
        System.setErr(new PrintStream(new Lines(), false, "UTF-8"));
    }

    @Override
    public void log(String message) {
        log(message, LogLevel.UNDEFINED);
    }

    @Override
    public void log(byte[] message) {
        log(message, LogLevel.UNDEFINED);
    }

    @Override
    public void log(String message, LogLevel level) {
        if (isWanted(level)) {
            record(formatted(String.valueOf(message), level).getBytes(StandardCharsets.UTF_8), level);
        }
    }

    @Override
    public void log(byte[] message, LogLevel level) {
        if (isWanted(level)) {
            record(message, level);
        }
    }

    private boolean isWanted(LogLevel level) {
        return level == LogLevel.UNDEFINED || level.ordinal() >= least.ordinal();
    }

    private String formatted(String message, LogLevel level) {
        if (format == LogFormat.TEXT) {
            return level == LogLevel.UNDEFINED ? message : "[" + level + "] " + message;
        }
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("timestamp", ISO.format(Instant.now()));
        record.put("message", message);
        record.put("level", level.name());
        record.put("AWSRequestId", requestId);
        record.put("tenantId", tenantId);
        try {
            return Writer.write(record) + "\n";
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }

    /** Four bytes of kind, four of length, eight of microseconds, then the text; all at once. */
    private void record(byte[] text, LogLevel level) {
        byte[] whole = text;
        if (framed) {
            Instant now = Instant.now();
            ByteBuffer frame = ByteBuffer.allocate(16 + text.length);
            frame.putInt((format == LogFormat.JSON ? 0xa55a0002 : 0xa55a0003) | level.ordinal() << 2);
            frame.putInt(text.length);
            frame.putLong(now.getEpochSecond() * 1_000_000 + now.getNano() / 1000);
            frame.put(text);
            whole = frame.array();
        }
        write(whole, 0, whole.length);
    }

    private void write(byte[] bytes, int from, int count) {
        synchronized (out) {
            try {
                out.write(bytes, from, count);
            } catch (IOException gone) {
                return;  // the environment ends: nobody reads any more
            }
        }
    }

    private final class Lines extends OutputStream {
        @Override
        public void write(int one) {
            Log.this.write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int count) {
            Log.this.write(bytes, from, count);
        }
    }
}
